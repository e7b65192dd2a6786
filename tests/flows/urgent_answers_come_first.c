/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 9218: of several answers on one HTTP/2 connection the more urgent has what room there is. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/house.h"
#include "tests/support/http2_wire.h"

enum { FIRST = 1, SECOND = 3 }; /* streams */
enum { LITTLE_BYTES = 1024 };
enum { BODY_BYTES = 200 * 1024, WINDOW_BYTES = HTTP2_WIRE_WINDOW_BYTES, WIDE = 16 * 1024 * 1024 };

static atomic_uint answered_count;

/* Smaller than what the system holds for a reader that reads nothing. */
static void answer_much(struct stub_link *link)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 204800\r\n\r\n";
    struct stub_request request;
    char *body = calloc(1, BODY_BYTES);
    while (stub_read(link, &request)) {
        stub_say(link, head);
        stub_send(link, body, BODY_BYTES);
        atomic_fetch_add(&answered_count, 1);
        stub_request_done(&request);
    }
    stub_request_done(&request);
    free(body);
}

/* Streams have room without end; the connection has its first window, and no other by itself. */
static void enter(struct house *house, struct http2_wire *wire)
{
    house_open(house, &(struct house_plan){.is_https = true, .serve = answer_much});
    http2_wire_enter(wire, scene_port(&house->scene, "web"), NULL);
    wire->by_hand = true;
    http2_wire_setting(wire, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WIDE);
    atomic_store(&answered_count, 0);
}

static size_t body_length(struct http2_wire *wire, uint32_t stream)
{
    return http2_wire_so_far(wire, stream)->body.length;
}

/* The first answer has used up the connection's window, the second is ready, too. */
static void begin(struct http2_wire *wire, const char *first_says, const char *second_says)
{
    http2_wire_ask(wire, "GET", "/", first_says);
    ck_assert(http2_wire_await_body(wire, FIRST, WINDOW_BYTES));
    http2_wire_ask(wire, "GET", "/", second_says);
    eventually(atomic_load(&answered_count) == 2);
    ck_assert(http2_wire_ping(wire));
    ck_assert_uint_eq(body_length(wire, FIRST), WINDOW_BYTES);
}

/* There is room for a little more: it is the second's. In the end both are whole. */
static void end(struct house *house, struct http2_wire *wire)
{
    http2_wire_window(wire, 0, LITTLE_BYTES);
    ck_assert(http2_wire_await_body(wire, SECOND, LITTLE_BYTES));
    ck_assert(http2_wire_ping(wire));
    ck_assert_uint_eq(body_length(wire, FIRST), WINDOW_BYTES);
    http2_wire_window(wire, 0, WIDE);
    ck_assert_uint_eq(http2_wire_answer(wire, FIRST)->body.length, BODY_BYTES);
    ck_assert_uint_eq(http2_wire_answer(wire, SECOND)->body.length, BODY_BYTES);
    http2_wire_close(wire);
    house_close(house);
}

START_TEST(the_priority_of_a_request_decides)
{
    struct house house;
    struct http2_wire wire;
    enter(&house, &wire);
    begin(&wire, "priority: u=6\n", "priority: u=1\n");
    end(&house, &wire);
}
END_TEST

START_TEST(who_says_nothing_comes_before_who_can_wait)
{
    struct house house;
    struct http2_wire wire;
    enter(&house, &wire);
    begin(&wire, "priority: u=4\n", NULL);
    end(&house, &wire);
}
END_TEST

START_TEST(a_client_may_change_its_mind)
{
    static const char update[] = {0, 0, 0, SECOND, 'u', '=', '0'};
    struct house house;
    struct http2_wire wire;
    enter(&house, &wire);
    begin(&wire, NULL, "priority: u=5\n");
    http2_wire_frame(&wire, NGHTTP2_PRIORITY_UPDATE, 0, 0, update, sizeof update);
    end(&house, &wire);
}
END_TEST

/* Of what it is going to ask for, against what it says when it asks. */
START_TEST(a_client_may_say_it_before_it_asks)
{
    static const char update[] = {0, 0, 0, SECOND, 'u', '=', '0'};
    struct house house;
    struct http2_wire wire;
    enter(&house, &wire);
    http2_wire_frame(&wire, NGHTTP2_PRIORITY_UPDATE, 0, 0, update, sizeof update);
    begin(&wire, NULL, "priority: u=5\n");
    end(&house, &wire);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, the_priority_of_a_request_decides);
    tcase_add_test(tcase, who_says_nothing_comes_before_who_can_wait);
    tcase_add_test(tcase, a_client_may_change_its_mind);
    tcase_add_test(tcase, a_client_may_say_it_before_it_asks);
}

CHECK_MAIN("urgent answers come first", add_tests)
