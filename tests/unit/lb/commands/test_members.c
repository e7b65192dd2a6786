/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/members.h"

#include "tests/support/check_main.h"

enum { NOW_S = 1795255200 }; /* 2026-11-21T10:00:00Z */

static const struct {
    const char *time;
    const char *says;
} days[] = {
    {"2026-12-03T10:00:00Z", "2026-12-03, in 12 days"},
    {"2026-11-23T10:00:00.000Z", "2026-11-23, in 2 days"},
    {"2026-11-23T09:59:59Z", "2026-11-23, in 47 hours"},
    {"2026-11-21T12:00:00Z", "2026-11-21, in 2 hours"},
    {"2026-11-21T11:00:00Z", "2026-11-21, in 60 minutes"},
    {"2026-11-21T10:01:30Z", "2026-11-21, in 1 minute"},
    {"2026-11-21T10:00:00Z", "2026-11-21, 0 minutes ago"},
    {"2025-11-21T10:00:00Z", "2025-11-21, 365 days ago"},
    {"soon", "-"},
    {"", "-"},
};

START_TEST(a_time_says_how_far_away_it_is)
{
    char text[TIME_TEXT_BYTES];
    json_t *object = json_pack("{s:s}", "at", days[_i].time);
    ck_assert_str_eq(member_day_text(object, "at", NOW_S, text), days[_i].says);
    json_decref(object);
}
END_TEST

START_TEST(what_is_missing_is_no_failure)
{
    char text[TIME_TEXT_BYTES];
    json_t *object = json_pack("{s:n, s:i, s:s, s:b}", "null", "number", 7, "empty", "", "on", 1);
    ck_assert_ptr_null(member_text(object, "none"));
    ck_assert_ptr_null(member_text(NULL, "none"));
    ck_assert_ptr_null(member_text(object, "null"));
    ck_assert_str_eq(member_text_or_dash(object, "number"), "-");
    ck_assert_str_eq(member_text_or_dash(object, "empty"), "-");
    ck_assert_int_eq(member_number(object, "empty"), 0);
    ck_assert_int_eq(member_number(object, "number"), 7);
    ck_assert(member_is(object, "on") && !member_is(object, "number"));
    ck_assert_int_eq(member_time_s(object, "null"), 0);
    ck_assert_str_eq(member_time_text(object, "null", text), "-");
    ck_assert_str_eq(member_day_text(object, "number", NOW_S, text), "-");
    json_decref(object);
}
END_TEST

START_TEST(a_time_is_shown_without_its_letters)
{
    char text[TIME_TEXT_BYTES];
    json_t *object = json_pack("{s:s}", "at", "2026-11-21T10:00:00.123Z");
    ck_assert_int_eq(member_time_s(object, "at"), NOW_S);
    ck_assert_str_eq(member_time_text(object, "at", text), "2026-11-21 10:00:00");
    json_decref(object);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, a_time_says_how_far_away_it_is, 0, sizeof days / sizeof *days);
    tcase_add_test(tcase, what_is_missing_is_no_failure);
    tcase_add_test(tcase, a_time_is_shown_without_its_letters);
}

CHECK_MAIN("members", add_tests)
