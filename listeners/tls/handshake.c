/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of one handshake:
 *
 *   ClientHello ─> handshake_on_hello        SNI chooses the domain; its plan is put on the SSL
 *                  (resumption.c)            a session of exactly this plan is resumed, any other
 * is not Certificate ─> handshake_on_certificate  verified once per CA set, or remembered; refused
 * here only where the domain's policy alerts Finished ────> handshake_complete        what OpenSSL
 * did is compared with the plan
 *
 * SSL_set_SSL_CTX() leaves verify mode, options and session context as they were. That is why all
 * of them are set on the SSL itself, after the switch.
 */
#include "listeners/tls/handshake.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/limits.h"
#include "lb/base/log.h"
#include "listeners/tls/chain_cache.h"
#include "listeners/tls/handshake_context.h"
#include "listeners/tls/library.h"
#include "listeners/tls/server_name.h"
#include "listeners/tls/tls_settings.h"

SSL *handshake_begin(struct handshake_context *context, struct handshake *handshake)
{
    const struct domain *domain = router_default_domain(context->listener->router);
    *handshake = (struct handshake){.context = context, .listener = context->listener};
    SSL *ssl = SSL_new(context->plans[domain->index].policy->tls);
    if (!ssl)
        return NULL;
    SSL_set_app_data(ssl, handshake);
    SSL_set_accept_state(ssl);
    return ssl;
}

/* The ClientHello: which domain? */

const struct domain *handshake_domain(const struct listener *listener, const struct slice *name,
                                      bool *ret_is_known)
{
    const struct router *router = listener->router;
    *ret_is_known = false;
    if (!listener->options->sni || !name)
        return router_default_domain(router);
    const struct domain *domain = router_known_domain(router, *name);
    *ret_is_known = domain != NULL;
    if (domain)
        return domain;
    return listener->options->unknown_sni == UNKNOWN_SNI_REJECT ? NULL
                                                                : router_default_domain(router);
}

/* NULL: *alert says why not. */
static const struct domain *choose_domain(struct handshake *handshake, SSL *ssl, int *alert)
{
    const struct listener *listener = handshake->listener;
    const unsigned char *extension = NULL;
    size_t length = 0;
    struct slice name;
    if (!listener->options->sni ||
        SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &extension, &length) != 1)
        return handshake_domain(listener, NULL, &handshake->named);
    if (server_name_parse(extension, length, &name) != SERVER_NAME_FOUND) {
        *alert = SSL_AD_DECODE_ERROR;
        return NULL;
    }
    const struct domain *domain = handshake_domain(listener, &name, &handshake->named);
    if (domain)
        return domain;
    handshake->refusal = REFUSAL_UNKNOWN_NAME;
    free(handshake->asked_name);
    handshake->asked_name = strndup(name.at, name.length);
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return NULL;
}

/* Put the plan on the SSL. Versions, ciphers and groups are the listener's: the same on all of its
 * contexts. */
static bool settle(SSL *ssl, const struct handshake_plan *plan, const struct domain *domain)
{
    SSL_CTX *tls = plan->policy->tls;
    if (SSL_get_SSL_CTX(ssl) != tls && SSL_set_SSL_CTX(ssl, tls) != tls)
        return false;
    if (plan->own_credentials &&
        !tls_settings_replace(ssl, domain->credentials, domain->credential_count, NULL))
        return false;
    SSL_set_verify(ssl, plan->verify_mode, NULL);
    SSL_set_options(ssl, TLS_SETTINGS_OPTIONS);
    return SSL_set_min_proto_version(ssl, (int)SSL_CTX_get_min_proto_version(tls)) == 1 &&
           SSL_set_max_proto_version(ssl, (int)SSL_CTX_get_max_proto_version(tls)) == 1 &&
           SSL_set_session_id_context(ssl, plan->session_context, SESSION_CONTEXT_BYTES) == 1;
}

int handshake_on_hello(SSL *ssl, int *alert, void *argument)
{
    struct handshake *handshake = SSL_get_app_data(ssl);
    const struct handshake_context *context = argument;
    const struct domain *domain = choose_domain(handshake, ssl, alert);
    if (!domain)
        return SSL_CLIENT_HELLO_ERROR;
    if (handshake->domain) {
        /* The second ClientHello, after a HelloRetryRequest: it must not ask for anybody else. */
        *alert = SSL_AD_ILLEGAL_PARAMETER;
        return domain == handshake->domain ? SSL_CLIENT_HELLO_SUCCESS : SSL_CLIENT_HELLO_ERROR;
    }
    ERR_set_mark();
    bool settled = settle(ssl, &context->plans[domain->index], domain);
    ERR_pop_to_mark();
    if (!settled) {
        *alert = SSL_AD_INTERNAL_ERROR;
        return SSL_CLIENT_HELLO_ERROR;
    }
    handshake->domain = domain;
    return SSL_CLIENT_HELLO_SUCCESS;
}

/* The certificate: who is it? */

/* Who this chain is under the domain's policy: remembered, or verified now. NULL: out of memory. */
static struct identity *identify(const struct handshake_context *context,
                                 const struct policy *policy, STACK_OF(X509) * chain)
{
    unsigned char hash[32];
    time_t now = handshake_context_now(context);
    if (!identity_hash_chain(chain, context->digest, context->sha256, hash))
        return NULL;
    struct identity *identity = chain_cache_get(context->chains, hash, policy, now);
    if (identity)
        return identity;
    chain_cache_share(context->chains, chain);
    STACK_OF(X509) *whole = tls_library_read_chain(chain);
    identity = whole ? identity_new(policy, whole, hash, now) : NULL;
    sk_X509_pop_free(whole, X509_free);
    if (identity)
        chain_cache_put(context->chains, policy, identity);
    return identity;
}

/* To verify what a client signs with such a key costs a worker more than all else it can ask for.
 */
static bool has_giant_key(const struct identity *identity)
{
    const EVP_PKEY *key = identity ? X509_get0_pubkey(identity->leaf) : NULL;
    return key && EVP_PKEY_get_bits(key) > CLIENT_KEY_BITS_MOST;
}

enum refusal handshake_judge(const struct listener *listener, const struct policy *policy,
                             struct identity *identity, time_t now)
{
    const struct visitor visitor = {.identity = identity, .now = now};
    if (has_giant_key(identity))
        return REFUSAL_TOO_LARGE;
    return policy_alert(policy, listener->view, &visitor);
}

/*
 * An identity that was remembered is of a chain of the very same bytes: its certificates take the
 * place of the copies that OpenSSL has just decoded and would keep with the connection and its
 * session. 5 KB each, of 21, are saved by that. The stack OpenSSL lends here is the one it keeps.
 */
static void share_chain(X509_STORE_CTX *store, STACK_OF(X509) * chain,
                        const struct identity *identity)
{
    if (sk_X509_num(chain) != sk_X509_num(identity->chain))
        return;
    X509_STORE_CTX_set_cert(store, identity->leaf);
    for (int i = 0; i < sk_X509_num(chain); i++) {
        X509 *copy = sk_X509_value(chain, i);
        X509 *shared = sk_X509_value(identity->chain, i);
        X509_up_ref(shared);
        sk_X509_set(chain, i, shared);
        X509_free(copy);
    }
}

/* Called in the place of X509_verify_cert(). 1: go on. */
int handshake_on_certificate(X509_STORE_CTX *store, void *argument)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct handshake *handshake = SSL_get_app_data(ssl);
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_untrusted(store);
    X509_STORE_CTX_set_error(store, X509_V_ERR_UNSPECIFIED);
    if (!handshake->domain || !handshake->domain->policy->asks || handshake->identity || !chain)
        return 0; /* never expected: a certificate that nobody asked for */
    const struct policy *policy = handshake->domain->policy;
    ERR_set_mark();
    handshake->identity = identify(argument, policy, chain);
    ERR_pop_to_mark();
    if (!handshake->identity) {
        X509_STORE_CTX_set_error(store, X509_V_ERR_OUT_OF_MEM);
        return 0;
    }
    share_chain(store, chain, handshake->identity);
    handshake->refusal = handshake_judge(handshake->listener, policy, handshake->identity,
                                         handshake_context_now(argument));
    X509_STORE_CTX_set_error(store, refusal_x509_error(handshake->refusal));
    return handshake->refusal == REFUSAL_NONE;
}

/* The end: is everything as planned? */

static bool is_as_planned(const struct handshake_plan *plan, const SSL *ssl)
{
    unsigned length = 0;
    const unsigned char *context = SSL_SESSION_get0_id_context(SSL_get_session(ssl), &length);
    return SSL_get_SSL_CTX(ssl) == plan->policy->tls &&
           SSL_get_verify_mode(ssl) == plan->verify_mode &&
           (SSL_get_options(ssl) & TLS_SETTINGS_OPTIONS) == TLS_SETTINGS_OPTIONS &&
           length == SESSION_CONTEXT_BYTES && memcmp(context, plan->session_context, length) == 0;
}

/* A resumed session brings its identity along. */
static bool recall(struct handshake *handshake, const struct handshake_plan *plan, const SSL *ssl)
{
    const struct session *session = session_of(SSL_get_session(ssl));
    if (!session || memcmp(session->context, plan->session_context, SESSION_CONTEXT_BYTES) != 0)
        return false;
    identity_unref(handshake->identity);
    handshake->identity = session->identity ? identity_ref(session->identity) : NULL;
    return true;
}

/* Compared by signature: X509_cmp() would decode all extensions, which a remembered chain has
 * spared us. */
static bool same_certificate(const X509 *one, const X509 *other)
{
    const ASN1_BIT_STRING *signature = NULL;
    const ASN1_BIT_STRING *other_signature = NULL;
    X509_get0_signature(&signature, NULL, one);
    X509_get0_signature(&other_signature, NULL, other);
    return ASN1_STRING_cmp(signature, other_signature) == 0 &&
           ASN1_INTEGER_cmp(X509_get0_serialNumber(one), X509_get0_serialNumber(other)) == 0;
}

/* The identity is that of the certificate OpenSSL holds, and good enough where the handshake had to
 * judge it. */
static bool is_identified(const struct handshake *handshake, const SSL *ssl)
{
    const struct policy *policy = handshake->domain->policy;
    const struct identity *identity = handshake->identity;
    X509 *shown = SSL_get0_peer_certificate(ssl);
    if (!shown || !identity)
        return !shown && !identity && !policy->alerts;
    if (!policy->asks || !same_certificate(shown, identity->leaf))
        return false;
    const struct ca_set_result *result = identity_result(identity, policy->sets[0]);
    return !policy->alerts || (result && result->refusal == REFUSAL_NONE);
}

bool handshake_complete(struct handshake *handshake, SSL *ssl)
{
    const struct handshake_plan *plan = handshake_plan(handshake);
    if (!plan || !is_as_planned(plan, ssl))
        return false;
    if (SSL_session_reused(ssl) && !recall(handshake, plan, ssl))
        return false;
    memcpy(handshake->policy_id, handshake->domain->policy->id, POLICY_ID_BYTES);
    return is_identified(handshake, ssl);
}

bool handshake_still_holds(const struct handshake *handshake, const SSL *ssl,
                           const struct listener *listener)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    const struct domain *domain = listener->options->sni && name
                                      ? router_domain(listener->router, slice_of(name))
                                      : router_default_domain(listener->router);
    return domain->policy && policy_has_id(domain->policy, handshake->policy_id);
}

void handshake_leave_context(struct handshake *handshake)
{
    handshake->context = NULL;
    handshake->listener = NULL;
    handshake->domain = NULL;
}

/* What ends a handshake whatever the rule says, and only OpenSSL sees. */
// clang-format off
static const struct {
    OSSL_HANDSHAKE_STATE state; /* in which message it was found */
    int reason;
    enum refusal refusal;
} ends[] = {
    {TLS_ST_SR_CERT, SSL_R_EXCESSIVE_MESSAGE_SIZE, REFUSAL_TOO_LARGE},
    /* No DER of a certificate, or bytes behind it. */
    {TLS_ST_SR_CERT, ERR_R_ASN1_LIB, REFUSAL_MALFORMED},
    {TLS_ST_SR_CERT, SSL_R_CERT_LENGTH_MISMATCH, REFUSAL_MALFORMED},
    /* A public key of a kind that nobody here knows, or one that cannot be read. */
    {TLS_ST_SR_CERT, SSL_R_UNKNOWN_CERTIFICATE_TYPE, REFUSAL_WEAK_KEY},
    /* The client does not hold the key of the certificate it showed. */
    {TLS_ST_SR_CERT_VRFY, SSL_R_BAD_SIGNATURE, REFUSAL_BAD_SIGNATURE},
    {TLS_ST_SR_CERT_VRFY, SSL_R_WRONG_SIGNATURE_TYPE, REFUSAL_BAD_SIGNATURE},
    {TLS_ST_SR_CERT_VRFY, SSL_R_WRONG_SIGNATURE_SIZE, REFUSAL_BAD_SIGNATURE},
};
// clang-format on

enum refusal handshake_refusal(struct handshake *handshake, SSL *ssl, unsigned long tls_failure)
{
    if (ERR_GET_LIB(tls_failure) != ERR_LIB_SSL)
        return REFUSAL_NONE;
    int reason = ERR_GET_REASON(tls_failure);
    if (handshake->refusal == REFUSAL_UNKNOWN_NAME || reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
        return handshake->refusal;
    if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
        return handshake->refusal = REFUSAL_MISSING;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (ends[i].reason == reason && ends[i].state == SSL_get_state(ssl))
            return handshake->refusal = ends[i].refusal;
    return REFUSAL_NONE;
}

/* Names that a client chose stand last: a line that is full leaves out those, and not what tells
 * one certificate from another. */
static void describe(const struct handshake *handshake, SSL *ssl,
                     const struct ca_set_result *result, struct log_line *line)
{
    const struct identity *identity = handshake->identity;
    const char *name = ssl ? SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) : NULL;
    if (identity) {
        log_text(line, "serial", identity->serial);
        log_text(line, "sha256", identity->sha256);
    }
    if (result)
        log_number(line, "depth", result->refusal == REFUSAL_NONE ? 0 : result->depth);
    log_text(line, "sni", name ? name : handshake->asked_name);
    if (identity) {
        log_text(line, "subject", identity->subject);
        log_text(line, "issuer", identity->issuer);
    }
}

static const struct ca_set_result *first_bad_result(const struct identity *identity)
{
    for (unsigned i = 0; identity && i < identity->result_count; i++)
        if (identity->results[i].refusal != REFUSAL_NONE)
            return &identity->results[i];
    return NULL;
}

void handshake_describe(const struct handshake *handshake, SSL *ssl, struct log_line *line)
{
    describe(handshake, ssl, first_bad_result(handshake->identity), line);
}

void handshake_describe_for(const struct handshake *handshake, SSL *ssl, const struct ca_set *set,
                            struct log_line *line)
{
    const struct identity *identity = handshake->identity;
    describe(handshake, ssl, identity && set ? identity_result(identity, set) : NULL, line);
}

void handshake_done(struct handshake *handshake)
{
    identity_unref(handshake->identity);
    handshake->identity = NULL;
    free(handshake->asked_name);
    handshake->asked_name = NULL;
}
