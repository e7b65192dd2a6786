/* SPDX-License-Identifier: Apache-2.0 */
/* Values as they are written, and what becomes of those that must not be. */
#include "listeners/identity_headers/field_pen.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"

static struct field_pen pen;

static void begin(void)
{
    memset(&pen, 0, sizeof pen);
}

static void end(void)
{
    free(pen.text);
}

static void expect(const char *text)
{
    ck_assert(!pen.is_broken);
    ck_assert_uint_eq(pen.used, strlen(text));
    ck_assert_mem_eq(pen.text, text, pen.used);
}

START_TEST(a_field_is_a_line)
{
    field_pen_field(&pen, "A", "one", 3);
    field_pen_field(&pen, "B", "", 0);
    expect("A: one\r\nB: \r\n");
}
END_TEST

START_TEST(a_value_over_its_limit_is_replaced_as_a_whole)
{
    field_pen_field(&pen, "Before", "kept", 10);
    field_pen_field(&pen, "Name", "abcd", 3);
    field_pen_field(&pen, "After", "kept", 10);
    expect("Before: kept\r\nName-Too-Large: 1\r\nAfter: kept\r\n");
}
END_TEST

static const struct {
    const char *value;
    size_t bytes;
} bad[] = {{"a\rb", 3}, {"a\nb", 3}, {"a\0b", 3}, {"\x7f", 1}, {"\xc3\xa9", 2}, {"\t", 1}};

START_TEST(a_byte_that_no_value_may_have_is_never_written)
{
    field_pen_begin(&pen, "Name", 10);
    field_pen_put(&pen, bad[_i].value, bad[_i].bytes);
    field_pen_end(&pen);
    expect("Name-Too-Large: 1\r\n");
}
END_TEST

START_TEST(a_spoiled_value_is_replaced_and_the_next_one_is_fine)
{
    field_pen_begin(&pen, "Name", 10);
    field_pen_text(&pen, "half");
    field_pen_spoil(&pen);
    field_pen_end(&pen);
    field_pen_field(&pen, "Next", "x", 10);
    expect("Name-Too-Large: 1\r\nNext: x\r\n");
}
END_TEST

START_TEST(a_field_that_is_dropped_leaves_nothing)
{
    field_pen_field(&pen, "Before", "kept", 10);
    field_pen_begin(&pen, "Name", 10);
    field_pen_text(&pen, "half");
    field_pen_drop(&pen);
    field_pen_field(&pen, "Next", "x", 10);
    expect("Before: kept\r\nNext: x\r\n");
}
END_TEST

START_TEST(bytes_are_encoded_in_their_ways)
{
    static const unsigned char bytes[] = {0x00, 0xab, 0xfe, 0xff};
    field_pen_hex(&pen, bytes, 4, true);
    field_pen_text(&pen, " ");
    field_pen_hex(&pen, bytes, 4, false);
    field_pen_text(&pen, " ");
    field_pen_base64(&pen, bytes, 4);
    field_pen_text(&pen, " ");
    field_pen_base64(&pen, bytes, 3);
    expect("00ABFEFF 00abfeff AKv+/w== AKv+");
}
END_TEST

START_TEST(percent_encoding_leaves_what_is_unreserved_or_said_to_be_safe)
{
    static const char text[] = "aZ9-._~+=/ \n%\0\xff";
    field_pen_url(&pen, text, sizeof text - 1, "");
    field_pen_text(&pen, "|");
    field_pen_url(&pen, text, sizeof text - 1, "+=/");
    expect("aZ9-._~%2B%3D%2F%20%0A%25%00%FF|aZ9-._~+=/%20%0A%25%00%FF");
}
END_TEST

START_TEST(the_text_grows_as_it_must)
{
    char piece[1000];
    memset(piece, 'x', sizeof piece);
    for (int i = 0; i < 200; i++)
        field_pen_put(&pen, piece, sizeof piece);
    ck_assert_uint_eq(pen.used, 200000);
    for (size_t i = 0; i < pen.used; i++)
        ck_assert(pen.text[i] == 'x');
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_field_is_a_line);
    tcase_add_test(tcase, a_value_over_its_limit_is_replaced_as_a_whole);
    tcase_add_loop_test(tcase, a_byte_that_no_value_may_have_is_never_written, 0,
                        sizeof bad / sizeof *bad);
    tcase_add_test(tcase, a_spoiled_value_is_replaced_and_the_next_one_is_fine);
    tcase_add_test(tcase, a_field_that_is_dropped_leaves_nothing);
    tcase_add_test(tcase, bytes_are_encoded_in_their_ways);
    tcase_add_test(tcase, percent_encoding_leaves_what_is_unreserved_or_said_to_be_safe);
    tcase_add_test(tcase, the_text_grows_as_it_must);
}

CHECK_MAIN("field_pen", add_tests)
