/* SPDX-License-Identifier: Apache-2.0 */
/* See config_bindings.h. */
#include "lb/config/config_bindings.h"

#include <string.h>

#include "lb/base/text_map.h"
#include "lb/config/config_hosts.h"
#include "listeners/registry/cas.h"

enum { HOSTS_TOLD_MOST = 8 }; /* of a CA, which may have a thousand */

/* The rules of one domain, on all https listeners. */
struct bound_rule {
    const struct listener *listener;
    const struct rule *rule;
    struct bound_rule *next;
};

struct check {
    const struct config_source *source;
    struct text_map rules; /* by the domain, written as hosts are bound */
};

static void add_rule(struct check *check, const struct listener *listener, const struct rule *rule)
{
    struct bound_rule *bound = arena_alloc(check->source->arena, sizeof *bound);
    *bound = (struct bound_rule){listener, rule, NULL};
    struct slice key = slice_of(config_rule_host(rule));
    /* What the map has is lent to it as const; it is this file's. */
    struct bound_rule *known =
        (struct bound_rule *)text_map_add(&check->rules, text_hash(key), key, bound);
    if (known) {
        bound->next = known->next;
        known->next = bound;
    }
}

static void collect_rules(struct check *check, const struct config *config)
{
    size_t count = 0;
    for (unsigned i = 0; i < config->listener_count; i++)
        count += config->listeners[i].rule_count;
    text_map_init(&check->rules, count + 1, check->source->arena);
    for (unsigned i = 0; i < config->listener_count; i++) {
        const struct listener *listener = &config->listeners[i];
        for (unsigned k = 0;
             listener->options->protocol == LISTENER_HTTPS && k < listener->rule_count; k++)
            add_rule(check, listener, &listener->rules[k]);
    }
}

static bool asks_for(const struct bound_rule *bound, const struct ca_record *ca)
{
    const struct option_list *client_ca = config_rule_client_ca(bound->listener, bound->rule);
    return client_ca && config_client_ca_means(client_ca, ca->id, ca->name);
}

/* Why the host does not ask for the CA; NULL: it does. */
static const char *reason(const struct check *check, const struct ca_record *ca, const char *host)
{
    struct slice key = slice_of(host);
    const struct bound_rule *first = text_map_get(&check->rules, text_hash(key), key);
    if (!first)
        return "no rule of an https listener serves it";
    for (const struct bound_rule *bound = first; bound; bound = bound->next)
        if (asks_for(bound, ca))
            return NULL;
    bool is_off = !config_rule_client_ca(first->listener, first->rule);
    return arena_format(check->source->arena,
                        is_off ? "mutual_auth of rule %s is off"
                               : "client_ca of rule %s names other CAs",
                        first->rule->name);
}

static void check_ca(const struct check *check, const struct ca_record *ca)
{
    struct arena *arena = check->source->arena;
    unsigned count = 0;
    const char *list = "";
    for (unsigned i = 0; i < ca->host_count; i++) {
        const char *why = reason(check, ca, ca->hosts[i]);
        if (!why || ++count > HOSTS_TOLD_MOST)
            continue;
        list = arena_format(arena, "%s%s%.80s (%s)", list, *list ? ", " : "", ca->hosts[i], why);
    }
    if (count > HOSTS_TOLD_MOST)
        list = arena_format(arena, "%s, and %u more", list, count - HOSTS_TOLD_MOST);
    if (count > 0)
        problems_warn(check->source->problems, check->source->file, 0,
                      "CA %s is bound to hosts that do not ask for it: %s; say mutual_auth = "
                      "when-bound and client_ca = registry in their rules, or lb ca unbind %s HOST",
                      ca->name, list, ca->name);
}

void config_bindings_check(const struct config *config, const struct cas *cas,
                           const struct config_source *source)
{
    struct check check = {.source = source};
    if (!cas || cas->count == 0)
        return;
    collect_rules(&check, config);
    for (size_t i = 0; i < cas->count; i++)
        check_ca(&check, &cas->items[i].record);
}
