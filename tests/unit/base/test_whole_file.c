/* SPDX-License-Identifier: Apache-2.0 */
/* A file appears whole, once, with the rights it was given. */
#include "lb/base/whole_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/check_main.h"
#include "tests/support/folder.h"

enum { SOMEBODY = 12345, THEIR_GROUP = 12346 };

static struct folder folder;
static int descriptor;

static void begin(void)
{
    folder_make(&folder);
    descriptor = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(descriptor, 0);
}

static void end(void)
{
    close(descriptor);
    folder_remove(&folder);
}

static enum whole_file_outcome make(const char *name, mode_t mode, const char *text)
{
    const struct whole_file file = {descriptor, name, mode};
    return whole_file_make(&file, text, strlen(text));
}

static unsigned entries(void)
{
    unsigned count = 0;
    DIR *dir = opendir(folder.path);
    ck_assert_ptr_nonnull(dir);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(dir);
    return count;
}

static void expect_text(const char *name, const char *text)
{
    char *found = folder_read(&folder, name);
    ck_assert_str_eq(found, text);
    free(found);
}

START_TEST(it_has_the_mode_it_was_given_whatever_the_umask)
{
    static const mode_t modes[] = {0600, 0644, 0400};
    static const mode_t masks[] = {0, 022, 0777};
    struct stat status;
    mode_t before = umask(masks[_i]);
    enum whole_file_outcome outcome = make("it", modes[_i], "words");
    umask(before);
    ck_assert_int_eq(outcome, WHOLE_FILE_MADE);
    ck_assert_int_eq(stat(folder_file(&folder, "it"), &status), 0);
    ck_assert_int_eq((int)(status.st_mode & 07777), (int)modes[_i]);
    ck_assert_int_eq((int)status.st_nlink, 1);
    expect_text("it", "words");
    ck_assert_uint_eq(entries(), 1); /* nothing temporary is left */
}
END_TEST

START_TEST(what_is_there_stays_as_it_is)
{
    ck_assert_int_eq(make("it", 0600, "first"), WHOLE_FILE_MADE);
    ck_assert_int_eq(make("it", 0600, "second"), WHOLE_FILE_EXISTS);
    expect_text("it", "first");
    ck_assert_int_eq(symlinkat("nowhere", descriptor, "link"), 0);
    ck_assert_int_eq(make("link", 0600, "second"), WHOLE_FILE_EXISTS);
    ck_assert_int_ne(access(folder_file(&folder, "nowhere"), F_OK), 0);
    ck_assert_uint_eq(entries(), 2);
}
END_TEST

START_TEST(a_folder_that_takes_no_files_is_a_failure)
{
    int before = descriptor;
    ck_assert_int_eq(mkdirat(descriptor, "gone", 0700), 0);
    descriptor = openat(before, "gone", O_RDONLY | O_DIRECTORY);
    ck_assert_int_eq(unlinkat(before, "gone", AT_REMOVEDIR), 0);
    ck_assert_int_eq(make("it", 0600, "words"), WHOLE_FILE_FAILED);
    ck_assert_int_eq(errno, ENOENT);
    close(descriptor);
    descriptor = before;
}
END_TEST

START_TEST(what_root_makes_belongs_to_the_folders_owner)
{
    struct stat status;
    if (geteuid() != 0)
        return; /* only root can give files away */
    ck_assert_int_eq(fchown(descriptor, SOMEBODY, THEIR_GROUP), 0);
    ck_assert_int_eq(make("it", 0600, "words"), WHOLE_FILE_MADE);
    ck_assert_int_eq(stat(folder_file(&folder, "it"), &status), 0);
    ck_assert_uint_eq(status.st_uid, SOMEBODY);
    ck_assert_uint_eq(status.st_gid, THEIR_GROUP);
    ck_assert_int_eq((int)(status.st_mode & 07777), 0600);
}
END_TEST

enum { MAKERS = 8 };

static void *make_own(void *arg)
{
    enum whole_file_outcome *outcome = arg;
    *outcome = make("it", 0600, "the same words by all");
    return NULL;
}

START_TEST(of_those_who_make_it_at_the_same_time_one_does)
{
    for (unsigned round = 0; round < 20; round++) {
        pthread_t threads[MAKERS];
        enum whole_file_outcome outcomes[MAKERS];
        unsigned made = 0;
        for (unsigned i = 0; i < MAKERS; i++)
            ck_assert_int_eq(pthread_create(&threads[i], NULL, make_own, &outcomes[i]), 0);
        for (unsigned i = 0; i < MAKERS; i++) {
            pthread_join(threads[i], NULL);
            ck_assert_int_ne(outcomes[i], WHOLE_FILE_FAILED);
            made += outcomes[i] == WHOLE_FILE_MADE;
        }
        ck_assert_uint_eq(made, 1);
        ck_assert_uint_eq(entries(), 1);
        expect_text("it", "the same words by all");
        ck_assert_int_eq(unlink(folder_file(&folder, "it")), 0);
    }
}
END_TEST

START_TEST(a_file_is_replaced_whole_whoever_has_it_open_keeps_the_old_one)
{
    char before[8] = "";
    struct stat status;
    const struct whole_file file = {descriptor, "it", 0600};
    ck_assert(whole_file_replace(&file, "first", 5));
    int old = openat(descriptor, "it", O_RDONLY | O_CLOEXEC);
    ck_assert(whole_file_replace(&file, "second", 6));
    expect_text("it", "second");
    ck_assert_int_eq(read(old, before, sizeof before), 5);
    ck_assert_str_eq(before, "first");
    close(old);
    ck_assert_int_eq(fstatat(descriptor, "it", &status, 0), 0);
    ck_assert_int_eq(status.st_mode & 07777, 0600);
    ck_assert_uint_eq(entries(), 1);
}
END_TEST

START_TEST(what_cannot_be_replaced_stays_and_leaves_nothing_behind)
{
    const struct whole_file file = {descriptor, "it", 0600};
    ck_assert_int_eq(mkdirat(descriptor, "it", 0700), 0);
    ck_assert(!whole_file_replace(&file, "text", 4));
    ck_assert_int_eq(errno, EISDIR);
    ck_assert_uint_eq(entries(), 1);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_loop_test(tcase, it_has_the_mode_it_was_given_whatever_the_umask, 0, 3);
    tcase_add_test(tcase, what_is_there_stays_as_it_is);
    tcase_add_test(tcase, a_folder_that_takes_no_files_is_a_failure);
    tcase_add_test(tcase, what_root_makes_belongs_to_the_folders_owner);
    tcase_add_test(tcase, a_file_is_replaced_whole_whoever_has_it_open_keeps_the_old_one);
    tcase_add_test(tcase, what_cannot_be_replaced_stays_and_leaves_nothing_behind);
    tcase_add_test(tcase, of_those_who_make_it_at_the_same_time_one_does);
}

CHECK_MAIN("whole file", add_tests)
