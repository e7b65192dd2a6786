/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded map for all threads: keys of a fixed length to counted values; when it is full, what
 * was not asked for longest goes. Sixteen shards by the key's first byte, each with a lock of its
 * own that is never held while a value is copied or freed.
 *
 * Keys must be evenly spread (random ids, SHA-256 values): their first bytes choose the shard and
 * the slot. That nobody outside chooses the keys that are put is the caller's care.
 */
#ifndef LB_BASE_LRU_H
#define LB_BASE_LRU_H

#include <stdbool.h>
#include <stddef.h>

struct lru;

enum { LRU_SHARDS = 16, LRU_KEY_BYTES = 64 };

/** What the map does with its values. Called by any thread; `ref` with a shard locked: it must be
 * short. */
struct lru_values {
    void (*ref)(void *value);
    void (*unref)(void *value);
};

/**
 * most        values kept in all; spread over the shards, so that a little less may fit; 0: keeps
 * nothing key_bytes   8 to LRU_KEY_BYTES values      borrowed for the map's life returns     NULL:
 * out of memory
 */
struct lru *lru_new(size_t most, size_t key_bytes, const struct lru_values *values);
/** Gives all values back. NULL is fine. No other thread may use it any more. */
void lru_free(struct lru *lru);

/** Keep `value` (a reference is taken) under `key`, in place of what is there. Out of memory: it is
 * not kept. */
void lru_put(struct lru *lru, const unsigned char *key, void *value);
/** The value with a reference for the caller, now the last to go; or NULL. */
void *lru_get(struct lru *lru, const unsigned char *key);
/** Forget one; nothing happens when it is not there. */
void lru_remove(struct lru *lru, const unsigned char *key);
/** Values kept now. */
size_t lru_count(const struct lru *lru);

#endif
