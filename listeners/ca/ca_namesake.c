/* SPDX-License-Identifier: Apache-2.0 */
/* Who of several namesakes has signed: whose key fits, and of those who is valid now. */
#include "listeners/ca/ca_namesake.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdbool.h>

#include "lb/base/certificate.h"

static bool are_namesakes(const X509 *one, const X509 *other)
{
    return X509_NAME_cmp(X509_get_subject_name(one), X509_get_subject_name(other)) == 0 &&
           EVP_PKEY_eq(X509_get0_pubkey(one), X509_get0_pubkey(other)) != 1;
}

static bool has_namesakes(const STACK_OF(X509) * cas)
{
    for (int i = 1; i < sk_X509_num(cas); i++)
        for (int j = 0; j < i; j++)
            if (are_namesakes(sk_X509_value(cas, i), sk_X509_value(cas, j)))
                return true;
    return false;
}

/* The end excluded, as everywhere in lb. */
static bool is_valid_now(const X509 *certificate, X509_STORE_CTX *context)
{
    time_t now = X509_VERIFY_PARAM_get_time(X509_STORE_CTX_get0_param(context));
    return certificate_time(X509_get0_notBefore(certificate)) <= now &&
           now < certificate_time(X509_get0_notAfter(certificate));
}

/* How well the candidate fits as the issuer; 0: not at all. */
static int fitness(X509_STORE_CTX *context, X509 *candidate, X509 *certificate)
{
    if (X509_check_issued(candidate, certificate) != X509_V_OK)
        return 0;
    EVP_PKEY *key = X509_get0_pubkey(candidate);
    bool has_signed = key && X509_verify(certificate, key) == 1;
    return 1 + 2 * has_signed + is_valid_now(candidate, context);
}

/* In the place of X509_STORE_CTX_get1_issuer(), as OpenSSL 3 calls it. */
static int find_issuer(X509 **ret_issuer, X509_STORE_CTX *context, X509 *certificate)
{
    STACK_OF(X509) *candidates =
        X509_STORE_CTX_get1_certs(context, X509_get_issuer_name(certificate));
    X509 *best = NULL;
    int best_fitness = 0;
    ERR_set_mark();
    for (int i = 0; i < sk_X509_num(candidates); i++) {
        X509 *candidate = sk_X509_value(candidates, i);
        int fits = fitness(context, candidate, certificate);
        if (fits > best_fitness) {
            best_fitness = fits;
            best = candidate;
        }
    }
    ERR_pop_to_mark();
    if (best && X509_up_ref(best) == 1)
        *ret_issuer = best;
    else
        best = NULL;
    sk_X509_pop_free(candidates, X509_free);
    return best != NULL;
}

/* As OpenSSL 4 calls it. What OpenSSL 3 has no const for is only looked at there, too. */
static int find_issuer_of_const(X509 **ret_issuer, X509_STORE_CTX *context, const X509 *certificate)
{
    return find_issuer(ret_issuer, context, (X509 *)certificate);
}

void ca_namesakes_heed(X509_STORE *store, const STACK_OF(X509) * cas)
{
    if (has_namesakes(cas))
        // clang-format off
        X509_STORE_set_get_issuer(
            store, _Generic((X509_STORE_CTX_get_issuer_fn)NULL,
                            int (*)(X509 **, X509_STORE_CTX *, X509 *): find_issuer,
                            default: find_issuer_of_const));
    // clang-format on
}
