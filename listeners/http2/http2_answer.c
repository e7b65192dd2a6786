/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answer as an exchange writes it: heads are given to nghttp2 at once, bodies when it asks for
 * them, which windows decide. Little waits for the end of the turn, to share one write with other
 * streams; much is sent from where the exchange has it, and only what no window takes is copied.
 */
#include <stdlib.h>
#include <string.h>

#include "listeners/client.h"
#include "listeners/http2/answer_head.h"
#include "listeners/http2/http2_client.h"
#include "listeners/http2/http2_desk.h"

/* What waits for the end of the turn at most: the copy costs less than a write of its own. */
enum { GATHER_BYTES = RECORD_BYTES };

static struct http2_stream *stream_of(struct stream *stream)
{
    return (struct http2_stream *)(void *)stream;
}

static struct http2_desk *desk_of(const struct http2_stream *stream)
{
    return &stream->http2->client->clients->http2;
}

static struct buffer_pool *pool_of(const struct http2_stream *stream)
{
    return &stream->http2->client->clients->context->buffers;
}

static bool is_lost(const struct http2_stream *stream)
{
    return stream->is_closed || stream->http2->is_lost;
}

/* --- how much ------------------------------------------------------------------------------ */

/** That its windows let through now; below 0: a setting of the client's made them so. */
static int32_t window_of(const struct http2_stream *stream)
{
    nghttp2_session *session = stream->http2->session;
    int32_t own = nghttp2_session_get_stream_remote_window_size(session, stream->id);
    int32_t all = nghttp2_session_get_remote_window_size(session);
    return own < all ? own : all;
}

/* Heads need no window: a client may wait for one before it opens any (RFC 9113 6.9). */
static bool is_full(const struct stream *face)
{
    const struct http2_stream *stream = (const struct http2_stream *)(const void *)face;
    bool needs_window = stream->answer != HTTP2_ANSWER_AWAITED && !is_lost(stream);
    return connection_pending(&stream->http2->client->connection) > 0 ||
           buffer_length(stream->out) >= GATHER_BYTES || (needs_window && window_of(stream) <= 0);
}

static size_t room(const struct stream *face)
{
    const struct http2_stream *stream = (const struct http2_stream *)(const void *)face;
    size_t most = connection_room(&stream->http2->client->connection);
    int32_t window = is_lost(stream) ? 0 : window_of(stream);
    if (window <= 0)
        return 0;
    return (size_t)window < most ? (size_t)window : most;
}

/* --- nghttp2 takes ------------------------------------------------------------------------- */

/* The trailers become a head that ends the stream; nghttp2 copies them. false: out of memory. */
static bool submit_end(struct http2_stream *stream, uint32_t *flags)
{
    const struct http2_end *end = stream->end;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (!end || end->count == 0)
        return true;
    *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    return nghttp2_submit_trailer(stream->http2->session, stream->id, end->rows, end->count) == 0;
}

ssize_t http2_on_data_wanted(nghttp2_session *session, int32_t id, uint8_t *into, size_t length,
                             uint32_t *flags, nghttp2_data_source *source, void *argument)
{
    struct http2_stream *stream = source->ptr;
    size_t kept = buffer_length(stream->out);
    size_t all = kept + stream->lent.length;
    size_t next = kept > 0 ? kept : stream->lent.length;
    size_t taken = next < length ? next : length;
    (void)session;
    (void)id;
    (void)into;
    (void)argument;
    if (all == 0 && stream->answer != HTTP2_ANSWER_WHOLE)
        return NGHTTP2_ERR_DEFERRED;
    stream->piece_most = length;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (taken == all && stream->answer == HTTP2_ANSWER_WHOLE && !submit_end(stream, flags))
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* the stream is reset */
    return (ssize_t)taken;
}

static void take(struct http2_stream *stream, char *into, size_t length)
{
    struct buffer *out = stream->out;
    if (buffer_length(out) == 0) {
        memcpy(into, stream->lent.at, length);
        stream->lent.at += length;
        stream->lent.length -= length;
        return;
    }
    memcpy(into, out->data + out->start, length);
    out->start += length;
    if (buffer_length(out) > 0)
        return;
    buffer_give(pool_of(stream), &stream->out);
    if (stream->is_stopped && stream->stream.exchange)
        http2_note(stream);
    stream->is_stopped = false;
}

int http2_on_data_sent(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
                       size_t length, nghttp2_data_source *source, void *argument)
{
    struct http2_stream *stream = source->ptr;
    char *into = http2_frames_put_data(&desk_of(stream)->frames, head, length);
    (void)session;
    (void)frame;
    (void)argument;
    if (!into)
        return NGHTTP2_ERR_WOULDBLOCK;
    if (length > 0)
        take(stream, into, length);
    http2_meter_sent(&stream->http2->meter, length, stream->piece_most);
    if (!stream->deadline.armed)
        return 0;
    if (buffer_length(stream->out) > 0)
        http2_expect_client(stream);
    else
        deadline_disarm(&stream->deadline);
    return 0;
}

void http2_watch_taking(struct http2_stream *stream)
{
    if (stream->answer == HTTP2_ANSWER_AWAITED)
        return;
    bool is_waited_for = stream->stream.exchange && is_full(&stream->stream);
    if (buffer_length(stream->out) == 0 && !is_waited_for)
        deadline_disarm(&stream->deadline);
    else if (!stream->deadline.armed)
        http2_expect_client(stream);
}

/* RFC 9113 8.1: who was answered before its request was complete is told to send no more of it. The
 * ends of a tunnel are two (RFC 8441 5.1): its client may go on. */
void http2_answer_sent(struct http2_stream *stream)
{
    struct http2_client *http2 = stream->http2;
    bool is_half_tunnel = stream->is_tunnel && stream->stream.exchange;
    bool is_early = stream->body == HTTP2_BODY_OPEN || stream->body == HTTP2_BODY_BAD;
    http2_meter_answered(&http2->meter);
    if (stream->resets_behind || (is_early && !is_half_tunnel))
        nghttp2_submit_rst_stream(http2->session, NGHTTP2_FLAG_NONE, stream->id,
                                  stream->reset_code);
}

/* --- the exchange gives -------------------------------------------------------------------- */

/* What was lent and not taken is kept. false: out of memory. */
static bool keep(struct http2_stream *stream)
{
    struct slice left = stream->lent;
    stream->lent = (struct slice){NULL, 0};
    return left.length == 0 || buffer_append(pool_of(stream), &stream->out, left.at, left.length,
                                             WRITE_PENDING_MOST_BYTES);
}

static enum stream_write give(struct http2_stream *stream, struct slice data, bool last)
{
    struct http2_client *http2 = stream->http2;
    stream->lent = data;
    stream->stream.answer_bytes += data.length;
    if (last)
        stream->answer = HTTP2_ANSWER_WHOLE;
    nghttp2_session_resume_data(http2->session, stream->id); /* harmless when it does not wait */
    if (buffer_length(stream->out) + data.length >= GATHER_BYTES)
        http2_send(http2);
    http2_mark(http2);
    if (!keep(stream) || http2->is_lost)
        return STREAM_LOST;
    stream->is_stopped = is_full(&stream->stream);
    http2_watch_taking(stream);
    return stream->is_stopped ? STREAM_FULL : STREAM_TAKEN;
}

/** lb asked for the WebSocket in the client's place, so the backend has to prove to lb that it
 * speaks it (RFC 6455 4.1). Any 2xx would open the client's end (RFC 8441 5). */
static const char *object(const struct stream *face, const struct http_answer *head)
{
    const struct http2_stream *stream = (const struct http2_stream *)(const void *)face;
    if (!stream->is_websocket)
        return NULL;
    if (head->is_upgrade)
        return websocket_is_accepted(stream->websocket_key, head->fields, head->field_count)
                   ? NULL
                   : "the backend opened a WebSocket without the Sec-WebSocket-Accept for its key";
    return head->status < 300 ? "the backend answered a WebSocket as an ordinary request" : NULL;
}

static enum stream_write write_interim(struct http2_stream *stream, const struct http2_nva *nva)
{
    int result = nghttp2_submit_headers(stream->http2->session, NGHTTP2_FLAG_NONE, stream->id, NULL,
                                        nva->rows, nva->count, NULL);
    if (stream->stream.holds_body) {
        stream->stream.holds_body = false;
        http2_expect_client(stream); /* now it is the client's turn */
    }
    http2_mark(stream->http2);
    return result == 0 ? STREAM_TAKEN : STREAM_LOST;
}

static enum stream_write write_final(struct http2_stream *stream, const struct stream_head *head,
                                     struct slice body, bool last)
{
    struct http2_client *http2 = stream->http2;
    const struct http2_nva *nva = &desk_of(stream)->nva;
    const nghttp2_data_provider provider = {.source = {.ptr = stream},
                                            .read_callback = http2_on_data_wanted};
    bool has_body = head->is_tunnel || (head->has_body && !stream->asked_head);
    bool is_bare = !has_body || (last && body.length == 0);
    int result = nghttp2_submit_response(http2->session, stream->id, nva->rows, nva->count,
                                         is_bare ? NULL : &provider);
    http2_mark(http2);
    if (result != 0)
        return STREAM_LOST;
    stream->is_tunnel = head->is_tunnel;
    stream->answer = is_bare ? HTTP2_ANSWER_WHOLE : HTTP2_ANSWER_BODY;
    http2_watch_taking(stream); /* the request's body is not what the client is waited for now */
    return is_bare ? STREAM_TAKEN : give(stream, body, last);
}

static enum stream_write write_head(struct stream *face, const struct stream_head *head,
                                    struct slice body, bool last)
{
    struct http2_stream *stream = stream_of(face);
    struct http2_desk *desk = desk_of(stream);
    if (is_lost(stream))
        return STREAM_LOST;
    http2_nva_begin(&desk->nva, desk->frames.bytes, desk->frames.room, NGHTTP2_NV_FLAG_NONE);
    if (!http2_answer_head(&desk->nva, head))
        return STREAM_LOST;
    return head->interim ? write_interim(stream, &desk->nva)
                         : write_final(stream, head, body, last);
}

static enum stream_write write_body(struct stream *face, struct slice data, bool last)
{
    struct http2_stream *stream = stream_of(face);
    if (is_lost(stream))
        return STREAM_LOST;
    return stream->answer == HTTP2_ANSWER_BODY ? give(stream, data, last) : STREAM_TAKEN;
}

/* One block: the rows, and behind them their bytes. */
static struct http2_end *save(const struct http2_nva *nva)
{
    size_t bytes = sizeof(struct http2_end) + nva->count * sizeof *nva->rows;
    for (size_t i = 0; i < nva->count; i++)
        bytes += nva->rows[i].namelen + nva->rows[i].valuelen;
    struct http2_end *end = malloc(bytes);
    if (!end)
        return NULL;
    uint8_t *at = (uint8_t *)&end->rows[nva->count];
    end->count = nva->count;
    for (size_t i = 0; i < nva->count; i++) {
        end->rows[i] = nva->rows[i];
        end->rows[i].name = memcpy(at, nva->rows[i].name, nva->rows[i].namelen);
        at += nva->rows[i].namelen;
        end->rows[i].value = memcpy(at, nva->rows[i].value, nva->rows[i].valuelen);
        at += nva->rows[i].valuelen;
    }
    return end;
}

static enum stream_write write_trailers(struct stream *face, const struct http_field *fields,
                                        unsigned count)
{
    struct http2_stream *stream = stream_of(face);
    struct http2_desk *desk = desk_of(stream);
    if (is_lost(stream))
        return STREAM_LOST;
    if (stream->answer != HTTP2_ANSWER_BODY)
        return STREAM_TAKEN; /* HEAD: nowhere to put them */
    http2_nva_begin(&desk->nva, desk->frames.bytes, desk->frames.room, NGHTTP2_NV_FLAG_NONE);
    if (!http2_answer_trailers(&desk->nva, fields, count))
        return STREAM_LOST;
    stream->end = save(&desk->nva);
    return stream->end ? give(stream, (struct slice){NULL, 0}, true) : STREAM_LOST;
}

static void finish(struct stream *face)
{
    struct http2_stream *stream = stream_of(face);
    if (!is_lost(stream))
        give(stream, (struct slice){NULL, 0}, true);
}

/* A drained client has been told already; keepalive_timeout = 0 means what it does in HTTP/1. */
static bool is_last_for(const struct client *client)
{
    return client_is_leaving(client) || client->door->listener->options->keepalive_timeout == 0;
}

/* RFC 9113 7, of an answer that is not whole: INTERNAL_ERROR where its backend broke it, which is
 * lb's affair to the client. Where time ran out nobody broke anything, the stream is not wanted any
 * more; nor is one whose body is too large. A tunnel whose other end was reset has CANCEL, too (RFC
 * 8441 5). What the client did wrong is called so. */
static uint32_t reset_code_of(const struct http2_stream *stream)
{
    if (stream->reset_code != NGHTTP2_NO_ERROR)
        return stream->reset_code;
    bool is_unwanted = stream->stream.is_given_up || stream->body == HTTP2_BODY_BAD;
    return stream->is_tunnel || is_unwanted ? NGHTTP2_CANCEL : NGHTTP2_INTERNAL_ERROR;
}

static void end(struct stream *face, bool clean)
{
    struct http2_stream *stream = stream_of(face);
    struct http2_client *http2 = stream->http2;
    stream->stream.exchange = NULL;
    stream->is_over = true;
    http2_body_drop(stream);
    if (buffer_length(stream->out) == 0)
        deadline_disarm(&stream->deadline);
    if (stream->is_closed)
        http2_note(stream);
    else if (!clean || stream->answer != HTTP2_ANSWER_WHOLE)
        nghttp2_submit_rst_stream(http2->session, NGHTTP2_FLAG_NONE, stream->id,
                                  reset_code_of(stream));
    if (http2->state == HTTP2_SERVING && is_last_for(http2->client))
        http2_leave(http2);
    http2_mark(http2);
}

/* What came is kept when its own wake-up ends, and what was written goes out with the turn. What
 * the backend has for the client may have met a window that others closed. */
static void settle(struct stream *face)
{
    struct http2_stream *stream = stream_of(face);
    if (face->exchange && !is_lost(stream))
        http2_watch_taking(stream);
}

const struct stream_ops http2_stream_ops = {
    .read = http2_read,
    .trailers = http2_trailers,
    .object = object,
    .write_head = write_head,
    .write_body = write_body,
    .write_trailers = write_trailers,
    .trailers_can_say_why = true,
    .is_full = is_full,
    .room = room,
    .finish = finish,
    .end = end,
    .settle = settle,
};
