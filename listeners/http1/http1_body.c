/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a request, pulled piece by piece by its exchange: lengths, chunks, trailers, tunnels.
 */
#include "listeners/client.h"

static struct client *client_of(struct http1_client *http1)
{
    return http1->stream.client;
}

void http1_begin_body(struct http1_client *http1, const struct http_request *request)
{
    http1->chunks = (struct http_chunks){0};
    switch (request->framing) {
    case HTTP_CHUNKED:
        http1->body = HTTP1_BODY_CHUNKED;
        return;
    case HTTP_LENGTH:
        http1->body = request->length > 0 ? HTTP1_BODY_LENGTH : HTTP1_BODY_COMPLETE;
        http1->body_left = request->length;
        return;
    case HTTP_NO_BODY:
    case HTTP_UNTIL_CLOSE:
        http1->body = HTTP1_BODY_COMPLETE;
        return;
    }
}

bool http1_over_max_body(const struct http1_client *http1, size_t more)
{
    uint64_t most = http1->stream.client->door->listener->options->max_body;
    return most > 0 && http1->stream.request_body_bytes + more > most;
}

static enum stream_read bad_body(struct http1_client *http1, unsigned status, const char *why)
{
    http1->body = HTTP1_BODY_BAD;
    http1->keep_alive = false;
    http1->stream.fault_status = status;
    http1->stream.fault_text = why;
    return STREAM_BAD;
}

static enum stream_read take_length(struct http1_client *http1, struct slice *data)
{
    size_t most = http1->input.length;
    if (http1->body_left < most) {
        most = (size_t)http1->body_left;
    }
    *data = (struct slice){http1->input.at, most};
    http1->body_left -= most;
    if (http1->body_left == 0) {
        http1->body = HTTP1_BODY_COMPLETE;
    }
    http1->input.at += most;
    http1->input.length -= most;
    return STREAM_DATA;
}

/** STREAM_AGAIN: all input is used. */
static enum stream_read take_chunked(struct http1_client *http1, struct slice *data)
{
    size_t used = 0;
    enum http_chunk chunk =
        http_chunks_decode(&http1->chunks, http1->input.at, http1->input.length, &used, data);
    http1->input.at += used;
    http1->input.length -= used;
    switch (chunk) {
    case HTTP_CHUNK_DATA:
        if (http1_over_max_body(http1, data->length)) {
            return bad_body(http1, 413, "the body is larger than max_body");
        }
        return STREAM_DATA;
    case HTTP_CHUNK_MORE:
        return STREAM_AGAIN;
    case HTTP_CHUNK_END:
        http1->body = HTTP1_BODY_COMPLETE;
        return STREAM_END;
    case HTTP_CHUNK_BAD:
        break;
    }
    return bad_body(http1, 400, http_fault_text(http1->chunks.fault));
}

static enum stream_read take_input(struct http1_client *http1, struct slice *data)
{
    switch (http1->body) {
    case HTTP1_BODY_LENGTH:
        return take_length(http1, data);
    case HTTP1_BODY_CHUNKED:
        return take_chunked(http1, data);
    case HTTP1_BODY_TUNNEL:
        *data = http1->input;
        http1->input.length = 0;
        return STREAM_DATA;
    case HTTP1_BODY_BAD:
        return STREAM_BAD;
    case HTTP1_BODY_COMPLETE:
        break;
    }
    return STREAM_END;
}

/** Nothing more comes: the end of a tunnel's direction, too early for a body. */
static enum stream_read input_ended(struct http1_client *http1)
{
    http1->peer_finished = true;
    connection_want_read(&client_of(http1)->connection, false);
    if (http1->body == HTTP1_BODY_TUNNEL) {
        http1->body = HTTP1_BODY_COMPLETE;
        return STREAM_END;
    }
    return STREAM_GONE;
}

/** Its pause is over, unless it still has an early answer to take. */
static void client_has_sent(struct client *client)
{
    if (connection_pending(&client->connection) == 0) {
        deadline_disarm(&client->deadline);
    }
}

/** A record that was begun by the last read comes on top. */
static size_t body_room(const struct stream *stream)
{
    return (stream->read_most > 0 ? stream->read_most : READ_BYTES) + RECORD_BYTES;
}

enum stream_read http1_read(struct stream *stream, struct slice *data)
{
    struct http1_client *http1 = (struct http1_client *)(void *)stream;
    struct client *client = client_of(http1);
    if (http1->body == HTTP1_BODY_COMPLETE) {
        return STREAM_END;
    }
    for (;;) {
        if (http1->input.length > 0) {
            enum stream_read read = take_input(http1, data);
            if (read == STREAM_DATA) {
                stream->request_body_bytes += data->length;
                stream->holds_body = false;
            }
            if (read != STREAM_AGAIN) {
                client_has_sent(client);
                return read;
            }
        }
        switch (http1_fill(http1, body_room(stream))) {
        case IO_DONE:
            break;
        case IO_AGAIN:
            if (http1->body != HTTP1_BODY_TUNNEL && !stream->holds_body &&
                !client->deadline.armed) {
                http1_expect_client(client); /* wake-ups of the link do not prolong its pause */
            }
            return STREAM_AGAIN;
        case IO_END:
            return input_ended(http1);
        case IO_FAILED:
            http1->peer_finished = true;
            return STREAM_GONE;
        }
    }
}

unsigned http1_trailers(struct stream *stream, const struct http_field **fields)
{
    struct http1_client *http1 = (struct http1_client *)(void *)stream;
    struct http_field *room = client_of(http1)->clients->request.fields;
    *fields = room;
    return http_chunks_trailers(&http1->chunks, room, HEAD_FIELDS_MOST);
}
