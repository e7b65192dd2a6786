/* SPDX-License-Identifier: Apache-2.0 */
/* As http, over HTTP/2 with prior knowledge. */
#include "backends/health/check_h2.h"

static void connected(struct check_run *run)
{
    check_h2_connected(run, &check_h2_plain, false);
}

// clang-format off
const struct check check_h2 = {
    .name      = "h2",
    .summary   = "as http, over HTTP/2 without TLS (prior knowledge)",
    .http      = 2,
    .connected = connected,
    .ready     = check_h2_ready,
};
// clang-format on
