/* SPDX-License-Identifier: Apache-2.0 */
/* From a file, and from a terminal that shows nothing of it. */
#include "lb/commands/password.h"

#include <errno.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/check_main.h"
#include "tests/support/folder.h"
#include "tests/support/text.h"

static struct folder folder;
static struct password password;
static struct error err;

static void begin(void)
{
    folder_make(&folder);
}

static void end(void)
{
    password_done(&password);
    folder_remove(&folder);
}

/* --- files ---------------------------------------------------------------------------------- */

static bool read_text(const char *text, mode_t mode)
{
    folder_write(&folder, "pw", text);
    ck_assert_int_eq(chmod(folder_file(&folder, "pw"), mode), 0);
    return password_read(&password, folder_file(&folder, "pw"), &err);
}

START_TEST(the_first_line_of_a_file_is_it)
{
    ck_assert_msg(read_text("s\xc3\xa9same, open\r\nsecond line\n", 0600), "%s", err.text);
    ck_assert_str_eq(password.text, "s\xc3\xa9same, open");
    ck_assert(read_text("no end of line", 0640));
    ck_assert_str_eq(password.text, "no end of line");
}
END_TEST

START_TEST(the_longest_password_fits_and_no_longer_one)
{
    char text[PASSWORD_BYTES + 2];
    memset(text, 'x', sizeof text);
    text[PASSWORD_BYTES] = '\n';
    text[PASSWORD_BYTES + 1] = '\0';
    ck_assert_msg(read_text(text, 0600), "%s", err.text);
    ck_assert_uint_eq(strlen(password.text), PASSWORD_BYTES);
    text[PASSWORD_BYTES] = 'x';
    ck_assert(!read_text(text, 0600));
    ck_assert_ptr_nonnull(strstr(err.text, "longer than 1024 bytes"));
}
END_TEST

static const struct {
    const char *text;
    mode_t mode;
    const char *says;
} wrong[] = {
    {"", 0600, "is empty"},
    {"\nsecond\n", 0600, "is empty"},
    {"\r\n", 0600, "is empty"},
    {"\xff\xfe\n", 0600, "no UTF-8"},
    {"secret\n", 0644, "every user of this machine may read it (mode 0644)"},
};

START_TEST(a_file_that_cannot_be_meant_is_refused)
{
    ck_assert(!read_text(wrong[_i].text, wrong[_i].mode));
    ck_assert_msg(strstr(err.text, wrong[_i].says), "%s", err.text);
}
END_TEST

START_TEST(no_file_and_a_folder_are_told)
{
    ck_assert(!password_read(&password, folder_file(&folder, "none"), &err));
    ck_assert_ptr_nonnull(strstr(err.text, "No such file"));
    ck_assert(!password_read(&password, folder.path, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "is a folder"));
}
END_TEST

/* --- a terminal ----------------------------------------------------------------------------- */

/* Asks in a process whose terminal we hold, which says what came of it behind its last line. */
static int ask_there(int *ret_terminal)
{
    int pid = forkpty(ret_terminal, NULL, NULL, NULL);
    ck_assert_msg(pid >= 0, "no terminal, is /dev/pts mounted? %s", strerror(errno));
    if (pid > 0)
        return pid;
    bool good = password_ask(&password, "x.p12", &err);
    printf("[%s]", good ? password.text : err.text);
    fflush(stdout);
    _exit(good ? 0 : 1);
}

/* Everything up to these words. */
static void await(int terminal, struct text *shown, const char *words)
{
    char piece[256];
    while (!shown->bytes || !strstr(shown->bytes, words)) {
        ssize_t got = read(terminal, piece, sizeof piece);
        ck_assert_msg(got > 0, "it ended without \"%s\"", words);
        text_add(shown, piece, (size_t)got);
    }
}

static void type(int terminal, const char *keys)
{
    ck_assert_int_eq(write(terminal, keys, strlen(keys)), (ssize_t)strlen(keys));
}

static void expect_end(pid_t pid, int terminal, int status, struct text *shown)
{
    int ended;
    ck_assert_int_eq(waitpid(pid, &ended, 0), pid);
    ck_assert(WIFEXITED(ended));
    ck_assert_int_eq(WEXITSTATUS(ended), status);
    close(terminal);
    text_done(shown);
}

START_TEST(it_is_asked_twice_and_never_shown)
{
    struct text shown = {0};
    int terminal;
    pid_t pid = ask_there(&terminal);
    await(terminal, &shown, "A new password for x.p12: ");
    type(terminal, "sesame\n");
    await(terminal, &shown, "The same once more: ");
    ck_assert_ptr_null(strstr(shown.bytes, "sesame"));
    type(terminal, "sesame\n");
    await(terminal, &shown, "[sesame]");
    expect_end(pid, terminal, 0, &shown);
}
END_TEST

START_TEST(two_that_differ_are_none)
{
    struct text shown = {0};
    int terminal;
    pid_t pid = ask_there(&terminal);
    await(terminal, &shown, "x.p12: ");
    type(terminal, "sesame\n");
    await(terminal, &shown, "once more: ");
    type(terminal, "sesami\n");
    await(terminal, &shown, "[the two passwords differ");
    expect_end(pid, terminal, 1, &shown);
}
END_TEST

START_TEST(an_empty_one_and_the_end_are_refused)
{
    static const char *const keys[] = {"\n", "\x04"};
    for (size_t i = 0; i < 2; i++) {
        struct text shown = {0};
        int terminal;
        pid_t pid = ask_there(&terminal);
        await(terminal, &shown, "x.p12: ");
        type(terminal, keys[i]);
        await(terminal, &shown, "[terminal: the password is empty]");
        expect_end(pid, terminal, 1, &shown);
    }
}
END_TEST

START_TEST(ctrl_c_ends_it_and_leaves_a_terminal_that_shows)
{
    struct text shown = {0};
    int terminal;
    pid_t pid = ask_there(&terminal);
    await(terminal, &shown, "x.p12: ");
    type(terminal, "\x03");
    await(terminal, &shown, "interrupted");
    struct termios state;
    ck_assert_int_eq(tcgetattr(terminal, &state), 0);
    ck_assert(state.c_lflag & ECHO);
    expect_end(pid, terminal, 1, &shown);
}
END_TEST

START_TEST(without_a_terminal_it_says_what_to_do)
{
    pid_t pid = fork();
    if (pid == 0) {
        setsid();
        bool good = password_ask(&password, "x.p12", &err);
        _exit(!good && strstr(err.text, "--password-file FILE") ? 0 : 1);
    }
    int ended;
    ck_assert_int_eq(waitpid(pid, &ended, 0), pid);
    ck_assert(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, the_first_line_of_a_file_is_it);
    tcase_add_test(tcase, the_longest_password_fits_and_no_longer_one);
    tcase_add_loop_test(tcase, a_file_that_cannot_be_meant_is_refused, 0,
                        sizeof wrong / sizeof *wrong);
    tcase_add_test(tcase, no_file_and_a_folder_are_told);
    tcase_add_test(tcase, it_is_asked_twice_and_never_shown);
    tcase_add_test(tcase, two_that_differ_are_none);
    tcase_add_test(tcase, an_empty_one_and_the_end_are_refused);
    tcase_add_test(tcase, ctrl_c_ends_it_and_leaves_a_terminal_that_shows);
    tcase_add_test(tcase, without_a_terminal_it_says_what_to_do);
}

CHECK_MAIN("password", add_tests)
