/* SPDX-License-Identifier: Apache-2.0 */
/* The request on its way to a backend that speaks HTTP/1, and the waiting for both directions. */
#include "backends/http1/http1_errand.h"

#include "backends/http1/http1_errand_parts.h"
#include "backends/links/link_parts.h"
#include "lb/base/draft.h"

/* ---- writing ---- */

static struct iovec piece_of(struct slice bytes)
{
    return (struct iovec){.iov_base = (void *)(uintptr_t)bytes.at, .iov_len = bytes.length};
}

static bool send_pieces(struct errand *errand, const struct iovec *pieces, int count)
{
    enum io io = connection_write(&errand->link->connection, pieces, count);
    errand->moved = true;
    if (io == IO_FAILED || io == IO_END)
        errand->is_stuck = true;
    return !errand->is_stuck;
}

/* Frame one piece of body behind `count` pieces that are there already. */
static int frame(const struct errand *errand, struct iovec *pieces, int count, struct slice data,
                 char chunk_line[20])
{
    if (errand->http1.request_framing != HTTP_CHUNKED) {
        pieces[count++] = piece_of(data);
        return count;
    }
    pieces[count++] =
        piece_of((struct slice){chunk_line, http_chunk_line(chunk_line, data.length)});
    pieces[count++] = piece_of(data);
    pieces[count++] = piece_of(slice_of("\r\n"));
    return count;
}

static bool write_head(struct errand *errand, struct slice head, enum http_framing framing,
                       struct slice body)
{
    struct iovec pieces[4];
    char chunk_line[20];
    int count = 1;
    errand->http1.request_framing = framing;
    pieces[0] = piece_of(head);
    if (body.length > 0)
        count = frame(errand, pieces, count, body, chunk_line);
    return send_pieces(errand, pieces, count);
}

static bool write_body(struct errand *errand, struct slice data)
{
    struct iovec pieces[3];
    char chunk_line[20];
    return send_pieces(errand, pieces, frame(errand, pieces, 0, data, chunk_line));
}

/* The last chunk. */
static bool write_end(struct errand *errand, const struct http_field *fields, unsigned count)
{
    struct links *links = errand->link->links;
    if (errand->http1.request_framing != HTTP_CHUNKED)
        return true;
    struct draft draft = draft_in(links->bytes, sizeof links->bytes);
    draft_text(&draft, "0\r\n");
    for (unsigned i = 0; i < count; i++)
        draft_field(&draft, fields[i].name, fields[i].value);
    draft_text(&draft, "\r\n");
    struct iovec end = piece_of((struct slice){draft.at, draft.used});
    return send_pieces(errand, &end, 1);
}

static void finish(struct errand *errand)
{
    errand->http1.is_finished = true;
    connection_finish(&errand->link->connection);
}

static size_t pending(const struct errand *errand)
{
    return connection_pending(&errand->link->connection);
}

static size_t room(const struct errand *errand)
{
    return connection_room(&errand->link->connection);
}

static bool was_taken(struct errand *errand)
{
    return connection_was_taken(&errand->link->connection);
}

/* ---- waiting, beginning, ending ---- */

static void hold(struct errand *errand)
{
    connection_want_read(&errand->link->connection, false);
}

static void end(struct errand *errand, bool whole)
{
    struct http1_errand *http1 = &errand->http1;
    struct link *link = errand->link;
    buffer_give(&link->links->context->buffers, &http1->kept);
    http_chunks_done(&http1->chunks);
    if (whole && http1->is_reusable && !http1->has_surplus)
        link_return(link);
    else
        link_discard(link);
}

static const struct errand_ops http1_errand_ops = {
    .write_head = write_head,
    .write_body = write_body,
    .write_end = write_end,
    .finish = finish,
    .pending = pending,
    .room = room,
    .was_taken = was_taken,
    .read = http1_errand_read,
    .trailers = http1_errand_trailers,
    .hold = hold,
    .end = end,
};

static void on_ready(struct link_owner *owner, int events)
{
    struct errand *errand = LIST_OWNER(owner, struct errand, owner);
    struct connection *connection = &errand->link->connection;
    if (events & CONNECTION_WRITABLE && connection_pending(connection) > 0) {
        errand->moved = true;
        if (connection_flush(connection) == IO_FAILED)
            errand->is_stuck = true;
    }
    errand->events->on_ready(errand, (events & CONNECTION_READABLE) != 0);
}

void http1_errand_open(struct errand *errand)
{
    errand->ops = &http1_errand_ops;
    errand->owner.on_ready = on_ready;
}
