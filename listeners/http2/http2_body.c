/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request's body: from nghttp2's chunks to what an exchange reads, and the windows that say how
 * much more may come (RFC 9113 5.2).
 *
 * A stream's window is given back as its exchange takes bytes, so that a slow backend holds up its
 * own stream only; the connection's at once, so that however many streams stand still, it is never
 * what others wait for. What one client may make lb hold is bounded by the windows of its streams:
 * as many as it may have open, and those that were enlarged share an allowance. Who empties its
 * window gets a larger one while there is some left: a fast backend far from its client.
 */
#include <string.h>

#include "listeners/client.h"
#include "listeners/http2/http2_client.h"

static struct http2_stream *stream_of(struct stream *stream)
{
    return (struct http2_stream *)(void *)stream;
}

static struct buffer_pool *pool_of(const struct http2_stream *stream)
{
    return &stream->http2->client->clients->context->buffers;
}

/* --- windows ------------------------------------------------------------------------------- */

static void return_connection_window(struct http2_client *http2, size_t bytes)
{
    nghttp2_session_consume_connection(http2->session, bytes);
    http2_mark(http2);
}

static bool may_be_doubled(const struct http2_stream *stream)
{
    return stream->window <= HTTP2_WINDOW_MOST_BYTES / 2 &&
           stream->http2->enlarged_bytes + stream->window <= HTTP2_ENLARGED_MOST_BYTES;
}

static void enlarge_window(struct http2_stream *stream, size_t bytes)
{
    stream->taken += (uint32_t)bytes;
    if (stream->taken < stream->window || !may_be_doubled(stream))
        return;
    stream->http2->enlarged_bytes += stream->window;
    stream->window *= 2;
    stream->taken = 0;
    nghttp2_session_set_local_window_size(stream->http2->session, NGHTTP2_FLAG_NONE, stream->id,
                                          (int32_t)stream->window);
}

static void return_window(struct http2_stream *stream, size_t bytes)
{
    if (stream->is_closed || stream->body != HTTP2_BODY_OPEN)
        return; /* nothing more comes */
    nghttp2_session_consume_stream(stream->http2->session, stream->id, bytes);
    if (!stream->kept)
        enlarge_window(stream, bytes);
    http2_mark(stream->http2);
}

/* --- arriving ------------------------------------------------------------------------------ */

/* Behind what this read brought already: only a frame's head lies between, which nghttp2 has read.
 */
static void join(struct http2_stream *stream, const char *bytes, size_t length)
{
    char *end = (char *)(uintptr_t)stream->input.at + stream->input.length;
    memmove(end, bytes, length);
    stream->input.length += length;
}

static bool append(struct http2_stream *stream, const char *bytes, size_t length)
{
    if (!http2_body_keep(stream) ||
        !buffer_append(pool_of(stream), &stream->kept, bytes, length, HTTP2_WINDOW_MOST_BYTES * 2))
        return false;
    stream->input.at = stream->kept->data + stream->kept->start;
    stream->input.length = buffer_length(stream->kept);
    return true;
}

static bool put(struct http2_stream *stream, const char *bytes, size_t length)
{
    if (stream->input.length == 0) {
        buffer_give(pool_of(stream), &stream->kept); /* all of it was taken */
        stream->input = (struct slice){bytes, length};
        return true;
    }
    if (!stream->kept && stream->http2->chunked == stream) {
        join(stream, bytes, length);
        return true;
    }
    return append(stream, bytes, length);
}

bool http2_body_arrived(struct http2_stream *stream, const char *bytes, size_t length)
{
    struct http2_client *http2 = stream->http2;
    stream->body_bytes += length;
    return_connection_window(http2, length);
    if (stream->is_over || stream->is_closed || stream->body == HTTP2_BODY_BAD)
        return true;
    bool good = put(stream, bytes, length);
    http2->chunked = stream;
    return good;
}

bool http2_body_keep(struct http2_stream *stream)
{
    struct buffer *kept = stream->kept;
    if (stream->input.length == 0) {
        buffer_give(pool_of(stream), &stream->kept);
        return true;
    }
    if (kept) { /* it is there already; what was taken is forgotten */
        kept->start = kept->end - stream->input.length;
        return true;
    }
    if (!buffer_append(pool_of(stream), &stream->kept, stream->input.at, stream->input.length,
                       HTTP2_WINDOW_MOST_BYTES * 2))
        return false;
    stream->input.at = stream->kept->data + stream->kept->start;
    return true;
}

void http2_body_drop(struct http2_stream *stream)
{
    stream->input.length = 0;
    buffer_give(pool_of(stream), &stream->kept);
}

/* --- reading ------------------------------------------------------------------------------- */

void http2_body_spoil(struct http2_stream *stream, unsigned status, const char *why)
{
    stream->body = HTTP2_BODY_BAD;
    stream->stream.fault_status = status;
    stream->stream.fault_text = why;
    if (status != 400)
        return;
    stream->reset_code = NGHTTP2_PROTOCOL_ERROR;
    stream->http2->fault_count++;
}

static enum stream_read spoiled(struct http2_stream *stream, unsigned status, const char *why)
{
    http2_body_spoil(stream, status, why);
    return STREAM_BAD;
}

static bool is_over_max_body(const struct http2_stream *stream, size_t more)
{
    uint64_t most = stream->http2->client->door->listener->options->max_body;
    return most > 0 && !stream->is_tunnel && stream->stream.request_body_bytes + more > most;
}

static size_t piece_of(const struct http2_stream *stream)
{
    size_t most = stream->stream.read_most > READ_BYTES ? stream->stream.read_most : READ_BYTES;
    return stream->input.length < most ? stream->input.length : most;
}

static enum stream_read take(struct http2_stream *stream, struct slice *data)
{
    size_t length = piece_of(stream);
    if (is_over_max_body(stream, length))
        return spoiled(stream, 413, "the body is larger than max_body");
    *data = (struct slice){stream->input.at, length};
    stream->input.at += length;
    stream->input.length -= length;
    stream->stream.request_body_bytes += length;
    stream->stream.holds_body = false;
    if (buffer_length(stream->out) == 0)
        deadline_disarm(&stream->deadline);
    return_window(stream, length);
    return STREAM_DATA;
}

/* Once it is answered both sides may take their time: the pool's tunnel_timeout bounds that. */
static enum stream_read await(struct http2_stream *stream)
{
    bool is_asked = stream->answer == HTTP2_ANSWER_AWAITED && !stream->stream.holds_body;
    if (is_asked && !stream->deadline.armed)
        http2_expect_client(stream);
    return STREAM_AGAIN;
}

/* RFC 9113 8.1.1: the lengths of all DATA frames are what content-length says. */
static bool is_of_wrong_length(const struct http2_stream *stream)
{
    if (!stream->has_length)
        return false;
    bool is_all = stream->body == HTTP2_BODY_ARRIVED;
    return is_all ? stream->body_bytes != stream->length : stream->body_bytes > stream->length;
}

enum stream_read http2_read(struct stream *face, struct slice *data)
{
    struct http2_stream *stream = stream_of(face);
    if (stream->body == HTTP2_BODY_BAD)
        return STREAM_BAD;
    if (is_of_wrong_length(stream))
        return spoiled(stream, 400, "the body is not as long as Content-Length says");
    if (stream->input.length > 0)
        return take(stream, data);
    switch (stream->body) {
    case HTTP2_BODY_OPEN:
        return stream->is_closed || stream->http2->is_lost ? STREAM_GONE : await(stream);
    case HTTP2_BODY_ARRIVED:
        stream->body = HTTP2_BODY_COMPLETE;
        break;
    case HTTP2_BODY_COMPLETE:
    case HTTP2_BODY_BAD:
        break;
    }
    return STREAM_END;
}

unsigned http2_trailers(struct stream *face, const struct http_field **fields)
{
    struct http2_stream *stream = stream_of(face);
    struct http_field *rows = stream->http2->client->clients->request.fields;
    *fields = rows;
    return http_chunks_trailers(&stream->trailers, rows, HEAD_FIELDS_MOST);
}
