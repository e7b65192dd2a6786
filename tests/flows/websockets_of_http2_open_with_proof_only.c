/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A WebSocket of an HTTP/2 client (RFC 8441) in front of a backend of HTTP/1.1: lb makes the
 * challenge and checks its answer. Nothing but a proven 101 opens the client's end, for any 2xx
 * would.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/house.h"
#include "tests/support/http2_wire.h"
#include "tests/support/process.h"

static void echo_until_end(struct stub_link *link)
{
    do {
        stub_send(link, link->inbox.bytes, link->inbox.length);
        text_drop(&link->inbox, link->inbox.length);
    } while (stub_receive(link));
}

static void open_tunnel(struct stub_link *link, const char *proof, stub_serve go_on)
{
    struct text answer = {0};
    text_add_format(&answer,
                    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                    "Upgrade: websocket\r\nSec-WebSocket-Protocol: chat\r\n%s\r\nwelcome ",
                    proof);
    stub_send(link, answer.bytes, answer.length);
    text_done(&answer);
    go_on(link);
}

static void leave(struct stub_link *link)
{
    shutdown(link->fd, SHUT_WR);
    stub_wait_for_end(link);
}

/* Reads to the end and stays, until the story is over. */
static void say_no_more(struct stub_link *link)
{
    struct pollfd nothing = {.fd = link->fd};
    stub_wait_for_end(link);
    poll(&nothing, 1, -1);
}

/* What it does is what its path says. */
static void answer_handshake(struct stub_link *link)
{
    struct stub_request request;
    char key[64], accept[STUB_ACCEPT_BYTES];
    char proof[3 * 64];
    if (stub_read_head(link, &request)) {
        const char *head = request.head.bytes;
        ck_assert(text_field(head, "Sec-WebSocket-Key", key, sizeof key));
        ck_assert_uint_eq(strlen(key), 24); /* 16 bytes in base64 */
        ck_assert(stub_websocket_accept(head, accept));
        snprintf(proof, sizeof proof, "Sec-WebSocket-Accept: %s\r\n", accept);
        if (strncmp(head, "GET /right ", 11) == 0)
            open_tunnel(link, proof, echo_until_end);
        else if (strncmp(head, "GET /leaves ", 12) == 0)
            open_tunnel(link, proof, leave);
        else if (strncmp(head, "GET /silent ", 12) == 0)
            open_tunnel(link, proof, say_no_more);
        else if (strncmp(head, "GET /wrong ", 11) == 0)
            open_tunnel(link, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
                        echo_until_end);
        else if (strncmp(head, "GET /none ", 10) == 0)
            open_tunnel(link, "", echo_until_end);
        else if (strncmp(head, "GET /ok ", 8) == 0)
            stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nwelcome");
        else if (strncmp(head, "GET /empty ", 11) == 0)
            stub_say(link, "HTTP/1.1 204 No Content\r\n\r\n");
        else
            stub_say(link, "HTTP/1.1 403 Forbidden\r\nContent-Length: 7\r\n\r\nmembers");
        stub_wait_for_end(link);
    }
    stub_request_done(&request);
}

static uint32_t open_websocket(struct http2_wire *wire, const char *path)
{
    struct text block = {0};
    struct text lines = {0};
    text_add_format(&lines,
                    ":method: CONNECT\n:protocol: websocket\n:scheme: https\n:path: %s\n"
                    ":authority: www.example.com\nsec-websocket-version: 13\n"
                    "sec-websocket-protocol: chat\n",
                    path);
    wire->latest += wire->latest == 0 ? 1 : 2;
    http2_block_add_lines(&block, lines.bytes);
    http2_wire_block(wire, wire->latest, 0, &block);
    text_done(&lines);
    text_done(&block);
    return wire->latest;
}

static void open_house(struct house *house, struct http2_wire *wire)
{
    house_open(house, &(struct house_plan){.is_https = true, .serve = answer_handshake});
    http2_wire_enter(wire, scene_port(&house->scene, "web"), NULL);
}

static void close_house(struct house *house, struct http2_wire *wire)
{
    http2_wire_close(wire);
    house_close(house);
}

START_TEST(a_proven_one_carries_bytes_both_ways_until_both_ends_are_closed)
{
    struct house house;
    struct http2_wire wire;
    open_house(&house, &wire);
    ck_assert(wire.has_connect);
    uint32_t stream = open_websocket(&wire, "/right");
    ck_assert(http2_wire_data(&wire, stream, "ping ", 5, false));
    ck_assert(http2_wire_await_body(&wire, stream, strlen("welcome ping ")));
    ck_assert(http2_wire_data(&wire, stream, "pong", 4, true));
    const struct http2_answer *answer = http2_wire_answer(&wire, stream);
    ck_assert_uint_eq(answer->status, 200);
    ck_assert(answer->has_ended && !answer->was_reset);
    ck_assert_str_eq(answer->body.bytes, "welcome ping pong");
    ck_assert_ptr_nonnull(strstr(answer->fields.bytes, "sec-websocket-protocol: chat\n"));
    ck_assert_ptr_null(strstr(answer->fields.bytes, "sec-websocket-accept"));
    ck_assert_ptr_null(strstr(answer->fields.bytes, "upgrade"));
    close_house(&house, &wire);
}
END_TEST

START_TEST(when_the_backend_has_finished_the_client_may_still_speak)
{
    struct house house;
    struct http2_wire wire;
    open_house(&house, &wire);
    uint32_t stream = open_websocket(&wire, "/leaves");
    const struct http2_answer *answer = http2_wire_answer(&wire, stream);
    ck_assert(answer->has_ended);
    http2_wire_frame(&wire, NGHTTP2_DATA, 0, stream, "last ", 5);
    eventually(stub_has_heard(&house.backend, "last "));
    http2_wire_frame(&wire, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, stream, "words", 5);
    eventually(stub_has_heard(&house.backend, "last words"));
    eventually(scene_access_lines(&house.scene, "\"uri\":\"/leaves\"") == 1);
    ck_assert_uint_eq(scene_access_lines(&house.scene, "\"reason\""), 0);
    ck_assert(http2_wire_ping(&wire) && !answer->was_reset);
    close_house(&house, &wire);
}
END_TEST

/* The other end of a tunnel that is reset is told as RFC 8441 5 has it. */
START_TEST(who_stays_behind_its_backend_s_end_is_cancelled)
{
    struct house house;
    struct http2_wire wire;
    house_open(&house, &(struct house_plan){.is_https = true,
                                            .serve = answer_handshake,
                                            .listener = "body_timeout = 300ms\n"});
    http2_wire_enter(&wire, scene_port(&house.scene, "web"), NULL);
    uint32_t stream = open_websocket(&wire, "/leaves");
    const struct http2_answer *answer = http2_wire_answer(&wire, stream);
    struct http2_frame frame;
    while (!answer->was_reset)
        ck_assert(http2_wire_receive(&wire, &frame));
    ck_assert(answer->has_ended);
    ck_assert_uint_eq(answer->code, NGHTTP2_CANCEL);
    ck_assert(http2_wire_ping(&wire));
    close_house(&house, &wire);
}
END_TEST

/* The end of what it says, then a reset: nobody is left to whom the backend could speak. */
static void finish_and_cancel(struct http2_wire *wire)
{
    uint32_t stream = open_websocket(wire, "/silent");
    ck_assert(http2_wire_await_body(wire, stream, strlen("welcome ")));
    ck_assert(http2_wire_data(wire, stream, "bye", 3, true));
    ck_assert(http2_wire_cancel(wire, stream, NGHTTP2_CANCEL));
}

START_TEST(who_finishes_and_cancels_leaves_nothing_behind)
{
    enum { ROUNDS = 200 };
    struct house house;
    struct http2_wire wire;
    open_house(&house, &wire);
    finish_and_cancel(&wire);
    eventually(scene_access_lines(&house.scene, "\"uri\":\"/silent\"") == 1);
    unsigned before = process_descriptors(house.scene.pid);
    for (unsigned i = 0; i < ROUNDS; i++)
        finish_and_cancel(&wire);
    eventually(scene_access_lines(&house.scene, "the client cancelled the request") == ROUNDS + 1);
    eventually(process_descriptors(house.scene.pid) <= before);
    ck_assert(http2_wire_ping(&wire) && !wire.was_sent_away);
    close_house(&house, &wire);
}
END_TEST

START_TEST(whatever_else_a_backend_says_does_not_open_it)
{
    static const char *const paths[] = {"/wrong", "/none", "/ok", "/empty"};
    struct house house;
    struct http2_wire wire;
    open_house(&house, &wire);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        uint32_t stream = open_websocket(&wire, paths[i]);
        const struct http2_answer *answer = http2_wire_answer(&wire, stream);
        ck_assert_msg(answer->status == 502, "%s: %u", paths[i], answer->status);
        ck_assert_ptr_null(strstr(answer->body.bytes, "welcome"));
    }
    uint32_t stream = open_websocket(&wire, "/members");
    const struct http2_answer *answer = http2_wire_answer(&wire, stream);
    ck_assert_uint_eq(answer->status, 403);
    ck_assert_str_eq(answer->body.bytes, "members");
    close_house(&house, &wire);
}
END_TEST

/* A page that is asked for as a WebSocket is as good as it was: nobody has a backend left out by
 * asking amiss. */
START_TEST(who_asks_a_page_for_a_websocket_harms_no_backend)
{
    struct house house;
    struct http2_wire wire;
    house_open(&house, &(struct house_plan){.is_https = true,
                                            .serve = answer_handshake,
                                            .pool = "passive_failures = 1\nall_down = 503\n"});
    http2_wire_enter(&wire, scene_port(&house.scene, "web"), NULL);
    for (unsigned i = 0; i < 50; i++) {
        const struct http2_answer *answer = http2_wire_answer(&wire, open_websocket(&wire, "/ok"));
        ck_assert_msg(answer->status == 502, "%u: %u", i, answer->status);
    }
    close_house(&house, &wire);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_proven_one_carries_bytes_both_ways_until_both_ends_are_closed);
    tcase_add_test(tcase, when_the_backend_has_finished_the_client_may_still_speak);
    tcase_add_test(tcase, who_stays_behind_its_backend_s_end_is_cancelled);
    tcase_add_test(tcase, who_finishes_and_cancels_leaves_nothing_behind);
    tcase_add_test(tcase, whatever_else_a_backend_says_does_not_open_it);
    tcase_add_test(tcase, who_asks_a_page_for_a_websocket_harms_no_backend);
}

CHECK_MAIN("WebSockets of HTTP/2 open with proof only", add_tests)
