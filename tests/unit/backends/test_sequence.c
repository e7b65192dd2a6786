/* SPDX-License-Identifier: Apache-2.0 */
/* The order of turns: exact over a cycle, smooth within it. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/made_pool.h"

static struct made_pool made;

static void begin(void)
{
    made_pool_begin(&made);
}

static void end(void)
{
    made_pool_end(&made);
}

static const struct sequence *sequence_of(const unsigned *weights, unsigned count)
{
    made_pool_weights(&made, weights, count);
    ck_assert(made_pool_prepare(&made));
    return made.pool.sequence;
}

/* "aabacaa" */
static const char *spelt(const struct sequence *sequence)
{
    static char text[256];
    ck_assert_uint_lt(sequence->turn_count, sizeof text);
    for (unsigned i = 0; i < sequence->turn_count; i++)
        text[i] = (char)('a' + sequence->turns[i]);
    text[sequence->turn_count] = '\0';
    return text;
}

#define SEQUENCE(...)                                                                              \
    spelt(sequence_of((const unsigned[]){__VA_ARGS__},                                             \
                      sizeof(const unsigned[]){__VA_ARGS__} / sizeof(unsigned)))

START_TEST(equal_weights_alternate_in_file_order)
{
    ck_assert_str_eq(SEQUENCE(10, 10), "ab");
}
END_TEST

START_TEST(three_equal_weights_take_turns)
{
    ck_assert_str_eq(SEQUENCE(7, 7, 7), "abc");
}
END_TEST

START_TEST(a_heavy_backend_is_spread_between_light_ones)
{
    ck_assert_str_eq(SEQUENCE(5, 1, 1), "aabacaa");
}
END_TEST

START_TEST(weights_are_divided_by_their_common_divisor)
{
    ck_assert_str_eq(SEQUENCE(50, 10, 10), "aabacaa");
}
END_TEST

START_TEST(weight_0_gets_no_turn)
{
    ck_assert_str_eq(SEQUENCE(0, 3, 0, 3), "bd");
    ck_assert_uint_eq(made.pool.sequence->eligible_count, 2);
}
END_TEST

START_TEST(all_weights_0_leave_nobody)
{
    ck_assert_str_eq(SEQUENCE(0, 0), "");
}
END_TEST

START_TEST(one_backend_has_every_turn)
{
    ck_assert_str_eq(SEQUENCE(100), "a");
}
END_TEST

START_TEST(a_backend_that_is_down_loses_its_turns_and_gets_them_back)
{
    SEQUENCE(2, 1, 1);
    made_pool_judge(&made, 0, VERDICT_DOWN);
    ck_assert_str_eq(spelt(made.pool.sequence), "bc");
    made_pool_judge(&made, 0, VERDICT_UP);
    ck_assert_str_eq(spelt(made.pool.sequence), "abca");
}
END_TEST

START_TEST(what_is_left_is_reduced_anew)
{
    SEQUENCE(1, 10, 30);
    made_pool_judge(&made, 0, VERDICT_DOWN);
    ck_assert_str_eq(spelt(made.pool.sequence), "cbcc");
}
END_TEST

START_TEST(all_down_means_any_who_has_a_weight)
{
    SEQUENCE(1, 1, 0);
    for (unsigned i = 0; i < 3; i++)
        made_pool_judge(&made, i, VERDICT_DOWN);
    ck_assert_str_eq(spelt(made.pool.sequence), "ab");
}
END_TEST

START_TEST(only_weight_0_left_up_means_any_of_the_others)
{
    SEQUENCE(1, 0);
    made_pool_judge(&made, 0, VERDICT_DOWN);
    ck_assert_str_eq(spelt(made.pool.sequence), "a");
}
END_TEST

START_TEST(all_down_and_503_leaves_nobody)
{
    made_pool_key(&made, "all_down", "503");
    SEQUENCE(1, 1);
    made_pool_judge(&made, 0, VERDICT_DOWN);
    ck_assert_str_eq(spelt(made.pool.sequence), "b");
    made_pool_judge(&made, 1, VERDICT_DOWN);
    ck_assert_str_eq(spelt(made.pool.sequence), "");
}
END_TEST

static void drain(unsigned backend)
{
    atomic_store(&made.pool.backends[backend].standing->is_drained, true);
    pool_publish(&made.pool, 0);
}

START_TEST(a_drained_backend_has_no_turn_even_when_all_others_are_down)
{
    SEQUENCE(1, 1, 1);
    drain(0);
    ck_assert_str_eq(spelt(made.pool.sequence), "bc");
    made_pool_judge(&made, 1, VERDICT_DOWN);
    made_pool_judge(&made, 2, VERDICT_DOWN);
    ck_assert_str_eq(spelt(made.pool.sequence), "bc");
    drain(1);
    drain(2);
    ck_assert_str_eq(spelt(made.pool.sequence), "");
}
END_TEST

/* Pseudo-random weights that are the same in every run. */
static unsigned next_number(unsigned *state)
{
    *state = *state * 1103515245u + 12345u;
    return *state >> 16;
}

/* In any stretch of the cycle nobody is more than one turn away from its share: that is what smooth
 * means for whoever takes turns. */
static void check_smooth(const struct sequence *sequence, const unsigned *weights, unsigned count,
                         unsigned long sum)
{
    for (unsigned b = 0; b < count; b++) {
        unsigned long had = 0;
        for (unsigned turn = 1; turn <= sequence->turn_count; turn++) {
            had += sequence->turns[turn - 1] == b;
            double share = (double)turn * weights[b] / (double)sum;
            double off = (double)had - share;
            ck_assert_msg(off > -1.0 && off < 1.0, "after %u turns backend %u had %lu of %.2f",
                          turn, b, had, share);
        }
    }
}

START_TEST(over_one_cycle_everyone_gets_exactly_its_weight)
{
    unsigned state = (unsigned)_i + 1;
    unsigned weights[12];
    unsigned count = 1 + next_number(&state) % 12;
    unsigned long sum = 0;
    for (unsigned i = 0; i < count; i++)
        sum += weights[i] = 1 + next_number(&state) % 100;
    const struct sequence *sequence = sequence_of(weights, count);
    ck_assert_uint_eq(sum % sequence->turn_count, 0);
    unsigned long divisor = sum / sequence->turn_count;
    unsigned long had[12] = {0};
    for (unsigned turn = 0; turn < sequence->turn_count; turn++)
        had[sequence->turns[turn]]++;
    for (unsigned i = 0; i < count; i++)
        ck_assert_uint_eq(had[i] * divisor, weights[i]);
    check_smooth(sequence, weights, count, sum);
}
END_TEST

START_TEST(nobody_waits_much_longer_than_its_share_says)
{
    const struct sequence *sequence = sequence_of((const unsigned[]){100, 1}, 2);
    ck_assert_uint_eq(sequence->turn_count, 101);
    unsigned at = 0;
    while (sequence->turns[at] != 1)
        at++;
    ck_assert_uint_gt(at, 40);
    ck_assert_uint_lt(at, 60);
}
END_TEST

/* --- slow start ---------------------------------------------------------------------------- */

static uint32_t publish_at(uint64_t now_ms)
{
    return pool_publish(&made.pool, now_ms);
}

static void prepare_slow(const char *settings)
{
    char value[96];
    snprintf(value, sizeof value, "b0 192.0.2.1:1 weight=10 slow_start=10s %s", settings);
    made_pool_key(&made, "backend", value);
    made_pool_key(&made, "backend", "b1 192.0.2.1:2 weight=10");
    ck_assert(made_pool_prepare(&made));
}

static unsigned turns_of(unsigned backend)
{
    const struct sequence *sequence = made.pool.sequence;
    unsigned had = 0;
    for (unsigned turn = 0; turn < sequence->turn_count; turn++)
        had += sequence->turns[turn] == backend;
    return had;
}

START_TEST(a_backend_that_comes_up_starts_with_a_tenth_and_grows_to_its_whole_weight)
{
    prepare_slow("");
    ck_assert_str_eq(spelt(made.pool.sequence), "ab"); /* it never came up: no reason to be slow */
    made.pool.backends[0].standing->up_ms = 5000;
    ck_assert_uint_gt(publish_at(5000), 0);
    ck_assert_uint_eq(made.pool.sequence->turn_count, 11);
    ck_assert_uint_eq(turns_of(0), 1);
    publish_at(5000 + 4445);
    ck_assert_uint_eq(made.pool.sequence->turn_count, 3);
    ck_assert_uint_eq(turns_of(0), 1);
    ck_assert_uint_eq(made.pool.sequence->shares[0], 50);
    ck_assert_uint_gt(publish_at(5000 + 9999), 0);
    ck_assert_uint_eq(made.pool.sequence->turn_count, 199);
    ck_assert_uint_eq(turns_of(0), 99);
    ck_assert_uint_eq(publish_at(5000 + 10000), 0);
    ck_assert_str_eq(spelt(made.pool.sequence), "ab");
}
END_TEST

START_TEST(the_next_step_of_a_slow_start_is_known)
{
    prepare_slow("");
    made.pool.backends[0].standing->up_ms = 5000;
    uint64_t now = 5000;
    unsigned steps = 0;
    for (uint32_t wait; (wait = publish_at(now)) > 0; steps++) {
        unsigned share = made.pool.sequence->shares[0];
        ck_assert_uint_ge(wait, SHARE_STEP_MS);
        now += wait;
        publish_at(now);
        ck_assert_uint_gt(made.pool.sequence->shares[0], share);
    }
    ck_assert_uint_ge(steps, 80);
    ck_assert_uint_le(now, 5000 + 10000 + SHARE_STEP_MS);
}
END_TEST

START_TEST(publishing_what_did_not_change_changes_nothing)
{
    SEQUENCE(1, 2);
    const struct sequence *before = made.pool.sequence;
    unsigned generation = atomic_load(&made.pool.generation);
    ck_assert_uint_eq(publish_at(7), 0);
    ck_assert_ptr_eq(made.pool.sequence, before);
    ck_assert_uint_eq(atomic_load(&made.pool.generation), generation);
}
END_TEST

/* --- rounding ------------------------------------------------------------------------------ */

static void check_shares(const unsigned *weights, unsigned count, double tolerance)
{
    const struct sequence *sequence = made.pool.sequence;
    unsigned *had = calloc(count, sizeof *had);
    double sum = 0;
    for (unsigned i = 0; i < count; i++)
        sum += weights[i];
    for (unsigned turn = 0; turn < sequence->turn_count; turn++)
        had[sequence->turns[turn]]++;
    for (unsigned i = 0; i < count; i++) {
        double due = weights[i] / sum * sequence->turn_count;
        ck_assert_uint_gt(had[i], 0);
        ck_assert_msg(had[i] > due - tolerance && had[i] < due + tolerance, "%u had %u of %.2f", i,
                      had[i], due);
    }
    free(had);
}

START_TEST(weights_that_need_more_turns_than_there_are_are_rounded)
{
    static unsigned weights[POOL_BACKENDS_MOST];
    for (unsigned i = 0; i < POOL_BACKENDS_MOST; i++)
        weights[i] = i == 5 ? 1 : 100 - i % 2;
    const struct sequence *sequence = sequence_of(weights, POOL_BACKENDS_MOST);
    ck_assert_uint_le(sequence->turn_count, SEQUENCE_TURNS_MOST);
    ck_assert_uint_gt(sequence->turn_count, SEQUENCE_TURNS_MOST * 9 / 10);
    check_shares(weights, POOL_BACKENDS_MOST, 2);
}
END_TEST

START_TEST(slow_starts_in_a_large_pool_keep_the_others_exact)
{
    static unsigned weights[900];
    unsigned state = 7;
    made_pool_key(&made, "backend", "slow 192.0.2.1:1 weight=73 slow_start=10s");
    for (unsigned i = 0; i < 900; i++)
        weights[i] = 1 + next_number(&state) % 100;
    made_pool_weights(&made, weights, 900);
    ck_assert(made_pool_prepare(&made));
    made.pool.backends[0].standing->up_ms = 1;
    publish_at(1 + 3333);
    const struct sequence *sequence = made.pool.sequence;
    ck_assert_uint_le(sequence->turn_count, SEQUENCE_TURNS_MOST);
    unsigned unit = sequence->seats[1].weight / weights[0];
    ck_assert_uint_ge(unit, 1);
    for (unsigned i = 0; i < 900; i++)
        ck_assert_uint_eq(sequence->seats[1 + i].weight, weights[i] * unit);
    unsigned slow = sequence->seats[0].weight;
    ck_assert_uint_ge(slow, 73 * unit * 38 / 100);
    ck_assert_uint_le(slow, 73 * unit * 41 / 100);
}
END_TEST

START_TEST(many_slow_starts_at_once_stay_within_the_limit)
{
    for (unsigned i = 0; i < POOL_BACKENDS_MOST; i++) {
        char value[96];
        snprintf(value, sizeof value, "b%u 192.0.2.1:%u weight=%u slow_start=%us", i, 1 + i,
                 100 - i % 7, 10 + i % 50);
        made_pool_key(&made, "backend", value);
    }
    ck_assert(made_pool_prepare(&made));
    for (unsigned i = 0; i < POOL_BACKENDS_MOST; i++)
        made.pool.backends[i].standing->up_ms = 1 + i;
    for (uint64_t now = 1; now < 61000; now += 7000) {
        publish_at(now);
        ck_assert_uint_le(made.pool.sequence->turn_count, SEQUENCE_TURNS_MOST);
        for (unsigned i = 0; i < made.pool.sequence->eligible_count; i++)
            ck_assert_uint_gt(made.pool.sequence->seats[i].weight, 0);
    }
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, equal_weights_alternate_in_file_order);
    tcase_add_test(tcase, three_equal_weights_take_turns);
    tcase_add_test(tcase, a_heavy_backend_is_spread_between_light_ones);
    tcase_add_test(tcase, weights_are_divided_by_their_common_divisor);
    tcase_add_test(tcase, weight_0_gets_no_turn);
    tcase_add_test(tcase, all_weights_0_leave_nobody);
    tcase_add_test(tcase, one_backend_has_every_turn);
    tcase_add_test(tcase, a_backend_that_is_down_loses_its_turns_and_gets_them_back);
    tcase_add_test(tcase, what_is_left_is_reduced_anew);
    tcase_add_test(tcase, all_down_means_any_who_has_a_weight);
    tcase_add_test(tcase, only_weight_0_left_up_means_any_of_the_others);
    tcase_add_test(tcase, all_down_and_503_leaves_nobody);
    tcase_add_test(tcase, a_drained_backend_has_no_turn_even_when_all_others_are_down);
    tcase_add_loop_test(tcase, over_one_cycle_everyone_gets_exactly_its_weight, 0, 100);
    tcase_add_test(tcase,
                   a_backend_that_comes_up_starts_with_a_tenth_and_grows_to_its_whole_weight);
    tcase_add_test(tcase, the_next_step_of_a_slow_start_is_known);
    tcase_add_test(tcase, publishing_what_did_not_change_changes_nothing);
    tcase_add_test(tcase, weights_that_need_more_turns_than_there_are_are_rounded);
    tcase_add_test(tcase, slow_starts_in_a_large_pool_keep_the_others_exact);
    tcase_add_test(tcase, many_slow_starts_at_once_stay_within_the_limit);
    tcase_add_test(tcase, nobody_waits_much_longer_than_its_share_says);
}

CHECK_MAIN("sequence", add_tests)
