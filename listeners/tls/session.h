/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lb knows about a TLS session beyond what OpenSSL does: what it is bound to, whose it is and
 * when it ends. Tied to the SSL_SESSION, immutable and counted; every copy OpenSSL makes of a
 * session shares it. So a session that is renewed again and again (TLS 1.3 does that at each
 * resumption) keeps the end of its first handshake.
 */
#ifndef LB_LISTENERS_SESSION_H
#define LB_LISTENERS_SESSION_H

#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

struct identity;

enum { SESSION_CONTEXT_BYTES = 32 };

struct session {
    atomic_uint references;
    /* SHA-256 of listener, domain and policy: what it may be resumed for, and nothing else. */
    unsigned char context[SESSION_CONTEXT_BYTES];
    time_t first_handshake;
    time_t ends; /* not resumed from then on: lifetime and certificates have decided it */
    struct identity *identity; /* NULL: the client showed no certificate */
};

/**
 * Tie a new session to `tls`, in place of one that may be there.
 *
 * identity  counted here; NULL is fine
 * returns   false: out of memory; the session must not be kept then
 */
bool session_tie(SSL_SESSION *tls, const unsigned char context[SESSION_CONTEXT_BYTES],
                 time_t first_handshake, time_t ends, struct identity *identity);

/** What is tied to it, lent for the life of `tls`; or NULL. Any thread. */
const struct session *session_of(const SSL_SESSION *tls);

#endif
