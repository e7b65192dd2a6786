/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing with linear probing; nothing is ever removed, so a free slot ends every search.
 */
#include "lb/base/text_map.h"

#include <assert.h>

uint64_t text_hash(struct slice text)
{
    uint64_t hash = TEXT_HASH_START;
    for (size_t i = 0; i < text.length; i++)
        hash = text_hash_add(hash, text.at[i]);
    return hash;
}

void text_map_init(struct text_map *map, size_t most, struct arena *arena)
{
    size_t slots = 4;
    while (slots < most * 2)
        slots *= 2;
    map->mask = slots - 1;
    map->slots = arena_alloc(arena, slots * sizeof(struct text_map_slot));
}

/* Where the key is or would be. The upper half joins in because FNV's lower bits depend on fewer
 * bytes. */
static struct text_map_slot *slot_of(const struct text_map *map, uint64_t hash, struct slice key)
{
    size_t at = (size_t)(hash ^ hash >> 32) & map->mask;
    for (;; at = (at + 1) & map->mask) {
        struct text_map_slot *slot = &map->slots[at];
        if (!slot->value || (slot->hash == hash && slice_equal(slot->key, key)))
            return slot;
    }
}

const void *text_map_add(struct text_map *map, uint64_t hash, struct slice key, const void *value)
{
    assert(value);
    struct text_map_slot *slot = slot_of(map, hash, key);
    if (slot->value)
        return slot->value;
    *slot = (struct text_map_slot){hash, key, value};
    return NULL;
}

const void *text_map_get(const struct text_map *map, uint64_t hash, struct slice key)
{
    return slot_of(map, hash, key)->value;
}
