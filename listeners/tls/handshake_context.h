/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of a handshake context, for handshake.c and resumption.c only.
 *
 *   listener ── domains ──> plans[domain->index] ──> one of policies[] ──> SSL_CTX (CA names,
 * settings)
 *
 * A plan says everything the handshake of one domain must settle; handshake.c puts it on the SSL
 * when SNI has chosen the domain, and compares again when the handshake is complete.
 */
#ifndef LB_LISTENERS_HANDSHAKE_CONTEXT_H
#define LB_LISTENERS_HANDSHAKE_CONTEXT_H

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <time.h>

#include "listeners/tls/handshake.h"
#include "listeners/tls/session.h"

/** One SSL_CTX: CA names and credentials of the first domain that has this policy. */
struct handshake_policy {
    const struct policy *policy;
    const struct domain *domain; /* whose credentials the SSL_CTX holds */
    SSL_CTX *tls;
};

/** What the handshake of one domain settles. */
struct handshake_plan {
    const struct handshake_policy *policy;
    bool own_credentials; /* other ones than its SSL_CTX's */
    int verify_mode;
    unsigned char session_context[SESSION_CONTEXT_BYTES];
};

struct handshake_context {
    const struct listener *listener;
    struct chain_cache *chains;
    EVP_MD *sha256; /* fetched once: OpenSSL 3.0 fetches anew for every EVP_sha256() */
    EVP_MD_CTX *digest;
    time_t (*now)(void *argument);
    void *now_argument;
    unsigned policy_count;
    struct handshake_policy *policies;
    struct handshake_plan *plans; /* by domain->index */
};

static inline time_t handshake_context_now(const struct handshake_context *context)
{
    return context->now(context->now_argument);
}

/** The plan of the domain that SNI chose; NULL before that. */
static inline const struct handshake_plan *handshake_plan(const struct handshake *handshake)
{
    return handshake->domain ? &handshake->context->plans[handshake->domain->index] : NULL;
}

/* OpenSSL's callbacks that live in handshake.c; `argument` is the context. */
int handshake_on_hello(SSL *ssl, int *alert, void *argument);
int handshake_on_certificate(X509_STORE_CTX *store, void *argument);

#endif
