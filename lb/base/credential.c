/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate with its key: read, decoded, and found to belong together. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/certificate.h"
#include "lb/base/credential_source.h"
#include "lb/base/error.h"
#include "lb/base/key_reader.h"

static int no_passphrase(char *into, int room, int writing, void *asked)
{
    (void)into;
    (void)room;
    (void)writing;
    *(bool *)asked = true;
    return -1;
}

/* Any key there is; what is wrong with one that cannot be had. */
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

static EVP_PKEY *decode_key(const struct credential_source *source, struct key_reader *keys,
                            X509 *certificate, struct error *err)
{
    ERR_set_mark();
    EVP_PKEY *own = X509_get0_pubkey(certificate);
    EVP_PKEY *key = keys && own ? key_reader_read(keys, &source->key, own) : NULL;
    if (!key)
        key = parse_key(&source->key, source->key_path, err);
    ERR_pop_to_mark();
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

static void credential_destroy(struct credential *credential)
{
    if (!credential)
        return;
    free(credential->certificate_path);
    X509_free(credential->certificate);
    sk_X509_pop_free(credential->chain, X509_free);
    EVP_PKEY_free(credential->key);
    free(credential);
}

struct credential *credential_decode(const struct credential_source *source,
                                     struct key_reader *keys, struct error *err)
{
    struct credential *credential = calloc(1, sizeof *credential);
    if (!credential || !(credential->certificate_path = strdup(source->certificate_path))) {
        error_set(err, "%s: out of memory", source->certificate_path);
        goto fail;
    }
    credential->chain = certificates_decode(&source->certificates, source->certificate_path, err);
    if (!credential->chain)
        goto fail;
    credential->certificate = sk_X509_shift(credential->chain);
    if (!source->has_key) {
        *err = source->key_fault;
        goto fail;
    }
    credential->key = decode_key(source, keys, credential->certificate, err);
    if (!credential->key || !check_pair(credential, source->key_path, err))
        goto fail;
    credential->key_type = EVP_PKEY_get_base_id(credential->key);
    atomic_init(&credential->users, 1);
    return credential;
fail:
    credential_destroy(credential);
    return NULL;
}

struct credential *credential_load(const char *certificate_path, const char *key_path,
                                   struct error *err)
{
    struct credential_source source;
    if (!credential_source_read(&source, certificate_path, key_path, err))
        return NULL;
    struct credential *credential = credential_decode(&source, NULL, err);
    credential_source_done(&source);
    return credential;
}

struct credential *credential_ref(struct credential *credential)
{
    atomic_fetch_add_explicit(&credential->users, 1, memory_order_relaxed);
    return credential;
}

void credential_free(struct credential *credential)
{
    if (credential && atomic_fetch_sub_explicit(&credential->users, 1, memory_order_acq_rel) == 1)
        credential_destroy(credential);
}
