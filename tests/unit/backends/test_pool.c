/* SPDX-License-Identifier: Apache-2.0 */
/* Building a pool, its workers' views, and round-robin as requests meet it. */
#include "backends/choice.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/made_pool.h"

static struct made_pool made;
static struct pool_view view;

static void begin(void)
{
    made_pool_begin(&made);
    view = (struct pool_view){0};
}

static void end(void)
{
    pool_view_done(&made.pool, &view);
    made_pool_end(&made);
}

static void prepare(const unsigned *weights, unsigned count)
{
    made_pool_weights(&made, weights, count);
    ck_assert(made_pool_prepare(&made));
}

#define PREPARE(...)                                                                               \
    prepare((const unsigned[]){__VA_ARGS__},                                                       \
            sizeof(const unsigned[]){__VA_ARGS__} / sizeof(unsigned))

/* A request that is served by its first backend. */
static int first_try(void)
{
    struct choice choice = {0};
    return pool_take(&made.pool, &view, &choice);
}

/* Choose again after these have failed, "" for none. */
static int retry_without(const char *tried)
{
    struct choice choice = {0};
    for (; *tried; tried++)
        choice_add_tried(&choice, (unsigned)(*tried - '0'));
    return pool_take(&made.pool, &view, &choice);
}

START_TEST(two_backends_alternate_strictly)
{
    PREPARE(10, 10);
    for (unsigned i = 0; i < 20; i++)
        ck_assert_int_eq(first_try(), (int)(i % 2));
}
END_TEST

START_TEST(a_retry_shifts_nobody_elses_turn)
{
    PREPARE(10, 10);
    for (int i = 0; i < 12; i++) {
        ck_assert_int_eq(first_try(), i % 2);
        ck_assert_int_eq(retry_without("0"), 1);
    }
}
END_TEST

START_TEST(a_failing_backends_load_is_spread_over_the_others)
{
    PREPARE(10, 10, 10, 10);
    unsigned had[4] = {0};
    for (unsigned i = 0; i < 30; i++)
        had[retry_without("1")]++;
    ck_assert_uint_eq(had[0], 10);
    ck_assert_uint_eq(had[1], 0);
    ck_assert_uint_eq(had[2], 10);
    ck_assert_uint_eq(had[3], 10);
}
END_TEST

START_TEST(a_failing_backends_load_is_spread_by_weight)
{
    PREPARE(10, 30, 10);
    unsigned had[3] = {0};
    for (unsigned i = 0; i < 40; i++)
        had[retry_without("0")]++;
    ck_assert_uint_eq(had[1], 30);
    ck_assert_uint_eq(had[2], 10);
}
END_TEST

START_TEST(all_tried_leaves_none)
{
    PREPARE(1, 1, 1);
    ck_assert_int_eq(retry_without("01"), 2);
    ck_assert_int_eq(retry_without("012"), -1);
}
END_TEST

START_TEST(a_tried_backend_that_is_down_by_now_does_not_hide_the_others)
{
    PREPARE(1, 1);
    made_pool_judge(&made, 0, VERDICT_DOWN);
    ck_assert_int_eq(retry_without("0"), 1);
}
END_TEST

START_TEST(trying_twice_counts_once_and_every_index_has_its_place)
{
    struct choice choice = {0};
    for (unsigned i = 0; i < POOL_BACKENDS_MOST; i++) {
        ck_assert(!choice_tried(&choice, i));
        choice_add_tried(&choice, i);
        choice_add_tried(&choice, i);
        ck_assert(choice_tried(&choice, i));
        ck_assert_uint_eq(choice.tried_count, i + 1);
    }
    choice_add_tried(&choice, POOL_BACKENDS_MOST);
    ck_assert_uint_eq(choice.tried_count, POOL_BACKENDS_MOST);
}
END_TEST

START_TEST(a_change_of_verdict_reaches_the_next_choice)
{
    PREPARE(1, 1);
    first_try();
    made_pool_judge(&made, 1, VERDICT_DOWN);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(first_try(), 0);
    made_pool_judge(&made, 1, VERDICT_UP);
    int one = first_try();
    ck_assert_int_eq(first_try(), 1 - one);
}
END_TEST

START_TEST(a_view_keeps_its_sequence_until_it_asks_again)
{
    PREPARE(1, 1);
    const struct sequence *before = pool_view_sequence(&made.pool, &view);
    ck_assert_ptr_eq(pool_view_sequence(&made.pool, &view), before);
    made_pool_judge(&made, 0, VERDICT_DOWN);
    ck_assert_uint_eq(before->turn_count, 2); /* still readable: the view holds it */
    ck_assert_ptr_ne(pool_view_sequence(&made.pool, &view), before);
    ck_assert_uint_eq(pool_view_sequence(&made.pool, &view)->turn_count, 1);
}
END_TEST

START_TEST(all_down_and_503_chooses_none)
{
    made_pool_key(&made, "all_down", "503");
    PREPARE(1, 1);
    made_pool_judge(&made, 0, VERDICT_DOWN);
    made_pool_judge(&made, 1, VERDICT_DOWN);
    ck_assert_int_eq(first_try(), -1);
}
END_TEST

START_TEST(all_down_and_any_chooses_as_if_all_were_up)
{
    PREPARE(1, 1);
    made_pool_judge(&made, 0, VERDICT_DOWN);
    made_pool_judge(&made, 1, VERDICT_DOWN);
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(first_try(), i % 2);
}
END_TEST

/* ---- several workers ---- */

enum { WORKER_COUNT = 4, TURNS_EACH = 7000 };

struct chooser {
    pthread_t thread;
    unsigned had[3];
};

static void *choose_many(void *arg)
{
    struct chooser *chooser = arg;
    struct pool_view own = {0};
    for (unsigned i = 0; i < TURNS_EACH; i++) {
        struct choice choice = {0};
        chooser->had[pool_take(&made.pool, &own, &choice)]++;
    }
    pool_view_done(&made.pool, &own);
    return NULL;
}

static void run_choosers(struct chooser *choosers)
{
    for (unsigned i = 0; i < WORKER_COUNT; i++)
        ck_assert_int_eq(pthread_create(&choosers[i].thread, NULL, choose_many, &choosers[i]), 0);
}

static void join_choosers(struct chooser *choosers, unsigned *had)
{
    for (unsigned i = 0; i < WORKER_COUNT; i++) {
        pthread_join(choosers[i].thread, NULL);
        for (unsigned b = 0; b < 3; b++)
            had[b] += choosers[i].had[b];
    }
}

START_TEST(over_all_workers_the_shares_are_exact)
{
    PREPARE(5, 1, 1);
    struct chooser choosers[WORKER_COUNT] = {0};
    unsigned had[3] = {0};
    run_choosers(choosers);
    join_choosers(choosers, had);
    ck_assert_uint_eq(had[0], WORKER_COUNT * TURNS_EACH / 7 * 5);
    ck_assert_uint_eq(had[1], WORKER_COUNT * TURNS_EACH / 7);
    ck_assert_uint_eq(had[2], WORKER_COUNT * TURNS_EACH / 7);
}
END_TEST

START_TEST(publishing_while_workers_choose_loses_no_turn)
{
    PREPARE(1, 1, 1);
    struct chooser choosers[WORKER_COUNT] = {0};
    unsigned had[3] = {0};
    run_choosers(choosers);
    for (unsigned i = 0; i < 200; i++)
        made_pool_judge(&made, i % 3, i / 3 % 2 ? VERDICT_UP : VERDICT_DOWN);
    join_choosers(choosers, had);
    ck_assert_uint_eq(had[0] + had[1] + had[2], WORKER_COUNT * TURNS_EACH);
    ck_assert_uint_eq(made.pool.turn, WORKER_COUNT * TURNS_EACH);
}
END_TEST

/* ---- problems ---- */

START_TEST(a_pool_without_a_backend_is_a_problem_of_its_section)
{
    ck_assert(!made_pool_prepare(&made));
    ck_assert(made_pool_has_problem(&made, 1, "pool app has no backend"));
}
END_TEST

START_TEST(two_backends_of_one_name_are_a_problem_at_the_second)
{
    made_pool_key(&made, "backend", "rs-1 127.0.0.1:8081");
    made_pool_key(&made, "backend", "rs-1 127.0.0.1:8082");
    ck_assert(!made_pool_prepare(&made));
    ck_assert(made_pool_has_problem(&made, 3, "two backends named rs-1 (the other is in line 2)"));
}
END_TEST

START_TEST(an_unknown_balancer_is_told_the_nearest)
{
    made_pool_key(&made, "balance", "round-robbin");
    made_pool_key(&made, "backend", "rs-1 127.0.0.1:8081");
    ck_assert(!made_pool_prepare(&made));
    ck_assert(made_pool_has_problem(
        &made, 2,
        "\"round-robbin\" is no known way to choose a backend: did you mean round-robin"));
}
END_TEST

START_TEST(a_balancer_may_be_known_by_its_beginning)
{
    static const char *const words[] = {"least_conn", "least-conn", "leastconn",
                                        "LEAST_CONNECTIONS"};
    made_pool_key(&made, "balance", words[_i]);
    made_pool_key(&made, "backend", "rs-1 127.0.0.1:8081");
    ck_assert(!made_pool_prepare(&made));
    ck_assert(made_pool_has_problem(&made, 2, "did you mean least-connections?"));
}
END_TEST

START_TEST(a_check_that_resembles_none_is_told_all)
{
    made_pool_key(&made, "health_check", "ping");
    made_pool_key(&made, "backend", "rs-1 127.0.0.1:8081");
    ck_assert(!made_pool_prepare(&made));
    ck_assert(made_pool_has_problem(&made, 2,
                                    "\"ping\" is no known way to check a backend: there are off, "
                                    "grpc, h2, h2s, http, https, tcp"));
}
END_TEST

START_TEST(a_balancer_that_resembles_none_is_told_all)
{
    made_pool_key(&made, "balance", "x");
    made_pool_key(&made, "backend", "rs-1 127.0.0.1:8081");
    ck_assert(!made_pool_prepare(&made));
    ck_assert(made_pool_has_problem(&made, 2, "there are ip-hash, least-connections, round-robin"));
}
END_TEST

START_TEST(a_check_must_end_before_the_next_begins)
{
    made_pool_key(&made, "backend", "rs-1 127.0.0.1:8081");
    made_pool_key(&made, "health_check_interval", "2s");
    ck_assert(!made_pool_prepare(&made));
    ck_assert(made_pool_has_problem(
        &made, 3,
        "health_check_timeout (2000ms) must be less than health_check_interval (2000ms)"));
}
END_TEST

START_TEST(without_checks_their_times_do_not_matter)
{
    made_pool_key(&made, "backend", "rs-1 127.0.0.1:8081");
    made_pool_key(&made, "health_check", "off");
    made_pool_key(&made, "health_check_interval", "1s");
    ck_assert(made_pool_prepare(&made));
}
END_TEST

START_TEST(all_problems_are_reported_at_once)
{
    made_pool_key(&made, "backend", "rs-1");
    made_pool_key(&made, "backend", "rs-2 127.0.0.1:8082 weight=x");
    made_pool_key(&made, "balance", "fastest");
    made_pool_key(&made, "health_check_timeout", "9s");
    made_pool_key(&made, "health_check", "ping");
    made_pool_key(&made, "backend", "rs-3 127.0.0.1:0 slow_start=x max_connections=-1");
    ck_assert(!made_pool_prepare(&made));
    for (unsigned line = 2; line <= 7; line++)
        ck_assert_msg(made_pool_has_problem(&made, line, ""), "nothing about line %u", line);
    ck_assert_uint_eq(made.problems.count, 8);
}
END_TEST

START_TEST(more_backends_than_a_request_can_remember_are_a_problem)
{
    static unsigned weights[POOL_BACKENDS_MOST + 1];
    made_pool_weights(&made, weights, POOL_BACKENDS_MOST + 1);
    ck_assert(!made_pool_prepare(&made));
    ck_assert(made_pool_has_problem(&made, POOL_BACKENDS_MOST + 2, "at most 1024"));
}
END_TEST

static void add_problem_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_pool_without_a_backend_is_a_problem_of_its_section);
    tcase_add_test(tcase, two_backends_of_one_name_are_a_problem_at_the_second);
    tcase_add_test(tcase, an_unknown_balancer_is_told_the_nearest);
    tcase_add_loop_test(tcase, a_balancer_may_be_known_by_its_beginning, 0, 4);
    tcase_add_test(tcase, a_check_that_resembles_none_is_told_all);
    tcase_add_test(tcase, a_balancer_that_resembles_none_is_told_all);
    tcase_add_test(tcase, a_check_must_end_before_the_next_begins);
    tcase_add_test(tcase, without_checks_their_times_do_not_matter);
    tcase_add_test(tcase, all_problems_are_reported_at_once);
    tcase_add_test(tcase, more_backends_than_a_request_can_remember_are_a_problem);
}

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, two_backends_alternate_strictly);
    tcase_add_test(tcase, a_retry_shifts_nobody_elses_turn);
    tcase_add_test(tcase, a_failing_backends_load_is_spread_over_the_others);
    tcase_add_test(tcase, a_failing_backends_load_is_spread_by_weight);
    tcase_add_test(tcase, all_tried_leaves_none);
    tcase_add_test(tcase, a_tried_backend_that_is_down_by_now_does_not_hide_the_others);
    tcase_add_test(tcase, trying_twice_counts_once_and_every_index_has_its_place);
    tcase_add_test(tcase, a_change_of_verdict_reaches_the_next_choice);
    tcase_add_test(tcase, a_view_keeps_its_sequence_until_it_asks_again);
    tcase_add_test(tcase, all_down_and_503_chooses_none);
    tcase_add_test(tcase, all_down_and_any_chooses_as_if_all_were_up);
    tcase_add_test(tcase, over_all_workers_the_shares_are_exact);
    tcase_add_test(tcase, publishing_while_workers_choose_loses_no_turn);
    add_problem_tests(tcase);
}

CHECK_MAIN("pool", add_tests)
