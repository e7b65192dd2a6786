/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/explain_certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/certificate.h"
#include "lb/base/error.h"

/* --- one file ------------------------------------------------------------------------------- */

static bool is_der(const char *path)
{
    FILE *file = fopen(path, "rbe");
    int first = file ? fgetc(file) : EOF;
    if (file)
        fclose(file);
    return first == 0x30; /* a SEQUENCE; no text begins with it but digits */
}

/* Takes the certificate, also on failure. */
static bool push(STACK_OF(X509) * chain, X509 *certificate, struct error *err)
{
    if (sk_X509_push(chain, certificate) > 0)
        return true;
    X509_free(certificate);
    return error_set(err, "out of memory");
}

/* The key is freed unseen. */
static bool read_pkcs12(BIO *bio, STACK_OF(X509) * chain, const char *path, struct error *err)
{
    EVP_PKEY *key = NULL;
    X509 *certificate = NULL;
    STACK_OF(X509) *more = NULL;
    PKCS12 *bundle = d2i_PKCS12_bio(bio, NULL);
    bool is_open = bundle && PKCS12_parse(bundle, "", &key, &certificate, &more) == 1;
    bool good = false;
    if (!bundle)
        error_set(err, "%s: holds no certificate: neither PEM nor DER nor PKCS #12", path);
    else if (!is_open)
        error_set(err,
                  "%s: cannot be opened without a password; write its certificates as PEM: openssl "
                  "pkcs12 -in FILE -nokeys -out client.crt",
                  path);
    else if (!certificate)
        error_set(err, "%s: holds no certificate of its own key", path);
    else
        good = push(chain, certificate, err);
    while (good && sk_X509_num(more) > 0)
        good = push(chain, sk_X509_shift(more), err);
    sk_X509_pop_free(more, X509_free);
    EVP_PKEY_free(key);
    PKCS12_free(bundle);
    return good;
}

static bool read_der(const char *path, STACK_OF(X509) * chain, struct error *err)
{
    BIO *bio = BIO_new_file(path, "rb");
    X509 *certificate = bio ? d2i_X509_bio(bio, NULL) : NULL;
    bool good = false;
    if (certificate)
        good = push(chain, certificate, err);
    else if (bio && BIO_reset(bio) == 0)
        good = read_pkcs12(bio, chain, path, err);
    else
        error_set(err, "%s: cannot be read", path);
    BIO_free(bio);
    return good;
}

static bool read_pem(const char *path, STACK_OF(X509) * chain, struct error *err)
{
    STACK_OF(X509) *found = certificates_load(path, err);
    bool good = found != NULL;
    while (good && sk_X509_num(found) > 0)
        good = push(chain, sk_X509_shift(found), err);
    sk_X509_pop_free(found, X509_free);
    return good;
}

/* --- all ------------------------------------------------------------------------------------ */

static char *write_pem(STACK_OF(X509) * chain, struct error *err)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes = NULL, *text = NULL;
    bool good = bio != NULL;
    for (int i = 0; good && i < sk_X509_num(chain); i++)
        good = PEM_write_bio_X509(bio, sk_X509_value(chain, i)) == 1;
    long length = good ? BIO_get_mem_data(bio, &bytes) : 0;
    if (length > 0)
        text = strndup(bytes, (size_t)length);
    BIO_free(bio);
    if (!text)
        error_set(err, "out of memory");
    return text;
}

char *explain_certificate_read(const char *path, const char *chain, struct error *err)
{
    char *text = NULL;
    STACK_OF(X509) *all = sk_X509_new_null();
    ERR_set_mark();
    if (!all)
        error_set(err, "out of memory");
    else if ((is_der(path) ? read_der(path, all, err) : read_pem(path, all, err)) &&
             (!chain || read_pem(chain, all, err)))
        text = write_pem(all, err);
    ERR_pop_to_mark();
    sk_X509_pop_free(all, X509_free);
    return text;
}
