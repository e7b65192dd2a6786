/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/base/state_dir.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lb/base/error.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"

enum { SOMEBODY_ELSE = 12345 };

static struct folder folder;
static struct error err;

static void begin(void)
{
    folder_make(&folder);
    err = (struct error){""};
}

static void end(void)
{
    folder_remove(&folder);
}

static void expect_refused(const char *name, const char *words)
{
    ck_assert_int_eq(state_dir_open(folder_file(&folder, name), &err), -1);
    ck_assert_msg(strstr(err.text, words) != NULL, "%s", err.text);
    ck_assert_ptr_nonnull(strstr(err.text, folder_file(&folder, name)));
}

static void expect_opened(const char *name)
{
    int descriptor = state_dir_open(folder_file(&folder, name), &err);
    ck_assert_msg(descriptor >= 0, "%s", err.text);
    ck_assert_int_eq(fcntl(descriptor, F_GETFD), FD_CLOEXEC);
    close(descriptor);
}

START_TEST(it_is_made_for_its_owner_alone_when_it_is_not_there)
{
    struct stat status;
    expect_opened("var");
    ck_assert_int_eq(stat(folder_file(&folder, "var"), &status), 0);
    ck_assert(S_ISDIR(status.st_mode));
    ck_assert_int_eq((int)(status.st_mode & 07777), 0700);
    expect_opened("var");
    expect_opened("var/");
}
END_TEST

START_TEST(one_that_others_may_read_but_not_write_to_is_fine)
{
    ck_assert_int_eq(mkdir(folder_file(&folder, "var"), 0755), 0);
    ck_assert_int_eq(chmod(folder_file(&folder, "var"), 0755), 0);
    expect_opened("var");
}
END_TEST

START_TEST(one_that_others_may_write_to_is_refused)
{
    static const mode_t modes[] = {0720, 0702, 0777, 01777};
    ck_assert_int_eq(mkdir(folder_file(&folder, "var"), 0700), 0);
    ck_assert_int_eq(chmod(folder_file(&folder, "var"), modes[_i]), 0);
    expect_refused("var", "may be written by others");
    ck_assert_ptr_nonnull(strstr(err.text, "chmod 700"));
}
END_TEST

START_TEST(folders_above_it_are_not_made)
{
    expect_refused("not/there", "the folder it is to be in does not exist");
}
END_TEST

START_TEST(a_file_in_its_place_is_said)
{
    folder_write(&folder, "var", "");
    expect_refused("var", "cannot be opened: Not a directory");
    expect_refused("var/below", "cannot be made: Not a directory");
}
END_TEST

START_TEST(one_of_somebody_elses_is_refused)
{
    if (geteuid() != 0)
        return; /* only root can give folders away */
    expect_opened("var");
    ck_assert_int_eq(chown(folder_file(&folder, "var"), SOMEBODY_ELSE, (gid_t)-1), 0);
    expect_refused("var", "belongs to another user (uid 12345)");
}
END_TEST

START_TEST(to_look_makes_nothing_and_refuses_as_to_open_does)
{
    bool is_missing = false;
    ck_assert_int_eq(state_dir_look(folder_file(&folder, "var"), &is_missing, &err), -1);
    ck_assert(is_missing);
    ck_assert_int_ne(access(folder_file(&folder, "var"), F_OK), 0);
    ck_assert_int_eq(mkdir(folder_file(&folder, "var"), 0700), 0);
    int descriptor = state_dir_look(folder_file(&folder, "var"), &is_missing, &err);
    ck_assert_int_ge(descriptor, 0);
    ck_assert(!is_missing);
    close(descriptor);
    ck_assert_int_eq(chmod(folder_file(&folder, "var"), 0777), 0);
    ck_assert_int_eq(state_dir_look(folder_file(&folder, "var"), &is_missing, &err), -1);
    ck_assert(!is_missing);
    ck_assert_ptr_nonnull(strstr(err.text, "may be written by others"));
}
END_TEST

START_TEST(root_works_in_a_folder_of_somebody_elses_for_them)
{
    bool is_missing = false;
    if (geteuid() != 0)
        return; /* only root can give folders away */
    expect_opened("var");
    ck_assert_int_eq(chown(folder_file(&folder, "var"), SOMEBODY_ELSE, (gid_t)-1), 0);
    int descriptor = state_dir_open_for_owner(folder_file(&folder, "var"), &err);
    ck_assert_msg(descriptor >= 0, "%s", err.text);
    close(descriptor);
    descriptor = state_dir_look_for_owner(folder_file(&folder, "var"), &is_missing, &err);
    ck_assert_msg(descriptor >= 0, "%s", err.text);
    close(descriptor);
    ck_assert_int_eq(chmod(folder_file(&folder, "var"), 0770), 0);
    ck_assert_int_eq(state_dir_open_for_owner(folder_file(&folder, "var"), &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "may be written by others"));
}
END_TEST

START_TEST(who_is_not_root_works_for_nobody_else)
{
    if (geteuid() != 0)
        return; /* only root can give folders away */
    ck_assert_int_eq(mkdir(folder_file(&folder, "var"), 0755), 0);
    ck_assert_int_eq(chmod(folder.path, 0755), 0);
    ck_assert_int_eq(chown(folder_file(&folder, "var"), SOMEBODY_ELSE, (gid_t)-1), 0);
    ck_assert_int_eq(seteuid(SOMEBODY_ELSE + 1), 0);
    int descriptor = state_dir_open_for_owner(folder_file(&folder, "var"), &err);
    ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(descriptor, -1);
    ck_assert_msg(strstr(err.text, "belongs to another user (uid 12345)"), "%s", err.text);
}
END_TEST

/* Not the folder it is in is to be given away. */
START_TEST(who_may_not_make_or_open_it_is_told_how_it_is_made)
{
    if (geteuid() != 0)
        return; /* only root can become somebody else */
    char advice[512];
    snprintf(advice, sizeof advice, "make it for them (install -d -m 700 -o %d %s)", SOMEBODY_ELSE,
             folder_file(&folder, "var"));
    ck_assert_int_eq(chmod(folder.path, 0755), 0);
    ck_assert_int_eq(seteuid(SOMEBODY_ELSE), 0);
    expect_refused("var", "cannot be made by user 12345: Permission denied");
    ck_assert_msg(strstr(err.text, advice), "%s", err.text);
    ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(mkdir(folder_file(&folder, "var"), 0700), 0);
    ck_assert_int_eq(seteuid(SOMEBODY_ELSE), 0);
    expect_refused("var", "cannot be opened by user 12345: Permission denied");
    ck_assert_msg(strstr(err.text, advice), "%s", err.text);
    ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, it_is_made_for_its_owner_alone_when_it_is_not_there);
    tcase_add_test(tcase, one_that_others_may_read_but_not_write_to_is_fine);
    tcase_add_loop_test(tcase, one_that_others_may_write_to_is_refused, 0, 4);
    tcase_add_test(tcase, folders_above_it_are_not_made);
    tcase_add_test(tcase, a_file_in_its_place_is_said);
    tcase_add_test(tcase, one_of_somebody_elses_is_refused);
    tcase_add_test(tcase, to_look_makes_nothing_and_refuses_as_to_open_does);
    tcase_add_test(tcase, root_works_in_a_folder_of_somebody_elses_for_them);
    tcase_add_test(tcase, who_is_not_root_works_for_nobody_else);
    tcase_add_test(tcase, who_may_not_make_or_open_it_is_told_how_it_is_made);
}

CHECK_MAIN("state dir", add_tests)
