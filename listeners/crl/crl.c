/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/crl/crl.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/certificate.h"
#include "lb/base/hex.h"
#include "listeners/crl/crl_der.h"

struct crl *crl_ref(struct crl *crl)
{
    atomic_fetch_add_explicit(&crl->references, 1, memory_order_relaxed);
    return crl;
}

void crl_unref(struct crl *crl)
{
    if (!crl || atomic_fetch_sub_explicit(&crl->references, 1, memory_order_acq_rel) > 1)
        return;
    crl_serials_done(&crl->serials);
    free(crl->issuer);
    free(crl);
}

bool crl_is_current(const struct crl *crl, time_t now)
{
    return crl->this_update - CRL_CLOCK_SKEW_S <= now &&
           (crl->next_update == 0 || now < crl->next_update);
}

bool crl_ends_soon(const struct crl *crl, time_t now)
{
    const time_t week_s = 7 * 24 * 60 * 60;
    time_t quarter_s = (crl->next_update - crl->this_update) / 4;
    return crl->next_update != 0 &&
           now >= crl->next_update - (quarter_s < week_s ? quarter_s : week_s);
}

bool crl_is_older(const struct crl *crl, const struct crl *other)
{
    size_t length = strlen(crl->number);
    size_t other_length = strlen(other->number);
    if (length == 0 || other_length == 0)
        return crl->this_update < other->this_update;
    return length != other_length ? length < other_length : strcmp(crl->number, other->number) < 0;
}

/* --- what it covers -------------------------------------------------------------------------- */

bool crl_covers(const struct crl *crl, bool is_ca)
{
    return crl->scope == CRL_OF_ALL || (crl->scope == CRL_OF_CAS) == is_ca;
}

/* One distribution point alone is how many CAs write a list that is complete. */
static bool read_scope(struct crl *crl, X509_CRL *frame, struct error *err)
{
    int critical = 0;
    ISSUING_DIST_POINT *point =
        X509_CRL_get_ext_d2i(frame, NID_issuing_distribution_point, &critical, NULL);
    if (!point && critical != -1)
        return error_set(err, "its issuing distribution point is malformed");
    if (!point)
        return true;
    const char *part = point->indirectCRL > 0   ? "is an indirect list (entries of other CAs)"
                       : point->onlyattr > 0    ? "covers attribute certificates only"
                       : point->onlysomereasons ? "covers some reasons of revocation only"
                                                : NULL;
    crl->is_of_point = point->distpoint;
    crl->scope = point->onlyuser > 0 ? CRL_OF_USERS : point->onlyCA > 0 ? CRL_OF_CAS : CRL_OF_ALL;
    ISSUING_DIST_POINT_free(point);
    return !part || error_set(err,
                              "it %s (issuing distribution point), and the rest would go "
                              "unnoticed; name the complete list of the CA",
                              part);
}

static bool check_extension(const ASN1_OBJECT *kind, bool is_critical, struct error *err)
{
    char name[80];
    switch (OBJ_obj2nid(kind)) {
    case NID_delta_crl:
        return error_set(err, "it is a delta list (only what has changed since another one), which "
                              "lb does not use; name the complete list of the CA");
    case NID_authority_key_identifier:
    case NID_crl_number:
    case NID_issuing_distribution_point:
    case NID_freshest_crl:
    case NID_issuer_alt_name:
        return true;
    default:
        break;
    }
    if (!is_critical)
        return true;
    OBJ_obj2txt(name, sizeof name, kind, 0);
    return error_set(err, "it has the critical extension %s, which lb does not know", name);
}

static bool check_extensions(X509_CRL *frame, struct error *err)
{
    for (int i = 0; i < X509_CRL_get_ext_count(frame); i++)
        if (!check_extension(X509_EXTENSION_get_object(X509_CRL_get_ext(frame, i)),
                             X509_EXTENSION_get_critical(X509_CRL_get_ext(frame, i)) == 1, err))
            return false;
    return true;
}

/* As for certificates (level 2): no SHA-1. */
static bool check_strength(const X509_CRL *frame, struct error *err)
{
    int digest = NID_undef;
    OBJ_find_sigid_algs(X509_CRL_get_signature_nid(frame), &digest, NULL);
    switch (digest) {
    case NID_sha1:
    case NID_md5:
    case NID_md4:
    case NID_md2:
        return error_set(err,
                         "it is signed with %s, which is too weak; let the CA sign it with "
                         "SHA-256",
                         OBJ_nid2sn(digest));
    default:
        return true;
    }
}

/* --- its own facts --------------------------------------------------------------------------- */

static bool read_number(struct crl *crl, X509_CRL *frame, struct error *err)
{
    int critical = 0;
    ASN1_INTEGER *number = X509_CRL_get_ext_d2i(frame, NID_crl_number, &critical, NULL);
    if (!number)
        return critical == -1 || error_set(err, "its CRL number is malformed");
    size_t length = (size_t)ASN1_STRING_length(number);
    bool good = length <= CRL_NUMBER_BYTES && !(ASN1_STRING_type(number) & V_ASN1_NEG);
    if (good)
        *hex_write(crl->number, ASN1_STRING_get0_data(number), length, hex_upper) = '\0';
    ASN1_INTEGER_free(number);
    return good ||
           error_set(err, "its CRL number is negative or longer than %d bytes", CRL_NUMBER_BYTES);
}

static bool read_times(struct crl *crl, const X509_CRL *frame, struct error *err)
{
    const ASN1_TIME *next = X509_CRL_get0_nextUpdate(frame);
    crl->this_update = certificate_time(X509_CRL_get0_lastUpdate(frame));
    crl->next_update = next ? certificate_time(next) : 0;
    return (crl->this_update > 0 && crl->next_update >= 0) ||
           error_set(err, "its dates cannot be read");
}

/* --- who has signed it ----------------------------------------------------------------------- */

struct search {
    const struct crl_parts *parts;
    X509_CRL *frame;
    AUTHORITY_KEYID *authority; /* NULL: it does not say which key */
    bool is_named;              /* a CA has its issuer's name … */
    bool is_meant;              /* … and the key that it says … */
    bool may_sign;              /* … and may sign lists */
};

static bool has_signed(struct search *search, X509 *ca)
{
    if (X509_NAME_cmp(X509_get_subject_name(ca), X509_CRL_get_issuer(search->frame)) != 0)
        return false;
    search->is_named = true;
    if (search->authority && X509_check_akid(ca, search->authority) != X509_V_OK)
        return false;
    search->is_meant = true;
    if (!(X509_get_key_usage(ca) & KU_CRL_SIGN)) /* without the extension all bits are set */
        return false;
    search->may_sign = true;
    EVP_PKEY *key = X509_get0_pubkey(ca);
    return key && crl_der_is_signed(search->parts, search->frame, key);
}

static enum crl_outcome explain(const struct search *search, struct error *err)
{
    if (!search->is_named) {
        error_set(err, "its CA is not in client_ca: add the certificate of that CA to client_ca, "
                       "where its root is");
        return CRL_UNKNOWN_ISSUER;
    }
    if (!search->is_meant) {
        error_set(err, "a CA of this name is in client_ca, but the list was signed with another "
                       "key of it: add the certificate of that key to client_ca");
        return CRL_UNKNOWN_ISSUER;
    }
    if (!search->may_sign)
        error_set(err, "its CA may not sign revocation lists: its certificate's key usage lacks "
                       "cRLSign");
    else
        error_set(err, "its signature is wrong: it was changed, or is of another CA of the same "
                       "name");
    return CRL_BAD;
}

static enum crl_outcome verify(struct crl *crl, const struct crl_parts *parts, X509_CRL *frame,
                               STACK_OF(X509) * issuers, struct error *err)
{
    struct search search = {.parts = parts, .frame = frame};
    X509 *found = NULL;
    search.authority = X509_CRL_get_ext_d2i(frame, NID_authority_key_identifier, NULL, NULL);
    for (int i = 0; i < sk_X509_num(issuers) && !found; i++)
        if (has_signed(&search, sk_X509_value(issuers, i)))
            found = sk_X509_value(issuers, i);
    AUTHORITY_KEYID_free(search.authority);
    if (!found)
        return explain(&search, err);
    if (ca_key_of(found, crl->ca_key))
        return CRL_GOOD;
    error_set(err, "out of memory");
    return CRL_BAD;
}

/* --- all of it ------------------------------------------------------------------------------- */

static enum crl_outcome read_list(struct crl *crl, const struct crl_parts *parts, X509_CRL *frame,
                                  STACK_OF(X509) * issuers, struct error *err)
{
    if (!check_extensions(frame, err) || !check_strength(frame, err) ||
        !read_scope(crl, frame, err) || !read_number(crl, frame, err) ||
        !read_times(crl, frame, err))
        return CRL_BAD;
    enum crl_outcome outcome = verify(crl, parts, frame, issuers, err);
    if (outcome == CRL_GOOD && !crl_der_serials(parts, &crl->serials, err))
        return CRL_BAD;
    return outcome;
}

static enum crl_outcome read_named(struct crl *crl, const struct crl_parts *parts, X509_CRL *frame,
                                   STACK_OF(X509) * issuers, struct error *err)
{
    struct error why = {""};
    crl->issuer = certificate_name_text(X509_CRL_get_issuer(frame));
    if (!crl->issuer) {
        error_set(err, "out of memory");
        return CRL_BAD;
    }
    enum crl_outcome outcome = read_list(crl, parts, frame, issuers, &why);
    if (outcome != CRL_GOOD)
        error_set(err, "the list of %.200s: %s", crl->issuer, why.text);
    return outcome;
}

static enum crl_outcome read_parts(const struct crl_parts *parts, STACK_OF(X509) * issuers,
                                   struct crl **ret, struct error *err)
{
    enum crl_outcome outcome = CRL_BAD;
    struct crl *crl = calloc(1, sizeof *crl);
    X509_CRL *frame = crl_der_frame(parts);
    if (crl)
        atomic_init(&crl->references, 1);
    if (crl && frame)
        outcome = read_named(crl, parts, frame, issuers, err);
    else
        error_set(err, crl ? "it is no revocation list that OpenSSL understands" : "out of memory");
    X509_CRL_free(frame);
    if (outcome == CRL_GOOD)
        *ret = crl;
    else
        crl_unref(crl);
    return outcome;
}

enum crl_outcome crl_parse(struct slice der, STACK_OF(X509) * issuers, struct crl **ret,
                           struct error *err)
{
    struct crl_parts parts;
    enum crl_outcome outcome = CRL_BAD;
    *ret = NULL;
    ERR_set_mark();
    if (crl_der_split(der, &parts, err))
        outcome = read_parts(&parts, issuers, ret, err);
    ERR_pop_to_mark();
    return outcome;
}
