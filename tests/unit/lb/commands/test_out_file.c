/* SPDX-License-Identifier: Apache-2.0 */
/* Either all of it is there, or nothing; and never in the place of something else. */
#include "lb/commands/out_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/check_main.h"
#include "tests/support/folder.h"

static struct folder folder;
static struct out_file file;
static struct error err;

static void begin(void)
{
    folder_make(&folder);
}

static void end(void)
{
    folder_remove(&folder);
}

START_TEST(what_is_written_is_there_and_for_its_owner_alone)
{
    struct stat status;
    umask(0);
    ck_assert(out_file_open(&file, folder_file(&folder, "key"), 0600, &err));
    ck_assert(out_file_write(&file, "secret", 6, &err));
    out_file_done(&file);
    char *text = folder_read(&folder, "key");
    ck_assert_str_eq(text, "secret");
    free(text);
    ck_assert_int_eq(stat(folder_file(&folder, "key"), &status), 0);
    ck_assert_int_eq(status.st_mode & 0777, 0600);
    ck_assert_int_eq(status.st_size, 6);
}
END_TEST

START_TEST(what_was_not_written_goes)
{
    ck_assert(out_file_open(&file, folder_file(&folder, "key"), 0600, &err));
    ck_assert_int_eq(access(folder_file(&folder, "key"), F_OK), 0);
    out_file_done(&file);
    ck_assert_int_ne(access(folder_file(&folder, "key"), F_OK), 0);
}
END_TEST

START_TEST(what_is_there_is_never_overwritten)
{
    folder_write(&folder, "key", "older");
    ck_assert(!out_file_open(&file, folder_file(&folder, "key"), 0600, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "is there already"));
    out_file_done(&file);
    char *text = folder_read(&folder, "key");
    ck_assert_str_eq(text, "older");
    free(text);
}
END_TEST

START_TEST(a_link_is_not_followed)
{
    ck_assert_int_eq(symlink(folder_file(&folder, "elsewhere"), folder_file(&folder, "key")), 0);
    ck_assert(!out_file_open(&file, folder_file(&folder, "key"), 0600, &err));
    ck_assert_int_ne(access(folder_file(&folder, "elsewhere"), F_OK), 0);
}
END_TEST

START_TEST(no_file_is_wanted)
{
    ck_assert(out_file_open(&file, NULL, 0600, &err));
    ck_assert(out_file_write(&file, "secret", 6, &err));
    out_file_done(&file);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_told)
{
    ck_assert(!out_file_open(&file, folder_file(&folder, "no/key"), 0600, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "No such file or directory"));
    out_file_done(&file);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, what_is_written_is_there_and_for_its_owner_alone);
    tcase_add_test(tcase, what_was_not_written_goes);
    tcase_add_test(tcase, what_is_there_is_never_overwritten);
    tcase_add_test(tcase, a_link_is_not_followed);
    tcase_add_test(tcase, no_file_is_wanted);
    tcase_add_test(tcase, a_folder_that_is_not_there_is_told);
}

CHECK_MAIN("out file", add_tests)
