/* SPDX-License-Identifier: Apache-2.0 */
/* What every way to choose must keep, whatever it is: each test runs for each file in
 * backends/balancers/. */
#include "backends/balancer.h"

#include <pthread.h>
#include <string.h>

#include "backends/choice.h"
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

static void prepare(const struct balancer *balancer, const unsigned *weights, unsigned count)
{
    made_pool_key(&made, "balance", balancer->name);
    made_pool_weights(&made, weights, count);
    ck_assert(made_pool_prepare(&made));
    ck_assert_ptr_eq(made.pool.balancer, balancer);
}

/* The choice of some client, another one each time. */
static struct choice a_choice(void)
{
    static unsigned client;
    unsigned number = client++;
    return (struct choice){.key = choice_key_of((const char *)&number, sizeof number)};
}

static int take(void)
{
    struct choice choice = a_choice();
    return pool_take(&made.pool, &view, &choice);
}

static unsigned active_of(unsigned backend)
{
    return atomic_load(made.pool.backends[backend].standing->active);
}

/* Choose for a request that is over at once. tried: a set of the first backends as bits. */
static int choose_without(unsigned tried)
{
    struct choice choice = a_choice();
    for (unsigned i = 0; i < 32; i++)
        if (tried >> i & 1)
            choice_add_tried(&choice, i);
    int chosen = pool_take(&made.pool, &view, &choice);
    if (chosen >= 0)
        pool_leave(&made.pool, (unsigned)chosen);
    return chosen;
}

START_TEST(it_introduces_itself)
{
    const struct balancer *balancer = balancers[_i];
    ck_assert_ptr_nonnull(balancer->choose);
    ck_assert_uint_gt(strlen(balancer->name), 0);
    ck_assert_uint_le(strlen(balancer->name), 64);
    ck_assert_uint_gt(strlen(balancer->summary), 10);
    ck_assert_ptr_null(strchr(balancer->summary, '\n'));
    ck_assert_ptr_eq(balancer_find(balancer->name), balancer);
}
END_TEST

START_TEST(it_chooses_nobody_who_was_tried)
{
    prepare(balancers[_i], (const unsigned[]){3, 1, 2, 1, 5}, 5);
    for (unsigned tried = 0; tried < 31; tried++) {
        for (unsigned turn = 0; turn < 24; turn++) {
            int chosen = choose_without(tried);
            ck_assert_int_ge(chosen, 0);
            ck_assert_int_lt(chosen, 5);
            ck_assert_msg(!(tried >> chosen & 1), "%d was chosen, tried are %x", chosen, tried);
        }
    }
}
END_TEST

START_TEST(it_says_so_when_all_were_tried)
{
    prepare(balancers[_i], (const unsigned[]){3, 1, 2}, 3);
    for (unsigned turn = 0; turn < 12; turn++)
        ck_assert_int_eq(choose_without(7), -1);
    ck_assert_int_ge(choose_without(0), 0);
}
END_TEST

START_TEST(it_chooses_nobody_who_is_down_or_has_weight_0)
{
    prepare(balancers[_i], (const unsigned[]){0, 1, 2, 4}, 4);
    made_pool_judge(&made, 2, VERDICT_DOWN);
    for (unsigned turn = 0; turn < 40; turn++) {
        int first = choose_without(0);
        ck_assert_msg(first == 1 || first == 3, "%d", first);
        ck_assert_int_eq(choose_without(1u << 1), 3);
        ck_assert_int_eq(choose_without(1u << 1 | 1u << 3), -1);
    }
}
END_TEST

START_TEST(one_backend_is_chosen_always)
{
    prepare(balancers[_i], (const unsigned[]){7}, 1);
    for (unsigned turn = 0; turn < 20; turn++)
        ck_assert_int_eq(choose_without(0), 0);
}
END_TEST

START_TEST(over_many_clients_everyone_has_the_share_of_its_weight)
{
    static const unsigned weights[] = {50, 30, 15, 5};
    enum { CLIENTS = 40000 };
    unsigned had[4] = {0};
    prepare(balancers[_i], weights, 4);
    for (unsigned i = 0; i < CLIENTS; i++)
        had[choose_without(0)]++;
    for (unsigned i = 0; i < 4; i++) {
        unsigned share = CLIENTS / 100 * weights[i];
        ck_assert_msg(had[i] > share * 9 / 10 && had[i] < share * 11 / 10, "backend %u had %u", i,
                      had[i]);
    }
}
END_TEST

START_TEST(the_load_of_one_that_fails_is_spread_over_all_others)
{
    enum { CLIENTS = 30000 };
    unsigned had[4] = {0};
    prepare(balancers[_i], (const unsigned[]){10, 10, 20, 10}, 4);
    for (unsigned i = 0; i < CLIENTS; i++)
        had[choose_without(1)]++;
    ck_assert_uint_eq(had[0], 0);
    for (unsigned i = 1; i < 4; i++) {
        unsigned share = CLIENTS / 4 * (i == 2 ? 2 : 1);
        ck_assert_msg(had[i] > share * 9 / 10 && had[i] < share * 11 / 10, "backend %u had %u", i,
                      had[i]);
    }
}
END_TEST

static void prepare_limited(const struct balancer *balancer)
{
    made_pool_key(&made, "balance", balancer->name);
    made_pool_key(&made, "backend", "b0 192.0.2.1:1 weight=30 max_connections=2");
    made_pool_key(&made, "backend", "b1 192.0.2.1:2 max_connections=3");
    made_pool_key(&made, "backend", "b2 192.0.2.1:3 weight=1 max_connections=1");
    ck_assert(made_pool_prepare(&made));
}

START_TEST(whoever_is_taken_is_counted_and_nobody_beyond_its_limit)
{
    prepare_limited(balancers[_i]);
    for (unsigned i = 0; i < 6; i++)
        ck_assert_int_ge(take(), 0);
    ck_assert_uint_eq(active_of(0), 2);
    ck_assert_uint_eq(active_of(1), 3);
    ck_assert_uint_eq(active_of(2), 1);
    ck_assert_int_eq(take(), POOL_FULL);
    for (unsigned backend = 0; backend < 3; backend++) {
        pool_leave(&made.pool, backend);
        ck_assert_int_eq(take(), (int)backend);
        ck_assert_int_eq(take(), POOL_FULL);
    }
}
END_TEST

START_TEST(full_and_tried_together_leave_a_place_to_wait_for)
{
    struct choice choice = a_choice();
    prepare_limited(balancers[_i]);
    for (unsigned i = 0; i < 6; i++)
        take();
    choice_add_tried(&choice, 0);
    ck_assert_int_eq(pool_take(&made.pool, &view, &choice), POOL_FULL);
    choice_add_tried(&choice, 1);
    ck_assert_int_eq(pool_take(&made.pool, &view, &choice), POOL_FULL);
    choice_add_tried(&choice, 2);
    ck_assert_int_eq(pool_take(&made.pool, &view, &choice), POOL_NONE);
}
END_TEST

enum { THREAD_COUNT = 3, CHOICES_EACH = 2000 };

static void *choose_and_retry(void *arg)
{
    struct pool_view own = {0};
    (void)arg;
    for (unsigned i = 0; i < CHOICES_EACH; i++) {
        struct choice choice = {.key = choice_key_of((const char *)&i, sizeof i)};
        int first = pool_take(&made.pool, &own, &choice);
        ck_assert_int_ge(first, 0);
        choice_add_tried(&choice, (unsigned)first);
        int other = pool_take(&made.pool, &own, &choice);
        ck_assert_int_ge(other, 0);
        ck_assert_int_ne(first, other);
        pool_leave(&made.pool, (unsigned)first);
        pool_leave(&made.pool, (unsigned)other);
    }
    pool_view_done(&made.pool, &own);
    return NULL;
}

static void run_threads(void *(*run)(void *))
{
    pthread_t threads[THREAD_COUNT];
    for (unsigned i = 0; i < THREAD_COUNT; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run, NULL), 0);
    for (unsigned i = 0; i < THREAD_COUNT; i++)
        pthread_join(threads[i], NULL);
}

START_TEST(several_workers_may_choose_at_once)
{
    prepare(balancers[_i], (const unsigned[]){5, 1, 1}, 3);
    run_threads(choose_and_retry);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_uint_eq(active_of(i), 0);
}
END_TEST

static void *take_where_there_is_room(void *arg)
{
    static const unsigned most[] = {2, 3, 1};
    struct pool_view own = {0};
    (void)arg;
    for (unsigned i = 0; i < CHOICES_EACH; i++) {
        struct choice choice = {.key = choice_key_of((const char *)&i, sizeof i)};
        int taken[3];
        for (unsigned k = 0; k < 3; k++) {
            taken[k] = pool_take(&made.pool, &own, &choice);
            ck_assert_int_ne(taken[k], POOL_NONE);
            if (taken[k] >= 0)
                ck_assert_uint_le(active_of((unsigned)taken[k]), most[taken[k]]);
        }
        for (unsigned k = 0; k < 3; k++)
            if (taken[k] >= 0)
                pool_leave(&made.pool, (unsigned)taken[k]);
    }
    pool_view_done(&made.pool, &own);
    return NULL;
}

START_TEST(limits_hold_however_many_workers_choose)
{
    prepare_limited(balancers[_i]);
    run_threads(take_where_there_is_room);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_uint_eq(active_of(i), 0);
}
END_TEST

static int count(void)
{
    int number = 0;
    while (balancers[number])
        number++;
    return number;
}

START_TEST(the_standard_of_balance_is_there)
{
    ck_assert_int_ge(count(), 1);
    const struct option *option = option_find(&pool_option_table, "balance");
    ck_assert_ptr_nonnull(balancer_find(option->standard));
    ck_assert_ptr_null(balancer_find(""));
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, the_standard_of_balance_is_there);
    tcase_add_loop_test(tcase, it_introduces_itself, 0, count());
    tcase_add_loop_test(tcase, it_chooses_nobody_who_was_tried, 0, count());
    tcase_add_loop_test(tcase, it_says_so_when_all_were_tried, 0, count());
    tcase_add_loop_test(tcase, it_chooses_nobody_who_is_down_or_has_weight_0, 0, count());
    tcase_add_loop_test(tcase, one_backend_is_chosen_always, 0, count());
    tcase_add_loop_test(tcase, over_many_clients_everyone_has_the_share_of_its_weight, 0, count());
    tcase_add_loop_test(tcase, the_load_of_one_that_fails_is_spread_over_all_others, 0, count());
    tcase_add_loop_test(tcase, whoever_is_taken_is_counted_and_nobody_beyond_its_limit, 0, count());
    tcase_add_loop_test(tcase, full_and_tried_together_leave_a_place_to_wait_for, 0, count());
    tcase_add_loop_test(tcase, several_workers_may_choose_at_once, 0, count());
    tcase_add_loop_test(tcase, limits_hold_however_many_workers_choose, 0, count());
}

CHECK_MAIN("every balancer", add_tests)
