/* SPDX-License-Identifier: Apache-2.0 */
/*
 * head ──> body (read and dropped) ──> answer ──> next head, or the end
 *
 * The answer is composed when the head is complete, because the head's bytes make room for the
 * body's, and sent when the body is over. While an answer waits for a slow client nothing more is
 * read.
 */
#include "lb/commands/demo_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lb/commands/demo_page.h"

/* A client that neither sends nor takes a byte for this long is closed. */
enum { PATIENCE_MS = 75000 };

enum demo_state {
    DEMO_HEAD, /* waits for a request's head */
    DEMO_BODY, /* waits for the rest of its body */
    DEMO_OVER, /* waits for nothing: the connection is ending */
};

/* What a step says about the next. */
enum step {
    STEP_AGAIN, /* go on with what is there */
    STEP_READ,  /* more bytes are needed */
    STEP_WAIT,  /* the client takes no more for now, or it is over */
};

struct demo_client {
    struct connection connection;
    struct demo_clients *clients;
    struct list_node node;
    enum demo_state state;
    struct buffer *in; /* received, not used */
    /* the answer */
    unsigned status;
    struct buffer *page;
    bool html;
    bool sends_page; /* false: HEAD */
    bool keep_alive;
    bool is_old; /* HTTP/1.0, where staying connected must be said */
    /* what is left of the request's body */
    enum http_framing framing;
    uint64_t left;
    struct http_chunks chunks;
    struct deadline patience;
};

/* ---- ending ---- */

static void on_closed(struct connection *connection)
{
    struct demo_client *client = LIST_OWNER(connection, struct demo_client, connection);
    struct demo_clients *clients = client->clients;
    list_remove(&client->node);
    free(client);
    clients->count--;
    clients->on_gone(clients);
}

static void release(struct demo_client *client)
{
    deadline_disarm(&client->patience);
    buffer_give(&client->clients->context->buffers, &client->in);
    buffer_give(&client->clients->context->buffers, &client->page);
    http_chunks_done(&client->chunks);
    client->state = DEMO_OVER;
}

static enum step end_at_once(struct demo_client *client)
{
    release(client);
    connection_close(&client->connection, on_closed);
    return STEP_WAIT;
}

/* What was sent last must reach the client although more of its bytes may come. */
static enum step end_politely(struct demo_client *client)
{
    release(client);
    connection_linger(&client->connection, on_closed);
    return STEP_WAIT;
}

static void on_patience_over(struct deadline *deadline)
{
    end_at_once(LIST_OWNER(deadline, struct demo_client, patience));
}

static void be_patient(struct demo_client *client)
{
    deadline_arm(&client->clients->context->deadlines, &client->patience, PATIENCE_MS,
                 on_patience_over);
}

/* ---- answering ---- */

static void write_date(char *into, size_t room)
{
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(into, room, "%a, %d %b %Y %H:%M:%S GMT", &utc);
}

static size_t write_head(const struct demo_client *client, char *into, size_t room)
{
    char date[40];
    write_date(date, sizeof date);
    const char *connection = !client->keep_alive ? "Connection: close\r\n"
                             : client->is_old    ? "Connection: keep-alive\r\n"
                                                 : "";
    int length =
        snprintf(into, room,
                 "HTTP/1.1 %u %s\r\n"
                 "Date: %s\r\n"
                 "X-Backend: %s\r\n"
                 "Content-Type: text/%s; charset=utf-8\r\n"
                 "Content-Length: %zu\r\n"
                 "Cache-Control: no-store\r\n"
                 "X-Content-Type-Options: nosniff\r\n"
                 "Vary: Accept\r\n"
                 "%s\r\n",
                 client->status, http_status_text(client->status), date, client->clients->name,
                 client->html ? "html" : "plain", buffer_length(client->page), connection);
    return length > 0 && (size_t)length < room ? (size_t)length : 0;
}

static enum step send_answer(struct demo_client *client)
{
    char head[768];
    struct iovec pieces[2] = {{head, write_head(client, head, sizeof head)}};
    int count = 1;
    if (client->sends_page && client->page)
        pieces[count++] =
            (struct iovec){client->page->data + client->page->start, buffer_length(client->page)};
    enum io io = connection_write(&client->connection, pieces, count);
    buffer_give(&client->clients->context->buffers, &client->page);
    if (io == IO_FAILED)
        return end_at_once(client);
    if (!client->keep_alive)
        return end_politely(client);
    client->state = DEMO_HEAD;
    return STEP_AGAIN;
}

/* An answer other than 200, after which the connection ends. */
static enum step refuse(struct demo_client *client, unsigned status, const char *why)
{
    struct buffer_pool *pool = &client->clients->context->buffers;
    char text[256];
    int length = snprintf(text, sizeof text, "%s\n%u %s: %s\n", client->clients->name, status,
                          http_status_text(status), why);
    buffer_give(pool, &client->page);
    if (length < 0 || !buffer_append(pool, &client->page, text, strlen(text), sizeof text))
        return end_at_once(client);
    client->status = status;
    client->html = false;
    client->sends_page = true;
    client->keep_alive = false;
    return send_answer(client);
}

/* ---- a request's body ---- */

static enum step drop_length(struct demo_client *client)
{
    size_t there = buffer_length(client->in);
    size_t used = client->left < there ? (size_t)client->left : there;
    if (client->in)
        client->in->start += used;
    client->left -= used;
    return client->left == 0 ? send_answer(client) : STEP_READ;
}

static enum step drop_chunks(struct demo_client *client)
{
    for (;;) {
        size_t there = buffer_length(client->in);
        const char *bytes = there ? client->in->data + client->in->start : "";
        size_t used = 0;
        struct slice data;
        enum http_chunk found = http_chunks_decode(&client->chunks, bytes, there, &used, &data);
        if (client->in)
            client->in->start += used;
        switch (found) {
        case HTTP_CHUNK_DATA:
            break;
        case HTTP_CHUNK_MORE:
            return STEP_READ;
        case HTTP_CHUNK_END:
            http_chunks_done(&client->chunks);
            return send_answer(client);
        case HTTP_CHUNK_BAD:
            return refuse(client, http_fault_status(client->chunks.fault),
                          http_fault_text(client->chunks.fault));
        }
    }
}

static enum step drop_body(struct demo_client *client)
{
    switch (client->framing) {
    case HTTP_NO_BODY:
    case HTTP_UNTIL_CLOSE: /* answers only */
        return send_answer(client);
    case HTTP_LENGTH:
        return drop_length(client);
    case HTTP_CHUNKED:
        return drop_chunks(client);
    }
    return end_at_once(client);
}

/* ---- a request's head ---- */

static enum step send_continue(struct demo_client *client)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct iovec piece = {(char *)(uintptr_t)text, sizeof text - 1};
    return connection_write(&client->connection, &piece, 1) == IO_FAILED ? end_at_once(client)
                                                                         : STEP_AGAIN;
}

static enum step begin_request(struct demo_client *client)
{
    struct demo_clients *clients = client->clients;
    const struct http_request *request = &clients->request;
    client->status = 200;
    client->html = demo_page_wants_html(request);
    client->sends_page = request->method != HTTP_HEAD;
    client->keep_alive = request->keep_alive;
    client->is_old = request->minor == 0;
    client->framing = request->framing;
    client->left = request->length;
    client->chunks = (struct http_chunks){0};
    client->state = DEMO_BODY;
    if (request->method == HTTP_CONNECT)
        return refuse(client, 405, "this backend is no proxy");
    if (!demo_page_write(&clients->context->buffers, &client->page, clients->name, request,
                         client->html))
        return end_at_once(client);
    client->in->start += request->bytes;
    /* Who sent part of the body does not wait for the word (RFC 9110 10.1.1). */
    if (request->expects_continue && buffer_length(client->in) == 0)
        return send_continue(client);
    return STEP_AGAIN;
}

static enum step read_head(struct demo_client *client)
{
    if (buffer_length(client->in) == 0)
        return STEP_READ;
    enum http_fault fault = HTTP_FINE;
    switch (http_parse_request(&client->clients->request, client->in->data + client->in->start,
                               buffer_length(client->in), DEMO_HEAD_BYTES, &fault)) {
    case HTTP_PARTIAL:
        return STEP_READ;
    case HTTP_COMPLETE:
        return begin_request(client);
    case HTTP_INVALID:
        return refuse(client, http_fault_status(fault), http_fault_text(fault));
    }
    return end_at_once(client);
}

/* ---- the way through ---- */

static enum step take_step(struct demo_client *client)
{
    if (connection_pending(&client->connection) > 0)
        return STEP_WAIT;
    switch (client->state) {
    case DEMO_HEAD:
        return read_head(client);
    case DEMO_BODY:
        return drop_body(client);
    case DEMO_OVER:
        return STEP_WAIT;
    }
    return STEP_WAIT;
}

static enum step receive(struct demo_client *client)
{
    struct loop_context *context = client->clients->context;
    size_t got = 0;
    switch (connection_read(&client->connection, context->plain, READ_BYTES, &got)) {
    case IO_DONE:
        if (buffer_append(&context->buffers, &client->in, context->plain, got,
                          DEMO_HEAD_BYTES + READ_BYTES))
            return STEP_AGAIN;
        return end_at_once(client);
    case IO_AGAIN:
        return STEP_WAIT;
    case IO_END:
    case IO_FAILED:
        break;
    }
    return end_at_once(client);
}

static void advance(struct demo_client *client)
{
    enum step step = STEP_AGAIN;
    while (step != STEP_WAIT) {
        step = take_step(client);
        if (step == STEP_READ)
            step = receive(client);
    }
    if (client->state == DEMO_OVER)
        return;
    if (buffer_length(client->in) == 0)
        buffer_give(&client->clients->context->buffers, &client->in);
    connection_want_read(&client->connection, connection_pending(&client->connection) == 0);
}

static void on_ready(struct connection *connection, int events)
{
    struct demo_client *client = LIST_OWNER(connection, struct demo_client, connection);
    be_patient(client);
    if (events & CONNECTION_WRITABLE && connection_flush(connection) == IO_FAILED)
        end_at_once(client);
    else
        advance(client);
}

bool demo_client_open(struct demo_clients *clients, int fd)
{
    struct demo_client *client = calloc(1, sizeof *client);
    if (!client) {
        close(fd);
        return false;
    }
    client->clients = clients;
    if (!connection_open(&client->connection, clients->context, fd, on_ready, NULL)) {
        free(client);
        return false;
    }
    list_append(&clients->open, &client->node);
    clients->count++;
    be_patient(client);
    return true;
}

void demo_clients_close(struct demo_clients *clients)
{
    struct list_node *next = NULL;
    for (struct list_node *node = clients->open.next; node != &clients->open; node = next) {
        struct demo_client *client = LIST_OWNER(node, struct demo_client, node);
        next = node->next;
        release(client);
        connection_close(&client->connection, on_closed);
    }
}
