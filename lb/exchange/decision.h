/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a request: which rule it meets, and whether its client may pass. Pure; the
 * request path's own. */
#ifndef LB_EXCHANGE_DECISION_H
#define LB_EXCHANGE_DECISION_H

#include <time.h>

#include "lb/base/slice.h"
#include "listeners/listener.h"
#include "listeners/refusal.h"

struct access_rule;

enum decision_outcome {
    DECISION_PASS,
    DECISION_SLASH,        /* the path lacks the last slash of the rule's url: 301 */
    DECISION_REDIRECT,     /* the rule sends its clients elsewhere */
    DECISION_RESPOND,      /* the rule has an answer of its own */
    DECISION_MISDIRECTED,  /* Host's domain asks for something else than the handshake settled: 421,
                              host-mismatch */
    DECISION_NO_RULE,      /* 404 */
    DECISION_AMBIGUOUS,    /* two parsers could choose different rules: 400 */
    DECISION_UNDECIDED,    /* a regular expression took more than its limits: 400 */
    DECISION_NO_HOST,      /* the rule's redirect needs a Host, and there is none: 400 */
    DECISION_REFUSED,      /* by the rule, with `refusal`: 403, or as its refuse_with says */
    DECISION_BLOCKED,      /* by an [access] section, with `refusal`: 403 */
    DECISION_SENT_AWAY,    /* by an [access] section: redirected */
    DECISION_SIGN_UP,      /* decided when the client's certificate is registered */
    DECISION_ASK_OCSP,     /* decided when the CA's responder was asked about the certificate */
    DECISION_UNREGISTERED, /* it should have been, and could not be: 503 */
    DECISION_BAD_CLIENT_ID, /* may pass, but passes an id that is none, or two: 400. Not decide()'s:
                               it reads no fields */
};
enum { DECISION_OUTCOME_COUNT = DECISION_BAD_CLIENT_ID + 1 };

struct decision {
    enum decision_outcome outcome;
    const struct domain *domain; /* NULL where that is what could not be decided */
    const struct rule *rule;     /* NULL for MISDIRECTED, NO_RULE, AMBIGUOUS; of UNDECIDED whose
                                    regular expression it was, or NULL */
    enum refusal refusal;
    const struct access_rule *access; /* the [access] section that matched; NULL: none */
    struct slice client_id; /* of a client that may pass (client_id.h); left to who reads fields */
};

/** A request as it is to be decided. Lent for the call. */
struct inquiry {
    const struct listener *listener;
    const unsigned char *settled; /* id of the policy that the handshake was made under; NULL on an
                                     http listener */
    struct visitor visitor;
    struct slice host; /* without port */
    struct slice path; /* as it came, without query */
};

/**
 * Decide. Whatever the rule does then, pass, redirect or answer, its client authentication comes
 * first, then the [access] sections.
 *
 * Thread:   any. Allocates only where regular expressions are asked.
 */
struct decision decide(const struct inquiry *inquiry);

/** The status lb answers with; 0 for PASS. */
unsigned decision_status(const struct decision *decision);
/** The short word for log and answer: "no-rule", "ambiguous-path", "regex-limit", "no-host",
 * "bad-client-id", the refusal's name; "slash", "redirect", "respond"; NULL for PASS. */
const char *decision_reason(const struct decision *decision);
/** Is it the client that may not have what it asks for? */
bool decision_is_refusal(const struct decision *decision);
/** A sentence for people, of a refusal; else NULL. */
const char *decision_sentence(const struct decision *decision);
/** What they can do about it, in a sentence, of a refusal; else NULL. */
const char *decision_advice(const struct decision *decision);

#endif
