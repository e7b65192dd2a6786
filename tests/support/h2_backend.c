/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/h2_backend.h"

#include <nghttp2/nghttp2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct side;

struct stream {
    struct side *side;
    int32_t id;
    struct text fields; /* of the request, a line each */
    struct text trailers;
    char path[64];
    struct text out; /* of the answer's body, not sent */
    size_t x_left;   /* so many 'x' follow */
    bool is_head;    /* the request's head came: what comes is a trailer */
    bool is_whole;   /* the request came */
    bool is_done;    /* nothing is added to `out` */
    bool has_trailers;
    bool is_answered;
};

/* One connection. */
struct side {
    struct stub_link *link;
    struct h2_script *script;
    nghttp2_session *session;
    unsigned requests;
    unsigned open;
    bool is_shut; /* it takes no streams, as its last SETTINGS say */
    bool is_dying;
};

#define FIELD(name, value)                                                                         \
    {                                                                                              \
        (uint8_t *)(name), (uint8_t *)(value), strlen(name), strlen(value), NGHTTP2_NV_FLAG_NONE   \
    }

/* ---- answers ---- */

static void submit_trailers(struct stream *stream)
{
    nghttp2_nv fields[16];
    size_t count = 0;
    char *text = strdup(stream->trailers.length > 0 ? stream->trailers.bytes : "");
    for (char *line = strtok(text, "\n"); line != NULL && count < 16; line = strtok(NULL, "\n")) {
        char *value = strstr(line, ": ");
        *value = '\0';
        fields[count++] = (nghttp2_nv)FIELD(line, value + 2);
    }
    nghttp2_submit_trailer(stream->side->session, stream->id, fields, count);
    free(text);
}

static ssize_t on_body_wanted(nghttp2_session *session, int32_t id, uint8_t *into, size_t room,
                              uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct stream *stream = source->ptr;
    size_t length = stream->out.length < room ? stream->out.length : room;
    (void)session, (void)id, (void)user;
    if (length > 0) {
        memcpy(into, stream->out.bytes, length);
        text_drop(&stream->out, length);
    } else if (stream->x_left > 0) {
        length = stream->x_left < room ? stream->x_left : room;
        memset(into, 'x', length);
        stream->x_left -= length;
    }
    bool is_over = stream->is_done && stream->out.length == 0 && stream->x_left == 0;
    if (length == 0 && !is_over)
        return NGHTTP2_ERR_DEFERRED;
    if (is_over)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (is_over && stream->has_trailers) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        submit_trailers(stream);
    }
    return (ssize_t)length;
}

static void answer_with(struct stream *stream, const char *status, const char *name,
                        const char *value)
{
    const nghttp2_nv fields[] = {FIELD(":status", status), FIELD(name, value)};
    const nghttp2_data_provider body = {.source = {.ptr = stream}, .read_callback = on_body_wanted};
    stream->is_answered = true;
    nghttp2_submit_response(stream->side->session, stream->id, fields, 2, &body);
}

static void answer_text(struct stream *stream, const char *text)
{
    text_add(&stream->out, text, strlen(text));
    stream->is_done = true;
    answer_with(stream, "200", "content-type", "text/plain");
}

static void reset(struct stream *stream, uint32_t code)
{
    nghttp2_submit_rst_stream(stream->side->session, NGHTTP2_FLAG_NONE, stream->id, code);
}

static void answer_status_only(struct stream *stream)
{
    const nghttp2_nv fields[] = {FIELD(":status", "200"), FIELD("grpc-status", "0")};
    nghttp2_submit_response(stream->side->session, stream->id, fields, 2, NULL);
}

static void answer_grpc_status_only(struct stream *stream)
{
    const nghttp2_nv fields[] = {FIELD(":status", "200"), FIELD("content-type", "application/grpc"),
                                 FIELD("grpc-status", "7")};
    nghttp2_submit_response(stream->side->session, stream->id, fields, 3, NULL);
}

/* "/grpc" and what goes wrong behind its message. */
static void answer_call(struct stream *stream, const char *trouble)
{
    static const char trailer[] = "grpc-status: 5\n";
    text_add(&stream->out, "\0\0\0\0\2ok", 7);
    stream->is_done = stream->has_trailers = *trouble == '\0';
    text_add(&stream->trailers, trailer, sizeof trailer - 1);
    answer_with(stream, "200", "content-type", "application/grpc+proto");
    if (strcmp(trouble, "-cut") != 0)
        return;
    nghttp2_session_send(stream->side->session);
    reset(stream, NGHTTP2_INTERNAL_ERROR);
}

static void answer_early(struct stream *stream)
{
    const nghttp2_nv fields[] = {FIELD(":status", "403")};
    nghttp2_submit_response(stream->side->session, stream->id, fields, 1, NULL);
}

static void submit_interim(struct stream *stream)
{
    const nghttp2_nv fields[] = {FIELD(":status", "103"), FIELD("link", "</style.css>")};
    nghttp2_submit_headers(stream->side->session, NGHTTP2_FLAG_NONE, stream->id, NULL, fields, 2,
                           NULL);
}

static void answer_cut(struct stream *stream)
{
    text_add(&stream->out, "some", 4);
    answer_with(stream, "200", "content-length", "100");
    nghttp2_session_send(stream->side->session);
    reset(stream, NGHTTP2_INTERNAL_ERROR);
}

static void flood(struct stream *stream)
{
    const uint8_t *data = (const uint8_t *)"flooding"; /* 8 bytes */
    for (unsigned i = 0; i < 5000; i++)
        nghttp2_submit_ping(stream->side->session, NGHTTP2_FLAG_NONE, data);
}

enum { FLOOD_FRAMES = 4096, FRAME_BYTES = 32 };

/* A frame of this type that does nothing; returns its length. */
static size_t make_useless(uint8_t type, int32_t stream, uint8_t *frame)
{
    size_t length = type == NGHTTP2_PING || type == NGHTTP2_GOAWAY                ? 8
                    : type == NGHTTP2_WINDOW_UPDATE || type == NGHTTP2_RST_STREAM ? 4
                                                                                  : 0;
    bool is_streams = type == NGHTTP2_DATA || type == NGHTTP2_RST_STREAM;
    memset(frame, 0, FRAME_BYTES);
    frame[2] = (uint8_t)length;
    frame[3] = type;
    frame[8] = is_streams ? (uint8_t)stream : 0;
    if (type == NGHTTP2_GOAWAY)
        memset(frame + 9, 0x7f, 4); /* all streams are looked at */
    if (type == NGHTTP2_WINDOW_UPDATE)
        frame[12] = 1;
    return 9 + length;
}

/* Until lb has had enough. */
static void flood_with(struct stream *stream)
{
    uint8_t frame[FRAME_BYTES];
    struct text all = {0};
    size_t length = make_useless(stream->side->script->flood, stream->id, frame);
    for (unsigned i = 0; i < FLOOD_FRAMES; i++)
        text_add(&all, frame, length);
    answer_with(stream, "200", "content-type", "text/plain");
    nghttp2_session_send(stream->side->session);
    while (stub_send(stream->side->link, all.bytes, all.length)) {
    }
    text_done(&all);
    stream->side->is_dying = true;
}

static void with_trailers(struct stream *stream, const char *trailers)
{
    text_add(&stream->trailers, trailers, strlen(trailers));
    stream->has_trailers = true;
    answer_text(stream, "body");
}

static void answer_interims(struct stream *stream)
{
    for (unsigned i = 0; i < stream->side->script->interims; i++)
        submit_interim(stream);
    with_trailers(stream, "te-st: yes\n");
}

static bool is_path(const struct stream *stream, const char *path)
{
    return strcmp(stream->path, path) == 0;
}

/* The head of a request is there; what needs its body waits. */
static void answer_head(struct stream *stream)
{
    struct h2_script *script = stream->side->script;
    if (is_path(stream, "/echo") || is_path(stream, "/hold"))
        answer_with(stream, "200", "content-type", "text/plain");
    else if (is_path(stream, "/bare"))
        answer_with(stream, "204", "te-st", "yes");
    else if (is_path(stream, "/head"))
        answer_text(stream, stream->fields.bytes);
    else if (is_path(stream, "/trailers"))
        with_trailers(stream, "grpc-status: 0\nte-st: yes\n");
    else if (is_path(stream, "/badtrailer"))
        with_trailers(stream, "content-length: 5\n");
    else if (is_path(stream, "/status"))
        answer_status_only(stream);
    else if (is_path(stream, "/grpc-only"))
        answer_grpc_status_only(stream);
    else if (strncmp(stream->path, "/grpc", 5) == 0)
        answer_call(stream, stream->path + 5);
    else if (is_path(stream, "/interim"))
        submit_interim(stream), answer_text(stream, "final");
    else if (is_path(stream, "/interims"))
        answer_interims(stream);
    else if (is_path(stream, "/early"))
        answer_early(stream);
    else if (is_path(stream, "/cut"))
        answer_cut(stream);
    else if (is_path(stream, "/refuse"))
        reset(stream, NGHTTP2_REFUSED_STREAM);
    else if (is_path(stream, "/reset"))
        reset(stream, NGHTTP2_INTERNAL_ERROR);
    else if (is_path(stream, "/die"))
        stream->side->is_dying = true;
    else if (is_path(stream, "/pings"))
        flood(stream);
    else if (is_path(stream, "/flood"))
        flood_with(stream);
    else if (is_path(stream, "/large")) {
        stream->x_left = script->large_bytes;
        answer_text(stream, "");
    } else if (is_path(stream, "/upgrade") || is_path(stream, "/long") ||
               is_path(stream, "/short")) {
        text_add(&stream->out, "12345", 5);
        stream->is_done = true;
        bool is_upgrade = is_path(stream, "/upgrade");
        answer_with(stream, "200", is_upgrade ? "connection" : "content-length",
                    is_upgrade                 ? "close"
                    : is_path(stream, "/long") ? "3"
                                               : "9");
    } else if (!is_path(stream, "/hang"))
        answer_text(stream, stream->side->link->stub->name);
}

/* ---- what nghttp2 tells ---- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct side *side = user;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct stream *stream = calloc(1, sizeof *stream);
    stream->side = side;
    stream->id = frame->hd.stream_id;
    nghttp2_session_set_stream_user_data(session, stream->id, stream);
    unsigned open = ++side->open;
    atomic_fetch_add(&side->script->open, 1);
    if (open > atomic_load(&side->script->open_most))
        atomic_store(&side->script->open_most, open);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags,
                     void *user)
{
    struct stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    (void)flags, (void)user;
    if (stream == NULL)
        return 0;
    text_add_format(stream->is_head ? &stream->trailers : &stream->fields, "%.*s: %.*s\n",
                    (int)name_length, (const char *)name, (int)value_length, (const char *)value);
    if (name_length == 5 && memcmp(name, ":path", 5) == 0 && value_length < sizeof stream->path)
        memcpy(stream->path, value, value_length);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t length, void *user)
{
    struct stream *stream = nghttp2_session_get_stream_user_data(session, id);
    struct side *side = user;
    (void)flags;
    if (!side->script->is_deaf)
        nghttp2_session_consume(session, id, length);
    if (stream != NULL && is_path(stream, "/echo")) {
        text_add(&stream->out, data, length);
        nghttp2_session_resume_data(session, id);
    }
    return 0;
}

static void request_came(struct side *side, struct stream *stream)
{
    struct h2_script *script = side->script;
    stream->is_head = true;
    atomic_fetch_add(&script->requests, 1);
    side->requests++;
    unsigned left = atomic_load(&script->refuse_first);
    if (left > 0 && atomic_compare_exchange_strong(&script->refuse_first, &left, left - 1))
        reset(stream, NGHTTP2_REFUSED_STREAM);
    else if (script->goaway_after == 0 || side->requests <= script->goaway_after)
        answer_head(stream);
    if (script->goaway_after > 0 && side->requests == script->goaway_after)
        nghttp2_submit_goaway(side->session, NGHTTP2_FLAG_NONE,
                              script->goaway_at_once ? stream->id : INT32_MAX, NGHTTP2_NO_ERROR,
                              NULL, 0);
    else if (script->goaway_after > 0 && side->requests > script->goaway_after &&
             !script->goaway_at_once)
        answer_head(stream); /* it was on its way when the GOAWAY was */
}

static void request_ended(struct side *side, struct stream *stream)
{
    stream->is_whole = true;
    if (is_path(stream, "/echo")) {
        stream->is_done = true;
        stream->has_trailers = stream->trailers.length > 0;
        nghttp2_session_resume_data(side->session, stream->id);
    }
}

static void submit_settings(struct side *side, bool is_shut)
{
    const struct h2_script *script = side->script;
    unsigned most = script->streams_most > 0 ? script->streams_most : 100;
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, is_shut ? 0 : most},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, script->window > 0 ? script->window : 65535},
    };
    nghttp2_submit_settings(side->session, NGHTTP2_FLAG_NONE, settings, 2);
    side->is_shut = is_shut;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct side *side = user;
    struct stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (frame->hd.type == NGHTTP2_RST_STREAM)
        atomic_fetch_add(&side->script->cancelled, 1);
    if (frame->hd.type == NGHTTP2_SETTINGS && frame->hd.flags & NGHTTP2_FLAG_ACK && side->is_shut &&
        !side->script->stays_shut)
        submit_settings(side, false);
    if (stream == NULL)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && !stream->is_head)
        request_came(side, stream);
    if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
        frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
        request_ended(side, stream);
    return 0;
}

static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    (void)user;
    if (stream != NULL && is_path(stream, "/early") && frame->hd.type == NGHTTP2_HEADERS &&
        !stream->is_whole)
        reset(stream, NGHTTP2_NO_ERROR);
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error_code, void *user)
{
    struct side *side = user;
    struct stream *stream = nghttp2_session_get_stream_user_data(session, id);
    (void)error_code;
    if (stream == NULL)
        return 0;
    side->open--;
    atomic_fetch_sub(&side->script->open, 1);
    text_done(&stream->fields);
    text_done(&stream->trailers);
    text_done(&stream->out);
    free(stream);
    return 0;
}

static ssize_t on_send(nghttp2_session *session, const uint8_t *bytes, size_t length, int flags,
                       void *user)
{
    struct side *side = user;
    (void)session, (void)flags;
    return stub_send(side->link, bytes, length) ? (ssize_t)length : NGHTTP2_ERR_CALLBACK_FAILURE;
}

/* ---- a connection ---- */

static void make_session(struct side *side)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_send_callback(callbacks, on_send);
    nghttp2_option_new(&option);
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_http_messaging(option, 1); /* its own mistakes shall go out */
    nghttp2_session_server_new2(&side->session, callbacks, side, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
}

static void release_held(struct side *side)
{
    struct h2_script *script = side->script;
    for (int32_t id = 1; atomic_load(&script->is_released) && id < 2 * (int)side->requests;
         id += 2) {
        struct stream *stream = nghttp2_session_get_stream_user_data(side->session, id);
        if (stream == NULL || !is_path(stream, "/hold") || stream->is_done)
            continue;
        text_add(&stream->out, "held", 4);
        stream->is_done = true;
        nghttp2_session_resume_data(side->session, id);
    }
}

static void end_streams(struct side *side)
{
    for (int32_t id = 1; id < 2 * (int)side->requests + 2; id += 2)
        on_stream_close(side->session, id, 0, side);
}

void h2_backend_serve(struct stub_link *link)
{
    struct side side = {.link = link, .script = link->stub->story};
    const struct h2_script *script = side.script;
    if (link->inbox.length == 0 && !stub_receive(link))
        return; /* a check that only connects */
    make_session(&side);
    submit_settings(&side, script->is_shut || script->stays_shut);
    if (script->link_window > 0)
        nghttp2_session_set_local_window_size(side.session, NGHTTP2_FLAG_NONE, 0,
                                              (int32_t)script->link_window);
    atomic_fetch_add(&side.script->connections, 1);
    do {
        ssize_t taken = nghttp2_session_mem_recv(side.session, (const uint8_t *)link->inbox.bytes,
                                                 link->inbox.length);
        text_drop(&link->inbox, link->inbox.length);
        release_held(&side);
        if (taken < 0 || nghttp2_session_send(side.session) != 0 || side.is_dying)
            break;
    } while ((nghttp2_session_want_read(side.session) || side.open > 0) && stub_receive(link));
    end_streams(&side);
    nghttp2_session_del(side.session);
}
