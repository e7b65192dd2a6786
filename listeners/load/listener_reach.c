/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Warns of rules that no request can ever choose, where that is certain: an expression that takes
 * every path, or every path with a literal beginning, stands in the way; or a `^~` prefix under
 * which no expression is asked.
 *
 * Literal beginnings of all domains are in one map, hashed on from a number of their domain's own;
 * to ask for each beginning of a text is one walk over it.
 */
#include <string.h>

#include "lb/base/text_map.h"
#include "listeners/load/listener_build.h"
#include "listeners/load/rule_domain.h"
#include "listeners/load/rule_literal.h"
#include "listeners/load/rule_url.h"

/* A `^~` prefix. */
struct final {
    const struct rule *rule;
    bool is_broken; /* a plain prefix lies below: expressions are asked there */
};

/* What stands in the way of others. */
struct obstacles {
    const struct rule **takes_all;  /* by the domain's index: its first expression for every path */
    const struct rule *takes_names; /* of the first domain whose expression matches every name */
    struct text_map as_written; /* beginnings that expressions take whole; to their first rule */
    struct text_map any_case;   /* the same in lower case, of expressions that ignore it */
    struct text_map finals;     /* to struct final */
    struct final *final_places; /* by the rule's index */
};

static uint64_t hash_start(const struct domain *domain)
{
    return TEXT_HASH_START ^ (UINT64_C(0x9e3779b97f4a7c15) * domain->index);
}

static uint64_t hash_on(uint64_t hash, struct slice text)
{
    for (size_t i = 0; i < text.length; i++)
        hash = text_hash_add(hash, text.at[i]);
    return hash;
}

static unsigned line_of(const struct rule *rule)
{
    return listener_build_line(rule->options->url_line, rule->line);
}

/* --- collecting ------------------------------------------------------------------------------- */

static void collect_regex(struct listener_build *build, struct obstacles *all,
                          const struct rule *rule, const struct rule_url *url)
{
    bool any_case = url->kind == RULE_URL_REGEX_ANY_CASE;
    struct rule_literal literal;
    rule_literal_read(&literal, url->text.at, any_case);
    const struct rule **takes_all = &all->takes_all[rule->domain->index];
    if (literal.takes_paths && !*takes_all)
        *takes_all = rule;
    if (!literal.is_whole || literal.length == 0)
        return;
    struct slice text = slice_of(arena_copy(build->arena, literal.text));
    text_map_add(any_case ? &all->any_case : &all->as_written,
                 hash_on(hash_start(rule->domain), text), text, rule);
}

static void collect_rule(struct listener_build *build, struct obstacles *all,
                         const struct rule *rule)
{
    struct rule_url url = rule_url_split(rule->options->url);
    struct rule_literal literal;
    if (rule_url_is_regex(url.kind))
        collect_regex(build, all, rule, &url);
    if (url.kind == RULE_URL_FINAL) {
        struct final *final = &all->final_places[rule - build->listener->rules];
        final->rule = rule;
        text_map_add(&all->finals, hash_on(hash_start(rule->domain), url.text), url.text, final);
    }
    if (all->takes_names || rule_domain_kind_of(rule->domain->pattern) != RULE_DOMAIN_REGEX)
        return;
    rule_literal_read(&literal, rule->domain->pattern + 1, true);
    if (literal.takes_names)
        all->takes_names = rule;
}

/* The `^~` prefix above `text`, or NULL; the first that fulfils `wanted`. */
static struct final *final_above(const struct obstacles *all, const struct domain *domain,
                                 struct slice text, bool is_broken)
{
    uint64_t hash = hash_start(domain);
    for (size_t i = 0; i <= text.length; i++) {
        bool is_border = (i < text.length && text.at[i] == '/') || (i > 0 && text.at[i - 1] == '/');
        struct final *found =
            is_border ? (struct final *)text_map_get(&all->finals, hash, (struct slice){text.at, i})
                      : NULL;
        if (found && found->is_broken == is_broken)
            return found;
        if (i < text.length)
            hash = text_hash_add(hash, text.at[i]);
    }
    return NULL;
}

static void break_finals(const struct obstacles *all, const struct rule *rule)
{
    struct rule_url url = rule_url_split(rule->options->url);
    struct final *final;
    while (url.kind == RULE_URL_PREFIX && (final = final_above(all, rule->domain, url.text, false)))
        final->is_broken = true;
}

static void collect(struct listener_build *build, struct obstacles *all)
{
    const struct listener *listener = build->listener;
    text_map_init(&all->as_written, listener->rule_count, build->arena);
    text_map_init(&all->any_case, listener->rule_count, build->arena);
    text_map_init(&all->finals, listener->rule_count, build->arena);
    all->takes_all =
        arena_alloc(build->arena, (listener->domain_count + 1) * sizeof(const struct rule *));
    all->final_places =
        arena_alloc(build->arena, (listener->rule_count + 1) * sizeof *all->final_places);
    for (unsigned i = 0; i < listener->rule_count; i++)
        collect_rule(build, all, &listener->rules[i]);
    for (unsigned i = 0; i < listener->rule_count; i++)
        break_finals(all, &listener->rules[i]);
}

/* --- judging ---------------------------------------------------------------------------------- */

static void warn(struct listener_build *build, const struct rule *rule, const struct rule *other,
                 const char *why, const char *remedy)
{
    LISTENER_WARN(build, line_of(rule),
                  "rule %s is never reached on listener %s: rule %s (line %u) %s; %s", rule->name,
                  build->listener->name, other->name, line_of(other), why, remedy);
}

/* An expression before `before` (NULL: anywhere) that takes all that begins with `text`. */
static const struct rule *taker_in(const struct text_map *map, const struct domain *domain,
                                   struct slice text, const struct rule *before)
{
    uint64_t hash = hash_start(domain);
    for (size_t i = 0; i < text.length; i++) {
        hash = text_hash_add(hash, text.at[i]);
        const struct rule *found = text_map_get(map, hash, (struct slice){text.at, i + 1});
        if (found && (!before || found < before))
            return found;
    }
    return NULL;
}

static const struct rule *taker_of(const struct obstacles *all, const struct rule *rule,
                                   struct slice text, const struct rule *before)
{
    char lowered[RULE_LITERAL_BYTES];
    const struct rule *found = taker_in(&all->as_written, rule->domain, text, before);
    if (found || text.length > sizeof lowered)
        return found;
    for (size_t i = 0; i < text.length; i++)
        lowered[i] =
            text.at[i] >= 'A' && text.at[i] <= 'Z' ? (char)(text.at[i] + ('a' - 'A')) : text.at[i];
    return taker_in(&all->any_case, rule->domain, (struct slice){lowered, text.length}, before);
}

static void judge_prefix(struct listener_build *build, const struct obstacles *all,
                         const struct rule *rule, struct slice path)
{
    const struct rule *taker = all->takes_all[rule->domain->index];
    if (path.length > 1 && path.at[path.length - 1] == '/')
        path.length--; /* "/abc" is answered by the rule of "/abc/", too */
    if (!taker)
        taker = taker_of(all, rule, path, NULL);
    if (taker)
        warn(build, rule, taker, "has a regular expression that takes all its paths",
             "write ^~ before the prefix, or make the expression narrower");
}

static void judge_regex(struct listener_build *build, const struct obstacles *all,
                        const struct rule *rule, const struct rule_url *url)
{
    bool any_case = url->kind == RULE_URL_REGEX_ANY_CASE;
    struct rule_literal literal;
    rule_literal_read(&literal, url->text.at, any_case);
    struct slice text = {literal.text, literal.length};
    const struct rule *taker = all->takes_all[rule->domain->index];
    if (!taker || taker >= rule)
        taker = any_case ? taker_in(&all->any_case, rule->domain, text, rule)
                         : taker_of(all, rule, text, rule);
    if (taker) {
        warn(build, rule, taker, "stands before it and takes all its paths",
             "put it before that one, or make that expression narrower");
        return;
    }
    /* Any path is below "/"; others are only certain to be below what they begin with. */
    const struct final *final =
        final_above(all, rule->domain, any_case || text.length == 0 ? slice_of("/") : text, false);
    if (final)
        warn(build, rule, final->rule, "has a ^~ prefix, under which no expression is asked",
             "take the ^~ away there");
}

/* Names that this rule's domain is for go to an earlier one. */
static bool is_nameless(const struct listener_build *build, const struct obstacles *all,
                        const struct rule *rule)
{
    return all->takes_names && rule->domain->index > all->takes_names->domain->index &&
           rule_domain_kind_of(rule->domain->pattern) == RULE_DOMAIN_REGEX &&
           rule->domain->index != build->default_domain;
}

static void judge(struct listener_build *build, const struct obstacles *all,
                  const struct rule *rule)
{
    struct rule_url url = rule_url_split(rule->options->url);
    if (is_nameless(build, all, rule))
        warn(build, rule, all->takes_names,
             "has a domain that stands before its own and matches "
             "every name",
             "put its domain before that one, or make that expression narrower");
    else if (url.kind == RULE_URL_PREFIX)
        judge_prefix(build, all, rule, url.text);
    else if (rule_url_is_regex(url.kind))
        judge_regex(build, all, rule, &url);
}

void listener_warn_of_unreachable(struct listener_build *build)
{
    struct obstacles all = {.takes_names = NULL};
    collect(build, &all);
    for (unsigned i = 0; i < build->listener->rule_count; i++)
        judge(build, &all, &build->listener->rules[i]);
}
