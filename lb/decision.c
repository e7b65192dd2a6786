/* SPDX-License-Identifier: Apache-2.0 */
/* Host chooses the domain, the path its rule, the rule judges the client. In this order, for every
 * request. */
#include "lb/decision.h"

#include "listeners/access.h"
#include "listeners/policy.h"
#include "listeners/redirect.h"
#include "listeners/router.h"

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

/* What [access] says of a client that the rule lets pass; outcome_of() what the rule does. */
static enum decision_outcome outcome_of_access(struct decision *decision,
                                               const struct inquiry *inquiry,
                                               enum decision_outcome outcome)
{
    if (!inquiry->listener->access)
        return outcome;
    enum refusal verdict =
        policy_verdict(&decision->rule->auth, inquiry->visitor.identity, inquiry->visitor.now);
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

unsigned decision_status(const struct decision *decision)
{
    switch (decision->outcome) {
    case DECISION_PASS:
        return 0;
    case DECISION_SLASH:
        return 301;
    case DECISION_REDIRECT:
        return decision->rule->redirect->status;
    case DECISION_RESPOND:
        return decision->rule->respond->status;
    case DECISION_MISDIRECTED:
        return 421;
    case DECISION_NO_RULE:
        return 404;
    case DECISION_AMBIGUOUS:
    case DECISION_UNDECIDED:
    case DECISION_NO_HOST:
    case DECISION_BAD_CLIENT_ID:
        return 400;
    case DECISION_REFUSED:
        return decision->rule->auth.redirect ? decision->rule->auth.redirect->status : 403;
    case DECISION_BLOCKED:
        return 403;
    case DECISION_SENT_AWAY:
        return decision->access->redirect->status;
    case DECISION_SIGN_UP:
    case DECISION_ASK_OCSP:
    case DECISION_UNREGISTERED:
        return 503;
    }
    return 500;
}

const char *decision_reason(const struct decision *decision)
{
    switch (decision->outcome) {
    case DECISION_PASS:
        return NULL;
    case DECISION_SLASH:
        return "slash";
    case DECISION_REDIRECT:
        return "redirect";
    case DECISION_RESPOND:
        return "respond";
    case DECISION_MISDIRECTED:
    case DECISION_REFUSED:
    case DECISION_BLOCKED:
    case DECISION_SENT_AWAY:
        return refusal_name(decision->refusal);
    case DECISION_NO_RULE:
        return "no-rule";
    case DECISION_AMBIGUOUS:
        return "ambiguous-path";
    case DECISION_UNDECIDED:
        return "regex-limit";
    case DECISION_NO_HOST:
        return "no-host";
    case DECISION_SIGN_UP:
        return "sign-up";
    case DECISION_ASK_OCSP:
        return "ocsp";
    case DECISION_UNREGISTERED:
        return "not-registrable";
    case DECISION_BAD_CLIENT_ID:
        return "bad-client-id";
    }
    return NULL;
}

const char *decision_sentence(const struct decision *decision)
{
    switch (decision->outcome) {
    case DECISION_PASS:
    case DECISION_SLASH:
    case DECISION_REDIRECT:
    case DECISION_RESPOND:
    case DECISION_SENT_AWAY:
    case DECISION_SIGN_UP:
    case DECISION_ASK_OCSP:
        return NULL;
    case DECISION_NO_RULE:
        return "Nothing is configured for this address.";
    case DECISION_AMBIGUOUS:
        return "The path can be read in more than one way.";
    case DECISION_UNDECIDED:
        return "It takes too long to find out who serves this address.";
    case DECISION_NO_HOST:
        return "The request does not say which host it is for.";
    case DECISION_MISDIRECTED:
    case DECISION_REFUSED:
    case DECISION_BLOCKED:
        return refusal_sentence(decision->refusal);
    case DECISION_UNREGISTERED:
        return "Your certificate could not be registered at the moment.";
    case DECISION_BAD_CLIENT_ID:
        return "The field that says which client this is stands in the request more than once, or "
               "is not 1 to 256 bytes of text.";
    }
    return NULL;
}

const char *decision_advice(const struct decision *decision)
{
    switch (decision->outcome) {
    case DECISION_PASS:
    case DECISION_SLASH:
    case DECISION_REDIRECT:
    case DECISION_RESPOND:
    case DECISION_SENT_AWAY:
    case DECISION_SIGN_UP:
    case DECISION_ASK_OCSP:
        return NULL;
    case DECISION_NO_RULE:
        return "Check how the address is written.";
    case DECISION_AMBIGUOUS:
        return "Write it without encoded slashes, backslashes, empty or dot segments.";
    case DECISION_UNDECIDED:
        return "A shorter one may do.";
    case DECISION_NO_HOST:
        return "Send a Host field, as HTTP/1.1 does.";
    case DECISION_MISDIRECTED:
    case DECISION_REFUSED:
    case DECISION_BLOCKED:
        return refusal_advice(decision->refusal);
    case DECISION_UNREGISTERED:
        return "Try again later. This is not your fault: the operator has to look at the registry.";
    case DECISION_BAD_CLIENT_ID:
        return "Send it once, with 1 to 256 bytes of text.";
    }
    return NULL;
}

bool decision_is_refusal(const struct decision *decision)
{
    return decision_sentence(decision) != NULL;
}
