/* SPDX-License-Identifier: Apache-2.0 */
/* Which backend a key means: by weight, and hardly ever another one than before. */
#include "backends/persistence/affinity.h"

#include <stdio.h>
#include <string.h>

#include "backends/choice.h"
#include "tests/support/check_main.h"
#include "tests/support/made_pool.h"

enum { KEYS = 50000 };

static struct made_pool made;

static void begin(void)
{
    made_pool_begin(&made);
    made_pool_key(&made, "balance", "ip-hash");
}

static void end(void)
{
    made_pool_end(&made);
}

static void prepare(const unsigned *weights, unsigned count)
{
    made_pool_weights(&made, weights, count);
    ck_assert(made_pool_prepare(&made));
}

static int backend_of(const struct made_pool *pool, unsigned key)
{
    char address[32];
    snprintf(address, sizeof address, "198.51.%u.%u", key / 256, key % 256);
    struct choice choice = {.key = choice_key_of(address, strlen(address)),
                            .sequence = pool->pool.sequence};
    return affinity_find(pool->pool.affinity, &choice);
}

static int *all_of(const struct made_pool *pool)
{
    int *found = calloc(KEYS, sizeof *found);
    for (unsigned key = 0; key < KEYS; key++)
        found[key] = backend_of(pool, key);
    return found;
}

static void count(const int *found, unsigned *had, unsigned backends)
{
    memset(had, 0, backends * sizeof *had);
    for (unsigned key = 0; key < KEYS; key++)
        had[found[key]]++;
}

START_TEST(keys_spread_by_weight)
{
    static const unsigned weights[] = {100, 50, 40, 9, 1};
    unsigned had[5];
    prepare(weights, 5);
    int *found = all_of(&made);
    count(found, had, 5);
    for (unsigned i = 0; i < 5; i++) {
        unsigned share = KEYS * weights[i] / 200;
        ck_assert_msg(had[i] > share * 8 / 10 && had[i] < share * 12 / 10, "%u had %u of %u", i,
                      had[i], share);
    }
    free(found);
}
END_TEST

START_TEST(only_the_keys_of_a_lost_backend_move_and_they_come_back)
{
    unsigned had[10];
    prepare((const unsigned[]){10, 10, 10, 10, 10, 10, 10, 10, 10, 10}, 10);
    int *before = all_of(&made);
    made_pool_judge(&made, 4, VERDICT_DOWN);
    int *without = all_of(&made);
    for (unsigned key = 0; key < KEYS; key++) {
        ck_assert_int_ne(without[key], 4);
        if (before[key] != 4)
            ck_assert_int_eq(without[key], before[key]);
    }
    count(without, had, 10);
    for (unsigned i = 0; i < 10; i++)
        if (i != 4)
            ck_assert_msg(had[i] > KEYS / 9 * 9 / 10 && had[i] < KEYS / 9 * 11 / 10, "%u had %u", i,
                          had[i]);
    made_pool_judge(&made, 4, VERDICT_UP);
    int *again = all_of(&made);
    ck_assert_mem_eq(again, before, KEYS * sizeof *again);
    free(before);
    free(without);
    free(again);
}
END_TEST

START_TEST(when_nearly_all_are_gone_the_last_one_is_found)
{
    static unsigned weights[1000];
    for (unsigned i = 0; i < 1000; i++)
        weights[i] = i == 567 ? 1 : 100;
    prepare(weights, 1000);
    for (unsigned i = 0; i < 1000; i++)
        atomic_store(&made.pool.backends[i].standing->verdict,
                     i == 567 ? VERDICT_UP : VERDICT_DOWN);
    pool_publish(&made.pool, 0);
    for (unsigned key = 0; key < 100; key++)
        ck_assert_int_eq(backend_of(&made, key), 567);
}
END_TEST

START_TEST(a_backend_that_starts_slowly_gets_that_part_of_its_keys_back)
{
    made_pool_key(&made, "backend", "slow 192.0.2.1:9 slow_start=100s");
    prepare((const unsigned[]){10, 10, 10}, 3);
    int *before = all_of(&made);
    unsigned had_before[4], had[4];
    made.pool.backends[0].standing->up_ms = 1000;
    pool_publish(&made.pool, 1000 + 45000);
    ck_assert_uint_eq(made.pool.sequence->shares[0], 50);
    int *slowly = all_of(&made);
    count(before, had_before, 4);
    count(slowly, had, 4);
    ck_assert_uint_gt(had[0], had_before[0] * 4 / 10);
    ck_assert_uint_lt(had[0], had_before[0] * 6 / 10);
    for (unsigned key = 0; key < KEYS; key++)
        if (slowly[key] == 0 || before[key] != 0)
            ck_assert_int_eq(slowly[key], before[key]);
    free(before);
    free(slowly);
}
END_TEST

/* The same pool after a reload: the names in another order, one of them gone or new. */
static unsigned moved_keys(struct made_pool *other, const int *before)
{
    unsigned moved = 0;
    for (unsigned key = 0; key < KEYS; key++) {
        const char *name = other->pool.backends[backend_of(other, key)].name;
        moved += strcmp(name, made.pool.backends[before[key]].name) != 0;
    }
    return moved;
}

START_TEST(a_config_with_one_more_or_less_moves_few_keys_but_its_own)
{
    static const char *const names[] = {"k", "j", "i", "h", "g", "f", "e", "d", "c", "b", "a"};
    for (unsigned i = 0; i < 10; i++) {
        char value[64];
        snprintf(value, sizeof value, "%s 192.0.2.1:%u", names[10 - i], 1 + i);
        made_pool_key(&made, "backend", value);
    }
    ck_assert(made_pool_prepare(&made));
    int *before = all_of(&made);
    for (unsigned first = 0; first <= 2; first += 2) { /* 11 names, then 9 */
        struct made_pool other;
        made_pool_begin(&other);
        made_pool_key(&other, "balance", "ip-hash");
        for (unsigned i = first; i < 11; i++) {
            char value[64];
            snprintf(value, sizeof value, "%s 192.0.2.2:%u", names[i], 1 + i);
            made_pool_key(&other, "backend", value);
        }
        ck_assert(made_pool_prepare(&other));
        unsigned moved = moved_keys(&other, before);
        /* A tenth is its own; the table adds less than as much again. */
        ck_assert_msg(moved > KEYS / 12 && moved < KEYS / 6, "%u moved", moved);
        made_pool_end(&other);
    }
    free(before);
}
END_TEST

START_TEST(a_pool_that_asks_for_no_key_has_no_table)
{
    struct made_pool other;
    made_pool_begin(&other);
    made_pool_key(&other, "backend", "a 192.0.2.1:1");
    ck_assert(made_pool_prepare(&other));
    ck_assert_ptr_null(other.pool.affinity);
    made_pool_end(&other);
}
END_TEST

START_TEST(all_weights_0_leave_nobody)
{
    struct pool_view view = {0};
    struct choice choice = {0};
    prepare((const unsigned[]){0, 0}, 2);
    ck_assert_int_eq(pool_take(&made.pool, &view, &choice), POOL_NONE);
    pool_view_done(&made.pool, &view);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, keys_spread_by_weight);
    tcase_add_test(tcase, only_the_keys_of_a_lost_backend_move_and_they_come_back);
    tcase_add_test(tcase, when_nearly_all_are_gone_the_last_one_is_found);
    tcase_add_test(tcase, a_backend_that_starts_slowly_gets_that_part_of_its_keys_back);
    tcase_add_test(tcase, a_config_with_one_more_or_less_moves_few_keys_but_its_own);
    tcase_add_test(tcase, a_pool_that_asks_for_no_key_has_no_table);
    tcase_add_test(tcase, all_weights_0_leave_nobody);
}

CHECK_MAIN("affinity", add_tests)
