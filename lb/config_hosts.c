/* SPDX-License-Identifier: Apache-2.0 */
/* What a config says to changes of client CAs: which hosts may be bound, which CAs are in use. */
#include <string.h>

#include "lb/base/nearest.h"
#include "lb/config.h"
#include "listeners/load/client_ca.h"
#include "listeners/load/rule_domain.h"
#include "listeners/router.h"

/* --- hosts --------------------------------------------------------------------------------- */

static bool is_https(const struct listener *listener)
{
    return listener->options->protocol == LISTENER_HTTPS;
}

static bool has_pattern(const struct config *config, const char *pattern)
{
    for (unsigned i = 0; i < config->listener_count; i++) {
        const struct listener *listener = &config->listeners[i];
        for (unsigned k = 0; is_https(listener) && k < listener->domain_count; k++)
            if (strcmp(listener->domains[k].pattern, pattern) == 0)
                return true;
    }
    return false;
}

/* What rules a client that asks for this name meets; NULL: those without a domain, or none. */
static const char *covering_pattern(const struct config *config, const char *name)
{
    for (unsigned i = 0; i < config->listener_count; i++) {
        const struct listener *listener = &config->listeners[i];
        const struct domain *domain =
            is_https(listener) ? router_known_domain(listener->router, slice_of(name)) : NULL;
        if (domain && *domain->pattern)
            return domain->pattern;
    }
    return NULL;
}

static const char *nearest_pattern(const struct config *config, const char *name)
{
    struct nearest nearest = nearest_to(name);
    for (unsigned i = 0; i < config->listener_count; i++) {
        const struct listener *listener = &config->listeners[i];
        for (unsigned k = 0; is_https(listener) && k < listener->domain_count; k++)
            if (*listener->domains[k].pattern)
                nearest_offer(&nearest, listener->domains[k].pattern);
    }
    return nearest.best;
}

static bool explain(const struct config *config, const char *pattern, struct error *why_not)
{
    const char *covering =
        rule_domain_kind_of(pattern) == RULE_DOMAIN_NAME ? covering_pattern(config, pattern) : NULL;
    const char *nearest = nearest_pattern(config, pattern);
    if (covering)
        return error_set(why_not,
                         "%s is served by the rules of domain %s: write it as they do, %s; all "
                         "hosts of those rules are bound then",
                         pattern, covering, covering);
    if (nearest)
        return error_set(why_not, "no rule of an https listener is for %s: did you mean %s?",
                         pattern, nearest);
    if (has_pattern(config, ""))
        return error_set(why_not,
                         "no rule of an https listener is for %s alone: add one with \"domain = "
                         "%s\", or write * for the rules without a domain, which serve every "
                         "other host",
                         pattern, pattern);
    return error_set(why_not,
                     "no rule of an https listener is for %s: add one with \"domain = %s\"",
                     pattern, pattern);
}

bool config_serves_host(const struct config *config, const char *host, struct error *why_not)
{
    struct arena arena = {0};
    struct error err;
    const char *pattern = NULL;
    bool is_served = false;
    if (strcmp(host, "*") == 0)
        is_served = has_pattern(config, "") ||
                    error_set(why_not, "no rule of an https listener is without a domain, which "
                                       "is what * stands for: write the rule's domain");
    else if (!rule_domain_parse(host, &pattern, &arena, &err))
        error_set(why_not, "%s", err.text);
    else
        is_served = has_pattern(config, pattern) || explain(config, pattern, why_not);
    arena_done(&arena);
    return is_served;
}

/* --- CAs in use ---------------------------------------------------------------------------- */

static bool is_named(const struct option_list *client_ca, const char *id, const char *name)
{
    for (unsigned i = 0; i < client_ca->count; i++) {
        const char *value = client_ca->items[i];
        const char *named = client_ca_is_file(value) ? NULL : client_ca_name(value);
        if (named && (strcmp(named, id) == 0 || strcmp(named, name) == 0))
            return true;
    }
    return false;
}

/* Whatever a rule that is off names is never looked up. */
static bool rule_names(const struct listener *listener, const struct rule *rule, const char *id,
                       const char *name)
{
    const struct rule_options *own = rule->options;
    const struct listener_options *general = listener->options;
    int mode = own->mutual_auth_line ? own->mutual_auth : general->mutual_auth;
    return mode != AUTH_OFF &&
           is_named(own->client_ca.count > 0 ? &own->client_ca : &general->client_ca, id, name);
}

const struct rule *config_names_ca(const struct config *config, const char *id, const char *name)
{
    static const struct rule admin = {.name = "of [admin]"};
    if (admin_options_have_tcp(config->admin) && is_named(&config->admin->client_ca, id, name))
        return &admin;
    for (unsigned i = 0; i < config->listener_count; i++) {
        const struct listener *listener = &config->listeners[i];
        for (unsigned k = 0; is_https(listener) && k < listener->rule_count; k++)
            if (rule_names(listener, &listener->rules[k], id, name))
                return &listener->rules[k];
    }
    return NULL;
}
