/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/base/log_ration.h"

#include <pthread.h>

#include "tests/support/check_main.h"

enum { AT_ONCE = 3, EVERY_MS = 1000 };

static unsigned left_out;

static bool take_at(struct log_ration *ration, uint64_t now_ms)
{
    return log_ration_take(ration, AT_ONCE, EVERY_MS, now_ms, &left_out);
}

START_TEST(the_first_lines_pass_and_then_one_in_its_time)
{
    struct log_ration ration = {0};
    for (unsigned i = 0; i < AT_ONCE; i++)
        ck_assert(take_at(&ration, 5000));
    ck_assert(!take_at(&ration, 5000));
    ck_assert(!take_at(&ration, 5999));
    ck_assert(take_at(&ration, 6000));
    ck_assert(!take_at(&ration, 6999));
    ck_assert(take_at(&ration, 7000));
}
END_TEST

START_TEST(the_next_line_says_how_many_were_left_out)
{
    struct log_ration ration = {0};
    for (unsigned i = 0; i < AT_ONCE; i++) {
        ck_assert(take_at(&ration, 0));
        ck_assert_uint_eq(left_out, 0);
    }
    for (unsigned i = 0; i < 7; i++)
        ck_assert(!take_at(&ration, 10));
    ck_assert(take_at(&ration, 1000));
    ck_assert_uint_eq(left_out, 7);
    ck_assert(take_at(&ration, 2000));
    ck_assert_uint_eq(left_out, 0);
}
END_TEST

START_TEST(after_a_pause_as_many_pass_as_at_first_and_no_more)
{
    struct log_ration ration = {0};
    for (unsigned i = 0; i < AT_ONCE; i++)
        ck_assert(take_at(&ration, 0));
    for (unsigned i = 0; i < AT_ONCE; i++)
        ck_assert(take_at(&ration, 1000000));
    ck_assert(!take_at(&ration, 1000000));
}
END_TEST

enum { THREADS = 4, LINES = 20000 };

static struct log_ration shared;

static void *take_many(void *arg)
{
    unsigned *sums = arg, missed;
    for (unsigned i = 0; i < LINES; i++) {
        if (log_ration_take(&shared, AT_ONCE, EVERY_MS, 1 + i, &missed))
            sums[0]++;
        sums[1] += missed;
    }
    return NULL;
}

/* Time goes from 1 to LINES ms in each of them. */
START_TEST(no_thread_has_a_line_too_many_and_none_is_forgotten)
{
    pthread_t threads[THREADS];
    unsigned sums[THREADS][2] = {{0}}, taken = 0, told = 0;
    for (unsigned i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, take_many, sums[i]), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        taken += sums[i][0];
        told += sums[i][1];
    }
    ck_assert_uint_ge(taken, LINES / EVERY_MS);
    ck_assert_uint_le(taken, AT_ONCE + LINES / EVERY_MS);
    ck_assert_uint_eq(taken + told + atomic_load(&shared.left_out), THREADS * LINES);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, the_first_lines_pass_and_then_one_in_its_time);
    tcase_add_test(tcase, the_next_line_says_how_many_were_left_out);
    tcase_add_test(tcase, after_a_pause_as_many_pass_as_at_first_and_no_more);
    tcase_add_test(tcase, no_thread_has_a_line_too_many_and_none_is_forgotten);
}

CHECK_MAIN("rations of the log", add_tests)
