/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that never become an exchange: answered by lb itself, and logged like every other. */
#ifndef LB_EXCHANGE_OWN_ANSWER_H
#define LB_EXCHANGE_OWN_ANSWER_H

#include "lb/base/limits.h"
#include "listeners/stream.h"

struct decision;
struct exchange;
struct exchanges;
struct http_request;
struct rule;

/** Answer, write the access log, end the stream. rule: NULL when none was met; sentence: for
 * people, or NULL. */
void own_answer_refuse(struct exchanges *all, struct stream *stream,
                       const struct http_request *request, const struct rule *rule, unsigned status,
                       const char *reason, const char *sentence);

/** The same for a decision that is not PASS: a redirect, what the rule responds, or a refusal,
 * which has a line in lb's own log, too, that says who and why. How refused clients are told is
 * what the rule says (refuse_with) and what the client accepts. */
void own_answer_decided(struct exchanges *all, struct stream *stream,
                        const struct http_request *request, const struct decision *decision);

/** How such a decision is answered. */
struct own_answer_way {
    unsigned status;
    size_t length; /* of the Location; 0: the client is sent nowhere */
    char location[LOCATION_BYTES];
};
/** Any thread. Pure. */
void own_answer_way(struct own_answer_way *way, const struct decision *decision,
                    const struct http_request *request);

/** Answer in the place of the exchange's backend. The caller ends the exchange. */
enum stream_write own_answer_instead(struct exchange *exchange, unsigned status, const char *reason,
                                     const char *sentence);

/** The client's side answered a head that could not be read: that is left to be told. */
void own_answer_unread(struct exchanges *all, const struct stream *stream, unsigned status,
                       const char *why);

#endif
