/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: verbs, their options and wrong usage. */
#include "lb/commands/commands.h"

#include <stdio.h>
#include <string.h>

#include "lb/commands/arguments.h"
#include "tests/support/captured.h"
#include "tests/support/check_main.h"

static const struct {
    const char *arguments[8];
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
    {{"status", "now"},
     "lb status: \"now\" is too much: it takes -c FILE, --admin ADDRESS, --json, --watch, --all; "
     "see "
     "lb help\n"},
    {{"status", "--wait"},
     "lb status: unknown option --wait: it takes -c FILE, --admin ADDRESS, --json, --watch, --all; "
     "see lb help\n"},
    {{"status", "--admin"},
     "lb status: --admin needs an address, as in --admin unix:var/admin.sock; see lb help\n"},
    {{"status", "--admin", "unix:a", "--admin=unix:b"},
     "lb status: --admin is given twice: one address is enough; see lb help\n"},
    {{"status", "--admin=unix:a", "-c", "b"},
     "lb status: -c and --admin both say which lb: one is enough; see lb help\n"},
    {{"status", "--admin=off"}, "lb status: --admin off is nobody: write unix:PATH; see lb help\n"},
    {{"status", "--admin=unix:"},
     "lb status: --admin: \"unix:\" names no file: write unix:PATH, as in unix:var/admin.sock; see "
     "lb "
     "help\n"},
    {{"reload", "lb.ini"},
     "lb reload: \"lb.ini\" is too much: it takes -c FILE, --admin ADDRESS; see lb help\n"},
    {{"backend"},
     "lb backend: say what to do with which backend, as in lb backend drain app/rs-1; see lb "
     "help\n"},
    {{"backend", "drain"},
     "lb backend: say what to do with which backend, as in lb backend drain app/rs-1; see lb "
     "help\n"},
    {{"backend", "drian", "app/rs-1"},
     "lb backend: \"drian\" is nothing to do with a backend: did you mean drain?; see lb help\n"},
    {{"backend", "shoot", "app/rs-1"},
     "lb backend: \"shoot\" is nothing to do with a backend: drain, disable or enable it; see lb "
     "help\n"},
    {{"backend", "drain", "rs-1"},
     "lb backend: \"rs-1\" is no backend: write POOL/NAME, as in app/rs-1; see lb help\n"},
    {{"backend", "drain", "app/"},
     "lb backend: \"app/\" is no backend: write POOL/NAME, as in app/rs-1; see lb help\n"},
    {{"backend", "drain", "a/b/c"},
     "lb backend: \"a/b/c\" is no backend: write POOL/NAME, as in app/rs-1; see lb help\n"},
    {{"backend", "drain", "app/rs 1"},
     "lb backend: \"app/rs 1\" is no backend: write POOL/NAME, as in app/rs-1; see lb help\n"},
    {{"backend", "enable", "--wait", "app/rs-1"},
     "lb backend: --wait waits for a backend to be empty: drain or disable it; see lb help\n"},
    {{"ca"},
     "lb ca: say what to do: create, upload, list, show, bind, unbind, enable, disable, delete; "
     "see "
     "lb ca -h\n"},
    {{"ca", "creat"}, "lb ca: there is no \"creat\": did you mean lb ca create?; see lb ca -h\n"},
    {{"cert", "-c", "lb.ini", "--json"},
     "lb cert: say what to do: issue, register, import, list, show, export, activate, deactivate, "
     "revoke, delete, client-id; see lb cert -h\n"},
    {{"registry", "-c"}, "lb registry: say what to do: backup; see lb registry -h\n"},
    {{"registry", "--verbose", "backup"},
     "lb registry: --verbose: say what to do first: lb registry backup --verbose …; see lb "
     "registry "
     "-h\n"},
    {{"cert", "-clb.ini", "--admin=a", "--config", "x", "lsit"},
     "lb cert: there is no \"lsit\": did you mean lb cert list?; see lb cert -h\n"},
    {{"cert", "-c", "lb.ini", "--json", "list", "--limit=0"},
     "lb cert list: --limit \"0\": write a whole number from 1 to 1000; see lb cert list -h\n"},
    {{"registry", "-c", "lb.ini", "backup"},
     "lb registry backup: say where to: lb registry backup FILE; see lb registry backup -h\n"},
    {{"ca", "-c", "a.ini", "list", "-c", "b.ini"},
     "lb ca list: -c is given twice: one file is enough; see lb ca list -h\n"},
    {{"help", "cert", "isue"},
     "lb cert: there is no \"isue\": did you mean lb cert issue?; see lb cert -h\n"},
    {{"help", "cert", "issue", "x"},
     "lb help: \"x\" is too much: it takes a verb and its part; see lb help\n"},
    {{"cert", "frobnicate"}, "lb cert: there is no \"frobnicate\"; see lb cert -h\n"},
    {{"ca", "bind", "corp"},
     "lb ca bind: say which CA, and to which hosts, as in lb ca bind corp www.example.com; see lb "
     "ca bind -h\n"},
    {{"ca", "unbind", "corp", "a", "--all"},
     "lb ca unbind: say which CA, and which hosts or --all, as in lb ca unbind corp "
     "www.example.com; see lb ca unbind -h\n"},
    {{"ca", "create", "--days", "0"},
     "lb ca create: --days \"0\": write a whole number from 1 to 36500; see lb ca create -h\n"},
    {{"cert", "issue"}, "lb cert issue: say whose it is: --cn NAME; see lb cert issue -h\n"},
    {{"cert", "issue", "--cn"}, "lb cert issue: --cn needs its NAME; see lb cert issue -h\n"},
    {{"cert", "issue", "--activat_", "a"},
     "lb cert issue: unknown option --activat_: did you mean --activate?; see lb cert issue -h\n"},
    {{"cert", "issue", "--cn", "a", "--key=p257"},
     "lb cert issue: --key \"p257\" is unknown: did you mean p256?; see lb cert issue -h\n"},
    {{"cert", "issue", "--cn", "a", "--legacy"},
     "lb cert issue: --legacy is a form of --p12 FILE; see lb cert issue -h\n"},
    {{"cert", "issue", "--cn", "a", "--password-file=x"},
     "lb cert issue: --password-file is for --p12 FILE: nothing else is encrypted; see lb cert "
     "issue -h\n"},
    {{"cert", "issue", "--csr=a", "--p12=b"},
     "lb cert issue: --csr and --p12 do not go together: who made the CSR has the key; see lb cert "
     "issue -h\n"},
    {{"cert", "issue", "--cn", "a", "--activate=later"},
     "lb cert issue: --activate \"later\": write yes or no; see lb cert issue -h\n"},
    {{"cert", "issue", "--cn", "\xff"},
     "lb cert issue: what --cn says is no UTF-8 text; see lb cert issue -h\n"},
    {{"cert", "show", "xyz"},
     "lb cert show: \"xyz\" is no serial number: write its hex digits, as lb cert list shows them; "
     "see lb cert show -h\n"},
    {{"cert", "revoke"},
     "lb cert revoke: say which certificate: its serial number; see lb cert revoke -h\n"},
    {{"cert", "list", "--status", "aktivated"},
     "lb cert list: --status \"aktivated\" is unknown: did you mean activated?; see lb cert list "
     "-h\n"},
    {{"cert", "list", "--all", "--limit=5"},
     "lb cert list: --all is every page: without --limit and --after; see lb cert list -h\n"},
    {{"audit", "--limit=0"},
     "lb audit: --limit \"0\": write a whole number from 1 to 1000; see lb audit -h\n"},
    {{"registry", "backup"},
     "lb registry backup: say where to: lb registry backup FILE; see lb registry backup -h\n"},
    {{"help", "pool", "rule"}, "lb help: \"rule\" is too much: it takes one word; see lb help\n"},
    {{"sign", "x"}, "lb sign: \"x\" is too much: it takes nothing; see lb help\n"},
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

START_TEST(every_verb_explains_itself)
{
    static const char *const ways[] = {"-h", "--help"};
    for (const struct command *command = commands; command->name; command++) {
        for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
            struct captured captured, same;
            CAPTURED_RUN(&captured, command->name, "-x", ways[i]);
            ck_assert_int_eq(captured.status, 0);
            ck_assert_str_eq(captured.err, "");
            ck_assert_int_eq(strncmp(captured.out, "lb ", 3), 0);
            ck_assert_ptr_nonnull(strstr(captured.out, command->summary));
            ck_assert_ptr_nonnull(strstr(captured.out, command->details));
            CAPTURED_RUN(&same, "help", command->name);
            ck_assert_int_eq(strncmp(same.out, captured.out, strlen(captured.out)), 0);
            captured_done(&same);
            captured_done(&captured);
        }
    }
}
END_TEST

static void expect_part(const struct command *command, const struct command *part)
{
    struct captured captured, same;
    char usage[256];
    CAPTURED_RUN(&captured, command->name, part->name, "-h");
    ck_assert_int_eq(captured.status, 0);
    ck_assert_str_eq(captured.err, "");
    snprintf(usage, sizeof usage, "lb %s %s %s\n", command->name, part->name, part->arguments);
    ck_assert_int_eq(strncmp(captured.out, usage, strlen(usage)), 0);
    ck_assert_ptr_nonnull(strstr(captured.out, part->summary));
    ck_assert_ptr_nonnull(strstr(captured.out, part->details));
    CAPTURED_RUN(&same, "help", command->name, part->name);
    ck_assert_int_eq(same.status, 0);
    ck_assert_str_eq(same.out, captured.out);
    captured_done(&same);
    for (const struct argument_option *option = part->options; option && option->name; option++) {
        char said[64];
        snprintf(said, sizeof said, "\n  --%s ", option->name);
        ck_assert_msg(strstr(captured.out, said), "%s is not explained", said);
    }
    captured_done(&captured);
}

START_TEST(every_part_of_a_verb_explains_itself_and_its_options)
{
    for (const struct command *command = commands; command->name; command++)
        for (const struct command *part = command->parts; part && part->name; part++)
            expect_part(command, part);
}
END_TEST

START_TEST(options_and_words_may_stand_in_any_order)
{
    char *line[] = {"backend", "--wait", "drain", "--config=lb.ini", "app/rs-1", NULL};
    struct arguments arguments;
    ck_assert(arguments_read(&arguments, ARGUMENT_CONFIG | ARGUMENT_WAIT, 2, 5, line));
    ck_assert_uint_eq(arguments.on, ARGUMENT_WAIT);
    ck_assert_str_eq(arguments.config_file, "lb.ini");
    ck_assert_ptr_null(arguments.admin);
    ck_assert_int_eq(arguments.word_count, 2);
    ck_assert_str_eq(arguments.words[0], "drain");
    ck_assert_str_eq(arguments.words[1], "app/rs-1");
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

START_TEST(what_lb_starts_by_itself_is_in_no_overview)
{
    struct captured captured;
    ck_assert_ptr_nonnull(command_find("sign"));
    ck_assert_ptr_null(strstr(command_nearest("sing") ? command_nearest("sing") : "", "sign"));
    CAPTURED_RUN(&captured, "help");
    ck_assert_ptr_null(strstr(captured.out, "lb sign"));
    captured_done(&captured);
}
END_TEST

START_TEST(the_version_names_every_library)
{
    static const char *const names[] = {"lb ",      "\nOpenSSL ", "\nlibuv ", "\ninih ",
                                        "\nPCRE2 ", "\njansson ", "\nSQLite "};
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
    tcase_add_test(tcase, every_verb_explains_itself);
    tcase_add_test(tcase, every_part_of_a_verb_explains_itself_and_its_options);
    tcase_add_test(tcase, options_and_words_may_stand_in_any_order);
    tcase_add_test(tcase, every_verb_says_what_it_does);
    tcase_add_test(tcase, what_lb_starts_by_itself_is_in_no_overview);
    tcase_add_test(tcase, the_version_names_every_library);
}

CHECK_MAIN("commands", add_tests)
