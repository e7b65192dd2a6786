/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "lb/base/error.h"
#include "tests/support/check_main.h"

START_TEST(an_error_says_what_went_wrong_and_is_false)
{
    struct error err = {""};
    ck_assert(!error_set(&err, "port %d of %s", 80, "web"));
    ck_assert_str_eq(err.text, "port 80 of web");
    ck_assert(!error_set(NULL, "nobody asks for %s", "this"));
}
END_TEST

START_TEST(a_longer_error_is_cut_and_closed)
{
    struct error err;
    memset(err.text, 'x', sizeof err.text);
    error_set(&err, "%01000d", 7);
    ck_assert_uint_eq(strlen(err.text), ERROR_TEXT_BYTES - 1);
}
END_TEST

START_TEST(problems_count_errors_but_not_warnings)
{
    struct problems problems = {0};
    problems_add(&problems, "lb.ini", 3, "no key \"%s\"", "prot");
    problems_warn(&problems, "lb.ini", 1, "CA and leaf share a name");
    problems_add(&problems, NULL, 0, "nothing to do");
    ck_assert_uint_eq(problems.count, 3);
    ck_assert_uint_eq(problems.error_count, 2);
    ck_assert_str_eq(problems.items[0].text, "no key \"prot\"");
    ck_assert(problems.items[1].warning && !problems.items[0].warning);
    ck_assert_str_eq(problems.items[2].file, "-");
    problems_done(&problems);
    ck_assert_uint_eq(problems.count, 0);
    ck_assert_ptr_null(problems.items);
}
END_TEST

START_TEST(sorting_goes_by_file_then_line_and_keeps_the_order_of_equals)
{
    enum { COUNT = 300 };
    struct problems problems = {0};
    for (unsigned i = 0; i < COUNT; i++) {
        problems_add(&problems, i % 2 ? "b.ini" : "a.ini", (COUNT - i) / 20, "%03u", i);
    }
    problems_sort(&problems);
    for (size_t i = 1; i < problems.count; i++) {
        const struct problem *before = &problems.items[i - 1];
        const struct problem *after = &problems.items[i];
        int files = strcmp(before->file, after->file);
        ck_assert_int_le(files, 0);
        if (files == 0)
            ck_assert_uint_le(before->line, after->line);
        if (files == 0 && before->line == after->line)
            ck_assert_int_lt(strcmp(before->text, after->text), 0);
    }
    problems_add(&problems, "c.ini", 1, "adding goes on behind sorting");
    ck_assert_uint_eq(problems.count, COUNT + 1);
    problems_done(&problems);
}
END_TEST

START_TEST(problems_joined_keep_their_kind_and_place)
{
    struct problems problems = {0}, more = {0};
    problems_add(&problems, "a.ini", 1, "one");
    problems_warn(&more, "b.ini", 2, "100%% %s", "two");
    problems_add(&more, "b.ini", 3, "three");
    problems_join(&problems, &more);
    problems_done(&more);
    ck_assert_uint_eq(problems.count, 3);
    ck_assert_uint_eq(problems.error_count, 2);
    ck_assert(problems.items[1].warning);
    ck_assert_str_eq(problems.items[1].text, "100% two");
    ck_assert_str_eq(problems.items[2].file, "b.ini");
    ck_assert_uint_eq(problems.items[2].line, 3);
    problems_done(&problems);
}
END_TEST

START_TEST(no_problems_can_be_sorted_and_released)
{
    struct problems problems = {0};
    problems_sort(&problems);
    problems_done(&problems);
    ck_assert_uint_eq(problems.count, 0);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, an_error_says_what_went_wrong_and_is_false);
    tcase_add_test(tcase, a_longer_error_is_cut_and_closed);
    tcase_add_test(tcase, problems_count_errors_but_not_warnings);
    tcase_add_test(tcase, sorting_goes_by_file_then_line_and_keeps_the_order_of_equals);
    tcase_add_test(tcase, problems_joined_keep_their_kind_and_place);
    tcase_add_test(tcase, no_problems_can_be_sorted_and_released);
}

CHECK_MAIN("error", add_tests)
