/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The domains of a listener by the names they are for: exact ones, else the longest `*.x`, else the
 * longest `x.*`, else the first regular expression that matches. The router's own; see router.h.
 */
#ifndef LB_LISTENERS_RULES_ROUTER_DOMAINS_H
#define LB_LISTENERS_RULES_ROUTER_DOMAINS_H

#include "lb/base/text_map.h"
#include "listeners/rules/router.h"

struct regex;

struct router_domains {
    struct text_map names;
    struct text_map suffixes; /* ".example.com" of "*.example.com", hashed from the right */
    struct text_map prefixes; /* "www.example." of "www.example.*" */
    bool has_any, has_suffixes, has_prefixes;
    unsigned regex_count;
    struct router_domain_regex {
        struct regex *regex; /* owned */
        const struct domain *domain;
    } * regexes; /* in the file's order */
};

enum router_name {
    ROUTER_NAME_KNOWN,
    ROUTER_NAME_UNKNOWN,
    ROUTER_NAME_UNDECIDED, /* a regular expression took more than its limits */
};

/** domains: in the file's order, borrowed. Out of memory ends the process. Thread: loader. */
void router_domains_build(struct router_domains *all, const struct domain *domains, unsigned count,
                          struct arena *arena);
/** Release the regular expressions. */
void router_domains_done(struct router_domains *all);

/** *ret_domain is set for a known name only. host: as it came. Any thread. */
enum router_name router_domains_find(const struct router_domains *all, struct slice host,
                                     const struct domain **ret_domain);

#endif
