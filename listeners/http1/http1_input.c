/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1 from a client: what arrives, its heads, and the client's wake-ups. Bodies: http1_body.c.
 *
 * Bytes are read into the loop's own array and used from there (`input`); only what is left when
 * the wake-up ends is copied into `kept`. A small request therefore costs one read and no copy.
 */
#include <string.h>

#include "listeners/client.h"

/* Reads of one wake-up: a client that sends without end must let the worker's others have a turn.
 */
enum { FILLS_MOST = 2 };

static struct client *client_of(struct http1_client *http1)
{
    return http1->stream.client;
}

static void watch(struct client *client, uint32_t after_ms)
{
    struct deadline *deadline = &client->deadline;
    deadline_arm(&client->clients->context->deadlines, deadline, after_ms, deadline->on_passed);
}

void http1_expect_client(struct client *client)
{
    watch(client, client->door->listener->options->body_timeout);
}

/* --- input --------------------------------------------------------------------------------- */

/** At the end of a wake-up: what the loop's array holds for us must survive in a buffer of our own.
 */
static bool keep_input(struct http1_client *http1)
{
    struct client *client = client_of(http1);
    struct buffer *kept = http1->kept;
    if (http1->input.length == 0) {
        buffer_give(&client->clients->context->buffers, &http1->kept);
        return true;
    }
    if (kept) { /* it is there already; what was used is forgotten */
        kept->start = kept->end - http1->input.length;
        return true;
    }
    if (!buffer_append(&client->clients->context->buffers, &http1->kept, http1->input.at,
                       http1->input.length, sizeof client->clients->context->plain)) {
        return false;
    }
    http1->input.at = http1->kept->data + http1->kept->start;
    return true;
}

/** One read from the connection, behind what is there already. */
enum io http1_fill(struct http1_client *http1, size_t room)
{
    struct client *client = client_of(http1);
    struct loop_context *context = client->clients->context;
    size_t got = 0;
    connection_want_read(&client->connection, true);
    if (http1->fills >= FILLS_MOST && !http1->peer_finished &&
        !connection_has_unread(&client->connection)) {
        http1->starved = true; /* what is still in the socket wakes us again */
        return IO_AGAIN;
    }
    http1->fills++;
    if (!keep_input(http1)) { /* it may lie where the read goes */
        return IO_FAILED;
    }
    enum io io = connection_read(&client->connection, context->plain, room, &got);
    http1->starved = io == IO_AGAIN;
    if (io != IO_DONE) {
        return io;
    }
    http1->fills += (unsigned)((got - 1) / (READ_BYTES + RECORD_BYTES));
    if (http1->input.length == 0) {
        http1->input = (struct slice){context->plain, got};
        return IO_DONE;
    }
    if (!buffer_append(&context->buffers, &http1->kept, context->plain, got,
                       2 * (size_t)READ_BYTES + HEAD_MOST_BYTES)) {
        return IO_FAILED;
    }
    http1->input.at = http1->kept->data + http1->kept->start;
    http1->input.length = buffer_length(http1->kept);
    return IO_DONE;
}

/* --- heads --------------------------------------------------------------------------------- */

/** The roof wants to be asked again later: the head is still to be taken. */
static void hold_head(struct client *client, struct slice head)
{
    struct http1_client *http1 = &client->http1;
    http1->state = HTTP1_HELD;
    http1->input = head;
    client->requests--;
    connection_want_read(&client->connection, false);
    watch(client, client_wait_most_ms(&http1->stream));
}

static void begin_exchange(struct client *client, const struct http_request *request)
{
    struct http1_client *http1 = &client->http1;
    struct clients *clients = client->clients;
    const struct slice head = http1->input;
    http1->state = HTTP1_EXCHANGE;
    http1->answer = HTTP1_ANSWER_AWAITED;
    http1->minor = request->minor;
    http1->asked_head = request->method == HTTP_HEAD;
    http1->keep_alive =
        request->keep_alive && client->door->listener->options->keepalive_timeout > 0;
    http1->stream.fault_status = 0;
    http1->stream.fault_text = NULL;
    http1->stream.protocol = request->minor ? "HTTP/1.1" : "HTTP/1.0";
    http1->stream.request_body_bytes = 0;
    http1->stream.answer_bytes = 0;
    client->requests++;
    deadline_disarm(&client->deadline);
    http1_begin_body(http1, request);
    http1->stream.holds_body = request->expects_continue && http1->body != HTTP1_BODY_COMPLETE;
    /* The head's bytes stay where they are until begin() returns or reads the body. */
    http1->input.at += request->bytes;
    http1->input.length -= request->bytes;
    if (http1->body == HTTP1_BODY_LENGTH && http1_over_max_body(http1, (size_t)request->length)) {
        http1_refuse(client, 413, "the body is larger than max_body");
        return;
    }
    clients->events->begin(clients->roof, &http1->stream, request);
    if (http1->stream.wait != STREAM_WAITS_NOT)
        hold_head(client, head);
}

/** The client closed between or within heads, or the socket failed. */
static void head_ended(struct client *client, enum io io)
{
    if (io == IO_END) {
        client_end(client);
    } else {
        client_close(client, false);
    }
}

/** false: nothing more to do in this wake-up. */
static bool take_head(struct client *client)
{
    struct http1_client *http1 = &client->http1;
    const struct listener_options *options = client->door->listener->options;
    struct http_request *request = &client->clients->request;
    enum http_fault fault = HTTP_FINE;
    if (http1->input.length > 0) {
        switch (http_parse_request(request, http1->input.at, http1->input.length,
                                   (size_t)options->max_head, &fault)) {
        case HTTP_COMPLETE:
            begin_exchange(client, request);
            return true;
        case HTTP_INVALID:
            http1_refuse(client, http_fault_status(fault), http_fault_text(fault));
            return false;
        case HTTP_PARTIAL:
            break;
        }
        if (http1->state == HTTP1_IDLE) {
            http1->state = HTTP1_HEAD;
            watch(client, options->header_timeout);
        }
    }
    enum io io = http1_fill(http1, READ_BYTES);
    if (io == IO_AGAIN) {
        return false;
    }
    if (io != IO_DONE) {
        head_ended(client, io);
        return false;
    }
    return true;
}

/* --- the client's wake-ups ----------------------------------------------------------------- */

/**
 * While an exchange does not read: pipelined requests are kept up to a bound, a finished peer is
 * noted (it may still want its answer), a vanished one ends the exchange. false: the client is
 * gone.
 */
static bool watch_client(struct client *client)
{
    struct http1_client *http1 = &client->http1;
    if (http1->body != HTTP1_BODY_COMPLETE || http1->peer_finished ||
        http1->input.length >= READ_BYTES) {
        connection_want_read(&client->connection, false);
        return true;
    }
    enum io io = http1_fill(http1, READ_BYTES);
    bool vanished = io == IO_FAILED || (io == IO_END && client->connection.truncated);
    if (vanished) {
        client_close(client, false);
        return false;
    }
    if (io == IO_END) {
        http1->peer_finished = true;
        connection_want_read(&client->connection, false);
    }
    return true;
}

static void run_exchange(struct client *client, int events)
{
    struct http1_client *http1 = &client->http1;
    http1->starved = false;
    client->clients->events->advance(&http1->stream, events);
    if (client->state == CLIENT_SERVING && http1->state == HTTP1_EXCHANGE &&
        events & CONNECTION_READABLE && !http1->starved) {
        watch_client(client);
    }
}

/** Go on until the wake-up has nothing more to give. */
static void serve(struct client *client, int events)
{
    struct http1_client *http1 = &client->http1;
    bool go_on = true;
    while (go_on && client->state == CLIENT_SERVING) {
        switch (http1->state) {
        case HTTP1_IDLE:
        case HTTP1_HEAD:
            if (http1->untaken) { /* a client that does not read is not listened to either */
                connection_want_read(&client->connection, false);
                go_on = false;
                break;
            }
            go_on = take_head(client);
            if (http1->state == HTTP1_EXCHANGE || http1->state == HTTP1_HELD) {
                go_on = false; /* begin() did all that can be done now */
            }
            break;
        case HTTP1_HELD:
            go_on = false;
            break;
        case HTTP1_EXCHANGE:
            run_exchange(client, events);
            go_on = http1->state != HTTP1_EXCHANGE;
            break;
        case HTTP1_ENDING:
            go_on = false;
            break;
        }
    }
    if (client->state == CLIENT_SERVING && !keep_input(http1)) {
        client_close(client, false);
    }
}

bool http1_begin(struct client *client)
{
    struct http1_client *http1 = &client->http1;
    http1->stream.ops = &http1_stream_ops;
    http1->stream.client = client;
    http1->state = HTTP1_IDLE;
    watch(client, client->door->listener->options->header_timeout);
    return true;
}

void http1_resume(struct client *client)
{
    struct http1_client *http1 = &client->http1;
    if (http1->state != HTTP1_HELD || !client_wait_is_over(&http1->stream)) {
        return;
    }
    http1->state = HTTP1_IDLE;
    http1->fills = 0;
    connection_want_read(&client->connection, true);
    serve(client, CONNECTION_READABLE);
}

/** Send on what waits. false: the client is gone. */
static bool flush(struct client *client)
{
    size_t before = connection_pending(&client->connection);
    if (before == 0) {
        return true;
    }
    enum io io = connection_flush(&client->connection);
    if (io == IO_FAILED) {
        client_close(client, false);
        return false;
    }
    if (client->http1.state != HTTP1_EXCHANGE && !client->http1.untaken) {
        return true; /* its deadline is about the next request */
    }
    if (io == IO_DONE) {
        http1_answer_taken(client);
    } else if (connection_pending(&client->connection) < before) {
        http1_expect_client(client);
    }
    return true;
}

void http1_advance(struct client *client, int events)
{
    client->http1.fills = 0;
    if (!(events & CONNECTION_WRITABLE) || flush(client)) {
        serve(client, events);
    }
}

void http1_settle(struct stream *stream)
{
    struct http1_client *http1 = (struct http1_client *)(void *)stream;
    struct client *client = client_of(http1);
    if (client->state != CLIENT_SERVING) {
        return;
    }
    http1->fills = 0;
    if (http1->state == HTTP1_IDLE &&
        (http1->input.length > 0 || connection_has_unread(&client->connection))) {
        serve(client, CONNECTION_READABLE);
    } else if (!keep_input(http1)) {
        client_close(client, false);
    }
}
