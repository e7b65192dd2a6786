/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list is known by the SHA-256 of its lines, sorted, so that it is the same after a reload, and
 * by 63 bits of that in the identities that outlive it. Nobody but the INI file's writer can choose
 * those.
 */
#include "listeners/allow/allow_list.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/arena.h"
#include "lb/base/error.h"
#include "lb/base/text_map.h"
#include "listeners/allow/identity_names.h"
#include "listeners/allow/name_pattern.h"
#include "listeners/identity.h"
#include "listeners/registry/view.h"

struct allow_list {
    unsigned char id[SHA256_DIGEST_LENGTH];
    uint64_t mark;  /* of the id; the lowest bit is 0 */
    unsigned kinds; /* 1 << enum name_kind */
    struct text_map exact[NAME_KIND_COUNT];
    struct star_list {
        const struct name_pattern **items;
        unsigned count;
    } stars[NAME_KIND_COUNT];
};

enum { CLIENT_ID = 1U << NAME_CLIENT_ID };

/* --- making ----------------------------------------------------------------------------------- */

static int compare(const void *one, const void *other)
{
    const struct name_pattern *a = *(const struct name_pattern *const *)one;
    const struct name_pattern *b = *(const struct name_pattern *const *)other;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->text.length != b->text.length)
        return a->text.length < b->text.length ? -1 : 1;
    return memcmp(a->text.at, b->text.at, a->text.length);
}

static bool add_to_digest(EVP_MD_CTX *digest, const struct name_pattern *pattern)
{
    uint32_t head[2] = {(uint32_t)pattern->kind, (uint32_t)pattern->text.length};
    return EVP_DigestUpdate(digest, head, sizeof head) == 1 &&
           EVP_DigestUpdate(digest, pattern->text.at, pattern->text.length) == 1;
}

static void identify(struct allow_list *list, const struct name_pattern **sorted, unsigned count)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    bool is_good = digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1;
    for (unsigned i = 0; i < count && is_good; i++)
        if (i == 0 || compare(&sorted[i - 1], &sorted[i]) != 0)
            is_good = add_to_digest(digest, sorted[i]);
    is_good = is_good && EVP_DigestFinal_ex(digest, list->id, NULL) == 1;
    EVP_MD_CTX_free(digest);
    if (!is_good)
        error_out_of_memory();
    memcpy(&list->mark, list->id, sizeof list->mark);
    list->mark &= ~UINT64_C(1);
}

static void make_room(struct allow_list *list, const struct name_pattern *patterns, unsigned count,
                      struct arena *arena)
{
    unsigned exact[NAME_KIND_COUNT] = {0}, stars[NAME_KIND_COUNT] = {0};
    for (unsigned i = 0; i < count; i++) {
        list->kinds |= 1U << patterns[i].kind;
        *(patterns[i].has_star ? &stars[patterns[i].kind] : &exact[patterns[i].kind]) += 1;
    }
    for (unsigned i = 0; i < NAME_KIND_COUNT; i++) {
        text_map_init(&list->exact[i], exact[i], arena);
        list->stars[i].items = arena_alloc(arena, (stars[i] + 1) * sizeof *list->stars[i].items);
    }
}

const struct allow_list *allow_list_make(const struct name_pattern *patterns, unsigned count,
                                         struct arena *arena)
{
    struct allow_list *list = arena_alloc(arena, sizeof *list);
    struct name_pattern *kept = arena_alloc(arena, count * sizeof *kept);
    const struct name_pattern **sorted = arena_alloc(arena, count * sizeof *sorted);
    make_room(list, patterns, count, arena);
    for (unsigned i = 0; i < count; i++) {
        kept[i] = patterns[i];
        sorted[i] = &kept[i];
        struct star_list *stars = &list->stars[kept[i].kind];
        if (kept[i].has_star)
            stars->items[stars->count++] = &kept[i];
        else
            text_map_add(&list->exact[kept[i].kind], text_hash(kept[i].text), kept[i].text,
                         &kept[i]);
    }
    qsort(sorted, count, sizeof *sorted, compare);
    identify(list, sorted, count);
    return list;
}

bool allow_list_equal(const struct allow_list *one, const struct allow_list *other)
{
    return one == other || (one && other && memcmp(one->id, other->id, sizeof one->id) == 0);
}

/* --- asking ----------------------------------------------------------------------------------- */

static bool has_name(const void *asked, enum name_kind kind, struct slice name)
{
    const struct allow_list *list = asked;
    if (text_map_get(&list->exact[kind], text_hash(name), name))
        return true;
    const struct star_list *stars = &list->stars[kind];
    for (unsigned i = 0; i < stars->count; i++)
        if (name_pattern_fits(stars->items[i], name))
            return true;
    return false;
}

/* What was found before, under an even mark. false: nothing. */
static bool recall(const struct identity *identity, uint64_t mark, bool *ret_is_on)
{
    for (unsigned i = 0; i < IDENTITY_ALLOWED; i++) {
        uint64_t kept = atomic_load_explicit(&identity->allowed[i], memory_order_relaxed);
        if ((kept & ~UINT64_C(1)) != mark)
            continue;
        *ret_is_on = kept & 1;
        return mark != 0;
    }
    return false;
}

/* A free place, or that of another list. Two threads that write at once write the same, or lose
 * one word that is found again. */
static void remember(struct identity *identity, uint64_t mark, bool is_on)
{
    unsigned place = 0;
    while (place < IDENTITY_ALLOWED &&
           atomic_load_explicit(&identity->allowed[place], memory_order_relaxed) != 0)
        place++;
    if (place == IDENTITY_ALLOWED)
        place = (unsigned)(mark >> 1) % IDENTITY_ALLOWED;
    atomic_store_explicit(&identity->allowed[place], mark | (is_on ? 1U : 0U),
                          memory_order_relaxed);
}

static bool has_certificate(const struct allow_list *list, struct identity *identity)
{
    bool is_on = false;
    if (!(list->kinds & ~(unsigned)CLIENT_ID) || recall(identity, list->mark, &is_on))
        return is_on;
    switch (identity_names_find(identity, list->kinds & ~(unsigned)CLIENT_ID, has_name, list)) {
    case IDENTITY_NAMES_TAKEN:
        remember(identity, list->mark, true);
        return true;
    case IDENTITY_NAMES_NONE:
        remember(identity, list->mark, false);
        return false;
    case IDENTITY_NAMES_UNSURE:
        return false; /* this time; there may be memory at the next */
    }
    return false;
}

static struct slice client_id_of(const struct identity *identity)
{
    const struct view_entry *entry = atomic_load_explicit(&identity->known, memory_order_acquire);
    const char *registered = entry ? view_client_id(entry) : NULL;
    return registered ? slice_of(registered) : identity_common_name(identity);
}

/* The id may change while the identity lives: it is part of what is remembered. */
static bool has_client_id(const struct allow_list *list, struct identity *identity)
{
    bool is_on = false;
    struct slice id = list->kinds & CLIENT_ID ? client_id_of(identity) : (struct slice){NULL, 0};
    if (id.length == 0)
        return false;
    uint64_t hash = text_hash(id);
    if (text_map_get(&list->exact[NAME_CLIENT_ID], hash, id))
        return true;
    uint64_t mark = (list->mark ^ (hash * UINT64_C(0x9e3779b97f4a7c15))) & ~UINT64_C(1);
    if (list->stars[NAME_CLIENT_ID].count == 0 || recall(identity, mark, &is_on))
        return is_on;
    is_on = has_name(list, NAME_CLIENT_ID, id);
    remember(identity, mark, is_on);
    return is_on;
}

bool allow_list_has(const struct allow_list *list, struct identity *identity)
{
    return has_certificate(list, identity) || has_client_id(list, identity);
}
