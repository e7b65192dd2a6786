/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Library contexts of our own for the TLS of listeners. OpenSSL before 3.2 walks through everything
 * a context's providers offer whenever it decodes a public key, and TLS decodes one for each
 * certificate of each full handshake: 1.4 of 5.1 million instructions. So there are two:
 *
 *   for handshakes    what TLS needs of the default provider, and nothing that decodes: clients'
 *                     certificates arrive without their keys (0.28 million). Who is known already
 *                     is recognised by the bytes alone.
 *   for certificates  the default provider with the decoders of public keys only: there the
 *                     certificates of others are decoded as a whole (0.60 million).
 *
 * Made on first use, once for the process, freed at its end. There are none, and OpenSSL's own
 * context serves, where it decodes quickly by itself (3.2 and newer), and where the operator's
 * openssl.cnf asks for other providers, engines, sources of random bytes or properties of
 * algorithms: what it says counts for that context only.
 */
#ifndef LB_LISTENERS_TLS_LIBRARY_H
#define LB_LISTENERS_TLS_LIBRARY_H

#include <openssl/crypto.h>
#include <openssl/x509.h>

/** For SSL_CTXs of listeners. NULL: OpenSSL's own, which stands for it everywhere. Any thread. */
OSSL_LIB_CTX *tls_library_for_handshakes(void);
/** For certificates of clients. NULL: as above. Any thread. */
OSSL_LIB_CTX *tls_library_for_certificates(void);

/**
 * The same certificates with their keys, where an SSL of tls_library_for_handshakes() has received
 * them without; those that have theirs are counted. Any thread.
 *
 * returns  for sk_X509_pop_free(…, X509_free); NULL: out of memory, or one cannot be decoded
 */
STACK_OF(X509) * tls_library_read_chain(STACK_OF(X509) * chain);

#endif
