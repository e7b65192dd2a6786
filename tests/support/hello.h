/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A real TLS client whose ClientHello comes in pieces: over several TLS records, several TCP
 * segments, or both. All it sends otherwise is as OpenSSL makes it.
 */
#ifndef LB_TESTS_HELLO_H
#define LB_TESTS_HELLO_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

struct hello_cut {
    size_t record_at;        /* the first record holds so many bytes of the message; 0: all */
    size_t record_bytes;     /* each record holds so many; 0: see above */
    size_t segment_at;       /* so many bytes are sent first, then the rest; 0: all at once */
    bool in_segments;        /* each record is sent by itself */
    const char *second_name; /* SNI of the ClientHello after a HelloRetryRequest; NULL: the same */
    /* What came of it. */
    size_t message_bytes; /* of the first ClientHello */
    unsigned hellos;      /* sent */
};

/* Shake hands over a connected socket; tls is left with a BIO of it. For peer.c. */
bool hello_shake(SSL *tls, int fd, struct hello_cut *cut);

#endif
