/* SPDX-License-Identifier: Apache-2.0 */
/* Clients of HTTP/2 that stop in the middle, of whatever: each pause has its timeout, and nobody
 * has it who only says much. */
#include <stdlib.h>
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

/* Half a head, which lb has to keep; on every second connection it goes on a little, and still does
 * not end. */
static void begin_a_head(struct http2_wire *wire, unsigned number)
{
    static char value[8 * 1024];
    struct text block = {0};
    memset(value, 'x', sizeof value);
    http2_block_add_lines(&block, ":method: GET\n:scheme: https\n:path: /half\n");
    http2_block_add(&block, "x-long", 6, value, sizeof value);
    say_hello(wire);
    http2_wire_frame(wire, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 1, block.bytes, block.length);
    if (number % 2 == 0)
        http2_wire_frame(wire, NGHTTP2_CONTINUATION, 0, 1, "\x82", 1);
    text_done(&block);
}

static unsigned lines_with(const struct scene *scene, const char *text)
{
    char *log = scene_log(scene);
    unsigned count = text_count(log, text);
    free(log);
    return count;
}

/* Time runs from each head's first frame, whatever follows. */
START_TEST(half_heads_on_many_connections_end_with_their_reason_in_the_log)
{
    enum { CROWD = 100 };
    struct house house;
    struct http2_wire crowd[CROWD], neighbour;
    house_open(&house, &(struct house_plan){
                           .workers = 1, .is_https = true, .listener = "header_timeout = 1s\n"});
    for (unsigned i = 0; i < CROWD; i++) {
        http2_wire_connect(&crowd[i], scene_port(&house.scene, "web"), NULL);
        crowd[i].by_hand = true; /* an acknowledgement within a head would be a fault */
        begin_a_head(&crowd[i], i);
    }
    http2_wire_enter(&neighbour, scene_port(&house.scene, "web"), NULL);
    ck_assert_uint_eq(http2_wire_get(&neighbour, "/"), 200);
    for (unsigned i = 0; i < CROWD; i++) {
        http2_wire_receive_all(&crowd[i]);
        ck_assert(crowd[i].was_sent_away);
        ck_assert_uint_eq(crowd[i].goaway_code, NGHTTP2_PROTOCOL_ERROR);
        http2_wire_close(&crowd[i]);
    }
    eventually(lines_with(&house.scene, "reason=header-late") == CROWD);
    ck_assert_uint_eq(http2_wire_get(&neighbour, "/"), 200);
    http2_wire_close(&neighbour);
    ck_assert(!stub_has_heard(&house.backend, "/half"));
    house_close(&house);
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

/* A window that stays shut: neither what else is said nor a window that opens where another one is
 * shut gives its stream more time. */
START_TEST(a_window_that_stays_shut_has_an_end_whatever_else_is_said)
{
    enum { PAUSES = 20 }; /* between two words, so that none of them floods */
    struct house house;
    struct http2_wire wire;
    struct http2_frame frame;
    house_open(&house, &(struct house_plan){.is_https = true,
                                            .serve = answer_much,
                                            .listener = "body_timeout = 500ms\n"});
    http2_wire_enter(&wire, scene_port(&house.scene, "web"), NULL);
    wire.by_hand = true;
    uint32_t first =
        http2_wire_ask(&wire, "GET", "/much", NULL); /* takes the connection's window */
    ck_assert(http2_wire_await_body(&wire, first, HTTP2_WIRE_WINDOW_BYTES));
    uint32_t second = http2_wire_ask(&wire, "GET", "/much", NULL);
    const struct http2_answer *answer = http2_wire_so_far(&wire, second);
    while (answer->status == 0)
        ck_assert(http2_wire_receive(&wire, &frame));
    for (unsigned i = 0; !answer->was_reset; i++) {
        http2_wire_setting(&wire, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, i % 2 == 0 ? 0 : 1 << 20);
        http2_wire_window(&wire, second, 1);
        ck_assert(http2_wire_ping(&wire));
        for (unsigned pause = 0; pause < PAUSES; pause++)
            eventually_pause();
    }
    ck_assert_uint_eq(answer->body.length, 0);
    http2_wire_window(&wire, 0, 1 << 20);
    http2_wire_setting(&wire, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 20);
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
    tcase_add_test(tcase, half_heads_on_many_connections_end_with_their_reason_in_the_log);
    tcase_add_test(tcase, who_has_nothing_to_ask_any_more_is_sent_away);
    tcase_add_test(tcase, a_body_that_stops_coming_gets_408_and_its_neighbours_go_on);
    tcase_add_test(tcase, an_answer_that_nobody_takes_is_cut_and_its_neighbours_go_on);
    tcase_add_test(tcase, a_window_that_stays_shut_has_an_end_whatever_else_is_said);
    tcase_add_test(tcase, heads_one_after_another_are_not_one_that_takes_too_long);
}

CHECK_MAIN("HTTP/2 pauses have an end", add_tests)
