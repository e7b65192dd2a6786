/* SPDX-License-Identifier: Apache-2.0 */
/*
 * National (SM2) certificates: whether TLS can use them here, and whether server and clients are of
 * one kind. A domain that also has a server certificate of another kind may have CAs of any.
 */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/certificate.h"
#include "listeners/load/client_ca.h"
#include "listeners/load/listener_build.h"
#include "listeners/registry/cas.h"
#include "listeners/tls/sm2.h"

static bool has_version_13(const struct listener_options *options)
{
    for (unsigned i = 0; i < options->tls_versions.count; i++)
        if (strcmp(options->tls_versions.items[i], "1.3") == 0)
            return true;
    return options->tls_versions.count == 0;
}

/* What keeps TLS from using it; false: nothing. */
static bool report_unusable(struct listener_build *build, const char *what, unsigned line)
{
    if (!sm2_is_offered()) {
        LISTENER_ERROR(build, line,
                       "%s has an SM2 key: TLS with SM2 (RFC 8998) needs OpenSSL 4.0 or newer, and "
                       "this lb runs with %s; use an RSA or ECDSA certificate, or another OpenSSL",
                       what, OpenSSL_version(OPENSSL_VERSION));
        return true;
    }
    if (has_version_13(build->listener->options))
        return false;
    LISTENER_ERROR(build, build->listener->options->tls_versions_line,
                   "%s has an SM2 key, which is for TLS 1.3 only (RFC 8998): add 1.3 to "
                   "tls_versions",
                   what);
    return true;
}

/* --- server certificates -------------------------------------------------------------------- */

static unsigned certificate_line(const struct listener *listener, const char *path)
{
    const struct option_list *own = &listener->options->certificate;
    for (unsigned i = 0; i < own->count; i++)
        if (strcmp(own->items[i], path) == 0)
            return own->lines[i];
    for (unsigned r = 0; r < listener->rule_count; r++) {
        const struct option_list *list = &listener->rules[r].options->certificate;
        for (unsigned i = 0; i < list->count; i++)
            if (strcmp(list->items[i], path) == 0)
                return list->lines[i];
    }
    return listener->line;
}

/* false: some cannot be used, and that was reported. */
static bool check_credentials(struct listener_build *build)
{
    struct listener *listener = build->listener;
    bool are_usable = true;
    for (unsigned i = 0; i < listener->credential_count; i++) {
        const struct credential *credential = listener->credentials[i];
        if (!sm2_has_key(credential->certificate))
            continue;
        listener->speaks_sm2 = true;
        const char *what =
            arena_format(build->arena, "certificate %s", credential->certificate_path);
        are_usable &=
            !report_unusable(build, what, certificate_line(listener, credential->certificate_path));
    }
    return are_usable;
}

/* --- client CAs ------------------------------------------------------------------------------ */

static X509 *find_ca(const struct ca_set *set, bool is_sm2)
{
    for (int i = 0; i < sk_X509_num(set->certificates); i++)
        if (sm2_has_key(sk_X509_value(set->certificates, i)) == is_sm2)
            return sk_X509_value(set->certificates, i);
    return NULL;
}

static bool is_served_with_sm2_only(const struct domain *domain)
{
    for (unsigned i = 0; i < domain->credential_count; i++)
        if (!sm2_has_key(domain->credentials[i]->certificate))
            return false;
    return domain->credential_count > 0;
}

static bool file_has(const char *path, const X509 *ca)
{
    struct error err = {""};
    STACK_OF(X509) *certificates = certificates_load(path, &err);
    bool is_there = false;
    for (int i = 0; i < sk_X509_num(certificates) && !is_there; i++)
        is_there = X509_cmp(sk_X509_value(certificates, i), ca) == 0;
    sk_X509_pop_free(certificates, X509_free);
    return is_there;
}

static bool registry_has(const struct cas *cas, const char *value, const X509 *ca)
{
    const char *name = client_ca_name(value);
    for (size_t i = 0; cas && i < cas->count; i++)
        if (X509_cmp(cas->items[i].certificate, ca) == 0 &&
            (!name || cas_find(cas, name) == &cas->items[i]))
            return true;
    return false;
}

/* The client_ca that a CA stands in, and whose it is. */
struct place {
    unsigned line;
    const char *owner;
};

static struct place place_of(const struct listener_build *build, const struct rule *rule,
                             const X509 *ca)
{
    const struct listener *listener = build->listener;
    bool is_own = rule->options->client_ca.count > 0;
    const struct option_list *list =
        is_own ? &rule->options->client_ca : &listener->options->client_ca;
    unsigned at = 0;
    while (at < list->count &&
           !(client_ca_is_file(list->items[at]) ? file_has(list->items[at], ca)
                                                : registry_has(build->cas, list->items[at], ca)))
        at++;
    return (struct place){
        .line = list->lines[at < list->count ? at : 0],
        .owner = is_own ? arena_format(build->arena, "rule %s (line %u)", rule->name, rule->line)
                        : arena_format(build->arena, "listener %s", listener->name)};
}

static const char *name_of(const struct listener_build *build, const X509 *ca)
{
    char *name = certificate_name_text(X509_get_subject_name(ca));
    const char *kept = arena_copy(build->arena, name && *name ? name : "(no subject)");
    free(name);
    return kept;
}

static void report_pair(struct listener_build *build, const struct rule *rule, const X509 *ca)
{
    const struct place place = place_of(build, rule, ca);
    LISTENER_ERROR(build, place.line,
                   "client_ca of %s: the CA %.200s is no SM2 CA, but the server certificate %s of "
                   "rule %s (line %u) is an SM2 certificate; name an SM2 CA, or give the domain a "
                   "second server certificate (RSA or ECDSA) for other clients",
                   place.owner, name_of(build, ca), rule->domain->credentials[0]->certificate_path,
                   rule->name, rule->line);
}

/* One report for each set of CAs. */
static void check_set(struct listener_build *build, const struct rule *rule)
{
    const struct ca_set *set = rule->auth.ca_set;
    const X509 *national = find_ca(set, true), *other = find_ca(set, false);
    if (national) {
        const struct place place = place_of(build, rule, national);
        const char *what = arena_format(build->arena, "client_ca of %s: the CA %.200s", place.owner,
                                        name_of(build, national));
        build->listener->speaks_sm2 = true;
        if (report_unusable(build, what, place.line))
            return;
    }
    if (other && is_served_with_sm2_only(rule->domain))
        report_pair(build, rule, other);
}

static bool was_checked(const struct listener *listener, unsigned index)
{
    const struct rule *rule = &listener->rules[index];
    for (unsigned i = 0; i < index; i++)
        if (listener->rules[i].auth.ca_set == rule->auth.ca_set &&
            listener->rules[i].domain == rule->domain)
            return true;
    return false;
}

static bool has_sm2_ca(const struct listener *listener)
{
    for (unsigned i = 0; i < listener->ca_set_count; i++)
        if (find_ca(listener->ca_sets[i], true))
            return true;
    return false;
}

void listener_check_sm2(struct listener_build *build)
{
    const struct listener *listener = build->listener;
    if (!check_credentials(build) || (!listener->speaks_sm2 && !has_sm2_ca(listener)))
        return;
    for (unsigned i = 0; i < listener->rule_count; i++)
        if (listener->rules[i].auth.ca_set && !was_checked(listener, i))
            check_set(build, &listener->rules[i]);
}
