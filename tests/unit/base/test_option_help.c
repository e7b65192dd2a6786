/* SPDX-License-Identifier: Apache-2.0 */
/* Option tables in words: choices, descriptions, help, and a sample that reads back as the
 * defaults. */
#include <stdio.h>

#include "tests/support/option_table.h"

START_TEST(choices_are_the_words_before_the_dash)
{
    const struct option *option = option_find(&table, "refuse_with");
    char word[16];
    ck_assert_str_eq(option_choice_word(option, 0, word, sizeof word), "alert");
    ck_assert_str_eq(option_choice_word(option, 1, word, sizeof word), "403");
    ck_assert_str_eq(option_choice_word(option, 2, word, sizeof word), "");
    ck_assert_str_eq(option_choice_word(option, -1, word, sizeof word), "");
    ck_assert_str_eq(option_choice_word(option, 0, word, 4), "ale");
    ck_assert_int_eq(option_choice_index(option, "403"), 1);
    ck_assert_int_eq(option_choice_index(option, ""), -1);
    ck_assert_int_eq(option_choice_index(option, "40"), -1);
    ck_assert_str_eq(option_purpose(option), "how a client is told - or not");
}
END_TEST

START_TEST(every_kind_is_described)
{
    static const struct {
        const char *key, *text;
    } rows[] = {
        {"state_dir", "path, default var/"},
        {"user_file", "path"},
        {"address", "text, repeatable"},
        {"certificate", "path, repeatable, default server.crt"},
        {"client_ca", "FILE | builtin | registry | registry:NAME, repeatable, default ca.crt"},
        {"tls_versions", "words separated by blanks, default 1.2 1.3"},
        {"log", "text, default stderr"},
    };
    char text[128];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        option_describe(option_find(&table, rows[i].key), text, sizeof text);
        ck_assert_str_eq(text, rows[i].text);
    }
    option_describe(option_find(&table, "log"), text, 8);
    ck_assert_str_eq(text, "text, d");
}
END_TEST

START_TEST(help_says_section_values_and_purpose)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    option_write_help(&table, option_find(&table, "mutual_auth"), out);
    fclose(out);
    ck_assert_str_eq(text, "mutual_auth in [listener NAME]\n"
                           "    off | request | require, default off\n"
                           "    whether clients are asked\n");
    free(text);
}
END_TEST

/* The sample with its keys as comments or, with the `;` before each key gone, as settings. */
static char *sample(bool is_live, size_t *ret_length)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, ret_length);
    option_write_sample(&table, out);
    fclose(out);
    for (char *at = text; is_live && (at = strstr(at, "\n;")) != NULL; at += 2)
        if (at[2] != ' ')
            at[1] = '\n';
    return text;
}

START_TEST(the_sample_sets_nothing)
{
    struct ini ini;
    size_t length = 0;
    char *text = sample(false, &length);
    ini_read_bytes(&ini, "sample", text, length, &arena, &problems);
    expect_no_problem();
    ck_assert_uint_eq(ini.count, 1);
    ck_assert_str_eq(ini.entries[0].section, "listener");
    ck_assert_str_eq(ini.entries[0].name, "NAME");
    free(text);
}
END_TEST

START_TEST(the_sample_without_its_marks_sets_every_key_to_its_default)
{
    struct ini ini;
    size_t length = 0, keys = sizeof options / sizeof *options - 1;
    char *text = sample(true, &length);
    ini_read_bytes(&ini, "sample", text, length, &arena, &problems);
    free(text);
    ck_assert_uint_eq(ini.count, 1 + keys);
    for (size_t i = 0; i < ini.count; i++)
        option_set(&table, &values, &ini.entries[i], "sample", "/etc/lb", &arena, &problems);
    expect_no_problem();
    for (size_t i = 0; i < keys; i++) {
        const char *standard = options[i].standard ? options[i].standard : "";
        ck_assert_str_eq(ini.entries[1 + i].key, options[i].key);
        ck_assert_str_eq(ini.entries[1 + i].value, standard);
    }
    ck_assert_int_eq(values.retries, 2);
    ck_assert_str_eq(values.state_dir, "/etc/lb/var/");
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, choices_are_the_words_before_the_dash);
    tcase_add_test(tcase, every_kind_is_described);
    tcase_add_test(tcase, help_says_section_values_and_purpose);
    tcase_add_test(tcase, the_sample_sets_nothing);
    tcase_add_test(tcase, the_sample_without_its_marks_sets_every_key_to_its_default);
}

CHECK_MAIN("option_help", add_tests)
