/* SPDX-License-Identifier: Apache-2.0 */
/* CA files become one X509_STORE; verification asks it with a fixed purpose, depth and strength. */
#include "listeners/ca/ca_set.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/certificate.h"
#include "lb/base/error.h"
#include "listeners/ca/ca_namesake.h"

enum {
    /* OpenSSL's level 2: 112 bits of security. RSA from 2048 bits, EC from 224, no SHA-1
       signatures. */
    AUTH_LEVEL = 2,
};

/* Where a set comes from, for messages. */
struct origin {
    const char *ini_file;
    unsigned line;
    const char *path;
    struct problems *problems;
};

static bool is_root(X509 *certificate)
{
    return X509_self_signed(certificate, 0) == 1;
}

/* A CA by basicConstraints, by keyUsage alone, or an X.509 v1 root, as `openssl x509 -req -signkey`
 * makes them. */
static bool is_ca(X509 *certificate)
{
    return X509_check_ca(certificate) != 0;
}

/* One that signs itself is meant as a CA: since OpenSSL 3.2 `openssl x509 -req -signkey` makes
 * certificates of version 3, which say whether they are CAs or are none. */
static const char *advice_for(X509 *certificate)
{
    return is_root(certificate)
               ? "it has no basicConstraints CA:TRUE, as `openssl x509 -req -signkey` makes them "
                 "since OpenSSL 3.2; make it again of the same key and request, and what it has "
                 "signed stays good: openssl req -x509 -in ca.csr -key ca.key -days 3650 -out "
                 "ca.crt"
               : "name the CA that issued the clients' certificates";
}

static bool check_ca(X509 *certificate, const struct origin *origin)
{
    char *subject = certificate_name_text(X509_get_subject_name(certificate));
    const char *name = subject && *subject ? subject : "(no subject)";
    bool good = is_ca(certificate);
    if (!good)
        problems_add(origin->problems, origin->ini_file, origin->line,
                     "client_ca %s: %s is no CA certificate; %s", origin->path, name,
                     advice_for(certificate));
    else if (certificate_time(X509_get0_notAfter(certificate)) < time(NULL))
        problems_warn(origin->problems, origin->ini_file, origin->line,
                      "client_ca %s: %s has expired; clients with its certificates will be refused",
                      origin->path, name);
    free(subject);
    return good;
}

/* A CA that is there already, perhaps from another file, is no mistake. */
static bool add(struct ca_set *set, X509 *certificate)
{
    return X509_add_cert(set->certificates, certificate,
                         X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP) == 1;
}

/* All certificates of one file. */
static bool add_file(struct ca_set *set, const struct origin *origin)
{
    struct error err = {{0}};
    STACK_OF(X509) *certificates = certificates_load(origin->path, &err);
    if (!certificates) {
        problems_add(origin->problems, origin->ini_file, origin->line, "client_ca %s", err.text);
        return false;
    }
    bool good = true;
    for (int i = 0; i < sk_X509_num(certificates); i++) {
        X509 *certificate = sk_X509_value(certificates, i);
        good = check_ca(certificate, origin) && good;
        if (!add(set, certificate)) {
            problems_add(origin->problems, origin->ini_file, origin->line,
                         "client_ca %s: out of memory", origin->path);
            good = false;
        }
    }
    sk_X509_pop_free(certificates, X509_free);
    return good;
}

/* Does the set lead from here to a root of its own? Bounded by the set's size: names could form a
 * ring. */
static bool reaches_root(const struct ca_set *set, X509 *certificate)
{
    int count = sk_X509_num(set->certificates);
    for (int steps = 0; certificate && steps <= count; steps++) {
        if (is_root(certificate))
            return true;
        X509 *issuer = NULL;
        for (int i = 0; i < count && !issuer; i++) {
            X509 *candidate = sk_X509_value(set->certificates, i);
            if (candidate != certificate && X509_check_issued(candidate, certificate) == X509_V_OK)
                issuer = candidate;
        }
        certificate = issuer;
    }
    return false;
}

/* An intermediate without its root would refuse every client; trusting it by itself must be the
 * operator's word. */
static bool check_anchors(const struct ca_set *set, const struct origin *origin)
{
    bool good = true;
    for (int i = 0; i < sk_X509_num(set->certificates) && !set->partial; i++) {
        X509 *certificate = sk_X509_value(set->certificates, i);
        if (!is_ca(certificate) || reaches_root(set, certificate))
            continue;
        char *subject = certificate_name_text(X509_get_subject_name(certificate));
        problems_add(origin->problems, origin->ini_file, origin->line,
                     "client_ca %s: %s is an intermediate CA and its root is not in client_ca; add "
                     "the root, or say "
                     "client_ca_partial = yes to trust the intermediate by itself",
                     origin->path, subject ? subject : "a certificate");
        free(subject);
        good = false;
    }
    return good;
}

static int compare_digests(const void *one, const void *other)
{
    return memcmp(one, other, CA_SET_ID_BYTES);
}

/* SHA-256 over the sorted certificates and what else decides a verification. The digests have a
 * fixed length, so no two different sets give the same bytes. */
static bool identify(struct ca_set *set)
{
    size_t count = (size_t)sk_X509_num(set->certificates);
    unsigned char(*digests)[CA_SET_ID_BYTES] = calloc(count + 1, sizeof *digests);
    bool good = digests != NULL;
    for (size_t i = 0; good && i < count; i++)
        good = X509_digest(sk_X509_value(set->certificates, (int)i), EVP_sha256(), digests[i],
                           NULL) == 1;
    if (good) {
        qsort(digests, count, sizeof *digests, compare_digests);
        digests[count][0] = (unsigned char)set->depth;
        digests[count][1] = set->partial;
        digests[count][2] = AUTH_LEVEL;
        good = EVP_Digest(digests, (count + 1) * sizeof *digests, set->id, NULL, EVP_sha256(),
                          NULL) == 1;
    }
    free(digests);
    return good;
}

static bool has_name(STACK_OF(X509_NAME) * names, const X509_NAME *name)
{
    for (int i = 0; i < sk_X509_NAME_num(names); i++)
        if (X509_NAME_cmp(sk_X509_NAME_value(names, i), name) == 0)
            return true;
    return false;
}

static bool fill_store(struct ca_set *set)
{
    X509_VERIFY_PARAM *param = X509_STORE_get0_param(set->store);
    unsigned long flags =
        X509_V_FLAG_TRUSTED_FIRST | (set->partial ? X509_V_FLAG_PARTIAL_CHAIN : 0);
    X509_VERIFY_PARAM_set_flags(param, flags);
    X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
    /* OpenSSL counts only what stands between a certificate and its anchor. */
    X509_VERIFY_PARAM_set_depth(param, set->depth - 1);
    if (X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_CLIENT) != 1 ||
        X509_VERIFY_PARAM_set_trust(param, X509_TRUST_SSL_CLIENT) != 1)
        return false;
    for (int i = 0; i < sk_X509_num(set->certificates); i++) {
        X509 *certificate = sk_X509_value(set->certificates, i);
        const X509_NAME *subject = X509_get_subject_name(certificate);
        if (X509_STORE_add_cert(set->store, certificate) != 1)
            return false;
        if (has_name(set->names, subject))
            continue;
        X509_NAME *name = X509_NAME_dup(subject);
        if (!name || sk_X509_NAME_push(set->names, name) <= 0) {
            X509_NAME_free(name);
            return false;
        }
    }
    ca_namesakes_heed(set->store, set->certificates);
    return true;
}

static struct ca_set *set_new(int depth, bool partial)
{
    struct ca_set *set = calloc(1, sizeof *set);
    if (!set)
        return NULL;
    set->depth = depth;
    set->partial = partial;
    set->store = X509_STORE_new();
    set->names = sk_X509_NAME_new_null();
    set->certificates = sk_X509_new_null();
    if (set->store && set->names && set->certificates)
        return set;
    ca_set_free(set);
    return NULL;
}

/* Whoever put it into the registry has had it checked: it is an anchor by itself. */
static bool add_extra(struct ca_set *set, const struct ca_set_extra *extra)
{
    for (unsigned i = 0; extra && i < extra->count; i++) {
        X509 *certificate = extra->certificates[i];
        if (!add(set, certificate))
            return false;
        set->partial = set->partial || !is_root(certificate);
    }
    return true;
}

struct ca_set *ca_set_load(const char *const *paths, const unsigned *lines, unsigned count,
                           const struct ca_set_extra *extra, int depth, bool partial,
                           const char *ini_file, struct problems *problems)
{
    struct origin origin = {ini_file, count ? lines[0] : 0, count ? paths[0] : "", problems};
    struct ca_set *set = set_new(depth, partial);
    if (!set) {
        problems_add(problems, ini_file, origin.line, "client_ca: out of memory");
        return NULL;
    }
    ERR_set_mark();
    bool good = true;
    for (unsigned i = 0; i < count; i++) {
        origin.line = lines[i];
        origin.path = paths[i];
        good = add_file(set, &origin) && good;
    }
    good = good && check_anchors(set, &origin);
    if (good && (!add_extra(set, extra) || !fill_store(set) || !identify(set) ||
                 !(set->keys = ca_keys_of(set->certificates)))) {
        problems_add(problems, ini_file, origin.line,
                     "client_ca: OpenSSL cannot use these certificates: %s",
                     ERR_reason_error_string(ERR_peek_last_error()));
        good = false;
    }
    ERR_pop_to_mark();
    if (good)
        return set;
    ca_set_free(set);
    return NULL;
}

void ca_set_free(struct ca_set *set)
{
    if (!set)
        return;
    X509_STORE_free(set->store);
    sk_X509_NAME_pop_free(set->names, X509_NAME_free);
    sk_X509_pop_free(set->certificates, X509_free);
    free(set->keys);
    free(set);
}

/* The earliest end among the certificates that were needed. */
static time_t earliest_end(const STACK_OF(X509) * chain)
{
    time_t earliest = certificate_time(X509_get0_notAfter(sk_X509_value(chain, 0)));
    for (int i = 1; i < sk_X509_num(chain); i++) {
        time_t end = certificate_time(X509_get0_notAfter(sk_X509_value(chain, i)));
        if (end < earliest)
            earliest = end;
    }
    return earliest;
}

/* Who has signed whom, up to the anchor. */
static bool keep_keys(struct ca_set_result *result, STACK_OF(X509) * chain)
{
    int first = sk_X509_num(chain) > 1; /* else the certificate is an anchor itself */
    int count = sk_X509_num(chain) - first;
    result->ca_keys = calloc((size_t)count, sizeof *result->ca_keys);
    result->cas = calloc((size_t)count, sizeof(X509 *));
    if (!result->ca_keys || !result->cas)
        return false;
    for (int i = 0; i < count; i++) {
        X509 *ca = sk_X509_value(chain, i + first);
        if (!ca_key_of(ca, result->ca_keys[i]))
            return false;
        X509_up_ref(ca);
        result->cas[i] = ca;
        result->ca_count++;
    }
    return true;
}

/* Verified, but not of the form that RFC 5280 asks for? The anchor is the operator's choice. */
static int malformed_depth(STACK_OF(X509) * chain)
{
    for (int i = 1; i < sk_X509_num(chain) - 1; i++)
        if (!certificate_is_well_formed(sk_X509_value(chain, i)))
            return i;
    return -1;
}

/* OpenSSL finds no issuer where the issuer's extensions cannot be read. */
static bool has_malformed_issuer(STACK_OF(X509) * chain, STACK_OF(X509) * sent)
{
    X509 *last = sk_X509_value(chain, sk_X509_num(chain) - 1);
    for (int i = 0; last && i < sk_X509_num(sent); i++) {
        X509 *candidate = sk_X509_value(sent, i);
        if (X509_NAME_cmp(X509_get_subject_name(candidate), X509_get_issuer_name(last)) == 0 &&
            !certificate_is_well_formed(candidate))
            return true;
    }
    return false;
}

static void refuse(struct ca_set_result *result, int x509_error, int depth)
{
    result->x509_error = x509_error;
    result->depth = depth;
}

static void conclude(struct ca_set_result *result, X509_STORE_CTX *context, bool is_verified,
                     time_t now)
{
    int error = X509_STORE_CTX_get_error(context);
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(context);
    int depth = is_verified ? malformed_depth(chain) : sk_X509_num(chain);
    int ended = is_verified ? certificates_ended(chain, now) : -1;
    if (ended >= 0) {
        refuse(result, X509_V_ERR_CERT_HAS_EXPIRED, ended);
    } else if (is_verified && depth > 0) {
        refuse(result, X509_V_ERR_INVALID_EXTENSION, depth);
    } else if (error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY &&
               has_malformed_issuer(chain, X509_STORE_CTX_get0_untrusted(context))) {
        refuse(result, X509_V_ERR_INVALID_EXTENSION, depth);
    } else if (!is_verified || error != X509_V_OK) {
        /* Refused with no reason given would read as verified: never let that pass. */
        refuse(result, error != X509_V_OK ? error : X509_V_ERR_UNSPECIFIED,
               X509_STORE_CTX_get_error_depth(context));
    } else if (keep_keys(result, chain)) {
        result->x509_error = X509_V_OK;
        result->valid_until = earliest_end(chain);
    } else {
        ca_set_result_done(result);
    }
}

void ca_set_result_done(struct ca_set_result *result)
{
    for (unsigned i = 0; result->cas && i < result->ca_count; i++)
        X509_free(result->cas[i]);
    free(result->cas);
    free(result->ca_keys);
    result->cas = NULL;
    result->ca_keys = NULL;
    result->ca_count = 0;
}

static void verify(const struct ca_set *set, X509 *leaf, STACK_OF(X509) * chain, time_t now,
                   struct ca_set_result *result)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    if (context && X509_STORE_CTX_init(context, set->store, leaf, chain) == 1) {
        X509_STORE_CTX_set_time(context, 0, now);
        bool is_verified = X509_verify_cert(context) == 1;
        conclude(result, context, is_verified, now);
    }
    X509_STORE_CTX_free(context);
}

void ca_set_verify(const struct ca_set *set, X509 *leaf, STACK_OF(X509) * chain, time_t now,
                   struct ca_set_result *result)
{
    *result = (struct ca_set_result){.x509_error = X509_V_ERR_OUT_OF_MEM};
    memcpy(result->set_id, set->id, sizeof result->set_id);
    ERR_set_mark();
    if (!certificate_is_well_formed(leaf))
        refuse(result, X509_V_ERR_INVALID_EXTENSION, 0);
    else if (!certificate_has_fit_exponent(leaf))
        refuse(result, X509_V_ERR_EE_KEY_TOO_SMALL, 0);
    else
        verify(set, leaf, chain, now, result);
    ERR_pop_to_mark();
    result->refusal = refusal_of_x509(result->x509_error);
}
