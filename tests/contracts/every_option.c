/* SPDX-License-Identifier: Apache-2.0 */
/* What every line of every option table must keep, whoever writes it. */
#include <stdio.h>
#include <string.h>

#include "lb/base/ini.h"
#include "lb/config/config.h"
#include "tests/support/check_main.h"

static struct arena arena;
static struct problems problems;

static void begin(void)
{
    arena = (struct arena){0};
    problems = (struct problems){0};
}

static void end(void)
{
    problems_done(&problems);
    arena_done(&arena);
}

static void expect_no_problem(const char *section)
{
    ck_assert_msg(problems.count == 0, "[%s]: line %u: %s", section,
                  problems.count > 0 ? problems.items[0].line : 0,
                  problems.count > 0 ? problems.items[0].text : "");
}

static void set(const struct option_table *table, void *values, const char *key, const char *value,
                unsigned line)
{
    const struct ini_entry entry = {table->section, "", 1, key, value, line};
    option_set(table, values, &entry, "table", "/etc/lb", &arena, &problems);
}

START_TEST(every_key_is_there_once)
{
    const struct option_table *table = option_tables[_i];
    for (const struct option *option = table->options; option->key; option++)
        ck_assert_msg(option_find(table, option->key) == option, "[%s] has two keys %s",
                      table->section, option->key);
}
END_TEST

START_TEST(every_key_has_help_that_fits_a_message)
{
    const struct option_table *table = option_tables[_i];
    char values[128];
    ck_assert_msg(table->summary && *table->summary, "[%s] has no summary", table->section);
    for (const struct option *option = table->options; option->key; option++) {
        ck_assert_msg(*option_purpose(option), "%s does not say what it is for", option->key);
        option_describe(option, values, sizeof values);
        ck_assert_msg(strlen(values) < sizeof values - 1, "%s is described too long", option->key);
    }
}
END_TEST

START_TEST(every_default_is_a_value_of_its_key)
{
    const struct option_table *table = option_tables[_i];
    void *values = arena_alloc(&arena, table->bytes);
    unsigned line = 1;
    option_defaults(table, values, &arena);
    for (const struct option *option = table->options; option->key; option++)
        if (option->standard)
            set(table, values, option->key, option->standard, ++line);
    expect_no_problem(table->section);
}
END_TEST

START_TEST(every_choice_is_taken_and_told_apart)
{
    const struct option_table *table = option_tables[_i];
    void *values = arena_alloc(&arena, table->bytes);
    char word[64];
    for (const struct option *option = table->options; option->key; option++) {
        if (option->kind != OPTION_CHOICE)
            continue;
        ck_assert(*option_choice_word(option, 0, word, sizeof word));
        for (int i = 0; *option_choice_word(option, i, word, sizeof word); i++) {
            option_defaults(table, values, &arena);
            set(table, values, option->key, word, 2);
            ck_assert_int_eq(*(int *)(void *)((char *)values + option->offset), i);
        }
    }
    expect_no_problem(table->section);
}
END_TEST

START_TEST(every_range_holds_something)
{
    const struct option_table *table = option_tables[_i];
    for (const struct option *option = table->options; option->key; option++) {
        ck_assert_msg(option->most == 0 || option->least <= option->most, "%s", option->key);
        if (option->kind == OPTION_DURATION)
            ck_assert_msg(option->least >= 0 && option->most <= UINT32_MAX, "%s", option->key);
        if (option->kind == OPTION_SIZE)
            ck_assert_msg(option->least >= 0, "%s", option->key);
    }
}
END_TEST

START_TEST(every_sample_is_an_ini_file_that_sets_nothing)
{
    const struct option_table *table = option_tables[_i];
    struct ini ini;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    option_write_sample(table, out);
    fclose(out);
    ini_read_bytes(&ini, "sample", text, length, &arena, &problems);
    expect_no_problem(table->section);
    ck_assert_uint_eq(ini.count, 1);
    ck_assert_str_eq(ini.entries[0].section, table->section);
    for (const struct option *option = table->options; option->key; option++) {
        char shown[128];
        snprintf(shown, sizeof shown, "\n;%s =", option->key);
        ck_assert_msg(strstr(text, shown) != NULL, "%s is not in the sample", option->key);
    }
    free(text);
}
END_TEST

static void add_tests(TCase *tcase)
{
    int count = 0;
    while (option_tables[count])
        count++;
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_loop_test(tcase, every_key_is_there_once, 0, count);
    tcase_add_loop_test(tcase, every_key_has_help_that_fits_a_message, 0, count);
    tcase_add_loop_test(tcase, every_default_is_a_value_of_its_key, 0, count);
    tcase_add_loop_test(tcase, every_choice_is_taken_and_told_apart, 0, count);
    tcase_add_loop_test(tcase, every_range_holds_something, 0, count);
    tcase_add_loop_test(tcase, every_sample_is_an_ini_file_that_sets_nothing, 0, count);
}

CHECK_MAIN("every option", add_tests)
