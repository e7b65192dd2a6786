/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The token of a persistence cookie: which backend a client had, and when that was said to it.
 *
 *   base64url of   version 1 | issued, ms since 1970: 6 | backend's id: 8 | seal: 18 bytes
 *
 * The id is a keyed hash of the pool's and the backend's name: it names nobody, cannot be guessed,
 * and is the same after a reload, after a restart and on every lb that has the key. The seal is an
 * HMAC-SHA256 of the pool's name and all that stands before it, cut to 144 bits, so that a token of
 * one pool is nothing for another. 33 bytes are exactly 44 characters: there is one way to write a
 * token, and no bit that does not count.
 *
 * Pure: no clock, no pool, no HTTP.
 */
#ifndef LB_BACKENDS_PERSISTENCE_PERSISTENCE_H
#define LB_BACKENDS_PERSISTENCE_PERSISTENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "lb/base/slice.h"

enum {
    PERSISTENCE_KEY_BYTES = 32,
    PERSISTENCE_TOKEN_CHARS = 44,
};

/** One pool's key, prepared. Immutable: any number of threads may use it. */
struct persistence;

/** What a token says. */
struct persistence_claim {
    uint64_t id;        /* of the backend: persistence_id */
    uint64_t issued_ms; /* since 1970 */
};

enum persistence_age {
    PERSISTENCE_FRESH, /* good */
    PERSISTENCE_DUE,   /* good, and the client should get a new one */
    PERSISTENCE_OVER,  /* no good any more */
};

/**
 * Prepare a key for one pool.
 *
 * key      PERSISTENCE_KEY_BYTES, not kept
 * pool     its name; borrowed during the call
 * returns  owned by the caller; NULL: out of memory
 * Thread:  any. Allocates.
 */
struct persistence *persistence_new(const unsigned char *key, const char *pool);
/** Free, and cleanse what was derived from the key. NULL is fine. */
void persistence_free(struct persistence *persistence);

/** The id that stands for a backend of this name in tokens. Fails: out of memory. */
bool persistence_id(const struct persistence *persistence, const char *backend, uint64_t *ret_id);

/**
 * Write a token.
 *
 * token    PERSISTENCE_TOKEN_CHARS, without a NUL: letters, digits, '-' and '_'
 * Fails:   out of memory. Thread: any. Allocates for the length of the call.
 */
bool persistence_seal(const struct persistence *persistence, const struct persistence_claim *claim,
                      char *token);
/** Read a token. false: it is none of this key's for this pool, or out of memory; *ret_claim is
 * then as it was. How old it may be is another question. Thread: any. */
bool persistence_open(const struct persistence *persistence, struct slice token,
                      struct persistence_claim *ret_claim);

/**
 * How good is a token of this age?
 *
 * It is due when more than 1/16 of the timeout has passed, and good for 17/16 of it. So a client
 * that was last seen at any time keeps its backend for the whole timeout from then on, never longer
 * than 1/16 more, and few answers carry a cookie. One from the future is good, but due, where that
 * is no more than the clocks of two machines may differ (1/16 of the timeout), else over.
 */
enum persistence_age persistence_age(uint64_t issued_ms, uint64_t now_ms, uint32_t timeout_ms);
/** How long a browser has to keep a cookie whose token is good for this timeout, in seconds. */
unsigned persistence_kept_s(uint32_t timeout_ms);

#endif
