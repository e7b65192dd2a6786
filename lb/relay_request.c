/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request on its way to the backend. While the link is full nothing more is read from the
 * client, so that an exchange holds at most one read's worth of bytes however slow a backend is.
 */
#include "backends/link.h"
#include "lb/base/draft.h"
#include "lb/exchange.h"
#include "lb/forwarded.h"
#include "lb/relay_steps.h"

/** Frame one piece of body behind `count` pieces that are there already. */
static int frame(const struct exchange *x, struct iovec *pieces, int count, struct slice data,
                 char chunk_line[20])
{
    if (x->request_framing != HTTP_CHUNKED) {
        pieces[count++] = relay_piece(data);
        return count;
    }
    pieces[count++] =
        relay_piece((struct slice){chunk_line, http_chunk_line(chunk_line, data.length)});
    pieces[count++] = relay_piece(data);
    pieces[count++] = relay_piece(slice_of("\r\n"));
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
        if (!fields[i].hop_by_hop && !forwarded_strips(x->rule, &fields[i])) {
            draft_field(&draft, fields[i].name, fields[i].value);
        }
    }
    draft_text(&draft, "\r\n");
    struct iovec end = relay_piece((struct slice){draft.at, draft.used});
    relay_send(x, &end, 1);
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
    pieces[0] = relay_piece((struct slice){head->data + head->start, buffer_length(head)});
    if (x->request_framing == HTTP_NO_BODY) {
        x->request_side = REQUEST_SENT;
        return relay_send(x, pieces, count);
    }
    x->request_side = REQUEST_BODY;
    enum stream_read read = relay_read(x, &data);
    if (read == STREAM_BAD || read == STREAM_GONE) {
        return read_failed(read);
    }
    if (read == STREAM_DATA) {
        count = frame(x, pieces, count, data, chunk_line);
    }
    return relay_send(x, pieces, count);
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
        enum stream_read read = relay_read(x, &data);
        switch (read) {
        case STREAM_DATA:
            relay_send(x, pieces, frame(x, pieces, 0, data, chunk_line));
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
