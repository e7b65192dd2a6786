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

struct listener_build {
    struct listener *listener;
    const struct rule_section *sections; /* by the rule's index */
    unsigned *refuse_lines; /* by the rule's index: where refuse_with was said; 0: nowhere */
    unsigned default_domain;
    bool has_wrong_rules; /* reported before: no router can be built */
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
/** What the handshake of each domain asks (listener_policies.c). */
void listener_build_policies(struct listener_build *build);
/** Rules that no request can ever choose (listener_reach.c). */
void listener_warn_of_unreachable(struct listener_build *build);
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
