/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/ocsp/ocsp_hearing.h"

#include "lb/base/limits.h"

void ocsp_hearing_init(struct ocsp_hearing *hearing, struct buffer_pool *pool)
{
    *hearing = (struct ocsp_hearing){.pool = pool};
}

void ocsp_hearing_done(struct ocsp_hearing *hearing)
{
    if (!hearing->pool)
        return;
    buffer_give(hearing->pool, &hearing->head);
    buffer_give(hearing->pool, &hearing->body);
    http_chunks_done(&hearing->chunks);
}

static enum ocsp_heard bad(struct ocsp_hearing *hearing, const char *why)
{
    error_set(&hearing->fault, "%s", why);
    return OCSP_HEARD_BAD;
}

static bool add(struct ocsp_hearing *hearing, const char *bytes, size_t length)
{
    return length == 0 ||
           buffer_append(hearing->pool, &hearing->body, bytes, length, OCSP_BODY_BYTES);
}

static enum ocsp_heard too_large(struct ocsp_hearing *hearing)
{
    error_set(&hearing->fault, "the answer is larger than %d bytes", OCSP_BODY_BYTES);
    return OCSP_HEARD_BAD;
}

/* --- bodies ------------------------------------------------------------------------------------
 */

static enum ocsp_heard take_chunks(struct ocsp_hearing *hearing, const char *bytes, size_t length)
{
    while (length > 0) {
        size_t used = 0;
        struct slice data = {NULL, 0};
        switch (http_chunks_decode(&hearing->chunks, bytes, length, &used, &data)) {
        case HTTP_CHUNK_DATA:
            if (!add(hearing, data.at, data.length))
                return too_large(hearing);
            break;
        case HTTP_CHUNK_MORE:
            return OCSP_HEARD_SOME;
        case HTTP_CHUNK_END:
            return OCSP_HEARD_WHOLE;
        case HTTP_CHUNK_BAD:
            return bad(hearing, http_fault_text(hearing->chunks.fault));
        }
        bytes += used;
        length -= used;
    }
    return OCSP_HEARD_SOME;
}

static enum ocsp_heard take_length(struct ocsp_hearing *hearing, const char *bytes, size_t length)
{
    size_t taken = length < hearing->left ? length : (size_t)hearing->left;
    if (!add(hearing, bytes, taken))
        return too_large(hearing);
    hearing->left -= taken;
    return hearing->left == 0 ? OCSP_HEARD_WHOLE : OCSP_HEARD_SOME;
}

static enum ocsp_heard take_body(struct ocsp_hearing *hearing, const char *bytes, size_t length)
{
    switch (hearing->framing) {
    case HTTP_NO_BODY:
        return bad(hearing, "the answer has no body");
    case HTTP_LENGTH:
        return take_length(hearing, bytes, length);
    case HTTP_CHUNKED:
        return take_chunks(hearing, bytes, length);
    case HTTP_UNTIL_CLOSE:
        return add(hearing, bytes, length) ? OCSP_HEARD_SOME : too_large(hearing);
    }
    return OCSP_HEARD_BAD;
}

/* --- the head ----------------------------------------------------------------------------------
 */

static enum ocsp_heard accept_head(struct ocsp_hearing *hearing, const struct http_answer *answer)
{
    hearing->is_refused = answer->status >= 400 && answer->status < 500;
    if (answer->status != 200) {
        error_set(&hearing->fault, "the responder answers with status %u", answer->status);
        return OCSP_HEARD_BAD;
    }
    hearing->has_head = true;
    hearing->framing = answer->framing;
    hearing->left = answer->length;
    if (answer->framing == HTTP_LENGTH && answer->length > OCSP_BODY_BYTES)
        return too_large(hearing);
    return OCSP_HEARD_SOME;
}

static enum ocsp_heard take_head(struct ocsp_hearing *hearing)
{
    struct http_answer answer;
    enum http_fault fault = HTTP_FINE;
    struct buffer *head = hearing->head;
    while (!hearing->has_head && buffer_length(head) > 0) {
        switch (http_parse_answer(&answer, head->data + head->start, buffer_length(head),
                                  OCSP_HEAD_BYTES, HTTP_POST, &fault)) {
        case HTTP_PARTIAL:
            return OCSP_HEARD_SOME;
        case HTTP_INVALID:
            error_set(&hearing->fault, "the answer is no HTTP: %s", http_fault_text(fault));
            return OCSP_HEARD_BAD;
        case HTTP_COMPLETE:
            break;
        }
        head->start += answer.bytes;
        if (answer.status >= 200 || answer.status == 101) {
            if (accept_head(hearing, &answer) == OCSP_HEARD_BAD)
                return OCSP_HEARD_BAD;
        } else if (++hearing->interim_count > INTERIM_ANSWERS_MOST) {
            return bad(hearing, "the responder sends interim answers without end");
        }
    }
    if (!hearing->has_head)
        return OCSP_HEARD_SOME;
    enum ocsp_heard heard = take_body(hearing, head->data + head->start, buffer_length(head));
    buffer_give(hearing->pool, &hearing->head);
    return heard;
}

/* --- what comes --------------------------------------------------------------------------------
 */

enum ocsp_heard ocsp_hearing_take(struct ocsp_hearing *hearing, const char *bytes, size_t length)
{
    if (hearing->has_head)
        return take_body(hearing, bytes, length);
    /* Room for the rest of a head, and all that may come with it. */
    if (!buffer_append(hearing->pool, &hearing->head, bytes, length, OCSP_HEAD_BYTES + READ_BYTES))
        return bad(hearing, "out of memory");
    return take_head(hearing);
}

enum ocsp_heard ocsp_hearing_end(struct ocsp_hearing *hearing)
{
    if (hearing->has_head && hearing->framing == HTTP_UNTIL_CLOSE)
        return OCSP_HEARD_WHOLE;
    return bad(hearing, "the responder closed the connection before its answer was whole");
}

struct slice ocsp_hearing_body(const struct ocsp_hearing *hearing)
{
    const struct buffer *body = hearing->body;
    return body ? (struct slice){body->data + body->start, buffer_length(body)}
                : (struct slice){"", 0};
}
