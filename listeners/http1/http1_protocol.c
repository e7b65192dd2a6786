/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1 as a client knows its protocol: lb's own refusals, late clients, those who leave. */
#include "listeners/answer/answer.h"
#include "listeners/client.h"
#include "listeners/client_report.h"

/* How long a client that is to leave may still send a request: it may be on its way. */
enum { LAST_REQUEST_MS = 1000 };

/* --- lb's own words ------------------------------------------------------------------------ */

void http1_refuse(struct client *client, unsigned status, const char *why)
{
    struct http1_client *http1 = &client->http1;
    struct clients *clients = client->clients;
    if (http1->state != HTTP1_EXCHANGE) { /* nothing of a bad head may be believed */
        http1->stream.protocol = "HTTP/1.1";
        http1->minor = 1;
        http1->asked_head = false;
        http1->stream.answer_bytes = 0;
    }
    http1->answer = HTTP1_ANSWER_AWAITED;
    http1->keep_alive = false;
    client_report_bad_request(client, status, why);
    answer_write(&http1->stream, status, NULL, why);
    clients->events->answered(clients->roof, &http1->stream, status, why);
    http1->state = HTTP1_ENDING;
    client_end(client);
}

static void abandon(struct http1_client *http1, unsigned status, const char *why)
{
    if (http1->stream.exchange) {
        http1->stream.client->clients->events->abandon(&http1->stream, status, why);
        http1->stream.exchange = NULL;
    }
}

static void late(struct client *client)
{
    struct http1_client *http1 = &client->http1;
    bool answered = http1->state == HTTP1_EXCHANGE || http1->untaken;
    if (answered && connection_pending(&client->connection) > 0 &&
        connection_was_taken(&client->connection)) {
        http1_expect_client(client); /* slow, but it reads: the system's buffers hid that */
        return;
    }
    switch (http1->state) {
    case HTTP1_IDLE:
        if (http1->untaken) {
            client_close(client, true);
        } else {
            client_end(client);
        }
        return;
    case HTTP1_HEAD:
        http1_refuse(client, 408, "the request head took longer than header_timeout");
        return;
    case HTTP1_HELD:
        http1_refuse(client, 503, "the client's certificate could not be registered in time");
        return;
    case HTTP1_EXCHANGE:
        if (http1->answer == HTTP1_ANSWER_AWAITED) {
            static const char why[] = "the client paused longer than body_timeout in its body";
            abandon(http1, 408, why);
            client_report_bad_request(client, 408, why);
            http1->keep_alive = false;
            answer_write(&http1->stream, 408, NULL, why);
            client_end(client);
            return;
        }
        abandon(http1, 0, "the client paused longer than body_timeout");
        client_close(client, true);
        return;
    case HTTP1_ENDING:
        return;
    }
}

static void drain(struct client *client, bool at_once)
{
    if (client->http1.state != HTTP1_IDLE) {
        return;
    }
    if (at_once) {
        client_end(client);
    } else {
        deadline_arm(&client->clients->context->deadlines, &client->deadline, LAST_REQUEST_MS,
                     client->deadline.on_passed);
    }
}

static void done(struct client *client, const char *why)
{
    struct http1_client *http1 = &client->http1;
    if (!http1->stream.ops) {
        return; /* the handshake never completed */
    }
    abandon(http1, 0, why);
    http1->state = HTTP1_ENDING;
    http_chunks_done(&http1->chunks);
    http1->chunks = (struct http_chunks){0};
    http1->input.length = 0;
    buffer_give(&client->clients->context->buffers, &http1->kept);
}

static bool is_at_rest(const struct client *client)
{
    return client->http1.state == HTTP1_IDLE && !client->http1.untaken;
}

const struct client_protocol http1_protocol = {
    .begin = http1_begin,
    .advance = http1_advance,
    .resume = http1_resume,
    .late = late,
    .drain = drain,
    .is_at_rest = is_at_rest,
    .done = done,
};
