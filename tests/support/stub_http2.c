/* SPDX-License-Identifier: Apache-2.0 */
/* nghttp2's server side on the blocking link of a stub backend. Whatever is wrong ends the link,
 * and the story sees that no answer came. */
#include "tests/support/stub_http2.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct stub_http2 {
    struct stub_link *link;
    stub_http2_hear hear;
    nghttp2_session *session;
    struct stub_http2_request *requests;
};

/* ---- what comes ---- */

static struct stub_http2_request *request_of(struct stub_http2 *talk, int32_t stream)
{
    return nghttp2_session_get_stream_user_data(talk->session, stream);
}

static int on_begin(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct stub_http2 *talk = context;
    if (request_of(talk, frame->hd.stream_id) != NULL)
        return 0; /* trailers */
    struct stub_http2_request *request = calloc(1, sizeof *request);
    request->stream = frame->hd.stream_id;
    request->next = talk->requests;
    talk->requests = request;
    text_add(&request->body, "", 0);
    return nghttp2_session_set_stream_user_data(session, request->stream, request);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_bytes, const uint8_t *value, size_t value_bytes, uint8_t flags,
                     void *context)
{
    struct stub_http2_request *request = request_of(context, frame->hd.stream_id);
    const struct {
        const char *name;
        char *into;
        size_t room;
    } kept[] = {{":method", request->method, sizeof request->method},
                {":path", request->path, sizeof request->path},
                {":authority", request->authority, sizeof request->authority},
                {"content-length", request->length, sizeof request->length}};
    (void)session;
    (void)flags;
    for (unsigned i = 0; i < sizeof kept / sizeof kept[0]; i++)
        if (strlen(kept[i].name) == name_bytes && memcmp(kept[i].name, name, name_bytes) == 0)
            snprintf(kept[i].into, kept[i].room, "%.*s", (int)value_bytes, (const char *)value);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data,
                   size_t bytes, void *context)
{
    (void)session;
    (void)flags;
    text_add(&request_of(context, stream)->body, data, bytes);
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct stub_http2 *talk = context;
    bool asks = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    (void)session;
    if (!asks || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0)
        return 0;
    atomic_fetch_add(&talk->link->stub->requests, 1);
    talk->hear(talk, request_of(talk, frame->hd.stream_id));
    return 0;
}

/* ---- what goes ---- */

static ssize_t give(nghttp2_session *session, int32_t stream, uint8_t *into, size_t room,
                    uint32_t *flags, nghttp2_data_source *source, void *context)
{
    struct stub_http2_request *request = source->ptr;
    size_t part = request->answer_bytes < room ? request->answer_bytes : room;
    (void)session;
    (void)stream;
    (void)context;
    if (part == 0 && !request->answer_ends)
        return NGHTTP2_ERR_DEFERRED;
    memset(into, 'x', part);
    request->answer_bytes -= part;
    if (request->answer_bytes == 0 && request->answer_ends)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)part;
}

void stub_http2_answer(struct stub_http2 *talk, int32_t stream, unsigned status, size_t bytes,
                       bool ends)
{
    struct stub_http2_request *request = request_of(talk, stream);
    char code[16];
    int length = snprintf(code, sizeof code, "%u", status);
    const nghttp2_nv fields[] = {{(uint8_t *)(uintptr_t) ":status", (uint8_t *)code, 7,
                                  (size_t)length, NGHTTP2_NV_FLAG_NONE}};
    const nghttp2_data_provider body = {.source.ptr = request, .read_callback = give};
    request->answer_bytes = bytes;
    request->answer_ends = ends;
    nghttp2_submit_response(talk->session, stream, fields, 1, &body);
}

void stub_http2_reset(struct stub_http2 *talk, int32_t stream, uint32_t error)
{
    nghttp2_submit_rst_stream(talk->session, NGHTTP2_FLAG_NONE, stream, error);
}

void stub_http2_go_away(struct stub_http2 *talk, uint32_t error)
{
    nghttp2_session_terminate_session(talk->session, error);
}

static bool send_all(struct stub_http2 *talk)
{
    const uint8_t *bytes;
    ssize_t length;
    while ((length = nghttp2_session_mem_send(talk->session, &bytes)) > 0)
        if (!stub_send(talk->link, bytes, (size_t)length))
            return false;
    return length == 0 && (nghttp2_session_want_read(talk->session) != 0 ||
                           nghttp2_session_want_write(talk->session) != 0);
}

/* ---- life ---- */

struct stub_link *stub_http2_link(struct stub_http2 *talk)
{
    return talk->link;
}

static bool begin(struct stub_http2 *talk)
{
    const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 100}};
    nghttp2_session_callbacks *callbacks;
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        return false;
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    int problem = nghttp2_session_server_new(&talk->session, callbacks, talk);
    nghttp2_session_callbacks_del(callbacks);
    return problem == 0 &&
           nghttp2_submit_settings(talk->session, NGHTTP2_FLAG_NONE, settings, 1) == 0;
}

static void forget_requests(struct stub_http2 *talk)
{
    while (talk->requests != NULL) {
        struct stub_http2_request *request = talk->requests;
        talk->requests = request->next;
        text_done(&request->body);
        free(request);
    }
}

void stub_http2_serve(struct stub_link *link, stub_http2_hear hear)
{
    struct stub_http2 talk = {.link = link, .hear = hear};
    bool goes_on = begin(&talk);
    while (goes_on && send_all(&talk) && stub_receive(link)) {
        goes_on = nghttp2_session_mem_recv(talk.session, (const uint8_t *)link->inbox.bytes,
                                           link->inbox.length) >= 0;
        text_drop(&link->inbox, link->inbox.length);
    }
    nghttp2_session_del(talk.session);
    forget_requests(&talk);
}
