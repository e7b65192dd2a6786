/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1 to a client: heads, framed bodies, and how the connection goes on. */
#include <stdint.h>

#include "lb/base/draft.h"
#include "listeners/client.h"

static struct http1_client *http1_of(struct stream *stream)
{
    return (struct http1_client *)(void *)stream;
}

/* --- sending ------------------------------------------------------------------------------- */

static enum stream_write send_pieces(struct http1_client *http1, const struct iovec *pieces,
                                     int count)
{
    struct client *client = http1->stream.client;
    switch (connection_write(&client->connection, pieces, count)) {
    case IO_DONE:
        return STREAM_TAKEN;
    case IO_AGAIN:
        http1_expect_client(client);
        return STREAM_FULL;
    case IO_END:
    case IO_FAILED:
        break;
    }
    return STREAM_LOST;
}

static struct iovec piece(const char *at, size_t length)
{
    return (struct iovec){.iov_base = (void *)(uintptr_t)at, .iov_len = length};
}

/* --- heads --------------------------------------------------------------------------------- */

static void put_status_line(struct draft *draft, const struct stream_head *head)
{
    draft_text(draft, "HTTP/1.1 ");
    draft_number(draft, head->status, 3);
    draft_text(draft, " ");
    draft_put(draft, head->reason);
    draft_text(draft, "\r\n");
}

static void put_fields(struct draft *draft, const struct stream_head *head)
{
    for (unsigned i = 0; i < head->field_count; i++) {
        const struct http_field *field = &head->fields[i];
        bool names_protocol = head->is_tunnel && field->known == HTTP_UPGRADE;
        if (stream_omits(field) && !names_protocol) {
            continue;
        }
        draft_field(draft, field->name, field->value);
    }
    draft_put(draft, head->extra);
}

/** Decide how the client will find the end of this answer's body (RFC 9112 6.3). */
static void choose_framing(struct http1_client *http1, const struct stream_head *head)
{
    if (head->is_tunnel) {
        http1->answer = HTTP1_ANSWER_CLOSE;
        http1->body = HTTP1_BODY_TUNNEL;
        http1->keep_alive = false;
    } else if (!head->has_body || http1->asked_head) {
        http1->answer = HTTP1_ANSWER_NONE;
    } else if (head->has_length) {
        http1->answer = HTTP1_ANSWER_LENGTH;
        http1->answer_left = head->length;
    } else if (http1->minor >= 1) {
        http1->answer = HTTP1_ANSWER_CHUNKED;
    } else {
        http1->answer = HTTP1_ANSWER_CLOSE;
        http1->keep_alive = false;
    }
}

static void put_framing(struct draft *draft, const struct http1_client *http1,
                        const struct stream_head *head)
{
    if (head->has_length && head->status != 204) {
        draft_text(draft, "Content-Length: ");
        draft_number(draft, head->length, 1);
        draft_text(draft, "\r\n");
    } else if (http1->answer == HTTP1_ANSWER_CHUNKED) {
        draft_text(draft, "Transfer-Encoding: chunked\r\n");
    }
    if (head->is_tunnel) {
        draft_text(draft, "Connection: Upgrade\r\n");
    } else if (!http1->keep_alive) {
        draft_text(draft, "Connection: close\r\n");
    } else if (http1->minor == 0) {
        draft_text(draft, "Connection: keep-alive\r\n");
    }
}

/** What a client sent before it finished is still answered. */
static bool has_asked_all(const struct http1_client *http1)
{
    return http1->peer_finished && http1->input.length == 0;
}

/** The whole head; 0: it does not fit the worker's array. */
static size_t write_draft(struct http1_client *http1, const struct stream_head *head)
{
    struct clients *clients = http1->stream.client->clients;
    struct draft draft = draft_in(clients->head, sizeof clients->head);
    put_status_line(&draft, head);
    put_fields(&draft, head);
    if (!head->interim) {
        /* A body that has not come yet may never be read: this is the last answer, then. */
        if (head->is_final || client_is_leaving(http1->stream.client) ||
            http1->body != HTTP1_BODY_COMPLETE || has_asked_all(http1)) {
            http1->keep_alive = false;
        }
        choose_framing(http1, head);
        put_framing(&draft, http1, head);
    }
    draft_text(&draft, "\r\n");
    return draft.fits ? draft.used : 0;
}

/* --- bodies -------------------------------------------------------------------------------- */

/** Frame `data` behind the pieces that are there already. returns the new count of pieces. */
static int frame_body(struct http1_client *http1, struct iovec pieces[6], int count,
                      struct slice data, bool last, char chunk_line[20])
{
    bool chunked = http1->answer == HTTP1_ANSWER_CHUNKED;
    if (http1->answer == HTTP1_ANSWER_NONE) {
        return count;
    }
    if (http1->answer == HTTP1_ANSWER_LENGTH) {
        if (data.length > http1->answer_left) {
            data.length = (size_t)http1->answer_left;
        }
        http1->answer_left -= data.length;
    }
    if (data.length > 0) {
        http1->stream.answer_bytes += data.length;
        if (chunked) {
            pieces[count++] = piece(chunk_line, http_chunk_line(chunk_line, data.length));
        }
        pieces[count++] = piece(data.at, data.length);
        if (chunked) {
            pieces[count++] = piece("\r\n", 2);
        }
    }
    if (chunked && last) {
        pieces[count++] = piece("0\r\n\r\n", 5);
    }
    return count;
}

static enum stream_write write_head(struct stream *stream, const struct stream_head *head,
                                    struct slice body, bool last)
{
    struct http1_client *http1 = http1_of(stream);
    if (head->interim && http1->minor == 0) {
        return STREAM_TAKEN; /* RFC 9110 15.2: a 1.0 client gets no interim answers */
    }
    size_t length = write_draft(http1, head);
    if (length == 0) {
        return STREAM_LOST;
    }
    if (head->status == 100 && stream->holds_body) {
        stream->holds_body = false;
        http1_expect_client(stream->client); /* now it is the client's turn */
    }
    struct iovec pieces[6];
    char chunk_line[20];
    pieces[0] = piece(stream->client->clients->head, length);
    int count = head->interim ? 1 : frame_body(http1, pieces, 1, body, last, chunk_line);
    return send_pieces(http1, pieces, count);
}

static enum stream_write write_body(struct stream *stream, struct slice data, bool last)
{
    struct http1_client *http1 = http1_of(stream);
    struct iovec pieces[6];
    char chunk_line[20];
    int count = frame_body(http1, pieces, 0, data, last, chunk_line);
    return count > 0 ? send_pieces(http1, pieces, count) : STREAM_TAKEN;
}

static enum stream_write write_trailers(struct stream *stream, const struct http_field *fields,
                                        unsigned field_count)
{
    struct http1_client *http1 = http1_of(stream);
    if (http1->answer != HTTP1_ANSWER_CHUNKED) {
        return STREAM_TAKEN; /* nowhere to put them: dropped, as RFC 9110 6.5.1 allows */
    }
    struct clients *clients = stream->client->clients;
    struct draft draft = draft_in(clients->head, sizeof clients->head);
    const struct stream_head trailers = {.fields = fields, .field_count = field_count};
    draft_text(&draft, "0\r\n");
    put_fields(&draft, &trailers);
    draft_text(&draft, "\r\n");
    struct iovec whole = piece(draft.at, draft.used);
    return draft.fits ? send_pieces(http1, &whole, 1) : STREAM_LOST;
}

static bool is_full(const struct stream *stream)
{
    return connection_pending(&stream->client->connection) > 0;
}

static size_t room(const struct stream *stream)
{
    return connection_room(&stream->client->connection);
}

static void finish(struct stream *stream)
{
    connection_finish(&stream->client->connection);
}

/* --- how it goes on ------------------------------------------------------------------------ */

static void keep_alive(struct client *client)
{
    client->http1.untaken = false;
    deadline_arm(&client->clients->context->deadlines, &client->deadline,
                 client->door->listener->options->keepalive_timeout, client->deadline.on_passed);
}

static void wait_for_next(struct client *client)
{
    struct http1_client *http1 = &client->http1;
    http1->state = HTTP1_IDLE;
    http1->untaken = connection_pending(&client->connection) > 0;
    connection_want_read(&client->connection, true);
    if (http1->untaken) {
        http1_expect_client(client);
    } else {
        keep_alive(client);
    }
}

void http1_answer_taken(struct client *client)
{
    if (client->http1.state == HTTP1_EXCHANGE) {
        deadline_disarm(&client->deadline);
    } else {
        keep_alive(client);
    }
}

static void end(struct stream *stream, bool clean)
{
    struct http1_client *http1 = http1_of(stream);
    struct client *client = stream->client;
    bool whole = http1->answer != HTTP1_ANSWER_AWAITED &&
                 (http1->answer != HTTP1_ANSWER_LENGTH || http1->answer_left == 0);
    bool live_on = http1->keep_alive && http1->body == HTTP1_BODY_COMPLETE &&
                   !has_asked_all(http1) && !client_is_leaving(client);
    stream->exchange = NULL;
    http_chunks_done(&http1->chunks);
    if (!clean || !whole) {
        /* Without a length only a reset tells the client that something is missing. */
        client_close(client, http1->answer == HTTP1_ANSWER_CLOSE);
    } else if (live_on) {
        wait_for_next(client);
    } else {
        http1->state = HTTP1_ENDING;
        client_end(client);
    }
}

const struct stream_ops http1_stream_ops = {
    .read = http1_read,
    .trailers = http1_trailers,
    .write_head = write_head,
    .write_body = write_body,
    .write_trailers = write_trailers,
    .is_full = is_full,
    .room = room,
    .finish = finish,
    .end = end,
    .settle = http1_settle,
};
