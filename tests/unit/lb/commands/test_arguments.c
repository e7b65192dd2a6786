/* SPDX-License-Identifier: Apache-2.0 */
/* Options with values of one verb alone. */
#include "lb/commands/arguments.h"

#include <string.h>

#include "tests/support/check_main.h"

enum { NAME, HOST, WITHIN, FORCE };

static const struct argument_option options[] = {
    [NAME] = {"name", "NAME", "what it is called", ARGUMENT_ONCE},
    [HOST] = {"host", "HOST", "where it is", ARGUMENT_REPEATED},
    [WITHIN] = {"within", "TIME", "how soon", ARGUMENT_VALUE_MAY_LACK},
    [FORCE] = {"force", NULL, "it is meant", ARGUMENT_ONCE},
    {0},
};

static const struct argument_form form = {"thing make", ARGUMENT_CONFIG | ARGUMENT_JSON, options,
                                          2};

static struct arguments arguments;

static bool parse(char *const *line)
{
    static char *copy[16];
    int argc = 0;
    for (; line[argc]; argc++)
        copy[argc] = line[argc];
    copy[argc] = NULL;
    return arguments_parse(&arguments, &form, argc, copy);
}

#define PARSE(...) parse((char *const[]){"make", __VA_ARGS__, NULL})

START_TEST(values_and_words_may_stand_in_any_order)
{
    ck_assert(PARSE("one", "--name=a b", "-c", "lb.ini", "--host", "x", "two", "--json", "--host",
                    "y", "--force"));
    ck_assert_str_eq(arguments_value(&arguments, NAME), "a b");
    ck_assert_str_eq(arguments.config_file, "lb.ini");
    ck_assert_uint_eq(arguments.on, ARGUMENT_JSON);
    ck_assert(arguments_has(&arguments, FORCE));
    ck_assert(!arguments_has(&arguments, WITHIN));
    ck_assert_int_eq(arguments.word_count, 2);
    ck_assert_str_eq(arguments.words[0], "one");
    ck_assert_str_eq(arguments.words[1], "two");
}
END_TEST

START_TEST(a_repeated_option_has_all_its_values_in_their_order)
{
    const char *values[3];
    ck_assert(PARSE("--host", "x", "--host=", "--host", "z"));
    ck_assert_uint_eq(arguments_values(&arguments, HOST, values, 3), 3);
    ck_assert_str_eq(values[0], "x");
    ck_assert_str_eq(values[1], "");
    ck_assert_str_eq(values[2], "z");
    ck_assert_uint_eq(arguments_values(&arguments, HOST, values, 2), 2);
}
END_TEST

START_TEST(a_value_that_may_lack_is_the_next_word_or_none)
{
    ck_assert(PARSE("--within"));
    ck_assert(arguments_has(&arguments, WITHIN));
    ck_assert_ptr_null(arguments_value(&arguments, WITHIN));
    ck_assert(PARSE("--within", "--force"));
    ck_assert_ptr_null(arguments_value(&arguments, WITHIN));
    ck_assert(PARSE("--within", "30d", "one"));
    ck_assert_str_eq(arguments_value(&arguments, WITHIN), "30d");
    ck_assert_int_eq(arguments.word_count, 1);
    ck_assert_str_eq(arguments.words[0], "one");
    ck_assert(PARSE("one", "--within=12h"));
    ck_assert_str_eq(arguments_value(&arguments, WITHIN), "12h");
}
END_TEST

START_TEST(what_is_wrong_is_refused)
{
    ck_assert(!PARSE("--name"));
    ck_assert(!PARSE("--name", "a", "--name", "b"));
    ck_assert(!PARSE("--force", "--force"));
    ck_assert(!PARSE("--force=yes"));
    ck_assert(!PARSE("--nmae", "a"));
    ck_assert(!PARSE("--watch"));
    ck_assert(!PARSE("one", "two", "three"));
}
END_TEST

START_TEST(options_are_bounded)
{
    static char *line[ARGUMENTS_SAID_MOST + 3];
    line[0] = "make";
    for (int i = 1; i <= ARGUMENTS_SAID_MOST; i++)
        line[i] = "--host=x";
    ck_assert(arguments_parse(&arguments, &form, ARGUMENTS_SAID_MOST + 1, line));
    line[ARGUMENTS_SAID_MOST + 1] = "--host=x";
    ck_assert(!arguments_parse(&arguments, &form, ARGUMENTS_SAID_MOST + 2, line));
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, values_and_words_may_stand_in_any_order);
    tcase_add_test(tcase, a_repeated_option_has_all_its_values_in_their_order);
    tcase_add_test(tcase, a_value_that_may_lack_is_the_next_word_or_none);
    tcase_add_test(tcase, what_is_wrong_is_refused);
    tcase_add_test(tcase, options_are_bounded);
}

CHECK_MAIN("arguments", add_tests)
