/* SPDX-License-Identifier: Apache-2.0 */
/* Percentiles from a histogram: never below the truth, and at most a step above it. */
#include "tests/bench/latency.h"

#include "tests/support/check_main.h"

START_TEST(nothing_counted_is_nothing)
{
    struct latency latency = {0};
    ck_assert_uint_eq(latency_percentile(&latency, 50), 0);
}
END_TEST

START_TEST(small_values_are_exact)
{
    struct latency latency = {0};
    for (uint64_t ns = 1; ns <= 20; ns++)
        latency_add(&latency, ns);
    ck_assert_uint_eq(latency_percentile(&latency, 5), 1);
    ck_assert_uint_eq(latency_percentile(&latency, 50), 10);
    ck_assert_uint_eq(latency_percentile(&latency, 95), 19);
    ck_assert_uint_eq(latency_percentile(&latency, 100), 20);
}
END_TEST

START_TEST(a_percentile_is_the_truth_or_up_to_a_thirty_second_above)
{
    static const uint64_t units[] = {100, 1000, 77777, 1000000, 123456789, 16000000000};
    for (unsigned i = 0; i < sizeof units / sizeof units[0]; i++) {
        struct latency latency = {0};
        for (uint64_t step = 1; step <= 1000; step++)
            latency_add(&latency, step * units[i]);
        for (unsigned percent = 1; percent <= 100; percent++) {
            uint64_t truth_ns = percent * 10 * units[i];
            uint64_t told_ns = latency_percentile(&latency, percent);
            ck_assert_uint_ge(told_ns, truth_ns);
            ck_assert_uint_le(told_ns, truth_ns + truth_ns / 32);
        }
        ck_assert_uint_eq(latency.most_ns, 1000 * units[i]);
    }
}
END_TEST

START_TEST(one_slow_unit_of_a_hundred_is_above_p99_and_two_are_p99)
{
    struct latency latency = {0};
    for (unsigned i = 0; i < 99; i++)
        latency_add(&latency, 10);
    latency_add(&latency, 5000000);
    ck_assert_uint_eq(latency_percentile(&latency, 99), 10);
    latency_add(&latency, 5000000);
    ck_assert_uint_eq(latency_percentile(&latency, 99), 5000000);
}
END_TEST

START_TEST(what_takes_hours_is_never_told_as_less)
{
    struct latency latency = {0};
    for (unsigned i = 0; i < 10; i++)
        latency_add(&latency, UINT64_MAX / 2);
    ck_assert_uint_eq(latency_percentile(&latency, 50), UINT64_MAX / 2);
}
END_TEST

START_TEST(no_percentile_is_above_the_longest)
{
    struct latency latency = {0};
    latency_add(&latency, UINT64_MAX);
    latency_add(&latency, 1000001);
    ck_assert_uint_le(latency_percentile(&latency, 50), 1000001 + 1000001 / 32);
    ck_assert_uint_eq(latency.most_ns, UINT64_MAX);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, nothing_counted_is_nothing);
    tcase_add_test(tcase, small_values_are_exact);
    tcase_add_test(tcase, a_percentile_is_the_truth_or_up_to_a_thirty_second_above);
    tcase_add_test(tcase, one_slow_unit_of_a_hundred_is_above_p99_and_two_are_p99);
    tcase_add_test(tcase, what_takes_hours_is_never_told_as_less);
    tcase_add_test(tcase, no_percentile_is_above_the_longest);
}

CHECK_MAIN("latency", add_tests)
