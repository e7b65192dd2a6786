/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/explain/explanation_advice.h"

#include <string.h>

#include "lb/base/draft.h"
#include "lb/explain/explanation.h"
#include "listeners/access/access.h"
#include "listeners/identity.h"

/* --- alerts --------------------------------------------------------------------------------- */

const char *explanation_alert(enum refusal refusal, bool is_tls_1_3)
{
    switch (refusal) {
    case REFUSAL_MISSING:
        return is_tls_1_3 ? "certificate_required" : "handshake_failure";
    case REFUSAL_UNTRUSTED:
    case REFUSAL_CHAIN_TOO_LONG:
        return "unknown_ca";
    case REFUSAL_EXPIRED:
        return "certificate_expired";
    case REFUSAL_CRL_REVOKED:
    case REFUSAL_OCSP_REVOKED:
    case REFUSAL_REVOKED:
        return "certificate_revoked";
    case REFUSAL_WRONG_PURPOSE:
    case REFUSAL_UNSUPPORTED:
        return "unsupported_certificate";
    case REFUSAL_NOT_YET_VALID:
    case REFUSAL_BAD_SIGNATURE:
    case REFUSAL_WEAK_KEY:
    case REFUSAL_MALFORMED:
    case REFUSAL_CRL_EXPIRED:
    case REFUSAL_CRL_MISSING:
        return "bad_certificate";
    case REFUSAL_TOO_LARGE:
        return "illegal_parameter";
    case REFUSAL_UNKNOWN_NAME:
        return "unrecognized_name";
    case REFUSAL_NOT_REGISTERED:
    case REFUSAL_NOT_ACTIVATED:
    case REFUSAL_CA_DISABLED:
    case REFUSAL_SIGNUP_LIMIT:
    case REFUSAL_NOT_ALLOWED:
        return "handshake_failure";
    case REFUSAL_NONE:
    case REFUSAL_OCSP_UNAVAILABLE:
    case REFUSAL_BLOCKED:
    case REFUSAL_HOST_MISMATCH:
    case REFUSAL_PROXY_HEADER_MISSING:
    case REFUSAL_PROXY_HEADER_BAD:
    case REFUSAL_PROXY_HEADER_LATE:
    case REFUSAL_MAX_CLIENTS:
    case REFUSAL_COUNT:
        break;
    }
    return NULL;
}

/* --- for the operator ------------------------------------------------------------------------ */

/* $place $rule: the rule that refuses, or the listener where none was met; $access and $line: the
 * [access] section. */
// clang-format off
static const char *const advices[REFUSAL_COUNT] = {
    [REFUSAL_MISSING] = "the client has to send a certificate of a CA of $place $rule; to let it in without one: mutual_auth = request, or its network in exempt_from",
    [REFUSAL_UNTRUSTED] = "add the CA that issued it to client_ca of $place $rule, or have the client send the certificates between its own and that CA",
    [REFUSAL_EXPIRED] = "a certificate of its chain has ended: issue another one (or put the clock of this machine right)",
    [REFUSAL_NOT_YET_VALID] = "a certificate of its chain has not begun: wait, issue another one, or put the clock of this machine right",
    [REFUSAL_BAD_SIGNATURE] = "a certificate of its chain was not signed by whom it names: the client needs the files as they were issued",
    [REFUSAL_WRONG_PURPOSE] = "it is not for clients: issue one whose extended key usage is clientAuth, or that has none",
    [REFUSAL_CHAIN_TOO_LONG] = "there are too many CAs between it and an anchor of $place $rule: raise verify_depth of listener $listener",
    [REFUSAL_TOO_LARGE] = "the client has to send less: all its certificates together are larger than any handshake takes",
    [REFUSAL_WEAK_KEY] = "a key or signature of its chain is too weak: issue it anew, with RSA of 2048 bits or an EC key, signed with SHA-256",
    [REFUSAL_MALFORMED] = "it is not well-formed: issue another one",
    [REFUSAL_UNSUPPORTED] = "it has a critical extension that lb does not know: issue one without it",
    [REFUSAL_CRL_REVOKED] = "its CA has revoked it: the client needs another certificate",
    [REFUSAL_CRL_EXPIRED] = "put a newer revocation list of its CA into the file of client_crl; client_crl_policy = soft goes by the old one",
    [REFUSAL_CRL_MISSING] = "name the revocation list of its CA in client_crl of $place $rule; client_crl_policy = soft does without",
    [REFUSAL_OCSP_REVOKED] = "its CA has revoked it: the client needs another certificate",
    [REFUSAL_OCSP_UNAVAILABLE] = "look at the OCSP responder of its CA; client_ocsp = soft does without its answer",
    [REFUSAL_NOT_REGISTERED] = "lb cert register FILE makes it known; client_registration = off of $place $rule admits those that nobody knows",
    [REFUSAL_NOT_ACTIVATED] = "lb cert activate $serial",
    [REFUSAL_REVOKED] = "it was revoked for good: issue another one (lb audit --serial $serial says who has revoked it)",
    [REFUSAL_CA_DISABLED] = "lb ca enable CA takes its CA into use again (lb ca list names it)",
    [REFUSAL_SIGNUP_LIMIT] = "raise signups_per_second of [registry]",
    [REFUSAL_NOT_ALLOWED] = "it fits no pattern of $place $rule: add one to allow_client, as in sha256:$sha256",
    [REFUSAL_BLOCKED] = "[access $access] (line $line) blocks it: its domain, url, client_certificate and action say where, whom and how",
    [REFUSAL_HOST_MISMATCH] = "the client has to connect anew with this host as its SNI: the handshake has settled what domain $settled asks, the host is of domain $domain",
    [REFUSAL_UNKNOWN_NAME] = "listener $listener has no rule for the name that the client asks for, and unknown_sni = reject: add a rule, or take unknown_sni = default",
};
// clang-format on

static const char *pattern_of(const struct domain *domain)
{
    return domain && *domain->pattern ? domain->pattern : "*";
}

/* What a placeholder stands for. */
static const char *meaning(const struct explanation *explanation, struct slice word)
{
    const struct listener *listener = explanation->question->listener;
    const struct decision *decision = &explanation->decision;
    const struct identity *identity = explanation->identity;
    if (slice_is(word, "rule"))
        return decision->rule ? decision->rule->name : listener->name;
    if (slice_is(word, "place"))
        return decision->rule ? "rule" : "listener";
    if (slice_is(word, "serial"))
        return identity && strlen(identity->serial) <= 64 ? identity->serial : "SERIAL";
    if (slice_is(word, "sha256"))
        return identity ? identity->sha256 : "HEX";
    if (slice_is(word, "access"))
        return decision->access ? decision->access->name : "NAME";
    if (slice_is(word, "settled"))
        return pattern_of(explanation->settled);
    return slice_is(word, "domain") ? pattern_of(decision->domain) : listener->name;
}

static void put_meaning(struct draft *draft, const struct explanation *explanation,
                        struct slice word)
{
    const struct access_rule *access = explanation->decision.access;
    if (slice_is(word, "line"))
        draft_number(draft, access ? access->line : 0, 1);
    else
        draft_text(draft, meaning(explanation, word));
}

static bool fill(const struct explanation *explanation, const char *advice, char *into, size_t room)
{
    struct draft draft = draft_in(into, room - 1);
    while (*advice) {
        size_t plain = strcspn(advice, "$");
        draft_put(&draft, (struct slice){advice, plain});
        advice += plain;
        if (!*advice)
            break;
        size_t word = strspn(++advice, "abcdefghijklmnopqrstuvwxyz0123456789");
        put_meaning(&draft, explanation, (struct slice){advice, word});
        advice += word;
    }
    into[draft.used] = '\0';
    return true;
}

static const char *advice_of_undecided(const struct explanation *explanation)
{
    if (strcmp(explanation->reason, policy_check_name(POLICY_CHECK_REGISTRY)) == 0)
        return "the registry could not be asked: run it as the user of lb, or ask the running lb "
               "with --live";
    return explanation->explainer->is_live
               ? "the OCSP responder of its CA is asked when the client comes"
               : "the OCSP responder of its CA is asked when the client comes; --live knows what "
                 "it said last";
}

static const char *advice_of(const struct explanation *explanation)
{
    const struct decision *decision = &explanation->decision;
    if (explanation->handshake_refusal != REFUSAL_NONE)
        return advices[explanation->handshake_refusal];
    switch (decision->outcome) {
    case DECISION_NO_RULE:
        return "no rule of this host has the path: add one, perhaps one with url = /";
    case DECISION_AMBIGUOUS:
        return "two readings of the path choose different rules: the client has to write it "
               "plainly";
    case DECISION_UNDECIDED:
        return "a regular expression takes too long on it ($place $rule): write it so that a text "
               "can be "
               "read in one way only";
    case DECISION_NO_HOST:
    case DECISION_BAD_CLIENT_ID:
        return "the client has to send another request";
    case DECISION_BLOCKED: /* whatever was found of the client: the rule lets it pass */
        return advices[REFUSAL_BLOCKED];
    case DECISION_SENT_AWAY:
        return "[access $access] (line $line) redirects it: its domain, url, client_certificate "
               "and action say where, whom and how";
    case DECISION_MISDIRECTED:
    case DECISION_REFUSED:
    case DECISION_UNREGISTERED:
    case DECISION_PASS:
    case DECISION_SLASH:
    case DECISION_REDIRECT:
    case DECISION_RESPOND:
    case DECISION_SIGN_UP:
    case DECISION_ASK_OCSP:
        break;
    }
    return advices[decision->refusal];
}

bool explanation_advice(const struct explanation *explanation, char *into, size_t room)
{
    const char *advice = NULL;
    if (explanation->result == EXPLANATION_UNDECIDED)
        advice = advice_of_undecided(explanation);
    else if (explanation->result == EXPLANATION_REFUSED)
        advice = advice_of(explanation);
    return advice && fill(explanation, advice, into, room);
}
