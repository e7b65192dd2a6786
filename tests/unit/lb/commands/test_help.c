/* SPDX-License-Identifier: Apache-2.0 */
/* lb help and lb version. */
#include "lb/commands/help.h"

#include <nghttp2/nghttp2.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "backends/backend.h"
#include "backends/balancer.h"
#include "backends/health/check.h"
#include "lb/base/ini.h"
#include "lb/commands/commands.h"
#include "lb/config/config.h"
#include "tests/support/captured.h"
#include "tests/support/check_main.h"

static void expect_in(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part), "\"%s\" is not in\n%s", part, text);
}

START_TEST(the_overview_names_every_verb_and_every_section)
{
    struct captured captured;
    CAPTURED_RUN(&captured, "--help");
    ck_assert_int_eq(captured.status, 0);
    ck_assert_str_eq(captured.err, "");
    for (const struct command *command = commands; command->name; command++)
        expect_in(captured.out, command->summary);
    for (const struct option_table *const *table = option_tables; *table; table++)
        expect_in(captured.out, (*table)->summary);
    captured_done(&captured);
}
END_TEST

START_TEST(every_key_is_explained)
{
    for (const struct option_table *const *table = option_tables; *table; table++) {
        for (const struct option *option = (*table)->options; option->key; option++) {
            struct captured captured;
            char header[128];
            CAPTURED_RUN(&captured, "help", option->key);
            ck_assert_int_eq(captured.status, 0);
            snprintf(header, sizeof header, "%s in [%s%s]\n", option->key, (*table)->section,
                     (*table)->named ? " NAME" : "");
            expect_in(captured.out, header);
            captured_done(&captured);
        }
    }
}
END_TEST

static const struct {
    const char *key, *forms[6];
} forms[] = {
    {"domain", {"www.example.com", "*.example.com", "www.example.*", "~regex", "IP address"}},
    {"url", {"/prefix", "^~/prefix", "=/exact", "~regex", "~*regex"}},
    {"redirect", {"$host", "$uri", "$$"}},
};

START_TEST(every_form_of_a_rule_is_named)
{
    struct captured captured;
    CAPTURED_RUN(&captured, "help", forms[_i].key);
    for (unsigned i = 0; forms[_i].forms[i]; i++)
        expect_in(captured.out, forms[_i].forms[i]);
    captured_done(&captured);
}
END_TEST

START_TEST(a_key_of_two_sections_is_explained_for_both)
{
    struct captured captured;
    CAPTURED_RUN(&captured, "help", "mutual_auth");
    expect_in(captured.out, "mutual_auth in [listener NAME]\n");
    expect_in(captured.out, "\n\nmutual_auth in [rule NAME]\n");
    expect_in(captured.out, "off | request | require | when-bound, default off\n");
    captured_done(&captured);
}
END_TEST

/* The sample of a section is an INI file that sets nothing. */
START_TEST(every_section_has_a_sample_that_can_be_read)
{
    const struct option_table *table = option_tables[_i];
    struct captured captured;
    struct problems problems = {0};
    struct arena arena = {0};
    struct ini ini;
    CAPTURED_RUN(&captured, "help", table->section);
    ck_assert_int_eq(captured.status, 0);
    for (const struct option *option = table->options; option->key; option++) {
        char line[64];
        snprintf(line, sizeof line, "\n;%s =", option->key);
        expect_in(captured.out, line);
    }
    /* A verb of that name is explained before the sample … */
    char comment[64];
    snprintf(comment, sizeof comment, "; %.40s", table->summary);
    const char *begin = strstr(captured.out, comment);
    ck_assert_ptr_nonnull(begin);
    ck_assert((begin == captured.out) == !command_find(table->section));
    /* … and a key of that name behind it. */
    char key[64];
    snprintf(key, sizeof key, "\n\n%s in [", table->section);
    const char *end = strstr(captured.out, key);
    ck_assert(!end == !option_find(&rule_option_table, table->section));
    size_t length = end ? (size_t)(end - begin) + 1 : strlen(begin);
    ini_read_bytes(&ini, "sample", begin, length, &arena, &problems);
    ck_assert_msg(problems.count == 0, "%s", problems.count ? problems.items[0].text : "");
    ck_assert_uint_eq(ini.count, 1);
    problems_done(&problems);
    arena_done(&arena);
    captured_done(&captured);
}
END_TEST

START_TEST(what_the_folders_hold_is_listed)
{
    struct captured captured;
    CAPTURED_RUN(&captured, "help", "balance");
    for (const struct balancer *const *at = balancers; *at; at++) {
        expect_in(captured.out, (*at)->name);
        expect_in(captured.out, (*at)->summary);
    }
    captured_done(&captured);
    CAPTURED_RUN(&captured, "help", "health_check");
    for (const struct check *const *at = checks; *at; at++) {
        expect_in(captured.out, (*at)->name);
        expect_in(captured.out, (*at)->summary);
    }
    captured_done(&captured);
}
END_TEST

START_TEST(every_exit_status_is_told)
{
    struct captured captured;
    CAPTURED_RUN(&captured, "help");
    expect_in(captured.out,
              "Exit status: 0 done, 1 failed, 2 wrong usage; of lb explain also 3: the "
              "client is refused,\n4: it depends");
    captured_done(&captured);
    CAPTURED_RUN(&captured, "help", "explain");
    expect_in(captured.out, "3 the client is refused, 4 it depends");
    captured_done(&captured);
}
END_TEST

START_TEST(a_word_that_is_nothing_is_told_with_the_nearest)
{
    struct captured captured;
    CAPTURED_RUN(&captured, "help", "conect_timeout");
    ck_assert_int_eq(captured.status, 1);
    ck_assert_str_eq(captured.out, "");
    ck_assert_str_eq(captured.err, "lb help: there is no section or key \"conect_timeout\": did "
                                   "you mean connect_timeout?\n");
    captured_done(&captured);
    CAPTURED_RUN(&captured, "help", "xyzzy");
    ck_assert_int_eq(captured.status, 1);
    ck_assert_str_eq(captured.err,
                     "lb help: there is no section or key \"xyzzy\"; lb help lists them\n");
    captured_done(&captured);
}
END_TEST

START_TEST(a_verb_is_explained)
{
    struct captured captured;
    CAPTURED_RUN(&captured, "help", "check");
    ck_assert_int_eq(captured.status, 0);
    expect_in(captured.out, "lb check -c FILE\n");
    captured_done(&captured);
}
END_TEST

START_TEST(a_setting_of_a_backend_is_explained_with_it)
{
    const char *setting;
    for (unsigned i = 0; (setting = backend_setting(i)); i++) {
        struct captured captured;
        char begin[128];
        snprintf(begin, sizeof begin, "%s is a setting of a backend:\n\nbackend in [pool NAME]\n",
                 setting);
        CAPTURED_RUN(&captured, "help", setting);
        ck_assert_int_eq(captured.status, 0);
        ck_assert_str_eq(captured.err, "");
        expect_in(captured.out, begin);
        captured_done(&captured);
    }
}
END_TEST

/* `backend` is a verb and a key: who asks the verb did not mean the file. */
START_TEST(a_verb_that_is_a_key_too_explains_itself_alone)
{
    struct captured captured;
    CAPTURED_RUN(&captured, "backend", "--help");
    ck_assert_int_eq(captured.status, 0);
    expect_in(captured.out, "lb backend drain|disable|enable");
    ck_assert_ptr_null(strstr(captured.out, "in [pool NAME]"));
    captured_done(&captured);
    CAPTURED_RUN(&captured, "help", "backend");
    expect_in(captured.out, "lb backend drain|disable|enable");
    expect_in(captured.out, "\n\nbackend in [pool NAME]\n");
    captured_done(&captured);
}
END_TEST

START_TEST(a_check_that_needs_tls_says_so)
{
    struct captured captured;
    CAPTURED_RUN(&captured, "help", "health_check");
    expect_in(captured.out, "needs protocol = https");
    captured_done(&captured);
}
END_TEST

START_TEST(the_version_names_the_libraries_that_run)
{
    struct captured captured;
    CAPTURED_RUN(&captured, "--version");
    ck_assert_int_eq(captured.status, 0);
    ck_assert_str_eq(captured.err, "");
    ck_assert_int_eq(strncmp(captured.out, "lb ", 3), 0);
    expect_in(captured.out, OpenSSL_version(OPENSSL_VERSION_STRING));
    expect_in(captured.out, uv_version_string());
    expect_in(captured.out, "\nnghttp2 ");
    expect_in(captured.out, nghttp2_version(0)->version_str);
    expect_in(captured.out, "\ninih ");
    captured_done(&captured);
}
END_TEST

static void add_tests(TCase *tcase)
{
    int sections = 0;
    while (option_tables[sections])
        sections++;
    tcase_add_test(tcase, the_overview_names_every_verb_and_every_section);
    tcase_add_test(tcase, every_key_is_explained);
    tcase_add_loop_test(tcase, every_form_of_a_rule_is_named, 0, sizeof forms / sizeof *forms);
    tcase_add_test(tcase, a_key_of_two_sections_is_explained_for_both);
    tcase_add_loop_test(tcase, every_section_has_a_sample_that_can_be_read, 0, sections);
    tcase_add_test(tcase, what_the_folders_hold_is_listed);
    tcase_add_test(tcase, every_exit_status_is_told);
    tcase_add_test(tcase, a_word_that_is_nothing_is_told_with_the_nearest);
    tcase_add_test(tcase, a_verb_is_explained);
    tcase_add_test(tcase, a_setting_of_a_backend_is_explained_with_it);
    tcase_add_test(tcase, a_verb_that_is_a_key_too_explains_itself_alone);
    tcase_add_test(tcase, a_check_that_needs_tls_says_so);
    tcase_add_test(tcase, the_version_names_the_libraries_that_run);
}

CHECK_MAIN("help", add_tests)
