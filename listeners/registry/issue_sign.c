/* SPDX-License-Identifier: Apache-2.0 */
/* Signing a client's certificate. All that can be refused is before the key is opened. */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <time.h>

#include "lb/base/certificate.h"
#include "listeners/registry/issue_names.h"
#include "listeners/registry/issue_profile.h"
#include "listeners/registry/issue_request.h"
#include "listeners/registry/issue_subject.h"
#include "listeners/registry/issuer.h"
#include "listeners/registry/issuer_files.h"
#include "listeners/registry/passphrase.h"

enum { DATE_BYTES = 40 };

bool issue_check(const struct issue_wish *wish, struct error *err)
{
    if (wish->days < 1 || wish->days > ISSUER_DAYS_MOST)
        return error_set(err, "%u days: a certificate may have 1 to %d", wish->days,
                         ISSUER_DAYS_MOST);
    return subject_check(wish, err) && names_check(wish, err);
}

/* What the certificate will say, of wish and CSR. */
struct content {
    X509_NAME *subject;
    GENERAL_NAMES *names; /* NULL: none */
    EVP_PKEY *key;        /* the CSR's */
    unsigned days;
};

static void content_done(struct content *content)
{
    X509_NAME_free(content->subject);
    GENERAL_NAMES_free(content->names);
}

static bool gather(X509_REQ *request, const struct issue_wish *wish, struct content *content,
                   struct error *err)
{
    *content = (struct content){.days = wish->days};
    if (!issue_check(wish, err) || !request_check(request, err))
        return false;
    content->key = X509_REQ_get0_pubkey(request);
    content->subject = subject_make(wish, X509_REQ_get_subject_name(request), err);
    return content->subject &&
           (wish->name_count > 0 ? names_of_wish(wish, &content->names, err)
                                 : names_of_request(request, &content->names, err));
}

/* --- the CA -------------------------------------------------------------------------------- */

struct ca {
    X509 *certificate;
    EVP_PKEY *key;
};

static void ca_done(struct ca *ca)
{
    X509_free(ca->certificate);
    EVP_PKEY_free(ca->key);
}

static bool belong_together(const struct issuer_folder *folder, const struct ca *ca,
                            struct error *err)
{
    ERR_set_mark();
    bool good = X509_check_private_key(ca->certificate, ca->key) == 1;
    ERR_pop_to_mark();
    return good || error_set(err,
                             "%s: " ISSUER_KEY_NAME " is not the key of " ISSUER_CERTIFICATE_NAME
                             ": put back the one that belongs to it",
                             folder->path);
}

static bool open_ca(const struct issuer_folder *folder, struct ca *ca, struct error *err)
{
    enum issuer_outcome found = issuer_folder_certificate(folder, &ca->certificate, err);
    if (found == ISSUER_MISSING)
        error_set(err, "there is no built-in CA yet: lb ca create makes it");
    if (found != ISSUER_DONE)
        return false;
    found = issuer_folder_key(folder, &ca->key, err);
    if (found == ISSUER_MISSING)
        error_set(err,
                  "%s/" ISSUER_KEY_NAME " is missing: put back a copy, or sign where it is kept",
                  folder->path);
    return found == ISSUER_DONE && belong_together(folder, ca, err);
}

static const char *date(time_t when, char into[DATE_BYTES])
{
    struct tm calendar;
    if (!gmtime_r(&when, &calendar) || !strftime(into, DATE_BYTES, "%Y-%m-%d %H:%M UTC", &calendar))
        snprintf(into, DATE_BYTES, "an unknown time");
    return into;
}

enum issuer_outcome issuer_try(const struct issuer_place *place, struct error *err)
{
    struct issuer_folder folder;
    struct passphrase passphrase;
    struct ca ca = {NULL, NULL};
    if (place->passphrase_file) {
        if (!passphrase_read(place->passphrase_file, &passphrase, err))
            return ISSUER_FAILED;
        passphrase_done(&passphrase);
    }
    enum issuer_outcome outcome = issuer_folder_open(&folder, place, false, err);
    if (outcome == ISSUER_DONE)
        outcome = issuer_folder_key(&folder, &ca.key, err);
    enum issuer_outcome found = outcome == ISSUER_DONE
                                    ? issuer_folder_certificate(&folder, &ca.certificate, err)
                                    : ISSUER_MISSING;
    if (found == ISSUER_FAILED || (found == ISSUER_DONE && !belong_together(&folder, &ca, err)))
        outcome = ISSUER_FAILED;
    ca_done(&ca);
    issuer_folder_close(&folder);
    return outcome;
}

/* Is there time enough left of the CA? */
static bool time_check(const struct ca *ca, time_t now, unsigned days, struct error *err)
{
    char text[DATE_BYTES];
    time_t begin = certificate_time(X509_get0_notBefore(ca->certificate));
    time_t end = certificate_time(X509_get0_notAfter(ca->certificate));
    if (begin > now)
        return error_set(err, "the built-in CA begins only at %s: is this machine's clock right?",
                         date(begin, text));
    if (end <= now)
        return error_set(err,
                         "the built-in CA ended at %s: make another one (lb ca create --replace)",
                         date(end, text));
    long long most = (long long)(end - now) / PROFILE_DAY_S;
    if (days <= most)
        return true;
    return error_set(err, "%u days would outlive the built-in CA, which ends at %s: at most %lld",
                     days, date(end, text), most);
}

/* --- signing ------------------------------------------------------------------------------- */

static bool extend(X509 *certificate, const struct content *content, const struct ca *ca)
{
    X509 *issuer = ca->certificate;
    bool has_id = X509_get_ext_by_NID(issuer, NID_subject_key_identifier, -1) >= 0;
    return profile_extend(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
           profile_extend(certificate, issuer, NID_key_usage, "critical,digitalSignature") &&
           profile_extend(certificate, issuer, NID_ext_key_usage, "clientAuth") &&
           profile_extend(certificate, issuer, NID_subject_key_identifier, "hash") &&
           (!has_id ||
            profile_extend(certificate, issuer, NID_authority_key_identifier, "keyid:always")) &&
           (!content->names || X509_add1_ext_i2d(certificate, NID_subject_alt_name, content->names,
                                                 0, X509V3_ADD_DEFAULT) == 1);
}

static X509 *sign(const struct content *content, const struct ca *ca, time_t now)
{
    time_t begin = certificate_time(X509_get0_notBefore(ca->certificate));
    time_t from = now - ISSUER_BACKDATED_S;
    const struct profile profile = {content->subject, X509_get_subject_name(ca->certificate),
                                    content->key, from > begin ? from : begin,
                                    now + (time_t)content->days * PROFILE_DAY_S};
    X509 *certificate = profile_begin(&profile);
    if (certificate && extend(certificate, content, ca) && profile_sign(certificate, ca->key))
        return certificate;
    X509_free(certificate);
    return NULL;
}

static X509 *sign_with(const struct issuer_folder *folder, const struct content *content,
                       struct error *err)
{
    struct ca ca = {NULL, NULL};
    X509 *certificate = NULL;
    time_t now = time(NULL);
    if (open_ca(folder, &ca, err) && time_check(&ca, now, content->days, err)) {
        ERR_set_mark();
        certificate = sign(content, &ca, now);
        ERR_pop_to_mark();
        if (!certificate)
            error_set(err, "the certificate cannot be made: out of memory");
    }
    ca_done(&ca);
    return certificate;
}

X509 *issue_sign(const struct issuer_place *place, X509_REQ *request, const struct issue_wish *wish,
                 struct error *err)
{
    struct issuer_folder folder;
    struct content content;
    X509 *certificate = NULL;
    if (gather(request, wish, &content, err)) {
        enum issuer_outcome opened = issuer_folder_open(&folder, place, false, err);
        if (opened == ISSUER_MISSING)
            error_set(err, "there is no built-in CA yet: lb ca create makes it");
        if (opened == ISSUER_DONE)
            certificate = sign_with(&folder, &content, err);
        issuer_folder_close(&folder);
    }
    content_done(&content);
    return certificate;
}
