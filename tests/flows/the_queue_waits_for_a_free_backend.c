/* SPDX-License-Identifier: Apache-2.0 */
/*
 * max_connections: a backend never has more requests than it can take. Those beyond wait in order,
 * for queue_timeout at most and no more than max_queue; who goes away waits no longer.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/held_backend.h"
#include "tests/support/peer.h"
#include "tests/support/scene.h"

enum { GUESTS_MOST = 12 };

/* /side leads to a backend of its own, which always has room. */
struct stage {
    struct scene scene;
    struct held_backend one, two;
    struct stub_backend side;
    struct peer guests[GUESTS_MOST];
    struct peer sidler;
};

static void write_ini(struct text *ini, unsigned workers, const char *pool)
{
    text_add_format(ini,
                    "[lb]\nworkers = %u\naccess_log = access.log\n\n"
                    "[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\n\n"
                    "[rule app]\nlistener = web\npool = app\n\n"
                    "[rule side]\nlistener = web\nurl = /side\npool = side\n\n"
                    "[pool side]\nbackend = side 127.0.0.1:@side\nhealth_check = off\n\n"
                    "[pool app]\nhealth_check = off\n%s",
                    workers, pool);
}

static void stage_begin(struct stage *stage, unsigned workers, const char *pool)
{
    struct text ini = {0};
    scene_begin(&stage->scene);
    held_start(&stage->one, "one");
    held_start(&stage->two, "two");
    stub_start(&stage->side, "side", NULL);
    scene_set_port(&stage->scene, "one", stage->one.stub.port);
    scene_set_port(&stage->scene, "two", stage->two.stub.port);
    scene_set_port(&stage->scene, "side", stage->side.port);
    write_ini(&ini, workers, pool);
    scene_start(&stage->scene, ini.bytes);
    peer_connect(&stage->sidler, scene_port(&stage->scene, "web"));
    text_done(&ini);
}

static void stage_end(struct stage *stage)
{
    peer_close(&stage->sidler);
    scene_end(&stage->scene);
    held_stop(&stage->one);
    held_stop(&stage->two);
    stub_stop(&stage->side);
}

static const char get[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/* With one worker: all that was sent before has been read when this returns, because an answer from
 * a backend takes another turn of its loop. */
static void let_it_be_read(struct stage *stage)
{
    ck_assert_uint_eq(peer_get(&stage->sidler, "a", "/side", NULL, 0), 200);
}

static void enter(struct stage *stage, unsigned guest)
{
    peer_connect(&stage->guests[guest], scene_port(&stage->scene, "web"));
    ck_assert(peer_say(&stage->guests[guest], get));
    let_it_be_read(stage);
}

static void leave(struct stage *stage, unsigned first, unsigned last)
{
    for (unsigned guest = first; guest <= last; guest++)
        peer_close(&stage->guests[guest]);
}

static unsigned status_of(struct peer *guest)
{
    struct answer answer;
    if (!peer_read_answer(guest, "GET", &answer))
        return 0;
    unsigned status = answer.status;
    answer_done(&answer);
    return status;
}

static bool has_answer(struct peer *guest)
{
    return peer_has_more(guest);
}

/* --- limits -------------------------------------------------------------------------------- */

enum { CROWD = 16, REQUESTS_EACH = 25 };

static void *ask_often(void *argument)
{
    struct stage *stage = argument;
    struct peer peer;
    peer_connect(&peer, scene_port(&stage->scene, "web"));
    for (unsigned i = 0; i < REQUESTS_EACH; i++)
        ck_assert_uint_eq(peer_ask(&peer, get), 200);
    peer_close(&peer);
    return NULL;
}

/* Answers go one by one, to keep both busy. */
static void *answer_all(void *argument)
{
    struct stage *stage = argument;
    struct stub_backend *one = &stage->one.stub, *two = &stage->two.stub;
    while (atomic_load(&one->requests) + atomic_load(&two->requests) < CROWD * REQUESTS_EACH) {
        held_release(&stage->one, 1);
        held_release(&stage->two, 1);
        eventually_pause();
    }
    held_open(&stage->one);
    held_open(&stage->two);
    return NULL;
}

START_TEST(no_backend_ever_has_more_than_its_max_connections_and_nobody_is_lost)
{
    static const char *const balances[] = {"round-robin", "least-connections", "ip-hash"};
    struct stage stage;
    struct text pool = {0};
    pthread_t clients[CROWD], answerer;
    text_add_format(&pool,
                    "balance = %s\nbackend = one 127.0.0.1:@one max_connections=3\n"
                    "backend = two 127.0.0.1:@two max_connections=2\n",
                    balances[_i]);
    stage_begin(&stage, 4, pool.bytes);
    for (unsigned i = 0; i < CROWD; i++)
        ck_assert_int_eq(pthread_create(&clients[i], NULL, ask_often, &stage), 0);
    eventually(held_now(&stage.one) == 3 && held_now(&stage.two) == 2);
    ck_assert_int_eq(pthread_create(&answerer, NULL, answer_all, &stage), 0);
    for (unsigned i = 0; i < CROWD; i++)
        pthread_join(clients[i], NULL);
    pthread_join(answerer, NULL);
    ck_assert_uint_eq(held_most(&stage.one), 3);
    ck_assert_uint_eq(held_most(&stage.two), 2);
    ck_assert_uint_eq(atomic_load(&stage.one.stub.requests) + atomic_load(&stage.two.stub.requests),
                      CROWD * REQUESTS_EACH);
    stage_end(&stage);
    text_done(&pool);
}
END_TEST

/* --- order --------------------------------------------------------------------------------- */

static const char one_place[] = "backend = one 127.0.0.1:@one max_connections=1\n";

START_TEST(those_who_wait_are_served_in_the_order_they_came)
{
    struct stage stage;
    stage_begin(&stage, 1, one_place);
    for (unsigned i = 0; i < 6; i++)
        enter(&stage, i);
    for (unsigned i = 0; i < 6; i++) {
        eventually(held_now(&stage.one) == 1);
        for (unsigned k = i; k < 6; k++)
            ck_assert_msg(!has_answer(&stage.guests[k]), "%u before %u", k, i);
        held_release(&stage.one, 1);
        ck_assert_uint_eq(status_of(&stage.guests[i]), 200);
    }
    leave(&stage, 0, 5);
    stage_end(&stage);
}
END_TEST

START_TEST(who_goes_away_waits_no_longer)
{
    struct stage stage;
    struct text pool = {0};
    text_add_format(&pool, "%smax_queue = 1\n", one_place);
    stage_begin(&stage, 1, pool.bytes);
    enter(&stage, 0);
    enter(&stage, 1);
    enter(&stage, 2);
    ck_assert_uint_eq(status_of(&stage.guests[2]), 503);
    peer_reset(&stage.guests[1]);
    let_it_be_read(&stage);
    enter(&stage, 3); /* there is room in the queue again */
    ck_assert(!has_answer(&stage.guests[3]));
    held_release(&stage.one, 2);
    ck_assert_uint_eq(status_of(&stage.guests[0]), 200);
    ck_assert_uint_eq(status_of(&stage.guests[3]), 200);
    ck_assert_uint_eq(atomic_load(&stage.one.stub.requests), 2);
    peer_close(&stage.guests[0]);
    leave(&stage, 2, 3);
    stage_end(&stage);
    text_done(&pool);
}
END_TEST

START_TEST(when_one_with_a_place_goes_away_the_next_one_has_it)
{
    struct stage stage;
    stage_begin(&stage, 1, one_place);
    enter(&stage, 0);
    enter(&stage, 1);
    eventually(atomic_load(&stage.one.stub.requests) == 1);
    peer_reset(&stage.guests[0]);
    eventually(atomic_load(&stage.one.stub.requests) == 2);
    held_open(&stage.one);
    ck_assert_uint_eq(status_of(&stage.guests[1]), 200);
    leave(&stage, 1, 1);
    stage_end(&stage);
}
END_TEST

/* --- bounds -------------------------------------------------------------------------------- */

START_TEST(no_more_than_max_queue_wait_and_the_log_says_so)
{
    struct stage stage;
    struct text pool = {0};
    text_add_format(&pool, "%smax_queue = 2\n", one_place);
    stage_begin(&stage, 1, pool.bytes);
    for (unsigned i = 0; i < 5; i++)
        enter(&stage, i);
    ck_assert_uint_eq(status_of(&stage.guests[3]), 503);
    ck_assert_uint_eq(status_of(&stage.guests[4]), 503);
    ck_assert(!has_answer(&stage.guests[1]));
    ck_assert(!has_answer(&stage.guests[2]));
    held_open(&stage.one);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_uint_eq(status_of(&stage.guests[i]), 200);
    eventually(scene_log_has(&stage.scene, "pool.full", "pool=app", "reason=queue-full", NULL));
    eventually(scene_access_lines(&stage.scene, "\"status\":503") == 2);
    ck_assert_uint_eq(atomic_load(&stage.one.stub.requests), 3);
    leave(&stage, 0, 4);
    stage_end(&stage);
    text_done(&pool);
}
END_TEST

START_TEST(nobody_waits_longer_than_queue_timeout)
{
    struct stage stage;
    struct text pool = {0};
    text_add_format(&pool, "%squeue_timeout = 1s\n", one_place);
    stage_begin(&stage, 2, pool.bytes);
    peer_connect(&stage.guests[0], scene_port(&stage.scene, "web"));
    ck_assert(peer_say(&stage.guests[0], get));
    eventually(held_now(&stage.one) == 1);
    peer_connect(&stage.guests[1], scene_port(&stage.scene, "web"));
    ck_assert_uint_eq(peer_ask(&stage.guests[1], get), 503);
    eventually(scene_log_has(&stage.scene, "pool.full", "reason=queue-timeout", NULL));
    held_open(&stage.one);
    ck_assert_uint_eq(status_of(&stage.guests[0]), 200);
    ck_assert_uint_eq(peer_ask(&stage.guests[1], get), 200); /* the connection lives on */
    ck_assert_uint_eq(atomic_load(&stage.one.stub.requests), 2);
    leave(&stage, 0, 1);
    stage_end(&stage);
    text_done(&pool);
}
END_TEST

START_TEST(with_max_queue_0_the_answer_is_503_at_once)
{
    struct stage stage;
    struct text pool = {0};
    text_add_format(&pool, "%smax_queue = 0\n", one_place);
    stage_begin(&stage, 1, pool.bytes);
    enter(&stage, 0);
    enter(&stage, 1);
    ck_assert_uint_eq(status_of(&stage.guests[1]), 503);
    held_open(&stage.one);
    ck_assert_uint_eq(status_of(&stage.guests[0]), 200);
    leave(&stage, 0, 1);
    stage_end(&stage);
    text_done(&pool);
}
END_TEST

/* --- with failures ------------------------------------------------------------------------- */

START_TEST(a_request_whose_first_backend_refuses_waits_for_the_other_one)
{
    struct stage stage;
    stage_begin(&stage, 1,
                "passive_failures = 0\nbackend = gone 127.0.0.1:@gone\n"
                "backend = one 127.0.0.1:@one max_connections=1\n");
    for (unsigned i = 0; i < 4; i++)
        enter(&stage, i);
    held_release(&stage.one, 4);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_eq(status_of(&stage.guests[i]), 200);
    ck_assert_uint_eq(held_most(&stage.one), 1);
    leave(&stage, 0, 3);
    stage_end(&stage);
}
END_TEST

static void die_when_told(struct stub_link *link)
{
    atomic_bool *is_told = link->stub->story;
    struct stub_request request;
    bool is_read = stub_read(link, &request);
    stub_request_done(&request);
    while (is_read && !atomic_load(is_told))
        eventually_pause();
    stub_reset(link);
}

START_TEST(whose_backend_died_does_not_wait_for_nobody)
{
    struct stage stage;
    struct stub_backend mortal;
    struct text pool = {0};
    atomic_bool is_told = false;
    stub_start_with(&mortal, "mortal", die_when_told, &is_told);
    text_add_format(&pool,
                    "passive_failures = 0\nqueue_timeout = 10m\n"
                    "backend = mortal 127.0.0.1:%u max_connections=1\n",
                    mortal.port);
    stage_begin(&stage, 1, pool.bytes);
    for (unsigned i = 0; i < 3; i++)
        enter(&stage, i);
    eventually(atomic_load(&mortal.requests) == 1);
    atomic_store(&is_told, true);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_uint_eq(status_of(&stage.guests[i]), 502);
    leave(&stage, 0, 2);
    stage_end(&stage);
    stub_stop(&mortal);
    text_done(&pool);
}
END_TEST

START_TEST(a_reload_forgets_nobody_and_keeps_limits_and_order)
{
    struct stage stage;
    struct text ini = {0};
    stage_begin(&stage, 1, one_place);
    write_ini(&ini, 1, "retries = 1\nbackend = one 127.0.0.1:@one max_connections=1\n");
    enter(&stage, 0);
    enter(&stage, 1);
    ck_assert(scene_reload(&stage.scene, ini.bytes));
    enter(&stage, 2); /* asks of the new config's pool */
    enter(&stage, 3);
    for (unsigned i = 0; i < 4; i++) {
        for (unsigned k = i; k < 4; k++)
            ck_assert_msg(!has_answer(&stage.guests[k]), "%u before %u", k, i);
        held_release(&stage.one, 1);
        ck_assert_uint_eq(status_of(&stage.guests[i]), 200);
    }
    ck_assert_uint_eq(held_most(&stage.one), 1);
    leave(&stage, 0, 3);
    stage_end(&stage);
    text_done(&ini);
}
END_TEST

/* Nobody asks anew, and nobody ends: the reload alone brings the places. */
START_TEST(a_reload_that_brings_places_gives_them_to_those_who_wait)
{
    struct stage stage;
    struct text ini = {0};
    stage_begin(&stage, 1, one_place);
    write_ini(&ini, 1, "retries = 1\nbackend = one 127.0.0.1:@one max_connections=3\n");
    for (unsigned i = 0; i < 4; i++)
        enter(&stage, i);
    ck_assert(scene_reload(&stage.scene, ini.bytes));
    eventually(held_now(&stage.one) == 3);
    held_release(&stage.one, 1); /* the limit counts for those who began before it, too */
    eventually(atomic_load(&stage.one.stub.requests) == 4 && held_now(&stage.one) == 3);
    held_open(&stage.one);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_eq(status_of(&stage.guests[i]), 200);
    ck_assert_uint_eq(held_most(&stage.one), 3);
    leave(&stage, 0, 3);
    stage_end(&stage);
    text_done(&ini);
}
END_TEST

START_TEST(a_drain_of_lb_serves_those_who_wait)
{
    struct stage stage;
    stage_begin(&stage, 1, one_place);
    for (unsigned i = 0; i < 4; i++)
        enter(&stage, i);
    scene_terminate(&stage.scene);
    eventually(scene_log_has(&stage.scene, "lb.draining", NULL));
    held_open(&stage.one);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_eq(status_of(&stage.guests[i]), 200);
    leave(&stage, 0, 3);
    scene_await_end(&stage.scene);
    stage_end(&stage);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, no_backend_ever_has_more_than_its_max_connections_and_nobody_is_lost,
                        0, 3);
    tcase_add_test(tcase, those_who_wait_are_served_in_the_order_they_came);
    tcase_add_test(tcase, who_goes_away_waits_no_longer);
    tcase_add_test(tcase, when_one_with_a_place_goes_away_the_next_one_has_it);
    tcase_add_test(tcase, no_more_than_max_queue_wait_and_the_log_says_so);
    tcase_add_test(tcase, nobody_waits_longer_than_queue_timeout);
    tcase_add_test(tcase, with_max_queue_0_the_answer_is_503_at_once);
    tcase_add_test(tcase, a_request_whose_first_backend_refuses_waits_for_the_other_one);
    tcase_add_test(tcase, whose_backend_died_does_not_wait_for_nobody);
    tcase_add_test(tcase, a_reload_forgets_nobody_and_keeps_limits_and_order);
    tcase_add_test(tcase, a_reload_that_brings_places_gives_them_to_those_who_wait);
    tcase_add_test(tcase, a_drain_of_lb_serves_those_who_wait);
}

CHECK_MAIN("the queue waits for a free backend", add_tests)
