/* SPDX-License-Identifier: Apache-2.0 */
/* What a config says to changes of client CAs: which hosts may be bound, which CAs are in use. */
#include "lb/config/config_hosts.h"

#include <string.h>

#include "lb/base/nearest.h"
#include "listeners/load/client_ca.h"
#include "listeners/load/rule_domain.h"
#include "listeners/registry/cas.h"
#include "listeners/rules/router.h"

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

/* A binding is found by its text, and config that spells out the pattern says it in one way. */
static bool is_written_so(const char *host, const char *pattern, struct error *why_not)
{
    char bound[CA_HOST_BYTES];
    if (ca_host_normalise(host, bound) && strcmp(bound, pattern) == 0)
        return true;
    return error_set(why_not, "%s is the domain %s of rules: write it so", host, pattern);
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
        is_served = has_pattern(config, pattern) ? is_written_so(host, pattern, why_not)
                                                 : explain(config, pattern, why_not);
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
const struct option_list *config_rule_client_ca(const struct listener *listener,
                                                const struct rule *rule)
{
    const struct rule_options *own = rule->options;
    const struct listener_options *general = listener->options;
    int mode = own->mutual_auth_line ? own->mutual_auth : general->mutual_auth;
    if (mode == AUTH_OFF)
        return NULL;
    return own->client_ca.count > 0 ? &own->client_ca : &general->client_ca;
}

static bool rule_names(const struct listener *listener, const struct rule *rule, const char *id,
                       const char *name)
{
    const struct option_list *client_ca = config_rule_client_ca(listener, rule);
    return client_ca && is_named(client_ca, id, name);
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

/* --- what hosts ask for -------------------------------------------------------------------- */

bool config_client_ca_means(const struct option_list *client_ca, const char *id, const char *name)
{
    for (unsigned i = 0; i < client_ca->count; i++)
        if (strcmp(client_ca->items[i], CLIENT_CA_REGISTRY) == 0)
            return true;
    return is_named(client_ca, id, name);
}

static void advise(const struct listener *listener, const struct rule *rule, struct error *advice)
{
    if (config_rule_client_ca(listener, rule))
        error_set(advice,
                  "client_ca of rule %s (line %u) names other CAs: add client_ca = registry",
                  rule->name, rule->line);
    else
        error_set(advice,
                  "mutual_auth of rule %s (line %u) is off: say mutual_auth = when-bound and "
                  "client_ca = registry",
                  rule->name, rule->line);
}

/* As hosts are bound; patterns have the same form otherwise. */
const char *config_rule_host(const struct rule *rule)
{
    return *rule->domain->pattern ? rule->domain->pattern : "*";
}

struct asking {
    void (*visit)(void *arg, const char *word);
    void *arg;
    bool is_served;
    struct error *advice;
};

static void ask_rule(struct asking *asking, const struct listener *listener,
                     const struct rule *rule)
{
    const struct option_list *client_ca = config_rule_client_ca(listener, rule);
    for (unsigned i = 0; client_ca && i < client_ca->count; i++)
        if (!client_ca_is_file(client_ca->items[i]))
            asking->visit(asking->arg, client_ca->items[i]);
    if (!asking->is_served)
        advise(listener, rule, asking->advice);
    asking->is_served = true;
}

void config_host_asks(const struct config *config, const char *host,
                      void (*visit)(void *arg, const char *word), void *arg, struct error *advice)
{
    struct asking asking = {visit, arg, false, advice};
    char bound[CA_HOST_BYTES];
    if (!ca_host_normalise(host, bound))
        return;
    for (unsigned i = 0; i < config->listener_count; i++) {
        const struct listener *listener = &config->listeners[i];
        for (unsigned k = 0; is_https(listener) && k < listener->rule_count; k++)
            if (strcmp(config_rule_host(&listener->rules[k]), bound) == 0)
                ask_rule(&asking, listener, &listener->rules[k]);
    }
}
