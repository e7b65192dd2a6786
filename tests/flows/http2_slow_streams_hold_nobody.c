/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flow control of HTTP/2 (RFC 9113, 5.2 and 6.9) from end to end: a stream whose reader or whose
 * backend stands still holds neither the other streams of its connection nor memory, and no window
 * is ever lost, whatever becomes of the streams it was spent on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/house.h"
#include "tests/support/http2_wire.h"
#include "tests/support/process.h"

enum {
    LARGE_BYTES = 8 * 1024 * 1024,
    GROWTH_MOST_KIB = 48 * 1024,
    /* More than lb lets a connection have under way. */
    CONNECTION_MOST_BYTES = 16 * 1024 * 1024,
    WIDE = 1 << 30,
};

/* What a backend is asked for. */
struct story {
    atomic_bool may_read;
    atomic_int poured;
    atomic_uint broken; /* answers that could not be sent to their end */
};

/* Bytes that tell their place. */
static void fill(char *into, size_t at, size_t length)
{
    for (size_t i = 0; i < length; i++)
        into[i] = (char)((at + i) * 31 + ((at + i) >> 8));
}

static bool is_filled(const char *bytes, size_t length)
{
    char wanted[1024];
    for (size_t at = 0; at < length; at += sizeof wanted) {
        size_t rest = length - at < sizeof wanted ? length - at : sizeof wanted;
        fill(wanted, at, rest);
        if (memcmp(bytes + at, wanted, rest) != 0)
            return false;
    }
    return true;
}

/* --- the backend --------------------------------------------------------------------------- */

static void pour(struct stub_link *link, struct story *story)
{
    char piece[16 * 1024];
    struct text head = {0};
    text_add_format(&head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", LARGE_BYTES);
    bool taken = stub_send(link, head.bytes, head.length);
    for (size_t sent = 0; taken && sent < LARGE_BYTES; sent += sizeof piece) {
        fill(piece, sent, sizeof piece);
        taken = stub_send(link, piece, sizeof piece);
        atomic_fetch_add(&story->poured, (int)sizeof piece);
    }
    if (!taken)
        atomic_fetch_add(&story->broken, 1);
    text_done(&head);
}

static void say_length(struct stub_link *link, size_t length)
{
    struct text answer = {0}, body = {0};
    text_add_format(&body, "%zu", length);
    text_add_format(&answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", body.length,
                    body.bytes);
    stub_send(link, answer.bytes, answer.length);
    text_done(&answer);
    text_done(&body);
}

/* The request's body, which is of known length, when the story says so; its length goes back where
 * it is as it should be. */
static void read_body(struct stub_link *link, const char *head, bool waits)
{
    struct story *story = link->stub->story;
    char value[32] = "0";
    text_field(head, "Content-Length", value, sizeof value);
    size_t length = strtoul(value, NULL, 10);
    while (waits && !atomic_load(&story->may_read) && !atomic_load(&link->stub->is_stopping))
        eventually_pause();
    while (link->inbox.length < length && stub_receive(link))
        ;
    bool is_whole = link->inbox.length == length && is_filled(link->inbox.bytes, length);
    text_drop(&link->inbox, link->inbox.length);
    say_length(link, is_whole ? length : 0);
}

static void serve(struct stub_link *link)
{
    struct stub_request request;
    while (stub_read_head(link, &request)) {
        const char *head = request.head.bytes;
        if (strstr(head, " /large ") != NULL)
            pour(link, link->stub->story);
        else if (strstr(head, " /no ") != NULL)
            stub_say(link, "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
        else
            read_body(link, head, strstr(head, " /late ") != NULL);
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

/* --- the house ----------------------------------------------------------------------------- */

struct stage {
    struct house house;
    struct story story;
    struct http2_wire wire;
    long before_kib;
};

static void stage_begin(struct stage *stage)
{
    *stage = (struct stage){0};
    process_measure();
    house_open(&stage->house, &(struct house_plan){.workers = 1,
                                                   .is_https = true,
                                                   .serve = serve,
                                                   .story = &stage->story,
                                                   .listener = "max_body = 0\n"});
    http2_wire_enter(&stage->wire, scene_port(&stage->house.scene, "web"), NULL);
    ck_assert_uint_eq(http2_wire_get(&stage->wire, "/"), 200);
    stage->before_kib = process_memory_kib(stage->house.scene.pid);
}

static void stage_end(struct stage *stage)
{
    ck_assert(http2_wire_ping(&stage->wire));
    ck_assert(!stage->wire.was_sent_away);
    http2_wire_close(&stage->wire);
    house_close(&stage->house);
}

static void expect_memory(const struct stage *stage)
{
    long grown_kib = process_memory_kib(stage->house.scene.pid) - stage->before_kib;
    ck_assert_msg(grown_kib < GROWTH_MOST_KIB, "lb grew by %ld KiB", grown_kib);
}

/* Nothing is poured any more: the same number twice, with a good while between. */
static bool has_come_to_rest(struct stage *stage)
{
    int before = atomic_load(&stage->story.poured);
    for (unsigned i = 0; i < 60; i++)
        eventually_pause();
    return before > 0 && atomic_load(&stage->story.poured) == before;
}

/* What moves is bounded, however long it takes. */
static void await_rest(struct stage *stage)
{
    while (!has_come_to_rest(stage))
        continue;
}

static uint32_t begin_upload(struct stage *stage, const char *path, size_t length)
{
    char field[64];
    snprintf(field, sizeof field, "content-length: %zu\n", length);
    return http2_wire_open(&stage->wire, "POST", path, field);
}

/* As much as the stream's window has room for, if so much is left; returns what was sent. */
static size_t send_window(struct stage *stage, uint32_t stream, const char *body, size_t length)
{
    const struct http2_answer *answer = http2_wire_so_far(&stage->wire, stream);
    size_t room = answer->window > 0 ? (size_t)answer->window : 0;
    size_t sent = room < length ? room : length;
    if (sent > 0)
        ck_assert(http2_wire_data(&stage->wire, stream, body, sent, sent == length));
    return sent;
}

static void expect_length(struct stage *stage, uint32_t stream, size_t length)
{
    const struct http2_answer *answer = http2_wire_answer(&stage->wire, stream);
    ck_assert_uint_eq(answer->status, 200);
    ck_assert_uint_eq(strtoul(answer->body.bytes, NULL, 10), length);
}

static void upload(struct stage *stage, const char *path, size_t length)
{
    char *body = malloc(length);
    fill(body, 0, length);
    uint32_t stream = begin_upload(stage, path, length);
    ck_assert(http2_wire_data(&stage->wire, stream, body, length, true));
    expect_length(stage, stream, length);
    free(body);
}

static void expect_large(struct stage *stage, uint32_t stream)
{
    const struct http2_answer *answer = http2_wire_answer(&stage->wire, stream);
    ck_assert_uint_eq(answer->body.length, LARGE_BYTES);
    ck_assert(answer->has_ended && !answer->was_reset);
    ck_assert(is_filled(answer->body.bytes, LARGE_BYTES));
}

/* --- answers ------------------------------------------------------------------------------- */

START_TEST(answers_that_are_not_taken_hold_no_other)
{
    enum { STOPPED = 30 };
    struct stage stage;
    uint32_t stopped[STOPPED];
    stage_begin(&stage);
    stage.wire.by_hand = true;
    http2_wire_window(&stage.wire, 0, WIDE);
    for (unsigned i = 0; i < STOPPED; i++)
        stopped[i] = http2_wire_ask(&stage.wire, "GET", "/large", NULL);
    for (unsigned i = 0; i < STOPPED; i++)
        ck_assert(http2_wire_await_body(&stage.wire, stopped[i], HTTP2_WIRE_WINDOW_BYTES));
    await_rest(&stage);
    for (unsigned i = 0; i < 50; i++)
        ck_assert_uint_eq(http2_wire_get(&stage.wire, "/"), 200);
    for (unsigned i = 0; i < STOPPED; i++)
        ck_assert_uint_eq(http2_wire_so_far(&stage.wire, stopped[i])->body.length,
                          HTTP2_WIRE_WINDOW_BYTES);
    expect_memory(&stage);
    http2_wire_window(&stage.wire, stopped[7], WIDE);
    expect_large(&stage, stopped[7]);
    stage_end(&stage);
}
END_TEST

START_TEST(a_closed_window_of_the_connection_holds_back_bodies_and_nothing_else)
{
    struct stage stage;
    stage_begin(&stage);
    stage.wire.by_hand = true;
    uint32_t first = http2_wire_ask(&stage.wire, "GET", "/large", NULL);
    /* One byte of the window went to the answer before. */
    ck_assert(http2_wire_await_body(&stage.wire, first, HTTP2_WIRE_WINDOW_BYTES - 1));
    http2_wire_window(&stage.wire, first, WIDE);
    uint32_t second = http2_wire_ask(&stage.wire, "GET", "/large", NULL);
    ck_assert(http2_wire_ping(&stage.wire));
    await_rest(&stage);
    ck_assert(http2_wire_ping(&stage.wire));
    ck_assert_uint_eq(http2_wire_so_far(&stage.wire, second)->status, 200);
    ck_assert_uint_eq(http2_wire_so_far(&stage.wire, second)->body.length, 0);
    expect_memory(&stage);
    http2_wire_window(&stage.wire, second, WIDE);
    http2_wire_window(&stage.wire, 0, WIDE);
    expect_large(&stage, first);
    expect_large(&stage, second);
    stage_end(&stage);
}
END_TEST

/* Some clients open a stream's window when its head is there, and not before. */
START_TEST(heads_need_no_window)
{
    struct stage stage;
    stage_begin(&stage);
    http2_wire_setting(&stage.wire, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0);
    uint32_t stream = http2_wire_ask(&stage.wire, "GET", "/large", NULL);
    const struct http2_answer *answer = http2_wire_so_far(&stage.wire, stream);
    struct http2_frame frame;
    while (answer->status == 0)
        ck_assert(http2_wire_receive(&stage.wire, &frame));
    ck_assert_uint_eq(answer->body.length, 0);
    http2_wire_window(&stage.wire, stream, WIDE);
    expect_large(&stage, stream);
    stage_end(&stage);
}
END_TEST

START_TEST(windows_of_a_byte_give_the_whole_answer)
{
    struct stage stage;
    stage_begin(&stage);
    stage.wire.by_hand = true;
    http2_wire_setting(&stage.wire, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0);
    uint32_t stream = http2_wire_ask(&stage.wire, "GET", "/large", NULL);
    for (size_t length = 1; length <= 2000; length++) {
        http2_wire_window(&stage.wire, stream, 1);
        ck_assert(http2_wire_await_body(&stage.wire, stream, length));
        ck_assert_uint_eq(http2_wire_so_far(&stage.wire, stream)->body.length, length);
    }
    ck_assert(is_filled(http2_wire_so_far(&stage.wire, stream)->body.bytes, 2000));
    stage_end(&stage);
}
END_TEST

/* 6.9.2: what was sent already makes the window negative. */
START_TEST(a_window_may_become_negative)
{
    struct stage stage;
    stage_begin(&stage);
    stage.wire.by_hand = true;
    http2_wire_window(&stage.wire, 0, WIDE);
    uint32_t stream = http2_wire_ask(&stage.wire, "GET", "/large", NULL);
    ck_assert(http2_wire_await_body(&stage.wire, stream, HTTP2_WIRE_WINDOW_BYTES));
    http2_wire_setting(&stage.wire, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0);
    http2_wire_window(&stage.wire, stream, HTTP2_WIRE_WINDOW_BYTES); /* to 0 again */
    ck_assert(http2_wire_ping(&stage.wire));
    ck_assert_uint_eq(http2_wire_so_far(&stage.wire, stream)->body.length, HTTP2_WIRE_WINDOW_BYTES);
    http2_wire_window(&stage.wire, stream, 1);
    ck_assert(http2_wire_await_body(&stage.wire, stream, HTTP2_WIRE_WINDOW_BYTES + 1));
    http2_wire_setting(&stage.wire, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WIDE);
    expect_large(&stage, stream);
    stage_end(&stage);
}
END_TEST

/* Windows are wide open, but nobody reads (CVE-2019-9517). */
START_TEST(a_connection_that_is_not_read_takes_no_memory)
{
    struct stage stage;
    struct http2_wire other;
    stage_begin(&stage);
    stage.wire.by_hand = true;
    http2_wire_setting(&stage.wire, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WIDE);
    http2_wire_window(&stage.wire, 0, WIDE);
    for (unsigned i = 0; i < 80; i++)
        http2_wire_ask(&stage.wire, "GET", "/large", NULL);
    await_rest(&stage);
    expect_memory(&stage);
    http2_wire_enter(&other, scene_port(&stage.house.scene, "web"), NULL);
    for (unsigned i = 0; i < 50; i++)
        ck_assert_uint_eq(http2_wire_get(&other, "/"), 200);
    http2_wire_close(&other);
    http2_wire_close(&stage.wire);
    house_close(&stage.house);
}
END_TEST

START_TEST(a_cancelled_answer_is_fetched_no_more)
{
    struct stage stage;
    stage_begin(&stage);
    stage.wire.by_hand = true;
    uint32_t stream = http2_wire_ask(&stage.wire, "GET", "/large", NULL);
    ck_assert(http2_wire_await_body(&stage.wire, stream, 1024));
    http2_wire_cancel(&stage.wire, stream, NGHTTP2_CANCEL);
    eventually(atomic_load(&stage.story.broken) == 1);
    stage_end(&stage);
}
END_TEST

/* --- bodies of requests -------------------------------------------------------------------- */

START_TEST(uploads_that_stand_still_hold_no_other)
{
    enum { STOPPED = 10, BODY_BYTES = 1024 * 1024 };
    static char body[BODY_BYTES];
    struct stage stage;
    uint32_t stopped[STOPPED];
    size_t sent[STOPPED];
    fill(body, 0, sizeof body);
    stage_begin(&stage);
    for (unsigned i = 0; i < STOPPED; i++) {
        stopped[i] = begin_upload(&stage, "/late", sizeof body);
        sent[i] = send_window(&stage, stopped[i], body, sizeof body);
        ck_assert_uint_ge(sent[i], 32 * 1024);
    }
    for (unsigned i = 0; i < 10; i++)
        upload(&stage, "/", 300 * 1000);
    expect_memory(&stage);
    atomic_store(&stage.story.may_read, true);
    for (unsigned i = 0; i < STOPPED; i++)
        ck_assert(
            http2_wire_data(&stage.wire, stopped[i], body + sent[i], sizeof body - sent[i], true));
    for (unsigned i = 0; i < STOPPED; i++)
        expect_length(&stage, stopped[i], sizeof body);
    stage_end(&stage);
}
END_TEST

START_TEST(a_large_upload_arrives_as_it_was_sent)
{
    struct stage stage;
    stage_begin(&stage);
    upload(&stage, "/", 32 * 1024 * 1024);
    expect_memory(&stage);
    stage_end(&stage);
}
END_TEST

/* Windows were spent on what nobody will take: they come back. */
START_TEST(cancelled_uploads_give_the_window_back)
{
    static char body[HTTP2_WIRE_WINDOW_BYTES];
    struct stage stage;
    fill(body, 0, sizeof body);
    stage_begin(&stage);
    for (size_t sent = 0; sent < CONNECTION_MOST_BYTES;) {
        uint32_t stream = begin_upload(&stage, "/late", LARGE_BYTES);
        sent += send_window(&stage, stream, body, sizeof body);
        http2_wire_cancel(&stage.wire, stream, NGHTTP2_CANCEL);
        if (stream % 16 == 1)
            ck_assert(http2_wire_ping(&stage.wire));
    }
    upload(&stage, "/", 1024 * 1024);
    stage_end(&stage);
}
END_TEST

/* The answer came early; what was under way then is nobody's. */
START_TEST(uploads_that_were_refused_give_the_window_back)
{
    static char body[HTTP2_WIRE_WINDOW_BYTES];
    struct stage stage;
    stage_begin(&stage);
    for (size_t sent = 0; sent < CONNECTION_MOST_BYTES;) {
        uint32_t stream = begin_upload(&stage, "/no", LARGE_BYTES);
        ck_assert_uint_eq(http2_wire_answer(&stage.wire, stream)->status, 403);
        sent += send_window(&stage, stream, body, sizeof body);
        ck_assert(http2_wire_ping(&stage.wire));
    }
    upload(&stage, "/", 1024 * 1024);
    stage_end(&stage);
}
END_TEST

/* 6.9.1: padding counts, and is taken at once. */
START_TEST(padding_gives_the_window_back)
{
    static const char padded[256] = {(char)254, 'x'};
    struct stage stage;
    struct http2_frame frame;
    stage_begin(&stage);
    uint32_t stream = http2_wire_open(&stage.wire, "POST", "/", "content-length: 100000\n");
    struct http2_answer *answer = (struct http2_answer *)http2_wire_so_far(&stage.wire, stream);
    for (unsigned i = 0; i < 99999; i++) {
        while (answer->window < 256 || stage.wire.window < 256)
            ck_assert(http2_wire_receive(&stage.wire, &frame));
        http2_wire_frame(&stage.wire, NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, stream, padded,
                         sizeof padded);
        answer->window -= (int64_t)sizeof padded;
        stage.wire.window -= (int64_t)sizeof padded;
    }
    ck_assert(http2_wire_data(&stage.wire, stream, "x", 1, true));
    ck_assert_uint_eq(http2_wire_answer(&stage.wire, stream)->status, 200);
    stage_end(&stage);
}
END_TEST

/* As many as a client may have, with all that their windows take; none of them has found a backend
 * with a place. */
START_TEST(however_many_uploads_stand_still_another_one_goes_on)
{
    enum { STANDING = 99, UPLOAD_BYTES = 8 * 1024 * 1024 };
    static char body[UPLOAD_BYTES];
    struct scene scene;
    struct stub_backend backend;
    struct http2_wire wire;
    scene_begin(&scene);
    cast_write(&scene);
    stub_start(&backend, "rs-1", NULL);
    scene_set_port(&scene, "rs-1", backend.port);
    scene_start(&scene, "[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\n"
                        "certificate_key = server.key\n\n"
                        "[rule slow]\nlistener = web\nurl = /slow\npool = slow\n\n"
                        "[rule all]\nlistener = web\npool = all\n\n"
                        "[pool slow]\nbackend = rs-2 127.0.0.1:@rs-1 max_connections=1\n"
                        "health_check = off\nqueue_timeout = 1m\n\n"
                        "[pool all]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n");
    http2_wire_enter(&wire, scene_port(&scene, "web"), NULL);
    uint32_t first = http2_wire_open(&wire, "POST", "/slow", NULL);
    for (unsigned i = 1; i < STANDING; i++) {
        uint32_t stream = http2_wire_open(&wire, "POST", "/slow", NULL);
        ck_assert(http2_wire_data(&wire, stream, body, HTTP2_WIRE_WINDOW_BYTES, false));
    }
    uint32_t moving = http2_wire_open(&wire, "POST", "/", NULL);
    ck_assert(http2_wire_data(&wire, moving, body, sizeof body, true));
    ck_assert_uint_eq(http2_wire_answer(&wire, moving)->status, 200);
    for (uint32_t stream = first; stream < moving; stream += 2) {
        const struct http2_answer *answer = http2_wire_so_far(&wire, stream);
        ck_assert(!answer->has_ended && !answer->was_reset);
    }
    http2_wire_close(&wire);
    scene_end(&scene);
    stub_stop(&backend);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, answers_that_are_not_taken_hold_no_other);
    tcase_add_test(tcase, a_closed_window_of_the_connection_holds_back_bodies_and_nothing_else);
    tcase_add_test(tcase, heads_need_no_window);
    tcase_add_test(tcase, windows_of_a_byte_give_the_whole_answer);
    tcase_add_test(tcase, a_window_may_become_negative);
    tcase_add_test(tcase, a_connection_that_is_not_read_takes_no_memory);
    tcase_add_test(tcase, a_cancelled_answer_is_fetched_no_more);
    tcase_add_test(tcase, uploads_that_stand_still_hold_no_other);
    tcase_add_test(tcase, however_many_uploads_stand_still_another_one_goes_on);
    tcase_add_test(tcase, a_large_upload_arrives_as_it_was_sent);
    tcase_add_test(tcase, cancelled_uploads_give_the_window_back);
    tcase_add_test(tcase, uploads_that_were_refused_give_the_window_back);
    tcase_add_test(tcase, padding_gives_the_window_back);
}

CHECK_MAIN("HTTP/2 slow streams hold nobody", add_tests)
