/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backend that is well and unwell by turns: as long as it never fails often enough in a row its
 * verdict stays, and with it the traffic. One that passes its checks and fails requests is left out
 * for a while all the same.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/peer.h"
#include "tests/support/scene.h"
#include "tests/support/stub_backend.h"

struct stage {
    struct scene scene;
    struct stub_backend backends[2];
    const char *results;    /* of rs-1's checks, '+' or '-', over and over */
    atomic_bool is_failing; /* rs-1 dies at requests */
};

static bool is_check(const struct stub_request *request)
{
    char agent[32];
    return text_field(request->head.bytes, "User-Agent", agent, sizeof agent) &&
           strcmp(agent, "lb-health-check") == 0;
}

static bool answer_check(struct stub_link *link, const struct stage *stage)
{
    unsigned turn = atomic_load(&link->stub->checks) - 1; /* this one is counted */
    bool is_good = stage->results[turn % strlen(stage->results)] == '+';
    return stub_say(link, is_good ? "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
                                  : "HTTP/1.1 500 Oh\r\nContent-Length: 4\r\n\r\n");
}

static bool answer(struct stub_link *link, struct stage *stage)
{
    if (atomic_load(&stage->is_failing)) {
        stub_reset(link);
        return false;
    }
    return stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nrs-1");
}

static void serve(struct stub_link *link)
{
    struct stage *stage = link->stub->story;
    bool goes_on = true;
    while (goes_on) {
        struct stub_request request;
        goes_on = stub_read(link, &request) &&
                  (is_check(&request) ? answer_check(link, stage) : answer(link, stage));
        stub_request_done(&request);
    }
}

static const char ini[] = "[lb]\nworkers = 1\naccess_log = access.log\n\n"
                          "[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\n\n"
                          "[rule any]\nlistener = web\npool = app\n\n"
                          "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\n"
                          "backend = rs-2 127.0.0.1:@rs-2\n%s\n";

static void stage_begin(struct stage *stage, const char *results, const char *pool)
{
    struct text text = {0};
    stage->results = results;
    atomic_store(&stage->is_failing, false);
    scene_begin(&stage->scene);
    stub_start_with(&stage->backends[0], "rs-1", serve, stage);
    stub_start(&stage->backends[1], "rs-2", NULL);
    scene_set_port(&stage->scene, "rs-1", stage->backends[0].port);
    scene_set_port(&stage->scene, "rs-2", stage->backends[1].port);
    text_add_format(&text, ini, pool);
    scene_start(&stage->scene, text.bytes);
    text_done(&text);
}

static void stage_end(struct stage *stage)
{
    scene_end(&stage->scene);
    for (unsigned i = 0; i < 2; i++)
        stub_stop(&stage->backends[i]);
}

static unsigned log_count(const struct stage *stage, const char *words)
{
    char *log = scene_log(&stage->scene);
    unsigned count = text_count(log, words);
    free(log);
    return count;
}

/* Requests that all get 200; how many of them rs-1 was asked. */
static unsigned ask(struct stage *stage, unsigned count)
{
    unsigned before = atomic_load(&stage->backends[0].requests);
    for (unsigned i = 0; i < count; i++) {
        struct peer peer;
        peer_connect(&peer, scene_port(&stage->scene, "web"));
        ck_assert_uint_eq(peer_get(&peer, "a", "/", NULL, 0), 200);
        peer_close(&peer);
    }
    return atomic_load(&stage->backends[0].requests) - before;
}

/* ---- checks ---- */

/* The timeout is long, so that a good check on a busy machine is not a bad one. */
static const char often[] = "health_check_interval = 300ms\nhealth_check_timeout = 290ms\n";

static const struct {
    const char *results;
    const char *verdict; /* the first one, and the only one */
    unsigned share;      /* of ten requests */
} patterns[] = {
    {"+-", "backend.up", 5},
    {"+--+-", "backend.up", 5},
    {"-+", "backend.down", 0},
    {"-++", "backend.down", 0},
};

START_TEST(results_by_turns_leave_the_verdict_and_the_traffic_as_they_are)
{
    struct stage stage;
    stage_begin(&stage, patterns[_i].results, often);
    eventually(scene_log_has(&stage.scene, patterns[_i].verdict, "backend=rs-1", NULL));
    eventually(scene_log_has(&stage.scene, "backend.up", "backend=rs-2", NULL));
    for (unsigned checks = 4; checks <= 12; checks += 4) {
        eventually(atomic_load(&stage.backends[0].checks) >= checks);
        ck_assert_uint_eq(ask(&stage, 10), patterns[_i].share);
    }
    ck_assert_uint_eq(log_count(&stage, "backend=rs-1"), 1);
    stage_end(&stage);
}
END_TEST

START_TEST(enough_in_a_row_changes_the_verdict_each_time)
{
    struct stage stage;
    stage_begin(&stage, "+---+++---+++++", often);
    eventually(log_count(&stage, "backend.down pool=app backend=rs-1") == 2);
    ck_assert_uint_ge(atomic_load(&stage.backends[0].checks), 10);
    eventually(log_count(&stage, "backend.up pool=app backend=rs-1") == 3);
    stage_end(&stage);
}
END_TEST

/* ---- requests ---- */

/* Without idle links: a request on one that is reset is tried again on a fresh one. */
static const char blocking[] = "health_check_interval = 300ms\nhealth_check_timeout = 290ms\n"
                               "passive_failures = 3\nidle_links = 0\n";

static void fail_until_blocked(struct stage *stage, unsigned blocks)
{
    atomic_store(&stage->is_failing, true);
    eventually((ask(stage, 1), log_count(stage, "backend.blocked") == blocks));
}

START_TEST(a_backend_that_fails_requests_is_left_out_though_its_checks_pass)
{
    struct stage stage;
    struct text pool = {0};
    text_add_format(&pool, "%spassive_block = 1h\n", blocking);
    stage_begin(&stage, "+", pool.bytes);
    ck_assert_uint_eq(ask(&stage, 10), 5);
    atomic_store(&stage.is_failing, true);
    /* Two failures are not enough. */
    ck_assert_uint_eq(ask(&stage, 4), 2);
    ck_assert_uint_eq(log_count(&stage, "backend.blocked"), 0);
    fail_until_blocked(&stage, 1);
    ck_assert(scene_log_has(&stage.scene, "warn backend.blocked pool=app backend=rs-1",
                            "reason=\"3 exchanges in a row failed\" for=1h", NULL));
    unsigned checks = atomic_load(&stage.backends[0].checks);
    ck_assert_uint_eq(ask(&stage, 10), 0);
    /* It goes on to pass its checks, and is none the better for it. */
    eventually(atomic_load(&stage.backends[0].checks) > checks + 2);
    ck_assert_uint_eq(ask(&stage, 10), 0);
    /* Nor does a reload let it in. */
    ck_assert_int_eq(kill(stage.scene.pid, SIGHUP), 0);
    eventually(scene_log_has(&stage.scene, "lb.reloaded", NULL));
    ck_assert_uint_eq(ask(&stage, 10), 0);
    ck_assert_uint_eq(log_count(&stage, "backend.blocked"), 1);
    stage_end(&stage);
    text_done(&pool);
}
END_TEST

START_TEST(a_blocked_backend_comes_back_by_itself_and_has_one_try)
{
    struct stage stage;
    struct text pool = {0};
    text_add_format(&pool, "%spassive_block = 500ms\n", blocking);
    stage_begin(&stage, "+", pool.bytes);
    fail_until_blocked(&stage, 1);
    eventually(log_count(&stage, "backend.unblocked") == 1);
    unsigned before = atomic_load(&stage.backends[0].requests);
    fail_until_blocked(&stage, 2);
    ck_assert_uint_eq(atomic_load(&stage.backends[0].requests) - before, 1);
    eventually(log_count(&stage, "backend.unblocked") == 2);
    atomic_store(&stage.is_failing, false);
    ck_assert_uint_eq(ask(&stage, 10), 5);
    ck_assert_uint_eq(log_count(&stage, "backend.blocked"), 2);
    stage_end(&stage);
    text_done(&pool);
}
END_TEST

START_TEST(with_passive_failures_0_nobody_is_ever_left_out)
{
    struct stage stage;
    stage_begin(&stage, "+", "passive_failures = 0\n");
    atomic_store(&stage.is_failing, true);
    ck_assert_uint_eq(ask(&stage, 20), 10);
    ck_assert_uint_eq(log_count(&stage, "backend.blocked"), 0);
    stage_end(&stage);
}
END_TEST

START_TEST(without_checks_failing_requests_still_count)
{
    struct stage stage;
    stage_begin(&stage, "+", "health_check = off\npassive_block = 1h\n");
    fail_until_blocked(&stage, 1);
    ck_assert_uint_eq(ask(&stage, 10), 0);
    ck_assert_uint_eq(atomic_load(&stage.backends[0].checks), 0);
    stage_end(&stage);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, results_by_turns_leave_the_verdict_and_the_traffic_as_they_are, 0,
                        sizeof patterns / sizeof *patterns);
    tcase_add_test(tcase, enough_in_a_row_changes_the_verdict_each_time);
    tcase_add_test(tcase, a_backend_that_fails_requests_is_left_out_though_its_checks_pass);
    tcase_add_test(tcase, a_blocked_backend_comes_back_by_itself_and_has_one_try);
    tcase_add_test(tcase, with_passive_failures_0_nobody_is_ever_left_out);
    tcase_add_test(tcase, without_checks_failing_requests_still_count);
}

CHECK_MAIN("a flapping backend does not flap the traffic", add_tests)
