/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/explain/explanation.h"

#include <openssl/evp.h>
#include <string.h>

#include "lb/base/limits.h"
#include "listeners/client_id.h"
#include "listeners/identity.h"
#include "listeners/tls/handshake.h"

/* --- the handshake -------------------------------------------------------------------------- */

/* Of a TLS 1.3 Certificate message without its certificates, and of each (RFC 8446 4.4.2). */
enum { MESSAGE_BYTES = 4, ENTRY_BYTES = 5 };

/* OpenSSL ends the handshake before anything is verified (SSL_CTX_set_max_cert_list). */
static bool is_too_large(STACK_OF(X509) * chain)
{
    size_t bytes = MESSAGE_BYTES;
    for (int i = 0; i < sk_X509_num(chain); i++) {
        int length = i2d_X509(sk_X509_value(chain, i), NULL);
        bytes += ENTRY_BYTES + (length > 0 ? (size_t)length : 0);
    }
    return bytes > CLIENT_CHAIN_BYTES;
}

static bool identify(struct explanation *explanation)
{
    STACK_OF(X509) *chain = explanation->question->chain;
    unsigned char hash[32];
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    bool good = digest && identity_hash_chain(chain, digest, EVP_sha256(), hash);
    EVP_MD_CTX_free(digest);
    if (good)
        explanation->identity =
            identity_new(explanation->settled->policy, chain, hash, explanation->explainer->now);
    if (explanation->identity)
        explanation->identity->is_imagined = true;
    return explanation->identity != NULL;
}

static bool shake_hands(struct explanation *explanation)
{
    const struct question *question = explanation->question;
    const struct listener *listener = question->listener;
    const struct slice name = slice_of(question->has_name ? question->name : "");
    explanation->settled =
        handshake_domain(listener, question->has_name ? &name : NULL, &explanation->is_name_known);
    if (!explanation->settled) {
        explanation->handshake_refusal = REFUSAL_UNKNOWN_NAME;
        return true;
    }
    const struct policy *policy = explanation->settled->policy;
    if (policy->asks && question->chain) {
        if (!identify(explanation))
            return false;
        if (is_too_large(question->chain)) {
            explanation->handshake_refusal = REFUSAL_TOO_LARGE;
            return true;
        }
    }
    explanation->handshake_refusal =
        handshake_judge(listener, policy, explanation->identity, explanation->explainer->now);
    return true;
}

/* --- the request ---------------------------------------------------------------------------- */

struct visitor explanation_visitor(const struct explanation *explanation)
{
    const char *from = explanation->question->from;
    return (struct visitor){.identity = explanation->identity,
                            .address = *from ? from : NULL,
                            .now = explanation->explainer->now};
}

/* Which client it is: as in admission_decide, which asks it of those who pass. */
static void identify_client(struct explanation *explanation)
{
    struct decision *decision = &explanation->decision;
    if (!decision->rule || decision->rule->client_id_header.length == 0 ||
        decision_is_refusal(decision))
        return;
    if (!client_id_find(decision->rule, explanation->identity, &explanation->question->request,
                        explanation->explainer->now, &decision->client_id))
        decision->outcome = DECISION_BAD_CLIENT_ID;
}

static void request(struct explanation *explanation)
{
    const struct question *question = explanation->question;
    const struct inquiry inquiry = {
        .listener = question->listener,
        .settled = question->listener->options->protocol == LISTENER_HTTPS
                       ? explanation->settled->policy->id
                       : NULL,
        .visitor = explanation_visitor(explanation),
        .host = question->request.host,
        .path = question->request.path,
    };
    explanation->decision = decide(&inquiry);
    identify_client(explanation);
}

/* --- why ------------------------------------------------------------------------------------ */

const struct client_auth *explanation_auth(const struct explanation *explanation)
{
    const struct rule *rule = explanation->decision.rule;
    return rule && explanation->decision.outcome != DECISION_UNDECIDED ? &rule->auth : NULL;
}

static enum explanation_step step_of(const struct explanation *explanation, enum policy_check check,
                                     enum refusal before)
{
    if (!policy_check_is_asked(explanation_auth(explanation), check))
        return STEP_NOT_ASKED;
    if (before != REFUSAL_NONE)
        return STEP_NOT_REACHED;
    /* Who need not show a certificate need not be on the list either. */
    if (check == POLICY_CHECK_ALLOW && explanation->is_exempt)
        return STEP_EXEMPT;
    bool is_unknown = check == POLICY_CHECK_REGISTRY && explanation->explainer->registry_fault;
    return is_unknown ? STEP_UNKNOWN : STEP_ASKED;
}

/* Each question once more, by itself, in the order in which policy_judge asks them. What is too
 * large ends the handshake before any of them. */
static void ask(struct explanation *explanation)
{
    const struct client_auth *auth = explanation_auth(explanation);
    const struct visitor visitor = explanation_visitor(explanation);
    enum refusal before =
        explanation->handshake_refusal == REFUSAL_TOO_LARGE ? REFUSAL_TOO_LARGE : REFUSAL_NONE;
    if (!auth)
        return;
    explanation->is_exempt =
        auth->mode == AUTH_REQUIRE && !policy_needs_certificate(auth, &visitor);
    for (enum policy_check check = 0; check < POLICY_CHECK_COUNT; check++) {
        enum explanation_step step = step_of(explanation, check, before);
        explanation->checks[check].step = step;
        if (step != STEP_ASKED)
            continue;
        explanation->checks[check].judgement =
            policy_check_ask(check, auth, explanation->question->listener->view, &visitor);
        before = explanation->checks[check].judgement.refusal;
    }
}

/* --- what follows --------------------------------------------------------------------------- */

/* Does the client get what the rule has for those who pass? */
static bool passes(const struct decision *decision)
{
    switch (decision->outcome) {
    case DECISION_PASS:
    case DECISION_SLASH:
    case DECISION_REDIRECT:
    case DECISION_RESPOND:
    case DECISION_SIGN_UP:
    case DECISION_ASK_OCSP:
        return true;
    case DECISION_MISDIRECTED:
    case DECISION_NO_RULE:
    case DECISION_AMBIGUOUS:
    case DECISION_UNDECIDED:
    case DECISION_NO_HOST:
    case DECISION_REFUSED:
    case DECISION_BLOCKED:
    case DECISION_SENT_AWAY:
    case DECISION_UNREGISTERED:
    case DECISION_BAD_CLIENT_ID:
        return false;
    }
    return false;
}

/* A refusal for what was not asked here is none. */
static bool may_be_guessed(const struct explanation *explanation, enum refusal refusal)
{
    return explanation->explainer->registry_fault && refusal == REFUSAL_NOT_REGISTERED;
}

static const char *depends_on(const struct explanation *explanation)
{
    for (enum policy_check check = 0; check < POLICY_CHECK_COUNT; check++)
        if (explanation->checks[check].step == STEP_UNKNOWN)
            return policy_check_name(check);
    return explanation->decision.outcome == DECISION_ASK_OCSP ? policy_check_name(POLICY_CHECK_OCSP)
                                                              : NULL;
}

static void conclude(struct explanation *explanation)
{
    const struct decision *decision = &explanation->decision;
    enum refusal refusal = explanation->handshake_refusal;
    const char *unknown = depends_on(explanation);
    explanation->result = EXPLANATION_REFUSED;
    if (refusal != REFUSAL_NONE && !may_be_guessed(explanation, refusal)) {
        explanation->reason = refusal_name(refusal);
    } else if (!passes(decision) && !may_be_guessed(explanation, decision->refusal)) {
        explanation->reason = decision_reason(decision);
    } else if (unknown) {
        explanation->result = EXPLANATION_UNDECIDED;
        explanation->reason = unknown;
    } else {
        explanation->result = EXPLANATION_PASSES;
    }
}

bool explanation_make(struct explanation *explanation, const struct explainer *explainer,
                      const struct question *question)
{
    *explanation = (struct explanation){.explainer = explainer, .question = question};
    bool is_tls = question->listener->options->protocol == LISTENER_HTTPS;
    if (is_tls && !shake_hands(explanation))
        return false;
    if (!is_tls || explanation->settled) {
        request(explanation);
        ask(explanation);
    } else {
        explanation->decision.outcome = DECISION_NO_RULE;
    }
    conclude(explanation);
    return true;
}

void explanation_done(struct explanation *explanation)
{
    identity_unref(explanation->identity);
    explanation->identity = NULL;
}
