/* SPDX-License-Identifier: Apache-2.0 */
/* The union of what a domain's rules ask, and the judgement of one rule. */
#include "listeners/policy.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/network.h"
#include "listeners/allow_list.h"
#include "listeners/ca_uses.h"
#include "listeners/crl/crl_check.h"
#include "listeners/identity.h"
#include "listeners/ocsp/ocsp_check.h"

static bool same_set(const struct ca_set *one, const struct ca_set *other)
{
    return memcmp(one->id, other->id, CA_SET_ID_BYTES) == 0;
}

/* Sets are kept sorted by id, so that the order of rules does not change the policy's id. */
static enum policy_fault add_set(struct policy *policy, const struct ca_set *set)
{
    unsigned at = 0;
    while (at < policy->set_count && memcmp(policy->sets[at]->id, set->id, CA_SET_ID_BYTES) < 0)
        at++;
    if (at < policy->set_count && same_set(policy->sets[at], set))
        return POLICY_FINE;
    if (policy->set_count == CA_SETS_PER_DOMAIN)
        return POLICY_TOO_MANY_SETS;
    memmove(&policy->sets[at + 1], &policy->sets[at],
            (policy->set_count - at) * sizeof policy->sets[0]);
    policy->sets[at] = set;
    policy->set_count++;
    return POLICY_FINE;
}

bool client_auth_agrees(const struct client_auth *one, const struct client_auth *other)
{
    bool same_cas = one->ca_set == other->ca_set ||
                    (one->ca_set && other->ca_set && same_set(one->ca_set, other->ca_set));
    return one->mode == other->mode && same_cas && one->registration == other->registration &&
           crl_check_equal(one->crl, other->crl) && ocsp_check_equal(one->ocsp, other->ocsp) &&
           allow_list_equal(one->allow, other->allow);
}

/* Only when every rule would refuse the same clients may the handshake refuse them for all; who is
 * exempt is nobody's business there. */
static bool may_alert(const struct client_auth *const *rules, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (rules[i]->mode != AUTH_REQUIRE || rules[i]->exempt ||
            (rules[i]->refuse_with != REFUSE_UNSET && rules[i]->refuse_with != REFUSE_ALERT) ||
            !client_auth_agrees(rules[i], rules[0]))
            return false;
    return count > 0;
}

static bool add_names(STACK_OF(X509_NAME) * names, STACK_OF(X509_NAME) * more)
{
    for (int i = 0; i < sk_X509_NAME_num(more); i++) {
        bool there = false;
        for (int j = 0; j < sk_X509_NAME_num(names) && !there; j++)
            there = X509_NAME_cmp(sk_X509_NAME_value(names, j), sk_X509_NAME_value(more, i)) == 0;
        X509_NAME *name = there ? NULL : X509_NAME_dup(sk_X509_NAME_value(more, i));
        if (!there && (!name || sk_X509_NAME_push(names, name) <= 0)) {
            X509_NAME_free(name);
            return false;
        }
    }
    return true;
}

static bool join_names(struct policy *policy)
{
    policy->names = sk_X509_NAME_new_null();
    bool good = policy->names != NULL;
    for (unsigned i = 0; good && i < policy->set_count; i++)
        good = add_names(policy->names, policy->sets[i]->names);
    return good;
}

static bool identify(struct policy *policy)
{
    /* The first byte is the version of this layout: a new one must never equal an old one by
     * accident. */
    unsigned char content[4 + CA_SETS_PER_DOMAIN * CA_SET_ID_BYTES] = {
        1, policy->asks, policy->alerts, (unsigned char)policy->set_count};
    size_t used = 4;
    for (unsigned i = 0; i < policy->set_count; i++, used += CA_SET_ID_BYTES)
        memcpy(content + used, policy->sets[i]->id, CA_SET_ID_BYTES);
    return EVP_Digest(content, used, policy->id, NULL, EVP_sha256(), NULL) == 1;
}

enum policy_fault policy_make(struct policy *policy, const struct client_auth *const *rules,
                              unsigned count)
{
    memset(policy, 0, sizeof *policy);
    bool wants_alert = false;
    for (unsigned i = 0; i < count; i++) {
        if (rules[i]->mode == AUTH_OFF)
            continue;
        policy->asks = true;
        wants_alert = wants_alert || rules[i]->refuse_with == REFUSE_ALERT;
        enum policy_fault fault = add_set(policy, rules[i]->ca_set);
        if (fault != POLICY_FINE)
            return fault;
    }
    policy->alerts = may_alert(rules, count);
    policy->alerting = policy->alerts ? rules[0] : NULL;
    if (wants_alert && !policy->alerts)
        return POLICY_ALERT_IMPOSSIBLE;
    /* Loading may end the program for want of memory, as arenas do; an unfinished policy must not
     * be used. */
    if ((policy->asks && !join_names(policy)) || !identify(policy))
        abort();
    return POLICY_FINE;
}

void policy_done(struct policy *policy)
{
    sk_X509_NAME_pop_free(policy->names, X509_NAME_free);
    policy->names = NULL;
    ca_list_free(policy->cas);
    policy->cas = NULL;
}

bool policy_has_id(const struct policy *policy, const unsigned char id[POLICY_ID_BYTES])
{
    return memcmp(policy->id, id, POLICY_ID_BYTES) == 0;
}

bool policy_equal(const struct policy *one, const struct policy *other)
{
    return one == other || policy_has_id(one, other->id);
}

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

struct judgement policy_judge(const struct client_auth *rule, const struct view *view,
                              const struct visitor *visitor)
{
    if (rule->mode == AUTH_OFF)
        return judged(REFUSAL_NONE);
    bool needs_one = policy_needs_certificate(rule, visitor);
    struct judgement found = ask(rule, view, visitor, POLICY_CHECK_CERTIFICATE, POLICY_CHECK_OCSP);
    if (found.refusal != REFUSAL_NONE)
        return needs_one ? found : judged(REFUSAL_NONE);
    /* Who need not show a certificate need not be on the list either: it could come without. */
    bool is_exempt = rule->mode == AUTH_REQUIRE && !needs_one;
    struct judgement more = ask(rule, view, visitor, POLICY_CHECK_REGISTRY,
                                is_exempt ? POLICY_CHECK_REGISTRY : POLICY_CHECK_ALLOW);
    more.must_ask_ocsp |= found.must_ask_ocsp;
    return more;
}
