/* SPDX-License-Identifier: Apache-2.0 */
/* Client certificates of which each is shown once: to whoever is asked, its client is a new one. */
#ifndef LB_BENCH_FACES_H
#define LB_BENCH_FACES_H

#include <openssl/ssl.h>
#include <stdbool.h>

struct faces {
    STACK_OF(X509) * certificates; /* NULL: clients show what the SSL_CTX has */
    int next;
};

/** All certificates of a PEM file. false: there is none, or one cannot be read; OpenSSL's queue may
 * say why. */
bool faces_read(struct faces *faces, const char *path);
/** Zero-initialised is fine. */
void faces_done(struct faces *faces);

/** The next one becomes that of a connection whose SSL_CTX has the key to all of them. false: none
 * is left, or out of memory. */
bool faces_show(struct faces *faces, SSL *tls);

#endif
