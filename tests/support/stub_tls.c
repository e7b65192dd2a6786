/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's server side on the blocking sockets of a stub backend, with counters. */
#include "tests/support/stub_tls.h"

#include <check.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/port.h"

/* ---- life ---- */

static int take_protocol(SSL *ssl, const unsigned char **ret_name, unsigned char *ret_length,
                         const unsigned char *offered, unsigned length, void *argument)
{
    const char *spoken = argument;
    unsigned char *name = NULL;
    (void)ssl;
    if (SSL_select_next_proto(&name, ret_length, (const unsigned char *)spoken,
                              (unsigned)strlen(spoken), offered, length) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *ret_name = name;
    return SSL_TLSEXT_ERR_OK;
}

static void ask_clients(SSL_CTX *context, const struct made *ca, bool is_lenient)
{
    SSL_CTX_set_verify(context,
                       SSL_VERIFY_PEER | (is_lenient ? 0 : SSL_VERIFY_FAIL_IF_NO_PEER_CERT), NULL);
    ck_assert_int_eq(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca->certificate), 1);
    ck_assert_int_eq(SSL_CTX_add_client_CA(context, ca->certificate), 1);
}

static SSL_CTX *make_context(const struct stub_tls_plan *plan)
{
    const struct made *made = plan->certificate;
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    ck_assert_ptr_nonnull(context);
    if (plan->version != 0) {
        SSL_CTX_set_min_proto_version(context, plan->version);
        SSL_CTX_set_max_proto_version(context, plan->version);
    }
    SSL_CTX_set_security_level(context, 0); /* weak certificates are for the other side to refuse */
    ck_assert_int_eq(
        SSL_CTX_use_cert_and_key(context, made->certificate, made->key, made->chain, 1), 1);
    SSL_CTX_set_session_id_context(context, (const unsigned char *)"stub", 4);
    SSL_CTX_set_alpn_select_cb(context, take_protocol,
                               plan->speaks_http2 ? "\x02h2" : "\x08http/1.1");
    if (plan->client_ca != NULL)
        ask_clients(context, plan->client_ca, plan->is_lenient);
    if (plan->no_sessions) {
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(context, 0);
    }
    return context;
}

void stub_tls_start_at(struct stub_backend *stub, const char *name, stub_serve serve,
                       const struct stub_tls_plan *plan, unsigned port)
{
    struct stub_tls *tls = calloc(1, sizeof *tls);
    tls->context = make_context(plan);
    tls->ends_rudely = plan->ends_rudely;
    pthread_mutex_init(&tls->lock, NULL);
    text_add(&tls->asked, "", 0);
    text_add(&tls->alerts, "", 0);
    stub_start_secure(stub, name, serve, tls, port);
}

void stub_tls_start(struct stub_backend *stub, const char *name, stub_serve serve,
                    const struct stub_tls_plan *plan)
{
    stub_tls_start_at(stub, name, serve, plan, port_reserve());
}

void stub_tls_done(struct stub_tls *tls)
{
    SSL_CTX_free(tls->context);
    text_done(&tls->asked);
    text_done(&tls->alerts);
    pthread_mutex_destroy(&tls->lock);
    free(tls);
}

static char *copy(struct stub_tls *tls, const struct text *text)
{
    pthread_mutex_lock(&tls->lock);
    char *whole = strdup(text->bytes);
    pthread_mutex_unlock(&tls->lock);
    return whole;
}

char *stub_tls_asked(struct stub_backend *stub)
{
    return copy(stub->tls, &stub->tls->asked);
}

char *stub_tls_alerts(struct stub_backend *stub)
{
    return copy(stub->tls, &stub->tls->alerts);
}

/* ---- one link ---- */

static void note_handshake(struct stub_link *link)
{
    struct stub_tls *tls = link->stub->tls;
    const char *name = SSL_get_servername(link->ssl, TLSEXT_NAMETYPE_host_name);
    X509 *client = SSL_get0_peer_certificate(link->ssl);
    const unsigned char *protocol = NULL;
    unsigned length = 0;
    char who[128] = "-";
    if (client != NULL)
        made_common_name(client, who, sizeof who);
    SSL_get0_alpn_selected(link->ssl, &protocol, &length);
    pthread_mutex_lock(&tls->lock);
    text_add_format(&tls->asked, "%s %.*s %s\n", name != NULL ? name : "-",
                    length > 0 ? (int)length : 1, length > 0 ? (const char *)protocol : "-", who);
    pthread_mutex_unlock(&tls->lock);
    atomic_fetch_add(&tls->handshakes, 1);
    if (SSL_session_reused(link->ssl))
        atomic_fetch_add(&tls->resumed, 1);
}

static void note_failure(struct stub_tls *tls)
{
    unsigned long error = ERR_peek_error();
    const char *reason = error != 0 ? ERR_reason_error_string(error) : NULL;
    if (reason == NULL || strstr(reason, "alert") == NULL)
        return;
    pthread_mutex_lock(&tls->lock);
    text_add_format(&tls->alerts, "%s\n", reason);
    pthread_mutex_unlock(&tls->lock);
}

bool stub_tls_accept(struct stub_link *link)
{
    struct stub_tls *tls = link->stub->tls;
    ERR_clear_error();
    link->ssl = SSL_new(tls->context);
    SSL_set_fd(link->ssl, link->fd);
    if (SSL_accept(link->ssl) == 1) {
        note_handshake(link);
        return true;
    }
    note_failure(tls);
    atomic_fetch_add(&tls->refused, 1);
    return false;
}

long stub_tls_receive(struct stub_link *link, void *into, size_t room)
{
    size_t got = 0;
    ERR_clear_error();
    int result = SSL_read_ex(link->ssl, into, room, &got);
    if (result == 1)
        return (long)got;
    if (SSL_get_error(link->ssl, result) == SSL_ERROR_ZERO_RETURN)
        atomic_fetch_add(&link->stub->tls->farewells, 1);
    else
        note_failure(link->stub->tls);
    return 0;
}

long stub_tls_send(struct stub_link *link, const void *bytes, size_t length)
{
    size_t sent = 0;
    ERR_clear_error();
    return SSL_write_ex(link->ssl, bytes, length, &sent) == 1 ? (long)sent : -1;
}

void stub_tls_end(struct stub_link *link)
{
    if (link->ssl == NULL)
        return;
    ERR_clear_error();
    if (!link->stub->tls->ends_rudely && SSL_is_init_finished(link->ssl))
        SSL_shutdown(link->ssl);
    SSL_free(link->ssl);
    link->ssl = NULL;
    ERR_clear_error();
}
