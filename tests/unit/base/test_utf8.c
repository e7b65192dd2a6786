/* SPDX-License-Identifier: Apache-2.0 */
/* What is UTF-8, and what of it nobody should be shown. */
#include "lb/base/utf8.h"

#include <string.h>

#include "tests/support/check_main.h"

START_TEST(sequences_have_their_length_and_others_have_none)
{
    static const struct {
        const char *text;
        size_t length;
    } rows[] = {
        {"a", 1},
        {"\xc3\xbc", 2},
        {"\xe2\x82\xac", 3},
        {"\xf0\x9f\x94\x91", 4},
        {"\x80", 0},
        {"\xc0\xaf", 0},         /* overlong */
        {"\xed\xa0\x80", 0},     /* a surrogate */
        {"\xf4\x90\x80\x80", 0}, /* beyond U+10FFFF */
        {"\xe2\x82", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_uint_eq(utf8_length(rows[i].text, strlen(rows[i].text)), rows[i].length);
}
END_TEST

START_TEST(controls_and_marks_of_direction_are_hidden_and_nothing_else)
{
    static const char *const hidden[] = {
        "\x01",         "\x1b",         "\x7f",         "\xc2\x80",
        "\xc2\x9b",     "\xc2\x9f",     "\xe2\x80\x8e", "\xe2\x80\x8f",
        "\xe2\x80\xaa", "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa9",
    };
    static const char *const shown[] = {
        " ",
        "~",
        "\xc2\xa0",
        "\xc3\x80",
        "\xe2\x80\x8d",
        "\xe2\x80\x90",
        "\xe2\x80\xa9",
        "\xe2\x80\xaf",
        "\xe2\x81\xa5",
        "\xe2\x81\xaa",
        "\xe3\x80\x8e",
        "\xf0\x9f\x94\x91",
    };
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        ck_assert_msg(utf8_is_hidden(hidden[i], strlen(hidden[i])), "row %zu", i);
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        ck_assert_msg(!utf8_is_hidden(shown[i], strlen(shown[i])), "row %zu", i);
}
END_TEST

START_TEST(what_is_hidden_is_covered_and_the_rest_stays)
{
    char text[] = "K\xc3\xbc"
                  "che\x1b[2J \xc2\x9b\xe2\x80\xae\x80.";
    utf8_cover_hidden(text);
    ck_assert_str_eq(text, "K\xc3\xbc"
                           "che?[2J ???.");
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, sequences_have_their_length_and_others_have_none);
    tcase_add_test(tcase, controls_and_marks_of_direction_are_hidden_and_nothing_else);
    tcase_add_test(tcase, what_is_hidden_is_covered_and_the_rest_stays);
}

CHECK_MAIN("utf8", add_tests)
