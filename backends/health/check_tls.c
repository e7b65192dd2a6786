/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/health/check_tls.h"

#include <stdio.h>
#include <string.h>

/* One length byte and the name (RFC 7301 3.1). */
enum { ALPN_BYTES = 1 + 16 };

static bool offer(SSL *ssl, const char *alpn)
{
    unsigned char wire[ALPN_BYTES];
    size_t length = strlen(alpn);
    if (length >= sizeof wire)
        return false;
    wire[0] = (unsigned char)length;
    memcpy(wire + 1, alpn, length);
    return SSL_set_alpn_protos(ssl, wire, (unsigned)length + 1) == 0;
}

bool check_tls_start(struct check_run *run, const char *alpn)
{
    const char *host = run->pool->check_host;
    char written[BACKEND_TLS_NAME_BYTES];
    const char *name =
        backend_tls_name(run->tls, run->backend, slice_of(host ? host : ""), written);
    snprintf(run->tls_name, sizeof run->tls_name, "%s", name);
    run->tls_user = (struct backend_tls_user){0};
    SSL *ssl = backend_tls_ssl_new(run->tls, name, NULL, &run->tls_user);
    if (!ssl || !offer(ssl, alpn)) {
        SSL_free(ssl);
        check_finish(run, CHECK_NOT_MADE, "out of memory");
        return false;
    }
    connection_start_tls(&run->connection, ssl);
    return check_tls_shake_hands(run);
}

bool check_tls_shake_hands(struct check_run *run)
{
    switch (connection_handshake(&run->connection)) {
    case IO_DONE:
        return true;
    case IO_AGAIN:
        return false;
    case IO_END:
        check_finish(run, CHECK_FAILED, "connection closed within the TLS handshake");
        return false;
    case IO_FAILED:
        check_fail(run);
        return false;
    }
    return false;
}

bool check_tls_is_shaking(const struct check_run *run)
{
    return run->connection.ssl && !SSL_is_init_finished(run->connection.ssl);
}
