/* SPDX-License-Identifier: Apache-2.0 */
/* The union of what a domain's rules ask. */
#include "listeners/rules/policy.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "listeners/allow/allow_list.h"
#include "listeners/ca/ca_uses.h"
#include "listeners/crl/crl_check.h"
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

const char *auth_mode_name(enum auth_mode mode)
{
    switch (mode) {
    case AUTH_OFF:
        return "off";
    case AUTH_REQUEST:
        return "request";
    case AUTH_REQUIRE:
        return "require";
    }
    return "off";
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

/* Each with its length before it. */
size_t policy_names_bytes(STACK_OF(X509_NAME) * names)
{
    size_t bytes = 0;
    for (int i = 0; i < sk_X509_NAME_num(names); i++) {
        int length = i2d_X509_NAME(sk_X509_NAME_value(names, i), NULL);
        bytes += 2 + (length > 0 ? (size_t)length : 0);
    }
    return bytes;
}

/* A message of more than one record's worth makes some clients give up; they do better without any
 * name. */
static bool join_names(struct policy *policy)
{
    policy->names = sk_X509_NAME_new_null();
    bool good = policy->names != NULL;
    for (unsigned i = 0; good && i < policy->set_count; i++)
        good = add_names(policy->names, policy->sets[i]->names);
    policy->names_bytes = good ? policy_names_bytes(policy->names) : 0;
    while (policy->names_bytes > CA_NAMES_BYTES && sk_X509_NAME_num(policy->names) > 0)
        X509_NAME_free(sk_X509_NAME_pop(policy->names));
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

enum policy_fault policy_join(struct policy *policy, const struct client_auth *const *rules,
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
    if (!identify(policy))
        abort();
    return POLICY_FINE;
}

void policy_name_cas(struct policy *policy, const struct policy *alike)
{
    if (!policy->asks)
        return;
    if (alike) {
        policy->names = alike->names;
        policy->names_bytes = alike->names_bytes;
        policy->has_lent_names = true;
    } else if (!join_names(policy)) {
        abort();
    }
}

enum policy_fault policy_make(struct policy *policy, const struct client_auth *const *rules,
                              unsigned count)
{
    enum policy_fault fault = policy_join(policy, rules, count);
    if (fault == POLICY_FINE)
        policy_name_cas(policy, NULL);
    return fault;
}

void policy_done(struct policy *policy)
{
    if (!policy->has_lent_names)
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
