/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose requests each [access] section can meet on a listener: its rules have asked for
 * certificates before, in their way. Where it is not plain to see which rules a section meets, it
 * may be those of any domain.
 */
#include "lb/base/text_map.h"
#include "listeners/load/access_section.h"
#include "listeners/load/access_wider.h"
#include "listeners/load/listener_build.h"
#include "listeners/load/rule_domain.h"
#include "listeners/rules/router.h"

enum { EVERYBODY = ACCESS_OF_VERIFIED | ACCESS_OF_MISSING | ACCESS_OF_INVALID };

struct clients {
    unsigned *domains;      /* by the domain's index */
    unsigned all;           /* of any domain */
    bool has_vague_domains; /* some that names are not told by their end */
};

/* Those who come past the rule. */
static unsigned clients_of(const struct listener *listener, const struct rule *rule)
{
    int mode = rule->options->mutual_auth_line ? rule->options->mutual_auth
                                               : listener->options->mutual_auth;
    bool exempts = rule->options->exempt_from.count > 0;
    if (mode == MUTUAL_AUTH_WHEN_BOUND)
        return exempts ? EVERYBODY : ACCESS_OF_VERIFIED | ACCESS_OF_MISSING;
    switch (rule->auth.mode) {
    case AUTH_OFF:
        return ACCESS_OF_MISSING;
    case AUTH_REQUEST:
        return EVERYBODY;
    case AUTH_REQUIRE:
        break;
    }
    return exempts ? EVERYBODY : ACCESS_OF_VERIFIED;
}

static struct clients read_rules(const struct listener_build *build)
{
    const struct listener *listener = build->listener;
    struct clients clients = {.all = 0};
    clients.domains =
        arena_alloc(build->arena, (listener->domain_count + 1) * sizeof *clients.domains);
    for (unsigned i = 0; i < listener->rule_count; i++) {
        unsigned found = clients_of(listener, &listener->rules[i]);
        clients.domains[listener->rules[i].domain->index] |= found;
        clients.all |= found;
    }
    for (unsigned i = 0; i < listener->domain_count; i++) {
        enum rule_domain_kind kind = rule_domain_kind_of(listener->domains[i].pattern);
        clients.has_vague_domains |= kind == RULE_DOMAIN_PREFIX || kind == RULE_DOMAIN_REGEX;
    }
    return clients;
}

/* --- by pattern ------------------------------------------------------------------------------- */

struct tell {
    const struct text_map *places; /* by pattern: to unsigned, whose requests */
    unsigned found;
};

static bool on_pattern(void *arg, struct slice pattern)
{
    const struct tell *tell = arg;
    unsigned *place = (unsigned *)text_map_get(tell->places, text_hash(pattern), pattern);
    if (place)
        *place |= tell->found;
    return false;
}

/* What the domains have that a section's pattern is for as a whole. */
static void make_places(const struct listener_build *build, const struct clients *clients,
                        struct text_map *places)
{
    const struct listener *listener = build->listener;
    text_map_init(places, listener->access_count, build->arena);
    unsigned *all = arena_alloc(build->arena, (listener->access_count + 1) * sizeof *all);
    for (unsigned i = 0; i < listener->access_count; i++) {
        struct slice pattern = slice_of(listener->access_sections[i]->pattern);
        text_map_add(places, text_hash(pattern), pattern, &all[i]);
    }
    for (unsigned i = 0; i < listener->domain_count; i++) {
        struct tell tell = {places, clients->domains[i]};
        access_wider_visit(listener->domains[i].pattern, on_pattern, &tell);
    }
}

static unsigned met_by(const struct listener_build *build, const struct clients *clients,
                       const struct text_map *places, const struct access_section *section)
{
    const struct router *router = build->listener->router;
    enum rule_domain_kind kind = rule_domain_kind_of(section->pattern);
    bool is_plain =
        kind == RULE_DOMAIN_NAME || (kind == RULE_DOMAIN_SUFFIX && !clients->has_vague_domains);
    if (!is_plain)
        return clients->all;
    struct slice pattern = slice_of(section->pattern);
    const unsigned *place = text_map_get(places, text_hash(pattern), pattern);
    struct slice sample = slice_of(access_wider_sample(section->pattern, build->arena));
    const struct domain *domain = router_known_domain(router, sample);
    return *place | clients->domains[(domain ? domain : router_default_domain(router))->index];
}

void listener_note_access_clients(struct listener_build *build)
{
    const struct listener *listener = build->listener;
    const struct clients clients = read_rules(build);
    struct text_map places;
    make_places(build, &clients, &places);
    for (unsigned i = 0; i < listener->access_count; i++)
        listener->access_sections[i]->clients_met |=
            met_by(build, &clients, &places, listener->access_sections[i]);
}
