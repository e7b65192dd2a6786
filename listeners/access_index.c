/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As in router_domains.c a name costs one walk over its bytes from the right and one from the left;
 * but here all that are found count, not only the longest.
 */
#include "listeners/access_index.h"

#include <stdlib.h>
#include <string.h>

#include "lb/base/error.h"
#include "lb/base/regex.h"
#include "listeners/load/access_section.h"
#include "listeners/load/rule_domain.h"
#include "listeners/router.h"

/* --- finding ---------------------------------------------------------------------------------- */

void access_index_visit(const struct access_index *index, struct slice host,
                        void (*visit)(void *arg, const struct access_group *group), void *arg)
{
    const struct access_group *found = text_map_get(&index->names, text_hash(host), host);
    if (found)
        visit(arg, found);
    uint64_t hash = TEXT_HASH_START;
    for (size_t i = host.length; i > 1; i--) {
        hash = text_hash_add(hash, host.at[i - 1]);
        struct slice suffix = {host.at + i - 1, host.length - i + 1};
        if (host.at[i - 1] == '.' && (found = text_map_get(&index->suffixes, hash, suffix)))
            visit(arg, found);
    }
    hash = TEXT_HASH_START;
    for (size_t i = 0; i + 1 < host.length; i++) {
        hash = text_hash_add(hash, host.at[i]);
        struct slice prefix = {host.at, i + 1};
        if (host.at[i] == '.' && (found = text_map_get(&index->prefixes, hash, prefix)))
            visit(arg, found);
    }
}

/* --- groups ----------------------------------------------------------------------------------- */

/* A group that grows while the index is built. */
struct heap {
    struct access_group group;
    unsigned room;
    struct arena *arena;
};

static void add(struct heap *heap, const struct access_entry *entry)
{
    struct access_group *group = &heap->group;
    if (group->count == heap->room) {
        heap->room = heap->room ? 2 * heap->room : 4;
        const struct access_entry **items =
            arena_alloc(heap->arena, heap->room * sizeof(const struct access_entry *));
        if (group->count > 0)
            memcpy(items, group->items, group->count * sizeof(const struct access_entry *));
        group->items = items;
    }
    group->items[group->count++] = entry;
}

static void add_group(void *arg, const struct access_group *group)
{
    for (unsigned i = 0; i < group->count; i++)
        add(arg, group->items[i]);
}

static uint64_t hash_from_right(struct slice text)
{
    uint64_t hash = TEXT_HASH_START;
    for (size_t i = text.length; i > 0; i--)
        hash = text_hash_add(hash, text.at[i - 1]);
    return hash;
}

/* The heap of a pattern, made when it is met first. A group is its heap's first member. */
static struct heap *heap_of(struct access_index *index, const char *pattern, struct arena *arena)
{
    struct slice text = slice_of(pattern);
    struct text_map *map = &index->names;
    uint64_t hash = 0;
    enum rule_domain_kind kind = rule_domain_kind_of(pattern);
    if (kind == RULE_DOMAIN_SUFFIX) {
        map = &index->suffixes;
        text = (struct slice){pattern + 1, text.length - 1};
        hash = hash_from_right(text);
    } else {
        if (kind == RULE_DOMAIN_PREFIX) {
            map = &index->prefixes;
            text.length--;
        }
        hash = text_hash(text);
    }
    struct heap *heap = (struct heap *)text_map_get(map, hash, text);
    if (heap)
        return heap;
    heap = arena_alloc(arena, sizeof *heap);
    heap->arena = arena;
    text_map_add(map, hash, text, heap);
    return heap;
}

static void sort_in(struct access_index *index, struct arena *arena)
{
    struct heap any = {.arena = arena}, regexes = {.arena = arena};
    for (unsigned i = 0; i < index->count; i++) {
        const struct access_entry *entry = &index->entries[i];
        switch (rule_domain_kind_of(entry->pattern)) {
        case RULE_DOMAIN_ANY:
            add(&any, entry);
            break;
        case RULE_DOMAIN_REGEX:
            add(&regexes, entry);
            break;
        case RULE_DOMAIN_NAME:
        case RULE_DOMAIN_SUFFIX:
        case RULE_DOMAIN_PREFIX:
            add(heap_of(index, entry->pattern, arena), entry);
            break;
        }
    }
    index->any = any.group;
    index->regexes = regexes.group;
}

/* --- domains ---------------------------------------------------------------------------------- */

static int compare(const void *one, const void *other)
{
    unsigned a = (*(const struct access_entry *const *)one)->index;
    unsigned b = (*(const struct access_entry *const *)other)->index;
    return a < b ? -1 : a > b;
}

/* Is the expression the domain's own, or one that its only name may match? */
static bool takes_domain(const struct access_entry *entry, const struct domain *domain)
{
    struct regex_room room = {0};
    if (strcmp(entry->pattern, domain->pattern) == 0)
        return true;
    if (rule_domain_kind_of(domain->pattern) != RULE_DOMAIN_NAME)
        return false;
    enum regex_outcome outcome = regex_match(entry->host_regex, slice_of(domain->pattern), &room);
    regex_room_done(&room);
    return outcome != REGEX_DIFFERS;
}

/* "*.a.example.com" has the endings of all its names, so that it can be looked for like one. */
static struct access_group group_of(const struct access_index *index, const struct domain *domain,
                                    struct arena *arena)
{
    struct heap heap = {.arena = arena};
    enum rule_domain_kind kind = rule_domain_kind_of(domain->pattern);
    if (kind != RULE_DOMAIN_ANY && kind != RULE_DOMAIN_REGEX)
        access_index_visit(index, slice_of(domain->pattern), add_group, &heap);
    for (unsigned i = 0; i < index->regexes.count; i++)
        if (takes_domain(index->regexes.items[i], domain))
            add(&heap, index->regexes.items[i]);
    if (heap.group.count > 1)
        qsort(heap.group.items, heap.group.count, sizeof *heap.group.items, compare);
    return heap.group;
}

/* --- life ------------------------------------------------------------------------------------- */

static struct regex *compile(const char *pattern, enum regex_case letters)
{
    struct regex *regex = regex_new(pattern, letters, NULL);
    if (!regex)
        error_out_of_memory(); /* the pattern is checked */
    return regex;
}

static void fill(struct access_entry *entry, const struct access_section *section)
{
    *entry = (struct access_entry){.rule = &section->rule,
                                   .index = section->index,
                                   .pattern = section->pattern,
                                   .url = section->url};
    if (rule_domain_kind_of(entry->pattern) == RULE_DOMAIN_REGEX)
        entry->host_regex = compile(entry->pattern + 1, REGEX_ANY_CASE);
    if (rule_url_is_regex(entry->url.kind))
        entry->url_regex =
            compile(entry->url.text.at,
                    entry->url.kind == RULE_URL_REGEX ? REGEX_AS_WRITTEN : REGEX_ANY_CASE);
}

struct access_index *access_index_new(struct access_section *const *sections, unsigned count,
                                      const struct domain *domains, unsigned domain_count,
                                      struct arena *arena)
{
    struct access_index *index = arena_alloc(arena, sizeof *index);
    index->count = count;
    index->entries = arena_alloc(arena, (count + 1) * sizeof *index->entries);
    index->domains = arena_alloc(arena, (domain_count + 1) * sizeof *index->domains);
    text_map_init(&index->names, count, arena);
    text_map_init(&index->suffixes, count, arena);
    text_map_init(&index->prefixes, count, arena);
    for (unsigned i = 0; i < count; i++)
        fill(&index->entries[i], sections[i]);
    sort_in(index, arena);
    for (unsigned i = 0; i < domain_count; i++)
        index->domains[i] = group_of(index, &domains[i], arena);
    return index;
}

void access_index_done(struct access_index *index)
{
    for (unsigned i = 0; index && i < index->count; i++) {
        regex_free(index->entries[i].host_regex);
        regex_free(index->entries[i].url_regex);
    }
}
