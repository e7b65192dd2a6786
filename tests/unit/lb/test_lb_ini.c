/* SPDX-License-Identifier: Apache-2.0 */
/* etc/lb.ini: it shows every key with its default, and works as it stands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/config_folder.h"

static struct folder folder;

static void begin(void)
{
    config_folder_make(&folder);
}

static void end(void)
{
    folder_remove(&folder);
}

START_TEST(the_sample_file_is_fine_as_it_stands)
{
    char *messages, *text = config_folder_source_read("etc/lb.ini");
    folder_write(&folder, "lb.ini", text);
    struct config *config = config_folder_load(&folder, "lb.ini", &messages);
    ck_assert_str_eq(messages, "fine: listeners 1, rules 1, pools 1\n");
    ck_assert_int_eq(config->listeners[0].rules[0].auth.mode, AUTH_REQUIRE);
    config_free(config);
    free(messages);
    free(text);
}
END_TEST

/* What looks like an allow-list must not let everybody in: without a value its key is an error. */
static bool may_be_empty(const char *line)
{
    return strncmp(line, "allow_client =\n", strlen("allow_client =\n")) != 0;
}

/* The default of mutual_auth stands beside the live line, which makes way. */
START_TEST(every_line_of_the_sample_file_may_be_uncommented)
{
    char *messages, *text = config_folder_source_read("etc/lb.ini");
    char *live = strstr(text, "\nmutual_auth = require\n");
    ck_assert_ptr_nonnull(live);
    memset(live + 1, ';', strlen("mutual_auth = require"));
    for (char *at = text; (at = strstr(at, "\n;")); at++)
        if (at[2] >= 'a' && at[2] <= 'z' && may_be_empty(at + 2))
            memmove(at + 1, at + 2, strlen(at + 2) + 1);
    folder_write(&folder, "lb.ini", text);
    struct config *config = config_folder_load(&folder, "lb.ini", &messages);
    ck_assert_msg(config, "%s", messages);
    ck_assert_int_eq(config->listeners[0].options->mutual_auth, AUTH_OFF);
    config_free(config);
    free(messages);
    free(text);
}
END_TEST

/* From the section's header to the next one. */
static char *sample_section(const char *text, const struct option_table *table)
{
    char header[64];
    snprintf(header, sizeof header, "\n[%s%s", table->section, table->named ? " " : "]");
    const char *from = strstr(text, header);
    ck_assert_msg(from, "etc/lb.ini has no [%s]", table->section);
    const char *to = strstr(from + 1, "\n[");
    return strndup(from, to ? (size_t)(to - from) + 1 : strlen(from));
}

START_TEST(the_sample_file_shows_every_key_with_its_default)
{
    char *text = config_folder_source_read("etc/lb.ini");
    for (const struct option_table *const *table = option_tables; *table; table++) {
        char *section = sample_section(text, *table);
        for (const struct option *option = (*table)->options; option->key; option++) {
            char commented[128], live[128];
            snprintf(commented, sizeof commented, "\n;%s =%s%s\n", option->key,
                     option->standard ? " " : "", option->standard ? option->standard : "");
            snprintf(live, sizeof live, "\n%s = ", option->key);
            bool is_there =
                strstr(section, commented) || (!option->standard && strstr(section, live));
            ck_assert_msg(is_there, "etc/lb.ini, [%s]: no line \"%s\"", (*table)->section,
                          commented + 1);
        }
        free(section);
    }
    free(text);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_unchecked_fixture(tcase, begin, end);
    tcase_add_test(tcase, the_sample_file_is_fine_as_it_stands);
    tcase_add_test(tcase, every_line_of_the_sample_file_may_be_uncommented);
    tcase_add_test(tcase, the_sample_file_shows_every_key_with_its_default);
}

CHECK_MAIN("lb.ini", add_tests)
