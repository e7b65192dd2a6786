/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session with nghttp2 and its callbacks. They only note what happened: the answer's heads
 * become HTTP/1.1 text, so that one grammar judges them, its body and its trailers are kept until
 * its errand reads them. nghttp2 itself refuses what RFC 9113 8 forbids: upper case, fields of
 * connections, odd pseudo fields, bodies unlike their Content-Length.
 */
#include <string.h>
#include <uv.h>

#include "backends/http2/h2_link.h"
#include "lb/base/http2_field.h"
#include "lb/base/http2_glitches.h"

static struct errand *errand_of(nghttp2_session *session, int32_t stream)
{
    return stream > 0 ? nghttp2_session_get_stream_user_data(session, stream) : NULL;
}

/* Something can be read; whoever is held looks for himself, later. */
static void note_input(struct h2_link *h2, struct errand *errand)
{
    if (!errand->h2.is_held)
        h2_link_note(h2, errand);
}

/* ---- heads and trailers ---- */

static const char no_memory_for_head[] = "out of memory for the backend's head";
static const char forbidden[] = "the backend's answer has a field that HTTP/2 forbids";

/* What nghttp2 has no word for: the stream is reset. */
static int refuse(struct errand *errand, const char *fault)
{
    errand->h2.fault = fault;
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/* Heads that nobody read yet, each with its line of status: what is more is refused before. */
enum { TEXT_MOST_BYTES = (INTERIM_ANSWERS_MOST + 2) * (ANSWER_HEAD_BYTES + 256) };

/* false: no memory, which is nothing against the backend. */
static bool add_text(struct h2_link *h2, struct errand *errand, const void *at, size_t length)
{
    bool is_added =
        buffer_append(&h2->links->context->buffers, &errand->h2.text, at, length, TEXT_MOST_BYTES);
    errand->is_blameless = errand->is_blameless || !is_added;
    return is_added;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct errand *errand = errand_of(session, frame->hd.stream_id);
    (void)user;
    if (!errand || frame->hd.type != NGHTTP2_HEADERS)
        return 0;
    errand->h2.block_bytes = 0;
    errand->h2.in_interim = false;
    return !errand->h2.has_final && errand->h2.heads_ready > INTERIM_ANSWERS_MOST
               ? refuse(errand, "the backend sent too many interim answers")
               : 0;
}

static bool add_status(struct h2_link *h2, struct errand *errand, struct slice status)
{
    unsigned number = http2_field_status(status);
    const char *reason = http_status_text(number); /* for clients of HTTP/1, which expect one */
    errand->h2.in_interim = number < 200;
    return add_text(h2, errand, "HTTP/1.1 ", 9) && add_text(h2, errand, status.at, status.length) &&
           add_text(h2, errand, " ", 1) && add_text(h2, errand, reason, strlen(reason)) &&
           add_text(h2, errand, "\r\n", 2);
}

static bool add_field(struct h2_link *h2, struct errand *errand, struct slice name,
                      struct slice value)
{
    return add_text(h2, errand, name.at, name.length) && add_text(h2, errand, ": ", 2) &&
           add_text(h2, errand, value.at, value.length) && add_text(h2, errand, "\r\n", 2);
}

/* nghttp2 lets none of them pass; what would reframe the text is looked for all the same. */
static const char *take_field(struct h2_link *h2, struct errand *errand, struct slice name,
                              struct slice value)
{
    struct h2_errand *mine = &errand->h2;
    enum http_name known;
    if (mine->has_final)
        return http2_trailer_add(&mine->answer_trailers, name, value);
    if (slice_is(name, ":status"))
        return add_status(h2, errand, value) ? NULL : no_memory_for_head;
    if (http2_field_judge(name, value, &known) != NULL)
        return forbidden;
    return add_field(h2, errand, name, value) ? NULL : no_memory_for_head;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags,
                     void *user)
{
    struct h2_link *h2 = user;
    struct errand *errand = errand_of(session, frame->hd.stream_id);
    const struct slice field = {(const char *)name, name_length};
    const struct slice text = {(const char *)value, value_length};
    (void)flags;
    if (!errand || frame->hd.type != NGHTTP2_HEADERS)
        return 0;
    errand->h2.block_bytes += name_length + value_length + 4;
    if (errand->h2.block_bytes > ANSWER_HEAD_BYTES)
        return refuse(errand, "the backend's head is too large");
    const char *fault = take_field(h2, errand, field, text);
    return fault ? refuse(errand, fault) : 0;
}

static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame,
                             const uint8_t *name, size_t name_length, const uint8_t *value,
                             size_t value_length, uint8_t flags, void *user)
{
    struct errand *errand = errand_of(session, frame->hd.stream_id);
    (void)name, (void)name_length, (void)value, (void)value_length, (void)flags, (void)user;
    return errand ? refuse(errand, forbidden) : 0;
}

/* In the middle of what came there is no memory for it. */
static void give_up(struct h2_link *h2, struct errand *errand, const char *fault)
{
    errand->h2.fault = fault;
    errand->is_blameless = true;
    nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, errand->h2.stream,
                              NGHTTP2_INTERNAL_ERROR);
}

static void end_block(struct h2_link *h2, struct errand *errand)
{
    struct h2_errand *mine = &errand->h2;
    if (mine->has_final) /* trailers */
        return;
    if (!add_text(h2, errand, "\r\n", 2)) {
        give_up(h2, errand, no_memory_for_head);
        return;
    }
    mine->heads_ready++;
    mine->has_final = !mine->in_interim;
}

/* ---- bodies ---- */

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data,
                   size_t length, void *user)
{
    struct h2_link *h2 = user;
    struct errand *errand = errand_of(session, stream);
    (void)flags;
    if (!errand) { /* nobody reads it any more */
        nghttp2_session_consume(session, stream, length);
        return 0;
    }
    if (errand->h2.fault) { /* the rest of a frame of which a piece is missing */
        nghttp2_session_consume_connection(session, length);
        return 0;
    }
    if (!buffer_append(&h2->links->context->buffers, &errand->h2.in, data, length,
                       HTTP2_LINK_STREAM_WINDOW_BYTES)) {
        give_up(h2, errand, "out of memory for the backend's body");
        nghttp2_session_consume_connection(session, length);
        return 0;
    }
    h2->held_bytes += length;
    if (h2->held_bytes <= HTTP2_LINK_HELD_BYTES)
        nghttp2_session_consume_connection(session, length);
    else
        h2->owed_bytes += length;
    note_input(h2, errand);
    return 0;
}

/* ---- frames ---- */

/* A piece of a head that nobody would cut so small. */
enum { SMALL_PIECE_BYTES = 1024 };

/* Does a frame carry nothing that anybody asked for? Those of types that nobody knows are not seen
 * here: nghttp2 skips them, and they cost no more than their bytes. */
static bool is_idle(const nghttp2_frame_hd *head, bool is_known)
{
    switch (head->type) {
    case NGHTTP2_HEADERS:
        return head->length == 0 || !is_known;
    case NGHTTP2_CONTINUATION:
        return head->length < SMALL_PIECE_BYTES;
    case NGHTTP2_DATA:
        return head->length == 0 && !(head->flags & NGHTTP2_FLAG_END_STREAM);
    default:
        return true;
    }
}

#define FLOODS_WITH(frames) "the backend floods the link with " frames " frames"

static const char *flood_of(uint8_t type)
{
    switch (type) {
    case NGHTTP2_HEADERS:
        return FLOODS_WITH("useless HEADERS");
    case NGHTTP2_CONTINUATION:
        return FLOODS_WITH("small CONTINUATION");
    case NGHTTP2_DATA:
        return FLOODS_WITH("empty DATA");
    case NGHTTP2_PING:
        return FLOODS_WITH("PING");
    case NGHTTP2_SETTINGS:
        return FLOODS_WITH("SETTINGS");
    case NGHTTP2_RST_STREAM:
        return FLOODS_WITH("RST_STREAM");
    case NGHTTP2_WINDOW_UPDATE:
        return FLOODS_WITH("WINDOW_UPDATE");
    case NGHTTP2_GOAWAY:
        return FLOODS_WITH("GOAWAY");
    default:
        return FLOODS_WITH("useless");
    }
}

/* 0, or what ends the session. */
static int spend(struct h2_link *h2, uint8_t type)
{
    if (h2_allowance_spend(&h2->allowance, uv_now(h2->links->context->loop)))
        return 0;
    h2->flood = flood_of(type);
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *head, void *user)
{
    bool is_known = head->type != NGHTTP2_HEADERS || errand_of(session, head->stream_id);
    return is_idle(head, is_known) ? spend(user, head->type) : 0;
}

/* Its length alone does not say that: it has only padding. */
static bool is_padding(const nghttp2_frame *frame)
{
    return frame->hd.type == NGHTTP2_DATA && frame->hd.length > 0 &&
           frame->hd.length <= frame->data.padlen && !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct h2_link *h2 = user;
    struct errand *errand = errand_of(session, frame->hd.stream_id);
    if (frame->hd.type == NGHTTP2_SETTINGS && !(frame->hd.flags & NGHTTP2_FLAG_ACK))
        h2->is_greeted = true;
    if (frame->hd.type == NGHTTP2_GOAWAY)
        h2->is_leaving = h2->is_sent_away = true;
    if (is_padding(frame) && spend(h2, NGHTTP2_DATA) != 0)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    if (!errand || errand->h2.fault)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS)
        end_block(h2, errand);
    if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
        frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
        errand->h2.is_ended = true;
    if (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) {
        errand->heard = true;
        note_input(h2, errand);
    }
    return 0;
}

static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int lib_error,
                            void *user)
{
    struct errand *errand = errand_of(session, frame->hd.stream_id);
    (void)user;
    if (errand)
        errand->h2.lib_error = lib_error;
    return 0;
}

static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct errand *errand = errand_of(session, frame->hd.stream_id);
    struct h2_link *h2 = user;
    if (!errand)
        return 0;
    switch ((int)frame->hd.type) {
    case NGHTTP2_HEADERS:
        errand->h2.is_headers_sent = true;
        h2_allowance_requested(&h2->allowance);
        break;
    case NGHTTP2_DATA:
        h2_allowance_sent(&h2->allowance, frame->hd.length, buffer_length(errand->h2.out) == 0);
        break;
    case NGHTTP2_RST_STREAM:
        errand->h2.is_reset_here = true;
        break;
    default:
        break;
    }
    return 0;
}

static void close_errand(struct h2_link *h2, struct errand *errand, uint32_t error_code)
{
    errand->h2.is_closed = true;
    errand->h2.error_code = error_code;
    if (!errand->h2.is_out_ended || errand->h2.out)
        errand->is_stuck = true;
    h2_link_note(h2, errand);
}

/* A head that nghttp2 may not send any more: behind a GOAWAY. */
static int on_frame_not_sent(nghttp2_session *session, const nghttp2_frame *frame, int lib_error,
                             void *user)
{
    struct h2_link *h2 = user;
    (void)session, (void)lib_error;
    if (frame->hd.type != NGHTTP2_HEADERS)
        return 0;
    for (struct list_node *at = h2->errands.next; at != &h2->errands; at = at->next) {
        struct errand *errand = LIST_OWNER(at, struct errand, h2.node);
        if (errand->h2.stream == frame->hd.stream_id && !errand->h2.is_closed)
            close_errand(h2, errand, NGHTTP2_REFUSED_STREAM);
    }
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t error_code,
                           void *user)
{
    struct errand *errand = errand_of(session, stream);
    if (errand)
        close_errand(user, errand, error_code);
    return 0;
}

/* ---- making ---- */

static void set_callbacks(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, on_invalid_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_frame_not_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_send_callback(callbacks, h2_output_frame);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, h2_output_data);
}

static bool make_session(struct h2_link *h2)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    bool is_made =
        nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&option) == 0;
    if (is_made) {
        set_callbacks(callbacks);
        nghttp2_option_set_no_auto_window_update(option, 1);
        nghttp2_option_set_max_send_header_block_length(option, HTTP2_HEAD_SENT_BYTES);
        http2_glitches_allow(option);
        is_made = nghttp2_session_client_new2(&h2->session, callbacks, h2, option) == 0;
    }
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
    return is_made;
}

bool h2_session_begin(struct h2_link *h2)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, HTTP2_LINK_STREAM_WINDOW_BYTES},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, ANSWER_HEAD_BYTES},
    };
    h2_allowance_begin(&h2->allowance, uv_now(h2->links->context->loop));
    if (!make_session(h2))
        return false;
    return nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings,
                                   sizeof settings / sizeof *settings) == 0 &&
           nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0,
                                                 HTTP2_LINK_WINDOW_BYTES) == 0;
}
