/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that never become an exchange: answered by lb itself, and logged like every other. */
#ifndef LB_REFUSE_H
#define LB_REFUSE_H

struct client;
struct decision;
struct exchanges;
struct http_request;
struct rule;
struct stream;

/** Answer, write the access log, end the stream. rule: NULL when none was met; sentence: for
 * people, or NULL. */
void refuse_request(struct exchanges *all, struct stream *stream,
                    const struct http_request *request, const struct rule *rule, unsigned status,
                    const char *reason, const char *sentence);

/** The same for a decision that is not PASS, with a line in lb's own log that says who and why. */
void refuse_by_decision(struct exchanges *all, struct stream *stream,
                        const struct http_request *request, const struct decision *decision);

/** The client's side answered a head that could not be read: only the access log is left to write.
 */
void refuse_unread(struct exchanges *all, const struct client *client, unsigned status,
                   const char *why);

#endif
