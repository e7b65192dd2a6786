/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both directions of an exchange. What is read from one side is offered to the other at once; while
 * the other side is full nothing more is read, so that an exchange holds at most one read's worth
 * of bytes however slow a peer is.
 */
#include "lb/relay.h"

#include <stdint.h>
#include <string.h>

#include "backends/link.h"
#include "lb/answer_body.h"
#include "lb/base/draft.h"
#include "lb/exchange.h"
#include "lb/forwarded.h"

static struct iovec piece(struct slice bytes)
{
    return (struct iovec){.iov_base = (void *)(uintptr_t)bytes.at, .iov_len = bytes.length};
}

static enum relay link_lost(struct exchange *x, const char *trouble)
{
    x->trouble = trouble;
    return RELAY_LINK_LOST;
}

/* --- the request --------------------------------------------------------------------------- */

/** A backend that takes no more may still have answered (413, 401 …): only the read side decides.
 */
static enum relay send_pieces(struct exchange *x, const struct iovec *pieces, int count)
{
    enum io io = connection_write(&x->link->connection, pieces, count);
    x->moved = true;
    if (io == IO_FAILED || io == IO_END) {
        x->request_side = REQUEST_STUCK;
    }
    return RELAY_WAITING;
}

/** Frame one piece of body behind `count` pieces that are there already. */
static int frame(const struct exchange *x, struct iovec *pieces, int count, struct slice data,
                 char chunk_line[20])
{
    if (x->request_framing != HTTP_CHUNKED) {
        pieces[count++] = piece(data);
        return count;
    }
    pieces[count++] = piece((struct slice){chunk_line, http_chunk_line(chunk_line, data.length)});
    pieces[count++] = piece(data);
    pieces[count++] = piece(slice_of("\r\n"));
    return count;
}

/** The last chunk, with the client's trailers less those that only lb may set. */
static enum relay send_end(struct exchange *x)
{
    x->request_side = REQUEST_SENT;
    if (x->request_framing != HTTP_CHUNKED) {
        return RELAY_COMPLETE;
    }
    const struct http_field *fields = NULL;
    unsigned count = x->stream->ops->trailers(x->stream, &fields);
    struct draft draft = draft_in(x->all->answer, sizeof x->all->answer);
    draft_text(&draft, "0\r\n");
    for (unsigned i = 0; i < count; i++) {
        if (!fields[i].hop_by_hop && !forwarded_strips(&fields[i])) {
            draft_field(&draft, fields[i].name, fields[i].value);
        }
    }
    draft_text(&draft, "\r\n");
    struct iovec end = piece((struct slice){draft.at, draft.used});
    send_pieces(x, &end, 1);
    return x->request_side == REQUEST_STUCK ? RELAY_WAITING : RELAY_COMPLETE;
}

static enum relay read_failed(enum stream_read read)
{
    return read == STREAM_BAD ? RELAY_CLIENT_BAD : RELAY_CLIENT_LOST;
}

enum relay relay_head(struct exchange *x)
{
    struct iovec pieces[4];
    char chunk_line[20];
    struct slice data;
    int count = 1;
    const struct buffer *head = x->request_head;
    pieces[0] = piece((struct slice){head->data + head->start, buffer_length(head)});
    if (x->request_framing == HTTP_NO_BODY) {
        x->request_side = REQUEST_SENT;
        return send_pieces(x, pieces, count);
    }
    x->request_side = REQUEST_BODY;
    enum stream_read read = x->stream->ops->read(x->stream, &data);
    if (read == STREAM_BAD || read == STREAM_GONE) {
        return read_failed(read);
    }
    if (read == STREAM_DATA) {
        count = frame(x, pieces, count, data, chunk_line);
    }
    return send_pieces(x, pieces, count);
}

enum relay relay_request(struct exchange *x)
{
    while (x->request_side == REQUEST_BODY) {
        struct iovec pieces[4];
        char chunk_line[20];
        struct slice data;
        if (connection_pending(&x->link->connection) > 0) {
            return RELAY_WAITING;
        }
        enum stream_read read = x->stream->ops->read(x->stream, &data);
        switch (read) {
        case STREAM_DATA:
            send_pieces(x, pieces, frame(x, pieces, 0, data, chunk_line));
            break;
        case STREAM_AGAIN:
            return RELAY_WAITING;
        case STREAM_END:
            return send_end(x);
        case STREAM_BAD:
        case STREAM_GONE:
            return read_failed(read);
        }
    }
    return x->request_side == REQUEST_SENT ? RELAY_COMPLETE : RELAY_WAITING;
}

/* --- the answer's head --------------------------------------------------------------------- */

static bool is_interim(const struct http_answer *head)
{
    return head->status < 200 && !head->is_upgrade;
}

static struct stream_head stream_head_of(const struct http_answer *head, enum http_method asked)
{
    bool bodiless = head->framing == HTTP_NO_BODY;
    return (struct stream_head){
        .status = head->status,
        .reason = head->reason,
        .fields = head->fields,
        .field_count = head->field_count,
        .framing = head->framing,
        .length = head->length,
        .has_length = head->has_length,
        .has_body = !bodiless && asked != HTTP_HEAD,
        .is_tunnel = head->is_upgrade,
        .interim = is_interim(head),
    };
}

static enum relay written(enum stream_write write)
{
    return write == STREAM_LOST ? RELAY_CLIENT_LOST : RELAY_WAITING;
}

static enum relay take_interim(struct exchange *x, const struct http_answer *head)
{
    if (++x->interim_count > INTERIM_ANSWERS_MOST) {
        return link_lost(x, "the backend sent a flood of 1xx answers");
    }
    struct stream_head told = stream_head_of(head, x->method);
    return written(x->stream->ops->write_head(x->stream, &told, (struct slice){NULL, 0}, false));
}

static void begin_tunnel(struct exchange *x)
{
    x->state = EXCHANGE_TUNNEL;
    x->answer_framing = HTTP_UNTIL_CLOSE;
    x->answer_side = ANSWER_BODY;
    x->request_side = REQUEST_BODY;
    x->request_framing = HTTP_UNTIL_CLOSE;
}

/** The final head, with the first bytes of the body in the same write. */
static enum relay take_final(struct exchange *x, const struct http_answer *head)
{
    struct stream_head told = stream_head_of(head, x->method);
    struct slice data = {NULL, 0};
    bool last = false;
    if (head->is_upgrade && !x->wants_upgrade) {
        return link_lost(x, "the backend switched protocols without being asked");
    }
    if (head->is_upgrade && x->request_side != REQUEST_SENT) {
        return link_lost(x, "the backend switched protocols before the request was complete");
    }
    x->status = head->status;
    x->trouble = NULL; /* of an earlier attempt */
    x->reusable = head->keep_alive;
    x->answer_side = ANSWER_BODY;
    x->answer_framing = head->framing;
    x->answer_left = head->length;
    atomic_fetch_add_explicit(&x->backend->served, 1, memory_order_relaxed);
    if (head->is_upgrade) {
        begin_tunnel(x);
        data = x->input;
        x->input.length = 0;
    } else if (!answer_body_take(x, &data, &last)) {
        return link_lost(x, "the backend's body is not chunked as it says");
    }
    bool trailed = last && x->chunks.trailer_length > 0;
    enum stream_write write = x->stream->ops->write_head(x->stream, &told, data, last && !trailed);
    if (trailed && write != STREAM_LOST) {
        write = answer_body_end_with_trailers(x, (struct slice){NULL, 0});
    }
    enum relay relay = written(write);
    if (relay == RELAY_WAITING && last) {
        x->answer_side = ANSWER_COMPLETE;
        return RELAY_COMPLETE;
    }
    return relay;
}

/** An unfinished head moves from the worker's array into a buffer of the exchange's own. */
static enum relay keep_head(struct exchange *x)
{
    if (x->kept || x->input.length == 0) {
        return RELAY_WAITING;
    }
    if (!buffer_append(&x->all->context->buffers, &x->kept, x->input.at, x->input.length,
                       ANSWER_HEAD_BYTES + READ_BYTES)) {
        return link_lost(x, "out of memory for the backend's head");
    }
    return RELAY_WAITING;
}

static enum relay take_heads(struct exchange *x)
{
    struct http_answer *head = &x->all->head;
    while (x->answer_side == ANSWER_AWAITED && x->input.length > 0) {
        enum http_fault fault = HTTP_FINE;
        switch (http_parse_answer(head, x->input.at, x->input.length, ANSWER_HEAD_BYTES, x->method,
                                  &fault)) {
        case HTTP_PARTIAL:
            return keep_head(x);
        case HTTP_INVALID:
            return link_lost(x, http_fault_text(fault));
        case HTTP_COMPLETE:
            break;
        }
        x->input.at += head->bytes;
        x->input.length -= head->bytes;
        enum relay relay = is_interim(head) ? take_interim(x, head) : take_final(x, head);
        if (x->kept) {
            x->kept->start = x->kept->end - x->input.length;
        }
        if (relay != RELAY_WAITING) {
            return relay;
        }
    }
    return RELAY_WAITING;
}

/* --- the answer's body --------------------------------------------------------------------- */

static enum relay take_body(struct exchange *x)
{
    struct slice data = {NULL, 0};
    bool last = false;
    if (!answer_body_take(x, &data, &last)) {
        return link_lost(x, "the backend's body is not chunked as it says");
    }
    enum relay relay = written(last && x->chunks.trailer_length > 0
                                   ? answer_body_end_with_trailers(x, data)
                                   : x->stream->ops->write_body(x->stream, data, last));
    if (relay == RELAY_WAITING && last) {
        x->answer_side = ANSWER_COMPLETE;
        return RELAY_COMPLETE;
    }
    return relay;
}

static enum relay take_answer(struct exchange *x)
{
    return x->answer_side == ANSWER_AWAITED ? take_heads(x) : take_body(x);
}

/** One read from the link into x->input, behind an unfinished head if there is one. */
static enum io fill(struct exchange *x)
{
    struct exchanges *all = x->all;
    size_t got = 0;
    connection_want_read(&x->link->connection, true);
    enum io io = connection_read(&x->link->connection, all->answer, sizeof all->answer, &got);
    if (io != IO_DONE) {
        return io;
    }
    x->moved = true;
    x->heard = true;
    if (!x->kept) {
        x->input = (struct slice){all->answer, got};
        return IO_DONE;
    }
    if (x->answer_side != ANSWER_AWAITED) {
        buffer_give(&all->context->buffers, &x->kept);
        x->input = (struct slice){all->answer, got};
        return IO_DONE;
    }
    if (!buffer_append(&all->context->buffers, &x->kept, all->answer, got,
                       ANSWER_HEAD_BYTES + READ_BYTES)) {
        return IO_FAILED;
    }
    x->input = (struct slice){x->kept->data + x->kept->start, buffer_length(x->kept)};
    return IO_DONE;
}

/** The backend finished its direction. */
static enum relay answer_ended(struct exchange *x)
{
    if (x->answer_side == ANSWER_AWAITED) {
        return link_lost(x, x->heard ? "the backend closed within its head"
                                     : "the backend closed before it answered");
    }
    if (x->answer_framing != HTTP_UNTIL_CLOSE || x->link->connection.truncated) {
        return link_lost(x, "the backend closed within its body");
    }
    x->answer_side = ANSWER_COMPLETE;
    enum relay relay =
        written(x->stream->ops->write_body(x->stream, (struct slice){NULL, 0}, true));
    return relay == RELAY_WAITING ? RELAY_COMPLETE : relay;
}

enum relay relay_answer(struct exchange *x)
{
    while (!x->stream->ops->is_full(x->stream)) {
        switch (fill(x)) {
        case IO_DONE:
            break;
        case IO_AGAIN:
            return RELAY_WAITING;
        case IO_END:
            return answer_ended(x);
        case IO_FAILED:
            return link_lost(x, connection_failure(&x->link->connection));
        }
        enum relay relay = take_answer(x);
        if (relay != RELAY_WAITING || x->state == EXCHANGE_TUNNEL) {
            return relay;
        }
    }
    return RELAY_WAITING;
}

/* --- tunnels ------------------------------------------------------------------------------- */

static enum relay tunnel_in(struct exchange *x)
{
    while (x->request_side == REQUEST_BODY && connection_pending(&x->link->connection) == 0) {
        struct slice data;
        struct iovec whole;
        switch (x->stream->ops->read(x->stream, &data)) {
        case STREAM_DATA:
            whole = piece(data);
            send_pieces(x, &whole, 1);
            break;
        case STREAM_AGAIN:
            return RELAY_WAITING;
        case STREAM_END:
            x->request_side = REQUEST_SENT;
            connection_finish(&x->link->connection);
            break;
        case STREAM_BAD:
        case STREAM_GONE:
            return RELAY_CLIENT_LOST;
        }
    }
    return x->request_side == REQUEST_STUCK ? link_lost(x, "the backend left the tunnel")
                                            : RELAY_WAITING;
}

static enum relay tunnel_out(struct exchange *x)
{
    while (x->answer_side == ANSWER_BODY && !x->stream->ops->is_full(x->stream)) {
        enum stream_write write = STREAM_TAKEN;
        switch (fill(x)) {
        case IO_DONE:
            write = x->stream->ops->write_body(x->stream, x->input, false);
            x->input.length = 0;
            break;
        case IO_AGAIN:
            return RELAY_WAITING;
        case IO_END:
            x->answer_side = ANSWER_COMPLETE;
            x->stream->ops->finish(x->stream);
            break;
        case IO_FAILED:
            return link_lost(x, connection_failure(&x->link->connection));
        }
        if (write == STREAM_LOST) {
            return RELAY_CLIENT_LOST;
        }
    }
    return RELAY_WAITING;
}

enum relay relay_tunnel(struct exchange *x)
{
    enum relay relay = tunnel_in(x);
    if (relay == RELAY_WAITING) {
        relay = tunnel_out(x);
    }
    bool over = x->answer_side == ANSWER_COMPLETE && x->request_side == REQUEST_SENT;
    return relay == RELAY_WAITING && over ? RELAY_COMPLETE : relay;
}
