/* SPDX-License-Identifier: Apache-2.0 */
/* The parts that the CA's certificate and those it signs are made of. For issuer*.c and issue_*.c
 * only. All fail only when memory is short, or OpenSSL cannot. */
#ifndef LB_LISTENERS_REGISTRY_ISSUE_PROFILE_H
#define LB_LISTENERS_REGISTRY_ISSUE_PROFILE_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <time.h>

enum { SERIAL_BYTES = 16, PROFILE_DAY_S = 24 * 60 * 60 };

/** Who it is of, and from when until when. Borrowed. */
struct profile {
    const X509_NAME *subject;
    const X509_NAME *issuer;
    EVP_PKEY *key; /* its public half is enough */
    time_t from;
    time_t until;
};

/** A v3 certificate with a new serial, without extensions and signature. Owned; NULL: failed. */
X509 *profile_begin(const struct profile *profile);

/** Add an extension, `value` as OpenSSL's configuration writes it. ca: the certificate of the key
 * that will sign; it may be this one. */
bool profile_extend(X509 *certificate, X509 *ca, int nid, const char *value);

/** Sign, with SHA-256 unless the key brings its own digest. */
bool profile_sign(X509 *certificate, EVP_PKEY *key);

/** The digest for this key; NULL: it has its own. */
const EVP_MD *profile_digest(EVP_PKEY *key);

#endif
