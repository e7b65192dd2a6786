/* SPDX-License-Identifier: Apache-2.0 */
/* Visitors that share an HTTP/2 connection: what they say they did is what a server saw, and what
 * goes wrong is told stream by stream. */
#include <nghttp2/nghttp2.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/load_run.h"
#include "tests/support/stub_http2.h"
#include "tests/support/stub_tls.h"

/* What the server does, and what it saw. */
struct story {
    size_t answer_bytes;
    unsigned refuses_every; /* this and every so many-th request gets 503; 0: none */
    unsigned resets_every;  /* … is reset */
    unsigned goes_at;       /* the request that is answered with GOAWAY; 0: none */
    bool keeps_open;        /* answers to /hold do not end */
    atomic_uint requests;
    atomic_uint posts;
    atomic_uint held;
    atomic_uint strange; /* another host or path than was asked for */
    atomic_ulong body_bytes;
    atomic_bool body_was_odd; /* not the alphabet over and over */
};

struct stage {
    struct story story;
    struct made *ca;
    struct made *certificate;
    struct stub_backend server;
    json_t *result;
};

static void note(struct story *story, const struct stub_http2_request *request)
{
    const struct text *body = &request->body;
    if (strcmp(request->method, "POST") == 0)
        atomic_fetch_add(&story->posts, 1);
    if (strcmp(request->authority, "www.example.com") != 0 || request->path[0] != '/')
        atomic_fetch_add(&story->strange, 1);
    atomic_fetch_add(&story->body_bytes, body->length);
    for (size_t i = 0; i < body->length; i++)
        if (body->bytes[i] != (char)('a' + i % 26))
            atomic_store(&story->body_was_odd, true);
}

static bool is_turn(unsigned every, unsigned number)
{
    return every > 0 && number % every == 0;
}

static void hear(struct stub_http2 *talk, const struct stub_http2_request *request)
{
    struct story *story = stub_http2_link(talk)->stub->story;
    unsigned number = atomic_fetch_add(&story->requests, 1) + 1;
    bool holds = story->keeps_open && strcmp(request->path, "/hold") == 0;
    note(story, request);
    if (holds)
        atomic_fetch_add(&story->held, 1);
    if (number == story->goes_at)
        stub_http2_go_away(talk, NGHTTP2_ENHANCE_YOUR_CALM);
    else if (is_turn(story->resets_every, number))
        stub_http2_reset(talk, request->stream, NGHTTP2_REFUSED_STREAM);
    else if (is_turn(story->refuses_every, number))
        stub_http2_answer(talk, request->stream, 503, 3, true);
    else
        stub_http2_answer(talk, request->stream, 200, holds ? 1 : story->answer_bytes, !holds);
}

static void serve(struct stub_link *link)
{
    stub_http2_serve(link, hear);
}

static void open_stage_of(struct stage *stage, bool speaks_http2)
{
    stage->ca = made_ca("Load CA");
    stage->certificate = made_server(stage->ca, "www.example.com");
    stub_tls_start(
        &stage->server, "server", speaks_http2 ? serve : NULL,
        &(struct stub_tls_plan){.certificate = stage->certificate, .speaks_http2 = speaks_http2});
    stage->server.story = &stage->story; /* before anybody connects */
}

static void open_stage(struct stage *stage)
{
    open_stage_of(stage, true);
}

static void close_stage(struct stage *stage)
{
    stub_stop(&stage->server);
    made_free(stage->certificate);
    made_free(stage->ca);
    json_decref(stage->result);
}

static void run(struct stage *stage, int status, const char *arguments)
{
    json_decref(stage->result);
    stage->result = load_run(stage->server.port, status, arguments);
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

START_TEST(every_request_is_a_unit_or_warming_up_of_one_stream)
{
    struct stage stage = {.story = {.answer_bytes = 777}};
    open_stage(&stage);
    run(&stage, 0, "--http2 5 --connections 2 --count 60 --expect 777");
    ck_assert_uint_eq(counted(&stage, "units"), 60);
    ck_assert_uint_eq(counted(&stage, "failures"), 0);
    ck_assert_uint_eq(counted(&stage, "reopened"), 0);
    ck_assert_uint_eq(counted(&stage, "answer_bytes"), 60 * 777);
    ck_assert_uint_eq(counted(&stage, "connections"), 2);
    ck_assert_uint_eq(atomic_load(&stage.story.requests), 70);
    ck_assert_uint_eq(atomic_load(&stage.story.strange), 0);
    ck_assert_uint_eq(atomic_load(&stage.story.posts), 0);
    ck_assert_uint_eq(atomic_load(&stage.server.connections), 2);
    close_stage(&stage);
}
END_TEST

START_TEST(bodies_larger_than_every_window_arrive_whole_both_ways)
{
    struct stage stage = {.story = {.answer_bytes = 2000000}};
    open_stage(&stage);
    run(&stage, 0, "--http2 3 --connections 2 --count 6 --body 700001 --expect 2000000");
    ck_assert_uint_eq(counted(&stage, "body_bytes"), 6 * 700001);
    ck_assert_uint_eq(counted(&stage, "answer_bytes"), 6 * 2000000);
    ck_assert_uint_eq(atomic_load(&stage.story.posts), 12);
    ck_assert_uint_eq(atomic_load(&stage.story.body_bytes), 12 * 700001);
    ck_assert(!atomic_load(&stage.story.body_was_odd));
    close_stage(&stage);
}
END_TEST

START_TEST(an_empty_body_is_a_post_all_the_same)
{
    struct stage stage = {0};
    open_stage(&stage);
    run(&stage, 0, "--http2 1 --connections 1 --count 3 --body 0 --expect 0");
    ck_assert_uint_eq(atomic_load(&stage.story.posts), 4);
    close_stage(&stage);
}
END_TEST

START_TEST(an_open_loop_does_each_unit_once)
{
    struct stage stage = {.story = {.answer_bytes = 5}};
    open_stage(&stage);
    run(&stage, 0, "--http2 10 --connections 2 --rate 500 --count 60");
    ck_assert_uint_eq(counted(&stage, "units"), 60);
    ck_assert_uint_eq(counted(&stage, "unserved"), 0);
    ck_assert_uint_eq(atomic_load(&stage.story.requests), 80);
    /* The last unit is due 118 ms after the first. */
    ck_assert(load_run_number(stage.result, "seconds") >= 0.118);
    close_stage(&stage);
}
END_TEST

START_TEST(more_streams_than_the_server_takes_wait_for_their_turn)
{
    struct stage stage = {.story = {.answer_bytes = 5}};
    open_stage(&stage);
    run(&stage, 0, "--http2 150 --connections 1 --count 450");
    ck_assert_uint_eq(counted(&stage, "units"), 450);
    ck_assert_uint_eq(atomic_load(&stage.story.requests), 600);
    close_stage(&stage);
}
END_TEST

START_TEST(held_streams_are_done_when_their_answers_begin)
{
    struct stage stage = {.story = {.answer_bytes = 5, .keeps_open = true}};
    open_stage(&stage);
    run(&stage, 0, "--mode held --path /hold --http2 7 --connections 3");
    ck_assert_uint_eq(counted(&stage, "units"), 21);
    ck_assert_uint_eq(counted(&stage, "closed_by_peer"), 0);
    ck_assert_uint_eq(atomic_load(&stage.story.held), 21);
    ck_assert_uint_eq(atomic_load(&stage.story.requests), 42); /* each was warmed up with / */
    close_stage(&stage);
}
END_TEST

/* ---- what went wrong ---- */

START_TEST(a_reset_stream_is_a_failure_and_leaves_the_others)
{
    struct stage stage = {.story = {.resets_every = 5}};
    open_stage(&stage);
    run(&stage, 1, "--http2 4 --connections 1 --count 21");
    ck_assert_uint_eq(counted(&stage, "failures"), 5);
    ck_assert_uint_eq(counted(&stage, "units"), 16);
    ck_assert_uint_eq(counted(&stage, "reopened"), 0);
    ck_assert_uint_eq(atomic_load(&stage.story.requests), 25);
    ck_assert_str_eq(failure(&stage), "the stream was reset: REFUSED_STREAM");
    close_stage(&stage);
}
END_TEST

START_TEST(a_status_other_than_200_is_a_failure)
{
    struct stage stage = {.story = {.refuses_every = 5}};
    open_stage(&stage);
    run(&stage, 1, "--http2 4 --connections 1 --count 21");
    ck_assert_uint_eq(counted(&stage, "failures"), 5);
    ck_assert_uint_eq(counted(&stage, "units"), 16);
    ck_assert_str_eq(failure(&stage), "status: 503");
    close_stage(&stage);
}
END_TEST

START_TEST(an_answer_of_another_length_is_a_failure)
{
    struct stage stage = {.story = {.answer_bytes = 10}};
    open_stage(&stage);
    run(&stage, 1, "--http2 2 --connections 1 --count 3 --expect 11");
    ck_assert_uint_eq(counted(&stage, "units"), 0);
    ck_assert_uint_eq(counted(&stage, "failures"), 5); /* two while warming up */
    ck_assert_str_eq(failure(&stage), "the body of the answer: 10 bytes instead of 11");
    close_stage(&stage);
}
END_TEST

START_TEST(goaway_with_an_error_fails_the_units_of_its_connection)
{
    struct stage stage = {.story = {.goes_at = 20}};
    open_stage(&stage);
    run(&stage, 1, "--http2 1 --connections 1 --count 40");
    ck_assert_uint_eq(counted(&stage, "failures"), 1);
    ck_assert_uint_eq(counted(&stage, "units"), 39);
    ck_assert_uint_eq(counted(&stage, "reopened"), 1);
    ck_assert_str_eq(failure(&stage), "the peer said GOAWAY: ENHANCE_YOUR_CALM");
    close_stage(&stage);
}
END_TEST

START_TEST(no_unit_is_lost_with_its_connection)
{
    struct stage stage = {.story = {.goes_at = 20}};
    open_stage(&stage);
    run(&stage, 1, "--http2 8 --connections 1 --count 40");
    ck_assert_uint_gt(counted(&stage, "failures"), 0);
    ck_assert_uint_eq(counted(&stage, "units") + counted(&stage, "failures"), 40);
    ck_assert_uint_eq(atomic_load(&stage.server.connections), 2);
    close_stage(&stage);
}
END_TEST

START_TEST(a_server_without_http2_is_a_failure)
{
    struct stage stage = {0};
    open_stage_of(&stage, false);
    run(&stage, 1, "--http2 2 --connections 1 --count 1");
    ck_assert_uint_eq(counted(&stage, "units"), 0);
    ck_assert_ptr_nonnull(strstr(failure(&stage), "TLS handshake: "));
    close_stage(&stage);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, every_request_is_a_unit_or_warming_up_of_one_stream);
    tcase_add_test(tcase, bodies_larger_than_every_window_arrive_whole_both_ways);
    tcase_add_test(tcase, an_empty_body_is_a_post_all_the_same);
    tcase_add_test(tcase, an_open_loop_does_each_unit_once);
    tcase_add_test(tcase, more_streams_than_the_server_takes_wait_for_their_turn);
    tcase_add_test(tcase, held_streams_are_done_when_their_answers_begin);
    tcase_add_test(tcase, a_reset_stream_is_a_failure_and_leaves_the_others);
    tcase_add_test(tcase, a_status_other_than_200_is_a_failure);
    tcase_add_test(tcase, an_answer_of_another_length_is_a_failure);
    tcase_add_test(tcase, goaway_with_an_error_fails_the_units_of_its_connection);
    tcase_add_test(tcase, no_unit_is_lost_with_its_connection);
    tcase_add_test(tcase, a_server_without_http2_is_a_failure);
}

CHECK_MAIN("bundle", add_tests)
