/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What handshakes ask: one policy for each domain with sni = on; with sni = off one for the
 * listener, because no domain is known before the request.
 */
#include <openssl/x509.h>
#include <string.h>

#include "lb/base/text_map.h"
#include "listeners/load/listener_build.h"

/* The rules that share a policy. */
struct group {
    const struct rule **rules;
    unsigned count;
    const char *what; /* "domain", "listener": for messages */
    const char *name;
};

/* What thousands of domains mostly have in common, of the listener so far. */
struct seen {
    struct arena *arena;
    struct text_map policies;     /* by their id */
    struct text_map common_names; /* of the CAs of a set, itself a map, by the set's id */
};

static struct seen seen_nothing(struct listener_build *build)
{
    struct seen seen = {.arena = build->arena};
    text_map_init(&seen.policies, build->listener->domain_count, build->arena);
    text_map_init(&seen.common_names, build->listener->ca_set_count, build->arena);
    return seen;
}

/* The rule because of which another's alert cannot be kept; itself when it does not require, or not
 * of everybody. */
static const struct rule *find_objection(const struct group *group, const struct rule *alerting)
{
    if (alerting->auth.mode != AUTH_REQUIRE || alerting->auth.exempt)
        return alerting;
    for (unsigned i = 0; i < group->count; i++) {
        const struct client_auth *auth = &group->rules[i]->auth;
        bool is_told_otherwise =
            auth->refuse_with != REFUSE_UNSET && auth->refuse_with != REFUSE_ALERT;
        if (is_told_otherwise || auth->exempt || !client_auth_agrees(auth, &alerting->auth))
            return group->rules[i];
    }
    return NULL;
}

static void report_alert(struct listener_build *build, const struct group *group)
{
    const struct rule *alerting = NULL;
    for (unsigned i = 0; i < group->count && !alerting; i++)
        if (group->rules[i]->auth.refuse_with == REFUSE_ALERT)
            alerting = group->rules[i];
    const struct rule *other = alerting ? find_objection(group, alerting) : NULL;
    if (!other)
        return;
    unsigned line = build->refuse_lines[alerting - build->listener->rules];
    if (other->auth.exempt)
        LISTENER_ERROR(build, line,
                       "refuse_with = alert of rule %s cannot be kept: rule %s (line %u) has "
                       "exempt_from, and the handshake comes before the request: it cannot tell "
                       "who needs no certificate there; say refuse_with = 403",
                       alerting->name, other->name, other->line);
    else if (other == alerting)
        LISTENER_ERROR(build, line,
                       "refuse_with = alert cannot be kept: rule %s (line %u) has mutual_auth = "
                       "request, which lets every client pass; say mutual_auth = require, or "
                       "leave refuse_with out",
                       alerting->name, alerting->line);
    else
        LISTENER_ERROR(build, line,
                       "refuse_with = alert cannot be kept: rules %s (line %u) and %s (line %u) "
                       "of %s %s ask clients for different things, and the handshake comes before "
                       "the request; make mutual_auth, client_ca, client_crl, client_ocsp, "
                       "client_registration, allow_client and refuse_with equal, or say "
                       "refuse_with = 403",
                       alerting->name, alerting->line, other->name, other->line, group->what,
                       group->name);
}

/* Where the largest set of the group's CAs was named. */
static unsigned largest_set_line(const struct listener_build *build, const struct group *group)
{
    const struct rule *largest = NULL;
    size_t most = 0;
    for (unsigned i = 0; i < group->count; i++) {
        const struct ca_set *set = group->rules[i]->auth.ca_set;
        size_t bytes = set ? policy_names_bytes(set->names) : 0;
        if (bytes <= most)
            continue;
        most = bytes;
        largest = group->rules[i];
    }
    if (!largest)
        return build->listener->line;
    const struct option_list *own = &largest->options->client_ca;
    const struct option_list *general = &build->listener->options->client_ca;
    const struct option_list *named = own->count > 0 ? own : general;
    return named->count > 0 ? named->lines[0] : largest->line;
}

static void warn_of_names(struct listener_build *build, const struct group *group,
                          const struct policy *policy)
{
    if (policy->names_bytes > CA_NAMES_BYTES)
        LISTENER_WARN(build, largest_set_line(build, group),
                      "the names of the client CAs of %s %s take %zu bytes, more than the %d that "
                      "all clients understand: they are not told, and clients choose among all "
                      "certificates they have; fewer CAs for it bring the names back",
                      group->what, group->name, policy->names_bytes, (int)CA_NAMES_BYTES);
}

/* The names of a large bundle are put together once, and not for each domain. */
static void name_cas(struct seen *seen, struct policy *policy)
{
    struct slice id = {(const char *)policy->id, sizeof policy->id};
    policy_name_cas(policy, text_map_add(&seen->policies, text_hash(id), id, policy));
}

static bool make(struct listener_build *build, const struct group *group, struct seen *seen,
                 struct policy *policy)
{
    const struct client_auth **asked =
        arena_alloc(build->arena, (group->count + 1) * sizeof(struct client_auth *));
    for (unsigned i = 0; i < group->count; i++) {
        if (!listener_build_has_auth(group->rules[i]))
            return false;
        asked[i] = &group->rules[i]->auth;
    }
    switch (policy_join(policy, asked, group->count)) {
    case POLICY_FINE:
        name_cas(seen, policy);
        warn_of_names(build, group, policy);
        return true;
    case POLICY_ALERT_IMPOSSIBLE:
        report_alert(build, group);
        return false;
    case POLICY_TOO_MANY_SETS:
        LISTENER_ERROR(build, group->rules[0]->line,
                       "the rules of %s %s name more than %d different sets of client CAs, each "
                       "of which costs a verification: put CAs into common sets",
                       group->what, group->name, (int)CA_SETS_PER_DOMAIN);
        return false;
    }
    return false;
}

/* A server certificate and a CA of one common name are mistaken for each other when a chain is
 * built. */

static bool common_name(const X509 *certificate, unsigned char **ret_name)
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0)
        return false;
    return ASN1_STRING_to_UTF8(ret_name,
                               X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))) > 0;
}

/* The common names of the CAs of a set, to be asked by thousands of domains. */
static const struct text_map *map_common_names(struct arena *arena, const struct ca_set *set)
{
    struct text_map *map = arena_alloc(arena, sizeof *map);
    int count = sk_X509_num(set->certificates);
    text_map_init(map, (size_t)count, arena);
    for (int i = 0; i < count; i++) {
        unsigned char *name = NULL;
        if (common_name(sk_X509_value(set->certificates, i), &name)) {
            struct slice kept = slice_of(arena_copy(arena, (const char *)name));
            text_map_add(map, text_hash(kept), kept, set);
        }
        OPENSSL_free(name);
    }
    return map;
}

static bool has_common_name(struct seen *seen, const struct ca_set *set, const char *name)
{
    struct slice id = {(const char *)set->id, sizeof set->id};
    uint64_t hash = text_hash(id);
    const struct text_map *map = text_map_get(&seen->common_names, hash, id);
    if (!map) {
        map = map_common_names(seen->arena, set);
        text_map_add(&seen->common_names, hash, id, map);
    }
    return text_map_get(map, text_hash(slice_of(name)), slice_of(name)) != NULL;
}

static void check_common_names(struct listener_build *build, struct seen *seen,
                               const struct policy *policy, const struct domain *domain,
                               unsigned line)
{
    for (unsigned i = 0; i < domain->credential_count; i++) {
        unsigned char *name = NULL;
        bool is_shared = false;
        if (common_name(domain->credentials[i]->certificate, &name))
            for (unsigned k = 0; k < policy->set_count && !is_shared; k++)
                is_shared = has_common_name(seen, policy->sets[k], (const char *)name);
        if (is_shared)
            LISTENER_WARN(build, line,
                          "the server certificate and a client CA both have the common name "
                          "\"%.64s\": some clients take one for the other; give them different "
                          "names",
                          (const char *)name);
        OPENSSL_free(name);
    }
}

static unsigned certificate_line(const struct listener_build *build, const struct domain *domain)
{
    const struct listener *listener = build->listener;
    if (!listener->options->sni)
        return listener_build_line(listener->options->certificate_line, listener->line);
    for (unsigned i = 0; i < listener->rule_count; i++)
        if (listener->rules[i].domain == domain && listener->rules[i].options->certificate_line)
            return listener->rules[i].options->certificate_line;
    return listener->line;
}

static bool is_when_bound(const struct listener *listener, const struct rule *rule)
{
    return (rule->options->mutual_auth_line
                ? rule->options->mutual_auth
                : listener->options->mutual_auth) == MUTUAL_AUTH_WHEN_BOUND;
}

/* No domain is known in the handshake: to bind one is to ask the clients of all. */
static void check_bound_handshake(struct listener_build *build)
{
    const struct listener *listener = build->listener;
    const struct rule *rule = NULL;
    for (unsigned i = 0; i < listener->rule_count && !rule; i++)
        if (is_when_bound(listener, &listener->rules[i]))
            rule = &listener->rules[i];
    if (!rule || listener->domain_count < 2)
        return;
    unsigned line =
        listener_build_line(rule->options->mutual_auth_line, listener->options->mutual_auth_line);
    if (listener_build_says_alert(listener, rule))
        LISTENER_ERROR(build,
                       listener_build_line(rule->options->refuse_with_line,
                                           listener->options->refuse_with_line),
                       "refuse_with = alert cannot be kept with sni = off and mutual_auth = "
                       "when-bound: when a CA is bound to one domain of listener %s, its rules "
                       "differ; say sni = on, or refuse_with = 403",
                       listener->name);
    else
        LISTENER_WARN(build, line,
                      "mutual_auth = when-bound with sni = off: once a CA is bound to one domain "
                      "of listener %s, the clients of all its domains are asked for a certificate "
                      "(only the bound one requires it); with sni = on only those of that domain",
                      listener->name);
}

static void make_for_listener(struct listener_build *build, const struct group *all)
{
    struct listener *listener = build->listener;
    struct policy *policy = arena_alloc(build->arena, sizeof *policy);
    listener->policies = policy;
    listener->policy_count = 1;
    struct seen seen = seen_nothing(build);
    if (!make(build, all, &seen, policy))
        return;
    for (unsigned i = 0; i < listener->domain_count; i++)
        listener->domains[i].policy = policy;
    check_common_names(build, &seen, policy, &listener->domains[0],
                       certificate_line(build, &listener->domains[0]));
}

/* Sort the rules by domain, keeping their order within one; starts[d] is where domain d begins. */
static const struct rule **rules_by_domain(struct listener_build *build, unsigned *starts)
{
    const struct listener *listener = build->listener;
    const struct rule **sorted =
        arena_alloc(build->arena, (listener->rule_count + 1) * sizeof(struct rule *));
    unsigned *next = arena_alloc(build->arena, (listener->domain_count + 1) * sizeof *next);
    for (unsigned i = 0; i < listener->rule_count; i++)
        starts[listener->rules[i].domain->index + 1]++;
    for (unsigned i = 0; i < listener->domain_count; i++) {
        starts[i + 1] += starts[i];
        next[i] = starts[i];
    }
    for (unsigned i = 0; i < listener->rule_count; i++)
        sorted[next[listener->rules[i].domain->index]++] = &listener->rules[i];
    return sorted;
}

static void make_for_domains(struct listener_build *build, const struct rule **sorted,
                             const unsigned *starts)
{
    struct listener *listener = build->listener;
    listener->policies =
        arena_alloc(build->arena, (listener->domain_count + 1) * sizeof *listener->policies);
    listener->policy_count = listener->domain_count;
    struct seen seen = seen_nothing(build);
    for (unsigned i = 0; i < listener->domain_count; i++) {
        struct domain *domain = &listener->domains[i];
        struct group group = {&sorted[starts[i]], starts[i + 1] - starts[i], "domain",
                              *domain->pattern ? domain->pattern : "(every other host)"};
        if (!make(build, &group, &seen, &listener->policies[i]))
            continue;
        domain->policy = &listener->policies[i];
        check_common_names(build, &seen, domain->policy, domain, certificate_line(build, domain));
    }
}

void listener_build_policies(struct listener_build *build)
{
    struct listener *listener = build->listener;
    if (listener->rule_count == 0)
        return;
    unsigned *starts = arena_alloc(build->arena, (listener->domain_count + 2) * sizeof *starts);
    const struct rule **sorted = rules_by_domain(build, starts);
    if (listener->options->sni && listener_build_is_https(build)) {
        make_for_domains(build, sorted, starts);
        return;
    }
    struct group all = {sorted, listener->rule_count, "listener", listener->name};
    if (listener_build_is_https(build))
        check_bound_handshake(build);
    make_for_listener(build, &all);
}
