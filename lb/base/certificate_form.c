/* SPDX-License-Identifier: Apache-2.0 */
/* What RFC 5280 wants of a certificate's form and OpenSSL's verification does not look at, or finds
 * without saying so: there a certificate whose extensions cannot be read has no issuer. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "lb/base/certificate.h"

/* Section 4.1.2.1: extensions belong to version 3. */
static bool has_fitting_version(const X509 *certificate)
{
    return X509_get_version(certificate) == X509_VERSION_3 || X509_get_ext_count(certificate) == 0;
}

static int compare_kinds(const void *one, const void *other)
{
    const ASN1_OBJECT *const *kind = one;
    const ASN1_OBJECT *const *other_kind = other;
    return OBJ_cmp(*kind, *other_kind);
}

/* Section 4.2: no more than one of a kind. Sorted, because thousands of them fit into what a client
 * may send. */
static bool has_extensions_once(const X509 *certificate)
{
    int count = X509_get_ext_count(certificate);
    if (count < 2)
        return true;
    const ASN1_OBJECT **kinds = malloc((size_t)count * sizeof *kinds);
    if (!kinds)
        return false;
    for (int i = 0; i < count; i++)
        kinds[i] = X509_EXTENSION_get_object(X509_get_ext(certificate, i));
    qsort(kinds, (size_t)count, sizeof *kinds, compare_kinds);
    bool once = true;
    for (int i = 1; once && i < count; i++)
        once = OBJ_cmp(kinds[i - 1], kinds[i]) != 0;
    free(kinds);
    return once;
}

bool certificate_is_well_formed(X509 *certificate)
{
    ERR_set_mark();
    bool is_read = (X509_get_extension_flags(certificate) & EXFLAG_INVALID) == 0;
    ERR_pop_to_mark();
    return is_read && has_fitting_version(certificate) && has_extensions_once(certificate);
}

bool certificate_has_fit_exponent(const X509 *certificate)
{
    const EVP_PKEY *key = X509_get0_pubkey(certificate);
    if (!key || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
        return true;
    BIGNUM *exponent = NULL;
    ERR_set_mark();
    bool fits = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 &&
                BN_is_odd(exponent) && !BN_is_one(exponent);
    ERR_pop_to_mark();
    BN_free(exponent);
    return fits;
}
