/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever has to take an answer, or to open a window for it, has body_timeout; who owes nothing is
 * never cut for a pause that is another's. Told over HTTP/2, where many streams wait for different
 * things on one connection.
 */
#include <string.h>
#include <sys/socket.h>

#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/house.h"
#include "tests/support/http2_wire.h"

enum { SMALL_BYTES = 1000, PAGE_BYTES = 8 * 1024, ASKED_MOST = 2000, WIDE = 1 << 30 };

/* Why an exchange ended, in the access log. */
static const char CLOSED[] = "the connection is closed";

struct story {
    atomic_bool may_go_on;
};

/* --- the backend --------------------------------------------------------------------------- */

static void say_bytes(struct stub_link *link, size_t length)
{
    char piece[1024];
    memset(piece, 'x', sizeof piece);
    for (size_t rest = length; rest > 0;) {
        size_t next = rest < sizeof piece ? rest : sizeof piece;
        if (!stub_send(link, piece, next))
            return;
        rest -= next;
    }
}

static void say_head(struct stub_link *link, size_t length)
{
    struct text head = {0};
    text_add_format(&head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", length);
    stub_send(link, head.bytes, head.length);
    text_done(&head);
}

/* At once, so that lb has it whole with one read. */
static void say_all(struct stub_link *link, size_t length)
{
    struct text all = {0};
    text_add_format(&all, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%0*d", length, (int)length,
                    0);
    stub_send(link, all.bytes, all.length);
    text_done(&all);
}

static void await_sign(struct stub_link *link)
{
    struct story *story = link->stub->story;
    while (!atomic_load(&story->may_go_on) && !atomic_load(&link->stub->is_stopping))
        eventually_pause();
}

/* `first` bytes of the answer at once, as many as a page later. */
static void answer_in_two(struct stub_link *link, size_t first)
{
    say_head(link, first + PAGE_BYTES);
    say_bytes(link, first);
    await_sign(link);
    say_bytes(link, PAGE_BYTES);
}

static void answer(struct stub_link *link, const char *head)
{
    if (strstr(head, " /small ") != NULL) {
        say_all(link, SMALL_BYTES);
    } else if (strstr(head, " /window ") != NULL) {
        answer_in_two(link, HTTP2_WIRE_WINDOW_BYTES);
    } else if (strstr(head, " /head ") != NULL) {
        answer_in_two(link, 0);
        stub_wait_for_end(link);
    } else {
        say_all(link, PAGE_BYTES);
    }
}

static void serve(struct stub_link *link)
{
    struct stub_request request;
    while (stub_read_head(link, &request)) {
        answer(link, request.head.bytes);
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

/* --- the stage ----------------------------------------------------------------------------- */

struct stage {
    struct house house;
    struct story story;
    struct http2_wire wire;
};

static void stage_begin(struct stage *stage)
{
    *stage = (struct stage){0};
    house_open(&stage->house,
               &(struct house_plan){.workers = 1,
                                    .is_https = true,
                                    .serve = serve,
                                    .story = &stage->story,
                                    .listener = "body_timeout = 1s\nkeepalive_timeout = 1s\n"});
    http2_wire_enter(&stage->wire, scene_port(&stage->house.scene, "web"), NULL);
    stage->wire.by_hand = true;
}

static void stage_end(struct stage *stage)
{
    http2_wire_close(&stage->wire);
    house_close(&stage->house);
}

static const struct http2_answer *await_reset(struct stage *stage, uint32_t stream)
{
    struct http2_frame frame;
    const struct http2_answer *answer = http2_wire_so_far(&stage->wire, stream);
    while (!answer->was_reset)
        ck_assert_msg(http2_wire_receive(&stage->wire, &frame), "the connection ended");
    return answer;
}

/* A stream that begins now and takes nothing was cut, so body_timeout has passed for all that began
 * before. It leaves the connection's window as it was. */
static void let_body_timeout_pass(struct stage *stage)
{
    http2_wire_setting(&stage->wire, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0);
    await_reset(stage, http2_wire_ask(&stage->wire, "GET", "/small", NULL));
    http2_wire_setting(&stage->wire, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WIDE);
}

/* --- who owes something -------------------------------------------------------------------- */

START_TEST(what_is_left_of_an_answer_waits_no_longer_than_body_timeout)
{
    struct stage stage;
    stage_begin(&stage);
    http2_wire_setting(&stage.wire, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, SMALL_BYTES / 2);
    uint32_t stream = http2_wire_ask(&stage.wire, "GET", "/small", NULL);
    ck_assert_uint_eq(await_reset(&stage, stream)->body.length, SMALL_BYTES / 2);
    ck_assert(http2_wire_ping(&stage.wire));
    stage_end(&stage);
}
END_TEST

START_TEST(a_window_of_the_connection_is_opened_in_time_or_all_that_wait_for_it_are_cut)
{
    enum { STREAMS = 20 };
    struct stage stage;
    uint32_t streams[STREAMS];
    stage_begin(&stage);
    for (unsigned i = 0; i < STREAMS; i++)
        streams[i] = http2_wire_ask(&stage.wire, "GET", "/page", NULL);
    size_t length = 0;
    for (unsigned i = 0; i < STREAMS; i++) {
        const struct http2_answer *answer = http2_wire_so_far(&stage.wire, streams[i]);
        struct http2_frame frame;
        while (!answer->was_reset && !answer->has_ended)
            ck_assert_msg(http2_wire_receive(&stage.wire, &frame), "the connection ended");
        length += answer->body.length;
    }
    ck_assert_uint_eq(length, HTTP2_WIRE_WINDOW_BYTES);
    stage_end(&stage);
}
END_TEST

/* Whatever was answered is complete as far as its stream goes, but the connection is full of it:
 * who asks then has to wait for a client that takes nothing. */
START_TEST(who_reads_nothing_is_sent_away)
{
    const int room = 4096;
    struct stage stage;
    stage_begin(&stage);
    setsockopt(stage.wire.peer.fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    http2_wire_setting(&stage.wire, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WIDE);
    http2_wire_window(&stage.wire, 0, WIDE);
    for (unsigned asked = 1; scene_access_lines(&stage.house.scene, CLOSED) == 0; asked++) {
        ck_assert_uint_lt(asked, ASKED_MOST);
        http2_wire_ask(&stage.wire, "GET", "/page", NULL);
        eventually(scene_access_lines(&stage.house.scene, "/page") == asked);
    }
    stage_end(&stage);
}
END_TEST

/* --- who owes nothing ---------------------------------------------------------------------- */

START_TEST(a_pause_of_the_backends_is_not_the_clients)
{
    struct stage stage;
    stage_begin(&stage);
    uint32_t stream = http2_wire_ask(&stage.wire, "GET", "/window", NULL);
    ck_assert(http2_wire_await_body(&stage.wire, stream, HTTP2_WIRE_WINDOW_BYTES));
    http2_wire_window(&stage.wire, 0, WIDE);
    http2_wire_window(&stage.wire, stream, HTTP2_WIRE_WINDOW_BYTES + PAGE_BYTES);
    let_body_timeout_pass(&stage);
    atomic_store(&stage.story.may_go_on, true);
    const struct http2_answer *answer = http2_wire_answer(&stage.wire, stream);
    ck_assert(answer->has_ended && !answer->was_reset);
    ck_assert_uint_eq(answer->body.length, HTTP2_WIRE_WINDOW_BYTES + PAGE_BYTES);
    stage_end(&stage);
}
END_TEST

/* The answer's head came before the request was complete: either side may be silent. */
START_TEST(once_it_is_answered_a_request_may_pause)
{
    struct stage stage;
    stage_begin(&stage);
    http2_wire_window(&stage.wire, 0, WIDE);
    uint32_t stream = http2_wire_open(&stage.wire, "POST", "/head", NULL);
    const struct http2_answer *answer = http2_wire_so_far(&stage.wire, stream);
    struct http2_frame frame;
    while (answer->status == 0)
        ck_assert(http2_wire_receive(&stage.wire, &frame));
    http2_wire_window(&stage.wire, stream, PAGE_BYTES);
    let_body_timeout_pass(&stage);
    ck_assert(http2_wire_data(&stage.wire, stream, "x", 1, true));
    atomic_store(&stage.story.may_go_on, true);
    answer = http2_wire_answer(&stage.wire, stream);
    ck_assert(answer->has_ended && !answer->was_reset);
    ck_assert_uint_eq(answer->body.length, PAGE_BYTES);
    stage_end(&stage);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, what_is_left_of_an_answer_waits_no_longer_than_body_timeout);
    tcase_add_test(tcase,
                   a_window_of_the_connection_is_opened_in_time_or_all_that_wait_for_it_are_cut);
    tcase_add_test(tcase, who_reads_nothing_is_sent_away);
    tcase_add_test(tcase, a_pause_of_the_backends_is_not_the_clients);
    tcase_add_test(tcase, once_it_is_answered_a_request_may_pause);
}

CHECK_MAIN("HTTP/2 time runs for who is waited for", add_tests)
