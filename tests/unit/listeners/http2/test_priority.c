/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/http2/priority.h"
#include "tests/support/check_main.h"

static void expect(const char *said, unsigned urgency, bool is_incremental)
{
    struct priority priority = priority_parse(slice_of(said));
    ck_assert_msg(priority.urgency == urgency, "%s: urgency %u", said, priority.urgency);
    ck_assert_msg(priority.is_incremental == is_incremental, "%s: incremental", said);
}

START_TEST(who_says_nothing_has_the_defaults)
{
    expect("", 3, false);
    expect("x=1, y", 3, false);
}
END_TEST

START_TEST(urgency_and_turns_are_read_in_any_order)
{
    expect("u=0", 0, false);
    expect("u=7, i", 7, true);
    expect("i,u=1", 1, true);
    expect(" \tu=5 , i=?1", 5, true);
    expect("i=?1, i=?0", 3, false);
}
END_TEST

START_TEST(parameters_and_unknown_members_are_passed_over)
{
    expect("u=2;x=1, a=\"b\", i;y", 2, true);
}
END_TEST

START_TEST(what_is_out_of_range_or_malformed_is_ignored)
{
    expect("u=8", 3, false);
    expect("u=-1", 3, false);
    expect("u=10", 3, false);
    expect("u=1.0", 3, false);
    expect("U=1, I", 3, false);
    expect("i=1", 3, false);
    expect(",,,", 3, false);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, who_says_nothing_has_the_defaults);
    tcase_add_test(tcase, urgency_and_turns_are_read_in_any_order);
    tcase_add_test(tcase, parameters_and_unknown_members_are_passed_over);
    tcase_add_test(tcase, what_is_out_of_range_or_malformed_is_ignored);
}

CHECK_MAIN("priority", add_tests)
