/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS towards the backends of a pool with protocol = https: whom lb believes, what it shows of
 * itself, and what a failed handshake means in words.
 *
 *   backend_tls          loaded and frozen with the config
 *   backend_tls_context  what OpenSSL makes of it, one for each user (a worker, the health checks):
 *                        SSL_CTX and X509_STORE lock inside
 *   SSL                  of one connection; goes on without its context
 *
 * A backend's certificate is always verified, and always against the name that was asked for.
 */
#ifndef LB_BACKENDS_TLS_BACKEND_TLS_H
#define LB_BACKENDS_TLS_BACKEND_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "lb/base/limits.h"
#include "lb/base/slice.h"

struct arena;
struct backend;
struct backend_tls;
struct backend_tls_context;
struct connection;
struct error;
struct pool;
struct problems;

/* With the config. */

/**
 * Load what a pool says about TLS: sets pool->tls (NULL: protocol = http) and pool->link_identity.
 *
 * Reports at file:line: files that cannot be read, a certificate without its key or the other way
 * round, keys that do not belong together, a backend_name that is no name, certificates that
 * OpenSSL refuses; warns of expired ones, of a certificate that is not meant for clients, of keys
 * without protocol = https, of a system without CAs.
 *
 * pool    its name, line and options are set
 * Thread: the one that loads the config. Reads files.
 */
void backend_tls_load(struct pool *pool, struct arena *arena, const char *file,
                      struct problems *problems);
/** NULL is fine. */
void backend_tls_free(struct backend_tls *tls);

/* With each user. */

/**
 * Make the context of one user of this pool.
 *
 * pool     has protocol = https; its `tls` is borrowed for the context's life
 * Fails:   OpenSSL refuses a setting; out of memory: NULL, err says which.
 * Thread:  any; the context and all it makes then belong to one thread.
 */
struct backend_tls_context *backend_tls_context_new(const struct pool *pool, struct error *err);
/** NULL is fine. Connections that it made go on. */
void backend_tls_context_free(struct backend_tls_context *context);

/* With each connection. */

enum { BACKEND_TLS_NAME_BYTES = DOMAIN_BYTES + 1 };

/**
 * The name to ask for (SNI) and to find in the certificate: backend_name, or the host asked for in
 * lower case, without port, brackets and final dot, or the backend's own address when nobody asked
 * for a host.
 *
 * host     as in Host, maybe empty
 * into     where it is written unless it is backend_name
 * returns  `into`, or backend_name, which lives as long as the config
 */
const char *backend_tls_name(const struct backend_tls_context *context,
                             const struct backend *backend, struct slice host,
                             char into[BACKEND_TLS_NAME_BYTES]);

/** Whoever an SSL tells what happens in it; embedded in its owner. */
struct backend_tls_user {
    /** A session to resume with. returns true: it was taken, to be freed with SSL_SESSION_free.
     * From inside calls of the connection. NULL: sessions are dropped. */
    bool (*on_session)(struct backend_tls_user *user, SSL *ssl, SSL_SESSION *session);
    bool showed_nothing; /* the backend asked lb for a certificate and got none */
};

/* What is behind a backend that closes when `showed_nothing`. */
#define BACKEND_TLS_SHOWED_NOTHING                                                                 \
    "it asked for a client certificate and got none: set certificate and certificate_key"

/**
 * An SSL that connects and verifies, for connection_start_tls.
 *
 * name     of backend_tls_name; copied. A name is asked for by SNI, an address is not
 * session  to resume with; NULL: none. Counted by OpenSSL
 * user     borrowed for the SSL's life; NULL: sessions are dropped
 * returns  NULL: out of memory
 */
SSL *backend_tls_ssl_new(struct backend_tls_context *context, const char *name,
                         SSL_SESSION *session, struct backend_tls_user *user);

/** Until when what was verified in this handshake stays true: the earliest notAfter of the chain.
 * The far past when nothing was verified (a resumed session). */
time_t backend_tls_good_until(const SSL *ssl);

/**
 * Why TLS failed, in words, with what would be right where that is known: "self-signed certificate
 * of CN=rs-1: name it in backend_ca". Also for alerts behind the handshake: with TLS 1.3 a backend
 * refuses lb's certificate only then.
 *
 * connection  started with an SSL of this file, and failed
 * name        of backend_tls_name
 * into, room  where it is written; cut there
 * returns     true: it is the backend's certificate that was refused
 */
bool backend_tls_explain(const struct connection *connection, const char *name, char *into,
                         size_t room);

/**
 * Did the backend refuse lb as a client? With TLS 1.3 it says so behind the handshake, when lb may
 * have sent already; whatever that was, it was not taken.
 *
 * connection  started with an SSL of this file, and failed
 */
bool backend_tls_was_refused(const struct connection *connection);

#endif
