/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of client CAs from one run to the next, and what becomes of a file that is none. */
#include "lb/config/ca_uses_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lb/base/error.h"
#include "listeners/ca/ca_uses.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"

static struct folder folder;
static struct ca_uses *uses;
static struct error err;

static void begin(void)
{
    folder_make(&folder);
    ck_assert_int_eq(chmod(folder.path, 0700), 0);
    uses = ca_uses_new();
    ck_assert_ptr_nonnull(uses);
    err = (struct error){""};
}

static void end(void)
{
    ca_uses_free(uses);
    folder_remove(&folder);
}

static void use_one(void)
{
    static const unsigned char key[CA_KEY_BYTES] = {1, 2, 3};
    struct ca_roll *roll = ca_uses_roll(uses, "web", "www.example.com");
    struct ca_use *use = ca_roll_use(roll, key, "CN=\"x\"\\\xc3\xbc", false);
    ck_assert_ptr_nonnull(use);
    atomic_store(&use->full, 7);
}

static void forget(void)
{
    ca_uses_free(uses);
    uses = ca_uses_new();
}

START_TEST(what_was_saved_is_there_again)
{
    use_one();
    ck_assert_msg(ca_uses_file_save(uses, folder.path, &err), "%s", err.text);
    forget();
    ck_assert_msg(ca_uses_file_load(uses, folder.path, &err), "%s", err.text);
    const struct ca_roll *roll = ca_uses_first(uses);
    ck_assert_ptr_nonnull(roll);
    ck_assert_str_eq(roll->listener, "web");
    ck_assert_str_eq(roll->domain, "www.example.com");
    const struct ca_use *use = ca_roll_next(roll, NULL);
    ck_assert_str_eq(use->subject, "CN=\"x\"\\\xc3\xbc");
    ck_assert_uint_eq(ca_use_read(roll, use).full, 7);
}
END_TEST

START_TEST(it_is_the_users_alone_and_replaces_what_was_there)
{
    struct stat status;
    folder_write(&folder, CA_USES_FILE_NAME, "old");
    ck_assert_int_eq(chmod(folder_file(&folder, CA_USES_FILE_NAME), 0644), 0);
    use_one();
    ck_assert(ca_uses_file_save(uses, folder.path, &err));
    ck_assert_int_eq(stat(folder_file(&folder, CA_USES_FILE_NAME), &status), 0);
    ck_assert_int_eq(status.st_mode & 07777, 0600);
    char *text = folder_read(&folder, CA_USES_FILE_NAME);
    ck_assert_ptr_nonnull(strstr(text, "www.example.com"));
    free(text);
}
END_TEST

START_TEST(no_file_and_no_folder_are_a_beginning)
{
    ck_assert(ca_uses_file_load(uses, folder.path, &err));
    ck_assert(ca_uses_file_load(uses, folder_file(&folder, "var"), &err));
    ck_assert_ptr_null(ca_uses_first(uses));
}
END_TEST

static const char *const damaged[] = {"", "{\"version\": 1, \"uses\": [", "\xff\xfe", "null"};

START_TEST(a_damaged_file_is_named_and_counts_nothing)
{
    folder_write(&folder, CA_USES_FILE_NAME, damaged[_i]);
    ck_assert(!ca_uses_file_load(uses, folder.path, &err));
    ck_assert_ptr_nonnull(strstr(err.text, folder.path));
    ck_assert_ptr_nonnull(strstr(err.text, CA_USES_FILE_NAME " cannot be used: "));
    ck_assert_ptr_null(ca_uses_first(uses));
}
END_TEST

START_TEST(what_is_no_file_is_not_read)
{
    ck_assert_int_eq(mkdir(folder_file(&folder, CA_USES_FILE_NAME), 0700), 0);
    ck_assert(!ca_uses_file_load(uses, folder.path, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "cannot be used: it is no file"));
    ck_assert_int_eq(rmdir(folder_file(&folder, CA_USES_FILE_NAME)), 0);
    ck_assert_int_eq(symlink("/dev/zero", folder_file(&folder, CA_USES_FILE_NAME)), 0);
    ck_assert(!ca_uses_file_load(uses, folder.path, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "cannot be opened"));
}
END_TEST

START_TEST(a_folder_that_cannot_be_made_is_a_failure)
{
    use_one();
    ck_assert(!ca_uses_file_save(uses, folder_file(&folder, "no/such"), &err));
    ck_assert_ptr_nonnull(strstr(err.text, "no/such"));
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, what_was_saved_is_there_again);
    tcase_add_test(tcase, it_is_the_users_alone_and_replaces_what_was_there);
    tcase_add_test(tcase, no_file_and_no_folder_are_a_beginning);
    tcase_add_loop_test(tcase, a_damaged_file_is_named_and_counts_nothing, 0,
                        sizeof damaged / sizeof damaged[0]);
    tcase_add_test(tcase, what_is_no_file_is_not_read);
    tcase_add_test(tcase, a_folder_that_cannot_be_made_is_a_failure);
}

CHECK_MAIN("ca uses file", add_tests)
