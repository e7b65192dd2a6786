/* SPDX-License-Identifier: Apache-2.0 */
/* Which sessions may be resumed, by whom and for how long: OpenSSL's session callbacks on the
 * shared session cache. */
#ifndef LB_LISTENERS_RESUMPTION_H
#define LB_LISTENERS_RESUMPTION_H

#include <openssl/ssl.h>

struct session_cache;

/**
 * Let a server context keep its sessions in `sessions` (NULL or one that keeps none: no
 * resumption). The SSLs made from it must come from handshake_begin(). OpenSSL asks only the
 * context an SSL was made from, never one it was switched to. Thread: loader.
 */
void resumption_install(SSL_CTX *tls, const struct session_cache *sessions);

#endif
