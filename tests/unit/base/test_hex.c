/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/base/hex.h"

#include <string.h>

#include "tests/support/check_main.h"

START_TEST(every_byte_is_written_and_read_again)
{
    unsigned char bytes[256], again[256];
    char text[2 * sizeof bytes + 1];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)i;
    memset(text, '.', sizeof text);
    ck_assert_ptr_eq(hex_write(text, bytes, sizeof bytes, hex_lower), text + 2 * sizeof bytes);
    ck_assert_mem_eq(text, "000102030405060708090a0b0c0d0e0f10", 34);
    ck_assert_mem_eq(text + 2 * sizeof bytes - 4, "feff.", 5);
    ck_assert(hex_read(text, again, sizeof again));
    ck_assert_mem_eq(again, bytes, sizeof bytes);
}
END_TEST

START_TEST(digits_may_be_in_upper_case)
{
    char text[4];
    hex_write(text, (const unsigned char *)"\xab\x0c", 2, hex_upper);
    ck_assert_mem_eq(text, "AB0C", 4);
}
END_TEST

START_TEST(what_is_no_digit_in_lower_case_is_not_read)
{
    static const char *const others[] = {"",   "0",  "0g", "g0",  "0A",
                                         " 0", "0 ", "-1", "00f", "00F0"};
    unsigned char bytes[2];
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_msg(!hex_read(others[i], bytes, 2), "%s", others[i]);
    ck_assert(hex_read("0f", bytes, 1));
    ck_assert_uint_eq(bytes[0], 15);
    ck_assert(hex_read("f0xyz", bytes, 1));
    ck_assert_uint_eq(bytes[0], 240);
    ck_assert(hex_read("", bytes, 0));
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, every_byte_is_written_and_read_again);
    tcase_add_test(tcase, digits_may_be_in_upper_case);
    tcase_add_test(tcase, what_is_no_digit_in_lower_case_is_not_read);
}

CHECK_MAIN("hex", add_tests)
