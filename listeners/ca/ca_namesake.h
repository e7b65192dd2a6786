/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CAs of one name with different keys, as there are while a CA changes its key. OpenSSL takes the
 * first of them for the issuer of a certificate that does not say which key has signed it, and then
 * finds its signature wrong.
 */
#ifndef LB_LISTENERS_CA_CA_NAMESAKE_H
#define LB_LISTENERS_CA_CA_NAMESAKE_H

#include <openssl/x509.h>

/**
 * Let the store try whose key has signed, if some of its CAs are namesakes; else it stays as it is,
 * and costs nothing.
 *
 * store, cas  the same certificates in both
 */
void ca_namesakes_heed(X509_STORE *store, const STACK_OF(X509) * cas);

#endif
