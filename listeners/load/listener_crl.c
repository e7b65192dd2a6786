/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_crl, client_crl_policy and client_crl_check of a rule, its own or the listener's. Rules
 * that ask alike share one check. The lists themselves are read when all listeners are built, each
 * file once (crl_loading.h).
 */
#include "listeners/crl/crl_check_parts.h"
#include "listeners/load/listener_build.h"

/* What a rule and its listener say together. */
static struct crl_check wish_of(const struct listener *listener, const struct rule *rule)
{
    const struct listener_options *general = listener->options;
    const struct rule_options *own = rule->options;
    const struct option_list *client_ca =
        own->client_ca.count > 0 ? &own->client_ca : &general->client_ca;
    return (struct crl_check){
        .policy = (enum crl_policy)(own->client_crl_policy_line ? own->client_crl_policy
                                                                : general->client_crl_policy),
        .reach = (enum crl_reach)(own->client_crl_check_line ? own->client_crl_check
                                                             : general->client_crl_check),
        .ca_set = rule->auth.ca_set,
        .has_registry_cas = listener_cas_are_named(client_ca),
        .files = own->client_crl.count > 0 ? &own->client_crl : &general->client_crl,
    };
}

/* Without lists there is nothing to go by. */
static void warn_of_idle(struct listener_build *build, const struct rule *rule)
{
    const struct {
        const char *key;
        unsigned line;
    } keys[] = {
        {"client_crl_policy", rule->options->client_crl_policy_line},
        {"client_crl_check", rule->options->client_crl_check_line},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i].line)
            LISTENER_WARN(build, keys[i].line,
                          "%s of rule %s has no effect: neither the rule nor its listener names a "
                          "client_crl",
                          keys[i].key, rule->name);
}

static const struct crl_check *find(const struct listener *listener, const struct crl_check *wish)
{
    for (unsigned i = 0; i < listener->crl_check_count; i++)
        if (listener->crl_checks[i]->has_registry_cas == wish->has_registry_cas &&
            crl_check_equal(listener->crl_checks[i], wish))
            return listener->crl_checks[i];
    return NULL;
}

void listener_build_crl(struct listener_build *build, struct rule *rule)
{
    struct listener *listener = build->listener;
    const struct crl_check wish = wish_of(listener, rule);
    if (wish.files->count == 0) {
        warn_of_idle(build, rule);
        return;
    }
    if (!wish.ca_set) /* that was reported */
        return;
    rule->auth.crl = find(listener, &wish);
    if (rule->auth.crl)
        return;
    if (!listener->crl_checks)
        listener->crl_checks =
            arena_alloc(build->arena, listener->rule_count * sizeof(struct crl_check *));
    struct crl_check *check = arena_alloc(build->arena, sizeof *check);
    *check = wish;
    listener->crl_checks[listener->crl_check_count++] = check;
    rule->auth.crl = check;
}

void listener_warn_of_idle_crl(struct listener_build *build)
{
    const struct listener *listener = build->listener;
    const struct listener_options *options = listener->options;
    const struct {
        const char *key;
        unsigned line;
    } keys[] = {
        {"client_crl_policy", options->client_crl_policy_line},
        {"client_crl_check", options->client_crl_check_line},
    };
    bool is_used = listener->rule_count == 0;
    for (unsigned i = 0; i < listener->crl_check_count && !is_used; i++)
        is_used = listener->crl_checks[i]->files == &options->client_crl;
    if (options->client_crl.count > 0 && !is_used)
        LISTENER_WARN(build, options->client_crl.lines[0],
                      "client_crl of listener %s is used by none of its rules: those that ask for "
                      "certificates (mutual_auth) name their own, or none does",
                      listener->name);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i].line && listener->crl_check_count == 0 && options->client_crl.count == 0)
            LISTENER_WARN(build, keys[i].line,
                          "%s of listener %s has no effect: no client_crl is named", keys[i].key,
                          listener->name);
}
