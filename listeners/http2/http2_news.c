/* SPDX-License-Identifier: Apache-2.0 */
/* What nghttp2's callbacks noted becomes work: requests begin, exchanges go on, cancelled ones end.
 */
#include "listeners/client.h"
#include "listeners/http2/http2_client.h"

static unsigned status_of(enum http2_head_outcome outcome)
{
    switch (outcome) {
    case HTTP2_HEAD_FINE:
    case HTTP2_HEAD_MALFORMED:
        break;
    case HTTP2_HEAD_TOO_LARGE:
        return 431;
    case HTTP2_HEAD_UNKNOWN_PROTOCOL:
        return 501;
    case HTTP2_HEAD_NO_MEMORY:
        return 503;
    }
    return 400;
}

static void refuse_head(struct http2_stream *stream)
{
    bool is_malformed = stream->head_outcome == HTTP2_HEAD_MALFORMED;
    http2_refuse(stream, status_of(stream->head_outcome), stream->head_fault,
                 is_malformed ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_NO_ERROR);
}

static void learn_request(struct http2_stream *stream, const struct http_request *request)
{
    stream->asked_head = request->method == HTTP_HEAD;
    stream->has_length = request->framing == HTTP_LENGTH;
    stream->length = request->length;
    stream->stream.holds_body = request->expects_continue && stream->body == HTTP2_BODY_OPEN;
}

static bool is_over_max_body(const struct http2_stream *stream, const struct http_request *request)
{
    uint64_t most = stream->http2->client->door->listener->options->max_body;
    return most > 0 && request->framing == HTTP_LENGTH && request->length > most;
}

/* What it waits for has its own time. */
static void hold(struct http2_stream *stream)
{
    struct client *client = stream->http2->client;
    client->requests--;
    deadline_arm(&client->clients->context->deadlines, &stream->deadline,
                 client_wait_most_ms(&stream->stream), stream->deadline.on_passed);
}

static void begin_parsed(struct http2_stream *stream, const struct http_request *request)
{
    struct client *client = stream->http2->client;
    learn_request(stream, request);
    if (is_over_max_body(stream, request)) {
        http2_refuse(stream, 413, "the body is larger than max_body", NGHTTP2_NO_ERROR);
        return;
    }
    client->requests++;
    deadline_disarm(&stream->deadline);
    client->clients->events->begin(client->clients->roof, &stream->stream, request);
    if (stream->stream.wait != STREAM_WAITS_NOT)
        hold(stream);
    else
        stream->has_begun = true;
}

static void begin(struct http2_stream *stream)
{
    struct clients *clients = stream->http2->client->clients;
    struct http_request *request = &clients->request;
    enum http_fault fault = HTTP_FINE;
    if (stream->head_outcome != HTTP2_HEAD_FINE) {
        stream->has_begun = true;
        refuse_head(stream);
        return;
    }
    const char *text = stream->head->data + stream->head->start;
    size_t length = buffer_length(stream->head);
    if (http_parse_request(request, text, length, length, &fault) == HTTP_COMPLETE) {
        begin_parsed(stream, request);
    } else {
        stream->has_begun = true;
        http2_refuse(stream, http_fault_status(fault), http_fault_text(fault),
                     http_fault_status(fault) == 400 ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_NO_ERROR);
    }
    if (stream->has_begun)
        buffer_give(&clients->context->buffers, &stream->head);
}

static void let_go(struct http2_stream *stream)
{
    const struct clients *clients = stream->http2->client->clients;
    if (stream->stream.exchange)
        clients->events->abandon(&stream->stream, 0, "the client cancelled the request");
    stream->stream.exchange = NULL;
    stream->is_over = true;
    deadline_disarm(&stream->deadline);
    http2_body_drop(stream);
    list_remove(&stream->node);
    list_append(&stream->http2->over, &stream->node);
    http2_mark(stream->http2);
}

/* What it was to take may be taken, what it has to take now may be more. */
static void go_on(struct http2_stream *stream)
{
    const struct clients *clients = stream->http2->client->clients;
    http2_watch_taking(stream);
    clients->events->advance(&stream->stream, CONNECTION_READABLE | CONNECTION_WRITABLE);
    if (!stream->is_over)
        http2_watch_taking(stream);
}

static void look(struct http2_stream *stream)
{
    if (stream->is_closed && !http2_has_last_words(stream)) {
        let_go(stream);
        return;
    }
    bool is_fresh = stream->has_head && !stream->has_begun && !stream->is_over;
    if (is_fresh && stream->stream.wait == STREAM_WAITS_NOT)
        begin(stream);
    else if (stream->stream.exchange)
        go_on(stream);
    else if (buffer_length(stream->out) > 0)
        http2_mark(stream->http2);
    if (stream->is_over)
        http2_body_drop(stream);
    else if (!http2_body_keep(stream))
        stream->http2->is_lost = true;
}

void http2_work(struct http2_client *http2)
{
    struct http2_stream *stream;
    while ((stream = http2_next_news(http2)) != NULL)
        look(stream);
}
