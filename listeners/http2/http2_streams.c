/* SPDX-License-Identifier: Apache-2.0 */
/* A stream's life: opened with its request's first field, over when its exchange is, closed when
 * nghttp2 knows it no more, free when both are. */
#include <stdlib.h>

#include "listeners/answer/answer.h"
#include "listeners/client.h"
#include "listeners/client_report.h"
#include "listeners/http2/http2_client.h"
#include "listeners/http2/priority.h"

static struct buffer_pool *pool_of(const struct http2_client *http2)
{
    return &http2->client->clients->context->buffers;
}

static void on_late(struct deadline *deadline);

struct http2_stream *http2_stream_open(struct http2_client *http2, int32_t id)
{
    struct http2_stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return NULL;
    stream->stream.ops = &http2_stream_ops;
    stream->stream.client = http2->client;
    stream->stream.protocol = "HTTP/2";
    stream->http2 = http2;
    stream->id = id;
    stream->urgency = PRIORITY_URGENCY;
    stream->window = HTTP2_WINDOW_BYTES;
    stream->deadline.on_passed = on_late;
    list_append(&http2->streams, &stream->node);
    http2->stream_count++;
    return stream;
}

void http2_stream_free(struct http2_stream *stream)
{
    struct http2_client *http2 = stream->http2;
    struct buffer_pool *pool = pool_of(http2);
    deadline_disarm(&stream->deadline);
    http2_body_drop(stream);
    http_chunks_done(&stream->trailers);
    buffer_give(pool, &stream->head);
    buffer_give(pool, &stream->out);
    free(stream->end);
    if (stream->has_news)
        list_remove(&stream->news);
    list_remove(&stream->node);
    http2->enlarged_bytes -= stream->window - HTTP2_WINDOW_BYTES;
    http2->stream_count--;
    free(stream);
}

bool http2_has_last_words(const struct http2_stream *stream)
{
    bool is_whole = stream->body == HTTP2_BODY_ARRIVED || stream->body == HTTP2_BODY_COMPLETE;
    bool has_finished =
        stream->answer == HTTP2_ANSWER_WHOLE && stream->close_code == NGHTTP2_NO_ERROR;
    return stream->is_closed && stream->is_tunnel && is_whole && has_finished &&
           stream->stream.exchange;
}

bool http2_has_room(const struct http2_client *http2)
{
    unsigned count = 0;
    if (http2->stream_count < HTTP2_STREAMS_MOST)
        return true;
    for (const struct list_node *node = http2->streams.next; node != &http2->streams;
         node = node->next) {
        const struct http2_stream *stream = LIST_OWNER(node, struct http2_stream, node);
        count += !stream->is_closed || http2_has_last_words(stream);
    }
    return count < HTTP2_STREAMS_MOST;
}

/* --- lb's own words ------------------------------------------------------------------------ */

void http2_refuse(struct http2_stream *stream, unsigned status, const char *why, uint32_t code)
{
    struct client *client = stream->http2->client;
    client_report_bad_request(client, status, why);
    if (code != NGHTTP2_NO_ERROR) {
        stream->reset_code = code;
        stream->resets_behind = true;
        stream->http2->fault_count++;
    }
    enum stream_write written = answer_write(&stream->stream, status, NULL, why);
    client->clients->events->answered(client->clients->roof, &stream->stream, status, why);
    stream->stream.ops->end(&stream->stream, written != STREAM_LOST);
}

/* --- time ---------------------------------------------------------------------------------- */

void http2_expect_client(struct http2_stream *stream)
{
    struct client *client = stream->http2->client;
    deadline_arm(&client->clients->context->deadlines, &stream->deadline,
                 client->door->listener->options->body_timeout, on_late);
}

static void abandon(struct http2_stream *stream, unsigned status, const char *why)
{
    if (stream->stream.exchange)
        stream->http2->client->clients->events->abandon(&stream->stream, status, why);
    stream->stream.exchange = NULL;
}

static void refuse_late_body(struct http2_stream *stream)
{
    static const char why[] = "the client paused longer than body_timeout in its body";
    abandon(stream, 408, why);
    client_report_bad_request(stream->http2->client, 408, why);
    enum stream_write written = answer_write(&stream->stream, 408, NULL, why);
    stream->stream.ops->end(&stream->stream, written != STREAM_LOST);
}

/* It opens no window for its answer. */
static void cut_untaken(struct http2_stream *stream)
{
    abandon(stream, 0, "the client paused longer than body_timeout");
    stream->stream.is_given_up = true;
    stream->stream.ops->end(&stream->stream, false);
}

/* Is it the client that does not go on? Where the connection takes nothing, that has a time of its
 * own (HTTP2_CLOCK_TAKING), and whether it is slow can be asked once only for all its streams. A
 * body that is here waits for its backend. */
static bool is_waited_for(const struct http2_stream *stream)
{
    return connection_pending(&stream->http2->client->connection) == 0 &&
           (stream->answer != HTTP2_ANSWER_AWAITED || stream->input.length == 0);
}

static void on_late(struct deadline *deadline)
{
    struct http2_stream *stream = LIST_OWNER(deadline, struct http2_stream, deadline);
    struct http2_client *http2 = stream->http2;
    if (stream->stream.wait != STREAM_WAITS_NOT)
        http2_refuse(stream, 503, "the client's certificate could not be registered in time",
                     NGHTTP2_NO_ERROR);
    else if (!is_waited_for(stream))
        http2_expect_client(stream);
    else if (stream->answer == HTTP2_ANSWER_AWAITED)
        refuse_late_body(stream);
    else
        cut_untaken(stream);
    http2_mark(http2);
}

/* --- a client that has closed its side ----------------------------------------------------- */

/* All that could be sent was: what is left waits for room that will never be given. */
static bool is_hopeless(const struct http2_stream *stream)
{
    bool awaits_body = stream->body == HTTP2_BODY_OPEN;
    bool awaits_window = buffer_length(stream->out) > 0 &&
                         connection_pending(&stream->http2->client->connection) == 0;
    bool is_held = stream->stream.wait != STREAM_WAITS_NOT; /* its time comes when it is not */
    return (awaits_body || awaits_window) && !is_held && !stream->is_closed;
}

void http2_drop_hopeless(struct http2_client *http2)
{
    struct list_node *next;
    for (struct list_node *node = http2->streams.next; node != &http2->streams; node = next) {
        struct http2_stream *stream = LIST_OWNER(node, struct http2_stream, node);
        next = node->next;
        if (stream->is_dropped || !is_hopeless(stream))
            continue;
        stream->is_dropped = true;
        abandon(stream, 0, "the client went away");
        stream->stream.ops->end(&stream->stream, false);
    }
}
