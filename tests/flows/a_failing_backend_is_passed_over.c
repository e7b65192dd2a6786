/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backends that refuse, stall or die: another one is asked where that is safe, otherwise the client
 * learns it (502, 504) and the log says why. A TCP check keeps a dead backend out.
 */
#include <stdlib.h>
#include <string.h>

#include "lb/base/limits.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/peer.h"
#include "tests/support/scene.h"
#include "tests/support/stub_backend.h"

struct stage {
    struct scene scene;
    struct stub_backend bad;
    struct stub_backend good;
};

/* serve NULL: nobody listens where bad should be. */
static void stage_begin(struct stage *stage, stub_serve serve, const char *pool)
{
    struct text ini = {0};
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
                    "[pool app]\nbackend = bad 127.0.0.1:@bad\nbackend = good 127.0.0.1:@good\n%s\n"
                    "[pool bad]\nbackend = bad 127.0.0.1:@bad\n%s\n",
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

static const char unchecked[] = "health_check = off\nanswer_timeout = 1s\nconnect_timeout = 1s\n";

static void expect_good_ten_times(struct stage *stage, const char *request)
{
    struct peer peer;
    struct answer answer;
    peer_connect(&peer, scene_port(&stage->scene, "web"));
    for (unsigned i = 0; i < 10; i++) {
        ck_assert(peer_say(&peer, request));
        ck_assert(peer_read_answer(&peer, "GET", &answer));
        ck_assert_msg(answer.status == 200, "%s", answer.head);
        ck_assert_str_eq(answer.body.bytes, "good");
        answer_done(&answer);
    }
    peer_close(&peer);
}

static const char get[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
static const char post[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";

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

static void close_after_the_request(struct stub_link *link)
{
    struct stub_request request;
    stub_read(link, &request);
    stub_request_done(&request);
}

static void stall(struct stub_link *link)
{
    stub_wait_for_end(link);
}

START_TEST(a_backend_that_refuses_is_passed_over_for_every_method)
{
    struct stage stage = {0};
    stage_begin(&stage, NULL, unchecked);
    expect_good_ten_times(&stage, get);
    expect_good_ten_times(&stage, post);
    stage_end(&stage);
}
END_TEST

START_TEST(a_safe_request_is_asked_again_of_another_backend)
{
    static const stub_serve ways[] = {die_at_once, die_after_the_request, close_after_the_request,
                                      stall};
    struct stage stage = {0};
    stage_begin(&stage, ways[_i], unchecked);
    expect_good_ten_times(&stage, get);
    eventually(scene_access_lines(&stage.scene, "\"attempts\":2") > 0);
    stage_end(&stage);
}
END_TEST

START_TEST(a_post_is_never_sent_twice)
{
    static const stub_serve ways[] = {die_after_the_request, close_after_the_request, stall};
    static const unsigned statuses[] = {502, 502, 504};
    struct stage stage = {0};
    struct peer peer;
    unsigned failed = 0;
    stage_begin(&stage, ways[_i], unchecked);
    peer_connect(&peer, scene_port(&stage.scene, "web"));
    for (unsigned i = 0; i < 6; i++) {
        unsigned status = peer_ask(&peer, post);
        ck_assert_msg(status == 200 || status == statuses[_i], "%u", status);
        failed += status != 200;
        if (peer.ended || !peer_say(&peer, "")) {
            peer_close(&peer);
            peer_connect(&peer, scene_port(&stage.scene, "web"));
        }
    }
    peer_close(&peer);
    /* Every turn of bad failed, and good was never asked for one of those. */
    ck_assert_uint_eq(failed, 3);
    ck_assert_uint_eq(atomic_load(&stage.good.requests), 3);
    stage_end(&stage);
}
END_TEST

START_TEST(when_nobody_is_left_the_client_gets_502_or_504_and_the_log_the_reason)
{
    static const stub_serve ways[] = {NULL, die_after_the_request, close_after_the_request, stall};
    static const unsigned statuses[] = {502, 502, 502, 504};
    struct stage stage = {0};
    struct peer peer;
    char wanted[32];
    stage_begin(&stage, ways[_i], unchecked);
    peer_connect(&peer, scene_port(&stage.scene, "web"));
    ck_assert_uint_eq(peer_get(&peer, "a", "/bad", NULL, 0), statuses[_i]);
    peer_close(&peer);
    snprintf(wanted, sizeof wanted, "\"status\":%u", statuses[_i]);
    eventually(scene_access_lines(&stage.scene, wanted) == 1);
    ck_assert_uint_eq(scene_access_lines(&stage.scene, "\"reason\":\""), 1);
    stage_end(&stage);
}
END_TEST

START_TEST(with_retries_0_nobody_else_is_asked)
{
    struct stage stage = {0};
    struct peer peer;
    unsigned failed = 0;
    stage_begin(&stage, die_after_the_request, "health_check = off\nretries = 0\n");
    for (unsigned i = 0; i < 4; i++) {
        peer_connect(&peer, scene_port(&stage.scene, "web"));
        failed += peer_ask(&peer, get) == 502;
        peer_close(&peer);
    }
    ck_assert_uint_eq(failed, 2);
    stage_end(&stage);
}
END_TEST

static void die_within_the_answer(struct stub_link *link)
{
    struct stub_request request;
    if (stub_read(link, &request))
        stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    stub_request_done(&request);
}

START_TEST(an_answer_that_has_begun_is_never_begun_again)
{
    struct stage stage = {0};
    unsigned cut = 0;
    stage_begin(&stage, die_within_the_answer, unchecked);
    for (unsigned i = 0; i < 4; i++) {
        struct peer peer;
        struct answer answer;
        peer_connect(&peer, scene_port(&stage.scene, "web"));
        ck_assert(peer_say(&peer, get));
        ck_assert(peer_read_answer(&peer, "GET", &answer));
        ck_assert_uint_eq(answer.status, 200);
        cut += !answer.is_complete;
        ck_assert(answer.is_complete || strcmp(answer.body.bytes, "half") == 0);
        answer_done(&answer);
        peer_close(&peer);
    }
    ck_assert_uint_eq(cut, 2);
    ck_assert_uint_eq(atomic_load(&stage.good.requests), 2);
    stage_end(&stage);
}
END_TEST

static const char checked[] =
    "health_check = tcp\nhealth_check_interval = 500ms\nhealth_check_timeout = 490ms\n"
    "healthy_threshold = 2\nunhealthy_threshold = 2\n";

START_TEST(a_check_takes_a_dead_backend_out_and_lets_it_in_again)
{
    struct stage stage = {0};
    unsigned port;
    stage_begin(&stage, stub_answer_by_name, checked);
    eventually(scene_log_has(&stage.scene, "backend.up", "backend=bad", NULL));
    port = stage.bad.port;
    stub_stop(&stage.bad);
    eventually(
        scene_log_has(&stage.scene, "backend.down", "pool=app", "backend=bad", "reason=", NULL));
    struct peer peer;
    char name[16] = "";
    peer_connect(&peer, scene_port(&stage.scene, "web"));
    for (unsigned i = 0; i < 10; i++) {
        ck_assert_uint_eq(peer_get(&peer, "a", "/", name, sizeof name), 200);
        ck_assert_str_eq(name, "good");
    }
    /* It is not even tried: the access log knows of one attempt each. */
    eventually(scene_access_lines(&stage.scene, "\"backend\":\"good\"") == 10);
    ck_assert_uint_eq(scene_access_lines(&stage.scene, "\"attempts\":1"), 10);
    stub_start_at(&stage.bad, "bad", stub_answer_by_name, port);
    eventually(peer_get(&peer, "a", "/", name, sizeof name) == 200 && strcmp(name, "bad") == 0);
    peer_close(&peer);
    stage_end(&stage);
}
END_TEST

static void expect_when_all_are_down(const char *all_down, unsigned wanted)
{
    struct stage stage = {0};
    struct peer peer;
    struct text pool = {0};
    text_add_format(&pool, "%sall_down = %s\n", checked, all_down);
    stage_begin(&stage, NULL, pool.bytes);
    eventually(scene_log_has(&stage.scene, "backend.down", "pool=bad", NULL));
    peer_connect(&peer, scene_port(&stage.scene, "web"));
    ck_assert_uint_eq(peer_get(&peer, "a", "/bad", NULL, 0), wanted);
    peer_close(&peer);
    stage_end(&stage);
    text_done(&pool);
}

START_TEST(when_all_are_down_they_are_tried_all_the_same)
{
    expect_when_all_are_down("any", 502);
}
END_TEST

START_TEST(when_all_are_down_503_is_said_at_once_where_that_is_wished)
{
    expect_when_all_are_down("503", 503);
}
END_TEST

START_TEST(the_last_backend_that_fails_is_named_with_what_the_client_got)
{
    struct stage stage;
    struct peer peer;
    stage_begin(&stage, NULL, unchecked);
    peer_connect(&peer, scene_port(&stage.scene, "web"));
    ck_assert_uint_eq(peer_get(&peer, "a", "/bad", NULL, 0), 502);
    peer_close(&peer);
    eventually(scene_log_has(&stage.scene, "backend.failed", "backend=bad", "then=502", NULL));
    eventually(scene_access_lines(&stage.scene, "\"backend\":\"bad\"") == 1);
    stage_end(&stage);
}
END_TEST

/* A pool that is down fails every request: its log says so, and not once for each. */
START_TEST(failures_without_end_do_not_fill_the_log)
{
    enum { REQUESTS = 3 * FAILURE_LINES_AT_ONCE };
    struct stage stage;
    struct peer peer;
    stage_begin(&stage, NULL, unchecked);
    for (unsigned i = 0; i < REQUESTS; i++) {
        peer_connect(&peer, scene_port(&stage.scene, "web"));
        ck_assert_uint_eq(peer_get(&peer, "a", "/bad", NULL, 0), 502);
        peer_close(&peer);
    }
    eventually(scene_access_lines(&stage.scene, "\"backend\":\"bad\"") == REQUESTS);
    char *log = scene_log(&stage.scene);
    unsigned lines = (unsigned)text_count(log, "backend.failed");
    free(log);
    ck_assert_uint_ge(lines, FAILURE_LINES_AT_ONCE);
    ck_assert_uint_lt(lines, REQUESTS);
    stage_end(&stage);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, the_last_backend_that_fails_is_named_with_what_the_client_got);
    tcase_add_test(tcase, failures_without_end_do_not_fill_the_log);
    tcase_add_test(tcase, a_backend_that_refuses_is_passed_over_for_every_method);
    tcase_add_loop_test(tcase, a_safe_request_is_asked_again_of_another_backend, 0, 4);
    tcase_add_loop_test(tcase, a_post_is_never_sent_twice, 0, 3);
    tcase_add_loop_test(
        tcase, when_nobody_is_left_the_client_gets_502_or_504_and_the_log_the_reason, 0, 4);
    tcase_add_test(tcase, with_retries_0_nobody_else_is_asked);
    tcase_add_test(tcase, an_answer_that_has_begun_is_never_begun_again);
    tcase_add_test(tcase, a_check_takes_a_dead_backend_out_and_lets_it_in_again);
    tcase_add_test(tcase, when_all_are_down_they_are_tried_all_the_same);
    tcase_add_test(tcase, when_all_are_down_503_is_said_at_once_where_that_is_wished);
}

CHECK_MAIN("a failing backend is passed over", add_tests)
