/* SPDX-License-Identifier: Apache-2.0 */
/* What a listener's keys say about TLS itself, put on its SSL_CTXs: versions, ciphers, groups,
 * fixed options. */
#ifndef LB_LISTENERS_TLS_SETTINGS_H
#define LB_LISTENERS_TLS_SETTINGS_H

#include <openssl/ssl.h>
#include <stdbool.h>

struct credential;
struct error;
struct listener;

/*
 * On every context and asserted on every SSL: sessions are kept by the server and never in tickets
 * (TLS 1.3 too), no renegotiation, no compression (of certificates neither: their size is bounded
 * as it comes). The client's cipher order counts: it knows whether it has AES in hardware.
 */
#ifndef SSL_OP_NO_RX_CERTIFICATE_COMPRESSION /* OpenSSL before 3.2 has none */
#define SSL_OP_NO_RX_CERTIFICATE_COMPRESSION 0
#endif
#define TLS_SETTINGS_OPTIONS                                                                       \
    (SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |                          \
     SSL_OP_NO_RX_CERTIFICATE_COMPRESSION)

/**
 * Fails:   OpenSSL refuses a value; err begins with the key and its value.
 * Thread:  loader.
 */
bool tls_settings_apply(SSL_CTX *tls, const struct listener *listener, struct error *err);

/** Give an SSL_CTX its server certificates. Fails: OpenSSL refuses one; err names its file. Thread:
 * loader. */
bool tls_settings_credentials(SSL_CTX *tls, struct credential *const *credentials, unsigned count,
                              struct error *err);

/** Give one SSL other certificates than its context's, in place of all it has. false: err (may be
 * NULL) as above. */
bool tls_settings_replace(SSL *ssl, struct credential *const *credentials, unsigned count,
                          struct error *err);

#endif
