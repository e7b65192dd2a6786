/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/made_crl.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "tests/support/made_crl: cannot %s\n", what);
    ERR_print_errors_fp(stderr);
    abort();
}

static ASN1_TIME *time_of(int64_t from_now_s)
{
    ASN1_TIME *made = ASN1_TIME_set(NULL, time(NULL) + (time_t)from_now_s);
    must(made, "make a time");
    return made;
}

static X509_EXTENSION *unknown_extension(void)
{
    ASN1_OBJECT *object = OBJ_txt2obj("1.3.6.1.4.1.99999.1", 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    must(object && value && ASN1_OCTET_STRING_set(value, (const unsigned char *)"\x05", 2) == 1,
         "make an extension");
    X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, object, 1, value);
    must(extension, "make an extension");
    ASN1_OBJECT_free(object);
    ASN1_OCTET_STRING_free(value);
    return extension;
}

static GENERAL_NAMES *names_of(const X509 *certificate)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    GENERAL_NAME *name = GENERAL_NAME_new();
    must(names && name, "name an issuer");
    GENERAL_NAME_set0_value(name, GEN_DIRNAME, X509_NAME_dup(X509_get_subject_name(certificate)));
    sk_GENERAL_NAME_push(names, name);
    return names;
}

static void add_entry(X509_CRL *crl, const struct crl_wish *wish, ASN1_INTEGER *serial)
{
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_TIME *when = time_of(-60);
    bool is_first = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)) <= 0;
    must(entry && X509_REVOKED_set_serialNumber(entry, serial) == 1 &&
             X509_REVOKED_set_revocationDate(entry, when) == 1,
         "make an entry");
    if (is_first && wish->has_other_issuer) {
        GENERAL_NAMES *names = names_of(wish->issuer->certificate);
        X509_REVOKED_add1_ext_i2d(entry, NID_certificate_issuer, names, 1, 0);
        GENERAL_NAMES_free(names);
    }
    if (is_first && wish->has_unknown_in_entry) {
        X509_EXTENSION *extension = unknown_extension();
        X509_REVOKED_add_ext(entry, extension, -1);
        X509_EXTENSION_free(extension);
    }
    must(X509_CRL_add0_revoked(crl, entry) == 1, "add an entry");
    ASN1_TIME_free(when);
}

static void add_entries(X509_CRL *crl, const struct crl_wish *wish)
{
    for (unsigned i = 0; i < MADE_CRL_REVOKED_MOST && wish->revoked[i]; i++)
        add_entry(crl, wish, X509_get_serialNumber(wish->revoked[i]->certificate));
    for (unsigned i = 0; i < MADE_CRL_REVOKED_MOST && wish->serials[i]; i++) {
        BIGNUM *number = NULL;
        must(BN_hex2bn(&number, wish->serials[i]) > 0, "read a serial");
        ASN1_INTEGER *serial = BN_to_ASN1_INTEGER(number, NULL);
        add_entry(crl, wish, serial);
        ASN1_INTEGER_free(serial);
        BN_free(number);
    }
    for (unsigned i = 0; i < wish->others; i++) {
        ASN1_INTEGER *serial = ASN1_INTEGER_new();
        ASN1_INTEGER_set(serial, 1000000 + (long)i);
        add_entry(crl, wish, serial);
        ASN1_INTEGER_free(serial);
    }
}

static void add_number(X509_CRL *crl, int nid, long number)
{
    ASN1_INTEGER *integer = ASN1_INTEGER_new();
    must(integer && ASN1_INTEGER_set(integer, number) == 1 &&
             X509_CRL_add1_ext_i2d(crl, nid, integer, nid == NID_delta_crl, 0) == 1,
         "number a list");
    ASN1_INTEGER_free(integer);
}

static void add_scope(X509_CRL *crl, const struct crl_wish *wish)
{
    ISSUING_DIST_POINT *point = ISSUING_DIST_POINT_new();
    must(point, "make a distribution point");
    point->onlyuser = wish->is_of_users ? 0xff : 0;
    point->onlyCA = wish->is_of_cas ? 0xff : 0;
    point->indirectCRL = wish->is_indirect ? 0xff : 0;
    if (wish->is_of_one_point) {
        point->distpoint = DIST_POINT_NAME_new();
        point->distpoint->type = 0;
        point->distpoint->name.fullname = names_of(wish->issuer->certificate);
    }
    must(X509_CRL_add1_ext_i2d(crl, NID_issuing_distribution_point, point, 1, 0) == 1,
         "say what a list covers");
    ISSUING_DIST_POINT_free(point);
}

static void add_extensions(X509_CRL *crl, const struct crl_wish *wish)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, wish->issuer->certificate, NULL, NULL, crl, 0);
    if (X509_get_ext_by_NID(wish->issuer->certificate, NID_subject_key_identifier, -1) >= 0) {
        X509_EXTENSION *authority =
            X509V3_EXT_conf_nid(NULL, &context, NID_authority_key_identifier, "keyid:always");
        must(authority && X509_CRL_add_ext(crl, authority, -1) == 1, "name the authority's key");
        X509_EXTENSION_free(authority);
    }
    if (wish->number)
        add_number(crl, NID_crl_number, wish->number);
    if (wish->is_delta)
        add_number(crl, NID_delta_crl, 1);
    if (wish->is_of_users || wish->is_of_cas || wish->is_indirect || wish->is_of_one_point)
        add_scope(crl, wish);
    if (wish->has_unknown) {
        X509_EXTENSION *extension = unknown_extension();
        X509_CRL_add_ext(crl, extension, -1);
        X509_EXTENSION_free(extension);
    }
}

static X509_CRL *made_crl(const struct crl_wish *wish)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *from = time_of(wish->from_s ? wish->from_s : -3600);
    ASN1_TIME *until = time_of(wish->until_s ? wish->until_s : 30 * (int64_t)MADE_DAY_S);
    must(crl && X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
             X509_CRL_set_issuer_name(crl, X509_get_subject_name(wish->issuer->certificate)) == 1 &&
             X509_CRL_set1_lastUpdate(crl, from) == 1 &&
             (wish->until_s == MADE_CRL_ENDLESS || X509_CRL_set1_nextUpdate(crl, until) == 1),
         "make a list");
    add_entries(crl, wish);
    add_extensions(crl, wish);
    EVP_PKEY *key = wish->signer ? wish->signer->key : wish->issuer->key;
    bool is_edwards = EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448");
    const EVP_MD *digest = wish->sha1 ? EVP_sha1() : EVP_sha256();
    must(X509_CRL_sort(crl) == 1 && X509_CRL_sign(crl, key, is_edwards ? NULL : digest) > 0,
         "sign a list");
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    return crl;
}

unsigned char *made_crl_der(const struct crl_wish *wish, size_t *ret_length)
{
    X509_CRL *crl = made_crl(wish);
    int length = i2d_X509_CRL(crl, NULL);
    unsigned char *der = malloc((size_t)length);
    unsigned char *at = der;
    must(length > 0 && der && i2d_X509_CRL(crl, &at) == length, "encode a list");
    if (wish->broken_signature)
        der[length - 1] ^= 1;
    X509_CRL_free(crl);
    *ret_length = (size_t)length;
    return der;
}

char *made_crl_pem(const struct crl_wish *wish)
{
    size_t length;
    char *bytes = NULL;
    unsigned char *der = made_crl_der(wish, &length);
    BIO *memory = BIO_new(BIO_s_mem());
    must(memory && PEM_write_bio(memory, "X509 CRL", "", der, (long)length) > 0, "write a list");
    long count = BIO_get_mem_data(memory, &bytes);
    char *text = strndup(bytes, (size_t)count);
    BIO_free(memory);
    free(der);
    return text;
}

static void write_to(const struct crl_wish *wish, const char *path, enum made_crl_form form)
{
    FILE *file = fopen(path, "wb");
    must(file, "write a file");
    if (form == MADE_CRL_PEM) {
        char *text = made_crl_pem(wish);
        fputs(text, file);
        free(text);
    } else {
        size_t length;
        unsigned char *der = made_crl_der(wish, &length);
        fwrite(der, 1, length, file);
        free(der);
    }
    must(fclose(file) == 0, "write a file");
}

void made_crl_write(const struct crl_wish *wish, const char *folder, const char *file,
                    enum made_crl_form form)
{
    char *path = made_path(folder, file);
    write_to(wish, path, form);
    free(path);
}

void made_crl_replace(const struct crl_wish *wish, const char *folder, const char *file,
                      enum made_crl_form form)
{
    char *path = made_path(folder, file);
    char *beside = made_path(folder, ".new.crl");
    write_to(wish, beside, form);
    must(rename(beside, path) == 0, "put a file in the place of another");
    free(beside);
    free(path);
}
