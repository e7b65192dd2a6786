/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <time.h>

#include "lb/base/timestamp.h"
#include "tests/support/check_main.h"

static const struct {
    int64_t ms;
    const char *text;
} moments[] = {
    {0, "1970-01-01T00:00:00.000Z"},
    {7, "1970-01-01T00:00:00.007Z"},
    {951782399999, "2000-02-28T23:59:59.999Z"},
    {951782400000, "2000-02-29T00:00:00.000Z"},
    {951782400001, "2000-02-29T00:00:00.001Z"},
    {1795255219123, "2026-11-21T10:00:19.123Z"},
    {-1, "1969-12-31T23:59:59.999Z"},
    {253402300799999, "9999-12-31T23:59:59.999Z"},
    {253402300800000, "1970-01-01T00:00:00.000Z"}, /* a year of five digits has no room */
};

START_TEST(moments_are_written_in_utc_with_milliseconds)
{
    char text[TIMESTAMP_BYTES + 1];
    memset(text, '#', sizeof text);
    timestamp_write(moments[_i].ms, text);
    ck_assert_mem_eq(text, moments[_i].text, TIMESTAMP_BYTES);
    ck_assert_int_eq(text[TIMESTAMP_BYTES], '#');
}
END_TEST

START_TEST(the_remembered_second_never_leaks_into_another)
{
    for (size_t i = 0; i < 3 * sizeof moments / sizeof moments[0]; i++) {
        size_t at = i * 5 % (sizeof moments / sizeof moments[0]);
        char text[TIMESTAMP_BYTES];
        timestamp_write(moments[at].ms, text);
        ck_assert_mem_eq(text, moments[at].text, TIMESTAMP_BYTES);
    }
}
END_TEST

START_TEST(now_is_between_two_looks_at_the_system_clock)
{
    int64_t before = (int64_t)time(NULL) * 1000;
    int64_t now = timestamp_now_ms();
    int64_t after = ((int64_t)time(NULL) + 1) * 1000;
    /* time() may lag the precise clock by a tick. */
    ck_assert_int_ge(now, before - 1000);
    ck_assert_int_le(now, after + 1000);
    ck_assert_int_le(timestamp_monotonic_ms(), timestamp_monotonic_ms());
}
END_TEST

START_TEST(a_combined_time_is_what_web_servers_write)
{
    char text[TIMESTAMP_COMBINED_BYTES + 1] = "";
    timestamp_write_combined(INT64_C(1795248547005), text);
    ck_assert_str_eq(text, "21/Nov/2026:08:09:07 +0000");
    timestamp_write_combined(0, text);
    ck_assert_str_eq(text, "01/Jan/1970:00:00:00 +0000");
    timestamp_write_combined(INT64_C(1795248547999), text);
    ck_assert_str_eq(text, "21/Nov/2026:08:09:07 +0000");
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, moments_are_written_in_utc_with_milliseconds, 0,
                        sizeof moments / sizeof moments[0]);
    tcase_add_test(tcase, the_remembered_second_never_leaks_into_another);
    tcase_add_test(tcase, now_is_between_two_looks_at_the_system_clock);
    tcase_add_test(tcase, a_combined_time_is_what_web_servers_write);
}

CHECK_MAIN("timestamp", add_tests)
