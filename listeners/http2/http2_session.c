/* SPDX-License-Identifier: Apache-2.0 */
/* nghttp2's session: lb's settings, and the callbacks, which note what arrived and do nothing else.
 */
#include "lb/base/http2_field.h"
#include "listeners/client.h"
#include "listeners/client_report.h"
#include "listeners/http2/http2_client.h"
#include "listeners/http2/http2_desk.h"

static struct http2_stream *stream_of(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

void http2_note(struct http2_stream *stream)
{
    if (stream->has_news)
        return;
    stream->has_news = true;
    struct list_node *before = stream->http2->news.prev;
    while (before != &stream->http2->news &&
           LIST_OWNER(before, struct http2_stream, news)->urgency > stream->urgency)
        before = before->prev;
    list_prepend(before, &stream->news);
}

struct http2_stream *http2_next_news(struct http2_client *http2)
{
    if (list_is_empty(&http2->news))
        return NULL;
    struct http2_stream *stream = LIST_OWNER(http2->news.next, struct http2_stream, news);
    list_remove(&stream->news);
    stream->has_news = false;
    return stream;
}

/* --- urgency ------------------------------------------------------------------------------- */

/* nghttp2 orders the frames that wait for the connection by it. */
static void set_priority(struct http2_stream *stream, struct priority priority)
{
    const nghttp2_extpri own = {.urgency = priority.urgency, .inc = priority.is_incremental};
    stream->urgency = priority.urgency;
    nghttp2_session_change_extpri_stream_priority(stream->http2->session, stream->id, &own, 0);
}

/* Of a stream that is closed nothing needs to be known any more. */
static void update_priority(struct http2_client *http2, int32_t id, struct priority priority)
{
    struct http2_stream *stream = stream_of(http2->session, id);
    bool is_idle = id % 2 == 1 && id > nghttp2_session_get_last_proc_stream_id(http2->session);
    if (stream)
        set_priority(stream, priority);
    else if (is_idle)
        priority_shelf_put(&http2->shelf, id, priority);
}

/* What was said in a frame holds, not the field of the head (RFC 9218 7). */
static void recall_priority(struct http2_stream *stream)
{
    struct priority said;
    if (stream->http2->shelf.count > 0 &&
        priority_shelf_take(&stream->http2->shelf, stream->id, &said))
        set_priority(stream, said);
}

static int on_update_bytes(nghttp2_session *session, const nghttp2_frame_hd *head,
                           const uint8_t *bytes, size_t length, void *argument)
{
    struct http2_client *http2 = argument;
    (void)session;
    (void)head;
    priority_update_add(&http2->update, bytes, length);
    return 0;
}

static int on_update(nghttp2_session *session, void **ret_payload, const nghttp2_frame_hd *head,
                     void *argument)
{
    struct http2_client *http2 = argument;
    struct slice said;
    int32_t id = 0;
    (void)session;
    *ret_payload = NULL;
    enum priority_update_outcome outcome = priority_update_end(&http2->update, &id, &said);
    if (head->stream_id != 0)
        outcome = PRIORITY_UPDATE_OF_NOTHING;
    switch (outcome) {
    case PRIORITY_UPDATE_FINE:
        update_priority(http2, id, priority_parse(said));
        break;
    case PRIORITY_UPDATE_IGNORED:
        break;
    case PRIORITY_UPDATE_TOO_SHORT:
        http2_terminate(http2, NGHTTP2_FRAME_SIZE_ERROR, "http2-error",
                        "a PRIORITY_UPDATE without a stream");
        break;
    case PRIORITY_UPDATE_OF_NOTHING:
        http2_terminate(http2, NGHTTP2_PROTOCOL_ERROR, "http2-error",
                        "a PRIORITY_UPDATE on or of the wrong stream");
        break;
    }
    return 0;
}

/* --- heads --------------------------------------------------------------------------------- */

/* Where there is no room for it, it may be asked elsewhere or again (RFC 9113 8.7). */
static int request_begins(struct http2_client *http2, int32_t id)
{
    if (!http2_has_room(http2))
        return nghttp2_submit_rst_stream(http2->session, NGHTTP2_FLAG_NONE, id,
                                         NGHTTP2_REFUSED_STREAM);
    struct http2_stream *stream = http2_stream_open(http2, id);
    if (!stream)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    nghttp2_session_set_stream_user_data(http2->session, id, stream);
    http2_head_begin(&http2->head, &http2->client->clients->context->buffers,
                     (size_t)http2->client->door->listener->options->max_head);
    http2->heading = stream;
    return 0;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *argument)
{
    struct http2_client *http2 = argument;
    if (frame->hd.type != NGHTTP2_HEADERS)
        return 0;
    http2->heading = NULL;
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        return request_begins(http2, frame->hd.stream_id);
    struct http2_stream *stream = stream_of(session, frame->hd.stream_id);
    if (stream)
        stream->is_trailing = true;
    http2->heading = stream;
    return 0;
}

static void add_trailer(struct http2_stream *stream, struct slice name, struct slice value)
{
    const char *fault = http2_trailer_add(&stream->trailers, name, value);
    if (fault && stream->body != HTTP2_BODY_BAD)
        http2_body_spoil(stream, 400, fault);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags,
                     void *argument)
{
    struct http2_client *http2 = argument;
    struct http2_stream *stream = http2->heading;
    const struct slice name_text = {(const char *)name, name_length};
    const struct slice value_text = {(const char *)value, value_length};
    (void)session;
    (void)frame;
    (void)flags;
    if (!stream)
        return 0;
    if (stream->is_trailing) {
        add_trailer(stream, name_text, value_text);
        return 0;
    }
    if (slice_is(name_text, "priority"))
        set_priority(stream, priority_parse(value_text));
    http2_head_add(&http2->head, name_text, value_text);
    return 0;
}

static void take_head(struct http2_stream *stream, bool is_all)
{
    struct http2_head *head = &stream->http2->head;
    stream->head_outcome = http2_head_end(head, !is_all, &stream->head);
    stream->head_fault = http2_head_fault(head);
    stream->is_websocket = http2_head_is_websocket(head);
    memcpy(stream->websocket_key, head->websocket_key, sizeof stream->websocket_key);
    stream->has_head = true;
    recall_priority(stream);
}

static void head_arrived(struct http2_client *http2, const nghttp2_frame *frame)
{
    struct http2_stream *stream = http2->heading;
    bool is_last = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    http2->heading = NULL;
    if (!stream)
        return;
    if (!stream->is_trailing)
        take_head(stream, is_last);
    else if (!is_last) /* RFC 9113 8.1: a field section behind the body is its end */
        http2_body_spoil(stream, 400, "trailers that do not end the request");
    if (is_last && stream->body == HTTP2_BODY_OPEN)
        stream->body = HTTP2_BODY_ARRIVED;
    http2_note(stream);
}

/* --- bodies -------------------------------------------------------------------------------- */

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                   size_t length, void *argument)
{
    struct http2_stream *stream = stream_of(session, id);
    (void)flags;
    if (!stream) {
        http2_mark(argument);
        return nghttp2_session_consume_connection(session, length);
    }
    if (!http2_body_arrived(stream, (const char *)bytes, length))
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    http2_note(stream);
    return 0;
}

static void data_arrived(nghttp2_session *session, const nghttp2_frame *frame)
{
    struct http2_stream *stream = stream_of(session, frame->hd.stream_id);
    if (!stream || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        return;
    if (stream->body == HTTP2_BODY_OPEN)
        stream->body = HTTP2_BODY_ARRIVED;
    http2_note(stream);
}

/* --- windows ------------------------------------------------------------------------------- */

void http2_note_all(struct http2_client *http2)
{
    struct list_node *all = &http2->streams;
    for (struct list_node *node = all->next; node != all; node = node->next) {
        struct http2_stream *stream = LIST_OWNER(node, struct http2_stream, node);
        if (stream->stream.exchange)
            http2_note(stream);
    }
}

/* Only who was stopped by a window is to be looked at: clients that read fast open theirs with
 * nearly every frame. */
static void window_opened(struct http2_client *http2, const nghttp2_frame *frame)
{
    nghttp2_session *session = http2->session;
    int32_t id = frame->hd.stream_id;
    int32_t increment = frame->window_update.window_size_increment;
    if (id == 0) {
        if (http2->is_blocked)
            http2_note_all(http2);
        return;
    }
    struct http2_stream *stream = stream_of(session, id);
    bool was_shut = nghttp2_session_get_stream_remote_window_size(session, id) <= increment;
    if (stream && (was_shut || buffer_length(stream->out) > 0))
        http2_note(stream);
}

/* --- frames -------------------------------------------------------------------------------- */

static int on_frame_arrived(nghttp2_session *session, const nghttp2_frame *frame, void *argument)
{
    struct http2_client *http2 = argument;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        head_arrived(http2, frame);
        break;
    case NGHTTP2_DATA:
        data_arrived(session, frame);
        break;
    case NGHTTP2_WINDOW_UPDATE:
        window_opened(http2, frame);
        break;
    case NGHTTP2_SETTINGS: /* it may have changed the window of every stream */
        http2_note_all(http2);
        break;
    default:
        break;
    }
    return 0;
}

/* nghttp2 ends the connection by itself for what is wrong with its frames. */
static void tell_end(struct http2_client *http2, uint32_t code)
{
    if (code == NGHTTP2_NO_ERROR || http2->state == HTTP2_ENDING)
        return;
    http2->state = HTTP2_ENDING;
    client_report_broken(http2->client, "http2-error",
                         http2->said ? http2->said : nghttp2_http2_strerror(code));
}

static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *argument)
{
    if (frame->hd.type == NGHTTP2_GOAWAY)
        tell_end(argument, frame->goaway.error_code);
    bool ends = (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) &&
                frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    struct http2_stream *stream = ends ? stream_of(session, frame->hd.stream_id) : NULL;
    if (stream)
        http2_answer_sent(stream);
    return 0;
}

/* A head that nghttp2 will not send, for its size or for want of memory: whoever waits for it must
 * hear that it does not come. */
static int on_frame_not_sent(nghttp2_session *session, const nghttp2_frame *frame, int error,
                             void *argument)
{
    (void)error;
    (void)argument;
    if (frame->hd.type == NGHTTP2_HEADERS && stream_of(session, frame->hd.stream_id))
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                  NGHTTP2_INTERNAL_ERROR);
    return 0;
}

static int on_stream_closed(nghttp2_session *session, int32_t id, uint32_t code, void *argument)
{
    struct http2_client *http2 = argument;
    struct http2_stream *stream = stream_of(session, id);
    if (!stream)
        return 0;
    if (http2->heading == stream) {
        http2->heading = NULL;
        http2_head_done(&http2->head);
    }
    stream->is_closed = true;
    stream->close_code = code;
    http2_note(stream);
    return 0;
}

/* nghttp2 resets the stream, or ends the connection, for it. */
static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int error,
                            void *argument)
{
    struct http2_client *http2 = argument;
    (void)session;
    (void)frame;
    if (!http2->said)
        http2->said = nghttp2_strerror(error);
    http2->fault_count++;
    return 0;
}

void http2_session_set_callbacks(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_extension_chunk_recv_callback(callbacks, on_update_bytes);
    nghttp2_session_callbacks_set_unpack_extension_callback(callbacks, on_update);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_arrived);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_frame_not_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_closed);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
}

/* --- life ---------------------------------------------------------------------------------- */

static bool submit_settings(struct http2_client *http2)
{
    const struct listener_options *options = http2->client->door->listener->options;
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, HTTP2_STREAMS_MOST},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, HTTP2_WINDOW_BYTES},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)options->max_head},
        {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    return nghttp2_submit_settings(http2->session, NGHTTP2_FLAG_NONE, settings,
                                   sizeof settings / sizeof *settings) == 0 &&
           nghttp2_session_set_local_window_size(http2->session, NGHTTP2_FLAG_NONE, 0,
                                                 HTTP2_CONNECTION_WINDOW_BYTES) == 0;
}

bool http2_session_open(struct http2_client *http2)
{
    const struct http2_desk *desk = &http2->client->clients->http2;
    nghttp2_mem calls = http2_memory_open(&http2->memory);
    return nghttp2_session_server_new3(&http2->session, desk->callbacks, http2, desk->option,
                                       &calls) == 0 &&
           submit_settings(http2);
}
