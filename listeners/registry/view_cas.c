/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CAs in memory: few, found by their key, or by the slot that a certificate's entry names. They are
 * only ever added: one that was deleted stays as unknown, and so stands a CA that nobody uploaded
 * but that a certificate was registered under.
 */
#include <stdlib.h>
#include <string.h>

#include "lb/base/hex.h"
#include "listeners/registry/view_parts.h"

enum { CA_ID_BYTES = CA_ID_LENGTH / 2, CAS_ROOM_LEAST = 32 };

static size_t bucket_of(const unsigned char *key)
{
    return key[0] % CA_BUCKETS;
}

static enum ca_standing standing_of(const struct view_ca *ca)
{
    return (enum ca_standing)atomic_load_explicit(&ca->standing, memory_order_acquire);
}

/* --- readers ------------------------------------------------------------------------------- */

enum ca_standing view_ca(const struct view *view, const unsigned char key[CA_KEY_BYTES])
{
    const struct view_ca *ca =
        atomic_load_explicit(&view->ca_buckets[bucket_of(key)], memory_order_acquire);
    for (; ca; ca = ca->next) {
        enum ca_standing standing = standing_of(ca);
        if (standing != CA_UNKNOWN && memcmp(ca->key, key, CA_KEY_BYTES) == 0)
            return standing;
    }
    return CA_UNKNOWN;
}

bool view_has_disabled_ca(const struct view *view)
{
    return atomic_load_explicit(&view->has_disabled_ca, memory_order_acquire);
}

enum ca_standing view_standing_in(const struct view *view, uint16_t slot)
{
    if (slot == 0)
        return CA_UNKNOWN;
    const struct view_ca_list *list = atomic_load_explicit(&view->cas, memory_order_acquire);
    return standing_of(list->items[slot - 1]);
}

/* --- the writer ---------------------------------------------------------------------------- */

/* The newest of this id. */
static struct view_ca *find_id(const struct view *view, const unsigned char id[CA_ID_BYTES])
{
    struct view_ca *ca =
        atomic_load_explicit(&view->ca_buckets[bucket_of(id)], memory_order_relaxed);
    while (ca && memcmp(ca->key, id, CA_ID_BYTES) != 0)
        ca = ca->next;
    return ca;
}

static bool make_room(struct view *view)
{
    struct view_ca_list *old = atomic_load_explicit(&view->cas, memory_order_relaxed);
    if (old && view->ca_count < old->room)
        return true;
    uint32_t room = old ? old->room * 2 : CAS_ROOM_LEAST;
    struct view_ca_list *list = view_allocate(view, sizeof *list + room * sizeof *list->items);
    if (!list)
        return false;
    if (old)
        memcpy(list->items, old->items, view->ca_count * sizeof *list->items);
    list->older = old;
    list->room = room;
    atomic_store_explicit(&view->cas, list, memory_order_release);
    return true;
}

/* Unknown so far; *ret_ca NULL: there is no slot left. false: out of memory. */
static bool add(struct view *view, const unsigned char *key, size_t key_bytes,
                struct view_ca **ret_ca)
{
    *ret_ca = NULL;
    if (view->ca_count == VIEW_CAS_MOST)
        return true;
    if (!make_room(view))
        return false;
    struct view_ca *ca = view_allocate(view, sizeof *ca);
    if (!ca)
        return false;
    _Atomic(struct view_ca *) *bucket = &view->ca_buckets[bucket_of(key)];
    memcpy(ca->key, key, key_bytes);
    ca->has_key = key_bytes == CA_KEY_BYTES;
    atomic_init(&ca->standing, CA_UNKNOWN);
    ca->next = atomic_load_explicit(bucket, memory_order_relaxed);
    /* The list is written where nobody reads before he knows the slot. */
    atomic_load_explicit(&view->cas, memory_order_relaxed)->items[view->ca_count++] = ca;
    ca->slot = (uint16_t)view->ca_count;
    atomic_store_explicit(bucket, ca, memory_order_release);
    *ret_ca = ca;
    return true;
}

static bool read_id(const char *text, unsigned char ret_id[CA_ID_BYTES])
{
    return hex_read(text, ret_id, CA_ID_BYTES) && text[CA_ID_LENGTH] == '\0';
}

bool view_slot_of_ca(struct view *view, const char *id, uint16_t *ret_slot)
{
    unsigned char bytes[CA_ID_BYTES];
    *ret_slot = 0;
    if (!read_id(id, bytes))
        return true;
    struct view_ca *ca = find_id(view, bytes);
    if (!ca && !add(view, bytes, sizeof bytes, &ca))
        return false;
    if (ca)
        *ret_slot = ca->slot;
    return true;
}

/* The CA of this key, which is all there then. NULL: no memory, or no slot. */
static struct view_ca *have(struct view *view, const unsigned char key[CA_KEY_BYTES])
{
    struct view_ca *ca =
        atomic_load_explicit(&view->ca_buckets[bucket_of(key)], memory_order_relaxed);
    while (ca && memcmp(ca->key, key, ca->has_key ? CA_KEY_BYTES : CA_ID_BYTES) != 0)
        ca = ca->next;
    if (!ca)
        return add(view, key, CA_KEY_BYTES, &ca) ? ca : NULL;
    if (!ca->has_key) { /* it never had a standing: no reader looks at its key */
        memcpy(ca->key, key, CA_KEY_BYTES);
        ca->has_key = true;
    }
    return ca;
}

static void apply(struct view *view, struct view_ca *ca)
{
    enum ca_standing before = standing_of(ca);
    enum ca_standing planned = (enum ca_standing)ca->planned;
    if (before == planned)
        return;
    atomic_store_explicit(&ca->standing, ca->planned, memory_order_release);
    view->worse += planned == CA_DISABLED || before == CA_ENABLED;
}

bool view_put_cas(struct view *view, const struct ca_record *cas, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!have(view, cas[i].key))
            return false;
    const struct view_ca_list *list = atomic_load_explicit(&view->cas, memory_order_relaxed);
    for (uint32_t i = 0; i < view->ca_count; i++)
        list->items[i]->planned = CA_UNKNOWN;
    bool is_any_disabled = false;
    for (size_t i = 0; i < count; i++) {
        have(view, cas[i].key)->planned = cas[i].is_enabled ? CA_ENABLED : CA_DISABLED;
        is_any_disabled = is_any_disabled || !cas[i].is_enabled;
    }
    for (uint32_t i = 0; i < view->ca_count; i++)
        apply(view, list->items[i]);
    atomic_store_explicit(&view->has_disabled_ca, is_any_disabled, memory_order_release);
    return true;
}

void view_free_cas(struct view *view)
{
    struct view_ca_list *list = atomic_load(&view->cas);
    for (uint32_t i = 0; i < view->ca_count; i++)
        free(list->items[i]);
    while (list) {
        struct view_ca_list *older = list->older;
        free(list);
        list = older;
    }
}
