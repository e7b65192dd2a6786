/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As http, behind TLS with the pool's own settings: the same CAs, the same name, the same
 * certificate as links have, so that what passes here would serve a client, too.
 */
#include <stdio.h>

#include "backends/check_http.h"

static void ask(struct check_run *run)
{
    check_http_ask(run);
    if (run->state == CHECK_ASKING && connection_has_unread(&run->connection))
        check_http_hear(run, CONNECTION_READABLE);
}

static void shake_hands(struct check_run *run)
{
    switch (connection_handshake(&run->connection)) {
    case IO_DONE:
        ask(run);
        return;
    case IO_AGAIN:
        return;
    case IO_END:
        check_finish(run, CHECK_FAILED, "connection closed within the TLS handshake");
        return;
    case IO_FAILED:
        check_fail(run);
        return;
    }
}

/* Without a host that is asked for the name is the backend's own address. */
static void connected(struct check_run *run)
{
    const char *host = run->pool->check_host;
    char written[BACKEND_TLS_NAME_BYTES];
    const char *name =
        backend_tls_name(run->tls, run->backend, slice_of(host ? host : ""), written);
    snprintf(run->tls_name, sizeof run->tls_name, "%s", name);
    run->tls_user = (struct backend_tls_user){0};
    SSL *ssl = backend_tls_ssl_new(run->tls, name, NULL, &run->tls_user);
    if (!ssl) {
        check_finish(run, CHECK_NOT_MADE, "out of memory");
        return;
    }
    connection_start_tls(&run->connection, ssl);
    shake_hands(run);
}

static void ready(struct check_run *run, int events)
{
    if (SSL_is_init_finished(run->connection.ssl))
        check_http_hear(run, events);
    else
        shake_hands(run);
}

// clang-format off
const struct check check_https = {
    .name      = "https",
    .summary   = "as http, over TLS with the pool's CAs, name and certificate; needs protocol = https",
    .needs_tls = true,
    .connected = connected,
    .ready     = ready,
};
// clang-format on
