/* SPDX-License-Identifier: Apache-2.0 */
/* Host chooses the domain, the path its rule, the rule judges the client. In this order, for every
 * request. */
#include "lb/decision.h"

#include <string.h>

#include "listeners/policy.h"
#include "listeners/router.h"

static bool is_misdirected(const unsigned char *settled, const struct domain *domain)
{
    /* With SNI off one policy serves the whole listener: only a reload can have changed it. */
    return settled && memcmp(settled, domain->policy->id, POLICY_ID_BYTES) != 0;
}

struct decision decide(const struct listener *listener, const unsigned char *settled,
                       const struct identity *identity, struct slice host, struct slice path,
                       time_t now)
{
    struct decision decision = {.domain = router_domain(listener->router, host)};
    if (is_misdirected(settled, decision.domain)) {
        decision.outcome = DECISION_MISDIRECTED;
        return decision;
    }
    const struct rule *rule = NULL;
    switch (router_rule(listener->router, decision.domain, path, &rule)) {
    case ROUTE_NONE:
        decision.outcome = DECISION_NO_RULE;
        return decision;
    case ROUTE_AMBIGUOUS:
        decision.outcome = DECISION_AMBIGUOUS;
        return decision;
    case ROUTE_FOUND:
        break;
    }
    decision.rule = rule;
    decision.refusal = policy_judge(&rule->auth, identity, now);
    decision.outcome = decision.refusal == REFUSAL_NONE ? DECISION_PASS : DECISION_REFUSED;
    return decision;
}

unsigned decision_status(enum decision_outcome outcome)
{
    switch (outcome) {
    case DECISION_PASS:
        return 0;
    case DECISION_MISDIRECTED:
        return 421;
    case DECISION_NO_RULE:
        return 404;
    case DECISION_AMBIGUOUS:
        return 400;
    case DECISION_REFUSED:
        return 403;
    }
    return 500;
}

const char *decision_reason(const struct decision *decision)
{
    switch (decision->outcome) {
    case DECISION_PASS:
        return NULL;
    case DECISION_MISDIRECTED:
        return "misdirected";
    case DECISION_NO_RULE:
        return "no-rule";
    case DECISION_AMBIGUOUS:
        return "ambiguous-path";
    case DECISION_REFUSED:
        return refusal_name(decision->refusal);
    }
    return NULL;
}

const char *decision_sentence(const struct decision *decision)
{
    switch (decision->outcome) {
    case DECISION_PASS:
        return NULL;
    case DECISION_MISDIRECTED:
        return "This connection was made for another host name, which asks for other client "
               "certificates. Connect again for this one.";
    case DECISION_NO_RULE:
        return "Nothing is configured for this address.";
    case DECISION_AMBIGUOUS:
        return "The path can be read in more than one way. Write it without encoded slashes, "
               "backslashes, empty or dot segments.";
    case DECISION_REFUSED:
        return refusal_sentence(decision->refusal);
    }
    return NULL;
}
