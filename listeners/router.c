/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host name costs one walk over its bytes from the right, a path one from the left: the hash
 * grows with each byte, and the map is asked at each label or segment border. The last that is
 * found is the longest. So the cost is that of the text, however many rules there are, and
 * collisions cannot be forced from outside, because only the config fills the maps.
 */
#include "listeners/router.h"

#include "lb/base/limits.h"
#include "lb/base/path.h"
#include "lb/base/text_map.h"
#include "listeners/load/rule_domain.h"
#include "listeners/load/rule_url.h"

/* The urls of one domain. */
struct urls {
    struct text_map exact;
    struct text_map prefixes;
    size_t longest_prefix;
    bool catches_all; /* its only url is "/": no reading chooses another rule */
};

struct router {
    const struct domain *default_domain;
    struct text_map names;
    struct text_map suffixes; /* ".example.com" of "*.example.com", hashed from the right */
    struct urls *urls;        /* by the domain's index */
};

/* Building. */

static uint64_t hash_from_right(struct slice text)
{
    uint64_t hash = TEXT_HASH_START;
    for (size_t i = text.length; i > 0; i--)
        hash = text_hash_add(hash, text.at[i - 1]);
    return hash;
}

static void add_domain(struct router *router, const struct domain *domain)
{
    struct slice pattern = slice_of(domain->pattern);
    if (pattern.length == 0)
        return;
    if (pattern.at[0] == '*') {
        struct slice suffix = {pattern.at + 1, pattern.length - 1};
        text_map_add(&router->suffixes, hash_from_right(suffix), suffix, domain);
        return;
    }
    text_map_add(&router->names, text_hash(pattern), pattern, domain);
}

static void add_rule(struct urls *urls, const struct rule *rule)
{
    struct rule_url url;
    if (!rule_url_parse(&url, rule->options->url, NULL))
        return;
    struct text_map *map = url.kind == RULE_URL_EXACT ? &urls->exact : &urls->prefixes;
    text_map_add(map, text_hash(url.path), url.path, rule);
    if (url.kind == RULE_URL_PREFIX && url.path.length > urls->longest_prefix)
        urls->longest_prefix = url.path.length;
}

struct router *router_new(const struct domain *domains, unsigned domain_count,
                          const struct rule *rules, unsigned rule_count, unsigned default_domain,
                          struct arena *arena)
{
    struct router *router = arena_alloc(arena, sizeof *router);
    unsigned *counts = arena_alloc(arena, (domain_count + 1) * sizeof *counts);
    router->default_domain = &domains[default_domain];
    router->urls = arena_alloc(arena, (domain_count + 1) * sizeof *router->urls);
    text_map_init(&router->names, domain_count, arena);
    text_map_init(&router->suffixes, domain_count, arena);
    for (unsigned i = 0; i < domain_count; i++)
        add_domain(router, &domains[i]);
    for (unsigned i = 0; i < rule_count; i++)
        counts[rules[i].domain->index]++;
    for (unsigned i = 0; i < domain_count; i++) {
        text_map_init(&router->urls[i].exact, counts[i], arena);
        text_map_init(&router->urls[i].prefixes, counts[i], arena);
    }
    for (unsigned i = 0; i < rule_count; i++) {
        struct urls *urls = &router->urls[rules[i].domain->index];
        add_rule(urls, &rules[i]);
        urls->catches_all =
            counts[rules[i].domain->index] == 1 && strcmp(rules[i].options->url, "/") == 0;
    }
    return router;
}

/* Names. */

static const struct domain *find_suffix(const struct router *router, struct slice name)
{
    const struct domain *longest = NULL;
    uint64_t hash = TEXT_HASH_START;
    for (size_t i = name.length; i > 1; i--) {
        hash = text_hash_add(hash, name.at[i - 1]);
        if (name.at[i - 1] != '.')
            continue;
        struct slice suffix = {name.at + i - 1, name.length - i + 1};
        const struct domain *found = text_map_get(&router->suffixes, hash, suffix);
        if (found)
            longest = found;
    }
    return longest;
}

const struct domain *router_known_domain(const struct router *router, struct slice host)
{
    char text[RULE_DOMAIN_BYTES];
    struct slice name = {text, rule_domain_of_host(host, text)};
    if (name.length == 0)
        return NULL;
    const struct domain *exact = text_map_get(&router->names, text_hash(name), name);
    return exact ? exact : find_suffix(router, name);
}

const struct domain *router_domain(const struct router *router, struct slice host)
{
    const struct domain *known = router_known_domain(router, host);
    return known ? known : router->default_domain;
}

const struct domain *router_default_domain(const struct router *router)
{
    return router->default_domain;
}

/* Paths. */

static const struct rule *find_prefix(const struct urls *urls, struct slice path)
{
    const struct rule *longest = NULL;
    uint64_t hash = TEXT_HASH_START;
    for (size_t i = 0; i <= path.length && i <= urls->longest_prefix; i++) {
        /* The border is before a slash, behind one, or the end: "/abc" and "/abc/" are both asked.
         */
        bool is_border = i == path.length || path.at[i] == '/' || (i > 0 && path.at[i - 1] == '/');
        if (is_border) {
            const struct rule *found =
                text_map_get(&urls->prefixes, hash, (struct slice){path.at, i});
            if (found)
                longest = found;
        }
        if (i < path.length)
            hash = text_hash_add(hash, path.at[i]);
    }
    return longest;
}

/* The rule of one reading of a path, or NULL. */
static const struct rule *find_rule(const struct urls *urls, struct slice path)
{
    const struct rule *exact = text_map_get(&urls->exact, text_hash(path), path);
    return exact ? exact : find_prefix(urls, path);
}

/* A path that every reader reads in one way, or that chooses one rule whatever the reading. */
static enum route rule_of_readings(const struct urls *urls, struct slice path,
                                   const struct rule **ret_rule)
{
    char bytes[PATH_READING_BYTES];
    struct slice reading;
    if (path_decode(path, bytes, sizeof bytes, &reading) != PATH_FINE)
        return ROUTE_AMBIGUOUS;
    const struct rule *rule = find_rule(urls, reading);
    unsigned doubts = urls->catches_all ? 0 : path_doubts(path);
    for (unsigned ways = doubts; ways != 0; ways = (ways - 1) & doubts)
        if (path_read(path, ways, bytes, sizeof bytes, &reading) != PATH_FINE ||
            find_rule(urls, reading) != rule)
            return ROUTE_AMBIGUOUS;
    if (rule)
        *ret_rule = rule;
    return rule ? ROUTE_FOUND : ROUTE_NONE;
}

enum route router_rule(const struct router *router, const struct domain *domain, struct slice path,
                       const struct rule **ret_rule)
{
    const struct urls *urls = &router->urls[domain->index];
    if (slice_is(path, "*"))
        path = slice_of("/");
    if (!path_is_plain(path))
        return rule_of_readings(urls, path, ret_rule);
    const struct rule *rule = find_rule(urls, path);
    if (rule)
        *ret_rule = rule;
    return rule ? ROUTE_FOUND : ROUTE_NONE;
}
