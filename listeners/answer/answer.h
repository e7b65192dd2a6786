/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that lb gives itself: refusals, errors, redirects and what a rule responds. Short,
 * honest; only the redirects of rules may be kept by caches. */
#ifndef LB_LISTENERS_ANSWER_H
#define LB_LISTENERS_ANSWER_H

#include <stddef.h>

#include "listeners/answer/accept.h"
#include "listeners/stream.h"

/* The page of HTML around the words of the longest refusal has 3 KiB. */
enum { ANSWER_BODY_BYTES = 6 * 1024, ANSWER_FIELDS_BYTES = 768 };

/** What an answer says, in whichever form. Lent for the call. */
struct answer_words {
    unsigned status;
    const char *reason;      /* a short machine-readable word ("missing", "no-rule") or NULL */
    const char *sentence;    /* for people; or NULL */
    const char *advice;      /* what they can do; or NULL */
    struct slice request_id; /* length 0: none is known */
};

/** A body of lb's own and its fields ("Content-Type: …\r\n" …). */
struct answer_text {
    unsigned status; /* of HTTP */
    char fields[ANSWER_FIELDS_BYTES];
    size_t fields_length;
    char body[ANSWER_BODY_BYTES];
    size_t body_length;
};

/** Compose: "403 Forbidden: missing" with sentence, advice and request id as text, the same as a
 * page or as JSON, or as the head that clients of gRPC read (HTTP status 200). Where that does not
 * fit, it is a text, and lines that do not fit are left out.
 */
void answer_compose(struct answer_text *answer, enum answer_form form,
                    const struct answer_words *words);

/** Compose and write to a stream whose answer has not begun. The caller ends the stream. Where
 * sentence or advice is missing, what fits the status is said. */
enum stream_write answer_write_words(struct stream *stream, enum answer_form form,
                                     const struct answer_words *words);

/** The same of no more than is said, as text: for who has no request to go by. */
enum stream_write answer_write(struct stream *stream, unsigned status, const char *reason,
                               const char *sentence);

/** A page of the operator's own. reason: as of words. */
enum stream_write answer_write_page(struct stream *stream, unsigned status, const char *reason,
                                    struct slice html);

/** The same for a redirect. location: a URL reference of at most LOCATION_BYTES. */
enum stream_write answer_write_redirect(struct stream *stream, unsigned status,
                                        struct slice location);

/** The same for a client that is refused; reason: the refusal's name. */
enum stream_write answer_write_sent_away(struct stream *stream, unsigned status, const char *reason,
                                         struct slice location);

/** The same for what an operator wrote: the sentence is the body, NULL: the status in words. A
 * status without a body (204) gets none. */
enum stream_write answer_write_respond(struct stream *stream, unsigned status,
                                       const char *sentence);

#endif
