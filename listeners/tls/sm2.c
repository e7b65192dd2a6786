/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/tls/sm2.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

bool sm2_has_key(const X509 *certificate)
{
    const EVP_PKEY *key = X509_get0_pubkey(certificate);
    return key && EVP_PKEY_is_a(key, "SM2");
}

bool sm2_is_offered(void)
{
    ERR_set_mark();
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    bool is_offered = tls && SSL_CTX_set1_sigalgs_list(tls, "sm2sig_sm3") == 1 &&
                      SSL_CTX_set1_groups_list(tls, SM2_GROUPS) == 1 &&
                      SSL_CTX_set_ciphersuites(tls, SM2_CIPHERSUITES) == 1;
    SSL_CTX_free(tls);
    ERR_pop_to_mark();
    return is_offered;
}
