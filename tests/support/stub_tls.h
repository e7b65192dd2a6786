/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS for a scripted backend: its serve functions stay as they are.
 *
 *   struct stub_backend stub;
 *   stub_tls_start(&stub, "rs-1", NULL, &(struct stub_tls_plan){.certificate = made});
 *   … atomic_load(&stub.tls->resumed), stub_tls_names(&stub) …
 *   stub_stop(&stub);
 */
#ifndef LB_TESTS_STUB_TLS_H
#define LB_TESTS_STUB_TLS_H

#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "tests/support/certificates.h"
#include "tests/support/stub_backend.h"
#include "tests/support/text.h"

struct stub_tls_plan {
    const struct made *certificate; /* with its chain; copied */
    const struct made *client_ca;   /* who shows no certificate of it is refused; NULL: not asked */
    bool is_lenient;                /* … nobody is refused for showing none */
    int version;                    /* TLS1_2_VERSION, TLS1_3_VERSION or 0: both */
    bool ends_rudely;               /* links end without close_notify */
    bool speaks_http2;              /* by ALPN h2, and nothing else */
    bool no_sessions;               /* nothing to resume with is given */
};

struct stub_tls {
    SSL_CTX *context;
    bool ends_rudely;
    atomic_uint handshakes; /* complete */
    atomic_uint resumed;    /* of these */
    atomic_uint refused;    /* handshakes that failed, on either side */
    atomic_uint farewells;  /* close_notify received */
    pthread_mutex_t lock;   /* guards what follows */
    struct text asked;  /* a line for each complete handshake: SNI, ALPN and who came, "-": none */
    struct text alerts; /* a line for each alert received that ended a link */
};

/* As stub_start. */
void stub_tls_start(struct stub_backend *stub, const char *name, stub_serve serve,
                    const struct stub_tls_plan *plan);
/* As stub_start_at. */
void stub_tls_start_at(struct stub_backend *stub, const char *name, stub_serve serve,
                       const struct stub_tls_plan *plan, unsigned port);
/* Lines of `asked`, of `alerts`; the caller frees them. */
char *stub_tls_asked(struct stub_backend *stub);
char *stub_tls_alerts(struct stub_backend *stub);

/* For stub_backend.c. */
bool stub_tls_accept(struct stub_link *link);
/* Like recv and send. */
long stub_tls_receive(struct stub_link *link, void *into, size_t room);
long stub_tls_send(struct stub_link *link, const void *bytes, size_t length);
/* Close notify, unless it ends rudely; SSL is freed. */
void stub_tls_end(struct stub_link *link);
void stub_tls_done(struct stub_tls *tls);

#endif
