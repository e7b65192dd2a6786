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
    DECISION_MISDIRECTED, /* Host's domain asks for something else than the handshake settled: 421
                           */
    DECISION_NO_RULE,     /* 404 */
    DECISION_AMBIGUOUS,   /* two parsers could choose different rules: 400 */
    DECISION_REFUSED,     /* 403, with `refusal` */
};

struct decision {
    enum decision_outcome outcome;
    const struct domain *domain;
    const struct rule *rule; /* NULL unless PASS or REFUSED */
    enum refusal refusal;
};

/**
 * Decide.
 *
 * settled   id of the policy that the handshake was made under; NULL on an http listener
 * identity  who the client is; NULL: it showed no certificate
 * host      of the request, without port; path: as it came, without query
 * now       wall clock, seconds
 * Thread:   any. Does not allocate.
 */
struct decision decide(const struct listener *listener, const unsigned char *settled,
                       const struct identity *identity, struct slice host, struct slice path,
                       time_t now);

/** The status lb answers with; 0 for PASS. */
unsigned decision_status(enum decision_outcome outcome);
/** The short word for log and answer: "misdirected", "no-rule", "ambiguous-path", or the refusal's
 * name. */
const char *decision_reason(const struct decision *decision);
/** A sentence for people. */
const char *decision_sentence(const struct decision *decision);

#endif
