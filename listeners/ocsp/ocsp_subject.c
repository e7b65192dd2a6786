/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/ocsp/ocsp_subject.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/certificate.h"
#include "lb/base/error.h"
#include "listeners/ca/ca_set.h"
#include "listeners/identity.h"
#include "listeners/registry/record.h"

/* --- who it is ---------------------------------------------------------------------------------
 */

/* The verified key of its CA, under the name that the certificate gives it. */
static bool is_issuer(X509 *certificate, const struct identity *identity,
                      const struct ca_set_result *result)
{
    unsigned char key[CA_KEY_BYTES];
    return X509_NAME_cmp(X509_get_subject_name(certificate),
                         X509_get_issuer_name(identity->leaf)) == 0 &&
           ca_key_of(certificate, key) && memcmp(key, result->ca_keys[0], sizeof key) == 0;
}

static X509 *find_issuer(STACK_OF(X509) * among, const struct identity *identity,
                         const struct ca_set_result *result)
{
    for (int i = 0; i < sk_X509_num(among); i++)
        if (is_issuer(sk_X509_value(among, i), identity, result))
            return sk_X509_value(among, i);
    return NULL;
}

bool ocsp_subject_init(struct ocsp_subject *subject, const struct identity *identity,
                       const struct ca_set *set, const struct ca_set_result *result,
                       struct error *err)
{
    *subject = (struct ocsp_subject){0};
    if (!result || result->ca_count == 0)
        return error_set(err, "nobody has verified the certificate");
    ERR_set_mark();
    X509 *issuer = find_issuer(set->certificates, identity, result);
    if (!issuer)
        issuer = find_issuer(identity->chain, identity, result);
    subject->id = issuer ? OCSP_cert_to_id(NULL, identity->leaf, issuer) : NULL;
    ERR_pop_to_mark();
    if (!issuer)
        return error_set(err, "the certificate of its CA is not at hand");
    if (!subject->id)
        return error_set(err, "out of memory");
    X509_up_ref(issuer);
    subject->issuer = issuer;
    return true;
}

void ocsp_subject_done(struct ocsp_subject *subject)
{
    OCSP_CERTID_free(subject->id);
    X509_free(subject->issuer);
    *subject = (struct ocsp_subject){0};
}

/* --- asking ------------------------------------------------------------------------------------
 */

size_t ocsp_subject_write(const struct ocsp_subject *subject, unsigned char **ret_question)
{
    ERR_set_mark();
    OCSP_REQUEST *request = OCSP_REQUEST_new();
    OCSP_CERTID *id = OCSP_CERTID_dup(subject->id);
    unsigned char *encoded = NULL;
    int length = 0;
    if (request && id && OCSP_request_add0_id(request, id)) {
        id = NULL; /* the request's */
        length = i2d_OCSP_REQUEST(request, &encoded);
    }
    OCSP_CERTID_free(id);
    OCSP_REQUEST_free(request);
    ERR_pop_to_mark();
    *ret_question = length > 0 ? malloc((size_t)length) : NULL;
    if (*ret_question)
        memcpy(*ret_question, encoded, (size_t)length);
    OPENSSL_free(encoded);
    return *ret_question ? (size_t)length : 0;
}

/* --- answers -----------------------------------------------------------------------------------
 */

/* Nobody but the CA itself and whom it has signed vouches for an answer. */
static X509_STORE *make_store(X509 *issuer, time_t now)
{
    X509_STORE *store = X509_STORE_new();
    if (!store)
        return NULL;
    X509_VERIFY_PARAM *param = X509_STORE_get0_param(store);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_time(param, now);
    if (X509_STORE_add_cert(store, issuer) == 1)
        return store;
    X509_STORE_free(store);
    return NULL;
}

static bool is_signed(const struct ocsp_subject *subject, OCSP_BASICRESP *basic, time_t now)
{
    X509_STORE *store = make_store(subject->issuer, now);
    STACK_OF(X509) *issuers = sk_X509_new_null();
    bool good = store && issuers && sk_X509_push(issuers, subject->issuer) > 0 &&
                OCSP_basic_verify(basic, issuers, store, OCSP_PARTIAL_CHAIN | OCSP_NOEXPLICIT) > 0;
    sk_X509_free(issuers);
    X509_STORE_free(store);
    return good;
}

/* What is remembered may be a little longer than an answer that has just run out, but not so long
 * that nobody would ever ask again. */
static bool set_until(struct ocsp_note *note, const ASN1_GENERALIZEDTIME *made,
                      const ASN1_GENERALIZEDTIME *next, time_t now, struct error *err)
{
    time_t made_s = made ? certificate_time(made) : -1;
    time_t next_s = next ? certificate_time(next) : now + OCSP_BRIEF_S;
    if (made_s < 0 || made_s > now + OCSP_SKEW_S)
        return error_set(err, "the answer is of the future: the responder's clock, or this "
                              "machine's, is wrong");
    if (next && (next_s < made_s || next_s + OCSP_SKEW_S < now))
        return error_set(err, "the answer is out of date");
    if (!next && made_s + OCSP_AGE_S < now)
        return error_set(err, "the answer is old, and names no nextUpdate");
    if (note->word == OCSP_WORD_NONE && next_s > now + OCSP_BRIEF_S)
        next_s = now + OCSP_BRIEF_S;
    if (next_s > now + OCSP_KEPT_S)
        next_s = now + OCSP_KEPT_S;
    if (next_s < now + OCSP_FAILURE_S)
        next_s = now + OCSP_FAILURE_S;
    note->until = next_s;
    return true;
}

static bool read_status(const struct ocsp_subject *subject, OCSP_BASICRESP *basic, time_t now,
                        struct ocsp_note *ret_note, struct error *err)
{
    struct ocsp_note note = {.word = OCSP_WORD_NONE};
    ASN1_GENERALIZEDTIME *made = NULL;
    ASN1_GENERALIZEDTIME *next = NULL;
    int status = V_OCSP_CERTSTATUS_UNKNOWN;
    int reason = 0;
    if (OCSP_resp_find_status(basic, subject->id, &status, &reason, NULL, &made, &next) != 1)
        return error_set(err, "the answer is about another certificate");
    if (status == V_OCSP_CERTSTATUS_GOOD)
        note.word = OCSP_WORD_GOOD;
    else if (status == V_OCSP_CERTSTATUS_REVOKED)
        note.word = OCSP_WORD_REVOKED;
    if (!set_until(&note, made, next, now, err))
        return false;
    *ret_note = note;
    return true;
}

static bool read_basic(const struct ocsp_subject *subject, OCSP_RESPONSE *response, time_t now,
                       struct ocsp_note *ret_note, struct error *err)
{
    int status = OCSP_response_status(response);
    if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        return error_set(err, "the responder says: %s", OCSP_response_status_str(status));
    OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
    if (!basic)
        return error_set(err, "the answer is no OCSP answer");
    bool good = is_signed(subject, basic, now) ||
                error_set(err, "the answer is not signed by the CA of the certificate");
    good = good && read_status(subject, basic, now, ret_note, err);
    OCSP_BASICRESP_free(basic);
    return good;
}

bool ocsp_subject_read(const struct ocsp_subject *subject, struct slice answer, time_t now,
                       struct ocsp_note *ret_note, struct error *err)
{
    const unsigned char *at = (const unsigned char *)answer.at;
    ERR_set_mark();
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)answer.length);
    bool is_whole = response && at == (const unsigned char *)answer.at + answer.length;
    bool good = is_whole ? read_basic(subject, response, now, ret_note, err)
                         : error_set(err, "the answer is no OCSP answer");
    OCSP_RESPONSE_free(response);
    ERR_pop_to_mark();
    return good;
}
