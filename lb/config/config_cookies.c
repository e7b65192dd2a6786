/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/config/config_cookies.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lb/config/config.h"

/* One rule whose pool sets cookies; one that names no domain has an entry for each listener. */
struct use {
    const char *domain;   /* "": every other host … */
    const char *listener; /* … of this listener; "" where there is a domain */
    const char *cookie;
    unsigned pool; /* index of its section */
    unsigned line; /* of the rule's `pool` */
};

struct uses {
    struct use *items;
    unsigned count;
};

static bool is_same_place(const struct use *one, const struct use *other)
{
    return strcasecmp(one->domain, other->domain) == 0 &&
           strcmp(one->listener, other->listener) == 0 && strcmp(one->cookie, other->cookie) == 0;
}

/* What is of the same place comes together, in the file's order. */
static int compare(const void *one_, const void *other_)
{
    const struct use *one = one_, *other = other_;
    int order = strcasecmp(one->domain, other->domain);
    if (order == 0)
        order = strcmp(one->listener, other->listener);
    if (order == 0)
        order = strcmp(one->cookie, other->cookie);
    return order ? order : (one->line > other->line) - (one->line < other->line);
}

static void add(struct uses *uses, const struct rule_options *rule, unsigned pool,
                const struct pool_options *options)
{
    struct use use = {rule->domain ? rule->domain : "", "", options->persistence_cookie, pool,
                      rule->pool_line};
    if (rule->domain) {
        uses->items[uses->count++] = use;
        return;
    }
    for (unsigned i = 0; i < rule->listener.count; i++) {
        use.listener = rule->listener.items[i];
        uses->items[uses->count++] = use;
    }
}

static void warn(const struct use *use, const struct use *first,
                 const struct config_sections *sections, const struct config_source *source)
{
    problems_warn(source->problems, source->file, use->line,
                  "pools %s and %s both serve %s%s and both call their cookie %s, so that each "
                  "overwrites the other's: give one of them another persistence_cookie",
                  sections->pools[first->pool].name, sections->pools[use->pool].name,
                  *use->domain ? use->domain : "the default domain of listener ", use->listener,
                  use->cookie);
}

/* RFC 6265bis 4.1.3: browsers take cookies of these names only with Secure, which lb does not say
 * to those who speak http. */
static bool needs_https(const char *cookie)
{
    return strncasecmp(cookie, "__Host-", 7) == 0 || strncasecmp(cookie, "__Secure-", 9) == 0;
}

static const char *first_http_listener(const struct config_sections *sections,
                                       const struct rule_options *rule)
{
    for (unsigned i = 0; i < rule->listener.count; i++) {
        const char *name = rule->listener.items[i];
        const struct config_section *section = config_names_find(&sections->listener_names, name);
        const struct listener_options *options = section ? section->options : NULL;
        if (options && options->protocol == LISTENER_HTTP)
            return name;
    }
    return NULL;
}

static void check_name(const struct rule_options *rule, const struct pool_options *pool,
                       const struct config_sections *sections, const struct config_source *source)
{
    const char *listener =
        needs_https(pool->persistence_cookie) ? first_http_listener(sections, rule) : NULL;
    if (listener)
        problems_warn(source->problems, source->file, rule->pool_line,
                      "browsers take a cookie named %s only over https, but listener %s speaks "
                      "http: nobody sticks there; give pool %s another persistence_cookie",
                      pool->persistence_cookie, listener, rule->pool);
}

static bool sets_any_cookie(const struct config_sections *sections)
{
    for (unsigned i = 0; i < sections->pool_count; i++) {
        const struct pool_options *options = sections->pools[i].options;
        if (options->session_persistence == PERSISTENCE_COOKIE)
            return true;
    }
    return false;
}

static void collect(struct uses *uses, const struct config_sections *sections,
                    const struct config_source *source)
{
    unsigned most = 0;
    for (unsigned i = 0; i < sections->rule_count; i++) {
        const struct rule_options *rule = sections->rules[i].options;
        most += 1 + rule->listener.count;
    }
    uses->items = arena_alloc(source->arena, (most + 1) * sizeof *uses->items);
    for (unsigned i = 0; i < sections->rule_count; i++) {
        const struct rule_options *rule = sections->rules[i].options;
        const struct config_section *pool =
            rule->pool ? config_names_find(&sections->pool_names, rule->pool) : NULL;
        const struct pool_options *options = pool ? pool->options : NULL;
        if (!options || options->session_persistence != PERSISTENCE_COOKIE)
            continue;
        add(uses, rule, (unsigned)(pool - sections->pools), options);
        check_name(rule, options, sections, source);
    }
}

void config_cookies_check(const struct config_sections *sections,
                          const struct config_source *source)
{
    struct uses uses = {0};
    if (!sets_any_cookie(sections))
        return;
    collect(&uses, sections, source);
    qsort(uses.items, uses.count, sizeof *uses.items, compare);
    bool *is_told = arena_alloc(source->arena, sections->pool_count + 1);
    for (unsigned first = 0, i = 0; i < uses.count; i++) {
        const struct use *use = &uses.items[i];
        if (!is_same_place(use, &uses.items[first]))
            first = i;
        if (use->pool == uses.items[first].pool || is_told[use->pool])
            continue;
        is_told[use->pool] = true;
        warn(use, &uses.items[first], sections, source);
    }
}
