/* SPDX-License-Identifier: Apache-2.0 */
/* Units are due at fixed times, whatever became of the others; the clock is the test's. */
#include "tests/bench/pace.h"

#include "tests/bench/latency.h"
#include "tests/support/check_main.h"

static const uint64_t second_ns = 1000000000;
static const uint64_t ms_ns = 1000000;
static const uint64_t began_ns = 77;

static uint64_t take(struct pace *pace, uint64_t now_ns)
{
    uint64_t due_ns = UINT64_MAX;
    ck_assert(pace_take(pace, now_ns, &due_ns));
    return due_ns;
}

static bool takes(struct pace *pace, uint64_t now_ns)
{
    uint64_t due_ns;
    return pace_take(pace, now_ns, &due_ns);
}

START_TEST(unit_i_is_due_i_parts_of_a_second_after_the_begin)
{
    struct pace pace = pace_begin(4, 100, 0, began_ns);
    for (uint64_t i = 0; i < 100; i++) {
        uint64_t due_ns = began_ns + i * second_ns / 4;
        ck_assert_uint_eq(pace_next_ns(&pace), due_ns);
        ck_assert(!takes(&pace, due_ns - 1));
        ck_assert_uint_eq(take(&pace, due_ns), due_ns);
    }
    ck_assert(!pace_has_more(&pace, began_ns + 100 * second_ns));
    ck_assert_uint_eq(pace_next_ns(&pace), UINT64_MAX);
}
END_TEST

START_TEST(a_rate_that_does_not_divide_a_second_adds_up_no_rounding)
{
    struct pace pace = pace_begin(3, 0, 600 * second_ns, began_ns);
    ck_assert_uint_eq(pace.count, 1800);
    for (unsigned i = 0; i < 1797; i++)
        take(&pace, UINT64_MAX - 1);
    ck_assert_uint_eq(take(&pace, UINT64_MAX - 1), began_ns + 599 * second_ns);
    ck_assert_uint_eq(take(&pace, UINT64_MAX - 1), began_ns + 599 * second_ns + 333333333);
    ck_assert_uint_eq(take(&pace, UINT64_MAX - 1), began_ns + 599 * second_ns + 666666666);
}
END_TEST

START_TEST(a_unit_that_finds_nobody_keeps_its_time_and_its_place)
{
    struct pace pace = pace_begin(1000, 0, second_ns, began_ns);
    uint64_t late_ns = began_ns + 500 * ms_ns;
    for (uint64_t i = 0; i <= 500; i++)
        ck_assert_uint_eq(take(&pace, late_ns), began_ns + i * ms_ns);
    ck_assert(!takes(&pace, late_ns));
}
END_TEST

START_TEST(what_is_due_and_not_handed_out_is_counted)
{
    static const uint64_t rates[] = {1, 3, 7, 1000, 30000, 999999};
    for (unsigned r = 0; r < sizeof rates / sizeof rates[0]; r++) {
        struct pace pace = pace_begin(rates[r], 0, 2 * second_ns, began_ns);
        ck_assert_uint_eq(pace_waiting(&pace, began_ns - 1), 0);
        ck_assert_uint_eq(pace_waiting(&pace, began_ns), 1);
        for (uint64_t due = 1; due < 50 && due < pace.count; due++) {
            struct pace later = pace;
            later.taken = due;
            uint64_t next_ns = pace_next_ns(&later);
            ck_assert_uint_eq(pace_waiting(&pace, next_ns - 1), due);
            ck_assert_uint_eq(pace_waiting(&pace, next_ns), due + 1);
            ck_assert_uint_eq(pace_waiting(&later, next_ns), 1);
        }
        ck_assert_uint_eq(pace_waiting(&pace, began_ns + 1000 * second_ns), 2 * rates[r]);
    }
}
END_TEST

START_TEST(an_open_loop_hands_out_all_that_was_due_in_its_time_however_late)
{
    struct pace pace = pace_begin(50, 0, 2 * second_ns, began_ns);
    unsigned count = 0;
    while (takes(&pace, began_ns + 3600 * second_ns))
        count++;
    ck_assert_uint_eq(count, 100);
}
END_TEST

START_TEST(a_closed_loop_hands_out_whenever_it_is_asked)
{
    struct pace pace = pace_begin(0, 3, 0, began_ns);
    ck_assert_uint_eq(take(&pace, began_ns), began_ns);
    ck_assert_uint_eq(take(&pace, began_ns), began_ns);
    ck_assert_uint_eq(take(&pace, began_ns + 9), began_ns + 9);
    ck_assert(!takes(&pace, began_ns + 10));
    ck_assert_uint_eq(pace_waiting(&pace, began_ns + 10), 0);
    ck_assert_uint_eq(pace_next_ns(&pace), UINT64_MAX);
}
END_TEST

START_TEST(a_closed_loop_without_a_count_ends_with_its_time)
{
    struct pace pace = pace_begin(0, 0, 2 * second_ns, began_ns);
    ck_assert(takes(&pace, began_ns + 2 * second_ns - 1));
    ck_assert(!pace_has_more(&pace, began_ns + 2 * second_ns));
    ck_assert(!takes(&pace, began_ns + 2 * second_ns));
}
END_TEST

START_TEST(no_pace_has_no_work)
{
    struct pace pace = {0};
    ck_assert(!pace_has_more(&pace, 0));
    ck_assert(!takes(&pace, 1));
}
END_TEST

/* One connection to a server that answers in 1 ms, but stalls once: from the 101st unit on for a
 * second. What a client sees of it, by a clock that only this test moves. */
static void simulate(struct pace *pace, struct latency *latency)
{
    uint64_t now_ns = began_ns;
    while (pace_has_more(pace, now_ns)) {
        uint64_t due_ns;
        if (!pace_take(pace, now_ns, &due_ns)) {
            now_ns = pace_next_ns(pace);
            continue;
        }
        now_ns += pace->taken == 101 ? second_ns : ms_ns;
        latency_add(latency, now_ns - due_ns);
    }
}

START_TEST(a_stall_is_charged_for_every_unit_that_it_held_up)
{
    struct latency latency = {0};
    struct pace pace = pace_begin(500, 1000, 0, began_ns);
    simulate(&pace, &latency);
    ck_assert_uint_eq(latency.count, 1000);
    ck_assert_uint_eq(latency.most_ns, second_ns);
    /* The line grows to 500 units and shrinks by one a unit: 900 of 1000 waited. */
    ck_assert_uint_ge(latency_percentile(&latency, 99), 980 * ms_ns);
    ck_assert_uint_ge(latency_percentile(&latency, 50), 400 * ms_ns);
}
END_TEST

START_TEST(a_closed_loop_sees_one_slow_unit_of_the_same_stall)
{
    struct latency latency = {0};
    struct pace pace = pace_begin(0, 1000, 0, began_ns);
    simulate(&pace, &latency);
    ck_assert_uint_eq(latency.count, 1000);
    ck_assert_uint_eq(latency.most_ns, second_ns);
    ck_assert_uint_le(latency_percentile(&latency, 99), 2 * ms_ns);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, unit_i_is_due_i_parts_of_a_second_after_the_begin);
    tcase_add_test(tcase, a_rate_that_does_not_divide_a_second_adds_up_no_rounding);
    tcase_add_test(tcase, a_unit_that_finds_nobody_keeps_its_time_and_its_place);
    tcase_add_test(tcase, what_is_due_and_not_handed_out_is_counted);
    tcase_add_test(tcase, an_open_loop_hands_out_all_that_was_due_in_its_time_however_late);
    tcase_add_test(tcase, a_closed_loop_hands_out_whenever_it_is_asked);
    tcase_add_test(tcase, a_closed_loop_without_a_count_ends_with_its_time);
    tcase_add_test(tcase, no_pace_has_no_work);
    tcase_add_test(tcase, a_stall_is_charged_for_every_unit_that_it_held_up);
    tcase_add_test(tcase, a_closed_loop_sees_one_slow_unit_of_the_same_stall);
}

CHECK_MAIN("pace", add_tests)
