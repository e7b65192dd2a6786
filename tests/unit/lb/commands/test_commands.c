/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: verbs, their options and wrong usage. */
#include "lb/commands/commands.h"

#include <string.h>

#include "lb/commands/arguments.h"
#include "tests/support/captured.h"
#include "tests/support/check_main.h"

static const struct {
    const char *arguments[6];
    const char *says;
} misuses[] = {
    {{NULL}, "lb: say what to do: run, check, help, …; see lb help\n"},
    {{"chekc"}, "lb: there is no \"chekc\": did you mean lb check?; see lb help\n"},
    {{"frobnicate"}, "lb: there is no \"frobnicate\"; see lb help\n"},
    {{""}, "lb: there is no \"\"; see lb help\n"},
    {{"check"}, "lb check: say which file: -c FILE; see lb help\n"},
    {{"check", "-c"}, "lb check: -c needs a file, as in -c lb.ini; see lb help\n"},
    {{"check", "--config"}, "lb check: --config needs a file, as in -c lb.ini; see lb help\n"},
    {{"check", "-x"}, "lb check: unknown option -x: it takes -c FILE; see lb help\n"},
    {{"check", "--verbose"}, "lb check: unknown option --verbose: it takes -c FILE; see lb help\n"},
    {{"check", "lb.ini"}, "lb check: \"lb.ini\" is too much: it takes -c FILE; see lb help\n"},
    {{"check", "-c", "a", "-c", "b"},
     "lb check: -c is given twice: one file is enough; see lb help\n"},
    {{"run"}, "lb run: say which file: -c FILE; see lb help\n"},
    {{"help", "pool", "rule"}, "lb help: \"rule\" is too much: it takes one word; see lb help\n"},
    {{"--version", "x"}, "lb version: \"x\" is too much: it takes nothing; see lb help\n"},
};

START_TEST(wrong_usage_is_one_line_and_status_2)
{
    struct captured captured;
    captured_run(&captured, misuses[_i].arguments);
    ck_assert_int_eq(captured.status, 2);
    ck_assert_str_eq(captured.err, misuses[_i].says);
    ck_assert_str_eq(captured.out, "");
    captured_done(&captured);
}
END_TEST

START_TEST(the_file_may_be_named_in_every_usual_way)
{
    static char *lines[][4] = {
        {"check", "-c", "lb.ini", NULL},
        {"check", "-clb.ini", NULL, NULL},
        {"check", "--config", "lb.ini", NULL},
        {"check", "--config=lb.ini", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        int argc = lines[i][2] ? 3 : 2;
        ck_assert_str_eq(arguments_config_file(argc, lines[i]), "lb.ini");
    }
}
END_TEST

START_TEST(every_verb_says_what_it_does)
{
    for (const struct command *command = commands; command->name; command++) {
        ck_assert_ptr_eq(command_find(command->name), command);
        ck_assert_msg(command->summary && *command->summary, "%s has no summary", command->name);
        ck_assert_ptr_nonnull(command->arguments);
        ck_assert(command->run != NULL);
    }
    ck_assert_str_eq(command_find("--help")->name, "help");
    ck_assert_str_eq(command_find("-h")->name, "help");
    ck_assert_str_eq(command_find("--version")->name, "version");
    ck_assert_str_eq(command_find("-V")->name, "version");
    ck_assert_ptr_null(command_find("-v"));
}
END_TEST

START_TEST(the_version_names_every_library)
{
    static const char *const names[] = {"lb ",     "\nOpenSSL ", "\nlibuv ",
                                        "\ninih ", "\nPCRE2 ",   "\njansson "};
    const char *arguments[6] = {"version"};
    struct captured captured;
    captured_run(&captured, arguments);
    ck_assert_int_eq(captured.status, 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *line = strstr(captured.out, names[i]);
        ck_assert_msg(line, "%s is missing: %s", names[i] + 1, captured.out);
        line += strlen(names[i]);
        ck_assert_msg(*line >= '0' && *line <= '9', "%s has no number", names[i] + 1);
    }
    captured_done(&captured);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, wrong_usage_is_one_line_and_status_2, 0,
                        sizeof misuses / sizeof *misuses);
    tcase_add_test(tcase, the_file_may_be_named_in_every_usual_way);
    tcase_add_test(tcase, every_verb_says_what_it_does);
    tcase_add_test(tcase, the_version_names_every_library);
}

CHECK_MAIN("commands", add_tests)
