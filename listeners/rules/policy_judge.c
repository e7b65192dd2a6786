/* SPDX-License-Identifier: Apache-2.0 */
/* The judgement of one rule: its questions, and what follows from the answers. */
#include "lb/base/network.h"
#include "listeners/allow/allow_list.h"
#include "listeners/crl/crl_check.h"
#include "listeners/identity.h"
#include "listeners/ocsp/ocsp_check.h"
#include "listeners/rules/policy.h"

/* --- what a rule asks ------------------------------------------------------------------------ */

static enum refusal verified(const struct client_auth *rule, const struct identity *identity,
                             time_t now)
{
    if (!identity || !rule->ca_set)
        return REFUSAL_MISSING;
    const struct ca_set_result *result = identity_result(identity, rule->ca_set);
    if (!result)
        return REFUSAL_UNTRUSTED;
    if (result->refusal == REFUSAL_NONE && now >= result->valid_until)
        return REFUSAL_EXPIRED;
    return result->refusal;
}

static struct judgement judged(enum refusal refusal)
{
    return (struct judgement){.refusal = refusal};
}

static struct judgement ask_ocsp(const struct client_auth *rule, const struct visitor *visitor)
{
    struct judgement judgement = judged(REFUSAL_NONE);
    judgement.refusal =
        ocsp_judge(rule->ocsp, visitor->identity, identity_result(visitor->identity, rule->ca_set),
                   visitor->now, &judgement.must_ask_ocsp);
    if (judgement.must_ask_ocsp && visitor->was_ocsp_asked)
        judgement = judged(ocsp_unanswered(rule->ocsp));
    return judgement;
}

static struct judgement ask_registry(const struct client_auth *rule, const struct view *view,
                                     const struct visitor *visitor)
{
    struct registry_judgement known =
        registry_judge(view, rule->registration, visitor->identity,
                       identity_result(visitor->identity, rule->ca_set));
    return (struct judgement){.refusal = known.refusal, .must_sign_up = known.must_sign_up};
}

static struct judgement ask_allowed(const struct client_auth *rule, const struct visitor *visitor)
{
    return judged(allow_list_has(rule->allow, visitor->identity) ? REFUSAL_NONE
                                                                 : REFUSAL_NOT_ALLOWED);
}

const char *policy_check_name(enum policy_check check)
{
    switch (check) {
    case POLICY_CHECK_CERTIFICATE:
        return "certificate";
    case POLICY_CHECK_CRL:
        return "crl";
    case POLICY_CHECK_OCSP:
        return "ocsp";
    case POLICY_CHECK_REGISTRY:
        return "registry";
    case POLICY_CHECK_ALLOW:
        return "allow_client";
    case POLICY_CHECK_COUNT:
        break;
    }
    return NULL;
}

bool policy_check_is_asked(const struct client_auth *rule, enum policy_check check)
{
    switch (check) {
    case POLICY_CHECK_CERTIFICATE:
    case POLICY_CHECK_REGISTRY:
        return rule->mode != AUTH_OFF;
    case POLICY_CHECK_CRL:
        return rule->crl;
    case POLICY_CHECK_OCSP:
        return rule->ocsp;
    case POLICY_CHECK_ALLOW:
        return rule->allow;
    case POLICY_CHECK_COUNT:
        break;
    }
    return false;
}

struct judgement policy_check_ask(enum policy_check check, const struct client_auth *rule,
                                  const struct view *view, const struct visitor *visitor)
{
    switch (check) {
    case POLICY_CHECK_CERTIFICATE:
        return judged(verified(rule, visitor->identity, visitor->now));
    case POLICY_CHECK_CRL:
        return judged(crl_judge(rule->crl, visitor->identity,
                                identity_result(visitor->identity, rule->ca_set), visitor->now));
    case POLICY_CHECK_OCSP:
        return ask_ocsp(rule, visitor);
    case POLICY_CHECK_REGISTRY:
        return ask_registry(rule, view, visitor);
    case POLICY_CHECK_ALLOW:
        return ask_allowed(rule, visitor);
    case POLICY_CHECK_COUNT:
        break;
    }
    return judged(REFUSAL_UNTRUSTED);
}

/* --- what follows ---------------------------------------------------------------------------- */

/* The questions from the first to the last, both asked, until one refuses. A wait is remembered:
 * what comes behind it may refuse at once. */
static struct judgement ask(const struct client_auth *rule, const struct view *view,
                            const struct visitor *visitor, enum policy_check first,
                            enum policy_check last)
{
    struct judgement all = judged(REFUSAL_NONE);
    for (enum policy_check check = first; check <= last && all.refusal == REFUSAL_NONE; check++) {
        if (!policy_check_is_asked(rule, check))
            continue;
        struct judgement one = policy_check_ask(check, rule, view, visitor);
        all.refusal = one.refusal;
        all.must_sign_up |= one.must_sign_up;
        all.must_ask_ocsp |= one.must_ask_ocsp;
    }
    return all;
}

enum refusal policy_verdict(const struct client_auth *rule, struct identity *identity, time_t now)
{
    if (rule->mode == AUTH_OFF)
        return REFUSAL_MISSING;
    const struct visitor visitor = {.identity = identity, .now = now};
    struct judgement found = ask(rule, NULL, &visitor, POLICY_CHECK_CERTIFICATE, POLICY_CHECK_OCSP);
    return found.must_ask_ocsp ? ocsp_last(rule->ocsp, identity) : found.refusal;
}

bool policy_needs_certificate(const struct client_auth *rule, const struct visitor *visitor)
{
    return rule->mode == AUTH_REQUIRE && !(rule->exempt && visitor->address &&
                                           network_set_has_text(rule->exempt, visitor->address));
}

/* Whether somebody is exempt is asked only where it makes a difference. */
struct judgement policy_judge(const struct client_auth *rule, const struct view *view,
                              const struct visitor *visitor)
{
    if (rule->mode == AUTH_OFF)
        return judged(REFUSAL_NONE);
    struct judgement found = ask(rule, view, visitor, POLICY_CHECK_CERTIFICATE, POLICY_CHECK_OCSP);
    if (found.refusal != REFUSAL_NONE)
        return policy_needs_certificate(rule, visitor) ? found : judged(REFUSAL_NONE);
    struct judgement more = ask(rule, view, visitor, POLICY_CHECK_REGISTRY, POLICY_CHECK_ALLOW);
    /* Who need not show a certificate need not be on the list either: it could come without. */
    if (more.refusal == REFUSAL_NOT_ALLOWED && rule->mode == AUTH_REQUIRE &&
        !policy_needs_certificate(rule, visitor))
        more.refusal = REFUSAL_NONE;
    more.must_ask_ocsp |= found.must_ask_ocsp;
    return more;
}

enum refusal policy_alert(const struct policy *policy, const struct view *view,
                          const struct visitor *visitor)
{
    if (!policy->alerts)
        return REFUSAL_NONE;
    enum refusal refusal = policy_judge(policy->alerting, view, visitor).refusal;
    if (refusal != REFUSAL_OCSP_UNAVAILABLE)
        return refusal;
    /* As if the responder had still to be asked: the request is told, whether or not an earlier
     * failure is remembered. */
    return ask(policy->alerting, view, visitor, POLICY_CHECK_REGISTRY, POLICY_CHECK_ALLOW).refusal;
}
