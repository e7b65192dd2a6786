/* SPDX-License-Identifier: Apache-2.0 */
/* Values with units, from text and back. */
#include "lb/base/option.h"

#include "tests/support/check_main.h"

static const struct {
    const char *text;
    int64_t ms; /* -1: refused */
} durations[] = {
    {"0", 0},
    {"0s", 0},
    {"1ms", 1},
    {"4s", 4000},
    {"5m", 300000},
    {"2h", 7200000},
    {"30d", 2592000000},
    {"00004s", 4000},
    {"4294967295ms", 4294967295},
    {"4294967296ms", -1},
    {"49d", 4233600000},
    {"50d", -1},
    {"99999999999999999999s", -1},
    {"", -1},
    {"s", -1},
    {"4", -1},
    {"-4s", -1},
    {"+4s", -1},
    {"4 s", -1},
    {" 4s", -1},
    {"4s ", -1},
    {"4S", -1},
    {"4.5s", -1},
    {"4sec", -1},
    {"1m30s", -1},
    {"0x4s", -1},
};

START_TEST(durations_are_whole_numbers_with_a_unit)
{
    uint32_t ms = 77;
    bool is_good = option_parse_duration(durations[_i].text, &ms);
    ck_assert_msg(is_good == (durations[_i].ms >= 0), "%s", durations[_i].text);
    ck_assert_int_eq(ms, is_good ? durations[_i].ms : 77);
}
END_TEST

static const struct {
    const char *text;
    int64_t bytes; /* -1: refused */
} sizes[] = {
    {"0", 0},
    {"1", 1},
    {"32k", 32768},
    {"32K", 32768},
    {"60m", 62914560},
    {"2G", 2147483648},
    {"9223372036854775807", INT64_MAX},
    {"9223372036854775808", -1},
    {"8589934591g", 9223372035781033984},
    {"8589934592g", -1},
    {"", -1},
    {"k", -1},
    {"1kb", -1},
    {"-1", -1},
    {"1 k", -1},
    {"1t", -1},
    {"1.5m", -1},
};

START_TEST(sizes_are_whole_numbers_with_or_without_a_unit)
{
    uint64_t bytes = 77;
    bool is_good = option_parse_size(sizes[_i].text, &bytes);
    ck_assert_msg(is_good == (sizes[_i].bytes >= 0), "%s", sizes[_i].text);
    ck_assert_uint_eq(bytes, is_good ? (uint64_t)sizes[_i].bytes : 77);
}
END_TEST

START_TEST(numbers_are_whole_and_decimal)
{
    static const char *const bad[] = {
        "", "-", "--1", "+1", "1a", " 1", "1 ", "0x1", "1.0", "1e3", "9223372036854775808"};
    int64_t number = 0;
    ck_assert(option_parse_number("9223372036854775807", &number));
    ck_assert(number == INT64_MAX);
    ck_assert(option_parse_number("-12", &number));
    ck_assert_int_eq(number, -12);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!option_parse_number(bad[i], &number), "%s", bad[i]);
    ck_assert_int_eq(number, -12);
}
END_TEST

START_TEST(switches_have_three_ways_to_say_each)
{
    static const char *const on[] = {"on", "yes", "true"}, *const off[] = {"off", "no", "false"};
    static const char *const bad[] = {"", "On", "1", "0", "y", "on "};
    bool is_on = false;
    for (size_t i = 0; i < 3; i++) {
        ck_assert(option_parse_switch(on[i], &is_on) && is_on);
        ck_assert(option_parse_switch(off[i], &is_on) && !is_on);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!option_parse_switch(bad[i], &is_on), "%s", bad[i]);
}
END_TEST

START_TEST(what_is_written_is_read_back)
{
    static const struct {
        uint64_t ms;
        const char *text;
    } rows[] = {{0, "0"},         {1, "1ms"},       {1500, "1500ms"}, {4000, "4s"},
                {90000, "90s"},   {600000, "10m"},  {5400000, "90m"}, {7200000, "2h"},
                {86400000, "1d"}, {90000000, "25h"}};
    char text[32];
    uint32_t ms = 1;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        option_write_duration(rows[i].ms, text, sizeof text);
        ck_assert_str_eq(text, rows[i].text);
        ck_assert(option_parse_duration(text, &ms));
        ck_assert_uint_eq(ms, rows[i].ms);
    }
    option_write_size(1536, text, sizeof text);
    ck_assert_str_eq(text, "1536");
    option_write_size(3 * 1024 * 1024, text, sizeof text);
    ck_assert_str_eq(text, "3m");
    option_write_size(0, text, sizeof text);
    ck_assert_str_eq(text, "0");
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, durations_are_whole_numbers_with_a_unit, 0,
                        sizeof durations / sizeof *durations);
    tcase_add_loop_test(tcase, sizes_are_whole_numbers_with_or_without_a_unit, 0,
                        sizeof sizes / sizeof *sizes);
    tcase_add_test(tcase, numbers_are_whole_and_decimal);
    tcase_add_test(tcase, switches_have_three_ways_to_say_each);
    tcase_add_test(tcase, what_is_written_is_read_back);
}

CHECK_MAIN("option_parse", add_tests)
