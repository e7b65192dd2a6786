/* SPDX-License-Identifier: Apache-2.0 */
/* How each outcome is told, in one table. What a rule, a section or a refusal says itself stands
 * there as 0 or NULL. */
#include <stddef.h>

#include "lb/exchange/decision.h"
#include "listeners/access/access.h"
#include "listeners/rules/redirect.h"

struct outcome_words {
    unsigned status;
    const char *reason;
    const char *sentence; /* NULL: it is no refusal, or has_refusal */
    const char *advice;
    bool has_refusal; /* reason, sentence and advice are the refusal's … */
    bool is_silent;   /* … but only the reason is told */
};

// clang-format off
static const struct outcome_words words[DECISION_OUTCOME_COUNT] = {
    [DECISION_PASS] = {.status = 0},
    [DECISION_SLASH] = {.status = 301, .reason = "slash"},
    [DECISION_REDIRECT] = {.reason = "redirect"},
    [DECISION_RESPOND] = {.reason = "respond"},
    [DECISION_MISDIRECTED] = {.status = 421, .has_refusal = true},
    [DECISION_NO_RULE] = {.status = 404, .reason = "no-rule",
        .sentence = "Nothing is configured for this address.",
        .advice = "Check how the address is written."},
    [DECISION_AMBIGUOUS] = {.status = 400, .reason = "ambiguous-path",
        .sentence = "The path can be read in more than one way.",
        .advice = "Write it without encoded slashes, backslashes, empty or dot segments."},
    [DECISION_UNDECIDED] = {.status = 400, .reason = "regex-limit",
        .sentence = "It takes too long to find out who serves this address.",
        .advice = "A shorter one may do."},
    [DECISION_NO_HOST] = {.status = 400, .reason = "no-host",
        .sentence = "The request does not say which host it is for.",
        .advice = "Send a Host field, as HTTP/1.1 does."},
    [DECISION_REFUSED] = {.status = 403, .has_refusal = true},
    [DECISION_BLOCKED] = {.status = 403, .has_refusal = true},
    [DECISION_SENT_AWAY] = {.has_refusal = true, .is_silent = true},
    [DECISION_SIGN_UP] = {.status = 503, .reason = "sign-up"},
    [DECISION_ASK_OCSP] = {.status = 503, .reason = "ocsp"},
    [DECISION_UNREGISTERED] = {.status = 503, .reason = "not-registrable",
        .sentence = "Your certificate could not be registered at the moment.",
        .advice = "Try again later. This is not your fault: the operator has to look at the registry."},
    [DECISION_BAD_CLIENT_ID] = {.status = 400, .reason = "bad-client-id",
        .sentence = "The field that says which client this is stands in the request more than once, or "
                    "is not 1 to 256 bytes of text.",
        .advice = "Send it once, with 1 to 256 bytes of text."},
};
// clang-format on

unsigned decision_status(const struct decision *decision)
{
    const struct rule *rule = decision->rule;
    if (decision->outcome == DECISION_REDIRECT)
        return rule->redirect->status;
    if (decision->outcome == DECISION_RESPOND)
        return rule->respond->status;
    if (decision->outcome == DECISION_SENT_AWAY)
        return decision->access->redirect->status;
    if (decision->outcome == DECISION_REFUSED && rule->auth.redirect)
        return rule->auth.redirect->status;
    return words[decision->outcome].status;
}

const char *decision_reason(const struct decision *decision)
{
    const struct outcome_words *outcome = &words[decision->outcome];
    return outcome->has_refusal ? refusal_name(decision->refusal) : outcome->reason;
}

const char *decision_sentence(const struct decision *decision)
{
    const struct outcome_words *outcome = &words[decision->outcome];
    bool is_refusal = outcome->has_refusal && !outcome->is_silent;
    return is_refusal ? refusal_sentence(decision->refusal) : outcome->sentence;
}

const char *decision_advice(const struct decision *decision)
{
    const struct outcome_words *outcome = &words[decision->outcome];
    bool is_refusal = outcome->has_refusal && !outcome->is_silent;
    return is_refusal ? refusal_advice(decision->refusal) : outcome->advice;
}

bool decision_is_refusal(const struct decision *decision)
{
    return decision_sentence(decision) != NULL;
}
