/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The BIO between SSL and a connection: reads from the bytes that arrived with this wake-up, writes
 * into `out`. It makes no system call and never says "end of file": connection_read knows of a FIN
 * and says so without SSL, so that a half-closed peer can still be answered.
 */
#ifndef LB_BASE_TLS_BIO_H
#define LB_BASE_TLS_BIO_H

#include <openssl/bio.h>

struct connection;

/** A BIO of `connection` (borrowed; must outlive it). NULL: out of memory. The caller owns one
 * reference. */
BIO *tls_bio_new(struct connection *connection);

#endif
