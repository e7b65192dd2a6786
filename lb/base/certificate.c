/* SPDX-License-Identifier: Apache-2.0 */
/* Reading certificates and keys; what describes them is in certificate_text.c. */
#include "lb/base/certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/error.h"
#include "lb/base/pem.h"

static int no_passphrase(char *into, int room, int writing, void *asked)
{
    (void)into;
    (void)room;
    (void)writing;
    *(bool *)asked = true;
    return -1;
}

/* All certificates of a PEM text; NULL with `err` when one of them is damaged or none is there. */
static STACK_OF(X509) *
    parse_certificates(const struct pem *pem, const char *path, struct error *err)
{
    STACK_OF(X509) *certificates = sk_X509_new_null();
    BIO *bio = BIO_new_mem_buf(pem->text, (int)pem->length);
    bool good = certificates && bio;
    if (!good)
        error_set(err, "%s: out of memory", path);
    while (good) {
        X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        if (!certificate)
            break;
        good = sk_X509_push(certificates, certificate) > 0;
        if (!good) {
            X509_free(certificate);
            error_set(err, "%s: out of memory", path);
        }
    }
    unsigned long reason = ERR_peek_last_error();
    bool ended =
        ERR_GET_LIB(reason) == ERR_LIB_PEM && ERR_GET_REASON(reason) == PEM_R_NO_START_LINE;
    int count = sk_X509_num(certificates);
    if (good && !ended)
        good = error_set(err, "%s: certificate %d cannot be decoded: %s", path, count + 1,
                         reason ? ERR_reason_error_string(reason) : "damaged");
    else if (good && count == 0)
        good = error_set(err,
                         "%s: holds %s; a PEM certificate (-----BEGIN CERTIFICATE-----) is needed",
                         path, pem_describe(pem));
    BIO_free(bio);
    if (!good) {
        sk_X509_pop_free(certificates, X509_free);
        certificates = NULL;
    }
    return certificates;
}

STACK_OF(X509) *
    certificates_read(const char *text, size_t bytes, const char *what, struct error *err)
{
    struct pem pem;
    if (!pem_copy(text, bytes, what, &pem, err))
        return NULL;
    ERR_set_mark();
    STACK_OF(X509) *certificates = parse_certificates(&pem, what, err);
    ERR_pop_to_mark();
    pem_done(&pem);
    return certificates;
}

STACK_OF(X509) * certificates_load(const char *path, struct error *err)
{
    struct pem pem;
    if (!pem_read(path, &pem, err))
        return NULL;
    ERR_set_mark();
    STACK_OF(X509) *certificates = parse_certificates(&pem, path, err);
    ERR_pop_to_mark();
    pem_done(&pem);
    return certificates;
}

static EVP_PKEY *parse_key(const struct pem *pem, const char *path, struct error *err)
{
    bool asked = false;
    BIO *bio = BIO_new_mem_buf(pem->text, (int)pem->length);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &asked) : NULL;
    BIO_free(bio);
    if (key)
        return key;
    if (asked || pem_has(pem, "ENCRYPTED PRIVATE KEY-----") ||
        pem_has(pem, "Proc-Type: 4,ENCRYPTED"))
        error_set(err,
                  "%s: the key has a passphrase; one without is needed (openssl pkey -in … -out …)",
                  path);
    else if (pem_has(pem, "PRIVATE KEY-----"))
        error_set(err, "%s: the private key cannot be decoded; is it complete?", path);
    else
        error_set(err, "%s: holds %s; a PEM private key (-----BEGIN PRIVATE KEY-----) is needed",
                  path, pem_describe(pem));
    return NULL;
}

static EVP_PKEY *load_key(const char *path, struct error *err)
{
    struct pem pem;
    if (!pem_read(path, &pem, err))
        return NULL;
    ERR_set_mark();
    EVP_PKEY *key = parse_key(&pem, path, err);
    ERR_pop_to_mark();
    pem_done(&pem);
    return key;
}

static bool belongs(X509 *certificate, EVP_PKEY *key)
{
    EVP_PKEY *own = X509_get0_pubkey(certificate);
    ERR_set_mark();
    bool same = own && EVP_PKEY_eq(own, key) == 1;
    ERR_pop_to_mark();
    return same;
}

static bool check_pair(const struct credential *credential, const char *key_path, struct error *err)
{
    if (belongs(credential->certificate, credential->key))
        return true;
    for (int i = 0; i < sk_X509_num(credential->chain); i++)
        if (belongs(sk_X509_value(credential->chain, i), credential->key))
            return error_set(
                err,
                "%s: the key %s belongs to certificate %d of this file; the server's own "
                "certificate must come first, then its intermediates",
                credential->certificate_path, key_path, i + 2);
    return error_set(err, "%s: the private key does not belong to the certificate %s", key_path,
                     credential->certificate_path);
}

struct credential *credential_load(const char *certificate_path, const char *key_path,
                                   struct error *err)
{
    struct credential *credential = calloc(1, sizeof *credential);
    if (!credential || !(credential->certificate_path = strdup(certificate_path))) {
        error_set(err, "%s: out of memory", certificate_path);
        goto fail;
    }
    credential->chain = certificates_load(certificate_path, err);
    if (!credential->chain)
        goto fail;
    credential->certificate = sk_X509_shift(credential->chain);
    credential->key = load_key(key_path, err);
    if (!credential->key || !check_pair(credential, key_path, err))
        goto fail;
    credential->key_type = EVP_PKEY_get_base_id(credential->key);
    return credential;
fail:
    credential_free(credential);
    return NULL;
}

void credential_free(struct credential *credential)
{
    if (!credential)
        return;
    free(credential->certificate_path);
    X509_free(credential->certificate);
    sk_X509_pop_free(credential->chain, X509_free);
    EVP_PKEY_free(credential->key);
    free(credential);
}
