/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names and paths are brought into the form that rules are written in, and looked up. Collisions of
 * the hashes cannot be forced from outside, because only the config fills the maps.
 */
#include "listeners/rules/router.h"

#include "lb/base/limits.h"
#include "lb/base/path.h"
#include "lb/base/regex.h"
#include "listeners/rules/router_domains.h"
#include "listeners/rules/router_urls.h"

struct router {
    const struct domain *default_domain;
    struct router_domains domains;
    unsigned domain_count;
    struct router_urls *urls; /* by the domain's index */
};

/* --- life ------------------------------------------------------------------------------------- */

struct router *router_new(const struct domain *domains, unsigned domain_count,
                          const struct rule *rules, unsigned rule_count, unsigned default_domain,
                          struct arena *arena)
{
    struct router *router = arena_alloc(arena, sizeof *router);
    router->default_domain = &domains[default_domain];
    router->domain_count = domain_count;
    router->urls = arena_alloc(arena, (domain_count + 1) * sizeof *router->urls);
    router_domains_build(&router->domains, domains, domain_count, arena);
    router_urls_build(router->urls, domain_count, rules, rule_count, arena);
    return router;
}

void router_done(struct router *router)
{
    if (!router)
        return;
    router_domains_done(&router->domains);
    for (unsigned i = 0; i < router->domain_count; i++)
        router_urls_done(&router->urls[i]);
}

/* --- names ------------------------------------------------------------------------------------ */

const struct domain *router_known_domain(const struct router *router, struct slice host)
{
    const struct domain *known = NULL;
    router_domains_find(&router->domains, host, &known);
    return known;
}

const struct domain *router_domain(const struct router *router, struct slice host)
{
    const struct domain *domain = NULL;
    switch (router_domains_find(&router->domains, host, &domain)) {
    case ROUTER_NAME_KNOWN:
        return domain;
    case ROUTER_NAME_UNKNOWN:
        return router->default_domain;
    case ROUTER_NAME_UNDECIDED:
        return NULL;
    }
    return NULL;
}

const struct domain *router_default_domain(const struct router *router)
{
    return router->default_domain;
}

/* --- paths ------------------------------------------------------------------------------------ */

/* Does every other reading of the path choose what the first one did? */
static enum route compare_readings(const struct router_urls *urls, struct slice path,
                                   struct slice first, const struct rule *rule, enum route route,
                                   struct regex_room *room)
{
    char bytes[PATH_READING_BYTES];
    unsigned doubts = urls->catches_all ? 0 : path_doubts(path);
    room->share = 1U << (unsigned)__builtin_popcount(doubts); /* readings */
    for (unsigned ways = doubts; ways != 0; ways = (ways - 1) & doubts) {
        struct slice reading;
        const struct rule *other = NULL;
        if (path_read(path, ways, bytes, sizeof bytes, &reading) != PATH_FINE)
            return ROUTE_AMBIGUOUS;
        if (slice_equal(reading, first))
            continue;
        if (router_urls_find(urls, reading, room, &other) != route || other != rule)
            return ROUTE_AMBIGUOUS;
    }
    return route;
}

/* A path that every reader reads in one way, or that chooses one rule whatever the reading. */
static enum route route_of_readings(const struct router_urls *urls, struct slice path,
                                    struct regex_room *room, const struct rule **ret_rule)
{
    char bytes[PATH_READING_BYTES];
    struct slice reading;
    const struct rule *rule = NULL;
    if (path_decode(path, bytes, sizeof bytes, &reading) != PATH_FINE)
        return ROUTE_AMBIGUOUS;
    enum route route = router_urls_find(urls, reading, room, &rule);
    if (route != ROUTE_UNDECIDED)
        route = compare_readings(urls, path, reading, rule, route, room);
    if (rule && route != ROUTE_AMBIGUOUS)
        *ret_rule = rule;
    return route;
}

enum route router_rule(const struct router *router, const struct domain *domain, struct slice path,
                       const struct rule **ret_rule)
{
    const struct router_urls *urls = &router->urls[domain->index];
    struct regex_room room = {0};
    if (slice_is(path, "*"))
        path = slice_of("/");
    enum route route = path_is_plain(path) ? router_urls_find(urls, path, &room, ret_rule)
                                           : route_of_readings(urls, path, &room, ret_rule);
    regex_room_done(&room);
    return route;
}
