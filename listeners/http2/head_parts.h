/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the translation of a head share; private to head*.c. */
#ifndef LB_LISTENERS_HTTP2_HEAD_PARTS_H
#define LB_LISTENERS_HTTP2_HEAD_PARTS_H

#include <string.h>

#include "listeners/http2/head.h"

/* --- head.c ------------------------------------------------------------------------------------
 */

/** The block is refused: what it holds is given back. Always false. `why`: static. */
bool http2_head_refuse(struct http2_head *head, enum http2_head_outcome outcome, const char *why);
/** The same with HTTP2_HEAD_MALFORMED. */
bool http2_head_malformed(struct http2_head *head, const char *why);
/** Make room in head->text, of what most_bytes leaves besides the text and the crumbs. false: the
 * block is refused. Called by http2_head_reserve. */
bool http2_head_grow(struct http2_head *head, size_t room);
/** One line more; *ret_value is where its value is. false: the block is refused. */
bool http2_head_put_line(struct http2_head *head, struct slice name, struct slice value,
                         struct http2_span *ret_value);

/** There is room already nearly always: a buffer is larger than most heads. */
static inline bool http2_head_reserve(struct http2_head *head, size_t room)
{
    const struct buffer *text = head->text;
    bool is_there = text && !head->crumbs && room <= buffer_room(text) &&
                    buffer_length(text) + room <= head->most_bytes;
    return is_there || http2_head_grow(head, room);
}

/** Append bytes that room was made for. */
static inline void http2_head_put(struct http2_head *head, struct slice bytes)
{
    struct buffer *text = head->text;
    if (bytes.length > 0)
        memcpy(text->data + text->end, bytes.at, bytes.length);
    text->end += bytes.length;
}
/** Until the text grows. */
static inline struct slice http2_head_at(const struct http2_head *head, struct http2_span span)
{
    return (struct slice){head->text->data + head->text->start + span.at, span.length};
}
static inline bool http2_head_has(const struct http2_head *head, enum http2_pseudo pseudo)
{
    return head->pseudo_seen >> pseudo & 1;
}

/* --- head_line.c -------------------------------------------------------------------------------
 */

/** A pseudo field (RFC 9113 8.3). false: the block is refused. */
bool http2_head_add_pseudo(struct http2_head *head, struct slice name, struct slice value);
/** No pseudo field comes any more: judge them together and begin the text with what they say.
 * false: the block is refused. */
bool http2_head_put_request_line(struct http2_head *head);

/* --- head_cookie.c -----------------------------------------------------------------------------
 */

/** A cookie or a crumb of one (RFC 9113 8.2.3). false: the block is refused. */
bool http2_head_add_cookie(struct http2_head *head, struct slice name, struct slice value);
/** The block is complete: crumbs that were put aside join their line. false: it is refused. */
bool http2_head_put_crumbs(struct http2_head *head);

#endif
