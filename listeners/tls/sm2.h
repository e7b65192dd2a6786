/* SPDX-License-Identifier: Apache-2.0 */
/* National (ShangMi) certificates in TLS 1.3, RFC 8998: OpenSSL has them from 4.0 on. */
#ifndef LB_LISTENERS_SM2_H
#define LB_LISTENERS_SM2_H

#include <openssl/x509.h>
#include <stdbool.h>

/* What is spoken beside the usual where such certificates are in use; OpenSSL offers it only when
 * asked. */
#define SM2_GROUPS "curveSM2"
#define SM2_CIPHERSUITES "TLS_SM4_GCM_SM3:TLS_SM4_CCM_SM3"

/** Is the certificate's key an SM2 key? Any thread. */
bool sm2_has_key(const X509 *certificate);

/** Can the OpenSSL that lb runs with use such certificates in TLS? Thread: loader. */
bool sm2_is_offered(void);

#endif
