/* SPDX-License-Identifier: Apache-2.0 */
/* As http, behind TLS. */
#include "backends/health/check_http.h"
#include "backends/health/check_tls.h"

static void ask(struct check_run *run)
{
    check_http_ask(run);
    if (run->state == CHECK_ASKING && connection_has_unread(&run->connection))
        check_http_hear(run, CONNECTION_READABLE);
}

static void connected(struct check_run *run)
{
    if (check_tls_start(run, "http/1.1"))
        ask(run);
}

static void ready(struct check_run *run, int events)
{
    if (!check_tls_is_shaking(run))
        check_http_hear(run, events);
    else if (check_tls_shake_hands(run))
        ask(run);
}

// clang-format off
const struct check check_https = {
    .name      = "https",
    .summary   = "as http, over TLS with the pool's CAs, name and certificate; needs protocol = https",
    .http      = 1,
    .needs_tls = true,
    .connected = connected,
    .ready     = ready,
};
// clang-format on
