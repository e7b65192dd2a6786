/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of serial numbers, exact and compact: each takes its bytes, one for its length and about
 * one for its share of the index. Filled once, in two passes over the same serials, then only read.
 *
 *   starts:  | bucket 0 | bucket 1 | …          one hash chooses the bucket: about four serials
 *   bytes:   | length serial | length serial | …   that stand side by side
 */
#ifndef LB_LISTENERS_CRL_SERIALS_H
#define LB_LISTENERS_CRL_SERIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A serial number as DER has it: the bytes of its INTEGER, shortest form, sign included. */
struct crl_serial {
    const unsigned char *bytes;
    size_t length;
};

/** RFC 5280 allows 20; OpenSSL reads any. This is what the set takes. */
enum { CRL_SERIAL_BYTES = 127 };

struct crl_serials {
    size_t count;
    uint32_t bucket_mask;
    uint32_t *starts; /* bucket_mask + 2 of them: where in `bytes` each begins, and the end */
    unsigned char *bytes;
    size_t byte_count;
};

/**
 * Make room for so many. Then crl_serials_announce() each, crl_serials_allot(), crl_serials_put()
 * each once more.
 *
 * Fails: out of memory; crl_serials_done is all that is left
 */
bool crl_serials_init(struct crl_serials *serials, size_t count);
void crl_serials_announce(struct crl_serials *serials, struct crl_serial serial);
/** Fails: out of memory, or more than 4 GiB. */
bool crl_serials_allot(struct crl_serials *serials);
void crl_serials_put(struct crl_serials *serials, struct crl_serial serial);
/** All were put; lookups may begin. */
void crl_serials_close(struct crl_serials *serials);

/** Any thread. Takes no lock, does not allocate; its cost does not depend on how many there are. */
bool crl_serials_have(const struct crl_serials *serials, struct crl_serial serial);

/** Bytes of memory that it takes. */
size_t crl_serials_bytes(const struct crl_serials *serials);
/** Zeroed and half-built ones are fine. */
void crl_serials_done(struct crl_serials *serials);

#endif
