/* SPDX-License-Identifier: Apache-2.0 */
/* Groups a listener's rules by their domain, finds urls that are there twice, and the default
 * domain. */
#include <string.h>

#include "lb/base/text_map.h"
#include "listeners/load/listener_build.h"
#include "listeners/load/rule_url.h"

static struct domain *domain_get(struct listener_build *build, struct text_map *map,
                                 const char *pattern)
{
    struct listener *listener = build->listener;
    struct slice key = slice_of(pattern);
    uint64_t hash = text_hash(key);
    const struct domain *known = text_map_get(map, hash, key);
    if (known)
        return &listener->domains[known->index];
    struct domain *domain = &listener->domains[listener->domain_count];
    domain->pattern = pattern;
    domain->index = listener->domain_count++;
    text_map_add(map, hash, key, domain);
    return domain;
}

/* What makes two urls one: "/a" and "^~/a" are for the same paths. */
static struct slice url_key(struct arena *arena, const struct domain *domain,
                            const struct rule_url *url)
{
    enum rule_url_kind kind = url->kind == RULE_URL_FINAL ? RULE_URL_PREFIX : url->kind;
    return slice_of(
        arena_format(arena, "%u %s %s", domain->index, rule_url_mark(kind), url->text.at));
}

/* The same url twice in one domain: the second rule would never be asked. */
static void check_url(struct listener_build *build, struct text_map *urls, const struct rule *rule)
{
    struct rule_url url = rule_url_split(rule->options->url);
    struct slice key = url_key(build->arena, rule->domain, &url);
    const struct rule *other = text_map_add(urls, text_hash(key), key, rule);
    if (!other)
        return;
    struct rule_url others = rule_url_split(other->options->url);
    bool differ = url.kind != others.kind; /* "/a" beside "^~/a" */
    LISTENER_ERROR(
        build, rule->line,
        "rules %s (line %u) and %s are both for %s%s, url %s%s%s%s%s on listener %s: change "
        "the domain or the url of one",
        other->name, other->line, rule->name,
        *rule->domain->pattern ? "domain " : "every other host", rule->domain->pattern,
        rule_url_mark(others.kind), url.text.at, differ ? " and " : "",
        differ ? rule_url_mark(url.kind) : "", differ ? url.text.at : "", build->listener->name);
}

static const struct rule *first_rule(const struct listener *listener, const char *pattern)
{
    for (unsigned i = 0; i < listener->rule_count; i++)
        if (strcmp(listener->rules[i].domain->pattern, pattern) == 0)
            return &listener->rules[i];
    return NULL;
}

/* Rules without a domain are the default domain; else the one that says so is, else the first. */
static void choose_default(struct listener_build *build)
{
    const struct listener *listener = build->listener;
    const struct rule *any = first_rule(listener, "");
    const struct rule *chosen = any;
    for (unsigned i = 0; i < listener->rule_count; i++) {
        const struct rule *rule = &listener->rules[i];
        if (!rule->options->is_default || (chosen && chosen->domain == rule->domain))
            continue;
        unsigned line = rule->options->is_default_line;
        if (!chosen)
            chosen = rule;
        else if (chosen == any)
            LISTENER_ERROR(build, line,
                           "domain %s cannot be the default domain of listener %s: rule %s (line "
                           "%u) has no domain and so serves every other host",
                           rule->domain->pattern, listener->name, any->name, any->line);
        else
            LISTENER_ERROR(build, line,
                           "listener %s has two default domains, %s (line %u) and %s: keep one "
                           "\"default = yes\"",
                           listener->name, chosen->domain->pattern,
                           chosen->options->is_default_line, rule->domain->pattern);
    }
    build->default_domain = chosen ? chosen->domain->index : 0;
}

void listener_build_domains(struct listener_build *build)
{
    struct listener *listener = build->listener;
    struct text_map domains, urls;
    text_map_init(&domains, listener->rule_count, build->arena);
    text_map_init(&urls, listener->rule_count, build->arena);
    listener->domains =
        arena_alloc(build->arena, (listener->rule_count + 1) * sizeof *listener->domains);
    for (unsigned i = 0; i < listener->rule_count; i++) {
        struct rule *rule = &listener->rules[i];
        rule->domain = domain_get(build, &domains, build->sections[i].pattern);
        if (build->sections[i].has_url)
            check_url(build, &urls, rule);
    }
    choose_default(build);
}
