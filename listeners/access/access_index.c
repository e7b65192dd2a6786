/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As in router_domains.c a name costs one walk over its bytes from the right and one from the left;
 * but here all that are found count, not only the longest.
 */
#include "listeners/access/access_index.h"

#include <string.h>

#include "lb/base/error.h"
#include "lb/base/regex.h"
#include "listeners/load/access_section.h"
#include "listeners/load/rule_domain.h"
#include "listeners/rules/router.h"

enum {
    NAMES = 1U << RULE_DOMAIN_NAME,
    SUFFIXES = 1U << RULE_DOMAIN_SUFFIX,
    PREFIXES = 1U << RULE_DOMAIN_PREFIX,
};

/* --- finding ---------------------------------------------------------------------------------- */

typedef void (*set_visitor)(void *arg, const struct access_set *set);

static void visit_suffixes(const struct access_index *index, struct slice host, set_visitor visit,
                           void *arg)
{
    uint64_t hash = TEXT_HASH_START;
    for (size_t i = host.length; i > 1; i--) {
        hash = text_hash_add(hash, host.at[i - 1]);
        struct slice suffix = {host.at + i - 1, host.length - i + 1};
        const struct access_set *found =
            host.at[i - 1] == '.' ? text_map_get(&index->suffixes, hash, suffix) : NULL;
        if (found)
            visit(arg, found);
    }
}

static void visit_prefixes(const struct access_index *index, struct slice host, set_visitor visit,
                           void *arg)
{
    uint64_t hash = TEXT_HASH_START;
    for (size_t i = 0; i + 1 < host.length; i++) {
        hash = text_hash_add(hash, host.at[i]);
        struct slice prefix = {host.at, i + 1};
        const struct access_set *found =
            host.at[i] == '.' ? text_map_get(&index->prefixes, hash, prefix) : NULL;
        if (found)
            visit(arg, found);
    }
}

void access_index_visit(const struct access_index *index, struct slice host, unsigned kinds,
                        set_visitor visit, void *arg)
{
    const struct access_set *found =
        kinds & NAMES ? text_map_get(&index->names, text_hash(host), host) : NULL;
    if (found)
        visit(arg, found);
    if (kinds & SUFFIXES)
        visit_suffixes(index, host, visit, arg);
    if (kinds & PREFIXES)
        visit_prefixes(index, host, visit, arg);
}

/* --- sets ------------------------------------------------------------------------------------- */

/* What is needed while the sets are made. */
struct building {
    struct access_index *index;
    struct text_map regexes; /* to a struct access_set for each expression */
    struct arena *arena;
};

static struct regex *compile(const char *pattern, enum regex_case letters)
{
    struct regex *regex = regex_new(pattern, letters, NULL);
    if (!regex)
        error_out_of_memory(); /* the pattern is checked */
    return regex;
}

static uint64_t hash_from_right(struct slice text)
{
    uint64_t hash = TEXT_HASH_START;
    for (size_t i = text.length; i > 0; i--)
        hash = text_hash_add(hash, text.at[i - 1]);
    return hash;
}

/* The set under a key, made when it is met first. */
static struct access_set *set_under(struct building *building, struct text_map *map, uint64_t hash,
                                    struct slice key)
{
    struct access_index *index = building->index;
    struct access_set *set = (struct access_set *)text_map_get(map, hash, key);
    if (set)
        return set;
    set = &index->sets[index->set_count++];
    text_map_add(map, hash, key, set);
    return set;
}

static struct access_set *set_of_regex(struct building *building, const char *pattern,
                                       bool only_logs)
{
    struct slice key =
        slice_of(arena_format(building->arena, "%s%s", only_logs ? "log " : "", pattern));
    struct access_set *set = set_under(building, &building->regexes, text_hash(key), key);
    set->only_logs = only_logs;
    if (!set->host_regex)
        set->host_regex = compile(pattern + 1, REGEX_ANY_CASE);
    return set;
}

static struct access_set *set_of(struct building *building, const struct access_section *section)
{
    struct access_index *index = building->index;
    struct slice text = slice_of(section->pattern);
    switch (rule_domain_kind_of(section->pattern)) {
    case RULE_DOMAIN_ANY:
        break;
    case RULE_DOMAIN_NAME:
        return set_under(building, &index->names, text_hash(text), text);
    case RULE_DOMAIN_SUFFIX:
        text = (struct slice){text.at + 1, text.length - 1};
        return set_under(building, &index->suffixes, hash_from_right(text), text);
    case RULE_DOMAIN_PREFIX:
        text.length--;
        return set_under(building, &index->prefixes, text_hash(text), text);
    case RULE_DOMAIN_REGEX:
        return set_of_regex(building, section->pattern, section->rule.action == ACCESS_LOG);
    }
    return &index->sets[0];
}

/* Is a section with this condition for clients of this class? */
static bool is_for(enum access_condition condition, unsigned who)
{
    switch (condition) {
    case ACCESS_VERIFIED:
        return who == ACCESS_CLASS_VERIFIED;
    case ACCESS_UNVERIFIED:
        return who != ACCESS_CLASS_VERIFIED;
    case ACCESS_MISSING:
        return who == ACCESS_CLASS_MISSING;
    case ACCESS_INVALID:
        return who == ACCESS_CLASS_INVALID;
    }
    return true;
}

static void fill(struct building *building, struct access_entry *entry,
                 const struct access_section *section)
{
    *entry = (struct access_entry){.rule = &section->rule,
                                   .index = section->index,
                                   .url = section->url,
                                   .set = set_of(building, section)};
    entry->set->pattern = section->pattern;
    if (rule_url_is_regex(entry->url.kind))
        entry->url_regex =
            compile(entry->url.text.at,
                    entry->url.kind == RULE_URL_REGEX ? REGEX_AS_WRITTEN : REGEX_ANY_CASE);
    for (unsigned who = 0; who < ACCESS_CLASS_COUNT; who++)
        if (is_for(entry->rule->condition, who))
            access_urls_expect(&entry->set->urls[who], entry);
}

static void fill_urls(struct access_index *index, struct arena *arena)
{
    for (unsigned i = 0; i < index->set_count; i++)
        for (unsigned who = 0; who < ACCESS_CLASS_COUNT; who++)
            access_urls_make_room(&index->sets[i].urls[who], arena);
    for (unsigned i = 0; i < index->count; i++) {
        const struct access_entry *entry = &index->entries[i];
        for (unsigned who = 0; who < ACCESS_CLASS_COUNT; who++)
            if (is_for(entry->rule->condition, who))
                access_urls_add(&entry->set->urls[who], entry, arena);
    }
}

/* To the lists of the classes that it has sections for. */
static void add_set(struct access_sets *by_class, const struct access_set *set, struct arena *arena)
{
    for (unsigned who = 0; who < ACCESS_CLASS_COUNT; who++) {
        struct access_sets *sets = &by_class[who];
        if (!set->urls[who].first)
            continue;
        if (sets->count == sets->room) {
            sets->room = sets->room ? 2 * sets->room : 2;
            const struct access_set **items =
                arena_alloc(arena, sets->room * sizeof(const struct access_set *));
            if (sets->count > 0)
                memcpy(items, sets->items, sets->count * sizeof(const struct access_set *));
            sets->items = items;
        }
        sets->items[sets->count++] = set;
    }
}

/* --- domains ---------------------------------------------------------------------------------- */

/* One domain that is being filled. */
struct filling {
    struct access_index *index;
    const struct domain *domain;
    struct arena *arena;
};

static void on_set(void *arg, const struct access_set *set)
{
    const struct filling *filling = arg;
    struct access_index *index = filling->index;
    add_set(index->domains[filling->domain->index].sets, set, filling->arena);
    if (strcmp(set->pattern, filling->domain->pattern) == 0)
        index->sets[set - index->sets].has_domain = true;
}

/* Is the expression the domain's own, or one that its only name may match? */
static bool takes_domain(const struct access_set *set, const struct domain *domain)
{
    struct regex_room room = {0};
    if (strcmp(set->pattern, domain->pattern) == 0)
        return true;
    if (rule_domain_kind_of(domain->pattern) != RULE_DOMAIN_NAME)
        return false;
    enum regex_outcome outcome = regex_match(set->host_regex, slice_of(domain->pattern), &room);
    regex_room_done(&room);
    return outcome != REGEX_DIFFERS;
}

/* "*.a.example.com" has the endings of all its names, so that it can be looked for like one. */
static void fill_domain(struct access_index *index, const struct domain *domain,
                        struct arena *arena)
{
    struct filling filling = {index, domain, arena};
    struct access_domain *own = &index->domains[domain->index];
    enum rule_domain_kind kind = rule_domain_kind_of(domain->pattern);
    if (kind == RULE_DOMAIN_NAME)
        own->name = slice_of(domain->pattern);
    add_set(own->sets, &index->sets[0], arena);
    if (kind != RULE_DOMAIN_ANY && kind != RULE_DOMAIN_REGEX)
        access_index_visit(index, slice_of(domain->pattern), NAMES | SUFFIXES | PREFIXES, on_set,
                           &filling);
    for (unsigned i = 1; i < index->set_count; i++)
        if (index->sets[i].host_regex && takes_domain(&index->sets[i], domain))
            add_set(own->sets, &index->sets[i], arena);
}

/* The router gives a name, or what ends in a suffix, to its own domain or to one that is narrower,
 * and either has the set. So there is no need to look for it by Host. */
static bool is_found_by_domain(const struct access_set *set)
{
    switch (rule_domain_kind_of(set->pattern)) {
    case RULE_DOMAIN_ANY:
        return true;
    case RULE_DOMAIN_NAME:
    case RULE_DOMAIN_SUFFIX:
        return set->has_domain;
    case RULE_DOMAIN_PREFIX:
    case RULE_DOMAIN_REGEX:
        break;
    }
    return false;
}

static void fill_hosts(struct access_index *index, struct arena *arena)
{
    for (unsigned i = 1; i < index->set_count; i++) {
        const struct access_set *set = &index->sets[i];
        if (set->host_regex)
            add_set(index->regexes, set, arena);
        for (unsigned who = 0; who < ACCESS_CLASS_COUNT; who++)
            if (set->urls[who].first && !is_found_by_domain(set))
                index->kinds[who] |= 1U << rule_domain_kind_of(set->pattern);
    }
}

/* --- life ------------------------------------------------------------------------------------- */

struct access_index *access_index_new(struct access_section *const *sections, unsigned count,
                                      const struct domain *domains, unsigned domain_count,
                                      struct arena *arena)
{
    struct access_index *index = arena_alloc(arena, sizeof *index);
    struct building building = {.index = index, .arena = arena};
    index->count = count;
    index->set_count = 1;
    index->entries = arena_alloc(arena, (count + 1) * sizeof *index->entries);
    index->sets = arena_alloc(arena, (count + 1) * sizeof *index->sets);
    index->sets[0].pattern = "";
    index->domains = arena_alloc(arena, (domain_count + 1) * sizeof *index->domains);
    text_map_init(&index->names, count, arena);
    text_map_init(&index->suffixes, count, arena);
    text_map_init(&index->prefixes, count, arena);
    text_map_init(&building.regexes, count, arena);
    for (unsigned i = 0; i < count; i++)
        fill(&building, &index->entries[i], sections[i]);
    fill_urls(index, arena);
    for (unsigned i = 0; i < domain_count; i++)
        fill_domain(index, &domains[i], arena);
    fill_hosts(index, arena);
    return index;
}

void access_index_done(struct access_index *index)
{
    for (unsigned i = 0; index && i < index->count; i++)
        regex_free(index->entries[i].url_regex);
    for (unsigned i = 0; index && i < index->set_count; i++)
        regex_free(index->sets[i].host_regex);
}
