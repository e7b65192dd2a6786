/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each CA that could have signed is tried as the only anchor; the one with the shortest way to the
 * certificate is the nearest. Two CAs may have one name (a rollover): then the signature decides.
 */
#include "listeners/registry/certificate_verify.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/certificate.h"
#include "listeners/registry/ca_snapshot.h"
#include "listeners/registry/certificate_describe.h"
#include "listeners/registry/change.h"

enum { AUTH_LEVEL = 2 }; /* as for clients at the handshake */

struct verifier {
    struct cas *cas;
    X509_STORE **stores; /* one for each CA, made when it is needed first */
};

struct verifier *verifier_open(struct ledger *ledger, struct error *err)
{
    struct verifier *verifier = calloc(1, sizeof *verifier);
    if (!verifier) {
        error_set(err, "out of memory");
        return NULL;
    }
    verifier->cas = cas_of(ledger, err);
    if (!verifier->cas)
        goto fail;
    verifier->stores = calloc(verifier->cas->count + 1, sizeof(X509_STORE *));
    if (verifier->stores)
        return verifier;
    error_set(err, "out of memory");
fail:
    verifier_close(verifier);
    return NULL;
}

void verifier_close(struct verifier *verifier)
{
    if (!verifier)
        return;
    for (size_t i = 0; verifier->stores && i < verifier->cas->count; i++)
        X509_STORE_free(verifier->stores[i]);
    free(verifier->stores);
    cas_free(verifier->cas);
    free(verifier);
}

/* Who registers a certificate ahead of its time may do so; at the handshake it is refused until
 * then. */
static int on_link(int good, X509_STORE_CTX *context)
{
    if (!good && X509_STORE_CTX_get_error(context) == X509_V_ERR_CERT_NOT_YET_VALID) {
        X509_STORE_CTX_set_error(context, X509_V_OK);
        return 1;
    }
    return good;
}

static X509_STORE *store_of(X509 *anchor)
{
    X509_STORE *store = X509_STORE_new();
    if (!store)
        return NULL;
    X509_VERIFY_PARAM *param = X509_STORE_get0_param(store);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
    /* OpenSSL counts only what stands between a certificate and its anchor. */
    X509_VERIFY_PARAM_set_depth(param, REGISTERED_DEPTH_MOST - 1);
    X509_STORE_set_verify_cb(store, on_link);
    if (X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_CLIENT) == 1 &&
        X509_VERIFY_PARAM_set_trust(param, X509_TRUST_SSL_CLIENT) == 1 &&
        X509_STORE_add_cert(store, anchor) == 1)
        return store;
    X509_STORE_free(store);
    return NULL;
}

/* The question, and the best answer so far. */
struct search {
    X509 *certificate;
    STACK_OF(X509) * chain;
    const struct cas_item *wanted; /* NULL: any */
    int64_t now_s;
    const struct cas_item *nearest;
    int length; /* of the chain to it */
    unsigned char issuer_key[CA_KEY_BYTES];
    bool wanted_leads;             /* the wanted one has signed it, too */
    const struct cas_item *failed; /* of a failure that tells something; NULL: none */
    int error;
    int error_depth;
};

/* The way that OpenSSL found is a possible answer; is it the nearest so far? */
static int weigh(STACK_OF(X509) * way, const struct cas_item *item, struct search *search)
{
    int length = sk_X509_num(way);
    if (length < 2)
        return X509_V_ERR_INVALID_CA;
    int ended = certificates_ended(way, (time_t)search->now_s);
    if (ended >= 0) {
        search->error_depth = ended;
        return X509_V_ERR_CERT_HAS_EXPIRED;
    }
    if (search->nearest && length >= search->length &&
        (length > search->length || item != search->wanted))
        return X509_V_OK;
    if (!ca_key_of(sk_X509_value(way, 1), search->issuer_key))
        return X509_V_ERR_OUT_OF_MEM;
    search->nearest = item;
    search->length = length;
    return X509_V_OK;
}

static int try_anchor(struct verifier *verifier, size_t index, struct search *search)
{
    const struct cas_item *item = &verifier->cas->items[index];
    if (!verifier->stores[index])
        verifier->stores[index] = store_of(item->certificate);
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    int error = X509_V_ERR_OUT_OF_MEM;
    if (verifier->stores[index] && context &&
        X509_STORE_CTX_init(context, verifier->stores[index], search->certificate, search->chain) ==
            1) {
        X509_STORE_CTX_set_time(context, 0, (time_t)search->now_s);
        bool verified = X509_verify_cert(context) == 1;
        error = X509_STORE_CTX_get_error(context);
        search->error_depth = X509_STORE_CTX_get_error_depth(context);
        if (verified && error == X509_V_OK)
            error = weigh(X509_STORE_CTX_get0_chain(context), item, search);
        else if (error == X509_V_OK) /* no reason given must not read as verified */
            error = X509_V_ERR_UNSPECIFIED;
    }
    X509_STORE_CTX_free(context);
    return error;
}

/* Does a failure tell what is wrong with the chain, or only that this CA is not in it? */
static bool tells(int error)
{
    switch (error) {
    case X509_V_OK:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        return false;
    default:
        return true;
    }
}

static bool issued_by_name(X509 *certificate, const X509_NAME *ca)
{
    return X509_NAME_cmp(X509_get_issuer_name(certificate), ca) == 0;
}

/* Does anybody here name this CA as issuer? Saves most of 32 verifications. */
static bool may_lead(const struct cas_item *item, const struct search *search)
{
    const X509_NAME *name = X509_get_subject_name(item->certificate);
    if (issued_by_name(search->certificate, name))
        return true;
    for (int i = 0; i < sk_X509_num(search->chain); i++)
        if (issued_by_name(sk_X509_value(search->chain, i), name))
            return true;
    return false;
}

static void try_all(struct verifier *verifier, struct search *search)
{
    int depth = 0;
    ERR_set_mark();
    for (size_t i = 0; i < verifier->cas->count; i++) {
        const struct cas_item *item = &verifier->cas->items[i];
        if (!may_lead(item, search))
            continue;
        int error = try_anchor(verifier, i, search);
        if (error == X509_V_OK && item == search->wanted)
            search->wanted_leads = true;
        if (tells(error) && !search->failed) {
            search->failed = item;
            search->error = error;
            depth = search->error_depth;
        }
    }
    ERR_pop_to_mark();
    search->error_depth = depth;
}

/* Who stands at the upper end of what the caller brought: the CA that is not known. */
static const X509_NAME *upper_end(const struct search *search)
{
    X509 *at = search->certificate;
    for (int steps = 0; steps < REGISTERED_DEPTH_MOST; steps++) {
        X509 *next = NULL;
        for (int i = 0; i < sk_X509_num(search->chain) && !next; i++) {
            X509 *candidate = sk_X509_value(search->chain, i);
            if (X509_cmp(candidate, at) != 0 &&
                issued_by_name(at, X509_get_subject_name(candidate)))
                next = candidate;
        }
        if (!next)
            break;
        at = next;
    }
    return X509_get_issuer_name(at);
}

static enum change_refusal tell_bad(const struct search *search, struct error *err)
{
    const char *ca = search->failed->record.name;
    const char *words = X509_verify_cert_error_string(search->error);
    switch (search->error) {
    case X509_V_ERR_INVALID_PURPOSE:
        if (search->error_depth > 0)
            break;
        return change_refuse(CHANGE_BAD_INPUT, err,
                             "the certificate is not meant for clients: its extendedKeyUsage or "
                             "keyUsage does not allow clientAuth");
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return change_refuse(CHANGE_BAD_INPUT, err,
                             "CA %s, or a CA between the certificate and it, has expired", ca);
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
        return change_refuse(CHANGE_BAD_INPUT, err,
                             "the certificate or a CA above it is too weak (%s); RSA needs 2048 "
                             "bits, EC 224, and signatures SHA-256",
                             words);
    case X509_V_ERR_OUT_OF_MEM:
        return change_out_of_memory(err);
    default:
        break;
    }
    return change_refuse(CHANGE_BAD_INPUT, err,
                         "the chain between the certificate and CA %s does not hold: %s", ca,
                         words);
}

static const struct cas_item *find_name(const struct cas *cas, const X509_NAME *name)
{
    for (size_t i = 0; i < cas->count; i++)
        if (X509_NAME_cmp(X509_get_subject_name(cas->items[i].certificate), name) == 0)
            return &cas->items[i];
    return NULL;
}

static enum change_refusal tell_failure(const struct verifier *verifier,
                                        const struct search *search, struct error *err)
{
    char name[NAME_BRIEF_BYTES];
    const X509_NAME *issuer = upper_end(search);
    const struct cas_item *namesake = find_name(verifier->cas, issuer);
    if (search->failed)
        return tell_bad(search, err);
    name_brief(issuer, name);
    if (search->wanted)
        return change_refuse(
            CHANGE_NOT_OF_CA, err, "CA %s did not sign this certificate; its issuer is %s%s",
            search->wanted->record.name, name,
            namesake == search->wanted ? ", of that name, but with another key" : "");
    if (namesake)
        return change_refuse(CHANGE_CA_UNREGISTERED, err,
                             "its CA %s has the name of CA %s, whose key did not sign it; upload "
                             "the CA that did (lb ca upload)",
                             name, namesake->record.name);
    return change_refuse(CHANGE_CA_UNREGISTERED, err,
                         "its CA %s is not registered; upload it first (lb ca upload), or bring "
                         "the certificates between",
                         name);
}

static enum change_refusal check_itself(const struct verifier *verifier, X509 *certificate,
                                        int64_t now_s, struct error *err)
{
    for (size_t i = 0; i < verifier->cas->count; i++)
        if (X509_cmp(verifier->cas->items[i].certificate, certificate) == 0)
            return change_refuse(CHANGE_BAD_INPUT, err,
                                 "this is CA %s itself; a certificate that it signed for a client "
                                 "is needed",
                                 verifier->cas->items[i].record.name);
    ERR_set_mark();
    bool is_ca = X509_check_ca(certificate) != 0;
    ERR_pop_to_mark();
    if (is_ca)
        return change_refuse(CHANGE_BAD_INPUT, err,
                             "this is the certificate of a CA, not of a client (lb ca upload "
                             "registers CAs)");
    int64_t end = certificate_time(X509_get0_notAfter(certificate));
    char when[WHEN_BYTES];
    if (end >= now_s)
        return CHANGE_MADE;
    return change_refuse(CHANGE_BAD_INPUT, err, "the certificate has expired on %s",
                         change_when(end * 1000, when));
}

enum change_refusal verifier_check(struct verifier *verifier, X509 *certificate,
                                   STACK_OF(X509) * chain, const char *ca, int64_t now_s,
                                   struct verified *ret_verified, struct error *err)
{
    struct search search = {.certificate = certificate, .chain = chain, .now_s = now_s};
    enum change_refusal refusal = CHANGE_MADE;
    if (ca)
        refusal = cas_pick(verifier->cas, ca, &search.wanted, err);
    if (refusal == CHANGE_MADE)
        refusal = check_itself(verifier, certificate, now_s, err);
    if (refusal != CHANGE_MADE)
        return refusal;
    try_all(verifier, &search);
    if (!search.nearest)
        return tell_failure(verifier, &search, err);
    const struct ca_record *nearest = &search.nearest->record;
    if (search.wanted && !search.wanted_leads)
        return change_refuse(CHANGE_NOT_OF_CA, err,
                             "CA %s did not sign this certificate; CA %s did",
                             search.wanted->record.name, nearest->name);
    if (!nearest->is_enabled)
        return change_refuse(CHANGE_CA_DISABLED, err,
                             "its CA %s is disabled; enable it first (lb ca enable %s)",
                             nearest->name, nearest->name);
    ret_verified->ca = search.nearest;
    memcpy(ret_verified->issuer_key, search.issuer_key, sizeof search.issuer_key);
    return CHANGE_MADE;
}
