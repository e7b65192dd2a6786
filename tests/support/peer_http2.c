/* SPDX-License-Identifier: Apache-2.0 */
/* Says HTTP/1.1 text as HTTP/2, through nghttp2. */
#include "tests/support/peer_http2.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/http2_asked.h"
#include "tests/support/peer.h"
#include "tests/support/peer_wire.h"

/* As much of bodies is kept before who says more has to wait: about what a kernel's buffers take.
 */
enum { KEPT_MOST_BYTES = 1024 * 1024 };

enum speech {
    SAID_HEAD,
    SAID_BODY,       /* of known length */
    SAID_CHUNK_SIZE, /* a line */
    SAID_CHUNK,
    SAID_CHUNK_END, /* its CRLF */
    SAID_TRAILERS,
    SAID_TUNNEL,
};

struct peer_http2 {
    nghttp2_session *session;
    struct peer *peer;
    struct text said; /* not yet understood … */
    size_t said_at;   /* … from here */
    enum speech awaits;
    uint64_t left;                /* of the body or the chunk */
    struct http2_asked *all;      /* in the order in which they were asked */
    struct http2_asked *latest;   /* the last of them */
    struct http2_asked *answered; /* whose answer goes to the inbox; NULL: all have */
    bool has_settings;            /* the other side's came */
    bool is_leaving;              /* GOAWAY came */
    bool has_finished;            /* half-closed by the story */
    bool is_over;                 /* as HTTP/1.1 sees it */
};

bool peer_http2_is_wanted(void)
{
    const char *wish = getenv("LB_TEST_HTTP");
    return wish != NULL && strcmp(wish, "2") == 0;
}

/* --- answers into the inbox ---------------------------------------------------------------- */

static void deliver(struct peer_http2 *http2)
{
    for (struct http2_asked *asked = http2->answered; asked != NULL && !http2->is_over;
         asked = http2->answered) {
        text_add(&http2->peer->inbox, asked->answer.bytes, asked->answer.length);
        text_done(&asked->answer);
        if (!asked->has_ended && !asked->was_cut)
            return;
        http2->is_over = asked->was_cut || asked->says_close || asked->is_tunnel;
        http2->peer->was_reset = http2->peer->was_reset || asked->was_cut;
        http2->answered = asked->next;
    }
    http2->is_over = http2->is_over || (http2->has_finished && http2->answered == NULL);
}

static struct http2_asked *asked_of(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags,
                     void *context)
{
    struct http2_asked *asked = asked_of(session, frame->hd.stream_id);
    (void)name_length, (void)value_length, (void)flags, (void)context;
    if (asked != NULL)
        http2_asked_on_field(asked, (const char *)name, (const char *)value);
    return 0;
}

static void on_tunnel_refused(struct peer_http2 *http2, struct http2_asked *asked)
{
    asked->is_whole = true;
    nghttp2_session_resume_data(http2->session, asked->id);
    if (asked == http2->latest)
        http2->awaits = SAID_HEAD;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct peer_http2 *http2 = context;
    struct http2_asked *asked = asked_of(session, frame->hd.stream_id);
    bool has_flags = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    bool is_ack = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
    http2->is_leaving = http2->is_leaving || frame->hd.type == NGHTTP2_GOAWAY;
    http2->has_settings = http2->has_settings || (frame->hd.type == NGHTTP2_SETTINGS && !is_ack);
    if (asked == NULL)
        return 0;
    bool was_tunnel = asked->is_tunnel;
    if (frame->hd.type == NGHTTP2_HEADERS)
        http2_asked_on_fields_end(asked, http2->is_leaving && asked->next == NULL);
    if (was_tunnel && !asked->is_tunnel)
        on_tunnel_refused(http2, asked);
    if (has_flags && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
        http2_asked_on_end(asked);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                   size_t length, void *context)
{
    struct http2_asked *asked = asked_of(session, id);
    (void)flags, (void)context;
    if (asked != NULL)
        http2_asked_on_data(asked, bytes, length);
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t error, void *context)
{
    struct http2_asked *asked = asked_of(session, id);
    (void)error, (void)context;
    if (asked == NULL)
        return 0;
    asked->is_closed = true;
    asked->was_cut = !asked->has_ended;
    text_done(&asked->body);
    asked->body_at = 0;
    return 0;
}

/* --- the connection ------------------------------------------------------------------------ */

/* All that may be sent now. */
static bool flush(struct peer_http2 *http2)
{
    const uint8_t *bytes;
    struct text all = {0};
    for (ssize_t length; (length = nghttp2_session_mem_send(http2->session, &bytes)) > 0;)
        text_add(&all, bytes, (size_t)length);
    bool taken = peer_wire_send(http2->peer, all.bytes, all.length);
    text_done(&all);
    return taken;
}

/* One read; false: there will be no more. */
static bool hear(struct peer_http2 *http2)
{
    char piece[16 * 1024];
    ssize_t length = peer_wire_read(http2->peer, piece, sizeof piece);
    if (length <= 0)
        return false;
    ssize_t result =
        nghttp2_session_mem_recv(http2->session, (const uint8_t *)piece, (size_t)length);
    ck_assert_msg(result == length, "what came is not HTTP/2: %s", nghttp2_strerror((int)result));
    flush(http2);
    return true;
}

/* --- requests ------------------------------------------------------------------------------ */

static void submit_trailers(nghttp2_session *session, struct http2_asked *asked)
{
    nghttp2_nv *list = http2_fields_list(&asked->trailers);
    ck_assert_int_eq(nghttp2_submit_trailer(session, asked->id, list, asked->trailers.count), 0);
    free(list);
}

static void drop_body(struct http2_asked *asked)
{
    text_drop(&asked->body, asked->body.length);
    asked->body_at = 0;
}

static ssize_t on_body_wanted(nghttp2_session *session, int32_t id, uint8_t *into, size_t room,
                              uint32_t *flags, nghttp2_data_source *source, void *context)
{
    struct http2_asked *asked = source->ptr;
    size_t left = asked->body.length - asked->body_at;
    size_t length = left < room ? left : room;
    (void)id, (void)context;
    if (length == 0 && !asked->is_whole)
        return NGHTTP2_ERR_DEFERRED;
    if (length > 0)
        memcpy(into, asked->body.bytes + asked->body_at, length);
    asked->body_at += length;
    if (length == left)
        drop_body(asked);
    if (length < left || !asked->is_whole)
        return (ssize_t)length;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (asked->trailers.count > 0) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        submit_trailers(session, asked);
    }
    return (ssize_t)length;
}

static struct http2_asked *ask(struct peer_http2 *http2)
{
    struct http2_asked *asked = calloc(1, sizeof *asked);
    ck_assert_ptr_nonnull(asked);
    if (http2->latest != NULL)
        http2->latest->next = asked;
    else
        http2->all = asked;
    http2->latest = asked;
    if (http2->answered == NULL)
        http2->answered = asked;
    return asked;
}

/* RFC 8441 section 3: a client asks for a tunnel only when it was told that it may. */
static void await_tunnels(struct peer_http2 *http2)
{
    flush(http2);
    while (!http2->has_settings && !http2->peer->ended)
        http2->peer->ended = !hear(http2);
    ck_assert_msg(nghttp2_session_get_remote_settings(
                      http2->session, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1,
                  "extended CONNECT is not offered");
}

/* What is not yet understood. */
static const char *said(const struct peer_http2 *http2)
{
    return http2->said.bytes + http2->said_at;
}

static size_t said_bytes(const struct peer_http2 *http2)
{
    return http2->said.length - http2->said_at;
}

/* Only a whole head is sent. */
static bool say_head(struct peer_http2 *http2)
{
    struct http2_fields fields = {0};
    http2->said_at += strspn(said(http2), "\r\n");
    const char *end = strstr(said(http2), "\r\n\r\n");
    if (end == NULL)
        return false;
    struct http2_asked *asked = ask(http2);
    char *head = strndup(said(http2), (size_t)(end - said(http2)) + 4);
    http2_asked_read_head(asked, head, &fields, &http2->left);
    http2->said_at += strlen(head);
    free(head);
    if (asked->is_tunnel)
        await_tunnels(http2);
    nghttp2_nv *list = http2_fields_list(&fields);
    nghttp2_data_provider body = {.source.ptr = asked, .read_callback = on_body_wanted};
    asked->id = nghttp2_submit_request(http2->session, NULL, list, fields.count,
                                       asked->has_body ? &body : NULL, asked);
    asked->was_cut = asked->id < 0; /* after GOAWAY */
    free(list);
    http2_fields_done(&fields);
    if (asked->is_tunnel)
        http2->awaits = SAID_TUNNEL;
    else if (asked->has_body)
        http2->awaits = http2->left == UINT64_MAX ? SAID_CHUNK_SIZE : SAID_BODY;
    return true;
}

static void body_grew(struct peer_http2 *http2, struct http2_asked *asked, bool is_whole)
{
    asked->is_whole = is_whole;
    if (asked->is_closed)
        drop_body(asked);
    else if (asked->id > 0)
        nghttp2_session_resume_data(http2->session, asked->id);
    if (is_whole)
        http2->awaits = SAID_HEAD;
}

static bool say_body(struct peer_http2 *http2)
{
    size_t length = said_bytes(http2) < http2->left ? said_bytes(http2) : (size_t)http2->left;
    if (length == 0 && http2->left > 0)
        return false;
    text_add(&http2->latest->body, said(http2), length);
    http2->said_at += length;
    http2->left -= length;
    if (http2->awaits == SAID_BODY)
        body_grew(http2, http2->latest, http2->left == 0);
    else
        body_grew(http2, http2->latest, false);
    if (http2->awaits == SAID_CHUNK && http2->left == 0)
        http2->awaits = SAID_CHUNK_END;
    return true;
}

static bool say_chunk_size(struct peer_http2 *http2)
{
    const char *end = strstr(said(http2), "\r\n");
    if (end == NULL)
        return false;
    http2->left = strtoull(said(http2), NULL, 16);
    http2->awaits = http2->left == 0 ? SAID_TRAILERS : SAID_CHUNK;
    /* The CRLF stays before trailers, so that each of them, and their end, begins with one. */
    http2->said_at += (size_t)(end - said(http2)) + (http2->left == 0 ? 0 : 2);
    return true;
}

static bool say_chunk_end(struct peer_http2 *http2)
{
    if (said_bytes(http2) < 2)
        return false;
    http2->said_at += 2;
    http2->awaits = SAID_CHUNK_SIZE;
    return true;
}

static bool say_trailers(struct peer_http2 *http2)
{
    const char *end = strstr(said(http2), "\r\n\r\n");
    if (end == NULL)
        return false;
    for (const char *at = said(http2); at < end;) {
        at += 2;
        size_t length = strcspn(at, "\r");
        const char *colon = memchr(at, ':', length);
        size_t name_length = colon != NULL ? (size_t)(colon - at) : length;
        size_t skipped = colon != NULL ? 1 + strspn(colon + 1, " \t") : 0;
        http2_fields_add(&http2->latest->trailers, at, name_length, at + name_length + skipped,
                         length - name_length - skipped);
        at += length;
    }
    http2->said_at += (size_t)(end - said(http2)) + 4;
    body_grew(http2, http2->latest, true);
    return true;
}

static bool say_tunnel(struct peer_http2 *http2)
{
    if (said_bytes(http2) == 0)
        return false;
    text_add(&http2->latest->body, said(http2), said_bytes(http2));
    http2->said_at = http2->said.length;
    body_grew(http2, http2->latest, false);
    return true;
}

/* false: what is there does not suffice. */
static bool understand(struct peer_http2 *http2)
{
    switch (http2->awaits) {
    case SAID_HEAD:
        return say_head(http2);
    case SAID_BODY:
    case SAID_CHUNK:
        return say_body(http2);
    case SAID_CHUNK_SIZE:
        return say_chunk_size(http2);
    case SAID_CHUNK_END:
        return say_chunk_end(http2);
    case SAID_TRAILERS:
        return say_trailers(http2);
    case SAID_TUNNEL:
        return say_tunnel(http2);
    }
    ck_abort_msg("no such state");
}

/* --- what a peer does ---------------------------------------------------------------------- */

static size_t kept(const struct peer_http2 *http2)
{
    return http2->latest != NULL && !http2->latest->is_closed
               ? http2->latest->body.length - http2->latest->body_at
               : 0;
}

/* And what it gives way to is sent. */
void peer_http2_keep_up(struct peer *peer)
{
    while (!peer->ended && peer_wire_has_more(peer))
        peer->ended = !hear(peer->http2);
    deliver(peer->http2);
}

bool peer_http2_send(struct peer *peer, const void *bytes, size_t length)
{
    struct peer_http2 *http2 = peer->http2;
    if (peer->ended || http2->is_over)
        return false;
    text_add(&http2->said, bytes, length);
    while (understand(http2))
        ;
    text_drop(&http2->said, http2->said_at);
    http2->said_at = 0;
    bool taken = flush(http2);
    peer_http2_keep_up(peer);
    while (kept(http2) > KEPT_MOST_BYTES && !peer->ended)
        peer->ended = !hear(http2);
    deliver(http2);
    return taken && !peer->ended;
}

size_t peer_http2_send_without_waiting(struct peer *peer, const void *bytes, size_t length)
{
    struct peer_http2 *http2 = peer->http2;
    peer_http2_keep_up(peer);
    if (kept(http2) > 0)
        return 0;
    return peer_http2_send(peer, bytes, length) ? length : 0;
}

bool peer_http2_receive(struct peer *peer)
{
    struct peer_http2 *http2 = peer->http2;
    size_t before = peer->inbox.length;
    deliver(http2);
    while (peer->inbox.length == before && !peer->ended && !http2->is_over) {
        peer->ended = !hear(http2);
        deliver(http2);
    }
    if (peer->inbox.length > before)
        return true;
    peer->ended = true;
    return false;
}

void peer_http2_finish(struct peer *peer)
{
    struct peer_http2 *http2 = peer->http2;
    if (http2->awaits == SAID_TUNNEL) {
        http2->latest->is_whole = true;
        nghttp2_session_resume_data(http2->session, http2->latest->id);
        flush(http2);
        return;
    }
    if (http2->awaits != SAID_HEAD && !http2->latest->is_closed)
        nghttp2_submit_rst_stream(http2->session, NGHTTP2_FLAG_NONE, http2->latest->id,
                                  NGHTTP2_CANCEL);
    nghttp2_submit_goaway(http2->session, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, NULL, 0);
    http2->has_finished = true;
    flush(http2);
}

/* --- life ---------------------------------------------------------------------------------- */

static nghttp2_session_callbacks *make_callbacks(void)
{
    nghttp2_session_callbacks *callbacks;
    ck_assert_int_eq(nghttp2_session_callbacks_new(&callbacks), 0);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    return callbacks;
}

/* The preface goes with the first words, so that who says nothing sends nothing. */
void peer_http2_open(struct peer *peer)
{
    const unsigned char *chosen;
    unsigned length;
    SSL_get0_alpn_selected(peer->tls, &chosen, &length);
    ck_assert_msg(length == 2 && memcmp(chosen, "h2", 2) == 0, "h2 was not chosen");
    struct peer_http2 *http2 = calloc(1, sizeof *http2);
    ck_assert_ptr_nonnull(http2);
    http2->peer = peer;
    text_add(&http2->said, "", 0);
    text_add(&peer->inbox, "", 0);
    nghttp2_session_callbacks *callbacks = make_callbacks();
    ck_assert_int_eq(nghttp2_session_client_new(&http2->session, callbacks, http2), 0);
    nghttp2_session_callbacks_del(callbacks);
    ck_assert_int_eq(nghttp2_submit_settings(http2->session, NGHTTP2_FLAG_NONE, NULL, 0), 0);
    peer->http2 = http2;
}

void peer_http2_close(struct peer *peer)
{
    struct peer_http2 *http2 = peer->http2;
    if (http2 == NULL)
        return;
    nghttp2_session_del(http2->session);
    for (struct http2_asked *asked = http2->all; asked != NULL;) {
        struct http2_asked *next = asked->next;
        http2_asked_free(asked);
        asked = next;
    }
    text_done(&http2->said);
    free(http2);
    peer->http2 = NULL;
}
