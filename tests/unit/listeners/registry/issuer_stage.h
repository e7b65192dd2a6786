/* SPDX-License-Identifier: Apache-2.0 */
/* A state_dir of its own for tests of the built-in CA. */
#ifndef LB_TESTS_ISSUER_STAGE_H
#define LB_TESTS_ISSUER_STAGE_H

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "listeners/registry/issuer.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"

enum { STAGE_DAY_S = 24 * 60 * 60, SOMEBODY = 12345 };

struct issuer_stage {
    struct folder folder;
    struct issuer_place place;
    struct error err;
};

static inline void stage_begin(struct issuer_stage *stage)
{
    folder_make(&stage->folder);
    stage->place = (struct issuer_place){stage->folder.path, NULL};
    stage->err = (struct error){""};
}

static inline void stage_end(struct issuer_stage *stage)
{
    folder_remove(&stage->folder);
}

static inline const char *stage_file(struct issuer_stage *stage, const char *name)
{
    return folder_file(&stage->folder, name);
}

static inline void stage_passphrase(struct issuer_stage *stage, const char *text)
{
    folder_write(&stage->folder, "passphrase", text);
    ck_assert_int_eq(chmod(stage_file(stage, "passphrase"), 0400), 0);
    /* Lent by folder_file for some calls only. */
    static char path[128];
    snprintf(path, sizeof path, "%s", stage_file(stage, "passphrase"));
    stage->place.passphrase_file = path;
}

/* All of it, as whoever has told the registry in between. */
static inline enum issuer_outcome stage_try_ca(struct issuer_stage *stage,
                                               const struct ca_wish *wish, X509 **ret_ca)
{
    enum issuer_outcome outcome = issuer_make(&stage->place, wish, ret_ca, &stage->err);
    if (outcome == ISSUER_DONE)
        outcome = issuer_put(&stage->place, *ret_ca, &stage->err);
    return outcome;
}

static inline X509 *stage_make_ca(struct issuer_stage *stage, const struct ca_wish *wish)
{
    X509 *ca = NULL;
    enum issuer_outcome outcome = stage_try_ca(stage, wish, &ca);
    ck_assert_msg(outcome == ISSUER_DONE, "%s", stage->err.text);
    return ca;
}

static inline EVP_PKEY *stage_key(enum key_kind kind)
{
    EVP_PKEY *key = key_make(kind);
    ck_assert_ptr_nonnull(key);
    return key;
}

/* A CSR of a fresh key. */
static inline X509_REQ *stage_request(const struct issue_wish *wish)
{
    struct error err = {""};
    EVP_PKEY *key = stage_key(KEY_P256);
    X509_REQ *request = issue_request(key, wish, &err);
    ck_assert_msg(request != NULL, "%s", err.text);
    EVP_PKEY_free(key);
    return request;
}

/* One that says nothing but who asks. */
static inline X509_REQ *stage_plain_request(void)
{
    return stage_request(&(struct issue_wish){.common_name = "alice"});
}

static inline void stage_expect(const struct error *err, const char *words)
{
    ck_assert_msg(strstr(err->text, words) != NULL, "\"%s\" is not in: %s", words, err->text);
}

static inline char *stage_name(const X509_NAME *name)
{
    static char text[512];
    ck_assert_ptr_nonnull(X509_NAME_oneline(name, text, sizeof text));
    return text;
}

/* A CSR that asks for this common name, for the caller to complete and to sign. */
static inline X509_REQ *stage_csr(const char *common_name)
{
    X509_REQ *request = X509_REQ_new();
    X509_NAME *name = X509_NAME_new();
    ck_assert_int_eq(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                                (const unsigned char *)common_name, -1, -1, 0),
                     1);
    ck_assert_int_eq(X509_REQ_set_version(request, X509_REQ_VERSION_1), 1);
    ck_assert_int_eq(X509_REQ_set_subject_name(request, name), 1);
    X509_NAME_free(name);
    return request;
}

/* Value of an extension in OpenSSL's words. */
static inline const char *stage_extension(X509 *certificate, int nid, bool *ret_critical)
{
    static char text[4096];
    int at = X509_get_ext_by_NID(certificate, nid, -1);
    ck_assert_int_ge(at, 0);
    if (ret_critical)
        *ret_critical = X509_EXTENSION_get_critical(X509_get_ext(certificate, at)) == 1;
    BIO *bio = BIO_new(BIO_s_mem());
    ck_assert_int_eq(X509V3_EXT_print(bio, X509_get_ext(certificate, at), 0, 0), 1);
    int length = BIO_read(bio, text, sizeof text - 1);
    ck_assert_int_ge(length, 0);
    text[length] = '\0';
    BIO_free(bio);
    return text;
}

#endif
