/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the domain of a host name (router_domains.c) and the rule of a path (router_urls.c), at a
 * cost that does not depend on how many there are; only regular expressions are asked one by one,
 * in the file's order.
 */
#ifndef LB_LISTENERS_RULES_ROUTER_H
#define LB_LISTENERS_RULES_ROUTER_H

#include <stdbool.h>

#include "lb/base/arena.h"
#include "lb/base/certificate.h"
#include "lb/base/slice.h"
#include "listeners/rules/policy.h"
#include "listeners/rules/rule.h"

/** All rules of one host name of one listener. Frozen. */
struct domain {
    const char *pattern; /* "www.example.com", "*.example.com", "www.example.*", "~regex", or "" for
                            rules without a domain */
    const struct policy *policy; /* SNI off: the listener's, shared by all its domains */
    unsigned credential_count;
    struct credential *const *credentials; /* server certificates; SNI off: the listener's */
    unsigned index;                        /* among the listener's domains */
};

struct router;

/**
 * Build the router of a listener whose rules and domains are checked: patterns as
 * rule_domain_parse() gives them, one rule for each domain and url.
 *
 * domains, rules   in the file's order, borrowed for the life of the router; each rule points to
 *                  its domain
 * default_domain   index of the one that unknown names get
 * returns          the router; lives in `arena`, but its regular expressions do not: router_done
 * Thread:          loader. Out of memory ends the process.
 */
struct router *router_new(const struct domain *domains, unsigned domain_count,
                          const struct rule *rules, unsigned rule_count, unsigned default_domain,
                          struct arena *arena);

/** Release what is not the arena's. NULL is fine. */
void router_done(struct router *router);

enum route {
    ROUTE_FOUND,
    ROUTE_SLASH,     /* the rule of "/abc/" and the path "/abc", which no other rule has: 301 */
    ROUTE_NONE,      /* no rule for this URL: 404 */
    ROUTE_AMBIGUOUS, /* two parsers could choose different rules, or the path cannot be decoded: 400
                      */
    ROUTE_UNDECIDED, /* a regular expression took more than its limits on this path: 400 */
};

/**
 * The domain of a name (Host without port, or SNI): case and a trailing dot are ignored. An exact
 * name wins over `*.name`, the longest of those over `name.*`, the longest of those over regular
 * expressions, the first of those over the default domain.
 *
 * returns  NULL when a regular expression took more than its limits on this name: nobody knows then
 *          whose it is
 * Thread:  any. Allocates only where regular expressions are asked.
 */
const struct domain *router_domain(const struct router *router, struct slice host);
/** Like router_domain, but NULL also where no rule names it (for unknown_sni); rules without a
 * domain name nobody. */
const struct domain *router_known_domain(const struct router *router, struct slice host);
const struct domain *router_default_domain(const struct router *router);

/**
 * The rule of a path within a domain: `=` exact, else the longest prefix if it is `^~`, else the
 * first regular expression that matches, else the longest prefix. Paths are compared decoded and
 * with dot segments removed; where another reading could choose another rule, the answer is
 * ROUTE_AMBIGUOUS.
 *
 * path      as it came, without query; "*" is treated as "/"
 * ret_rule  set for ROUTE_FOUND and ROUTE_SLASH; for ROUTE_UNDECIDED the rule whose expression it
 *           is; else untouched
 * Thread:   any. Allocates only where regular expressions are asked.
 */
enum route router_rule(const struct router *router, const struct domain *domain, struct slice path,
                       const struct rule **ret_rule);

#endif
