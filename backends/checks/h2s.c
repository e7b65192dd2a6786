/* SPDX-License-Identifier: Apache-2.0 */
/* As https, over HTTP/2. */
#include "backends/health/check_h2.h"

static void connected(struct check_run *run)
{
    check_h2_connected(run, &check_h2_plain, true);
}

// clang-format off
const struct check check_h2s = {
    .name      = "h2s",
    .summary   = "as https, over HTTP/2 (ALPN h2); needs protocol = h2s or https",
    .http      = 2,
    .needs_tls = true,
    .connected = connected,
    .ready     = check_h2_ready,
};
// clang-format on
