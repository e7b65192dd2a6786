/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the domain of a host name and the rule of a path, at a cost that does not depend on how many there are:
 * exact names and wildcard suffixes are hashed, prefixes are looked up at segment borders, longest first.
 */
#ifndef LB_LISTENERS_ROUTER_H
#define LB_LISTENERS_ROUTER_H

#include <stdbool.h>

#include "lb/base/certificate.h"
#include "lb/base/slice.h"
#include "listeners/policy.h"
#include "listeners/rule.h"

/** All rules of one host name of one listener. Frozen. */
struct domain {
    const char *pattern; /* "www.example.com", "*.example.com", or "" for rules without a domain */
    const struct policy *policy; /* SNI off: the listener's, shared by all its domains */
    unsigned credential_count;
    struct credential *const *credentials; /* server certificates; SNI off: the listener's */
    unsigned index;      /* among the listener's domains */
};

struct router;

enum route {
    ROUTE_FOUND,
    ROUTE_NONE,      /* no rule for this URL: 404 */
    ROUTE_AMBIGUOUS, /* two parsers could choose different rules, or the path cannot be decoded: 400 */
};

/** The domain of a name (Host without port, or SNI): case and a trailing dot are ignored; else the default domain. */
const struct domain *router_domain(const struct router *router, struct slice host);
/** Like router_domain, but NULL where the name is no domain's (for unknown_sni). */
const struct domain *router_known_domain(const struct router *router, struct slice host);
const struct domain *router_default_domain(const struct router *router);

/** The rule of a path within a domain. path: as it came, without query; "*" is treated as "/". */
enum route router_rule(const struct router *router, const struct domain *domain, struct slice path,
                       const struct rule **ret_rule);

#endif
