/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bundle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WINDOW_BYTES = (1 << 30) - 1, /* nobody shall wait for this program's windows */
    OUT_BYTES = 64 * 1024,        /* collected for TLS … */
    FRAME_BYTES = 32 * 1024,      /* … and room for the frame that passes them */
};

/* ---- ends ---- */

static void end_unit(struct bundle *bundle, struct visitor *visitor, enum visitor_outcome outcome)
{
    visitor->state = VISITOR_RESTING;
    bundle->busy--;
    bundle->plan->on_end(bundle->plan->listener, visitor, outcome);
}

static void fail_unit(struct bundle *bundle, struct visitor *visitor, const char *doing,
                      const char *reason)
{
    line_note(bundle->plan, doing, reason);
    end_unit(bundle, visitor, VISITOR_FAILED);
}

static void hang_up(struct bundle *bundle)
{
    line_close(&bundle->line);
    nghttp2_session_del(bundle->session);
    bundle->session = NULL;
    free(bundle->out);
    bundle->out = NULL;
    bundle->refusal = NULL;
    bundle->state = BUNDLE_CLOSED;
}

/* The connection is gone, and all units with it; plan->failure says why. */
static void lose(struct bundle *bundle)
{
    hang_up(bundle);
    if (bundle->busy == 0)
        bundle->plan->on_end(bundle->plan->listener, bundle->visitors, VISITOR_CLOSED);
    for (unsigned i = 0; i < bundle->count; i++)
        if (bundle->visitors[i].state != VISITOR_RESTING)
            end_unit(bundle, &bundle->visitors[i], VISITOR_FAILED);
}

/* ---- what comes: callbacks of nghttp2 ---- */

static struct visitor *visitor_of(nghttp2_session *session, int32_t stream)
{
    return nghttp2_session_get_stream_user_data(session, stream);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_bytes, const uint8_t *value, size_t value_bytes, uint8_t flags,
                     void *context)
{
    (void)name_bytes;
    (void)value_bytes; /* nghttp2 ends values with NUL */
    (void)flags;
    (void)context;
    if (name[0] != ':') /* of an answer only :status */
        return 0;
    struct visitor *visitor = visitor_of(session, frame->hd.stream_id);
    if (visitor != NULL)
        visitor->answer.status = (unsigned)strtoul((const char *)value, NULL, 10);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data,
                   size_t bytes, void *context)
{
    struct bundle *bundle = context;
    struct visitor *visitor = visitor_of(session, stream);
    (void)flags;
    (void)data;
    bundle->plan->moved_bytes += bytes;
    if (visitor != NULL)
        visitor->answer.body_bytes += bytes;
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct bundle *bundle = context;
    if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR)
        bundle->refusal = nghttp2_http2_strerror(frame->goaway.error_code);
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    struct visitor *visitor = visitor_of(session, frame->hd.stream_id);
    if (visitor == NULL || visitor->state == VISITOR_RESTING)
        return 0;
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
        visitor->has_ended = true;
        visitor->answered_ns = visitor_now_ns();
    } else if (bundle->plan->holds && visitor->answer.body_bytes > 0) {
        visitor->answered_ns = visitor_now_ns();
        end_unit(bundle, visitor, VISITOR_DONE); /* and its stream stays */
    }
    return 0;
}

/* The stream of a unit ended without an error of HTTP/2. */
static void judge(struct bundle *bundle, struct visitor *visitor)
{
    char text[64];
    const struct answer *answer = &visitor->answer;
    int64_t expected_bytes = bundle->plan->options->expected_bytes;
    snprintf(text, sizeof text, "%u", answer->status);
    if (visitor->sent_bytes < bundle->plan->body_bytes) {
        fail_unit(bundle, visitor, "answered before the whole body was sent", text);
    } else if (answer->status != 200) {
        fail_unit(bundle, visitor, "status", text);
    } else if (!visitor->has_ended) {
        fail_unit(bundle, visitor, "reading the answer", "its stream ended before");
    } else if (expected_bytes >= 0 && answer->body_bytes != (uint64_t)expected_bytes) {
        snprintf(text, sizeof text, "%llu bytes instead of %lld",
                 (unsigned long long)answer->body_bytes, (long long)expected_bytes);
        fail_unit(bundle, visitor, "the body of the answer", text);
    } else {
        end_unit(bundle, visitor, VISITOR_DONE);
    }
}

static int on_stream_end(nghttp2_session *session, int32_t stream, uint32_t error, void *context)
{
    struct bundle *bundle = context;
    struct visitor *visitor = visitor_of(session, stream);
    if (visitor == NULL)
        return 0;
    if (visitor->state == VISITOR_RESTING) /* it was held */
        bundle->plan->on_end(bundle->plan->listener, visitor, VISITOR_CLOSED);
    else if (error != NGHTTP2_NO_ERROR)
        fail_unit(bundle, visitor, "the stream was reset", nghttp2_http2_strerror(error));
    else
        judge(bundle, visitor);
    return 0;
}

/* A request that came too late for this connection. */
static int on_not_sent(nghttp2_session *session, const nghttp2_frame *frame, int problem,
                       void *context)
{
    struct bundle *bundle = context;
    (void)session;
    for (unsigned i = 0; i < bundle->count && frame->hd.type == NGHTTP2_HEADERS; i++) {
        struct visitor *visitor = &bundle->visitors[i];
        if (visitor->state != VISITOR_RESTING && visitor->stream == frame->hd.stream_id)
            fail_unit(bundle, visitor, "beginning a stream", nghttp2_strerror(problem));
    }
    return 0;
}

/* ---- what goes ---- */

static void talk(struct bundle *bundle)
{
    if (bundle->is_talking)
        return;
    bundle->is_talking = true;
    bundle->next_talking = bundle->plan->first_talking;
    bundle->plan->first_talking = bundle;
}

static ssize_t give_body(nghttp2_session *session, int32_t stream, uint8_t *into, size_t room,
                         uint32_t *flags, nghttp2_data_source *source, void *context)
{
    struct bundle *bundle = context;
    struct visitor *visitor = source->ptr;
    uint64_t left = bundle->plan->body_bytes - visitor->sent_bytes;
    size_t part = left < room ? (size_t)left : room;
    (void)session;
    (void)stream;
    memcpy(into, pattern_at(&bundle->plan->pattern, visitor->sent_bytes), part);
    visitor->sent_bytes += part;
    bundle->plan->moved_bytes += part;
    if (part == left)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)part;
}

/* Collect frames until there are enough, or no more. false: the session is broken. */
static bool collect(struct bundle *bundle)
{
    const uint8_t *frame;
    bundle->out_bytes = bundle->out_sent = 0;
    while (bundle->out_bytes < OUT_BYTES) {
        ssize_t bytes = nghttp2_session_mem_send(bundle->session, &frame);
        if (bytes == 0)
            return true;
        if (bytes < 0 || bytes > FRAME_BYTES)
            return false;
        memcpy(bundle->out + bundle->out_bytes, frame, (size_t)bytes);
        bundle->out_bytes += (size_t)bytes;
    }
    return true;
}

/* Give TLS what is collected; TLS may keep records back, see flush_records(). */
static enum line_outcome write_out(struct bundle *bundle)
{
    while (bundle->out_sent < bundle->out_bytes) {
        size_t left = bundle->out_bytes - bundle->out_sent;
        int part = left < LINE_RECORD_BYTES ? (int)left : LINE_RECORD_BYTES;
        line_before_tls();
        int sent = SSL_write(bundle->line.tls, bundle->out + bundle->out_sent, part);
        if (sent <= 0 && line_would_block(&bundle->line, sent))
            return LINE_WAITS;
        if (sent <= 0) {
            line_note_tls(bundle->plan, &bundle->line, "sending requests", sent);
            return LINE_FAILED;
        }
        bundle->out_sent += (size_t)sent;
    }
    return LINE_DONE;
}

static enum line_outcome flush_records(struct bundle *bundle)
{
    BIO *outlet = SSL_get_wbio(bundle->line.tls);
    errno = 0;
    if (BIO_flush(outlet) > 0)
        return LINE_DONE;
    if (BIO_should_retry(outlet))
        return LINE_WAITS;
    line_note(bundle->plan, "sending requests", strerror(errno));
    return LINE_FAILED;
}

/* As much as the socket takes, and as others put up with. */
static enum line_outcome send_all(struct bundle *bundle)
{
    if (bundle->out == NULL)
        bundle->out = malloc(OUT_BYTES + FRAME_BYTES);
    for (size_t turn_bytes = 0; turn_bytes < LINE_TURN_BYTES;) {
        enum line_outcome outcome = write_out(bundle);
        if (outcome != LINE_DONE)
            return outcome;
        if (!collect(bundle)) {
            line_note(bundle->plan, "sending requests", "nghttp2 gave up");
            return LINE_FAILED;
        }
        if (bundle->out_bytes == 0)
            return flush_records(bundle);
        turn_bytes += bundle->out_bytes;
    }
    return line_go_on_later(bundle->plan, &bundle->line, bundle) ? LINE_WAITS : LINE_FAILED;
}

static void flush(struct bundle *bundle)
{
    if (bundle->state != BUNDLE_OPEN)
        return;
    if (bundle->out == NULL)
        bundle->out_bytes = bundle->out_sent = 0;
    switch (send_all(bundle)) {
    case LINE_FAILED:
        lose(bundle);
        return;
    case LINE_WAITS:
        return;
    case LINE_DONE:
        break;
    }
    free(bundle->out);
    bundle->out = NULL;
}

void bundle_flush_all(struct visitor_plan *plan)
{
    while (plan->first_talking != NULL) {
        struct bundle *bundle = plan->first_talking;
        plan->first_talking = bundle->next_talking;
        bundle->is_talking = false;
        flush(bundle);
    }
}

/* ---- the connection ---- */

static bool begin_session(struct bundle *bundle)
{
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0}, {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_BYTES}};
    nghttp2_session_callbacks *callbacks = NULL;
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        return false;
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_end);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_not_sent);
    int problem = nghttp2_session_client_new(&bundle->session, callbacks, bundle);
    nghttp2_session_callbacks_del(callbacks);
    return problem == 0 &&
           nghttp2_submit_settings(bundle->session, NGHTTP2_FLAG_NONE, settings, 2) == 0 &&
           nghttp2_session_set_local_window_size(bundle->session, NGHTTP2_FLAG_NONE, 0,
                                                 WINDOW_BYTES) == 0;
}

/* false: the connection is of no more use, plan->failure says why. */
static bool take(struct bundle *bundle, const uint8_t *data, size_t bytes)
{
    ssize_t used = nghttp2_session_mem_recv(bundle->session, data, bytes);
    if (used < 0)
        line_note(bundle->plan, "reading answers", nghttp2_strerror((int)used));
    else if (bundle->refusal != NULL)
        line_note(bundle->plan, "the peer said GOAWAY", bundle->refusal);
    return used >= 0 && bundle->refusal == NULL;
}

static void read_answers(struct bundle *bundle)
{
    uint8_t data[LINE_RECORD_BYTES];
    for (size_t taken = 0; taken < LINE_TURN_BYTES;) {
        line_before_tls();
        int bytes = SSL_read(bundle->line.tls, data, sizeof data);
        if (bytes <= 0 && line_would_block(&bundle->line, bytes))
            return;
        if (bytes <= 0) {
            line_note_tls(bundle->plan, &bundle->line, "reading answers", bytes);
            lose(bundle);
            return;
        }
        taken += (size_t)bytes;
        if (!take(bundle, data, (size_t)bytes)) {
            lose(bundle);
            return;
        }
    }
    if (!line_go_on_later(bundle->plan, &bundle->line, bundle))
        lose(bundle);
}

static void speak_http2(struct bundle *bundle)
{
    const unsigned char *protocol = NULL;
    unsigned bytes = 0;
    SSL_get0_alpn_selected(bundle->line.tls, &protocol, &bytes);
    if (bytes != 2 || memcmp(protocol, "h2", 2) != 0) {
        line_note(bundle->plan, "TLS handshake", "the peer does not speak HTTP/2");
        lose(bundle);
        return;
    }
    bundle->state = BUNDLE_OPEN;
}

/* Steps that are done at once lead to the next. */
static void get_open(struct bundle *bundle, enum line_outcome outcome)
{
    if (outcome == LINE_DONE && bundle->state == BUNDLE_CONNECTING) {
        bundle->state = BUNDLE_SHAKING;
        outcome = line_shake(bundle->plan, &bundle->line);
    }
    if (outcome == LINE_FAILED)
        lose(bundle);
    else if (outcome == LINE_DONE)
        speak_http2(bundle);
}

static void open_connection(struct bundle *bundle)
{
    struct visitor_plan *plan = bundle->plan;
    bundle->state = BUNDLE_CONNECTING;
    if (!begin_session(bundle)) {
        line_note(plan, "preparing HTTP/2", "out of memory");
        lose(bundle);
        return;
    }
    get_open(bundle, line_open(plan, &bundle->line, bundle, NULL));
}

/* ---- from outside ---- */

void bundle_init(struct bundle *bundle, struct visitor_plan *plan, struct visitor *visitors,
                 unsigned count)
{
    *bundle =
        (struct bundle){.plan = plan, .line.socket = -1, .visitors = visitors, .count = count};
    for (unsigned i = 0; i < count; i++)
        visitors[i].bundle = bundle;
}

void bundle_begin(struct bundle *bundle, struct visitor *visitor, uint64_t due_ns)
{
    struct visitor_plan *plan = bundle->plan;
    visitor->due_ns = due_ns;
    visitor->sent_bytes = 0;
    visitor->fresh = bundle->state == BUNDLE_CLOSED;
    visitor->has_ended = false;
    visitor->state = VISITOR_READING;
    answer_begin(&visitor->answer);
    bundle->busy++;
    if (visitor->fresh)
        open_connection(bundle);
    if (bundle->state == BUNDLE_CLOSED)
        return; /* lost at once */
    const nghttp2_data_provider body = {.source.ptr = visitor, .read_callback = give_body};
    visitor->stream = nghttp2_submit_request(bundle->session, NULL, plan->fields, plan->field_count,
                                             plan->body_bytes > 0 ? &body : NULL, visitor);
    if (visitor->stream < 0)
        fail_unit(bundle, visitor, "beginning a stream", nghttp2_strerror(visitor->stream));
    else
        talk(bundle);
}

void bundle_advance(struct bundle *bundle)
{
    if (bundle->state == BUNDLE_CONNECTING)
        get_open(bundle, line_meet(bundle->plan, &bundle->line));
    else if (bundle->state == BUNDLE_SHAKING)
        get_open(bundle, line_shake(bundle->plan, &bundle->line));
    if (bundle->state == BUNDLE_OPEN)
        read_answers(bundle);
    if (bundle->state != BUNDLE_OPEN)
        return;
    if (bundle->out != NULL || nghttp2_session_want_write(bundle->session) != 0) {
        talk(bundle);
    } else if (nghttp2_session_want_read(bundle->session) == 0) {
        line_note(bundle->plan, "reading answers", "the peer said GOAWAY");
        lose(bundle);
    }
}

void bundle_end(struct bundle *bundle)
{
    if (bundle->line.tls != NULL && SSL_is_init_finished(bundle->line.tls)) {
        line_before_tls();
        SSL_shutdown(bundle->line.tls);
    }
    hang_up(bundle);
}
