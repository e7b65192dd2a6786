/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a request: which rule it meets, and whether its client may pass. Pure; the
 * request path's own. */
#ifndef LB_DECISION_H
#define LB_DECISION_H

#include <time.h>

#include "lb/base/slice.h"
#include "listeners/listener.h"
#include "listeners/refusal.h"

struct identity;

enum decision_outcome {
    DECISION_PASS,
    DECISION_SLASH,         /* the path lacks the last slash of the rule's url: 301 */
    DECISION_REDIRECT,      /* the rule sends its clients elsewhere */
    DECISION_RESPOND,       /* the rule has an answer of its own */
    DECISION_MISDIRECTED,   /* Host's domain asks for something else than the handshake settled: 421
                             */
    DECISION_NO_RULE,       /* 404 */
    DECISION_AMBIGUOUS,     /* two parsers could choose different rules: 400 */
    DECISION_UNDECIDED,     /* a regular expression took more than its limits: 400 */
    DECISION_NO_HOST,       /* the rule's redirect needs a Host, and there is none: 400 */
    DECISION_REFUSED,       /* 403, with `refusal` */
    DECISION_SIGN_UP,       /* decided when the client's certificate is registered */
    DECISION_UNREGISTERED,  /* it should have been, and could not be: 503 */
    DECISION_BAD_CLIENT_ID, /* may pass, but passes an id that is none, or two: 400. Not decide()'s:
                               it reads no fields */
};

struct decision {
    enum decision_outcome outcome;
    const struct domain *domain; /* NULL where that is what could not be decided */
    const struct rule *rule;     /* NULL for MISDIRECTED, NO_RULE, AMBIGUOUS; of UNDECIDED whose
                                    regular expression it was, or NULL */
    enum refusal refusal;
    struct slice client_id; /* of a client that may pass (client_id.h); left to who reads fields */
};

/**
 * Decide. Whatever the rule does then, pass, redirect or answer, its client authentication comes
 * first.
 *
 * settled   id of the policy that the handshake was made under; NULL on an http listener
 * identity  who the client is; NULL: it showed no certificate. What the registry knows of it is
 * kept with it host      of the request, without port; path: as it came, without query now wall
 * clock, seconds Thread:   any. Allocates only where regular expressions are asked.
 */
struct decision decide(const struct listener *listener, const unsigned char *settled,
                       struct identity *identity, struct slice host, struct slice path, time_t now);

/** The status lb answers with; 0 for PASS. */
unsigned decision_status(const struct decision *decision);
/** The short word for log and answer: "misdirected", "no-rule", "ambiguous-path", "regex-limit",
 * "no-host", "bad-client-id", the refusal's name; "slash", "redirect", "respond"; NULL for PASS. */
const char *decision_reason(const struct decision *decision);
/** Is it the client that may not have what it asks for? */
bool decision_is_refusal(const struct decision *decision);
/** A sentence for people, of a refusal; else NULL. */
const char *decision_sentence(const struct decision *decision);

#endif
