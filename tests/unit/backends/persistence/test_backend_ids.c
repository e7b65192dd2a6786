/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/persistence/backend_ids.h"

#include "lb/base/limits.h"
#include "tests/support/check_main.h"

static struct backend_ids *ids;

static void end(void)
{
    backend_ids_free(ids);
}

/* Different for different numbers, and spread like a hash. */
static uint64_t id_of(uint64_t number)
{
    return (number + 1) * 0x9e3779b97f4a7c15;
}

static void expect_all_found(unsigned count, uint64_t (*id)(uint64_t number))
{
    ids = backend_ids_new(count);
    ck_assert_ptr_nonnull(ids);
    for (unsigned i = 0; i < count; i++)
        backend_ids_set(ids, i, id(i));
    for (unsigned i = 0; i < count; i++) {
        ck_assert_int_eq(backend_ids_find(ids, id(i)), (int)i);
        ck_assert_uint_eq(backend_ids_get(ids, i), id(i));
    }
    for (unsigned i = count; i < 3 * count + 5; i++)
        ck_assert_int_eq(backend_ids_find(ids, id(i)), -1);
    backend_ids_free(ids);
    ids = NULL;
}

START_TEST(every_backend_is_found_and_nobody_else)
{
    static const unsigned counts[] = {1, 2, 3, 4, 5, 63, 64, 65, 1000, POOL_BACKENDS_MOST};
    for (unsigned i = 0; i < sizeof counts / sizeof *counts; i++)
        expect_all_found(counts[i], id_of);
}
END_TEST

/* All want the same place. */
static uint64_t crowded_id_of(uint64_t number)
{
    return number << 32 | 7;
}

START_TEST(ids_that_collide_in_the_table_are_told_apart)
{
    expect_all_found(POOL_BACKENDS_MOST, crowded_id_of);
}
END_TEST

START_TEST(nobody_is_in_an_empty_table)
{
    ids = backend_ids_new(0);
    ck_assert_ptr_nonnull(ids);
    ck_assert_int_eq(backend_ids_find(ids, 0), -1);
    ck_assert_int_eq(backend_ids_find(ids, 7), -1);
}
END_TEST

START_TEST(of_two_with_one_id_the_first_is_found)
{
    ids = backend_ids_new(3);
    backend_ids_set(ids, 0, 5);
    backend_ids_set(ids, 1, 9);
    backend_ids_set(ids, 2, 9);
    ck_assert_int_eq(backend_ids_find(ids, 9), 1);
    ck_assert_uint_eq(backend_ids_get(ids, 2), 9);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, NULL, end);
    tcase_add_test(tcase, every_backend_is_found_and_nobody_else);
    tcase_add_test(tcase, ids_that_collide_in_the_table_are_told_apart);
    tcase_add_test(tcase, nobody_is_in_an_empty_table);
    tcase_add_test(tcase, of_two_with_one_id_the_first_is_found);
}

CHECK_MAIN("backend ids", add_tests)
