/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decodes private keys of which the kind is known. OpenSSL 3.0 builds the machinery that decodes a
 * key anew for each one, over all algorithms it has: 4.3 million instructions for a P-256 key, of
 * which decoding is a tenth. Here it is built once for each kind and used again, which is what
 * makes ten thousand keys a matter of a second.
 */
#ifndef LB_BASE_KEY_READER_H
#define LB_BASE_KEY_READER_H

#include <openssl/evp.h>

#include "lb/base/pem.h"

/** Of one thread. */
struct key_reader;

/** NULL: out of memory. */
struct key_reader *key_reader_new(void);
/** NULL is fine. */
void key_reader_free(struct key_reader *reader);

/**
 * The first private key of a PEM text, if it is of the same kind (RSA, EC, …) as another key.
 *
 * like     a key of that kind; its public part is enough
 * returns  the key, for EVP_PKEY_free(); NULL: it is of another kind, has a passphrase, cannot be
 *          decoded, or there is none: whoever decodes it the slow way finds out which. What OpenSSL
 *          said of it is left in its queue
 */
EVP_PKEY *key_reader_read(struct key_reader *reader, const struct pem *pem, const EVP_PKEY *like);

#endif
