/* SPDX-License-Identifier: Apache-2.0 */
/* Listeners are built by listeners/; here is what only the whole file knows: who belongs to whom.
 */
#include "lb/config/config_listeners.h"

#include <string.h>

#include "lb/config/config_access.h"
#include "lb/config/config_lists.h"
#include "listeners/client_id.h"
#include "listeners/load/rule_section.h"
#include "listeners/tls/handshake.h"

/* What all checks below need. */
struct desk {
    const struct config_sections *sections;
    const struct config_source *source;
    const struct cas *cas;
    struct config_access access;
    struct client_id_fields **id_fields; /* by the pool's index; NULL: no rule names any */
};

/* Rules. */

static void report_no_answer(const struct desk *desk, const struct config_section *rule)
{
    const struct config_names *pools = &desk->sections->pool_names;
    problems_add(
        desk->source->problems, desk->source->file, rule->line,
        "rule %s has no pool: say which one serves it, as in \"pool = %s\", or redirect or "
        "respond instead",
        rule->name, pools->count > 0 ? pools->sections[0].name : "app");
}

/* Exactly one of pool, redirect and respond. */
static void check_answer(const struct desk *desk, const struct config_section *rule)
{
    const struct rule_options *options = rule->options;
    const struct {
        const char *key;
        unsigned line;
    } ways[] = {{"pool", options->pool_line},
                {"redirect", options->redirect_line},
                {"respond", options->respond_line}};
    const char *first = NULL;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        if (!ways[i].line)
            continue;
        if (first)
            problems_add(desk->source->problems, desk->source->file, ways[i].line,
                         "rule %s has %s beside %s: a rule does one thing, leave one of them out",
                         rule->name, ways[i].key, first);
        else
            first = ways[i].key;
    }
    if (!first)
        report_no_answer(desk, rule);
    if (options->pool && !config_names_find(&desk->sections->pool_names, options->pool))
        config_names_report(&desk->sections->pool_names, "pool", options->pool, options->pool_line,
                            desk->source);
    if (options->redirect_status_line && !options->redirect)
        problems_warn(desk->source->problems, desk->source->file, options->redirect_status_line,
                      "redirect_status has no effect: rule %s has no redirect", rule->name);
}

static bool is_repeated(const struct option_list *list, unsigned index)
{
    for (unsigned i = 0; i < index; i++)
        if (strcmp(list->items[i], list->items[index]) == 0)
            return true;
    return false;
}

static void check_listener_names(const struct desk *desk, const struct config_section *rule)
{
    const struct config_source *source = desk->source;
    const struct option_list *names = &((const struct rule_options *)rule->options)->listener;
    if (names->count == 0)
        problems_add(
            source->problems, source->file, rule->line,
            "rule %s has no listener: say where it holds, as in \"listener = %s\"", rule->name,
            desk->sections->listener_count > 0 ? desk->sections->listeners[0].name : "web");
    for (unsigned i = 0; i < names->count; i++) {
        if (is_repeated(names, i))
            problems_add(source->problems, source->file, names->lines[i],
                         "rule %s names listener %s twice: once is enough", rule->name,
                         names->items[i]);
        if (!config_names_find(&desk->sections->listener_names, names->items[i]))
            config_names_report(&desk->sections->listener_names, "listener", names->items[i],
                                names->lines[i], source);
    }
}

static bool is_on_http_only(const struct desk *desk, const struct rule_options *options)
{
    for (unsigned i = 0; i < options->listener.count; i++) {
        const struct config_section *section =
            config_names_find(&desk->sections->listener_names, options->listener.items[i]);
        const struct listener_options *listener = section ? section->options : NULL;
        if (!listener || listener->protocol != LISTENER_HTTP)
            return false;
    }
    return options->listener.count > 0;
}

/* Some presets have a field for it. */
static void warn_of_nobody(const struct desk *desk, const struct config_section *rule)
{
    const struct rule_options *options = rule->options;
    const struct option_list *presets = &options->client_headers;
    bool is_off = presets->count == 1 && strcmp(presets->items[0], "off") == 0;
    if (options->client_headers_line && options->pool && !is_off)
        problems_warn(desk->source->problems, desk->source->file, options->client_headers_line,
                      "client_headers tells of nobody: rule %s is on no listener with protocol = "
                      "https, and its clients are never verified",
                      rule->name);
}

/* Keys that do nothing when every listener of the rule speaks http; mutual_auth is an error there.
 */
static void warn_of_tls_keys(const struct desk *desk, const struct config_section *rule)
{
    const struct rule_options *options = rule->options;
    const struct {
        const char *key;
        unsigned line;
    } keys[] = {
        {"certificate", options->certificate_line},
        {"certificate_key", options->certificate_key_line},
        {"client_ca", options->client_ca_line},
        {"client_registration", options->client_registration_line},
        {"client_crl", options->client_crl_line},
        {"client_crl_policy", options->client_crl_policy_line},
        {"client_crl_check", options->client_crl_check_line},
        {"client_ocsp", options->client_ocsp_line},
        {"client_ocsp_responder", options->client_ocsp_responder_line},
        {"client_ca_partial", options->client_ca_partial_line},
        {"refuse_with", options->refuse_with_line},
        {"client_id_header", options->client_id_header_line},
        {"allow_client", options->allow_client_line},
        {"exempt_from", options->exempt_from_line},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i].line)
            problems_warn(desk->source->problems, desk->source->file, keys[i].line,
                          "%s has no effect: rule %s is on no listener with protocol = https",
                          keys[i].key, rule->name);
}

/* A pool's backends believe these fields, whichever rule a request came by. */
static void collect_id_fields(struct desk *desk)
{
    const struct config_sections *sections = desk->sections;
    const struct config_source *source = desk->source;
    desk->id_fields =
        arena_alloc(source->arena, (sections->pool_count + 1) * sizeof *desk->id_fields);
    for (unsigned i = 0; i < sections->rule_count; i++) {
        const struct rule_options *options = sections->rules[i].options;
        const struct config_section *pool =
            options->client_id_header && options->pool
                ? config_names_find(&sections->pool_names, options->pool)
                : NULL;
        if (!pool)
            continue;
        struct client_id_fields **fields = &desk->id_fields[pool - sections->pools];
        if (!*fields)
            *fields = arena_alloc(source->arena, sizeof **fields);
        if (!client_id_fields_add(*fields, slice_of(options->client_id_header)))
            problems_add(source->problems, source->file, options->client_id_header_line,
                         "the rules of pool %s name more than %d different fields as "
                         "client_id_header: let them share one",
                         pool->name, CLIENT_ID_FIELDS_MOST);
    }
}

static void check_rule(const struct desk *desk, const struct config_section *rule)
{
    check_listener_names(desk, rule);
    check_answer(desk, rule);
    config_lists_check_rule(rule, desk->source->file, desk->source->problems);
    if (!is_on_http_only(desk, rule->options))
        return;
    warn_of_tls_keys(desk, rule);
    warn_of_nobody(desk, rule);
}

static struct rule_section rule_read(const struct desk *desk, const struct config_section *section)
{
    const struct rule_options *options = section->options;
    const struct config_section *pool =
        options->pool ? config_names_find(&desk->sections->pool_names, options->pool) : NULL;
    struct rule_section rule = {.name = section->name,
                                .line = section->line,
                                .options = options,
                                .pool =
                                    pool ? (unsigned)(pool - desk->sections->pools) : RULE_NO_POOL};
    if (pool)
        rule.client_id_fields = desk->id_fields[rule.pool];
    rule_section_read(&rule, desk->source->arena, desk->source->file, desk->source->problems);
    return rule;
}

/* Listeners. */

/* The rules that each listener has, in the file's order: those of listener i are
 * sorted[starts[i]] … sorted[starts[i + 1] - 1]. A rule that names one twice is there once. */
struct groups {
    struct rule_section *sorted;
    unsigned *starts;
};

/* The listener that a rule's name stands for; UINT_MAX: it was reported. */
static unsigned listener_at(const struct desk *desk, const struct rule_options *rule, unsigned name)
{
    const struct config_section *listener =
        config_names_find(&desk->sections->listener_names, rule->listener.items[name]);
    if (!listener || is_repeated(&rule->listener, name))
        return UINT_MAX;
    return (unsigned)(listener - desk->sections->listeners);
}

static void count_groups(const struct desk *desk, struct groups *groups)
{
    for (unsigned i = 0; i < desk->sections->rule_count; i++) {
        const struct rule_options *rule = desk->sections->rules[i].options;
        for (unsigned k = 0; k < rule->listener.count; k++) {
            unsigned listener = listener_at(desk, rule, k);
            if (listener != UINT_MAX)
                groups->starts[listener + 1]++;
        }
    }
    for (unsigned i = 0; i < desk->sections->listener_count; i++)
        groups->starts[i + 1] += groups->starts[i];
}

static void read_rules(const struct desk *desk, struct groups *groups)
{
    struct arena *arena = desk->source->arena;
    size_t count = desk->sections->listener_count;
    groups->starts = arena_alloc(arena, (count + 2) * sizeof *groups->starts);
    count_groups(desk, groups);
    unsigned *next = arena_alloc(arena, (count + 1) * sizeof *next);
    memcpy(next, groups->starts, count * sizeof *next);
    groups->sorted = arena_alloc(arena, (groups->starts[count] + 1) * sizeof *groups->sorted);
    for (unsigned i = 0; i < desk->sections->rule_count; i++) {
        const struct config_section *section = &desk->sections->rules[i];
        const struct rule_options *options = section->options;
        check_rule(desk, section);
        struct rule_section rule = rule_read(desk, section);
        for (unsigned k = 0; k < options->listener.count; k++) {
            unsigned listener = listener_at(desk, options, k);
            if (listener != UINT_MAX)
                groups->sorted[next[listener]++] = rule;
        }
    }
}

static const struct listener *same_address(const struct config *config, unsigned most,
                                           const struct address *address)
{
    for (unsigned i = 0; i < most; i++)
        for (unsigned k = 0; k < config->listeners[i].address_count; k++)
            if (address_equal(&config->listeners[i].addresses[k], address))
                return &config->listeners[i];
    return NULL;
}

/* Two sockets of one address would both be bound (SO_REUSEPORT), and clients fall to either. */
static void check_addresses(const struct config *config, unsigned index,
                            const struct config_source *source)
{
    const struct listener *listener = &config->listeners[index];
    for (unsigned i = 0; i < listener->address_count; i++) {
        if (address_port(&listener->addresses[i]) == 0)
            continue; /* the system chooses a free port for each */
        const struct listener *other = same_address(config, index, &listener->addresses[i]);
        for (unsigned k = 0; k < i && !other; k++)
            if (address_equal(&listener->addresses[k], &listener->addresses[i]))
                other = listener;
        if (other)
            problems_add(source->problems, source->file, listener->address_lines[i],
                         "listener %s has the address %s, which listener %s (line %u) has already: "
                         "give it another port or address",
                         listener->name, listener->addresses[i].text, other->name, other->line);
    }
}

static void build_listener(struct config *config, const struct desk *desk,
                           const struct groups *groups, unsigned index)
{
    const struct config_section *section = &desk->sections->listener_names.sections[index];
    const struct config_source *source = desk->source;
    unsigned start = groups->starts[index];
    struct listener *listener = &config->listeners[index];
    *listener = (struct listener){
        .name = section->name,
        .line = section->line,
        .index = index,
        .options = section->options,
        .shelf = config->credentials,
    };
    config->listener_count++;
    config_lists_check_listener(section, source->file, source->problems);
    config_access_lend(&desk->access, listener, source->arena);
    listener_prepare(listener, &groups->sorted[start], groups->starts[index + 1] - start, desk->cas,
                     source->arena, source->file, source->problems);
    check_addresses(config, index, source);
}

void config_listeners_build(struct config *config, const struct config_sections *sections,
                            const struct cas *cas, const struct config_source *source)
{
    struct desk desk = {.sections = sections, .source = source, .cas = cas};
    struct groups groups;
    size_t errors_before = source->problems->error_count;
    desk.access = config_access_read(sections, source);
    collect_id_fields(&desk);
    read_rules(&desk, &groups);
    if (sections->listener_count == 0 && !sections->has_strays)
        problems_add(source->problems, source->file, 0,
                     "no listener: add a section [listener NAME] with an address");
    config->listeners =
        arena_alloc(source->arena, (sections->listener_count + 1) * sizeof *config->listeners);
    for (unsigned i = 0; i < sections->listener_count; i++)
        build_listener(config, &desk, &groups, i);
    if (source->problems->error_count == errors_before)
        config_access_warn(&desk.access, source);
}

void config_listeners_try(const struct config *config, const struct config_source *source)
{
    for (unsigned i = 0; i < config->listener_count; i++) {
        const struct listener *listener = &config->listeners[i];
        struct error err = {{0}};
        if (listener->options->protocol != LISTENER_HTTPS)
            continue;
        struct handshake_context *context = handshake_context_new(listener, NULL, &err);
        if (!context || !handshake_context_try(context, &err))
            problems_add(source->problems, source->file, listener->line, "listener %s: %s",
                         listener->name, err.text);
        handshake_context_free(context);
    }
}
