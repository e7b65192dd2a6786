/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What would become of a client's request, step by step: the handshake, the rule, each of its
 * questions, the decision. Nothing is decided here: every step is the function that handshakes and
 * requests call, asked about a client that is not there.
 *
 *   question ──> handshake_domain ──> identity_new ──> handshake_judge      what a handshake
 * settles decide                                                     what a request meets
 *                policy_check_ask                                           why
 */
#ifndef LB_EXPLANATION_H
#define LB_EXPLANATION_H

#include <stdbool.h>
#include <time.h>

#include "lb/exchange/decision.h"
#include "lb/explain/explanation_question.h"
#include "listeners/rules/policy.h"

/** Who answers, and what it knows. */
struct explainer {
    const struct config *config; /* its listeners are open; lent as long as an explanation */
    bool is_live;                /* the running lb: backends have verdicts */
    const char *registry_fault;  /* why the registry could not be asked; NULL: it was */
    time_t now;                  /* wall clock, seconds */
};

/** How far a rule's question got. */
enum explanation_step {
    STEP_NOT_ASKED,   /* the rule does not ask this */
    STEP_NOT_REACHED, /* an earlier one has refused, or the handshake's end was before it */
    STEP_EXEMPT,      /* by exempt_from */
    STEP_UNKNOWN,     /* it cannot be answered from here */
    STEP_ASKED,
};

enum explanation_result {
    EXPLANATION_PASSES,
    EXPLANATION_REFUSED,
    EXPLANATION_UNDECIDED, /* it depends on what could not be asked */
};

struct explanation {
    const struct explainer *explainer; /* borrowed, as the question */
    const struct question *question;
    /* The handshake; nothing of an http listener. */
    const struct domain *settled; /* NULL: the handshake is refused before a domain is chosen */
    bool is_name_known;           /* a rule has the name that it asks for */
    struct identity *identity;    /* NULL: no certificate is shown, or none is asked for */
    enum refusal handshake_refusal;
    /* The request; where the handshake refuses, the one that would have followed. */
    struct decision decision;
    struct {
        enum explanation_step step;
        struct judgement judgement; /* STEP_ASKED */
    } checks[POLICY_CHECK_COUNT];
    bool is_exempt; /* from showing a certificate */
    enum explanation_result result;
    const char *reason; /* a short word for a refusal, and what it depends on; else NULL */
};

/**
 * Find out.
 *
 * explanation  filled; explanation_done after true and false alike
 * Fails:       out of memory.
 * Thread:      any. Verifies signatures and may ask regular expressions: a few milliseconds at
 *              most.
 */
bool explanation_make(struct explanation *explanation, const struct explainer *explainer,
                      const struct question *question);
void explanation_done(struct explanation *explanation);

/** The rule's client authentication that was judged by; NULL: no rule was met. */
const struct client_auth *explanation_auth(const struct explanation *explanation);
/** Who stands before the rule. Lent as the explanation. */
struct visitor explanation_visitor(const struct explanation *explanation);

#endif
