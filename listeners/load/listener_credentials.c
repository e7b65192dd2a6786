/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server certificates. With sni = off the listener names them and all its domains share them; with
 * sni = on each domain has those that its rules name. A file named by many rules is loaded once.
 */
#include <string.h>

#include "lb/base/credential_shelf.h"
#include "lb/base/text_map.h"
#include "listeners/load/listener_build.h"

/* The lists of one section. */
struct naming {
    const struct option_list *certificates;
    const struct option_list *keys;
    unsigned line; /* of the section */
};

static struct naming naming_of_rule(const struct rule *rule)
{
    return (struct naming){&rule->options->certificate, &rule->options->certificate_key,
                           rule->line};
}

static bool is_empty(const struct naming *naming)
{
    return naming->certificates->count == 0 && naming->keys->count == 0;
}

static unsigned line_of(const struct naming *naming)
{
    if (naming->certificates->count > 0)
        return naming->certificates->lines[0];
    return naming->keys->count > 0 ? naming->keys->lines[0] : naming->line;
}

/* Loading. */

/* What this listener has asked for. */
struct known {
    struct text_map map;    /* by "certificate\nkey": the credential, or `bad` */
    struct credential *bad; /* reported already */
};

static void check_dates(struct listener_build *build, const struct credential *credential,
                        unsigned line)
{
    time_t now = time(NULL);
    if (certificate_time(X509_get0_notAfter(credential->certificate)) < now)
        LISTENER_WARN(build, line, "the server certificate %s has expired: clients will refuse it",
                      credential->certificate_path);
    else if (certificate_time(X509_get0_notBefore(credential->certificate)) > now)
        LISTENER_WARN(build, line,
                      "the server certificate %s is not valid yet: clients will refuse it",
                      credential->certificate_path);
}

static struct credential *load(struct listener_build *build, struct known *known,
                               const struct naming *naming, unsigned index)
{
    const char *certificate = naming->certificates->items[index];
    const char *key = naming->keys->items[index];
    struct slice name = slice_of(arena_format(build->arena, "%s\n%s", certificate, key));
    uint64_t hash = text_hash(name);
    struct credential *seen = (struct credential *)text_map_get(&known->map, hash, name);
    if (seen)
        return seen == known->bad ? NULL : seen;
    struct error err = {0};
    unsigned line = naming->certificates->lines[index];
    struct credential *loaded =
        credential_shelf_take(build->listener->shelf, certificate, key, &err);
    text_map_add(&known->map, hash, name, loaded ? loaded : known->bad);
    if (!loaded) {
        LISTENER_ERROR(build, line, "%s", err.text);
        return NULL;
    }
    check_dates(build, loaded, line);
    build->listener->credentials[build->listener->credential_count++] = loaded;
    return loaded;
}

static const char *key_type_name(int key_type)
{
    if (key_type == EVP_PKEY_EC)
        return "ECDSA";
    return key_type == EVP_PKEY_RSA ? "RSA" : OBJ_nid2sn(key_type);
}

static void check_key_types(struct listener_build *build, struct credential *const *credentials,
                            unsigned count, const struct naming *naming)
{
    for (unsigned i = 0; i < count; i++)
        for (unsigned k = 0; k < i; k++)
            if (credentials[i] && credentials[k] &&
                credentials[i]->key_type == credentials[k]->key_type)
                LISTENER_ERROR(build, naming->certificates->lines[i],
                               "two server certificates with %s keys (the other in line %u): "
                               "give one for each key algorithm",
                               key_type_name(credentials[i]->key_type),
                               naming->certificates->lines[k]);
}

/* The credentials a section names, for a domain; none when something is wrong with them. */
static void load_list(struct listener_build *build, struct known *known,
                      const struct naming *naming, struct domain *domain)
{
    unsigned count = naming->certificates->count;
    if (count != naming->keys->count) {
        LISTENER_ERROR(build, line_of(naming),
                       "%u of certificate but %u of certificate_key: each certificate needs its "
                       "key, in the same order",
                       count, naming->keys->count);
        return;
    }
    struct credential **credentials = arena_alloc(build->arena, (count + 1) * sizeof *credentials);
    unsigned loaded = 0;
    for (unsigned i = 0; i < count; i++) {
        credentials[i] = load(build, known, naming, i);
        loaded += credentials[i] != NULL;
    }
    check_key_types(build, credentials, count, naming);
    if (loaded < count)
        return;
    domain->credentials = credentials;
    domain->credential_count = count;
}

/* sni = off. */

static void refuse_rule_certificates(struct listener_build *build)
{
    const struct listener *listener = build->listener;
    for (unsigned i = 0; i < listener->rule_count; i++) {
        struct naming naming = naming_of_rule(&listener->rules[i]);
        if (!is_empty(&naming))
            LISTENER_ERROR(build, line_of(&naming),
                           "rule %s names a certificate, but listener %s has sni = off and uses "
                           "its own for every rule: put it there, or say sni = on",
                           listener->rules[i].name, listener->name);
    }
}

static void share_one(struct listener_build *build, struct known *known)
{
    struct listener *listener = build->listener;
    const struct listener_options *options = listener->options;
    struct naming naming = {&options->certificate, &options->certificate_key, listener->line};
    struct domain shared = {0};
    refuse_rule_certificates(build);
    if (is_empty(&naming)) {
        LISTENER_ERROR(build, listener->line,
                       "listener %s speaks https but has no certificate: add certificate and "
                       "certificate_key, or say protocol = http",
                       listener->name);
        return;
    }
    load_list(build, known, &naming, &shared);
    for (unsigned i = 0; i < listener->domain_count; i++) {
        listener->domains[i].credentials = shared.credentials;
        listener->domains[i].credential_count = shared.credential_count;
    }
}

/* sni = on. */

/* The rule that brings a domain's certificate: the first one that names any. */
static void find_owners(struct listener_build *build, const struct rule **owners)
{
    const struct listener *listener = build->listener;
    for (unsigned i = 0; i < listener->rule_count; i++) {
        const struct rule *rule = &listener->rules[i];
        const struct rule **owner = &owners[rule->domain->index];
        struct naming naming = naming_of_rule(rule);
        if (is_empty(&naming))
            continue;
        if (!*owner) {
            *owner = rule;
            continue;
        }
        struct naming first = naming_of_rule(*owner);
        if (!option_lists_equal(naming.certificates, first.certificates) ||
            !option_lists_equal(naming.keys, first.keys))
            LISTENER_ERROR(build, line_of(&naming),
                           "rules %s (line %u) and %s name different certificates for %s%s: a "
                           "domain has one, name the same in both",
                           (*owner)->name, line_of(&first), rule->name,
                           *rule->domain->pattern ? "domain " : "every other host",
                           rule->domain->pattern);
    }
}

static void report_missing(struct listener_build *build, const struct domain *domain)
{
    const struct rule *rule = build->listener->rules;
    while (rule->domain != domain)
        rule++;
    LISTENER_ERROR(build, rule->line,
                   "rule %s has no certificate, but listener %s has sni = on and needs one for "
                   "%s%s: add certificate and certificate_key",
                   rule->name, build->listener->name,
                   *domain->pattern ? "domain " : "every other host", domain->pattern);
}

static void one_for_each_domain(struct listener_build *build, struct known *known)
{
    struct listener *listener = build->listener;
    const struct listener_options *options = listener->options;
    const struct rule **owners =
        arena_alloc(build->arena, (listener->domain_count + 1) * sizeof(struct rule *));
    struct naming own = {&options->certificate, &options->certificate_key, listener->line};
    if (!is_empty(&own))
        LISTENER_ERROR(build, line_of(&own),
                       "listener %s has sni = on and so takes its certificates from its rules: "
                       "move certificate and certificate_key there, or say sni = off",
                       listener->name);
    find_owners(build, owners);
    for (unsigned i = 0; i < listener->domain_count; i++) {
        struct domain *domain = &listener->domains[i];
        if (!owners[i]) {
            report_missing(build, domain);
            continue;
        }
        struct naming naming = naming_of_rule(owners[i]);
        load_list(build, known, &naming, domain);
    }
}

static void build_all(struct listener_build *build, size_t most)
{
    struct listener *listener = build->listener;
    struct credential bad = {0};
    struct known known = {.bad = &bad};
    text_map_init(&known.map, most, build->arena);
    listener->credentials = arena_alloc(build->arena, (most + 1) * sizeof(struct credential *));
    if (listener->options->sni)
        one_for_each_domain(build, &known);
    else
        share_one(build, &known);
}

void listener_build_credentials(struct listener_build *build)
{
    struct listener *listener = build->listener;
    size_t most = listener->options->certificate.count;
    for (unsigned i = 0; i < listener->rule_count; i++)
        most += listener->rules[i].options->certificate.count;
    struct credential_shelf *own = listener->shelf ? NULL : credential_shelf_new(most, NULL);
    if (own)
        listener->shelf = own;
    build_all(build, most);
    if (own)
        listener->shelf = NULL;
    credential_shelf_free(own);
}
