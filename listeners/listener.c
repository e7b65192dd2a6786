/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of [listener NAME] as a table, and the steps in which a listener is built. */
#include "listeners/listener.h"

#include <string.h>

#include "listeners/access/access_index.h"
#include "listeners/access/access_tally.h"
#include "listeners/ca/ca_uses.h"
#include "listeners/crl/crl_check_parts.h"
#include "listeners/crl/crls.h"
#include "listeners/load/access_section.h"
#include "listeners/load/listener_build.h"
#include "listeners/ocsp/ocsp_check.h"
#include "listeners/registry/registry.h"
#include "listeners/tally.h"
#include "listeners/tls/session_cache.h"

static const struct option rows[] = {
#define OPTION(...) OPTION_ROW(struct listener_options, __VA_ARGS__)
#include "listeners/listener_options.def"
#undef OPTION
    {0},
};

const struct option_table listener_option_table = {
    .section = "listener",
    .named = true,
    .summary = "an address that clients connect to, and how they are met there",
    .bytes = sizeof(struct listener_options),
    .options = rows,
};

static void build_addresses(struct listener_build *build)
{
    struct listener *listener = build->listener;
    const struct option_list *texts = &listener->options->address;
    if (texts->count == 0)
        LISTENER_ERROR(build, listener->line,
                       "listener %s has no address: add one, as in \"address = 0.0.0.0:8443\"",
                       listener->name);
    listener->addresses =
        arena_alloc(build->arena, (texts->count + 1) * sizeof *listener->addresses);
    listener->address_lines =
        arena_alloc(build->arena, (texts->count + 1) * sizeof *listener->address_lines);
    for (unsigned i = 0; i < texts->count; i++) {
        struct error err = {0};
        struct address *address = &listener->addresses[listener->address_count];
        if (!address_parse(address, texts->items[i], &err))
            LISTENER_ERROR(build, texts->lines[i], "%s", err.text);
        else if (address_port(address) == 0) /* each worker would get another one */
            LISTENER_ERROR(build, texts->lines[i],
                           "%s: nobody can find port 0; write a number from 1 to 65535",
                           texts->items[i]);
        else
            listener->address_lines[listener->address_count++] = texts->lines[i];
    }
}

static void build_rules(struct listener_build *build, unsigned count)
{
    struct listener *listener = build->listener;
    if (count == 0)
        LISTENER_ERROR(build, listener->line,
                       "listener %s has no rule: add a section [rule NAME] with \"listener = %s\" "
                       "and a pool",
                       listener->name, listener->name);
    listener->rules = arena_alloc(build->arena, (count + 1) * sizeof *listener->rules);
    listener->rule_count = count;
    for (unsigned i = 0; i < count; i++) {
        const struct rule_section *section = &build->sections[i];
        listener->rules[i] = (struct rule){.name = section->name,
                                           .line = section->line,
                                           .options = section->options,
                                           .pool = section->pool,
                                           .client_headers = section->client_headers,
                                           .client_id_header = section->client_id_header,
                                           .client_id_fields = section->client_id_fields,
                                           .redirect = section->redirect,
                                           .respond = section->respond};
        build->has_wrong_rules |= section->is_wrong;
    }
}

/* Keys that do nothing without TLS. mutual_auth is worse than useless there: see listener_auth.c.
 */
static void warn_of_tls_keys(struct listener_build *build)
{
    const struct listener_options *options = build->listener->options;
    const struct {
        const char *key;
        unsigned line;
    } keys[] = {
        {"http2", options->http2_line},
        {"certificate", options->certificate_line},
        {"client_ca", options->client_ca_line},
        {"client_registration", options->client_registration_line},
        {"client_crl", options->client_crl_line},
        {"client_crl_policy", options->client_crl_policy_line},
        {"client_crl_check", options->client_crl_check_line},
        {"client_ocsp", options->client_ocsp_line},
        {"client_ocsp_responder", options->client_ocsp_responder_line},
        {"certificate_key", options->certificate_key_line},
        {"sni", options->sni_line},
        {"refuse_with", options->refuse_with_line},
        {"tls_versions", options->tls_versions_line},
        {"ciphers", options->ciphers_line},
        {"ciphersuites", options->ciphersuites_line},
        {"groups", options->groups_line},
        {"unknown_sni", options->unknown_sni_line},
        {"sessions", options->sessions_line},
        {"verify_depth", options->verify_depth_line},
        {"session_timeout", options->session_timeout_line},
        /* A PROXY header must come within that time, too. */
        {"handshake_timeout", build->listener->proxies ? 0 : options->handshake_timeout_line},
        {"client_ca_partial", options->client_ca_partial_line},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i].line)
            LISTENER_WARN(build, keys[i].line,
                          "%s has no effect on listener %s, which has protocol = http", keys[i].key,
                          build->listener->name);
}

static void build_sessions(struct listener_build *build)
{
    const struct listener_options *options = build->listener->options;
    uint32_t lifetime_ms = options->session_timeout;
    size_t most = lifetime_ms > 0 ? (size_t)options->sessions : 0;
    build->listener->sessions = session_cache_new(most, (lifetime_ms + 999) / 1000);
    if (!build->listener->sessions)
        LISTENER_ERROR(build, listener_build_line(options->sessions_line, build->listener->line),
                       "out of memory for the sessions of listener %s", build->listener->name);
}

bool listener_prepare(struct listener *listener, const struct rule_section *sections,
                      unsigned count, const struct cas *cas, struct arena *arena, const char *file,
                      struct problems *problems)
{
    size_t errors_before = problems->error_count;
    struct listener_build build = {.listener = listener,
                                   .sections = sections,
                                   .cas = cas,
                                   .arena = arena,
                                   .file = file,
                                   .problems = problems};
    build.refuse_lines = arena_alloc(arena, (count + 1) * sizeof *build.refuse_lines);
    build_addresses(&build);
    build_rules(&build, count);
    listener_build_proxies(&build);
    listener_build_domains(&build);
    if (listener_build_is_https(&build)) {
        listener_build_credentials(&build);
        listener_check_tls(&build);
    } else {
        warn_of_tls_keys(&build);
    }
    listener_build_auth(&build);
    listener_build_refusals(&build);
    if (listener_build_is_https(&build))
        listener_check_sm2(&build);
    listener_build_policies(&build);
    if (problems->error_count > errors_before || build.has_wrong_rules)
        return false;
    listener_warn_of_unreachable(&build);
    listener->router = router_new(listener->domains, listener->domain_count, listener->rules,
                                  listener->rule_count, build.default_domain, arena);
    listener_build_access(&build);
    listener_warn_of_circles(&build);
    if (listener_build_is_https(&build))
        build_sessions(&build);
    return problems->error_count == errors_before;
}

/* With sni = on each domain has its policy; without it the listener has one. */
static void count_cas(struct listener *listener, struct ca_uses *uses)
{
    if (!listener->options->sni) {
        for (unsigned i = 0; i < listener->policy_count; i++)
            listener->policies[i].cas =
                ca_list_new(uses, listener->name, "", &listener->policies[i]);
        return;
    }
    for (unsigned i = 0; i < listener->domain_count && i < listener->policy_count; i++)
        listener->policies[i].cas =
            ca_list_new(uses, listener->name, listener->domains[i].pattern, &listener->policies[i]);
}

/* A section of several listeners is opened with the first. */
static void count_access(struct listener *listener, struct access_tallies *tallies)
{
    for (unsigned i = 0; i < listener->access_count; i++) {
        struct access_rule *rule = &listener->access_sections[i]->rule;
        if (!rule->tally)
            rule->tally = access_tallies_of(tallies, rule->name);
    }
}

void listener_open(struct listener *listener, const struct listener_services *services)
{
    listener->registry = services->registry;
    listener->view = registry_view(services->registry);
    for (unsigned i = 0; services->crls && i < listener->crl_check_count; i++)
        crls_adopt(services->crls, listener->crl_checks[i]);
    for (unsigned i = 0; i < listener->ocsp_check_count; i++)
        ocsp_check_open(listener->ocsp_checks[i], services->ocsp);
    listener->tally = tallies_of(services->tallies, listener->name);
    count_access(listener, services->access_tallies);
    if (services->ca_uses)
        count_cas(listener, services->ca_uses);
}

static bool same_domain(const struct domain *one, const struct domain *other)
{
    return strcmp(one->pattern, other->pattern) == 0 && policy_equal(one->policy, other->policy);
}

bool listener_settles_alike(const struct listener *one, const struct listener *other)
{
    if (one->options->protocol != other->options->protocol)
        return false;
    if (one->options->protocol == LISTENER_HTTP)
        return true;
    if (one->options->sni != other->options->sni || one->domain_count != other->domain_count ||
        router_default_domain(one->router)->index != router_default_domain(other->router)->index)
        return false;
    for (unsigned i = 0; i < one->domain_count; i++)
        if (!same_domain(&one->domains[i], &other->domains[i]))
            return false;
    return true;
}

void listener_take_sessions(struct listener *listener, const struct listener *before)
{
    if (!listener->sessions || !before->sessions ||
        listener->options->sessions != before->options->sessions ||
        listener->options->session_timeout != before->options->session_timeout)
        return;
    session_cache_unref(listener->sessions);
    listener->sessions = session_cache_ref(before->sessions);
}

void listener_done(struct listener *listener)
{
    for (unsigned i = 0; i < listener->crl_check_count; i++)
        crl_check_done(listener->crl_checks[i]);
    router_done(listener->router);
    access_index_done(listener->access);
    for (unsigned i = 0; i < listener->policy_count; i++)
        policy_done(&listener->policies[i]);
    for (unsigned i = 0; i < listener->ca_set_count; i++)
        ca_set_free(listener->ca_sets[i]);
    for (unsigned i = 0; i < listener->credential_count; i++)
        credential_free(listener->credentials[i]);
    session_cache_unref(listener->sessions);
    *listener = (struct listener){0};
}
