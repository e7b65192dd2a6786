/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/registry/record.h"

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "lb/base/hex.h"

static const char *const status_names[CERTIFICATE_STATUS_COUNT] = {
    [CERTIFICATE_ACTIVATED] = "ACTIVATED",   [CERTIFICATE_NOT_ACTIVATED] = "NOT_ACTIVATED",
    [CERTIFICATE_REGISTERED] = "REGISTERED", [CERTIFICATE_REVOKED] = "REVOKED",
    [CERTIFICATE_DELETED] = "DELETED",
};

static const char *const source_names[CERTIFICATE_SOURCE_COUNT] = {
    [SOURCE_ISSUED] = "issued",
    [SOURCE_MANUAL] = "manual",
    [SOURCE_AUTO] = "auto",
    [SOURCE_IMPORTED] = "imported",
};

const char *certificate_status_name(enum certificate_status status)
{
    return status_names[status];
}

const char *certificate_source_name(enum certificate_source source)
{
    return source_names[source];
}

bool ca_key_of(X509 *ca, unsigned char ret_key[CA_KEY_BYTES])
{
    unsigned char *der = NULL;
    int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(ca), &der);
    bool good =
        length > 0 && EVP_Digest(der, (size_t)length, ret_key, NULL, EVP_sha256(), NULL) == 1;
    OPENSSL_free(der);
    return good;
}

struct ca_key *ca_keys_of(STACK_OF(X509) * cas)
{
    int count = sk_X509_num(cas);
    struct ca_key *keys = calloc((size_t)count + 1, sizeof *keys);
    bool good = keys != NULL;
    for (int i = 0; i < count && good; i++)
        good = ca_key_of(sk_X509_value(cas, i), keys[i].bytes);
    if (good)
        return keys;
    free(keys);
    return NULL;
}

void ca_id_of(const unsigned char key[CA_KEY_BYTES], char ret_id[CA_ID_LENGTH + 1])
{
    *hex_write(ret_id, key, CA_ID_LENGTH / 2, hex_lower) = '\0';
}

bool certificate_key_of(const unsigned char ca_key[CA_KEY_BYTES], const X509 *certificate,
                        unsigned char ret_key[CERTIFICATE_KEY_BYTES])
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
    unsigned char sign = (ASN1_STRING_type(serial) & V_ASN1_NEG) != 0;
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    bool good = digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1 &&
                EVP_DigestUpdate(digest, ca_key, CA_KEY_BYTES) == 1 &&
                EVP_DigestUpdate(digest, &sign, 1) == 1 &&
                EVP_DigestUpdate(digest, ASN1_STRING_get0_data(serial),
                                 (size_t)ASN1_STRING_length(serial)) == 1 &&
                EVP_DigestFinal_ex(digest, ret_key, NULL) == 1;
    EVP_MD_CTX_free(digest);
    return good;
}

/* The first element of the outer sequence, as it came: OpenSSL keeps the bytes it has read. */
static bool tbs_in(const unsigned char *der, int length, const unsigned char **ret_tbs,
                   size_t *ret_bytes)
{
    const unsigned char *at = der;
    long inside = 0;
    int tag = 0;
    int class = 0;
    if (ASN1_get_object(&at, &inside, &tag, &class, length) & 0x80 || tag != V_ASN1_SEQUENCE)
        return false;
    const unsigned char *begin = at;
    long tbs = 0;
    if (ASN1_get_object(&at, &tbs, &tag, &class, inside) & 0x80 || tag != V_ASN1_SEQUENCE)
        return false;
    *ret_tbs = begin;
    *ret_bytes = (size_t)(at - begin) + (size_t)tbs;
    return true;
}

bool certificate_tbs_of(X509 *certificate, unsigned char ret_tbs[TBS_BYTES])
{
    unsigned char *der = NULL;
    const unsigned char *tbs = NULL;
    size_t bytes = 0;
    int length = i2d_X509(certificate, &der);
    bool good = length > 0 && tbs_in(der, length, &tbs, &bytes) &&
                EVP_Digest(tbs, bytes, ret_tbs, NULL, EVP_sha256(), NULL) == 1;
    OPENSSL_free(der);
    return good;
}
