/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/health/check_h2_call.h"

#include <stdio.h>
#include <string.h>

#include "lb/base/http2_field.h"
#include "lb/base/http2_glitches.h"
#include "lb/base/http2_nva.h"

void check_h2_call_fault(struct check_h2_call *call, const char *what, const char *why)
{
    if (call->fault[0] == '\0')
        snprintf(call->fault, sizeof call->fault, "%s%s", what, why);
}

/* ---- what nghttp2 tells ---- */

static struct check_value *value_for(struct check_answer *answer, struct slice name)
{
    if (slice_is(name, "content-type"))
        return &answer->content_type;
    if (slice_is(name, "grpc-status"))
        return &answer->grpc_status;
    return slice_is(name, "grpc-message") ? &answer->grpc_message : NULL;
}

static void keep_value(struct check_value *value, struct slice text)
{
    size_t length = text.length < CHECK_VALUE_BYTES ? text.length : CHECK_VALUE_BYTES - 1;
    if (value->count++ > 0)
        return;
    for (size_t i = 0; i < length; i++) {
        char byte = text.at[i];
        value->text[i] = byte;
        if (byte < ' ' || byte > '~') /* it goes to the log */
            value->text[i] = '?';
    }
    value->text[length] = '\0';
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct check_h2_call *call = user;
    (void)session;
    if (frame->hd.stream_id != call->stream)
        return 0;
    call->answer.grpc_status = call->answer.grpc_message = (struct check_value){0};
    if (!call->answer.has_head)
        call->answer.content_type = (struct check_value){0};
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags,
                     void *user)
{
    struct check_h2_call *call = user;
    const struct slice named = {(const char *)name, name_length};
    const struct slice text = {(const char *)value, value_length};
    (void)session;
    (void)flags;
    if (frame->hd.stream_id != call->stream)
        return 0;
    if (++call->answer.field_count > HEAD_FIELDS_MOST) {
        check_h2_call_fault(call, "answer has too many fields", "");
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* resets the stream */
    }
    if (slice_is(named, ":status"))
        call->answer.status = http2_field_status(text);
    struct check_value *kept = value_for(&call->answer, named);
    if (kept && !(call->answer.has_head && kept == &call->answer.content_type))
        keep_value(kept, text);
    return 0;
}

static void note_head(struct check_h2_call *call)
{
    if (call->answer.has_head)
        return; /* trailers */
    if (call->answer.status >= 200)
        call->answer.has_head = true;
    else if (++call->answer.interim_count > INTERIM_ANSWERS_MOST)
        check_h2_call_fault(call, "too many interim (1xx) answers", "");
}

static void note_goaway(struct check_h2_call *call, const nghttp2_goaway *goaway)
{
    if (goaway->last_stream_id < call->stream || goaway->error_code != NGHTTP2_NO_ERROR)
        check_h2_call_fault(
            call, "backend ended the connection: ", nghttp2_http2_strerror(goaway->error_code));
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct check_h2_call *call = user;
    (void)session;
    if (frame->hd.type == NGHTTP2_SETTINGS)
        call->has_settings = true;
    if (frame->hd.type == NGHTTP2_GOAWAY)
        note_goaway(call, &frame->goaway);
    if (frame->hd.stream_id != call->stream)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS)
        note_head(call);
    if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
        frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
        call->answer.is_whole = true;
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *bytes,
                   size_t length, void *user)
{
    struct check_answer *answer = &((struct check_h2_call *)user)->answer;
    (void)session;
    (void)flags;
    (void)stream;
    if (answer->body_length < sizeof answer->body) {
        size_t room = sizeof answer->body - answer->body_length;
        memcpy(answer->body + answer->body_length, bytes, length < room ? length : room);
    }
    answer->body_length += length;
    return 0;
}

static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int error,
                            void *user)
{
    (void)session;
    (void)frame;
    check_h2_call_fault(user, CHECK_H2_BREAKS, nghttp2_strerror(error));
    return 0;
}

/* nghttp2 ends the connection by itself where it must. */
static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)session;
    if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR)
        check_h2_call_fault(user, CHECK_H2_BREAKS,
                            nghttp2_http2_strerror(frame->goaway.error_code));
    return 0;
}

static int on_stream_closed(nghttp2_session *session, int32_t stream, uint32_t error, void *user)
{
    struct check_h2_call *call = user;
    (void)session;
    if (stream == call->stream && !call->answer.is_whole)
        check_h2_call_fault(call, "backend reset the request: ", nghttp2_http2_strerror(error));
    return 0;
}

static ssize_t read_body(nghttp2_session *session, int32_t stream, uint8_t *into, size_t room,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct check_h2_call *call = user;
    size_t left = call->request.body_length - call->body_sent;
    size_t length = left < room ? left : room;
    (void)session;
    (void)stream;
    (void)source;
    memcpy(into, call->request.body + call->body_sent, length);
    call->body_sent += length;
    if (length == left)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)length;
}

/* ---- the session ---- */

static void set_callbacks(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_closed);
}

static bool open_session(struct check_h2_call *call)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    bool good = nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&option) == 0;
    if (good) {
        set_callbacks(callbacks);
        http2_glitches_allow(option); /* who says too much without an answer is told so */
        good = nghttp2_session_client_new2(&call->session, callbacks, call, option) == 0;
    }
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
    return good;
}

static void put(struct http2_nva *nva, const char *name, const char *value)
{
    http2_nva_put(nva, slice_of(name), slice_of(value));
}

/* What all have, then its own: pseudo-fields come first (RFC 9113 8.3). */
static void put_fields(struct http2_nva *nva, const struct check_h2_request *request,
                       const char *scheme, const char *authority)
{
    http2_nva_begin(nva, NULL, 0, NGHTTP2_NV_FLAG_NONE);
    put(nva, ":method", request->method);
    put(nva, ":scheme", scheme);
    put(nva, ":authority", authority);
    put(nva, ":path", request->path);
    put(nva, "user-agent", "lb-health-check");
    for (unsigned i = 0; i < request->field_count; i++)
        put(nva, request->fields[i].name, request->fields[i].value);
}

static bool submit(struct check_h2_call *call, const char *scheme, const char *authority)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, ANSWER_HEAD_BYTES},
    };
    nghttp2_data_provider body = {.read_callback = read_body};
    struct http2_nva nva;
    if (nghttp2_submit_settings(call->session, NGHTTP2_FLAG_NONE, settings,
                                sizeof settings / sizeof *settings) != 0)
        return false;
    put_fields(&nva, &call->request, scheme, authority);
    call->stream = nghttp2_submit_request(call->session, NULL, nva.rows, nva.count,
                                          call->request.body_length > 0 ? &body : NULL, NULL);
    return call->stream > 0;
}

bool check_h2_call_begin(struct check_h2_call *call, const char *scheme, const char *authority)
{
    return open_session(call) && submit(call, scheme, authority);
}
