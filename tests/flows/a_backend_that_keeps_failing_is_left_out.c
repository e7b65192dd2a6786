/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passive failures: a backend whose exchanges fail several times in a row gets nothing for a while,
 * then a chance to prove itself. Which failures count, and what happens when nobody is left.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/peer.h"
#include "tests/support/scene.h"
#include "tests/support/stub_backend.h"

struct stage {
    struct scene scene;
    struct stub_backend bad;
    struct stub_backend good;
    unsigned asked;
};

/* serve NULL: nobody listens where bad should be. Rule /bad leads to bad alone. */
static void stage_begin(struct stage *stage, stub_serve serve, const char *pool)
{
    struct text ini = {0};
    *stage = (struct stage){0};
    scene_begin(&stage->scene);
    stub_start(&stage->good, "good", NULL);
    scene_set_port(&stage->scene, "good", stage->good.port);
    if (serve != NULL) {
        stub_start(&stage->bad, "bad", serve);
        scene_set_port(&stage->scene, "bad", stage->bad.port);
    }
    text_add_format(&ini,
                    "[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\n\n"
                    "[rule all]\nlistener = web\npool = app\n\n"
                    "[rule bad]\nlistener = web\nurl = /bad\npool = bad\n\n"
                    "[pool app]\nbackend = bad 127.0.0.1:@bad\nbackend = good 127.0.0.1:@good\n"
                    "health_check = off\n%s\n"
                    "[pool bad]\nbackend = bad 127.0.0.1:@bad\nhealth_check = off\n%s\n",
                    pool, pool);
    scene_start(&stage->scene, ini.bytes);
    text_done(&ini);
}

static void stage_end(struct stage *stage)
{
    scene_end(&stage->scene);
    stub_stop(&stage->good);
    if (stage->bad.serve != NULL)
        stub_stop(&stage->bad);
}

static const char get[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
static const char post[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
static const char get_bad[] = "GET /bad HTTP/1.1\r\nHost: a\r\n\r\n";

static unsigned ask(struct stage *stage, const char *request)
{
    struct peer peer;
    peer_connect(&peer, scene_port(&stage->scene, "web"));
    unsigned status = peer_ask(&peer, request);
    stage->asked++;
    peer_close(&peer);
    return status;
}

static bool is_blocked(const struct stage *stage, const char *pool)
{
    char word[32];
    snprintf(word, sizeof word, "pool=%s", pool);
    return scene_log_has(&stage->scene, "backend.blocked", word, "backend=bad", NULL);
}

/* Requests so far that never met bad. */
static unsigned spared(const struct stage *stage)
{
    eventually(scene_access_lines(&stage->scene, "\"status\":") == stage->asked);
    return scene_access_lines(&stage->scene, "\"backend\":\"good\",\"attempts\":1");
}

/* The log may say it before the workers know: two requests in turn are enough to tell. */
static void let_it_be_known(struct stage *stage)
{
    unsigned before;
    do {
        before = spared(stage);
        ask(stage, get);
        ask(stage, get);
    } while (spared(stage) != before + 2);
}

/* --- how bad may be ------------------------------------------------------------------------ */

static void die_at_once(struct stub_link *link)
{
    stub_reset(link);
}

static void die_after_the_request(struct stub_link *link)
{
    struct stub_request request;
    stub_read(link, &request);
    stub_request_done(&request);
    stub_reset(link);
}

static void talk_nonsense(struct stub_link *link)
{
    struct stub_request request;
    stub_read(link, &request);
    stub_request_done(&request);
    stub_say(link, "what?\r\n\r\n");
}

static void stall(struct stub_link *link)
{
    stub_wait_for_end(link);
}

static bool say_half(struct stub_link *link)
{
    struct stub_request request;
    bool is_read = stub_read(link, &request);
    stub_request_done(&request);
    return is_read && stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
}

static void close_within_the_body(struct stub_link *link)
{
    say_half(link);
}

static void reset_within_the_body(struct stub_link *link)
{
    say_half(link);
    stub_reset(link);
}

static void stall_within_the_body(struct stub_link *link)
{
    say_half(link);
    stub_wait_for_end(link);
}

static void talk_nonsense_within_the_body(struct stub_link *link)
{
    struct stub_request request;
    stub_read(link, &request);
    stub_request_done(&request);
    stub_say(link, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
    stub_say(link, "what?\r\n");
}

static void refuse_with_500(struct stub_link *link)
{
    struct stub_request request;
    while (stub_read(link, &request)) {
        stub_request_done(&request);
        stub_say(link, "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n");
    }
    stub_request_done(&request);
}

static void fail_twice_of_three(struct stub_link *link)
{
    unsigned *count = link->stub->story;
    struct stub_request request;
    bool is_read = stub_read(link, &request);
    stub_request_done(&request);
    if (is_read && ++*count % 3 == 0)
        stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

static void break_off_twice_of_three(struct stub_link *link)
{
    unsigned *count = link->stub->story;
    struct stub_request request;
    bool is_read = stub_read(link, &request);
    stub_request_done(&request);
    if (is_read)
        stub_say(link, ++*count % 3 == 0 ? "HTTP/1.1 503 Oh\r\nContent-Length: 4\r\n\r\nhalf"
                                         : "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
}

static void leave_a_tunnel_once_of_three(struct stub_link *link)
{
    unsigned *count = link->stub->story;
    struct stub_request request;
    if (stub_read(link, &request) && ++*count % 3 == 0)
        stub_switch(link, &request, "");
    stub_request_done(&request);
    stub_reset(link);
}

#define LONG_BLOCK "passive_block = 1h\nanswer_timeout = 1s\n"

/* --- what counts --------------------------------------------------------------------------- */

START_TEST(after_three_failures_in_a_row_it_gets_nothing_more)
{
    static const stub_serve ways[] = {NULL, die_at_once, die_after_the_request, talk_nonsense,
                                      stall};
    struct stage stage;
    stage_begin(&stage, ways[_i], LONG_BLOCK);
    while (!is_blocked(&stage, "app")) {
        unsigned status = ask(&stage, get);
        ck_assert_msg(status == 200 || (ways[_i] == talk_nonsense && status == 502), "%u", status);
    }
    ck_assert(scene_log_has(&stage.scene, "backend.blocked", "3 exchanges in a row failed", NULL));
    let_it_be_known(&stage);
    unsigned before = spared(&stage);
    for (unsigned i = 0; i < 10; i++)
        ck_assert_uint_eq(ask(&stage, i % 2 ? get : post), 200);
    ck_assert_uint_eq(spared(&stage), before + 10);
    stage_end(&stage);
}
END_TEST

START_TEST(after_three_answers_in_a_row_that_break_off_it_gets_nothing_more)
{
    static const stub_serve ways[] = {close_within_the_body, reset_within_the_body,
                                      stall_within_the_body, talk_nonsense_within_the_body};
    struct stage stage;
    stage_begin(&stage, ways[_i], LONG_BLOCK);
    for (unsigned i = 0; i < 3; i++)
        ask(&stage, get_bad);
    eventually(is_blocked(&stage, "bad"));
    ck_assert_uint_eq(atomic_load(&stage.bad.requests), 3);
    stage_end(&stage);
}
END_TEST

START_TEST(complete_answers_of_any_kind_block_nobody)
{
    struct stage stage;
    stage_begin(&stage, refuse_with_500, LONG_BLOCK);
    for (unsigned i = 0; i < 12; i++)
        ask(&stage, get);
    ck_assert_uint_eq(atomic_load(&stage.bad.requests), 6);
    ck_assert(!is_blocked(&stage, "app"));
    stage_end(&stage);
}
END_TEST

START_TEST(an_answer_in_between_starts_the_count_anew)
{
    struct stage stage;
    unsigned count = 0;
    stage_begin(&stage, fail_twice_of_three, LONG_BLOCK);
    stage.bad.story = &count;
    for (unsigned i = 0; i < 12; i++)
        ck_assert_uint_eq(ask(&stage, get_bad), i % 3 == 2 ? 200 : 502);
    ck_assert(!is_blocked(&stage, "bad"));
    stage_end(&stage);
}
END_TEST

START_TEST(a_complete_answer_in_between_starts_the_count_of_cut_ones_anew)
{
    struct stage stage;
    unsigned count = 0;
    stage_begin(&stage, break_off_twice_of_three, LONG_BLOCK);
    stage.bad.story = &count;
    for (unsigned i = 0; i < 12; i++)
        ask(&stage, get_bad);
    ck_assert_uint_eq(count, 12);
    ck_assert(!is_blocked(&stage, "bad"));
    stage_end(&stage);
}
END_TEST

START_TEST(a_tunnel_has_answered_however_it_ends)
{
    static const char upgrade[] = "GET /bad HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
                                  "Upgrade: websocket\r\n\r\n";
    struct stage stage;
    unsigned count = 0;
    stage_begin(&stage, leave_a_tunnel_once_of_three, LONG_BLOCK);
    stage.bad.story = &count;
    for (unsigned i = 0; i < 12; i++) {
        struct peer peer;
        peer_connect(&peer, scene_port(&stage.scene, "web"));
        ck_assert(peer_say(&peer, upgrade));
        ck_assert(peer_receive_until(&peer, i % 3 == 2 ? "HTTP/1.1 101 " : "HTTP/1.1 502 "));
        if (i % 3 == 2)
            peer_receive_all(&peer);
        peer_close(&peer);
    }
    ck_assert(!is_blocked(&stage, "bad"));
    stage_end(&stage);
}
END_TEST

START_TEST(a_client_that_leaves_within_an_answer_is_no_failure_of_the_backend)
{
    struct stage stage;
    stage_begin(&stage, stall_within_the_body, "passive_block = 1h\n");
    for (unsigned i = 0; i < 6; i++) {
        struct peer peer;
        peer_connect(&peer, scene_port(&stage.scene, "web"));
        ck_assert(peer_say(&peer, get_bad));
        ck_assert(peer_receive_until(&peer, "half"));
        peer_reset(&peer);
    }
    eventually(scene_access_lines(&stage.scene, "/bad") == 6);
    ck_assert(!is_blocked(&stage, "bad"));
    stage_end(&stage);
}
END_TEST

START_TEST(a_client_that_goes_away_is_no_failure_of_the_backend)
{
    struct stage stage;
    stage_begin(&stage, stall, "passive_block = 1h\n");
    for (unsigned i = 0; i < 6; i++) {
        struct peer peer;
        peer_connect(&peer, scene_port(&stage.scene, "web"));
        ck_assert(peer_say(&peer, get_bad));
        eventually(atomic_load(&stage.bad.connections) == i + 1);
        peer_reset(&peer);
    }
    eventually(scene_access_lines(&stage.scene, "/bad") == 6);
    ck_assert(!is_blocked(&stage, "bad"));
    stage_end(&stage);
}
END_TEST

START_TEST(with_passive_failures_0_nobody_is_ever_left_out)
{
    struct stage stage;
    stage_begin(&stage, NULL, LONG_BLOCK "passive_failures = 0\n");
    for (unsigned i = 0; i < 20; i++)
        ck_assert_uint_eq(ask(&stage, get), 200);
    eventually(scene_access_lines(&stage.scene, "\"attempts\":2") == 10);
    ck_assert(!is_blocked(&stage, "app"));
    stage_end(&stage);
}
END_TEST

/* --- and then ------------------------------------------------------------------------------ */

START_TEST(after_the_block_one_more_failure_is_enough)
{
    struct stage stage;
    stage_begin(&stage, die_after_the_request, "passive_block = 200ms\n");
    while (!is_blocked(&stage, "app"))
        ck_assert_uint_eq(ask(&stage, get), 200);
    unsigned before = atomic_load(&stage.bad.requests);
    ck_assert_uint_ge(before, 3);
    while (atomic_load(&stage.bad.requests) == before)
        ck_assert_uint_eq(ask(&stage, get), 200);
    eventually(scene_log_has(&stage.scene, "backend.unblocked", "backend=bad", NULL));
    unsigned blocks = 0;
    do {
        char *log = scene_log(&stage.scene);
        blocks = 0;
        for (const char *at = log; (at = strstr(at, "backend.blocked")) != NULL; at++)
            blocks++;
        free(log);
    } while (blocks < 2);
    stage_end(&stage);
}
END_TEST

START_TEST(a_backend_that_has_recovered_serves_again)
{
    struct stage stage;
    stage_begin(&stage, NULL, "passive_block = 100ms\n");
    while (!is_blocked(&stage, "app"))
        ck_assert_uint_eq(ask(&stage, get), 200);
    stub_start_at(&stage.bad, "bad", NULL, scene_port(&stage.scene, "bad"));
    eventually(ask(&stage, get) == 200 && atomic_load(&stage.bad.requests) > 0);
    unsigned bad = atomic_load(&stage.bad.requests);
    unsigned good = atomic_load(&stage.good.requests);
    for (unsigned i = 0; i < 10; i++)
        ck_assert_uint_eq(ask(&stage, get), 200);
    ck_assert_uint_eq(atomic_load(&stage.bad.requests), bad + 5);
    ck_assert_uint_eq(atomic_load(&stage.good.requests), good + 5);
    stage_end(&stage);
}
END_TEST

START_TEST(when_all_are_left_out_they_are_asked_all_the_same)
{
    struct stage stage;
    stage_begin(&stage, NULL, LONG_BLOCK);
    while (!is_blocked(&stage, "bad"))
        ck_assert_uint_eq(ask(&stage, get_bad), 502);
    ck_assert_uint_eq(ask(&stage, get_bad), 502);
    stub_start_at(&stage.bad, "bad", NULL, scene_port(&stage.scene, "bad"));
    ck_assert_uint_eq(ask(&stage, get_bad), 200);
    eventually(scene_log_has(&stage.scene, "pool.all-down", "pool=bad", "are tried", NULL));
    stage_end(&stage);
}
END_TEST

START_TEST(a_request_that_all_others_failed_is_asked_of_whom_is_left_out)
{
    struct stage stage;
    stage_begin(&stage, NULL, LONG_BLOCK "idle_links = 0\n");
    while (!is_blocked(&stage, "app"))
        ck_assert_uint_eq(ask(&stage, get), 200);
    stub_start_at(&stage.bad, "bad", NULL, scene_port(&stage.scene, "bad"));
    stub_stop(&stage.good);
    ck_assert_uint_eq(ask(&stage, post), 200);
    ck_assert_uint_eq(ask(&stage, get), 200);
    eventually(scene_access_lines(&stage.scene, "\"backend\":\"bad\",\"attempts\":2") == 2);
    stub_start_at(&stage.good, "good", NULL, scene_port(&stage.scene, "good"));
    stage_end(&stage);
}
END_TEST

START_TEST(with_all_down_503_nobody_is_asked)
{
    struct stage stage;
    stage_begin(&stage, NULL, LONG_BLOCK "all_down = 503\n");
    for (unsigned i = 0; i < 3; i++)
        ck_assert_uint_eq(ask(&stage, get_bad), 502);
    eventually(ask(&stage, get_bad) == 503);
    eventually(is_blocked(&stage, "bad"));
    eventually(scene_access_lines(&stage.scene, "\"reason\":\"no backend is up\"") > 0);
    ck_assert_uint_eq(ask(&stage, get_bad), 503);
    ck_assert(scene_log_has(&stage.scene, "pool.down", "pool=bad", "get 503", NULL));
    char *log = scene_log(&stage.scene);
    ck_assert_uint_eq(text_count(log, " pool.down "), 1); /* once, not for each request */
    free(log);
    ck_assert_uint_eq(ask(&stage, get), 200); /* of the other pool nothing is known yet */
    stage_end(&stage);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, after_three_failures_in_a_row_it_gets_nothing_more, 0, 5);
    tcase_add_loop_test(tcase, after_three_answers_in_a_row_that_break_off_it_gets_nothing_more, 0,
                        4);
    tcase_add_test(tcase, complete_answers_of_any_kind_block_nobody);
    tcase_add_test(tcase, a_complete_answer_in_between_starts_the_count_of_cut_ones_anew);
    tcase_add_test(tcase, a_tunnel_has_answered_however_it_ends);
    tcase_add_test(tcase, a_client_that_leaves_within_an_answer_is_no_failure_of_the_backend);
    tcase_add_test(tcase, an_answer_in_between_starts_the_count_anew);
    tcase_add_test(tcase, a_client_that_goes_away_is_no_failure_of_the_backend);
    tcase_add_test(tcase, with_passive_failures_0_nobody_is_ever_left_out);
    tcase_add_test(tcase, after_the_block_one_more_failure_is_enough);
    tcase_add_test(tcase, a_backend_that_has_recovered_serves_again);
    tcase_add_test(tcase, when_all_are_left_out_they_are_asked_all_the_same);
    tcase_add_test(tcase, a_request_that_all_others_failed_is_asked_of_whom_is_left_out);
    tcase_add_test(tcase, with_all_down_503_nobody_is_asked);
}

CHECK_MAIN("a backend that keeps failing is left out", add_tests)
