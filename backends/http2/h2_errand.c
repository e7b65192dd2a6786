/* SPDX-License-Identifier: Apache-2.0 */
/* An errand as a stream: beginning it, the request on its way, ending it. */
#include "backends/http2/h2_errand.h"

#include "backends/http2/h2_fields.h"
#include "backends/http2/h2_link.h"
#include "lb/base/draft.h"

/* Trailers as lines: a client may leave out the blank behind the colon, lb does not. */
enum { TRAILER_TEXT_BYTES = TRAILER_BYTES + HEAD_FIELDS_MOST };

static struct buffer_pool *buffers_of(const struct errand *errand)
{
    return &errand->h2.on->links->context->buffers;
}

/* ---- the request ---- */

static bool is_open(const struct errand *errand)
{
    return !errand->h2.is_closed && errand->h2.on->state == H2_OPEN;
}

/* The stream is over where it was begun and is open; nghttp2 knows the errand no more. */
static void reset_stream(struct errand *errand)
{
    struct h2_link *h2 = errand->h2.on;
    if (errand->h2.stream == 0 || !is_open(errand))
        return;
    nghttp2_session_set_stream_user_data(h2->session, errand->h2.stream, NULL);
    nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, errand->h2.stream, NGHTTP2_CANCEL);
    h2_output_due(h2);
}

/* It cannot go out, for a reason of lb's own or of a link that is over: the read side tells. */
static bool fail(struct errand *errand, const char *fault)
{
    reset_stream(errand);
    errand->is_blameless = true;
    errand->h2.fault = fault;
    errand->h2.is_closed = true;
    errand->is_stuck = true;
    h2_link_note(errand->h2.on, errand);
    h2_output_due(errand->h2.on); /* in whose turn it is told */
    return false;
}

/* Behind the body: trailers end the stream. */
static bool submit_trailers(nghttp2_session *session, struct errand *errand)
{
    const struct buffer *kept = errand->h2.trailers;
    struct http2_nva nva;
    http2_nva_begin(&nva, NULL, 0, NGHTTP2_NV_FLAG_NONE);
    return h2_fields_put_lines(&nva,
                               (struct slice){kept->data + kept->start, buffer_length(kept)}) &&
           nghttp2_submit_trailer(session, errand->h2.stream, nva.rows, nva.count) == 0;
}

static ssize_t on_body_wanted(nghttp2_session *session, int32_t stream, uint8_t *into, size_t room,
                              uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct errand *errand = nghttp2_session_get_stream_user_data(session, stream);
    (void)into, (void)source, (void)user;
    if (!errand)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    size_t there = buffer_length(errand->h2.out);
    if (there == 0 && !errand->h2.is_out_ended)
        return NGHTTP2_ERR_DEFERRED;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (there > room)
        return (ssize_t)room;
    if (!errand->h2.is_out_ended)
        return (ssize_t)there;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (errand->h2.trailers) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        if (!submit_trailers(session, errand))
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        buffer_give(buffers_of(errand), &errand->h2.trailers);
    }
    return (ssize_t)there;
}

static bool add_out(struct errand *errand, struct slice data)
{
    errand->moved = true;
    if (buffer_length(errand->h2.out) == 0)
        errand->h2.out_since = errand->h2.on->sends;
    return data.length == 0 || buffer_append(buffers_of(errand), &errand->h2.out, data.at,
                                             data.length, WRITE_PENDING_MOST_BYTES);
}

static bool write_head(struct errand *errand, struct slice head, enum http_framing framing,
                       struct slice body)
{
    struct h2_link *h2 = errand->h2.on;
    const nghttp2_data_provider provider = {.read_callback = on_body_wanted};
    bool has_body = framing != HTTP_NO_BODY;
    struct http2_nva nva;
    errand->h2.is_out_ended = !has_body;
    if (h2->state == H2_LOST)
        return fail(errand, "the link to the backend was lost");
    http2_nva_begin(&nva, NULL, 0, NGHTTP2_NV_FLAG_NONE);
    if (!h2_fields_put_head(&nva, head, h2->scheme))
        return fail(errand, "the request has too many fields for HTTP/2");
    if (!add_out(errand, body))
        return fail(errand, "out of memory for the request's body");
    int32_t stream = nghttp2_submit_request(h2->session, NULL, nva.rows, nva.count,
                                            has_body ? &provider : NULL, errand);
    if (stream < 0)
        return fail(errand, "the link to the backend takes no more streams");
    errand->h2.stream = stream;
    h2_output_due(h2);
    return true;
}

/* More to send, or the end of it. */
static bool go_on(struct errand *errand)
{
    nghttp2_session_resume_data(errand->h2.on->session, errand->h2.stream); /* or it did not wait */
    h2_output_due(errand->h2.on);
    return true;
}

static bool write_body(struct errand *errand, struct slice data)
{
    if (!is_open(errand) || errand->is_stuck)
        return false;
    if (!add_out(errand, data))
        return fail(errand, "out of memory for the request's body");
    return go_on(errand);
}

static bool write_end(struct errand *errand, const struct http_field *fields, unsigned count)
{
    char lines[TRAILER_TEXT_BYTES];
    struct draft draft = draft_in(lines, sizeof lines);
    if (errand->h2.is_out_ended)
        return true;
    if (!is_open(errand) || errand->is_stuck)
        return false;
    for (unsigned i = 0; i < count; i++)
        draft_field(&draft, fields[i].name, fields[i].value);
    if (!draft.fits || (draft.used > 0 && !buffer_append(buffers_of(errand), &errand->h2.trailers,
                                                         draft.at, draft.used, TRAILER_TEXT_BYTES)))
        return fail(errand, "the request's trailers are too large");
    errand->h2.is_out_ended = true;
    return go_on(errand);
}

/* HTTP/2 towards backends has no tunnels: they are not asked for one. */
static void finish(struct errand *errand)
{
    (void)errand;
}

/* ---- how it goes ---- */

/* What is to be sent at the end of this turn is on its way, unless it is much. */
static size_t pending(const struct errand *errand)
{
    const struct h2_errand *mine = &errand->h2;
    size_t length = mine->is_closed ? 0 : buffer_length(mine->out);
    return length < READ_BYTES && mine->out_since == mine->on->sends ? 0 : length;
}

/* Its window is the backend's to open, not the socket's. */
static size_t room(const struct errand *errand)
{
    (void)errand;
    return 0;
}

static bool was_taken(struct errand *errand)
{
    struct h2_errand *mine = &errand->h2;
    if (pending(errand) == 0 || !is_open(errand))
        return false;
    struct connection *connection = &mine->on->link->connection;
    bool is_taken = mine->sent_bytes > mine->seen_sent_bytes;
    mine->seen_sent_bytes = mine->sent_bytes;
    /* Only where it is the socket that is slow, all streams wait for the same. */
    if (nghttp2_session_get_stream_remote_window_size(mine->on->session, mine->stream) > 0) {
        connection_was_taken(connection);
        is_taken = is_taken || connection->taken_bytes > mine->seen_taken_bytes;
        mine->seen_taken_bytes = connection->taken_bytes;
    }
    return is_taken;
}

static void hold(struct errand *errand)
{
    errand->h2.is_held = true;
}

/* ---- the end ---- */

static void give_back(struct errand *errand)
{
    struct h2_errand *mine = &errand->h2;
    struct buffer_pool *buffers = buffers_of(errand);
    if (mine->on->state != H2_LOST)
        h2_link_release(mine->on, buffer_length(mine->in));
    buffer_give(buffers, &mine->text);
    buffer_give(buffers, &mine->in);
    buffer_give(buffers, &mine->lent);
    buffer_give(buffers, &mine->out);
    buffer_give(buffers, &mine->trailers);
    http_chunks_done(&mine->answer_trailers);
}

/* The link lives on: only the stream is over. */
static void cancel(struct errand *errand)
{
    struct h2_link *h2 = errand->h2.on;
    reset_stream(errand);
    /* Was it the client, or a backend that is not there any more? */
    if (!errand->heard && h2->reads == errand->h2.link_reads)
        h2_link_probe(h2);
}

static void end(struct errand *errand, bool whole)
{
    struct h2_link *h2 = errand->h2.on;
    (void)whole; /* a stream that is not over is reset, whoever waits for what */
    h2_link_enter(h2);
    if (errand->h2.stream > 0 && is_open(errand))
        cancel(errand);
    give_back(errand);
    list_remove(&errand->h2.node);
    if (list_is_linked(&errand->h2.news))
        list_remove(&errand->h2.news);
    h2->errand_count--;
    h2_link_rest(h2);
    h2_link_leave(h2);
}

const struct errand_ops h2_errand_ops = {
    .write_head = write_head,
    .write_body = write_body,
    .write_end = write_end,
    .finish = finish,
    .pending = pending,
    .room = room,
    .was_taken = was_taken,
    .read = h2_errand_read,
    .trailers = h2_errand_trailers,
    .hold = hold,
    .end = end,
};

/* ---- the beginning ---- */

/* Who leaves last takes the link with him: pool and names were his. */
static void stop_waiting(struct errand *errand, bool whole)
{
    struct h2_link *h2 = errand->h2.on;
    (void)whole;
    list_remove(&errand->h2.node);
    h2->waiting_count--;
    h2_link_enter(h2);
    h2_link_abandon(h2);
    h2_link_leave(h2);
}

static const struct errand_ops waiting_ops = {.end = stop_waiting};

static void wait_for(struct h2_link *h2, struct errand *errand, const struct link_wish *wish)
{
    errand->ops = &waiting_ops;
    errand->h2.on = h2;
    errand->h2.wish = *wish;
    h2->waiting_count++;
    list_append(&h2->waiting, &errand->h2.node);
}

/* Links that are looked at for one of the right name and with room. */
enum { LOOKED_AT_MOST = 64 };

static struct h2_link *find(struct links *links, const struct link_wish *wish)
{
    struct link_place *place = links_place(links, wish->backend->standing);
    unsigned looked_at = 0;
    if (!place)
        return NULL;
    for (struct list_node *at = place->shared.next;
         at != &place->shared && looked_at < LOOKED_AT_MOST; at = at->next, looked_at++) {
        struct h2_link *h2 = LIST_OWNER(at, struct h2_link, node);
        if (h2_link_may_serve(h2, wish))
            return h2;
    }
    return NULL;
}

bool h2_errand_begin(struct errand *errand, struct links *links, const struct link_wish *wish)
{
    const struct link_wish lasting = *wish; /* it may be the errand's own */
    errand->h2 = (struct h2_errand){0};
    struct h2_link *h2 = find(links, &lasting);
    if (h2 && h2->state == H2_OPEN) {
        h2_link_lend(h2, errand);
        return true;
    }
    if (!h2)
        h2 = h2_link_new(links, &lasting);
    if (h2)
        wait_for(h2, errand, &lasting);
    else
        link_wish_in_vain(links, lasting.owner);
    return false;
}
