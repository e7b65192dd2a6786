/* SPDX-License-Identifier: Apache-2.0 */
/* Signs certificates for the benchmark, thousands of them: the CA and its key from PEM files. */
#ifndef LB_BENCH_AUTHORITY_H
#define LB_BENCH_AUTHORITY_H

#include <openssl/x509.h>
#include <stdio.h>
#include <sys/types.h>

struct authority {
    const char *program; /* in messages */
    X509 *certificate;
    EVP_PKEY *key;
};

/** What a certificate of it says. */
struct authority_wish {
    EVP_PKEY *key;
    const char *unit;  /* OU; NULL: none */
    const char *name;  /* CN */
    const char *usage; /* extendedKeyUsage */
    const char *names; /* subjectAltName; NULL: none */
};

/** Read CA and key. Whatever fails in here ends the program with the reason. */
struct authority authority_read(const char *program, const char *certificate, const char *key);
void authority_done(struct authority *authority);

/** A certificate for 30 days with a random serial number; the caller's. Threads may do it at the
 * same time. */
X509 *authority_sign(const struct authority *authority, const struct authority_wish *wish);

/** A new file of that mode for writing, which the caller closes. One that was there is replaced, so
 * that a key is never in one with wider rights. */
FILE *authority_create(const struct authority *authority, const char *path, mode_t mode);

/** Print what went wrong, with OpenSSL's reasons, and exit with 1. */
__attribute__((noreturn)) void authority_give_up(const struct authority *authority,
                                                 const char *what);

#endif
