/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates in memory: an open-addressing table of 32-bit entry numbers over entries in chunks.
 *
 *   key ── place_of ──> table: [ . | tag,7 | . | tag,2 | tag,9 | … ]   linear, at most 4/5 full
 *                                     └──> chunks[7 / 1024][7 % 1024]: one cache line
 *
 * One writer, readers without locks. What a reader finds was complete before its number was stored
 * in the table (release, acquire). A table that is full is replaced by one of twice the size, made
 * whole before it is published; the old one stays until the view goes, for whoever still looks into
 * it: all old ones together are smaller than the newest, so that tables take at most 4 * 4 / 0.8 =
 * 20 bytes for each certificate.
 *
 * The bits of a slot that its number does not need are a tag of the key: walking past an entry
 * that is not the one looked for costs no access to it.
 *
 * An entry's key and TBS are never written again. Where another certificate of the same key is
 * registered (a tombstone that was lifted by hand), it gets a new entry: that one is put in the
 * place of the old one in the table first, then the old one becomes DELETED. So who still holds the
 * old one and finds it DELETED sees the new one when he looks again.
 */
#include <assert.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "listeners/registry/view_parts.h"

static_assert(sizeof(struct view_entry) == 64, "an entry is a cache line");
static_assert(ATOMIC_POINTER_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2, "readers take no lock");

enum { WAS_REVOKED = 0x80 }; /* in an entry's state, beside its status */
static_assert((int)CERTIFICATE_STATUS_COUNT <= (int)WAS_REVOKED, "a status leaves its bit alone");

/* --- memory -------------------------------------------------------------------------------- */

/* Zeroed; counted. */
void *view_allocate(struct view *view, size_t bytes)
{
    void *memory = calloc(1, bytes);
    if (memory)
        atomic_fetch_add(&view->bytes, bytes);
    return memory;
}

static size_t chunks_of(uint32_t entries)
{
    return ((size_t)entries + CHUNK_ENTRIES - 1) / CHUNK_ENTRIES;
}

static struct view_table *table_new(struct view *view, unsigned bits)
{
    size_t slots = (size_t)1 << bits;
    uint32_t most = (uint32_t)(slots / 5 * 4);
    size_t chunk_bytes = chunks_of(most) * sizeof(struct view_entry *);
    struct view_table *table = view_allocate(view, sizeof *table + slots * sizeof *table->slots);
    if (!table)
        return NULL;
    table->chunks = view_allocate(view, chunk_bytes);
    if (!table->chunks) {
        atomic_fetch_sub(&view->bytes, sizeof *table + slots * sizeof *table->slots);
        free(table);
        return NULL;
    }
    table->bits = bits;
    table->most = most;
    return table;
}

struct view *view_new(void)
{
    struct view *view = calloc(1, sizeof *view);
    if (!view)
        return NULL;
    atomic_init(&view->bytes, sizeof *view);
    struct view_table *table = table_new(view, TABLE_BITS_LEAST);
    atomic_init(&view->table, table);
    if (!table || RAND_bytes((unsigned char *)&view->secret, sizeof view->secret) != 1) {
        view_free(view);
        return NULL;
    }
    view->secret |= 1;
    return view;
}

void view_free(struct view *view)
{
    if (!view)
        return;
    struct view_table *table = atomic_load(&view->table);
    for (size_t i = 0; table && i < chunks_of(view->entry_count); i++)
        free(table->chunks[i]);
    while (table) {
        struct view_table *older = table->older;
        free(table->chunks);
        free(table);
        table = older;
    }
    view_free_cas(view);
    text_pool_done(&view->texts);
    free(view);
}

/* --- looking up ---------------------------------------------------------------------------- */

/*
 * Whose upper bits are the slot to begin with; those below them the tag. Keys are SHA-256 values,
 * so that any of their bits would do against chance; but who runs a CA chooses serials, and can try
 * many of them until the first twenty bits of some thousand keys are equal. Multiplied by a secret,
 * upper bits are equal by chance only, whoever chose the keys.
 */
static uint64_t place_of(const struct view *view, const unsigned char *key)
{
    uint64_t first;
    memcpy(&first, key, sizeof first);
    return first * view->secret;
}

struct place {
    uint32_t slot;
    uint32_t tag; /* as it stands in a slot */
};

static struct place place_in(const struct view_table *table, uint64_t place)
{
    uint32_t below = (uint32_t)((place << table->bits) >> 32);
    return (struct place){.slot = (uint32_t)(place >> (64 - table->bits)),
                          .tag = below >> table->bits << table->bits};
}

static uint32_t number_mask(const struct view_table *table)
{
    return ((uint32_t)1 << table->bits) - 1;
}

static struct view_entry *entry_at(const struct view_table *table, uint32_t number)
{
    return &table->chunks[number / CHUNK_ENTRIES][number % CHUNK_ENTRIES];
}

/* The entry of this key and the slot it is in; or NULL and the slot it may have. There always is a
 * free one. */
static struct view_entry *find(const struct view *view, const struct view_table *table,
                               const unsigned char *key, uint32_t *ret_slot)
{
    uint32_t mask = number_mask(table);
    struct place place = place_in(table, place_of(view, key));
    for (uint32_t slot = place.slot;; slot = (slot + 1) & mask) {
        uint32_t found = atomic_load_explicit(&table->slots[slot], memory_order_acquire);
        *ret_slot = slot;
        if (found == 0)
            return NULL;
        if ((found & ~mask) != place.tag)
            continue;
        struct view_entry *entry = entry_at(table, (found & mask) - 1);
        if (memcmp(entry->key, key, VIEW_KEY_BYTES) == 0)
            return entry;
    }
}

struct view_entry *view_find(const struct view *view,
                             const unsigned char key[CERTIFICATE_KEY_BYTES])
{
    uint32_t slot;
    return find(view, atomic_load_explicit(&view->table, memory_order_acquire), key, &slot);
}

enum certificate_status view_status(const struct view_entry *entry)
{
    uint8_t state = atomic_load_explicit(&entry->state, memory_order_acquire);
    return (enum certificate_status)(state & ~WAS_REVOKED);
}

bool view_was_revoked(const struct view_entry *entry)
{
    uint8_t state = atomic_load_explicit(&entry->state, memory_order_acquire);
    return (state & WAS_REVOKED) != 0;
}

bool view_has_tbs(const struct view_entry *entry, const unsigned char tbs[TBS_BYTES])
{
    return memcmp(entry->tbs, tbs, TBS_BYTES) == 0;
}

const char *view_client_id(const struct view_entry *entry)
{
    return atomic_load_explicit(&entry->client_id, memory_order_acquire);
}

enum ca_standing view_ca_of(const struct view *view, const struct view_entry *entry)
{
    return view_standing_in(view, atomic_load_explicit(&entry->ca, memory_order_acquire));
}

void view_note_seen(struct view_entry *entry, uint32_t now_s)
{
    if (atomic_load_explicit(&entry->last_seen_s, memory_order_relaxed) != now_s)
        atomic_store_explicit(&entry->last_seen_s, now_s, memory_order_relaxed);
}

uint32_t view_last_seen_s(const struct view_entry *entry)
{
    return atomic_load_explicit(&entry->last_seen_s, memory_order_relaxed);
}

size_t view_count(const struct view *view)
{
    return atomic_load_explicit(&view->count, memory_order_relaxed);
}

size_t view_bytes(const struct view *view)
{
    return atomic_load_explicit(&view->bytes, memory_order_relaxed);
}

/* --- writing ------------------------------------------------------------------------------- */

uint64_t view_worse(const struct view *view)
{
    return view->worse;
}

static void publish_slot(struct view_table *table, uint32_t slot, uint32_t tag, uint32_t number)
{
    atomic_store_explicit(&table->slots[slot], tag | (number + 1), memory_order_release);
}

/* Entry by entry, in the order of memory. Nobody sees the table yet. */
static void fill_table(const struct view *view, struct view_table *table)
{
    uint32_t mask = number_mask(table);
    for (uint32_t number = 0; number < view->entry_count; number++) {
        const struct view_entry *entry = entry_at(table, number);
        if (entry->is_superseded)
            continue;
        struct place place = place_in(table, place_of(view, entry->key));
        uint32_t slot = place.slot;
        while (atomic_load_explicit(&table->slots[slot], memory_order_relaxed) != 0)
            slot = (slot + 1) & mask;
        publish_slot(table, slot, place.tag, number);
    }
}

static bool grow(struct view *view)
{
    struct view_table *old = atomic_load_explicit(&view->table, memory_order_relaxed);
    struct view_table *table = old->bits < TABLE_BITS_MOST ? table_new(view, old->bits + 1) : NULL;
    if (!table)
        return false;
    memcpy(table->chunks, old->chunks, chunks_of(view->entry_count) * sizeof *table->chunks);
    table->older = old;
    fill_table(view, table);
    atomic_store_explicit(&view->table, table, memory_order_release);
    return true;
}

/* Memory for one more entry: its number is view->entry_count. */
static bool make_room(struct view *view)
{
    struct view_table *table = atomic_load_explicit(&view->table, memory_order_relaxed);
    if (view->entry_count == table->most && !grow(view))
        return false;
    if (view->entry_count % CHUNK_ENTRIES != 0)
        return true;
    size_t bytes = CHUNK_ENTRIES * sizeof(struct view_entry);
    struct view_entry *chunk = aligned_alloc(sizeof(struct view_entry), bytes);
    if (!chunk)
        return false;
    table = atomic_load_explicit(&view->table, memory_order_relaxed);
    table->chunks[view->entry_count / CHUNK_ENTRIES] = chunk;
    atomic_fetch_add(&view->bytes, bytes);
    return true;
}

static uint8_t state_of(const struct certificate_row *row)
{
    return (uint8_t)(row->status | (row->was_revoked ? WAS_REVOKED : 0));
}

/* What changes of an entry, allocated before anything is changed. */
struct novelty {
    uint16_t ca;
    const char *client_id;
};

static bool prepare(struct view *view, const struct view_entry *entry,
                    const struct certificate_row *row, struct novelty *ret_novelty)
{
    const char *had = entry ? view_client_id(entry) : NULL;
    const char *client_id = NULL;
    if (had && strcmp(had, row->client_id) == 0)
        client_id = had;
    else if (row->client_id[0] != '\0') {
        size_t before = view->texts.bytes;
        client_id = text_pool_keep(&view->texts, row->client_id);
        atomic_fetch_add(&view->bytes, view->texts.bytes - before);
        if (!client_id)
            return false;
    }
    ret_novelty->client_id = client_id;
    return view_slot_of_ca(view, row->ca, &ret_novelty->ca);
}

static void count(struct view *view, bool was_there, bool is_there)
{
    if (is_there && !was_there)
        atomic_fetch_add_explicit(&view->count, 1, memory_order_relaxed);
    if (was_there && !is_there)
        atomic_fetch_sub_explicit(&view->count, 1, memory_order_relaxed);
}

/* A new entry in this slot: a free one, or that of the entry it supersedes. */
static void add(struct view *view, const struct certificate_row *row, const struct novelty *novelty)
{
    struct view_table *table = atomic_load_explicit(&view->table, memory_order_relaxed);
    uint32_t slot;
    struct view_entry *old = find(view, table, row->key, &slot);
    uint32_t number = view->entry_count++;
    struct view_entry *entry = entry_at(table, number);
    memset(entry, 0, sizeof *entry);
    memcpy(entry->key, row->key, VIEW_KEY_BYTES);
    memcpy(entry->tbs, row->tbs, TBS_BYTES);
    atomic_init(&entry->ca, novelty->ca);
    atomic_init(&entry->client_id, novelty->client_id);
    atomic_init(&entry->state, state_of(row));
    publish_slot(table, slot, place_in(table, place_of(view, row->key)).tag, number);
    count(view, old && view_status(old) != CERTIFICATE_DELETED, row->status != CERTIFICATE_DELETED);
    if (old) {
        old->is_superseded = true;
        atomic_store_explicit(&old->state, CERTIFICATE_DELETED, memory_order_release);
    }
    view->worse += old || row->status != CERTIFICATE_ACTIVATED;
}

static void update(struct view *view, struct view_entry *entry, const struct certificate_row *row,
                   const struct novelty *novelty)
{
    enum certificate_status before = view_status(entry);
    atomic_store_explicit(&entry->ca, novelty->ca, memory_order_release);
    atomic_store_explicit(&entry->client_id, novelty->client_id, memory_order_release);
    atomic_store_explicit(&entry->state, state_of(row), memory_order_release);
    count(view, before != CERTIFICATE_DELETED, row->status != CERTIFICATE_DELETED);
    view->worse += before == CERTIFICATE_ACTIVATED && row->status != CERTIFICATE_ACTIVATED;
}

bool view_put(struct view *view, const struct certificate_row *row)
{
    struct view_entry *entry = view_find(view, row->key);
    struct novelty novelty;
    if (!prepare(view, entry, row, &novelty))
        return false;
    if (entry && view_has_tbs(entry, row->tbs)) {
        update(view, entry, row, &novelty);
        return true;
    }
    if (!make_room(view))
        return false;
    add(view, row, &novelty);
    return true;
}
