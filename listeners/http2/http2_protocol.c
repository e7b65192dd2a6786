/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/2 as a client knows its protocol: wake-ups, idle times, leaving, the end of each turn. */
#include <stdlib.h>

#include "listeners/client.h"
#include "listeners/client_report.h"
#include "listeners/http2/http2_client.h"
#include "listeners/http2/http2_desk.h"
#include "listeners/tally.h"
#include "listeners/traffic.h"

enum {
    /* How long a client that is to leave may still send requests: they may be on their way. */
    LAST_REQUESTS_MS = 1000,
    /* Reads of one wake-up: a client that sends without end must let the worker's others have a
       turn. */
    READS_MOST = 4,
    /* Without a request for so long, it rests. What is done then costs two microseconds when the
       next request comes: nothing to who asks every two seconds. */
    REST_AFTER_MS = 2000,
};

static uint64_t now_ms(const struct http2_client *http2)
{
    return uv_now(http2->client->clients->context->loop);
}

/* --- time ---------------------------------------------------------------------------------- */

static void set_clock(struct http2_client *http2, enum http2_clock clock, uint32_t after_ms)
{
    struct client *client = http2->client;
    if (http2->clock == clock)
        return;
    http2->clock = clock;
    deadline_arm(&client->clients->context->deadlines, &client->deadline, after_ms,
                 client->deadline.on_passed);
}

/* Each head has its own time, though every read may end within one. */
static void watch_head(struct http2_client *http2, uint32_t after_ms)
{
    if (http2->clock_stream != http2->heading->id)
        http2->clock = HTTP2_CLOCK_NONE;
    http2->clock_stream = http2->heading->id;
    set_clock(http2, HTTP2_CLOCK_HEAD, after_ms);
}

/* Anew with whatever the socket takes. */
static void expect_taking(struct http2_client *http2, uint32_t after_ms)
{
    uint64_t sent_bytes = http2->client->connection.sent_bytes;
    if (sent_bytes != http2->seen_sent_bytes)
        http2->clock = HTTP2_CLOCK_NONE;
    http2->seen_sent_bytes = sent_bytes;
    set_clock(http2, HTTP2_CLOCK_TAKING, after_ms);
}

/* keepalive_timeout, anew after each request. Whoever rests for part of it gives memory back. */
static void await_request(struct http2_client *http2, uint32_t after_ms)
{
    if (http2->idle_requests != http2->client->requests) {
        http2->idle_requests = http2->client->requests;
        http2->has_rested = false;
        http2->clock = HTTP2_CLOCK_NONE;
    }
    if (after_ms <= REST_AFTER_MS)
        set_clock(http2, HTTP2_CLOCK_IDLE, after_ms);
    else if (http2->has_rested)
        set_clock(http2, HTTP2_CLOCK_IDLE, after_ms - REST_AFTER_MS);
    else
        set_clock(http2, HTTP2_CLOCK_REST, REST_AFTER_MS);
}

/** What the connection waits for, besides what its streams do. */
static void watch(struct http2_client *http2)
{
    const struct listener_options *options = http2->client->door->listener->options;
    if (http2->state == HTTP2_LEAVING)
        set_clock(http2, HTTP2_CLOCK_LEAVING, LAST_REQUESTS_MS);
    else if (connection_pending(&http2->client->connection) > 0)
        expect_taking(http2, options->body_timeout);
    else if (http2->heading)
        watch_head(http2, options->header_timeout);
    else if (http2->stream_count > 0)
        set_clock(http2, HTTP2_CLOCK_NONE, 0);
    else if (http2->client->requests == 0)
        set_clock(http2, HTTP2_CLOCK_FIRST, options->header_timeout);
    else
        await_request(http2, options->keepalive_timeout);
}

/* Slow is who reads: the system's buffers hide that. */
static bool is_taking_nothing(struct connection *connection)
{
    return connection_pending(connection) > 0 && !connection_was_taken(connection);
}

static void late(struct client *client)
{
    struct http2_client *http2 = client->http2;
    switch (http2->clock) {
    case HTTP2_CLOCK_HEAD:
        http2_terminate(http2, NGHTTP2_PROTOCOL_ERROR, "header-late",
                        "the request head took longer than header_timeout");
        break;
    case HTTP2_CLOCK_TAKING: /* whatever else it waits for, nothing could be told to it */
        http2->is_lost = is_taking_nothing(&client->connection);
        break;
    case HTTP2_CLOCK_REST:
        http2->has_rested = true;
        http2_memory_rest(&http2->memory);
        break;
    case HTTP2_CLOCK_NONE:
    case HTTP2_CLOCK_FIRST:
    case HTTP2_CLOCK_IDLE:
    case HTTP2_CLOCK_LEAVING:
        http2_leave(http2);
        break;
    }
    http2->clock = HTTP2_CLOCK_NONE;
    http2_mark(http2);
}

/* --- leaving ------------------------------------------------------------------------------- */

void http2_leave(struct http2_client *http2)
{
    if (http2->state != HTTP2_SERVING && http2->state != HTTP2_LEAVING)
        return;
    http2->state = HTTP2_LAST;
    http2->owes_goaway = true;
    http2_mark(http2);
}

static void drain(struct client *client, bool at_once)
{
    struct http2_client *http2 = client->http2;
    if (at_once) {
        http2_leave(http2);
    } else if (http2->state == HTTP2_SERVING) {
        http2->state = HTTP2_LEAVING;
        nghttp2_submit_shutdown_notice(http2->session);
        watch(http2);
        http2_mark(http2);
    }
}

void http2_terminate(struct http2_client *http2, uint32_t code, const char *reason, const char *why)
{
    if (http2->state == HTTP2_ENDING)
        return;
    http2->state = HTTP2_ENDING;
    client_report_broken(http2->client, reason, why);
    nghttp2_session_terminate_session(http2->session, code);
    http2_mark(http2);
}

/* --- reading ------------------------------------------------------------------------------- */

static void end_flood(struct http2_client *http2, enum http2_flood flood)
{
    if (http2->state != HTTP2_ENDING)
        tally_count_flood(http2->client->door->listener->tally, flood);
    http2_terminate(http2, NGHTTP2_ENHANCE_YOUR_CALM, http2_flood_name(flood),
                    http2_flood_text(flood));
}

static void take_bytes(struct http2_client *http2, const char *bytes, size_t length)
{
    enum http2_flood flood = http2_meter_feed(&http2->meter, bytes, length, now_ms(http2));
    http2->chunked = NULL;
    if (flood != HTTP2_FLOOD_NONE) {
        end_flood(http2, flood);
        return;
    }
    ssize_t taken = nghttp2_session_mem_recv(http2->session, (const uint8_t *)bytes, length);
    if (taken < 0)
        http2_terminate(http2, NGHTTP2_PROTOCOL_ERROR, "http2-error", nghttp2_strerror((int)taken));
    http2_work(http2);
    for (; http2->fault_count > 0 && flood == HTTP2_FLOOD_NONE; http2->fault_count--)
        flood = http2_meter_fault(&http2->meter, now_ms(http2));
    if (flood != HTTP2_FLOOD_NONE)
        end_flood(http2, flood);
}

/** Who takes no answers is not listened to either, beyond what nghttp2 answers by itself. */
static bool is_listened_to(const struct http2_client *http2)
{
    bool is_stuck = connection_pending(&http2->client->connection) > 0 &&
                    nghttp2_session_get_outbound_queue_size(http2->session) > HTTP2_QUEUE_MOST;
    return http2->state != HTTP2_ENDING && !http2->is_lost && !http2->peer_finished && !is_stuck;
}

static enum io read_once(struct http2_client *http2)
{
    struct client *client = http2->client;
    struct loop_context *context = client->clients->context;
    size_t room = (http2->is_flowing ? FLOW_BYTES : READ_BYTES) + RECORD_BYTES;
    size_t got = 0;
    enum io io = connection_read(&client->connection, context->plain, room, &got);
    if (io == IO_DONE) {
        http2->is_flowing = got >= READ_BYTES / 2;
        take_bytes(http2, context->plain, got);
    }
    return io;
}

static void receive(struct http2_client *http2)
{
    struct connection *connection = &http2->client->connection;
    unsigned reads = 0;
    enum io io = IO_DONE;
    while (io == IO_DONE && is_listened_to(http2) &&
           (reads < READS_MOST || connection_has_unread(connection))) {
        io = read_once(http2);
        reads += http2->is_flowing ? 2 : 1;
    }
    if (io == IO_FAILED || (io == IO_END && connection->truncated))
        http2->is_lost = true;
    else if (io == IO_END)
        http2->peer_finished = true;
    connection_want_read(connection, is_listened_to(http2));
}

/* --- the client's wake-ups ----------------------------------------------------------------- */

static bool begin(struct client *client)
{
    struct clients *clients = client->clients;
    struct http2_client *http2 = calloc(1, sizeof *http2);
    client->http2 = http2;
    if (!http2 || !http2_desk_open(&clients->http2, clients->context->loop, clients->head,
                                   sizeof clients->head))
        return false;
    http2->client = client;
    list_init(&http2->streams);
    list_init(&http2->over);
    list_init(&http2->news);
    http2->traffic = client->door->traffic;
    traffic_count_http2(http2->traffic, 1, 0);
    http2_meter_begin(&http2->meter, (size_t)client->door->listener->options->max_head,
                      now_ms(http2));
    if (!http2_session_open(http2))
        return false;
    watch(http2);
    http2_mark(http2);
    return true;
}

static void flush(struct http2_client *http2)
{
    struct connection *connection = &http2->client->connection;
    if (connection_pending(connection) == 0)
        return;
    if (connection_flush(connection) == IO_FAILED)
        http2->is_lost = true;
    else if (connection_pending(connection) == 0)
        http2_note_all(http2);
}

static void advance(struct client *client, int events)
{
    struct http2_client *http2 = client->http2;
    if (events & CONNECTION_WRITABLE)
        flush(http2);
    receive(http2);
    http2_work(http2);
    http2_mark(http2);
}

static void resume(struct client *client)
{
    struct http2_client *http2 = client->http2;
    struct list_node *all = &http2->streams;
    for (struct list_node *node = all->next; node != all; node = node->next) {
        struct http2_stream *stream = LIST_OWNER(node, struct http2_stream, node);
        if (client_wait_is_over(&stream->stream))
            http2_note(stream);
    }
    http2_work(http2);
    http2_mark(http2);
}

static bool is_at_rest(const struct client *client)
{
    return client->http2->stream_count == 0 && connection_pending(&client->connection) == 0;
}

/* --- the end ------------------------------------------------------------------------------- */

static void free_streams(struct http2_client *http2, const char *why)
{
    const struct clients *clients = http2->client->clients;
    while (!list_is_empty(&http2->streams)) {
        struct http2_stream *stream = LIST_OWNER(http2->streams.next, struct http2_stream, node);
        if (stream->stream.exchange)
            clients->events->abandon(&stream->stream, 0, why);
        stream->stream.exchange = NULL;
        stream->is_closed = true;
        http2_stream_free(stream);
    }
}

static void free_over(struct http2_client *http2)
{
    while (!list_is_empty(&http2->over))
        http2_stream_free(LIST_OWNER(http2->over.next, struct http2_stream, node));
}

static void done(struct client *client, const char *why)
{
    struct http2_client *http2 = client->http2;
    if (!http2)
        return;
    client->http2 = NULL;
    traffic_count_http2(http2->traffic, -1, -(int)http2->told_streams);
    if (http2->session) {
        free_streams(http2, why);
        free_over(http2);
    }
    nghttp2_session_del(http2->session);
    http2_memory_close(&http2->memory);
    http2_head_done(&http2->head);
    if (http2->is_dirty)
        list_remove(&http2->dirty);
    free(http2);
}

/* Once a turn: streams that come and go within one are never seen open. */
static void tell_streams(struct http2_client *http2)
{
    if (http2->told_streams == http2->stream_count)
        return;
    traffic_count_http2(http2->traffic, 0, (int)http2->stream_count - (int)http2->told_streams);
    http2->told_streams = http2->stream_count;
}

static bool is_finished(const struct http2_client *http2)
{
    nghttp2_session *session = http2->session;
    bool wants_nothing =
        !nghttp2_session_want_read(session) && !nghttp2_session_want_write(session);
    bool is_last = (http2->state == HTTP2_LAST && !http2->owes_goaway) || http2->peer_finished;
    return wants_nothing ||
           (is_last && http2->stream_count == 0 && !nghttp2_session_want_write(session));
}

void http2_finish_turn(struct http2_client *http2)
{
    struct client *client = http2->client;
    http2_send(http2);
    if (http2->peer_finished && !http2->is_lost)
        http2_drop_hopeless(http2);
    http2_work(http2);
    free_over(http2);
    tell_streams(http2);
    http2->said = NULL;
    if (http2->is_lost)
        client_close(client, false);
    else if (is_finished(http2))
        client_end(client);
    else
        watch(http2);
}

const struct client_protocol http2_protocol = {
    .begin = begin,
    .advance = advance,
    .resume = resume,
    .late = late,
    .drain = drain,
    .is_at_rest = is_at_rest,
    .done = done,
};
