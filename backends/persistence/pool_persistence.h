/* SPDX-License-Identifier: Apache-2.0 */
/* session_persistence = cookie of one pool: its keys, its tokens, whose backend a token means. */
#ifndef LB_BACKENDS_PERSISTENCE_POOL_PERSISTENCE_H
#define LB_BACKENDS_PERSISTENCE_POOL_PERSISTENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "lb/base/slice.h"

struct backend;
struct pool;
struct problems;

/** What a pool needs to write and read tokens. Immutable; any thread may use it. */
struct pool_persistence;

/** Report a persistence_cookie that cannot be a cookie's name, and warn of keys that mean nothing
 * without session_persistence = cookie. pool: its options are set. Thread: the one that loads the
 * config. */
void pool_persistence_check(const struct pool *pool, const char *file, struct problems *problems);

/** Does this pool need a key? */
bool pool_persistence_is_wished(const struct pool *pool);

/**
 * Make tokens possible; before that, and where they are not wished, the pool has none.
 *
 * pool     prepared, open or not; pool_done undoes it
 * key      PERSISTENCE_KEY_BYTES, not kept
 * Fails:   out of memory.   Thread: control, before the workers get the pool.
 */
bool pool_persistence_open(struct pool *pool, const unsigned char *key);
/** A pool without is fine. Thread: control. */
void pool_persistence_done(struct pool *pool);

/**
 * The backend that a token means: one of the pool's, whether it is up or not.
 *
 * token          any bytes
 * now_ms         since 1970
 * ret_is_due     the client should get a new token all the same; set when a backend is found
 * returns        NULL: forged, another pool's, too old, its backend is gone
 * Thread:        any worker. Allocates for the length of the call.
 */
const struct backend *pool_persistence_find(const struct pool *pool, struct slice token,
                                            uint64_t now_ms, bool *ret_is_due);
/** Write a token for a backend of the pool: PERSISTENCE_TOKEN_CHARS, no NUL. Fails: out of memory.
 * Thread: any worker. */
bool pool_persistence_token(const struct pool *pool, const struct backend *backend, uint64_t now_ms,
                            char *token);

#endif
