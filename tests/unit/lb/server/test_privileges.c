/* SPDX-License-Identifier: Apache-2.0 */
/* Each test is a process of its own, which becomes somebody else for good. */
#include "lb/server/privileges.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lb/base/error.h"
#include "tests/support/check_main.h"

static bool is_root(void)
{
    if (geteuid() != 0)
        fprintf(stderr, "skipped: only root can become somebody else\n");
    return geteuid() == 0;
}

static struct account find(const char *name)
{
    struct account account;
    struct error err = {""};
    ck_assert_msg(account_find(name, &account, &err), "%s", err.text);
    return account;
}

static void become(const char *name)
{
    struct account account = find(name);
    struct error err = {""};
    ck_assert_msg(privileges_drop(&account, &err), "%s", err.text);
    ck_assert(account_is_ours(&account));
}

/* A hexadecimal line of /proc/self/status. */
static unsigned long long status_of(const char *key)
{
    char line[256];
    unsigned long long value = 0;
    bool found = false;
    FILE *file = fopen("/proc/self/status", "r");
    ck_assert_ptr_nonnull(file);
    while (!found && fgets(line, sizeof line, file)) {
        found = strncmp(line, key, strlen(key)) == 0 && line[strlen(key)] == ':';
        if (found)
            sscanf(line + strlen(key) + 1, "%llx", &value);
    }
    fclose(file);
    ck_assert(found);
    return value;
}

START_TEST(an_account_is_found_by_its_name)
{
    struct account account = find("nobody");
    ck_assert_str_eq(account.name, "nobody");
    ck_assert_uint_eq(account.uid, getpwnam("nobody")->pw_uid);
    ck_assert_uint_eq(account.gid, getpwnam("nobody")->pw_gid);
    ck_assert_uint_eq(find("root").uid, 0);
}
END_TEST

START_TEST(a_name_nobody_has_is_told)
{
    char long_name[200];
    struct account account;
    struct error err = {""};
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    ck_assert(!account_find("nobdoy", &account, &err));
    ck_assert_str_eq(err.text, "there is no user \"nobdoy\" on this system: make one (useradd "
                               "--system nobdoy) or name another");
    ck_assert(!account_find(long_name, &account, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "there is no user"));
}
END_TEST

START_TEST(root_becomes_nobody_with_one_right_and_for_good)
{
    enum { BIND_LOW_PORTS = 1 << 10 };
    bool had_right = status_of("CapPrm") & BIND_LOW_PORTS;
    become("nobody");
    ck_assert_uint_eq(status_of("CapEff"), had_right ? BIND_LOW_PORTS : 0);
    ck_assert_uint_eq(status_of("CapPrm"), had_right ? BIND_LOW_PORTS : 0);
    ck_assert_uint_eq(status_of("CapInh"), 0);
    ck_assert_int_ne(setuid(0), 0);
    ck_assert_int_ne(setgid(0), 0);
    ck_assert_int_eq(getgroups(0, NULL), 1);
    ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
}
END_TEST

START_TEST(whether_others_may_read_its_memory_stays_as_it_was)
{
    ck_assert_int_eq(prctl(PR_SET_DUMPABLE, _i, 0, 0, 0), 0);
    become("nobody");
    ck_assert_int_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), _i);
}
END_TEST

START_TEST(who_is_not_root_becomes_nobody_else)
{
    struct account other = find("daemon");
    struct error err = {""};
    become("nobody");
    become("nobody"); /* who it is already */
    ck_assert(!privileges_drop(&other, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "user = daemon: only root can become another user"));
    ck_assert_uint_eq(geteuid(), find("nobody").uid);
}
END_TEST

START_TEST(root_stays_root_when_that_is_the_user)
{
    unsigned long long before = status_of("CapEff");
    become("root");
    ck_assert_uint_eq(status_of("CapEff"), before);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, an_account_is_found_by_its_name);
    tcase_add_test(tcase, a_name_nobody_has_is_told);
    tcase_add_test(tcase, root_becomes_nobody_with_one_right_and_for_good);
    tcase_add_loop_test(tcase, whether_others_may_read_its_memory_stays_as_it_was, 0, 2);
    tcase_add_test(tcase, who_is_not_root_becomes_nobody_else);
    tcase_add_test(tcase, root_stays_root_when_that_is_the_user);
}

CHECK_MAIN_WHERE("privileges", add_tests, is_root)
