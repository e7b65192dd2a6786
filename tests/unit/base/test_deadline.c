/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "lb/base/deadline.h"
#include "tests/support/check_main.h"

enum { WATCHED_MOST = 200 };

/* Deadlines over a real loop with a clock that the test moves. */
struct fixture {
    uv_loop_t loop;
    struct deadlines deadlines;
    uint64_t now_ms;
};

struct watched {
    struct deadline deadline;
    struct fixture *fixture;
    unsigned passed_count;
    uint64_t passed_at_ms;
};

static uint64_t fake_now_ms(struct deadlines *deadlines)
{
    return ((struct fixture *)deadlines->now_context)->now_ms;
}

static void on_passed(struct deadline *deadline)
{
    struct watched *watched = LIST_OWNER(deadline, struct watched, deadline);
    watched->passed_count++;
    watched->passed_at_ms = watched->fixture->now_ms;
}

static void open_fixture(struct fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    fixture->now_ms = 1000000;
    uv_loop_init(&fixture->loop);
    deadlines_init(&fixture->deadlines, &fixture->loop);
    fixture->deadlines.now_ms = fake_now_ms;
    fixture->deadlines.now_context = fixture;
}

static void close_fixture(struct fixture *fixture)
{
    deadlines_close(&fixture->deadlines);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&fixture->loop), 0);
}

static void move_to(struct fixture *fixture, uint64_t ms)
{
    fixture->now_ms = 1000000 + ms;
    deadlines_run(&fixture->deadlines);
}

static void arm(struct fixture *fixture, struct watched *watched, uint32_t after_ms)
{
    watched->fixture = fixture;
    deadline_arm(&fixture->deadlines, &watched->deadline, after_ms, on_passed);
}

START_TEST(a_deadline_passes_once_and_not_a_millisecond_early)
{
    struct fixture fixture;
    struct watched watched = {0};
    open_fixture(&fixture);
    arm(&fixture, &watched, 250);
    move_to(&fixture, 249);
    ck_assert_uint_eq(watched.passed_count, 0);
    ck_assert(watched.deadline.armed);
    move_to(&fixture, 250);
    ck_assert_uint_eq(watched.passed_count, 1);
    ck_assert(!watched.deadline.armed);
    move_to(&fixture, 10000);
    ck_assert_uint_eq(watched.passed_count, 1);
    close_fixture(&fixture);
}
END_TEST

START_TEST(disarming_arming_again_and_zero_do_what_they_say)
{
    struct fixture fixture;
    struct watched disarmed = {0};
    struct watched again = {0};
    struct watched zero = {0};
    open_fixture(&fixture);
    deadline_disarm(&disarmed.deadline); /* never armed */
    arm(&fixture, &disarmed, 100);
    arm(&fixture, &again, 100);
    arm(&fixture, &zero, 100);
    deadline_disarm(&disarmed.deadline);
    deadline_disarm(&disarmed.deadline);
    arm(&fixture, &zero, 0);
    move_to(&fixture, 99);
    arm(&fixture, &again, 100);
    move_to(&fixture, 198);
    ck_assert_uint_eq(again.passed_count, 0);
    move_to(&fixture, 199);
    ck_assert_uint_eq(again.passed_count, 1);
    ck_assert_uint_eq(disarmed.passed_count, 0);
    ck_assert_uint_eq(zero.passed_count, 0);
    close_fixture(&fixture);
}
END_TEST

START_TEST(deadlines_of_all_lengths_pass_at_their_own_time)
{
    struct fixture fixture;
    static struct watched watched[WATCHED_MOST];
    memset(watched, 0, sizeof watched);
    open_fixture(&fixture);
    for (uint32_t i = 0; i < WATCHED_MOST; i++)
        arm(&fixture, &watched[i], (i * 7 % DEADLINE_LENGTHS + 1) * 10);
    for (uint64_t ms = 0; ms <= (uint64_t)DEADLINE_LENGTHS * 10; ms++)
        move_to(&fixture, ms);
    for (uint32_t i = 0; i < WATCHED_MOST; i++) {
        ck_assert_uint_eq(watched[i].passed_count, 1);
        ck_assert_uint_eq(watched[i].passed_at_ms, 1000000 + (i * 7 % DEADLINE_LENGTHS + 1) * 10);
    }
    close_fixture(&fixture);
}
END_TEST

/* Lengths 10, 20, … fill all lists; 15 then waits with 20, 10000 with the longest, whose own wait
 * on. */
START_TEST(a_length_too_many_shares_the_next_longer_list)
{
    struct fixture fixture;
    static struct watched watched[DEADLINE_LENGTHS];
    struct watched between = {0};
    struct watched longest = {0};
    memset(watched, 0, sizeof watched);
    open_fixture(&fixture);
    for (uint32_t i = 0; i < DEADLINE_LENGTHS; i++)
        arm(&fixture, &watched[i], (i + 1) * 10);
    arm(&fixture, &between, 15);
    arm(&fixture, &longest, 10000);
    for (uint64_t ms = 0; ms <= 10000; ms++)
        move_to(&fixture, ms);
    for (uint32_t i = 0; i < DEADLINE_LENGTHS; i++)
        ck_assert_uint_eq(watched[i].passed_at_ms, 1000000 + (i + 1) * 10);
    ck_assert_uint_eq(between.passed_at_ms, 1000020);
    ck_assert_uint_eq(longest.passed_at_ms, 1010000);
    close_fixture(&fixture);
}
END_TEST

START_TEST(a_list_nobody_waits_in_is_used_for_another_length)
{
    struct fixture fixture;
    struct watched one = {0};
    open_fixture(&fixture);
    for (uint32_t length_ms = 1; length_ms <= 3 * DEADLINE_LENGTHS; length_ms++) {
        uint64_t armed_at_ms = fixture.now_ms;
        arm(&fixture, &one, length_ms);
        ck_assert_uint_eq(one.deadline.due_ms, armed_at_ms + length_ms);
        fixture.now_ms += length_ms;
        deadlines_run(&fixture.deadlines);
        ck_assert_uint_eq(one.passed_count, length_ms);
    }
    close_fixture(&fixture);
}
END_TEST

struct chained {
    struct watched first;
    struct watched second;
};

static void disarm_the_second_and_arm_the_first(struct deadline *deadline)
{
    struct chained *chained = LIST_OWNER(deadline, struct chained, first.deadline);
    deadline_disarm(&chained->second.deadline);
    arm(chained->first.fixture, &chained->first, 30);
}

START_TEST(a_callback_may_arm_and_disarm_what_is_due_as_well)
{
    struct fixture fixture;
    struct chained chained = {0};
    open_fixture(&fixture);
    chained.first.fixture = chained.second.fixture = &fixture;
    deadline_arm(&fixture.deadlines, &chained.first.deadline, 30,
                 disarm_the_second_and_arm_the_first);
    arm(&fixture, &chained.second, 30);
    move_to(&fixture, 30);
    ck_assert_uint_eq(chained.second.passed_count, 0);
    ck_assert(chained.first.deadline.armed);
    move_to(&fixture, 60);
    ck_assert_uint_eq(chained.first.passed_count, 1);
    close_fixture(&fixture);
}
END_TEST

START_TEST(the_timer_is_set_again_only_for_an_earlier_deadline)
{
    struct fixture fixture;
    struct watched late = {0};
    struct watched later = {0};
    struct watched soon = {0};
    open_fixture(&fixture);
    ck_assert(!uv_is_active((uv_handle_t *)&fixture.deadlines.timer));
    arm(&fixture, &late, 500);
    ck_assert_uint_eq(fixture.deadlines.timer_due_ms, 1000500);
    arm(&fixture, &later, 900);
    ck_assert_uint_eq(fixture.deadlines.timer_due_ms, 1000500);
    arm(&fixture, &soon, 100);
    ck_assert_uint_eq(fixture.deadlines.timer_due_ms, 1000100);
    deadline_disarm(&soon.deadline); /* costs nothing: the timer wakes in vain once */
    ck_assert_uint_eq(fixture.deadlines.timer_due_ms, 1000100);
    move_to(&fixture, 100);
    ck_assert_uint_eq(fixture.deadlines.timer_due_ms, 1000500);
    deadline_disarm(&late.deadline);
    deadline_disarm(&later.deadline);
    move_to(&fixture, 500);
    ck_assert_uint_eq(fixture.deadlines.timer_due_ms, 0);
    ck_assert(!uv_is_active((uv_handle_t *)&fixture.deadlines.timer));
    close_fixture(&fixture);
}
END_TEST

START_TEST(a_real_loop_calls_what_is_due)
{
    struct fixture fixture;
    struct watched watched[2] = {{.fixture = &fixture}, {.fixture = &fixture}};
    open_fixture(&fixture);
    deadlines_close(&fixture.deadlines);
    uv_run(&fixture.loop, UV_RUN_DEFAULT);
    deadlines_init(&fixture.deadlines, &fixture.loop);
    arm(&fixture, &watched[0], 3);
    arm(&fixture, &watched[1], 1);
    ck_assert_msg(!uv_loop_alive(&fixture.loop), "deadlines alone must not keep a loop alive");
    uv_ref((uv_handle_t *)&fixture.deadlines.timer);
    uv_run(&fixture.loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(watched[0].passed_count, 1);
    ck_assert_uint_eq(watched[1].passed_count, 1);
    close_fixture(&fixture);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_deadline_passes_once_and_not_a_millisecond_early);
    tcase_add_test(tcase, disarming_arming_again_and_zero_do_what_they_say);
    tcase_add_test(tcase, deadlines_of_all_lengths_pass_at_their_own_time);
    tcase_add_test(tcase, a_length_too_many_shares_the_next_longer_list);
    tcase_add_test(tcase, a_list_nobody_waits_in_is_used_for_another_length);
    tcase_add_test(tcase, a_callback_may_arm_and_disarm_what_is_due_as_well);
    tcase_add_test(tcase, the_timer_is_set_again_only_for_an_earlier_deadline);
    tcase_add_test(tcase, a_real_loop_calls_what_is_due);
}

CHECK_MAIN("deadline", add_tests)
