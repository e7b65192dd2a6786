/* SPDX-License-Identifier: Apache-2.0 */
/* lb check: what it says, where, and with which exit status. */
#include "lb/commands/check.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/captured.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"

static struct folder folder;

static void begin(void)
{
    folder_make(&folder);
    ck_assert_int_eq(chdir(folder.path), 0);
}

static void end(void)
{
    ck_assert_int_eq(chdir("/"), 0);
    folder_remove(&folder);
}

#define GOOD                                                                                       \
    "[listener web]\naddress = 127.0.0.1:8080\nprotocol = http\n"                                  \
    "[rule www]\nlistener = web\npool = app\n"                                                     \
    "[pool app]\nbackend = rs-1 127.0.0.1:9001\n"

START_TEST(a_good_file_is_one_line_on_stdout)
{
    struct captured captured;
    folder_write(&folder, "lb.ini", GOOD);
    CAPTURED_RUN(&captured, "check", "-c", "lb.ini");
    ck_assert_int_eq(captured.status, 0);
    ck_assert_str_eq(captured.out, "lb.ini is fine: 1 listener, 1 rule, 1 pool\n");
    ck_assert_str_eq(captured.err, "");
    captured_done(&captured);
}
END_TEST

START_TEST(warnings_are_told_and_the_file_is_fine)
{
    struct captured captured;
    folder_write(&folder, "lb.ini", GOOD "[pool spare]\nbackend = rs-1 127.0.0.1:9001\n");
    CAPTURED_RUN(&captured, "check", "--config", "lb.ini");
    ck_assert_int_eq(captured.status, 0);
    ck_assert_str_eq(captured.out, "lb.ini is fine: 1 listener, 1 rule, 2 pools\n");
    ck_assert_str_eq(captured.err, "lb.ini:9: warning: pool spare is used by no rule: say \"pool = "
                                   "spare\" in one\n");
    captured_done(&captured);
}
END_TEST

START_TEST(all_errors_go_to_stderr_in_the_order_of_lines)
{
    struct captured captured;
    folder_write(&folder, "lb.ini",
                 "[listener web]\naddress = 127.0.0.1:8080\nprotocol = http\nmax_head = 1\n"
                 "[rule www]\nlistener = wbe\npool = app\n");
    CAPTURED_RUN(&captured, "check", "-c", "lb.ini");
    ck_assert_int_eq(captured.status, 1);
    ck_assert_str_eq(captured.out, "");
    ck_assert_str_eq(
        captured.err,
        "lb.ini:1: error: listener web has no rule: add a section [rule NAME] with \"listener = "
        "web\" and a pool\n"
        "lb.ini:4: error: \"1\" is out of range for max_head (size, 1k–256k, default 32k): largest "
        "request head; then 431\n"
        "lb.ini:6: error: there is no listener wbe: did you mean web?\n"
        "lb.ini:7: error: there is no pool app: add a section [pool app]\n");
    captured_done(&captured);
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_an_error_of_the_whole_file)
{
    struct captured captured;
    CAPTURED_RUN(&captured, "check", "-c", "nowhere/lb.ini");
    ck_assert_int_eq(captured.status, 1);
    ck_assert_str_eq(captured.out, "");
    ck_assert_str_eq(captured.err,
                     "nowhere/lb.ini: error: cannot be opened: No such file or directory\n");
    captured_done(&captured);
}
END_TEST

START_TEST(a_folder_is_no_file)
{
    struct captured captured;
    CAPTURED_RUN(&captured, "check", "-c", ".");
    ck_assert_int_eq(captured.status, 1);
    ck_assert_str_eq(captured.err, ".: error: cannot be read: Is a directory\n");
    captured_done(&captured);
}
END_TEST

START_TEST(paths_are_relative_to_the_file_not_to_the_caller)
{
    struct captured captured;
    char file[128];
    folder_write(&folder, "lb.ini",
                 "[listener web]\naddress = 127.0.0.1:8443\ncertificate = nowhere.crt\n"
                 "certificate_key = nowhere.key\n"
                 "[rule www]\nlistener = web\npool = app\n"
                 "[pool app]\nbackend = rs-1 127.0.0.1:9001\n");
    ck_assert_int_eq(chdir("/"), 0);
    snprintf(file, sizeof file, "%s", folder_file(&folder, "lb.ini"));
    CAPTURED_RUN(&captured, "check", "-c", file);
    char expected[512];
    snprintf(expected, sizeof expected,
             "%s:3: error: %s/nowhere.crt: cannot be opened: No such file or directory\n", file,
             folder.path);
    ck_assert_str_eq(captured.err, expected);
    captured_done(&captured);
}
END_TEST

/* What lb run would find out when it opens them. */
static const struct {
    const char *lines; /* of [lb] */
    const char *says;  /* behind the path of the folder … */
    const char *more;  /* … and once more behind it; NULL: it is named once */
} places[] = {
    {"access_log = none/a.log\n", "/none/a.log cannot be written: folder ",
     "/none: No such file or directory; make that folder, or name another place\n"},
    {"access_log = lb.ini/a.log\n",
     "/lb.ini/a.log cannot be written: Not a directory; let lb reach it, or name another place\n",
     NULL},
    {"log = .\n", "/. cannot be written: it is a folder; name a file in it\n", NULL},
    {"state_dir = lb.ini\n", "/lb.ini cannot be used: it is no folder; name another place\n", NULL},
    {"state_dir = none/var\n", "/none/var cannot be used: folder ",
     "/none: No such file or directory; make that folder, or name another place\n"},
};

START_TEST(what_could_not_be_written_is_an_error_and_nothing_is_made)
{
    struct captured captured;
    char ini[512];
    char expected[1024];
    snprintf(ini, sizeof ini, "[lb]\n%s" GOOD "session_persistence = cookie\n", places[_i].lines);
    folder_write(&folder, "lb.ini", ini);
    CAPTURED_RUN(&captured, "check", "-c", "lb.ini");
    ck_assert_int_eq(captured.status, 1);
    ck_assert_str_eq(captured.out, "");
    snprintf(expected, sizeof expected, "lb.ini:2: error: %.*s%s%s%s%s",
             (int)strcspn(places[_i].lines, "=") + 2, places[_i].lines, folder.path,
             places[_i].says, places[_i].more ? folder.path : "",
             places[_i].more ? places[_i].more : "");
    ck_assert_str_eq(captured.err, expected);
    ck_assert_int_ne(access(folder_file(&folder, "none"), F_OK), 0);
    captured_done(&captured);
}
END_TEST

START_TEST(what_could_be_written_is_fine_and_not_made)
{
    struct captured captured;
    folder_write(&folder, "lb.ini",
                 "[lb]\naccess_log = a.log\nlog = lb.log\nstate_dir = var\n" GOOD
                 "session_persistence = cookie\n");
    CAPTURED_RUN(&captured, "check", "-c", "lb.ini");
    ck_assert_str_eq(captured.err, "");
    ck_assert_int_eq(captured.status, 0);
    ck_assert_int_ne(access(folder_file(&folder, "a.log"), F_OK), 0);
    ck_assert_int_ne(access(folder_file(&folder, "lb.log"), F_OK), 0);
    ck_assert_int_ne(access(folder_file(&folder, "var"), F_OK), 0);
    captured_done(&captured);
}
END_TEST

/* A key that lb run would refuse, with the words it would do so; and one that it takes. */
static const struct {
    mode_t folder_mode, mode;
    unsigned bytes;
    const char *says; /* NULL: it is fine */
} keys[] = {
    {0700, 0600, 31, "/var/persistence.key is damaged: it has not exactly 32 bytes"},
    {0700, 0640, 32, "/var/persistence.key may be read or written by others (mode 0640)"},
    {0770, 0600, 32, "/var may be written by others (mode 0770)"},
    {0700, 0600, 32, NULL},
};

static int check_with(const char *pool_keys, const char *says)
{
    struct captured captured;
    char ini[512];
    char run_says[512] = "";
    snprintf(ini, sizeof ini, "[lb]\nstate_dir = var/\n" GOOD "%s", pool_keys);
    folder_write(&folder, "lb.ini", ini);
    CAPTURED_RUN(&captured, "check", "-c", "lb.ini");
    if (says)
        snprintf(run_says, sizeof run_says, "%s%s", folder.path, says);
    ck_assert_msg(says ? strstr(captured.err, "lb.ini:2: error: ") && strstr(captured.err, run_says)
                       : !*captured.err,
                  "%s", captured.err);
    int status = captured.status;
    captured_done(&captured);
    return status;
}

START_TEST(a_persistence_key_that_would_be_refused_is_an_error)
{
    static const char bytes[] = "0123456789abcdef0123456789abcdef";
    char key[64];
    snprintf(key, sizeof key, "%.*s", (int)keys[_i].bytes, bytes);
    ck_assert_int_eq(mkdir(folder_file(&folder, "var"), 0700), 0);
    folder_write(&folder, "var/persistence.key", key);
    ck_assert_int_eq(chmod(folder_file(&folder, "var/persistence.key"), keys[_i].mode), 0);
    ck_assert_int_eq(chmod(folder_file(&folder, "var"), keys[_i].folder_mode), 0);
    ck_assert_int_eq(check_with("session_persistence = cookie\n", keys[_i].says),
                     keys[_i].says ? 1 : 0);
    ck_assert_int_eq(check_with("", NULL), 0); /* nobody needs it */
}
END_TEST

START_TEST(a_folder_without_a_key_is_fine_and_stays_without)
{
    ck_assert_int_eq(mkdir(folder_file(&folder, "var"), 0700), 0);
    ck_assert_int_eq(check_with("session_persistence = cookie\n", NULL), 0);
    ck_assert_int_ne(access(folder_file(&folder, "var/persistence.key"), F_OK), 0);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_good_file_is_one_line_on_stdout);
    tcase_add_test(tcase, warnings_are_told_and_the_file_is_fine);
    tcase_add_test(tcase, all_errors_go_to_stderr_in_the_order_of_lines);
    tcase_add_test(tcase, a_file_that_cannot_be_read_is_an_error_of_the_whole_file);
    tcase_add_test(tcase, a_folder_is_no_file);
    tcase_add_test(tcase, paths_are_relative_to_the_file_not_to_the_caller);
    tcase_add_loop_test(tcase, what_could_not_be_written_is_an_error_and_nothing_is_made, 0,
                        sizeof places / sizeof *places);
    tcase_add_test(tcase, what_could_be_written_is_fine_and_not_made);
    tcase_add_loop_test(tcase, a_persistence_key_that_would_be_refused_is_an_error, 0,
                        sizeof keys / sizeof *keys);
    tcase_add_test(tcase, a_folder_without_a_key_is_fine_and_stays_without);
}

CHECK_MAIN("check", add_tests)
