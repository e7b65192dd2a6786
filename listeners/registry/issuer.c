/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making the built-in CA, and reading its certificate.
 *
 *   nothing ── key ──> ca.key ── the registry is told ── certificate ──> ca.key, ca.crt
 *
 * Each file is put with whole_file_make(), so of several processes one wins each step, and the
 * others go on with what it has put there. What a crash leaves after a step is where the next one
 * begins: a key that the registry has heard nothing of gets a certificate, one that it knows gets
 * the one that the registry has.
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
#include "listeners/registry/passphrase.h"

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

static enum issuer_outcome draft(const struct issuer_folder *folder, const struct ca_wish *wish,
                                 X509 **ret_ca, struct error *err)
{
    EVP_PKEY *key = NULL;
    if (!have_key(folder, wish->key, &key, err))
        return ISSUER_FAILED;
    *ret_ca = make_certificate(key, wish, err);
    EVP_PKEY_free(key);
    return *ret_ca ? ISSUER_DONE : ISSUER_FAILED;
}

/* The key alone is there, and may be that of the CA which the registry knows. */
static enum issuer_outcome find_again(const struct issuer_folder *folder, X509 *known,
                                      X509 **ret_ca, struct error *err)
{
    EVP_PKEY *key = NULL;
    enum issuer_outcome outcome = issuer_folder_key(folder, &key, err);
    if (outcome != ISSUER_DONE)
        return outcome;
    ERR_set_mark();
    bool is_its = X509_check_private_key(known, key) == 1;
    ERR_pop_to_mark();
    EVP_PKEY_free(key);
    if (!is_its || !X509_up_ref(known))
        return ISSUER_MISSING;
    *ret_ca = known;
    return ISSUER_DONE;
}

/* --- in the place of another ---------------------------------------------------------------- */

/* All that can fail but the disk has been done by then. */
static enum issuer_outcome exchange_key(const struct issuer_folder *folder, const EVP_PKEY *key,
                                        struct error *err)
{
    struct issuer_aside aside;
    if (!issuer_folder_set_aside(folder, &aside, err))
        return ISSUER_FAILED;
    enum issuer_outcome outcome = issuer_folder_put_key(folder, key, err);
    if (outcome == ISSUER_DONE)
        return outcome;
    if (outcome == ISSUER_EXISTS)
        error_set(err, "%s/" ISSUER_KEY_NAME " was made by somebody else meanwhile: try again",
                  folder->path);
    issuer_folder_take_back(folder, &aside);
    return ISSUER_FAILED;
}

static enum issuer_outcome replace(const struct issuer_folder *folder, const struct ca_wish *wish,
                                   X509 **ret_ca, struct error *err)
{
    struct passphrase passphrase;
    if (folder->passphrase_file) {
        if (!passphrase_read(folder->passphrase_file, &passphrase, err))
            return ISSUER_FAILED;
        passphrase_done(&passphrase);
    }
    EVP_PKEY *key = key_make(wish->key);
    X509 *made = key ? make_certificate(key, wish, err) : NULL;
    enum issuer_outcome outcome = ISSUER_FAILED;
    if (!key)
        error_set(err, "a key of kind %s cannot be made: out of memory", key_kind_name(wish->key));
    if (made)
        outcome = exchange_key(folder, key, err);
    EVP_PKEY_free(key);
    if (outcome == ISSUER_DONE)
        *ret_ca = made;
    else
        X509_free(made);
    return outcome;
}

/* --- all of it ------------------------------------------------------------------------------ */

static enum issuer_outcome make(const struct issuer_folder *folder, const struct ca_wish *wish,
                                X509 **ret_ca, struct error *err)
{
    if (wish->replace)
        return replace(folder, wish, ret_ca, err);
    enum issuer_outcome outcome = issuer_folder_certificate(folder, ret_ca, err);
    if (outcome != ISSUER_MISSING)
        return outcome == ISSUER_DONE ? ISSUER_EXISTS : outcome;
    return wish->known ? find_again(folder, wish->known, ret_ca, err)
                       : draft(folder, wish, ret_ca, err);
}

enum issuer_outcome issuer_make(const struct issuer_place *place, const struct ca_wish *wish,
                                X509 **ret_ca, struct error *err)
{
    struct issuer_folder folder;
    if (!issuer_check(wish, err))
        return ISSUER_FAILED;
    enum issuer_outcome outcome = issuer_folder_open(&folder, place, !wish->known, err);
    if (outcome == ISSUER_DONE)
        outcome = make(&folder, wish, ret_ca, err);
    issuer_folder_close(&folder);
    return outcome;
}

enum issuer_outcome issuer_put(const struct issuer_place *place, X509 *ca, struct error *err)
{
    struct issuer_folder folder;
    enum issuer_outcome outcome = issuer_folder_open(&folder, place, true, err);
    if (outcome == ISSUER_DONE)
        outcome = issuer_folder_put_certificate(&folder, ca, err);
    issuer_folder_close(&folder);
    return outcome;
}
