/* SPDX-License-Identifier: Apache-2.0 */
/* See issue_profile.h. */
#include "listeners/registry/issue_profile.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>

enum { MANDATORY = 2, DIGEST_NAME_BYTES = 64 };

/* A number of 128 random bits, which is positive and not zero, whatever its first bit is. */
static bool draw_serial(X509 *certificate)
{
    unsigned char bytes[SERIAL_BYTES];
    bool drawn = RAND_bytes(bytes, sizeof bytes) == 1;
    BIGNUM *number = drawn ? BN_bin2bn(bytes, sizeof bytes, NULL) : NULL;
    bool good = number && !BN_is_zero(number) &&
                BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    return good;
}

static bool set_time(ASN1_TIME *time, time_t seconds)
{
    return ASN1_TIME_adj(time, seconds, 0, 0) != NULL;
}

X509 *profile_begin(const struct profile *profile)
{
    X509 *certificate = X509_new();
    if (certificate && X509_set_version(certificate, X509_VERSION_3) == 1 &&
        draw_serial(certificate) && X509_set_subject_name(certificate, profile->subject) == 1 &&
        X509_set_issuer_name(certificate, profile->issuer) == 1 &&
        X509_set_pubkey(certificate, profile->key) == 1 &&
        set_time(X509_getm_notBefore(certificate), profile->from) &&
        set_time(X509_getm_notAfter(certificate), profile->until))
        return certificate;
    X509_free(certificate);
    return NULL;
}

bool profile_extend(X509 *certificate, X509 *ca, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, ca, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool good = extension && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return good;
}

const EVP_MD *profile_digest(EVP_PKEY *key)
{
    char name[DIGEST_NAME_BYTES] = "";
    bool brings = EVP_PKEY_get_default_digest_name(key, name, sizeof name) == MANDATORY &&
                  (*name == '\0' || strcmp(name, "UNDEF") == 0);
    return brings ? NULL : EVP_sha256();
}

bool profile_sign(X509 *certificate, EVP_PKEY *key)
{
    return X509_sign(certificate, key, profile_digest(key)) > 0;
}
