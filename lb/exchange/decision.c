/* SPDX-License-Identifier: Apache-2.0 */
/* Host chooses the domain, the path its rule, the rule judges the client. In this order, for every
 * request. */
#include "lb/exchange/decision.h"

#include "listeners/access/access.h"
#include "listeners/rules/policy.h"
#include "listeners/rules/redirect.h"
#include "listeners/rules/router.h"

static bool is_misdirected(const unsigned char *settled, const struct domain *domain)
{
    /* With SNI off one policy serves the whole listener: only a reload can have changed it. */
    return settled && !policy_has_id(domain->policy, settled);
}

/* What a rule does with a client that may pass. */
static enum decision_outcome outcome_of(const struct rule *rule, enum route route,
                                        struct slice host)
{
    if (route == ROUTE_SLASH)
        return DECISION_SLASH;
    if (rule->redirect)
        return rule->redirect->needs_host && host.length == 0 ? DECISION_NO_HOST
                                                              : DECISION_REDIRECT;
    return rule->respond ? DECISION_RESPOND : DECISION_PASS;
}

/* Of a client that the rule lets pass: whom it lets pass only verified is. */
static enum refusal verdict_of(const struct client_auth *auth, const struct visitor *visitor)
{
    if (auth->mode == AUTH_REQUIRE && !auth->exempt)
        return REFUSAL_NONE;
    return policy_verdict(auth, visitor->identity, visitor->now);
}

/* What [access] says of a client that the rule lets pass; outcome_of() what the rule does. */
static enum decision_outcome outcome_of_access(struct decision *decision,
                                               const struct inquiry *inquiry,
                                               enum decision_outcome outcome)
{
    if (!inquiry->listener->access)
        return outcome;
    enum refusal verdict = verdict_of(&decision->rule->auth, &inquiry->visitor);
    decision->access =
        access_find(inquiry->listener, decision->rule, verdict, inquiry->host, inquiry->path);
    if (!decision->access || decision->access->action == ACCESS_LOG)
        return outcome;
    decision->refusal = verdict == REFUSAL_NONE ? REFUSAL_BLOCKED : verdict;
    return decision->access->action == ACCESS_BLOCK ? DECISION_BLOCKED : DECISION_SENT_AWAY;
}

/* The rule's own client authentication, then what it does. */
static void judge(struct decision *decision, const struct inquiry *inquiry, enum route route)
{
    struct judgement judgement =
        policy_judge(&decision->rule->auth, inquiry->listener->view, &inquiry->visitor);
    decision->refusal = judgement.refusal;
    if (judgement.refusal != REFUSAL_NONE)
        decision->outcome = DECISION_REFUSED;
    else if (judgement.must_ask_ocsp)
        decision->outcome = DECISION_ASK_OCSP;
    else if (judgement.must_sign_up)
        decision->outcome = DECISION_SIGN_UP;
    else
        decision->outcome =
            outcome_of_access(decision, inquiry, outcome_of(decision->rule, route, inquiry->host));
}

struct decision decide(const struct inquiry *inquiry)
{
    const struct router *router = inquiry->listener->router;
    struct decision decision = {.outcome = DECISION_UNDECIDED,
                                .domain = router_domain(router, inquiry->host)};
    if (!decision.domain)
        return decision;
    if (is_misdirected(inquiry->settled, decision.domain)) {
        decision.outcome = DECISION_MISDIRECTED;
        decision.refusal = REFUSAL_HOST_MISMATCH;
        return decision;
    }
    enum route route = router_rule(router, decision.domain, inquiry->path, &decision.rule);
    switch (route) {
    case ROUTE_NONE:
        decision.outcome = DECISION_NO_RULE;
        return decision;
    case ROUTE_AMBIGUOUS:
        decision.outcome = DECISION_AMBIGUOUS;
        return decision;
    case ROUTE_UNDECIDED:
        return decision;
    case ROUTE_FOUND:
    case ROUTE_SLASH:
        break;
    }
    judge(&decision, inquiry, route);
    return decision;
}
