/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A map from bytes to a pointer, of a size known beforehand: filled while a config loads, then only
 * read, by any thread. The caller computes the hash, so that one walk over a text can ask for each
 * of its prefixes (or suffixes) without reading a byte twice.
 */
#ifndef LB_BASE_TEXT_MAP_H
#define LB_BASE_TEXT_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "lb/base/arena.h"
#include "lb/base/slice.h"

struct text_map_slot {
    uint64_t hash;
    struct slice key;
    const void *value; /* NULL: the slot is free */
};

struct text_map {
    size_t mask; /* slots - 1; there are at least twice as many slots as keys */
    struct text_map_slot *slots;
};

/** The hash of no bytes; text_hash_add() takes it further. FNV-1a, 64 bits. */
#define TEXT_HASH_START UINT64_C(0xcbf29ce484222325)

static inline uint64_t text_hash_add(uint64_t hash, char byte)
{
    return (hash ^ (unsigned char)byte) * UINT64_C(0x100000001b3);
}

/** The hash of all of `text`. */
uint64_t text_hash(struct slice text);

/** Make room for `most` keys; the map and its slots live in `arena`. Thread: loader. */
void text_map_init(struct text_map *map, size_t most, struct arena *arena);

/**
 * Add a key that is not there yet; what is there stays.
 *
 * key      lent for the life of the map
 * value    not NULL
 * returns  NULL when it was added, else the value that is there already
 */
const void *text_map_add(struct text_map *map, uint64_t hash, struct slice key, const void *value);

/** The value of a key, or NULL. Any thread. */
const void *text_map_get(const struct text_map *map, uint64_t hash, struct slice key);

#endif
