/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each rule asks of clients: its own mutual_auth, client_ca and client_registration, and the
 * listener's where it leaves them out. Rules that name the same CAs share one set.
 */
#include <string.h>

#include "lb/base/text_map.h"
#include "listeners/load/client_ca.h"
#include "listeners/load/listener_build.h"
#include "listeners/registry/cas.h"

/* CA sets by where their CAs come from; `bad` stands for those that were reported. */
struct shelf {
    struct text_map map;
    struct ca_set *bad;
    bool listener_ca_is_used;
    bool is_listener_ca_checked;
    bool is_listener_ca_wrong;     /* names that the registry does not have were reported */
    bool has_told_of_registration; /* the listener's client_registration will register nobody */
    const struct ca_set *asked;    /* listener_cas_are_registered was asked last of this set … */
    bool is_registered;            /* … and answered */
    struct ca_set_extra extra;     /* room for all that the registry has */
    X509 **extra_room;
};

/* What a rule and its listener say together. */
struct wish {
    struct rule *rule;
    int mode; /* enum auth_mode, or MUTUAL_AUTH_WHEN_BOUND */
    const struct option_list *client_ca;
    bool is_own_ca;
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

/* What "registry" stands for depends on the domain. */
static char *shelf_key(struct listener_build *build, const struct wish *wish, bool partial)
{
    const char *pattern = wish->rule->domain->pattern;
    const struct option_list *list = wish->client_ca;
    char *key = arena_copy(build->arena, partial ? "partial" : "whole");
    for (unsigned i = 0; i < list->count; i++) {
        bool depends = strcmp(list->items[i], CLIENT_CA_REGISTRY) == 0;
        key = arena_format(build->arena, "%s\n%s%s%s", key, list->items[i], depends ? " " : "",
                           depends ? pattern : "");
    }
    return key;
}

/* A rule that requires a certificate of nobody's lets nobody in. */
static void warn_of_nobody(struct listener_build *build, const struct wish *wish)
{
    const struct rule *rule = wish->rule;
    const char *pattern = rule->domain->pattern;
    unsigned line = wish->client_ca->lines[0];
    if (rule->auth.mode == AUTH_REQUIRE)
        LISTENER_WARN(build, line,
                      "nobody can pass rule %s (line %u): no client CA that is enabled is bound to "
                      "%s; bind one (lb ca bind NAME \"%s\"), or say mutual_auth = when-bound",
                      rule->name, rule->line, *pattern ? pattern : "rules without domain",
                      *pattern ? pattern : "*");
}

static const struct ca_set *read_set(struct listener_build *build, struct shelf *shelf,
                                     const struct wish *wish, bool partial)
{
    const struct option_list *list = wish->client_ca;
    const char **files = arena_alloc(build->arena, (list->count + 1) * sizeof *files);
    unsigned *lines = arena_alloc(build->arena, (list->count + 1) * sizeof *lines);
    unsigned count = 0;
    for (unsigned i = 0; i < list->count; i++) {
        if (!client_ca_is_file(list->items[i]))
            continue;
        files[count] = list->items[i];
        lines[count++] = list->lines[i];
    }
    shelf->extra.certificates = shelf->extra_room;
    unsigned enabled_count;
    shelf->extra.count = listener_cas_collect(build, list, wish->rule->domain->pattern,
                                              shelf->extra_room, &enabled_count);
    if (count == 0 && enabled_count == 0 && build->cas)
        warn_of_nobody(build, wish);
    struct ca_set *loaded =
        ca_set_load(files, lines, count, &shelf->extra, (int)build->listener->options->verify_depth,
                    partial, build->file, build->problems);
    return loaded ? keep(build->listener, loaded) : NULL;
}

static const struct ca_set *load(struct listener_build *build, struct shelf *shelf,
                                 const struct wish *wish, bool partial)
{
    struct slice key = slice_of(shelf_key(build, wish, partial));
    const struct ca_set *known = text_map_get(&shelf->map, text_hash(key), key);
    if (known)
        return known == shelf->bad ? NULL : known;
    const struct ca_set *set = read_set(build, shelf, wish, partial);
    text_map_add(&shelf->map, text_hash(key), key, set ? set : shelf->bad);
    return set;
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

static void report_nothing_to_bind(struct listener_build *build, const struct rule *rule)
{
    unsigned own_line = rule->options->mutual_auth_line;
    LISTENER_ERROR(build, own_line ? own_line : build->listener->options->mutual_auth_line,
                   "mutual_auth = when-bound: client_ca of rule %s (line %u) names files only, and "
                   "only CAs of the registry are bound to hosts; add client_ca = registry, or say "
                   "mutual_auth = require",
                   rule->name, rule->line);
}

static void warn_of_idle_keys(struct listener_build *build, const struct rule *rule)
{
    const struct rule_options *options = rule->options;
    const struct {
        const char *key;
        unsigned line;
    } keys[] = {
        {"refuse_with", options->refuse_with_line},
        {"client_registration", options->client_registration_line},
        {"client_crl", options->client_crl_line},
        {"client_crl_policy", options->client_crl_policy_line},
        {"client_crl_check", options->client_crl_check_line},
        {"client_ocsp", options->client_ocsp_line},
        {"client_ocsp_responder", options->client_ocsp_responder_line},
        {"allow_client", options->allow_client_line},
        {"exempt_from", options->exempt_from_line},
    };
    if (options->client_ca.count > 0)
        LISTENER_WARN(build, options->client_ca.lines[0],
                      "client_ca of rule %s has no effect, because mutual_auth is off: say "
                      "mutual_auth = require (or request)",
                      rule->name);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i].line)
            LISTENER_WARN(build, keys[i].line,
                          "%s of rule %s has no effect, because mutual_auth is off", keys[i].key,
                          rule->name);
    if (options->client_id_header_line)
        LISTENER_WARN(build, options->client_id_header_line,
                      "client_id_header of rule %s tells backends nothing, because mutual_auth is "
                      "off: only who is verified has a client id; say mutual_auth = require (or "
                      "request)",
                      rule->name);
}

/* Who registers is asked of a CA that is in the registry. */
static void check_registration(struct listener_build *build, struct shelf *shelf,
                               const struct rule *rule)
{
    const struct rule_options *own = rule->options;
    bool is_own = own->client_registration_line > 0;
    const struct ca_set *set = rule->auth.ca_set;
    if (rule->auth.registration == REGISTRATION_OFF || !set || !build->cas ||
        (!is_own && shelf->has_told_of_registration))
        return;
    if (shelf->asked != set) {
        shelf->asked = set;
        shelf->is_registered = listener_cas_are_registered(build, set);
    }
    if (shelf->is_registered)
        return;
    shelf->has_told_of_registration |= !is_own;
    LISTENER_WARN(
        build,
        is_own ? own->client_registration_line : build->listener->options->client_registration_line,
        "client_registration = %s: no client of rule %s (line %u) can be registered, "
        "because none of its CAs is; lb ca upload does that",
        rule->auth.registration == REGISTRATION_AUTO ? "auto" : "manual", rule->name, rule->line);
}

static void set_registration(struct listener_build *build, struct rule *rule)
{
    const struct rule_options *own = rule->options;
    const struct listener_options *general = build->listener->options;
    rule->auth.registration = (enum client_registration)(
        own->client_registration_line ? own->client_registration : general->client_registration);
}

/* false: there is nothing to load, and it was reported. */
static bool check_client_ca(struct listener_build *build, struct shelf *shelf,
                            const struct wish *wish)
{
    if (wish->client_ca->count == 0) {
        report_no_ca(build, wish->rule);
        return false;
    }
    if (wish->mode == MUTUAL_AUTH_WHEN_BOUND && !listener_cas_are_named(wish->client_ca)) {
        report_nothing_to_bind(build, wish->rule);
        return false;
    }
    if (wish->is_own_ca)
        return listener_cas_check(build, wish->client_ca);
    if (!shelf->is_listener_ca_checked)
        shelf->is_listener_ca_wrong = !listener_cas_check(build, wish->client_ca);
    shelf->is_listener_ca_checked = true;
    return !shelf->is_listener_ca_wrong;
}

static void resolve(struct listener_build *build, struct shelf *shelf, struct rule *rule)
{
    const struct rule_options *own = rule->options;
    const struct listener_options *general = build->listener->options;
    const struct wish wish = {
        .rule = rule,
        .mode = own->mutual_auth_line ? own->mutual_auth : general->mutual_auth,
        .client_ca = own->client_ca.count > 0 ? &own->client_ca : &general->client_ca,
        .is_own_ca = own->client_ca.count > 0,
    };
    if (wish.mode == AUTH_OFF) {
        warn_of_idle_keys(build, rule);
        return;
    }
    shelf->listener_ca_is_used |= !wish.is_own_ca;
    bool is_fine = check_client_ca(build, shelf, &wish);
    if (wish.mode == MUTUAL_AUTH_WHEN_BOUND && is_fine &&
        !listener_cas_are_bound(build, wish.client_ca, rule->domain->pattern))
        return;
    rule->auth.mode =
        wish.mode == MUTUAL_AUTH_WHEN_BOUND ? AUTH_REQUIRE : (enum auth_mode)wish.mode;
    set_registration(build, rule);
    if (is_fine)
        rule->auth.ca_set = load(build, shelf, &wish, partial_of(general, own));
    check_registration(build, shelf, rule);
    listener_build_allow(build, rule);
    listener_build_exempt(build, rule);
    listener_build_crl(build, rule);
    listener_build_ocsp(build, rule);
}

static void warn_of_idle_ca(struct listener_build *build, const struct shelf *shelf)
{
    const struct listener_options *options = build->listener->options;
    if (build->listener->rule_count == 0 || shelf->listener_ca_is_used)
        return;
    if (options->client_ca.count > 0)
        LISTENER_WARN(build, options->client_ca.lines[0],
                      "client_ca of listener %s is used by none of its rules: say mutual_auth = "
                      "require (or request)",
                      build->listener->name);
}

static void resolve_all(struct listener_build *build)
{
    struct listener *listener = build->listener;
    struct ca_set bad = {.depth = 0};
    struct shelf shelf = {.bad = &bad};
    size_t ca_count = build->cas ? build->cas->count : 0;
    text_map_init(&shelf.map, listener->rule_count + 1, build->arena);
    shelf.extra_room = arena_alloc(build->arena, (ca_count + 1) * sizeof(X509 *));
    listener->ca_sets =
        arena_alloc(build->arena, (listener->rule_count + 1) * sizeof(struct ca_set *));
    for (unsigned i = 0; i < listener->rule_count; i++)
        resolve(build, &shelf, &listener->rules[i]);
    warn_of_idle_ca(build, &shelf);
    listener_warn_of_idle_ocsp(build);
    listener_warn_of_idle_crl(build);
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
    if (listener_build_is_https(build))
        resolve_all(build);
    else
        refuse_on_http(build);
}
