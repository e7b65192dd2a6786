/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making the built-in CA, and reading its certificate.
 *
 *   nothing ── key ──> ca.key ── certificate ──> ca.key, ca.crt
 *
 * Both steps are whole_file_make(), so of several processes one wins each step, and the others go
 * on with what it has put there. What a crash leaves after the first step is where the next one
 * begins.
 */
#include "listeners/registry/issuer.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "listeners/registry/issue_profile.h"
#include "listeners/registry/issue_subject.h"
#include "listeners/registry/issuer_files.h"

enum { HOST_BYTES = 256, MARK_BYTES = 3 };

enum issuer_outcome issuer_read(const struct issuer_place *place, X509 **ret_ca, struct error *err)
{
    struct issuer_folder folder;
    enum issuer_outcome outcome = issuer_folder_open(&folder, place, false, err);
    if (outcome == ISSUER_DONE)
        outcome = issuer_folder_certificate(&folder, ret_ca, err);
    issuer_folder_close(&folder);
    return outcome;
}

/* --- its certificate ----------------------------------------------------------------------- */

/* The host's name as far as it fits; what a name could not hold is no host name anyway. */
static void default_name(char into[SUBJECT_TEXT_CHARACTERS + 1], const unsigned char *mark)
{
    static const char begin[] = "lb client CA ";
    char host[HOST_BYTES] = "";
    gethostname(host, sizeof host - 1);
    for (char *at = host; *at; at++)
        if (*at <= 0x20 || *at >= 0x7f)
            *at = '?';
    int room = SUBJECT_TEXT_CHARACTERS - (int)(sizeof begin - 1) - (2 * MARK_BYTES + 1);
    snprintf(into, SUBJECT_TEXT_CHARACTERS + 1, "%s%.*s %02x%02x%02x", begin, room,
             *host ? host : "?", mark[0], mark[1], mark[2]);
}

static X509_NAME *make_name(const struct ca_wish *wish, struct error *err)
{
    unsigned char mark[MARK_BYTES];
    char own[SUBJECT_TEXT_CHARACTERS + 1];
    if (RAND_bytes(mark, sizeof mark) != 1) {
        error_set(err, "the system gives no random bytes");
        return NULL;
    }
    default_name(own, mark);
    const struct issue_wish subject = {.common_name = wish->common_name ? wish->common_name : own};
    return subject_check(&subject, err) ? subject_make(&subject, NULL, err) : NULL;
}

static bool finish(X509 *ca, EVP_PKEY *key)
{
    return profile_extend(ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
           profile_extend(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign") &&
           profile_extend(ca, ca, NID_subject_key_identifier, "hash") && profile_sign(ca, key);
}

static X509 *make_certificate(EVP_PKEY *key, const struct ca_wish *wish, struct error *err)
{
    X509_NAME *name = make_name(wish, err);
    if (!name)
        return NULL;
    time_t now = time(NULL);
    unsigned days = wish->days ? wish->days : ISSUER_CA_DAYS;
    const struct profile profile = {name, name, key, now - ISSUER_BACKDATED_S,
                                    now + (time_t)days * PROFILE_DAY_S};
    ERR_set_mark();
    X509 *ca = profile_begin(&profile);
    if (ca && !finish(ca, key)) {
        X509_free(ca);
        ca = NULL;
    }
    ERR_pop_to_mark();
    X509_NAME_free(name);
    if (!ca)
        error_set(err, "the certificate of the built-in CA cannot be made: out of memory");
    return ca;
}

/* --- making -------------------------------------------------------------------------------- */

bool issuer_check(const struct ca_wish *wish, struct error *err)
{
    const struct issue_wish subject = {.common_name = wish->common_name};
    if (wish->days > ISSUER_DAYS_MOST)
        return error_set(err, "%u days are too many: a CA may have 1 to %d", wish->days,
                         ISSUER_DAYS_MOST);
    return subject_check(&subject, err);
}

static enum issuer_outcome put_new_key(const struct issuer_folder *folder, enum key_kind kind,
                                       EVP_PKEY **ret_key, struct error *err)
{
    EVP_PKEY *key = key_make(kind);
    if (!key) {
        error_set(err, "a key of kind %s cannot be made: out of memory", key_kind_name(kind));
        return ISSUER_FAILED;
    }
    enum issuer_outcome outcome = issuer_folder_put_key(folder, key, err);
    if (outcome == ISSUER_DONE)
        *ret_key = key;
    else
        EVP_PKEY_free(key);
    return outcome;
}

static bool is_of_kind(const struct issuer_folder *folder, const EVP_PKEY *key, enum key_kind kind,
                       struct error *err)
{
    enum key_kind is = KEY_KIND_COUNT;
    bool is_known = key_kind_of(key, &is);
    return (is_known && is == kind) ||
           error_set(err,
                     "%s/" ISSUER_KEY_NAME " is there without " ISSUER_CERTIFICATE_NAME
                     ", of kind %s and not %s: put its certificate back; or, if it never had one, "
                     "ask for that kind, or remove it",
                     folder->path, is_known ? key_kind_name(is) : "unknown to lb",
                     key_kind_name(kind));
}

/* The one that is there, or a new one. */
static bool have_key(const struct issuer_folder *folder, enum key_kind kind, EVP_PKEY **ret_key,
                     struct error *err)
{
    enum issuer_outcome outcome = issuer_folder_key(folder, ret_key, err);
    if (outcome == ISSUER_MISSING) {
        outcome = put_new_key(folder, kind, ret_key, err);
        if (outcome == ISSUER_DONE)
            return true;
        if (outcome == ISSUER_EXISTS) /* somebody was faster */
            outcome = issuer_folder_key(folder, ret_key, err);
        if (outcome == ISSUER_MISSING)
            return error_set(err, "%s/" ISSUER_KEY_NAME " was removed while it was made: try again",
                             folder->path);
    }
    if (outcome != ISSUER_DONE)
        return false;
    if (is_of_kind(folder, *ret_key, kind, err))
        return true;
    EVP_PKEY_free(*ret_key);
    return false;
}

static enum issuer_outcome put_certificate(const struct issuer_folder *folder, X509 *made,
                                           X509 **ret_ca, struct error *err)
{
    enum issuer_outcome outcome = issuer_folder_put_certificate(folder, made, err);
    if (outcome == ISSUER_DONE) {
        X509_up_ref(made);
        *ret_ca = made;
    }
    if (outcome != ISSUER_EXISTS)
        return outcome;
    switch (issuer_folder_certificate(folder, ret_ca, err)) {
    case ISSUER_DONE:
        return ISSUER_EXISTS;
    case ISSUER_MISSING:
    case ISSUER_EXISTS:
        error_set(err, "%s/" ISSUER_CERTIFICATE_NAME " was removed while it was made: try again",
                  folder->path);
        return ISSUER_FAILED;
    case ISSUER_FAILED:
        break;
    }
    return ISSUER_FAILED;
}

static enum issuer_outcome make(const struct issuer_folder *folder, const struct ca_wish *wish,
                                X509 **ret_ca, struct error *err)
{
    EVP_PKEY *key = NULL;
    enum issuer_outcome outcome = issuer_folder_certificate(folder, ret_ca, err);
    if (outcome != ISSUER_MISSING)
        return outcome == ISSUER_DONE ? ISSUER_EXISTS : outcome;
    if (!have_key(folder, wish->key, &key, err))
        return ISSUER_FAILED;
    X509 *made = make_certificate(key, wish, err);
    outcome = made ? put_certificate(folder, made, ret_ca, err) : ISSUER_FAILED;
    X509_free(made);
    EVP_PKEY_free(key);
    return outcome;
}

enum issuer_outcome issuer_make(const struct issuer_place *place, const struct ca_wish *wish,
                                X509 **ret_ca, struct error *err)
{
    struct issuer_folder folder;
    if (!issuer_check(wish, err))
        return ISSUER_FAILED;
    enum issuer_outcome outcome = issuer_folder_open(&folder, place, true, err);
    if (outcome == ISSUER_DONE)
        outcome = make(&folder, wish, ret_ca, err);
    issuer_folder_close(&folder);
    return outcome;
}
