/* SPDX-License-Identifier: Apache-2.0 */
/* Clients of HTTP/2 that stop in the middle, of whatever: each pause has its timeout, and nobody
 * has it who only says much. */
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/house.h"
#include "tests/support/http2_wire.h"

/* What the client says, then nothing more; it ends. PING does not help. */
static void expect_end(const char *listener, void (*say)(struct http2_wire *wire))
{
    struct house house;
    struct http2_wire wire;
    house_open(&house, &(struct house_plan){.is_https = true, .listener = listener});
    http2_wire_connect(&wire, scene_port(&house.scene, "web"), NULL);
    say(&wire);
    http2_wire_receive_all(&wire);
    http2_wire_close(&wire);
    house_close(&house);
}

static void say_nothing(struct http2_wire *wire)
{
    (void)wire;
}

static void say_half_a_preface(struct http2_wire *wire)
{
    peer_send(&wire->peer, NGHTTP2_CLIENT_MAGIC, 10);
}

static void say_hello(struct http2_wire *wire)
{
    http2_wire_preface(wire);
    http2_wire_frame(wire, NGHTTP2_SETTINGS, 0, 0, NULL, 0);
}

static void say_part_of_a_frame(struct http2_wire *wire)
{
    say_hello(wire);
    http2_wire_header(wire, 20, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1);
    peer_send(&wire->peer, "\x82\x84", 2);
}

static void say_part_of_a_head(struct http2_wire *wire)
{
    say_hello(wire);
    http2_wire_frame(wire, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 1, "\x82\x84", 2);
}

static void ask_once(struct http2_wire *wire)
{
    say_hello(wire);
    http2_wire_get(wire, "/");
}

START_TEST(who_says_nothing_is_sent_away)
{
    expect_end("header_timeout = 300ms\n", say_nothing);
    expect_end("header_timeout = 300ms\n", say_half_a_preface);
    expect_end("header_timeout = 300ms\n", say_hello);
}
END_TEST

START_TEST(who_does_not_finish_a_head_is_sent_away)
{
    expect_end("header_timeout = 300ms\n", say_part_of_a_frame);
    expect_end("header_timeout = 300ms\n", say_part_of_a_head);
}
END_TEST

START_TEST(who_has_nothing_to_ask_any_more_is_sent_away)
{
    expect_end("keepalive_timeout = 300ms\n", ask_once);
    expect_end("keepalive_timeout = 2100ms\n", ask_once); /* gives memory back before */
}
END_TEST

/* The stream, not the connection. */
START_TEST(a_body_that_stops_coming_gets_408_and_its_neighbours_go_on)
{
    struct house house;
    struct http2_wire wire;
    house_open(&house,
               &(struct house_plan){.is_https = true, .listener = "body_timeout = 300ms\n"});
    http2_wire_enter(&wire, scene_port(&house.scene, "web"), NULL);
    uint32_t stream = http2_wire_open(&wire, "POST", "/", "content-length: 10\n");
    ck_assert(http2_wire_data(&wire, stream, "half", 4, false));
    ck_assert_uint_eq(http2_wire_answer(&wire, stream)->status, 408);
    ck_assert_uint_eq(http2_wire_get(&wire, "/"), 200);
    http2_wire_close(&wire);
    house_close(&house);
}
END_TEST

static void answer_much(struct stub_link *link)
{
    static char body[256 * 1024];
    struct stub_request request;
    while (stub_read(link, &request)) {
        if (strstr(request.head.bytes, " /much ") != NULL) {
            stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 262144\r\n\r\n");
            stub_send(link, body, sizeof body);
        } else {
            stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

START_TEST(an_answer_that_nobody_takes_is_cut_and_its_neighbours_go_on)
{
    struct house house;
    struct http2_wire wire;
    house_open(&house, &(struct house_plan){.is_https = true,
                                            .serve = answer_much,
                                            .listener = "body_timeout = 300ms\n"});
    http2_wire_enter(&wire, scene_port(&house.scene, "web"), NULL);
    http2_wire_window(&wire, 0, 1 << 30);
    wire.by_hand = true;
    uint32_t stream = http2_wire_ask(&wire, "GET", "/much", NULL);
    ck_assert(http2_wire_answer(&wire, stream)->was_reset);
    ck_assert_uint_eq(http2_wire_get(&wire, "/"), 200);
    http2_wire_close(&wire);
    house_close(&house);
}
END_TEST

/* Each read ends within a head, and each head is finished at once: longer than any of them may
 * take. */
START_TEST(heads_one_after_another_are_not_one_that_takes_too_long)
{
    static const char block[] = "\x82\x84\x87\x01\x0fwww.example.com";
    enum { HEADER_TIMEOUT_MS = 2000, FIRST_BYTES = 4 };
    struct house house;
    struct http2_wire wire;
    size_t length = sizeof block - 1;
    uint32_t stream = 1;
    house_open(&house, &(struct house_plan){.is_https = true, .listener = "header_timeout = 2s\n"});
    http2_wire_enter(&wire, scene_port(&house.scene, "web"), NULL);
    wire.by_hand = true; /* no frame may come between the halves of another */
    http2_wire_window(&wire, 0, 1 << 30);
    long long end_ms = eventually_now_ms() + HEADER_TIMEOUT_MS * 3 / 2;
    http2_wire_header(&wire, length, NGHTTP2_HEADERS, 5, stream);
    peer_send(&wire.peer, block, FIRST_BYTES);
    for (; eventually_now_ms() < end_ms; stream += 2) {
        struct text bytes = {0};
        const char header[] = {0,
                               0,
                               (char)length,
                               NGHTTP2_HEADERS,
                               5,
                               0,
                               (char)((stream + 2) >> 16),
                               (char)((stream + 2) >> 8),
                               (char)(stream + 2)};
        text_add(&bytes, block + FIRST_BYTES, length - FIRST_BYTES);
        text_add(&bytes, header, sizeof header);
        text_add(&bytes, block, FIRST_BYTES);
        ck_assert(peer_send(&wire.peer, bytes.bytes, bytes.length));
        text_done(&bytes);
        ck_assert_uint_eq(http2_wire_answer(&wire, stream)->status, 200);
    }
    peer_send(&wire.peer, block + FIRST_BYTES, length - FIRST_BYTES);
    ck_assert_uint_eq(http2_wire_answer(&wire, stream)->status, 200);
    ck_assert(!wire.was_sent_away);
    http2_wire_close(&wire);
    house_close(&house);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, who_says_nothing_is_sent_away);
    tcase_add_test(tcase, who_does_not_finish_a_head_is_sent_away);
    tcase_add_test(tcase, who_has_nothing_to_ask_any_more_is_sent_away);
    tcase_add_test(tcase, a_body_that_stops_coming_gets_408_and_its_neighbours_go_on);
    tcase_add_test(tcase, an_answer_that_nobody_takes_is_cut_and_its_neighbours_go_on);
    tcase_add_test(tcase, heads_one_after_another_are_not_one_that_takes_too_long);
}

CHECK_MAIN("HTTP/2 pauses have an end", add_tests)
