/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that lb gives itself: refusals, errors, redirects and what a rule responds. Short,
 * honest; only redirects may be kept by caches. */
#ifndef LB_LISTENERS_ANSWER_H
#define LB_LISTENERS_ANSWER_H

#include <stddef.h>

#include "listeners/stream.h"

enum { ANSWER_BODY_BYTES = 2048 };

/** A text of lb's own: fields ("Content-Type: …\r\n" …) and body. */
struct answer_text {
    char fields[256];
    size_t fields_length;
    char body[ANSWER_BODY_BYTES];
    size_t body_length;
};

/**
 * Compose: "403 Forbidden: missing" and a sentence.
 *
 * reason    a short machine-readable word ("missing", "no-rule") or NULL
 * sentence  for people; or NULL
 */
void answer_compose(struct answer_text *answer, unsigned status, const char *reason,
                    const char *sentence);

/** Compose and write to a stream whose answer has not begun. The caller ends the stream. */
enum stream_write answer_write(struct stream *stream, unsigned status, const char *reason,
                               const char *sentence);

/** The same for a redirect. location: a URL reference of at most LOCATION_BYTES. */
enum stream_write answer_write_redirect(struct stream *stream, unsigned status,
                                        struct slice location);

/** The same for what an operator wrote: the sentence is the body, NULL: the status in words. A
 * status without a body (204) gets none. */
enum stream_write answer_write_respond(struct stream *stream, unsigned status,
                                       const char *sentence);

#endif
