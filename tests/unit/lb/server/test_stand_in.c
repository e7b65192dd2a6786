/* SPDX-License-Identifier: Apache-2.0 */
/* Root acts as somebody else, and is root again afterwards. Each test is a process of its own. */
#include "lb/server/stand_in.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lb/base/error.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"

static bool is_root(void)
{
    if (geteuid() == 0 && getpwnam("nobody"))
        return true;
    fprintf(stderr, "skipped: needs root and a user \"nobody\"\n");
    return false;
}

static void begin(struct stand_in *stand_in, const char *user)
{
    struct error err = {""};
    ck_assert_msg(stand_in_begin(stand_in, user, &err), "%s", err.text);
}

START_TEST(what_it_makes_is_the_users_and_what_it_may_not_read_is_closed)
{
    struct stand_in stand_in;
    struct folder folder;
    struct stat status;
    folder_make(&folder);
    ck_assert_int_eq(chmod(folder.path, 0777), 0);
    folder_write(&folder, "roots", "secret");
    ck_assert_int_eq(chmod(folder_file(&folder, "roots"), 0600), 0);
    begin(&stand_in, "nobody");
    ck_assert_int_eq(open(folder_file(&folder, "roots"), O_RDONLY), -1);
    ck_assert_int_eq(errno, EACCES);
    folder_write(&folder, "theirs", "");
    stand_in_end(&stand_in);
    ck_assert_int_eq(stat(folder_file(&folder, "theirs"), &status), 0);
    ck_assert_uint_eq(status.st_uid, getpwnam("nobody")->pw_uid);
    ck_assert_uint_eq(status.st_gid, getpwnam("nobody")->pw_gid);
    int file = open(folder_file(&folder, "roots"), O_RDONLY);
    ck_assert_int_ge(file, 0);
    close(file);
    folder_remove(&folder);
}
END_TEST

static void expect_line(const char *status, const char *name, unsigned id)
{
    char line[64];
    snprintf(line, sizeof line, "%s:\t%u\t%u\t%u\t%u\n", name, id, id, id, id);
    ck_assert_msg(strstr(status, line), "not %s%s", line, status);
}

/* The second time as in an lb that has guarded its secrets. */
START_TEST(a_program_that_is_started_is_the_user_for_good)
{
    char status[4096];
    struct stand_in stand_in;
    if (_i == 1)
        ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    begin(&stand_in, "nobody");
    FILE *started = popen("cat /proc/self/status", "r");
    ck_assert_ptr_nonnull(started);
    status[fread(status, 1, sizeof status - 1, started)] = '\0';
    ck_assert_int_eq(pclose(started), 0);
    stand_in_end(&stand_in);
    expect_line(status, "Uid", getpwnam("nobody")->pw_uid);
    expect_line(status, "Gid", getpwnam("nobody")->pw_gid);
    ck_assert_msg(strstr(status, "CapPrm:\t0000000000000000\n"), "%s", status);
    ck_assert_msg(strstr(status, "CapEff:\t0000000000000000\n"), "%s", status);
}
END_TEST

START_TEST(root_comes_back_with_its_groups)
{
    const gid_t before[] = {0, 4, 12};
    gid_t after[8];
    struct stand_in stand_in;
    ck_assert_int_eq(setgroups(3, before), 0);
    begin(&stand_in, "nobody");
    ck_assert_uint_eq(geteuid(), getpwnam("nobody")->pw_uid);
    ck_assert_uint_eq(getegid(), getpwnam("nobody")->pw_gid);
    stand_in_end(&stand_in);
    uid_t real, effective, saved;
    ck_assert_int_eq(getresuid(&real, &effective, &saved), 0);
    ck_assert(real == 0 && effective == 0 && saved == 0);
    gid_t real_group, effective_group, saved_group;
    ck_assert_int_eq(getresgid(&real_group, &effective_group, &saved_group), 0);
    ck_assert(real_group == 0 && effective_group == 0 && saved_group == 0);
    ck_assert_int_eq(getgroups(8, after), 3);
    ck_assert_mem_eq(before, after, sizeof before);
}
END_TEST

START_TEST(nobody_in_particular_and_root_itself_change_nothing)
{
    static const char *const users[] = {NULL, "root"};
    for (size_t i = 0; i < 2; i++) {
        struct stand_in stand_in;
        begin(&stand_in, users[i]);
        ck_assert(!stand_in.is_one);
        ck_assert_uint_eq(geteuid(), 0);
        stand_in_end(&stand_in);
    }
}
END_TEST

START_TEST(who_is_not_root_stays_who_he_is)
{
    struct stand_in stand_in;
    ck_assert_int_eq(setuid(getpwnam("nobody")->pw_uid), 0);
    begin(&stand_in, "daemon");
    ck_assert(!stand_in.is_one);
    stand_in_end(&stand_in);
    ck_assert_uint_eq(geteuid(), getpwnam("nobody")->pw_uid);
}
END_TEST

START_TEST(a_user_who_is_not_there_is_told)
{
    struct stand_in stand_in;
    struct error err = {""};
    ck_assert(!stand_in_begin(&stand_in, "no-such-user", &err));
    ck_assert_msg(strstr(err.text, "no-such-user"), "%s", err.text);
    ck_assert_uint_eq(geteuid(), 0);
    stand_in_end(&stand_in);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, what_it_makes_is_the_users_and_what_it_may_not_read_is_closed);
    tcase_add_loop_test(tcase, a_program_that_is_started_is_the_user_for_good, 0, 2);
    tcase_add_test(tcase, root_comes_back_with_its_groups);
    tcase_add_test(tcase, nobody_in_particular_and_root_itself_change_nothing);
    tcase_add_test(tcase, who_is_not_root_stays_who_he_is);
    tcase_add_test(tcase, a_user_who_is_not_there_is_told);
}

CHECK_MAIN_WHERE("stand_in", add_tests, is_root)
