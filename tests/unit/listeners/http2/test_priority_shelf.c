/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/http2/priority_shelf.h"

#include "tests/support/check_main.h"

static struct priority urgent(unsigned urgency)
{
    return (struct priority){.urgency = urgency, .is_incremental = urgency % 2 == 1};
}

static void expect(struct priority_shelf *shelf, int32_t stream, unsigned urgency)
{
    struct priority found = {0};
    ck_assert_msg(priority_shelf_take(shelf, stream, &found), "stream %d", stream);
    ck_assert_uint_eq(found.urgency, urgency);
    ck_assert_int_eq(found.is_incremental, urgency % 2 == 1);
    ck_assert(!priority_shelf_take(shelf, stream, &found));
}

START_TEST(the_latest_that_was_said_of_a_stream_is_found_once)
{
    struct priority_shelf shelf = {0};
    priority_shelf_put(&shelf, 3, urgent(1));
    priority_shelf_put(&shelf, 1, urgent(2));
    priority_shelf_put(&shelf, 3, urgent(6));
    ck_assert_uint_eq(shelf.count, 2);
    expect(&shelf, 1, 2);
    expect(&shelf, 3, 6);
    ck_assert_uint_eq(shelf.count, 0);
}
END_TEST

START_TEST(of_streams_that_were_passed_over_nothing_is_kept)
{
    struct priority_shelf shelf = {0};
    struct priority found;
    priority_shelf_put(&shelf, 1, urgent(1));
    priority_shelf_put(&shelf, 5, urgent(5));
    priority_shelf_put(&shelf, 7, urgent(7));
    ck_assert(!priority_shelf_take(&shelf, 3, &found));
    ck_assert_uint_eq(shelf.count, 2);
    expect(&shelf, 7, 7);
    ck_assert_uint_eq(shelf.count, 0);
}
END_TEST

START_TEST(who_says_too_much_has_the_lowest_stream_forgotten)
{
    enum { MORE = 3, COUNT = HTTP2_PRIORITIES_KEPT_MOST + MORE };
    struct priority_shelf shelf = {0};
    struct priority found;
    for (int i = 0; i < COUNT; i++)
        priority_shelf_put(&shelf, 2 * i + 1, urgent((unsigned)i % 8));
    ck_assert_uint_eq(shelf.count, HTTP2_PRIORITIES_KEPT_MOST);
    for (int i = 0; i < MORE; i++)
        ck_assert(!priority_shelf_take(&shelf, 2 * i + 1, &found));
    for (int i = MORE; i < COUNT; i++)
        expect(&shelf, 2 * i + 1, (unsigned)i % 8);
    ck_assert_uint_eq(shelf.count, 0);
}
END_TEST

START_TEST(rows_that_were_freed_in_between_make_no_difference_to_that)
{
    enum { FREED = 3, COUNT = HTTP2_PRIORITIES_KEPT_MOST + FREED };
    struct priority_shelf shelf = {0};
    struct priority found;
    for (int i = 0; i < HTTP2_PRIORITIES_KEPT_MOST; i++)
        priority_shelf_put(&shelf, 2 * i + 1, urgent((unsigned)i % 8));
    ck_assert(priority_shelf_take(&shelf, 2 * FREED - 1, &found));
    for (int i = HTTP2_PRIORITIES_KEPT_MOST; i < COUNT; i++)
        priority_shelf_put(&shelf, 2 * i + 1, urgent((unsigned)i % 8));
    priority_shelf_put(&shelf, 2 * COUNT + 1, urgent(COUNT % 8));
    ck_assert_uint_eq(shelf.count, HTTP2_PRIORITIES_KEPT_MOST);
    ck_assert(!priority_shelf_take(&shelf, 2 * FREED + 1, &found));
    for (int i = FREED + 1; i <= COUNT; i++)
        expect(&shelf, 2 * i + 1, (unsigned)i % 8);
}
END_TEST

START_TEST(its_count_is_right_whatever_comes_and_goes)
{
    struct priority_shelf shelf = {0};
    struct priority found;
    uint32_t random = 12345;
    int32_t next = 1;
    for (unsigned i = 0; i < 10000; i++) {
        random = random * 1103515245 + 12345;
        if (random >> 16 & 3)
            priority_shelf_put(&shelf, next + 2 * (int32_t)(random >> 20 & 15), urgent(3));
        else
            priority_shelf_take(&shelf, next += 2, &found);
        unsigned used = 0;
        for (unsigned k = 0; k < HTTP2_PRIORITIES_KEPT_MOST; k++)
            used += shelf.rows[k].stream != 0;
        ck_assert_uint_eq(shelf.count, used);
    }
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, the_latest_that_was_said_of_a_stream_is_found_once);
    tcase_add_test(tcase, of_streams_that_were_passed_over_nothing_is_kept);
    tcase_add_test(tcase, who_says_too_much_has_the_lowest_stream_forgotten);
    tcase_add_test(tcase, rows_that_were_freed_in_between_make_no_difference_to_that);
    tcase_add_test(tcase, its_count_is_right_whatever_comes_and_goes);
}

CHECK_MAIN("priority shelf", add_tests)
