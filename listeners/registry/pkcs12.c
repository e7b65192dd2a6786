/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bundles for browsers and devices (RFC 7292). Modern ones: PBES2 with AES-256 and PBKDF2 (HMAC
 * SHA-256), a SHA-256 MAC: OpenSSL 1.1, NSS, Java 8u301, Windows 10 (1709), macOS 15 and newer.
 * Legacy ones: the 3DES of 1996 for key and certificates (not the RC2-40 that was usual for the
 * latter, which nothing new reads), a SHA-1 MAC: everything there is. That is weak: the password
 * has to be good, and the file to go away once it was imported.
 */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <string.h>

#include "lb/base/utf8.h"
#include "listeners/registry/issuer.h"

enum {
    MODERN_ITERATIONS = 100 * 1000, /* some 50 ms for each guess; importers do not mind */
    LEGACY_ITERATIONS = 2048,       /* what importers of that time were given by everybody */
    NAME_BYTES_MOST = 256,
    NO_MAC = -1,
};

static const struct form {
    int cipher;
    int iterations;
    const EVP_MD *(*mac)(void);
} forms[] = {
    [false] = {NID_aes_256_cbc, MODERN_ITERATIONS, EVP_sha256},
    [true] = {NID_pbe_WithSHA1And3_Key_TripleDES_CBC, LEGACY_ITERATIONS, EVP_sha1},
};

static bool text_check(const char *what, const char *text, size_t most, struct error *err)
{
    size_t bytes = strlen(text);
    if (bytes == 0)
        return error_set(err, "%s is empty", what);
    if (bytes > most)
        return error_set(err, "%s is longer than %zu bytes", what, most);
    for (size_t at = 0, step; at < bytes; at += step) {
        step = utf8_length(text + at, bytes - at);
        if (step == 0)
            return error_set(err, "%s is not UTF-8", what);
        if ((unsigned char)text[at] < 0x20 || text[at] == 0x7f)
            return error_set(err, "%s has a control character", what);
    }
    return true;
}

static PKCS12 *seal(EVP_PKEY *key, X509 *certificate, STACK_OF(X509) * cas, const char *name,
                    const char *password, const struct form *form)
{
    /* The MAC of PKCS12_create is the default one of that OpenSSL: it is set afterwards. */
    PKCS12 *sealed = PKCS12_create(password, name, key, certificate, cas, form->cipher,
                                   form->cipher, form->iterations, NO_MAC, 0);
    if (sealed && PKCS12_set_mac(sealed, password, (int)strlen(password), NULL, 0, form->iterations,
                                 form->mac()) == 1)
        return sealed;
    PKCS12_free(sealed);
    return NULL;
}

/* Into memory for free(). */
static unsigned char *write_der(PKCS12 *sealed, size_t *ret_bytes)
{
    int length = i2d_PKCS12(sealed, NULL);
    unsigned char *der = length > 0 ? malloc((size_t)length) : NULL;
    unsigned char *at = der;
    if (der)
        *ret_bytes = (size_t)i2d_PKCS12(sealed, &at);
    return der;
}

static unsigned char *write(EVP_PKEY *key, X509 *certificate, X509 *ca, const char *name,
                            const char *password, const struct form *form, size_t *ret_bytes)
{
    unsigned char *der = NULL;
    STACK_OF(X509) *cas = sk_X509_new_null();
    if (cas && (!ca || sk_X509_push(cas, ca) > 0)) {
        PKCS12 *sealed = seal(key, certificate, cas, name, password, form);
        der = sealed ? write_der(sealed, ret_bytes) : NULL;
        PKCS12_free(sealed);
    }
    sk_X509_free(cas);
    return der;
}

unsigned char *pkcs12_write(EVP_PKEY *key, X509 *certificate, X509 *ca, const char *name,
                            const char *password, bool legacy, size_t *ret_bytes, struct error *err)
{
    if (!text_check("the name of the bundle", name, NAME_BYTES_MOST, err) ||
        !text_check("the password of the bundle", password, PKCS12_PASSWORD_BYTES, err))
        return NULL;
    ERR_set_mark();
    bool fits = X509_check_private_key(certificate, key) == 1;
    unsigned char *der =
        fits ? write(key, certificate, ca, name, password, &forms[legacy], ret_bytes) : NULL;
    ERR_pop_to_mark();
    if (!fits)
        error_set(err, "the key does not belong to the certificate");
    else if (!der)
        error_set(err, "the bundle cannot be made%s",
                  legacy ? ": this OpenSSL has no 3DES, make a modern one" : ": out of memory");
    return der;
}
