/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A name costs one walk over its bytes from the right and one from the left: the hash grows with
 * each byte, and the map is asked at each label's border. The last that is found is the longest. So
 * the cost is that of the name, however many domains there are, until regular expressions are
 * asked.
 */
#include "listeners/rules/router_domains.h"

#include "lb/base/error.h"
#include "lb/base/regex.h"
#include "listeners/load/rule_domain.h"

/* --- building --------------------------------------------------------------------------------- */

static uint64_t hash_from_right(struct slice text)
{
    uint64_t hash = TEXT_HASH_START;
    for (size_t i = text.length; i > 0; i--)
        hash = text_hash_add(hash, text.at[i - 1]);
    return hash;
}

static void add_regex(struct router_domains *all, const struct domain *domain)
{
    struct regex *regex = regex_new(domain->pattern + 1, REGEX_ANY_CASE, NULL);
    if (!regex)
        error_out_of_memory(); /* the pattern is checked */
    all->regexes[all->regex_count++] = (struct router_domain_regex){regex, domain};
}

static void add_domain(struct router_domains *all, const struct domain *domain)
{
    struct slice pattern = slice_of(domain->pattern);
    struct slice suffix = {pattern.at + 1, pattern.length - 1};
    struct slice prefix = {pattern.at, pattern.length - 1};
    switch (rule_domain_kind_of(domain->pattern)) {
    case RULE_DOMAIN_ANY:
        return;
    case RULE_DOMAIN_NAME:
        text_map_add(&all->names, text_hash(pattern), pattern, domain);
        return;
    case RULE_DOMAIN_SUFFIX:
        text_map_add(&all->suffixes, hash_from_right(suffix), suffix, domain);
        all->has_suffixes = true;
        return;
    case RULE_DOMAIN_PREFIX:
        text_map_add(&all->prefixes, text_hash(prefix), prefix, domain);
        all->has_prefixes = true;
        return;
    case RULE_DOMAIN_REGEX:
        add_regex(all, domain);
        return;
    }
}

void router_domains_build(struct router_domains *all, const struct domain *domains, unsigned count,
                          struct arena *arena)
{
    unsigned counts[RULE_DOMAIN_REGEX + 1] = {0};
    for (unsigned i = 0; i < count; i++)
        counts[rule_domain_kind_of(domains[i].pattern)]++;
    text_map_init(&all->names, counts[RULE_DOMAIN_NAME], arena);
    text_map_init(&all->suffixes, counts[RULE_DOMAIN_SUFFIX], arena);
    text_map_init(&all->prefixes, counts[RULE_DOMAIN_PREFIX], arena);
    all->regexes = arena_alloc(arena, (counts[RULE_DOMAIN_REGEX] + 1) * sizeof *all->regexes);
    all->has_any = count > counts[RULE_DOMAIN_ANY];
    for (unsigned i = 0; i < count; i++)
        add_domain(all, &domains[i]);
}

void router_domains_done(struct router_domains *all)
{
    for (unsigned i = 0; i < all->regex_count; i++)
        regex_free(all->regexes[i].regex);
    all->regex_count = 0;
}

/* --- finding ---------------------------------------------------------------------------------- */

static const struct domain *find_suffix(const struct router_domains *all, struct slice name)
{
    const struct domain *longest = NULL;
    uint64_t hash = TEXT_HASH_START;
    for (size_t i = name.length; i > 1 && all->has_suffixes; i--) {
        hash = text_hash_add(hash, name.at[i - 1]);
        if (name.at[i - 1] != '.')
            continue;
        struct slice suffix = {name.at + i - 1, name.length - i + 1};
        const struct domain *found = text_map_get(&all->suffixes, hash, suffix);
        if (found)
            longest = found;
    }
    return longest;
}

static const struct domain *find_prefix(const struct router_domains *all, struct slice name)
{
    const struct domain *longest = NULL;
    uint64_t hash = TEXT_HASH_START;
    for (size_t i = 0; i + 1 < name.length && all->has_prefixes; i++) {
        hash = text_hash_add(hash, name.at[i]);
        if (name.at[i] != '.')
            continue;
        const struct domain *found =
            text_map_get(&all->prefixes, hash, (struct slice){name.at, i + 1});
        if (found)
            longest = found;
    }
    return longest;
}

/* The first that matches. One that cannot be decided might have been it: nothing is known then. */
static enum router_name find_regex(const struct router_domains *all, struct slice name,
                                   const struct domain **ret_domain)
{
    struct regex_room room = {0};
    enum regex_outcome outcome = REGEX_DIFFERS;
    unsigned i = 0;
    for (; i < all->regex_count && outcome == REGEX_DIFFERS; i++)
        outcome = regex_match(all->regexes[i].regex, name, &room);
    regex_room_done(&room);
    switch (outcome) {
    case REGEX_MATCHES:
        *ret_domain = all->regexes[i - 1].domain;
        return ROUTER_NAME_KNOWN;
    case REGEX_DIFFERS:
        return ROUTER_NAME_UNKNOWN;
    case REGEX_UNDECIDED:
        return ROUTER_NAME_UNDECIDED;
    }
    return ROUTER_NAME_UNDECIDED;
}

enum router_name router_domains_find(const struct router_domains *all, struct slice host,
                                     const struct domain **ret_domain)
{
    char text[RULE_DOMAIN_BYTES];
    if (!all->has_any) /* no name is compared with any: it need not be brought into form */
        return ROUTER_NAME_UNKNOWN;
    struct slice name = {text, rule_domain_of_host(host, text)};
    if (name.length == 0)
        return ROUTER_NAME_UNKNOWN;
    const struct domain *found = text_map_get(&all->names, text_hash(name), name);
    if (!found)
        found = find_suffix(all, name);
    if (!found)
        found = find_prefix(all, name);
    if (!found)
        return find_regex(all, name, ret_domain);
    *ret_domain = found;
    return ROUTER_NAME_KNOWN;
}
