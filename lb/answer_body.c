/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 9112 6.3 on the backend's side. */
#include "lb/answer_body.h"

#include <stdint.h>
#include <string.h>

#include "lb/answer_fields.h"
#include "lb/exchange.h"

static bool take_length(struct exchange *x, struct slice *data, bool *last)
{
    size_t most = x->input.length;
    if (x->answer_left < most) {
        most = (size_t)x->answer_left;
    }
    *data = (struct slice){x->input.at, most};
    x->answer_left -= most;
    x->input.at += most;
    x->input.length -= most;
    *last = x->answer_left == 0;
    return true;
}

/** input lies in the worker's array or in `kept`: ours to write. */
static bool take_chunks(struct exchange *x, struct slice *data, bool *last)
{
    char *to = (char *)(uintptr_t)x->input.at;
    *data = (struct slice){to, 0};
    while (x->input.length > 0) {
        struct slice chunk = {NULL, 0};
        size_t used = 0;
        enum http_chunk result =
            http_chunks_decode(&x->chunks, x->input.at, x->input.length, &used, &chunk);
        x->input.at += used;
        x->input.length -= used;
        switch (result) {
        case HTTP_CHUNK_DATA:
            memmove(to + data->length, chunk.at, chunk.length);
            data->length += chunk.length;
            break;
        case HTTP_CHUNK_MORE:
            return true;
        case HTTP_CHUNK_END:
            *last = true;
            return true;
        case HTTP_CHUNK_BAD:
            return false;
        }
    }
    return true;
}

static bool take(struct exchange *x, struct slice *data, bool *last)
{
    switch (x->answer_framing) {
    case HTTP_NO_BODY:
        *last = true;
        return true;
    case HTTP_LENGTH:
        return take_length(x, data, last);
    case HTTP_CHUNKED:
        return take_chunks(x, data, last);
    case HTTP_UNTIL_CLOSE:
        *data = x->input;
        x->input.length = 0;
        return true;
    }
    return false;
}

bool answer_body_take(struct exchange *x, struct slice *data, bool *last)
{
    *last = false;
    *data = (struct slice){NULL, 0};
    bool fine = take(x, data, last);
    if (*last && x->input.length > 0) {
        x->surplus = true;
    }
    return fine;
}

enum stream_write answer_body_end_with_trailers(struct exchange *x, struct slice data)
{
    struct http_field fields[HEAD_FIELDS_MOST];
    const struct stream_ops *ops = x->stream->ops;
    unsigned count = http_chunks_trailers(&x->chunks, fields, HEAD_FIELDS_MOST);
    count = answer_fields_strip(x->rule, fields, count);
    if (data.length > 0 && ops->write_body(x->stream, data, false) == STREAM_LOST) {
        return STREAM_LOST;
    }
    return ops->write_trailers(x->stream, fields, count);
}
