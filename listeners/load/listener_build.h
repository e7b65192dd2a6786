/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A listener under construction: what the listener_*.c files hand to each other while
 * listener_prepare() runs, in this order. Each step reports its problems and leaves behind what the
 * next ones can work with, so that all problems are found in one go.
 */
#ifndef LB_LISTENERS_LISTENER_BUILD_H
#define LB_LISTENERS_LISTENER_BUILD_H

#include <stdbool.h>

#include "listeners/listener.h"

struct cas;

struct listener_build {
    struct listener *listener;
    const struct rule_section *sections; /* by the rule's index */
    unsigned *refuse_lines; /* by the rule's index: where refuse_with was said; 0: nowhere */
    unsigned default_domain;
    bool has_wrong_rules;  /* reported before: no router can be built */
    const struct cas *cas; /* of the registry; NULL: nobody names one, or that was reported */
    struct arena *arena;
    const char *file;
    struct problems *problems;
};

/** Whose PROXY headers are read (listener_proxy.c). */
void listener_build_proxies(struct listener_build *build);
/** Domains, urls and the default domain (listener_domains.c). */
void listener_build_domains(struct listener_build *build);
/** Server certificates and their keys, for each domain (listener_credentials.c). */
void listener_build_credentials(struct listener_build *build);
/** What each rule asks of clients, its own or the listener's, and the CA sets (listener_auth.c). */
void listener_build_auth(struct listener_build *build);
/** How each rule that asks for certificates tells those it refuses: refuse_with, its own or the
 * listener's, with pages and redirects (listener_refusal.c). After listener_build_auth(). */
void listener_build_refusals(struct listener_build *build);
/** Does a rule, or its listener where it says nothing, refuse by alert in so many words? */
bool listener_build_says_alert(const struct listener *listener, const struct rule *rule);
/** Rules that send those they refuse to themselves (listener_refusal.c). Needs the router. */
void listener_warn_of_circles(struct listener_build *build);
/** Does a client_ca name CAs of the registry? */
bool listener_cas_are_named(const struct option_list *client_ca);
/** Report names in a client_ca that no CA of the registry has. false: there are some. */
bool listener_cas_check(struct listener_build *build, const struct option_list *client_ca);
/**
 * The CAs of the registry that a client_ca stands for, for a rule of the domain `pattern`, each
 * once. Disabled ones, too: who comes from one is verified and then refused as such (judge.h).
 *
 * into               room for all that the registry has
 * ret_enabled_count  how many of them are enabled
 * returns            how many
 */
unsigned listener_cas_collect(const struct listener_build *build,
                              const struct option_list *client_ca, const char *pattern, X509 **into,
                              unsigned *ret_enabled_count);
/** Is one that it names bound to the domain? One that is disabled counts: to disable a CA must not
 * open its hosts to everybody. */
bool listener_cas_are_bound(const struct listener_build *build, const struct option_list *client_ca,
                            const char *pattern);
/** Is one of the set's CAs, or one that it issued, registered and enabled? So can its clients be.
 */
bool listener_cas_are_registered(const struct listener_build *build, const struct ca_set *set);
/** allow_client of a rule that asks for certificates (listener_allow.c). */
void listener_build_allow(struct listener_build *build, struct rule *rule);
/** exempt_from of a rule that asks for certificates (listener_exempt.c). */
void listener_build_exempt(struct listener_build *build, struct rule *rule);
/** Which revocation lists are asked about a rule's clients, and how (listener_crl.c). They are read
 * later: crl_loading.h. */
void listener_build_crl(struct listener_build *build, struct rule *rule);
/** client_crl and its like of the listener that none of its rules goes by (listener_crl.c). */
void listener_warn_of_idle_crl(struct listener_build *build);
/** Whether the CA's OCSP responder is asked about a rule's clients, and which (listener_ocsp.c). */
void listener_build_ocsp(struct listener_build *build, struct rule *rule);
/** What the listener says of OCSP, and none of its rules goes by. After all rules. */
void listener_warn_of_idle_ocsp(struct listener_build *build);
/** What the handshake of each domain asks (listener_policies.c). */
void listener_build_policies(struct listener_build *build);
/** The [access] sections that hold here; the router is there (listener_access.c). */
void listener_build_access(struct listener_build *build);
/** [access] sections that earlier ones leave nothing to (listener_access_order.c). */
void listener_warn_of_idle_access(struct listener_build *build);
/** Whose requests each section can meet here, for a warning once all listeners are known
 * (listener_access_clients.c). Needs the router. */
void listener_note_access_clients(struct listener_build *build);
/** Rules that no request can ever choose (listener_reach.c). */
void listener_warn_of_unreachable(struct listener_build *build);
/** National certificates: can they be used, and do server and clients go together
 * (listener_sm2.c). */
void listener_check_sm2(struct listener_build *build);
/** TLS versions, ciphers and groups, tried on OpenSSL (listener_tls.c). */
void listener_check_tls(struct listener_build *build);

/** Is this listener's protocol https? */
static inline bool listener_build_is_https(const struct listener_build *build)
{
    return build->listener->options->protocol == LISTENER_HTTPS;
}
/** Did this rule's client authentication turn out well, or was it reported? */
static inline bool listener_build_has_auth(const struct rule *rule)
{
    return rule->auth.mode == AUTH_OFF || rule->auth.ca_set;
}
/** A key's line, or the section's where the key was left out. */
static inline unsigned listener_build_line(unsigned key_line, unsigned section_line)
{
    return key_line ? key_line : section_line;
}

/* The shared shape of reports; problems carry the build's file. */
#define LISTENER_ERROR(build, line, ...)                                                           \
    problems_add((build)->problems, (build)->file, line, __VA_ARGS__)
#define LISTENER_WARN(build, line, ...)                                                            \
    problems_warn((build)->problems, (build)->file, line, __VA_ARGS__)

#endif
