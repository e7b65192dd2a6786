/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A path costs one walk over its bytes: the hash grows with each byte, and the map is asked at each
 * segment's border. The last that is found is the longest. So the cost is that of the path, however
 * many rules there are, until regular expressions are asked.
 */
#include "listeners/rules/router_urls.h"

#include "lb/base/error.h"
#include "lb/base/regex.h"
#include "listeners/load/rule_url.h"

/* What the maps lead to. */
struct router_url {
    const struct rule *rule;
    bool is_final;
};

/* A prefix that was found. */
struct hit {
    const struct router_url *url; /* NULL: none */
    bool lacks_slash;             /* the path is the url but for its last slash */
};

/* --- building --------------------------------------------------------------------------------- */

/* "/abc/" is asked for "/abc", too. */
static bool has_slash(struct slice path)
{
    return path.length > 1 && path.at[path.length - 1] == '/';
}

static void count_rule(struct router_urls *urls, const struct rule_url *url)
{
    urls->rule_count++;
    switch (url->kind) {
    case RULE_URL_EXACT:
        urls->exact_count++;
        return;
    case RULE_URL_PREFIX:
    case RULE_URL_FINAL:
        urls->prefix_count++;
        urls->slash_count += has_slash(url->text);
        if (url->text.length > urls->longest_prefix)
            urls->longest_prefix = url->text.length;
        urls->catches_all = slice_is(url->text, "/");
        return;
    case RULE_URL_REGEX:
    case RULE_URL_REGEX_ANY_CASE:
        urls->regex_most++;
        return;
    }
}

static void make_room(struct router_urls *urls, struct arena *arena)
{
    text_map_init(&urls->exact, urls->exact_count, arena);
    text_map_init(&urls->prefixes, urls->prefix_count, arena);
    text_map_init(&urls->slashes, urls->slash_count, arena);
    urls->regexes = arena_alloc(arena, (urls->regex_most + 1) * sizeof *urls->regexes);
    urls->catches_all = urls->catches_all && urls->rule_count == 1;
}

static void add_regex(struct router_urls *urls, const struct rule *rule, const struct rule_url *url)
{
    enum regex_case letters =
        url->kind == RULE_URL_REGEX_ANY_CASE ? REGEX_ANY_CASE : REGEX_AS_WRITTEN;
    struct regex *regex = regex_new(url->text.at, letters, NULL);
    if (!regex)
        error_out_of_memory(); /* the pattern is checked */
    urls->regexes[urls->regex_count++] = (struct router_url_regex){regex, rule};
}

static void add_rule(struct router_urls *urls, const struct rule *rule, struct router_url *place)
{
    struct rule_url url = rule_url_split(rule->options->url);
    *place = (struct router_url){rule, url.kind == RULE_URL_FINAL};
    if (rule_url_is_regex(url.kind)) {
        add_regex(urls, rule, &url);
        return;
    }
    struct text_map *map = url.kind == RULE_URL_EXACT ? &urls->exact : &urls->prefixes;
    text_map_add(map, text_hash(url.text), url.text, place);
    if (rule_url_is_prefix(url.kind) && has_slash(url.text)) {
        struct slice bare = {url.text.at, url.text.length - 1};
        text_map_add(&urls->slashes, text_hash(bare), bare, place);
    }
}

void router_urls_build(struct router_urls *urls, unsigned domain_count, const struct rule *rules,
                       unsigned rule_count, struct arena *arena)
{
    struct router_url *places = arena_alloc(arena, (rule_count + 1) * sizeof *places);
    for (unsigned i = 0; i < rule_count; i++) {
        struct rule_url url = rule_url_split(rules[i].options->url);
        count_rule(&urls[rules[i].domain->index], &url);
    }
    for (unsigned i = 0; i < domain_count; i++)
        make_room(&urls[i], arena);
    for (unsigned i = 0; i < rule_count; i++)
        add_rule(&urls[rules[i].domain->index], &rules[i], &places[i]);
}

void router_urls_done(struct router_urls *urls)
{
    for (unsigned i = 0; i < urls->regex_count; i++)
        regex_free(urls->regexes[i].regex);
    urls->regex_count = 0;
}

/* --- finding ---------------------------------------------------------------------------------- */

/* The longest prefix; "/abc/" counts as a prefix of "/abc" where there is no "/abc". */
static struct hit find_prefix(const struct router_urls *urls, struct slice path)
{
    struct hit longest = {NULL, false};
    uint64_t hash = TEXT_HASH_START;
    for (size_t i = 0; i <= path.length && i <= urls->longest_prefix; i++) {
        /* The border is before a slash, behind one, or the end: "/abc" and "/abc/" are both asked.
         */
        bool is_border = i == path.length || path.at[i] == '/' || (i > 0 && path.at[i - 1] == '/');
        struct slice part = {path.at, i};
        const struct router_url *found =
            is_border ? text_map_get(&urls->prefixes, hash, part) : NULL;
        if (found)
            longest = (struct hit){found, false};
        else if (i == path.length && (found = text_map_get(&urls->slashes, hash, part)))
            longest = (struct hit){found, true};
        if (i < path.length)
            hash = text_hash_add(hash, path.at[i]);
    }
    return longest;
}

/* The first that matches. One that cannot be decided might have been it: no other rule may be
 * taken. */
static enum route find_regex(const struct router_urls *urls, struct slice path,
                             struct regex_room *room, const struct rule **ret_rule)
{
    for (unsigned i = 0; i < urls->regex_count; i++) {
        enum regex_outcome outcome = regex_match(urls->regexes[i].regex, path, room);
        if (outcome == REGEX_DIFFERS)
            continue;
        *ret_rule = urls->regexes[i].rule;
        return outcome == REGEX_MATCHES ? ROUTE_FOUND : ROUTE_UNDECIDED;
    }
    return ROUTE_NONE;
}

static enum route route_of(struct hit hit, const struct rule **ret_rule)
{
    if (!hit.url)
        return ROUTE_NONE;
    *ret_rule = hit.url->rule;
    return hit.lacks_slash ? ROUTE_SLASH : ROUTE_FOUND;
}

enum route router_urls_find(const struct router_urls *urls, struct slice path,
                            struct regex_room *room, const struct rule **ret_rule)
{
    const struct router_url *exact =
        urls->exact_count > 0 ? text_map_get(&urls->exact, text_hash(path), path) : NULL;
    if (exact)
        return route_of((struct hit){exact, false}, ret_rule);
    struct hit hit = find_prefix(urls, path);
    if (hit.url && hit.url->is_final)
        return route_of(hit, ret_rule);
    enum route route = find_regex(urls, path, room, ret_rule);
    return route == ROUTE_NONE ? route_of(hit, ret_rule) : route;
}
