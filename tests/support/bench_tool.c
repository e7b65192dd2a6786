/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/bench_tool.h"

#include <check.h>
#include <stdlib.h>

#include "tests/support/certificates.h"

char *bench_tool(const char *name)
{
    const char *folder = getenv("LB_BENCH");
    ck_assert_msg(folder != NULL, "LB_BENCH must name the folder of load, backend and names");
    return made_path(folder, name);
}
