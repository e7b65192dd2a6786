/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that never become an exchange: answered by lb itself, and logged like every other. */
#ifndef LB_OWN_ANSWER_H
#define LB_OWN_ANSWER_H

struct client;
struct decision;
struct exchanges;
struct http_request;
struct rule;
struct stream;

/** Answer, write the access log, end the stream. rule: NULL when none was met; sentence: for
 * people, or NULL. */
void own_answer_refuse(struct exchanges *all, struct stream *stream,
                       const struct http_request *request, const struct rule *rule, unsigned status,
                       const char *reason, const char *sentence);

/** The same for a decision that is not PASS: a redirect, what the rule responds, or a refusal,
 * which has a line in lb's own log, too, that says who and why. */
void own_answer_decided(struct exchanges *all, struct stream *stream,
                        const struct http_request *request, const struct decision *decision);

/** The client's side answered a head that could not be read: only the access log is left to write.
 */
void own_answer_unread(struct exchanges *all, const struct client *client, unsigned status,
                       const char *why);

#endif
