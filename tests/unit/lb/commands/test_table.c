/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/table.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"

static const struct table_column columns[] = {
    {"NAME", false}, {"ACTIVE", true}, {"REASON", false}, {NULL, false}};

static char *written(struct table *table, bool with_colour)
{
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    table_write(table, out, with_colour);
    fclose(out);
    return text;
}

static void expect(struct table *table, bool with_colour, const char *expected)
{
    char *text = written(table, with_colour);
    ck_assert_str_eq(text, expected);
    free(text);
}

START_TEST(columns_are_as_wide_as_their_widest_cell)
{
    struct table table = table_of(columns);
    table_text(&table, TINT_NONE, "a");
    table_number(&table, 5);
    table_text(&table, TINT_NONE, "short");
    table_text(&table, TINT_NONE, "longer-name");
    table_number(&table, 1234567);
    table_text(&table, TINT_NONE, NULL);
    expect(&table, false,
           "  NAME            ACTIVE  REASON\n"
           "  a                    5  short\n"
           "  longer-name  1,234,567  -\n");
}
END_TEST

START_TEST(a_table_without_rows_has_its_titles)
{
    struct table table = table_of(columns);
    expect(&table, false, "  NAME  ACTIVE  REASON\n");
}
END_TEST

START_TEST(characters_count_not_bytes_and_controls_are_shown)
{
    struct table table = table_of(columns);
    table_text(&table, TINT_NONE, "gr\u00fcn");
    table_number(&table, -1234);
    table_text(&table, TINT_NONE, "a\033[2Jb\nc");
    expect(&table, false,
           "  NAME  ACTIVE  REASON\n"
           "  gr\u00fcn  -1,234  a?[2Jb?c\n");
}
END_TEST

START_TEST(a_tint_does_not_change_the_width)
{
    struct table table = table_of(columns);
    table_text(&table, TINT_BAD, "a");
    table_number(&table, 1);
    table_text(&table, TINT_ODD, "b");
    expect(&table, true,
           "  \033[2mNAME\033[0m  \033[2mACTIVE\033[0m  \033[2mREASON\033[0m\n"
           "  \033[1;31ma\033[0m          1  \033[33mb\033[0m\n");
}
END_TEST

static const struct {
    long long number;
    const char *text;
} numbers[] = {
    {0, "0"},          {999, "999"},   {1000, "1,000"},        {999999, "999,999"},
    {-1000, "-1,000"}, {-999, "-999"}, {1000000, "1,000,000"},
};

START_TEST(thousands_stand_apart)
{
    char text[NUMBER_BYTES];
    ck_assert_str_eq(number_text(numbers[_i].number, text), numbers[_i].text);
    ck_assert_str_eq(number_text(INT64_MIN, text), "-9,223,372,036,854,775,808");
}
END_TEST

START_TEST(many_rows_are_kept)
{
    struct table table = table_of(columns);
    for (int i = 0; i < 3000; i++)
        table_number(&table, i);
    char *text = written(&table, false);
    ck_assert_ptr_nonnull(strstr(text, "2,997   2,998  2,999\n"));
    free(text);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, columns_are_as_wide_as_their_widest_cell);
    tcase_add_test(tcase, a_table_without_rows_has_its_titles);
    tcase_add_test(tcase, characters_count_not_bytes_and_controls_are_shown);
    tcase_add_test(tcase, a_tint_does_not_change_the_width);
    tcase_add_loop_test(tcase, thousands_stand_apart, 0, sizeof numbers / sizeof *numbers);
    tcase_add_test(tcase, many_rows_are_kept);
}

CHECK_MAIN("table", add_tests)
