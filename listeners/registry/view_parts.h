/* SPDX-License-Identifier: Apache-2.0 */
/* What a view is made of: for view.c (certificates) and view_cas.c (CAs). */
#ifndef LB_LISTENERS_REGISTRY_VIEW_PARTS_H
#define LB_LISTENERS_REGISTRY_VIEW_PARTS_H

#include "listeners/registry/text_pool.h"
#include "listeners/registry/view.h"

enum {
    CHUNK_ENTRIES = 1024, /* 64 KiB: what a small registry has more than it needs */
    TABLE_BITS_LEAST = 10,
    TABLE_BITS_MOST = 30, /* 860 million certificates; their numbers share 32 bits with a tag */
    CA_BUCKETS = 64,
};

/* From keys to entries. Readers go through the newest; older ones stay for whoever is in them. */
struct view_table {
    struct view_table *older;
    struct view_entry **chunks; /* room for all that the table may hold; shared with older ones */
    unsigned bits;              /* 2^bits slots */
    uint32_t most;              /* entries that it may hold */
    _Atomic uint32_t slots[];   /* 0: free; else a tag, and in `bits` bits the entry's number + 1 */
};

/* A CA that is or was registered, or that a certificate was registered under. Never freed before
 * the view. */
struct view_ca {
    struct view_ca *next; /* in its bucket */
    /* Its first half is its id. All of it is fixed from the first time on that it has a standing:
     * readers look at that first. */
    unsigned char key[CA_KEY_BYTES];
    _Atomic uint8_t standing;
    bool has_key;    /* the writer's: more than the id is known */
    uint8_t planned; /* the writer's: its standing to be */
    uint16_t slot;
};

/* CAs by slot, as tables are: the newest counts, older ones stay. */
struct view_ca_list {
    struct view_ca_list *older;
    uint32_t room;
    struct view_ca *items[];
};

struct view {
    uint64_t secret; /* odd; see place_of() */
    _Atomic(struct view_table *) table;
    _Atomic(struct view_ca_list *) cas;
    _Atomic(struct view_ca *) ca_buckets[CA_BUCKETS];
    atomic_bool has_disabled_ca;
    atomic_size_t count;
    atomic_size_t bytes;
    /* The writer's. */
    uint32_t entry_count; /* superseded ones too */
    uint32_t ca_count;
    uint64_t worse;
    struct text_pool texts;
};

void *view_allocate(struct view *view, size_t bytes);

/* Writer: the slot of a CA, which is kept as unknown if it was never heard of. false: out of
 * memory. *ret_slot 0: there is no room, or `id` is none. */
bool view_slot_of_ca(struct view *view, const char *id, uint16_t *ret_slot);
enum ca_standing view_standing_in(const struct view *view, uint16_t slot);
void view_free_cas(struct view *view);

#endif
