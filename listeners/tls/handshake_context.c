/* SPDX-License-Identifier: Apache-2.0 */
/* Builds a worker's SSL_CTXs of one listener: one for each distinct policy of its domains. */
#include "listeners/tls/handshake_context.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/error.h"
#include "listeners/tls/library.h"
#include "listeners/tls/resumption.h"
#include "listeners/tls/tls_settings.h"

static time_t wall_clock(void *argument)
{
    (void)argument;
    return time(NULL);
}

/* RFC 9113 9.2.2: with TLS 1.2, browsers give up on HTTP/2 over ciphers that are no AEAD or whose
 * keys are not ephemeral; an operator may have asked for such. */
static bool is_fit_for_http2(SSL *ssl)
{
    if (SSL_version(ssl) != TLS1_2_VERSION)
        return true;
    const SSL_CIPHER *cipher = SSL_get_pending_cipher(ssl);
    int exchange = cipher ? SSL_CIPHER_get_kx_nid(cipher) : NID_undef;
    return cipher && SSL_CIPHER_is_aead(cipher) &&
           (exchange == NID_kx_ecdhe || exchange == NID_kx_dhe);
}

struct protocol_list {
    const unsigned char *at;
    unsigned length;
};

/* Where the length of this name stands among those that are offered; NULL: it is not there. */
static const unsigned char *find_protocol(struct protocol_list offered, const char *name)
{
    const size_t wanted = strlen(name);
    const unsigned char *list = offered.at;
    for (unsigned at = 0; at < offered.length && list[at] < offered.length - at;
         at += 1u + list[at]) {
        if (list[at] == wanted && memcmp(list + at + 1, name, wanted) == 0)
            return list + at;
    }
    return NULL;
}

/*
 * What is spoken here is acknowledged where it is offered, HTTP/2 before HTTP/1.1. A client that
 * offers only what is not spoken here gets no answer to its offer instead of the alert RFC 7301
 * asks for: old clients offer "spdy/3" or "http/1.0" alone and then speak HTTP/1.
 */
static int on_protocols_offered(SSL *ssl, const unsigned char **ret_name, unsigned char *ret_length,
                                const unsigned char *offered, unsigned length, void *argument)
{
    const struct handshake_context *context = argument;
    const struct protocol_list list = {offered, length};
    const unsigned char *chosen = NULL;
    if (context->listener->options->http2 && is_fit_for_http2(ssl))
        chosen = find_protocol(list, "h2");
    if (!chosen)
        chosen = find_protocol(list, "http/1.1");
    if (!chosen)
        return SSL_TLSEXT_ERR_NOACK;
    *ret_name = chosen + 1;
    *ret_length = *chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* Only acknowledges (RFC 6066: a server that used the name says so); the choice was made in the
 * ClientHello callback. */
static int on_server_name(SSL *ssl, int *alert, void *argument)
{
    const struct handshake *handshake = SSL_get_app_data(ssl);
    (void)alert;
    (void)argument;
    return handshake->named ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

static bool set_names(SSL_CTX *tls, const struct policy *policy)
{
    if (!policy->names)
        return true;
    STACK_OF(X509_NAME) *names = SSL_dup_CA_list(policy->names);
    SSL_CTX_set_client_CA_list(tls, names); /* taken */
    return names != NULL;
}

static SSL_CTX *context_make(struct handshake_context *context, const struct domain *domain,
                             struct error *err)
{
    SSL_CTX *tls = SSL_CTX_new_ex(tls_library_for_handshakes(), NULL, TLS_server_method());
    if (!tls || !set_names(tls, domain->policy)) {
        SSL_CTX_free(tls);
        error_set(err, "OpenSSL cannot make a context: out of memory");
        return NULL;
    }
    if (!tls_settings_apply(tls, context->listener, err) ||
        !tls_settings_credentials(tls, domain->credentials, domain->credential_count, err)) {
        SSL_CTX_free(tls);
        return NULL;
    }
    /* Closed unless the ClientHello callback opens it: an SSL whose domain was never chosen lets
     * nobody in. */
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_client_hello_cb(tls, handshake_on_hello, context);
    SSL_CTX_set_cert_verify_callback(tls, handshake_on_certificate, context);
    SSL_CTX_set_alpn_select_cb(tls, on_protocols_offered, context);
    SSL_CTX_set_tlsext_servername_callback(tls, on_server_name);
    resumption_install(tls, context->listener->sessions);
    return tls;
}

static int verify_mode_of(const struct policy *policy)
{
    if (!policy->asks)
        return SSL_VERIFY_NONE;
    return policy->alerts ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_PEER;
}

static bool digest_text(EVP_MD_CTX *digest, const char *text)
{
    uint64_t length = strlen(text);
    return EVP_DigestUpdate(digest, &length, sizeof length) == 1 &&
           EVP_DigestUpdate(digest, text, length) == 1;
}

/* What a session is good for: this listener, this domain, this policy. With SNI off all names are
 * one domain. */
static bool bind_sessions(struct handshake_context *context, const struct domain *domain,
                          unsigned char into[SESSION_CONTEXT_BYTES])
{
    EVP_MD_CTX *digest = context->digest;
    const char *pattern = context->listener->options->sni ? domain->pattern : "";
    return EVP_DigestInit_ex(digest, context->sha256, NULL) == 1 &&
           digest_text(digest, context->listener->name) && digest_text(digest, pattern) &&
           EVP_DigestUpdate(digest, domain->policy->id, POLICY_ID_BYTES) == 1 &&
           EVP_DigestFinal_ex(digest, into, NULL) == 1;
}

static bool same_credentials(const struct domain *one, const struct domain *other)
{
    return one->credential_count == other->credential_count &&
           (one->credential_count == 0 ||
            memcmp(one->credentials, other->credentials,
                   one->credential_count * sizeof *one->credentials) == 0);
}

static bool plan_domain(struct handshake_context *context, const struct domain *domain,
                        const struct handshake_policy *policy, struct error *err)
{
    struct handshake_plan *plan = &context->plans[domain->index];
    plan->policy = policy;
    plan->verify_mode = verify_mode_of(domain->policy);
    plan->own_credentials = !same_credentials(policy->domain, domain);
    if (!bind_sessions(context, domain, plan->session_context))
        return error_set(err, "OpenSSL cannot compute SHA-256");
    return true;
}

static int compare_policies(const void *one, const void *other)
{
    const struct handshake_policy *a = one;
    const struct handshake_policy *b = other;
    return memcmp(a->policy->id, b->policy->id, POLICY_ID_BYTES);
}

/* policies[]: each distinct one once, sorted by id, with a domain that has it. */
static void collect_policies(struct handshake_context *context)
{
    const struct listener *listener = context->listener;
    const struct handshake_policy unknown = {0};
    for (unsigned i = 0; i < listener->domain_count; i++) {
        context->policies[i] = unknown;
        context->policies[i].policy = listener->domains[i].policy;
        context->policies[i].domain = &listener->domains[i];
    }
    qsort(context->policies, listener->domain_count, sizeof *context->policies, compare_policies);
    unsigned kept = 0;
    for (unsigned i = 0; i < listener->domain_count; i++)
        if (kept == 0 || compare_policies(&context->policies[kept - 1], &context->policies[i]) != 0)
            context->policies[kept++] = context->policies[i];
    context->policy_count = kept;
}

static bool context_fill(struct handshake_context *context, struct error *err)
{
    const struct listener *listener = context->listener;
    context->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    context->digest = EVP_MD_CTX_new();
    context->policies = calloc(listener->domain_count, sizeof *context->policies);
    context->plans = calloc(listener->domain_count, sizeof *context->plans);
    if (!context->sha256 || !context->digest || !context->policies || !context->plans)
        return error_set(err, "out of memory");
    collect_policies(context);
    for (unsigned i = 0; i < context->policy_count; i++) {
        struct handshake_policy *policy = &context->policies[i];
        policy->tls = context_make(context, policy->domain, err);
        if (!policy->tls)
            return false;
    }
    for (unsigned i = 0; i < listener->domain_count; i++) {
        const struct domain *domain = &listener->domains[i];
        const struct handshake_policy wanted = {.policy = domain->policy};
        const struct handshake_policy *policy = bsearch(
            &wanted, context->policies, context->policy_count, sizeof wanted, compare_policies);
        if (!plan_domain(context, domain, policy, err))
            return false;
    }
    return true;
}

struct handshake_context *handshake_context_new(const struct listener *listener,
                                                struct chain_cache *chains, struct error *err)
{
    struct handshake_context *context = calloc(1, sizeof *context);
    if (!context) {
        error_set(err, "out of memory");
        return NULL;
    }
    context->listener = listener;
    context->chains = chains;
    context->now = wall_clock;
    ERR_set_mark();
    bool good = context_fill(context, err);
    ERR_pop_to_mark();
    if (good)
        return context;
    handshake_context_free(context);
    return NULL;
}

void handshake_context_free(struct handshake_context *context)
{
    if (!context)
        return;
    for (unsigned i = 0; i < context->policy_count; i++)
        SSL_CTX_free(context->policies[i].tls);
    free(context->policies);
    free(context->plans);
    EVP_MD_CTX_free(context->digest);
    EVP_MD_free(context->sha256);
    free(context);
}

bool handshake_context_try(const struct handshake_context *context, struct error *err)
{
    const struct listener *listener = context->listener;
    const struct handshake_policy *policy = NULL;
    SSL *ssl = NULL; /* of that policy: neighbours mostly have one */
    bool good = true;
    for (unsigned i = 0; i < listener->domain_count && good; i++) {
        const struct domain *domain = &listener->domains[i];
        const struct handshake_plan *plan = &context->plans[domain->index];
        if (!plan->own_credentials)
            continue;
        if (plan->policy != policy) {
            SSL_free(ssl);
            policy = plan->policy;
            ssl = SSL_new(policy->tls);
        }
        good = ssl ? tls_settings_replace(ssl, domain->credentials, domain->credential_count, err)
                   : error_set(err, "OpenSSL cannot make a connection: out of memory");
    }
    SSL_free(ssl);
    return good;
}

void handshake_context_set_clock(struct handshake_context *context, time_t (*now)(void *argument),
                                 void *argument)
{
    context->now = now;
    context->now_argument = argument;
}
