/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The load generator tells the truth: what it says it did is what a server saw, unit by unit and
 * byte by byte, and nothing that went wrong is left out.
 */
#include <jansson.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/load_run.h"
#include "tests/support/stub_tls.h"

enum { HOLD_MS = 300, SLOW_MS = 20, MS_US = 1000 };

/* What the server does, and what it saw. */
struct story {
    size_t answer_bytes;
    unsigned refuses_every; /* this and every so many-th request gets 503; 0: none */
    unsigned holds;         /* the number of the request that is held for HOLD_MS; 0: none */
    unsigned silent_after;  /* requests; 0: never */
    long slow_ms;           /* each answer takes so long */
    atomic_uint requests;
    atomic_uint posts;
    atomic_uint refused;
    atomic_ulong body_bytes;
    atomic_bool body_was_odd; /* not the alphabet over and over */
    atomic_ulong held_us;
    atomic_bool is_over; /* the load generator has ended */
};

struct stage {
    struct story story;
    struct made *ca;
    struct made *certificate;
    struct stub_backend server;
    json_t *result;
};

/* ---- the server ---- */

static void note_request(struct story *story, const struct stub_request *request)
{
    if (strncmp(request->head.bytes, "POST ", 5) == 0)
        atomic_fetch_add(&story->posts, 1);
    atomic_fetch_add(&story->body_bytes, request->body.length);
    for (size_t i = 0; i < request->body.length; i++)
        if (request->body.bytes[i] != (char)('a' + i % 26))
            atomic_store(&story->body_was_odd, true);
}

/* The clock is what is under test here: it is looked at until it has moved on. */
static void hold(struct story *story, long ms)
{
    long long began_ms = eventually_now_ms();
    while (eventually_now_ms() - began_ms <= ms)
        eventually_pause();
    if (ms == HOLD_MS)
        atomic_store(&story->held_us, HOLD_MS * MS_US);
}

static bool answer(struct stub_link *link, struct story *story, unsigned number)
{
    struct text text = {0};
    if (story->refuses_every > 0 && number % story->refuses_every == 0) {
        atomic_fetch_add(&story->refused, 1);
        return stub_say(link, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
    }
    text_add_format(&text, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", story->answer_bytes);
    for (size_t i = 0; i < story->answer_bytes; i++)
        text_add(&text, "x", 1);
    bool sent = stub_send(link, text.bytes, text.length);
    text_done(&text);
    return sent;
}

static void serve(struct stub_link *link)
{
    struct story *story = link->stub->story;
    struct stub_request request;
    bool goes_on = true;
    while (goes_on && stub_read(link, &request)) {
        unsigned number = atomic_fetch_add(&story->requests, 1) + 1;
        note_request(story, &request);
        stub_request_done(&request);
        if (story->silent_after > 0 && number > story->silent_after)
            stub_wait_for_end(link);
        if (number == story->holds)
            hold(story, HOLD_MS);
        if (story->slow_ms > 0)
            hold(story, story->slow_ms);
        goes_on = answer(link, story, number);
    }
    if (goes_on)
        stub_request_done(&request);
}

/* Answers the head of a request, and does not read on. */
static void serve_early(struct stub_link *link)
{
    struct story *story = link->stub->story;
    struct stub_request request;
    if (stub_read_head(link, &request))
        stub_say(link, "HTTP/1.1 413 Too \"Large\"\r\nContent-Length: 0\r\n\r\n");
    stub_request_done(&request);
    while (!atomic_load(&story->is_over) && !atomic_load(&link->stub->is_stopping))
        eventually_pause();
}

/* Ends in the middle of every answer but the first. */
static void serve_half(struct stub_link *link)
{
    struct story *story = link->stub->story;
    struct stub_request request;
    while (stub_read(link, &request)) {
        stub_request_done(&request);
        bool whole = atomic_fetch_add(&story->requests, 1) == 0;
        stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234");
        if (!whole)
            return;
        stub_say(link, "56789");
    }
    stub_request_done(&request);
}

static void open_stage(struct stage *stage, stub_serve how)
{
    stage->ca = made_ca("Load CA");
    stage->certificate = made_server(stage->ca, "www.example.com");
    stub_tls_start(&stage->server, "server", how,
                   &(struct stub_tls_plan){.certificate = stage->certificate});
    stage->server.story = &stage->story; /* before anybody connects */
}

static void close_stage(struct stage *stage)
{
    atomic_store(&stage->story.is_over, true);
    stub_stop(&stage->server);
    made_free(stage->certificate);
    made_free(stage->ca);
    json_decref(stage->result);
}

/* ---- the load generator ---- */

static void run(struct stage *stage, int status, const char *arguments)
{
    json_decref(stage->result);
    stage->result = load_run(stage->server.port, status, arguments);
    atomic_store(&stage->story.is_over, true);
}

static double told(const struct stage *stage, const char *name)
{
    return load_run_number(stage->result, name);
}

static unsigned long long counted(const struct stage *stage, const char *name)
{
    return load_run_count(stage->result, name);
}

static const char *failure(const struct stage *stage)
{
    return load_run_failure(stage->result);
}

/* ---- what is counted ---- */

START_TEST(every_request_is_a_unit_or_warming_up)
{
    struct stage stage = {.story = {.answer_bytes = 777}};
    open_stage(&stage, serve);
    run(&stage, 0, "--connections 4 --count 50");
    ck_assert_uint_eq(counted(&stage, "units"), 50);
    ck_assert_uint_eq(counted(&stage, "failures"), 0);
    ck_assert_uint_eq(counted(&stage, "unserved"), 0);
    ck_assert_uint_eq(counted(&stage, "reopened"), 0);
    ck_assert_uint_eq(counted(&stage, "answer_bytes"), 50 * 777);
    ck_assert_uint_eq(counted(&stage, "body_bytes"), 0);
    ck_assert_uint_eq(atomic_load(&stage.story.requests), 54);
    ck_assert_uint_eq(atomic_load(&stage.story.posts), 0);
    ck_assert_uint_eq(atomic_load(&stage.server.connections), 4);
    close_stage(&stage);
}
END_TEST

START_TEST(every_byte_of_an_upload_arrives_and_is_counted)
{
    static const char *const modes[] = {"keep-alive", "full", "resumed"};
    for (unsigned i = 0; i < 3; i++) {
        struct stage stage = {.story = {.answer_bytes = 1}};
        char arguments[128];
        open_stage(&stage, serve);
        snprintf(arguments, sizeof arguments, "--mode %s --connections 2 --count 6 --body 40001",
                 modes[i]);
        run(&stage, 0, arguments);
        ck_assert_uint_eq(counted(&stage, "units"), 6);
        ck_assert_uint_eq(counted(&stage, "body_bytes"), 6 * 40001);
        ck_assert_uint_eq(counted(&stage, "answer_bytes"), 6);
        ck_assert_uint_eq(atomic_load(&stage.story.posts), 8);
        ck_assert_uint_eq(atomic_load(&stage.story.body_bytes), 8 * 40001);
        ck_assert(!atomic_load(&stage.story.body_was_odd));
        close_stage(&stage);
    }
}
END_TEST

START_TEST(a_body_larger_than_every_buffer_arrives_whole)
{
    struct stage stage = {.story = {.answer_bytes = 3000000}};
    open_stage(&stage, serve);
    run(&stage, 0, "--connections 2 --count 2 --body 3333333 --expect 3000000");
    ck_assert_uint_eq(counted(&stage, "body_bytes"), 2 * 3333333);
    ck_assert_uint_eq(counted(&stage, "answer_bytes"), 2 * 3000000);
    ck_assert_uint_eq(atomic_load(&stage.story.body_bytes), 4 * 3333333);
    ck_assert(!atomic_load(&stage.story.body_was_odd));
    close_stage(&stage);
}
END_TEST

START_TEST(an_empty_body_is_a_post_all_the_same)
{
    struct stage stage = {0};
    open_stage(&stage, serve);
    run(&stage, 0, "--connections 1 --count 3 --body 0 --expect 0");
    ck_assert_uint_eq(atomic_load(&stage.story.posts), 4);
    ck_assert_uint_eq(counted(&stage, "body_bytes"), 0);
    close_stage(&stage);
}
END_TEST

START_TEST(handshakes_are_what_the_server_saw)
{
    static const char *const versions[] = {"1.2", "1.3"};
    for (unsigned i = 0; i < 4; i++) {
        struct stage stage = {0};
        char arguments[128];
        bool resumes = i / 2 == 1;
        open_stage(&stage, serve);
        snprintf(arguments, sizeof arguments, "--mode %s --tls %s --connections 3 --count 12",
                 resumes ? "resumed" : "full", versions[i % 2]);
        run(&stage, 0, arguments);
        ck_assert_uint_eq(counted(&stage, "units"), 12);
        ck_assert_uint_eq(counted(&stage, "resumed"), resumes ? 12 : 0);
        ck_assert_uint_eq(atomic_load(&stage.server.tls->handshakes), 15);
        ck_assert_uint_eq(atomic_load(&stage.server.tls->resumed), resumes ? 12 : 0);
        close_stage(&stage);
    }
}
END_TEST

START_TEST(an_open_loop_does_each_unit_once)
{
    static const char *const modes[] = {"keep-alive", "full", "resumed"};
    for (unsigned i = 0; i < 3; i++) {
        struct stage stage = {.story = {.answer_bytes = 5}};
        char arguments[128];
        open_stage(&stage, serve);
        snprintf(arguments, sizeof arguments, "--mode %s --connections 5 --rate 500 --count 60",
                 modes[i]);
        run(&stage, 0, arguments);
        ck_assert_uint_eq(counted(&stage, "rate"), 500);
        ck_assert_uint_eq(counted(&stage, "units"), 60);
        ck_assert_uint_eq(counted(&stage, "answer_bytes"), 300);
        ck_assert_uint_eq(counted(&stage, "unserved"), 0);
        ck_assert_uint_eq(atomic_load(&stage.story.requests), 65);
        /* The last unit is due 118 ms after the first. */
        ck_assert(told(&stage, "seconds") >= 0.118);
        close_stage(&stage);
    }
}
END_TEST

/* ---- what went wrong ---- */

START_TEST(refused_units_are_failures_and_no_units)
{
    struct stage stage = {.story = {.refuses_every = 5}};
    open_stage(&stage, serve);
    run(&stage, 1, "--connections 1 --count 20");
    ck_assert_uint_eq(atomic_load(&stage.story.requests), 21);
    ck_assert_uint_eq(atomic_load(&stage.story.refused), 4);
    ck_assert_uint_eq(counted(&stage, "failures"), 4);
    ck_assert_uint_eq(counted(&stage, "units"), 16);
    ck_assert_uint_eq(counted(&stage, "reopened"), 4);
    ck_assert_str_eq(failure(&stage), "status: HTTP/1.1 503 Busy");
    close_stage(&stage);
}
END_TEST

START_TEST(an_answer_of_another_length_is_a_failure)
{
    struct stage stage = {.story = {.answer_bytes = 10}};
    open_stage(&stage, serve);
    run(&stage, 1, "--connections 1 --count 3 --expect 11");
    ck_assert_uint_eq(counted(&stage, "units"), 0);
    ck_assert_uint_eq(counted(&stage, "failures"), 4); /* one while warming up */
    ck_assert_uint_eq(counted(&stage, "answer_bytes"), 0);
    ck_assert_str_eq(failure(&stage), "the body of the answer: 10 bytes instead of 11");
    close_stage(&stage);
}
END_TEST

START_TEST(half_an_answer_is_a_failure)
{
    struct stage stage = {0};
    open_stage(&stage, serve_half);
    run(&stage, 1, "--connections 1 --count 2");
    ck_assert_uint_eq(counted(&stage, "units"), 0);
    ck_assert_uint_eq(counted(&stage, "failures"), 2);
    ck_assert_str_eq(failure(&stage), "reading the answer: the peer said close_notify");
    close_stage(&stage);
}
END_TEST

START_TEST(an_answer_before_the_end_of_the_body_is_a_failure_that_names_it)
{
    struct stage stage = {0};
    open_stage(&stage, serve_early);
    run(&stage, 1, "--connections 1 --count 1 --body 60000000");
    ck_assert_uint_eq(counted(&stage, "units"), 0);
    ck_assert_uint_eq(counted(&stage, "failures"), 2); /* one while warming up */
    ck_assert_uint_eq(counted(&stage, "body_bytes"), 0);
    ck_assert_str_eq(failure(&stage),
                     "answered before the whole body was sent: HTTP/1.1 413 Too ?Large?");
    close_stage(&stage);
}
END_TEST

START_TEST(a_server_that_is_not_there_fails_every_unit)
{
    struct stage stage = {0};
    open_stage(&stage, serve);
    stub_stop(&stage.server);
    run(&stage, 1, "--connections 2 --count 5 --rate 1000");
    ck_assert_uint_eq(counted(&stage, "failures"), 7); /* two while warming up */
    ck_assert_uint_eq(counted(&stage, "units"), 0);
    ck_assert_str_eq(failure(&stage), "connecting: Connection refused");
    made_free(stage.certificate);
    made_free(stage.ca);
    json_decref(stage.result);
}
END_TEST

/* ---- what is late ---- */

/* One connection, units due every millisecond, the first of them held: none of the others can have
 * been answered earlier than the hold ended. */
START_TEST(a_stall_counts_for_all_units_that_were_due_meanwhile)
{
    struct stage stage = {.story = {.holds = 2}};
    open_stage(&stage, serve);
    run(&stage, 0, "--connections 1 --rate 1000 --count 20");
    double held_us = (double)atomic_load(&stage.story.held_us);
    ck_assert(held_us >= HOLD_MS * MS_US);
    ck_assert_uint_eq(counted(&stage, "units"), 20);
    ck_assert(told(&stage, "most_us") >= held_us);
    ck_assert(told(&stage, "p99_us") >= held_us - 1 * MS_US);
    ck_assert(told(&stage, "p50_us") >= held_us - 19 * MS_US);
    ck_assert(told(&stage, "late_most_us") >= held_us - 1 * MS_US);
    ck_assert(told(&stage, "late_p50_us") >= held_us - 19 * MS_US);
    close_stage(&stage);
}
END_TEST

START_TEST(units_without_an_answer_are_told)
{
    struct stage stage = {.story = {.silent_after = 2}};
    open_stage(&stage, serve);
    run(&stage, 1, "--connections 2 --rate 100 --count 20 --stall 1");
    ck_assert_uint_eq(counted(&stage, "units"), 0);
    ck_assert_uint_eq(counted(&stage, "unserved"), 20);
    ck_assert_uint_eq(counted(&stage, "failures"), 1);
    ck_assert_str_eq(failure(&stage), "2 units stalled");
    close_stage(&stage);
}
END_TEST

START_TEST(a_rate_that_cannot_be_held_is_a_failure)
{
    struct stage stage = {.story = {.slow_ms = SLOW_MS}};
    open_stage(&stage, serve);
    run(&stage, 1, "--connections 1 --rate 1000 --count 100000 --stall 1");
    ck_assert_uint_eq(counted(&stage, "failures"), 1);
    ck_assert_uint_gt(counted(&stage, "units"), 0);
    ck_assert_uint_ge(counted(&stage, "unserved"), 1000); /* a second's worth waits */
    ck_assert_ptr_nonnull(strstr(failure(&stage), " units are due and find no free connection"));
    close_stage(&stage);
}
END_TEST

/* ---- */

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, every_request_is_a_unit_or_warming_up);
    tcase_add_test(tcase, every_byte_of_an_upload_arrives_and_is_counted);
    tcase_add_test(tcase, a_body_larger_than_every_buffer_arrives_whole);
    tcase_add_test(tcase, an_empty_body_is_a_post_all_the_same);
    tcase_add_test(tcase, handshakes_are_what_the_server_saw);
    tcase_add_test(tcase, an_open_loop_does_each_unit_once);
    tcase_add_test(tcase, refused_units_are_failures_and_no_units);
    tcase_add_test(tcase, an_answer_of_another_length_is_a_failure);
    tcase_add_test(tcase, half_an_answer_is_a_failure);
    tcase_add_test(tcase, an_answer_before_the_end_of_the_body_is_a_failure_that_names_it);
    tcase_add_test(tcase, a_server_that_is_not_there_fails_every_unit);
    tcase_add_test(tcase, a_stall_counts_for_all_units_that_were_due_meanwhile);
    tcase_add_test(tcase, units_without_an_answer_are_told);
    tcase_add_test(tcase, a_rate_that_cannot_be_held_is_a_failure);
}

CHECK_MAIN("load", add_tests)
