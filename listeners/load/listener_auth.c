/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each rule asks of clients: its own mutual_auth, client_ca and refuse_with, and the
 * listener's where it leaves them out. Rules that name the same CAs share one set.
 */
#include <string.h>

#include "lb/base/text_map.h"
#include "listeners/load/listener_build.h"

/* CA sets by the files they come from; `bad` stands for those that were reported. */
struct shelf {
    struct text_map map;
    struct ca_set *bad;
    bool listener_ca_is_used;
};

static const struct ca_set *keep(struct listener *listener, struct ca_set *loaded)
{
    for (unsigned i = 0; i < listener->ca_set_count; i++) {
        if (memcmp(listener->ca_sets[i]->id, loaded->id, CA_SET_ID_BYTES) != 0)
            continue;
        ca_set_free(loaded);
        return listener->ca_sets[i];
    }
    listener->ca_sets[listener->ca_set_count++] = loaded;
    return loaded;
}

static const struct ca_set *load(struct listener_build *build, struct shelf *shelf,
                                 const struct option_list *files, bool partial)
{
    char *name = arena_copy(build->arena, partial ? "partial" : "whole");
    for (unsigned i = 0; i < files->count; i++)
        name = arena_format(build->arena, "%s\n%s", name, files->items[i]);
    struct slice key = slice_of(name);
    const struct ca_set *known = text_map_get(&shelf->map, text_hash(key), key);
    if (known)
        return known == shelf->bad ? NULL : known;
    struct ca_set *loaded = ca_set_load(files->items, files->lines, files->count, NULL,
                                        (int)build->listener->options->verify_depth, partial,
                                        build->file, build->problems);
    const struct ca_set *kept = loaded ? keep(build->listener, loaded) : NULL;
    text_map_add(&shelf->map, text_hash(key), key, kept ? kept : shelf->bad);
    return kept;
}

static bool partial_of(const struct listener_options *listener, const struct rule_options *rule)
{
    return rule->client_ca_partial_line ? rule->client_ca_partial : listener->client_ca_partial;
}

static void report_no_ca(struct listener_build *build, const struct rule *rule)
{
    const struct listener *listener = build->listener;
    unsigned own_line = rule->options->mutual_auth_line;
    LISTENER_ERROR(build, own_line ? own_line : listener->options->mutual_auth_line,
                   "mutual_auth asks the clients of rule %s (line %u) for certificates, but no CA "
                   "is named: add client_ca to the rule or to listener %s",
                   rule->name, rule->line, listener->name);
}

static void warn_of_idle_keys(struct listener_build *build, const struct rule *rule)
{
    const struct rule_options *options = rule->options;
    if (options->client_ca.count > 0)
        LISTENER_WARN(build, options->client_ca.lines[0],
                      "client_ca of rule %s has no effect, because mutual_auth is off: say "
                      "mutual_auth = require (or request)",
                      rule->name);
    if (options->refuse_with_line)
        LISTENER_WARN(build, options->refuse_with_line,
                      "refuse_with of rule %s has no effect, because mutual_auth is off",
                      rule->name);
}

static void set_refusal(struct listener_build *build, struct rule *rule)
{
    const struct rule_options *own = rule->options;
    const struct listener_options *general = build->listener->options;
    unsigned *line = &build->refuse_lines[rule - build->listener->rules];
    *line = own->refuse_with_line ? own->refuse_with_line : general->refuse_with_line;
    if (own->refuse_with_line)
        rule->auth.refuse_with = (enum refuse_with)own->refuse_with;
    else if (general->refuse_with_line)
        rule->auth.refuse_with = (enum refuse_with)general->refuse_with;
}

static void resolve(struct listener_build *build, struct shelf *shelf, struct rule *rule)
{
    const struct rule_options *own = rule->options;
    const struct listener_options *general = build->listener->options;
    int mode = own->mutual_auth_line ? own->mutual_auth : general->mutual_auth;
    if (mode == AUTH_OFF) {
        warn_of_idle_keys(build, rule);
        return;
    }
    rule->auth.mode = (enum auth_mode)mode;
    set_refusal(build, rule);
    const struct option_list *files =
        own->client_ca.count > 0 ? &own->client_ca : &general->client_ca;
    shelf->listener_ca_is_used |= files == &general->client_ca;
    if (files->count == 0)
        report_no_ca(build, rule);
    else
        rule->auth.ca_set = load(build, shelf, files, partial_of(general, own));
}

static void resolve_all(struct listener_build *build)
{
    struct listener *listener = build->listener;
    const struct listener_options *options = listener->options;
    struct ca_set bad = {.depth = 0};
    struct shelf shelf = {.bad = &bad};
    text_map_init(&shelf.map, listener->rule_count + 1, build->arena);
    listener->ca_sets =
        arena_alloc(build->arena, (listener->rule_count + 1) * sizeof(struct ca_set *));
    for (unsigned i = 0; i < listener->rule_count; i++)
        resolve(build, &shelf, &listener->rules[i]);
    if (listener->rule_count == 0 || shelf.listener_ca_is_used)
        return;
    if (options->client_ca.count > 0)
        LISTENER_WARN(build, options->client_ca.lines[0],
                      "client_ca of listener %s is used by none of its rules: say mutual_auth = "
                      "require (or request)",
                      listener->name);
}

/* Without TLS nobody can show a certificate: asking for one must not look as if it protected. */
static void refuse_on_http(struct listener_build *build)
{
    const struct listener *listener = build->listener;
    const struct listener_options *options = listener->options;
    if (options->mutual_auth != AUTH_OFF)
        LISTENER_ERROR(build, options->mutual_auth_line,
                       "mutual_auth needs TLS, but listener %s has protocol = http: say protocol "
                       "= https, or mutual_auth = off",
                       listener->name);
    for (unsigned i = 0; i < listener->rule_count; i++) {
        const struct rule *rule = &listener->rules[i];
        if (rule->options->mutual_auth_line && rule->options->mutual_auth != AUTH_OFF)
            LISTENER_ERROR(build, rule->options->mutual_auth_line,
                           "mutual_auth needs TLS, but rule %s is on listener %s, which has "
                           "protocol = http: give that listener a rule of its own",
                           rule->name, listener->name);
    }
}

void listener_build_auth(struct listener_build *build)
{
    for (unsigned i = 0; i < build->listener->rule_count; i++)
        build->listener->rules[i].auth.refuse_with = REFUSE_UNSET;
    if (listener_build_is_https(build))
        resolve_all(build);
    else
        refuse_on_http(build);
}
