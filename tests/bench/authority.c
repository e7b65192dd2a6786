/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/authority.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SERIAL_BITS = 127, DAY_S = 86400 };

__attribute__((noreturn)) void authority_give_up(const struct authority *authority,
                                                 const char *what)
{
    fprintf(stderr, "%s: %s\n", authority->program, what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

/* ---- reading ---- */

static FILE *open_file(const struct authority *authority, const char *path)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        authority_give_up(authority, path);
    return file;
}

struct authority authority_read(const char *program, const char *certificate, const char *key)
{
    struct authority authority = {.program = program};
    FILE *file = open_file(&authority, certificate);
    authority.certificate = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    file = open_file(&authority, key);
    authority.key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    if (authority.certificate == NULL || authority.key == NULL)
        authority_give_up(&authority, "the CA or its key cannot be read");
    if (X509_check_private_key(authority.certificate, authority.key) != 1)
        authority_give_up(&authority, "this is not the key of this CA");
    return authority;
}

void authority_done(struct authority *authority)
{
    EVP_PKEY_free(authority->key);
    X509_free(authority->certificate);
}

/* ---- signing ---- */

static bool add_part(X509_NAME *name, const char *field, const char *text)
{
    return text == NULL || X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                                      (const unsigned char *)text, -1, -1, 0) == 1;
}

static bool name_it(X509 *certificate, const struct authority_wish *wish)
{
    X509_NAME *name = X509_NAME_new();
    bool good = name != NULL && add_part(name, "O", "Bench") && add_part(name, "OU", wish->unit) &&
                add_part(name, "CN", wish->name) && X509_set_subject_name(certificate, name) == 1;
    X509_NAME_free(name);
    return good;
}

static bool number_it(X509 *certificate)
{
    BIGNUM *serial = BN_new();
    bool good = serial != NULL &&
                BN_rand(serial, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
                BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)) != NULL;
    BN_free(serial);
    return good;
}

static bool extend(X509 *certificate, int nid, const char *text)
{
    if (text == NULL)
        return true;
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, text);
    bool good = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return good;
}

X509 *authority_sign(const struct authority *authority, const struct authority_wish *wish)
{
    X509 *certificate = X509_new();
    bool good =
        certificate != NULL && X509_set_version(certificate, X509_VERSION_3) == 1 &&
        number_it(certificate) && name_it(certificate, wish) &&
        X509_set_issuer_name(certificate, X509_get_subject_name(authority->certificate)) == 1 &&
        X509_gmtime_adj(X509_getm_notBefore(certificate), 0) != NULL &&
        X509_gmtime_adj(X509_getm_notAfter(certificate), 30L * DAY_S) != NULL &&
        X509_set_pubkey(certificate, wish->key) == 1 &&
        extend(certificate, NID_ext_key_usage, wish->usage) &&
        extend(certificate, NID_subject_alt_name, wish->names) &&
        X509_sign(certificate, authority->key, EVP_sha256()) > 0;
    if (!good)
        authority_give_up(authority, "a certificate could not be signed");
    return certificate;
}

/* ---- writing ---- */

FILE *authority_create(const struct authority *authority, const char *path, mode_t mode)
{
    unlink(path);
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    FILE *file = descriptor >= 0 ? fdopen(descriptor, "w") : NULL;
    if (file != NULL)
        return file;
    fprintf(stderr, "%s: %s: %s\n", authority->program, path, strerror(errno));
    exit(1);
}
