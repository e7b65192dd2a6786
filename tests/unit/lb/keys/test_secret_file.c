/* SPDX-License-Identifier: Apache-2.0 */
/* A secret is made once, kept for its owner alone, and refused when somebody else could have it. */
#include "lb/keys/secret_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lb/base/error.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"

enum { LENGTH = 32, SOMEBODY_ELSE = 12345 };

static struct folder folder;
static struct secret_file file;
static struct error err;

static void begin(void)
{
    folder_make(&folder);
    int descriptor = open(folder.path, O_RDONLY | O_DIRECTORY);
    ck_assert_int_ge(descriptor, 0);
    file = (struct secret_file){descriptor, folder.path, "secret.key"};
    err = (struct error){""};
}

static void end(void)
{
    close(file.folder);
    folder_remove(&folder);
}

static const char *path(void)
{
    return folder_file(&folder, "secret.key");
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

static void expect_refused(const char *words)
{
    unsigned char secret[LENGTH] = {0};
    static const unsigned char untouched[LENGTH] = {0};
    err = (struct error){""};
    ck_assert(!secret_file_keep(&file, secret, LENGTH, &err));
    ck_assert_msg(strstr(err.text, words) != NULL, "%s", err.text);
    ck_assert_ptr_nonnull(strstr(err.text, folder.path));
    ck_assert_mem_eq(secret, untouched, LENGTH);
}

START_TEST(the_first_run_makes_it_and_the_next_ones_read_it)
{
    unsigned char first[LENGTH], second[LENGTH], zeros[LENGTH] = {0};
    struct stat status;
    ck_assert_msg(secret_file_keep(&file, first, LENGTH, &err), "%s", err.text);
    ck_assert(secret_file_keep(&file, second, LENGTH, &err));
    ck_assert_mem_eq(first, second, LENGTH);
    ck_assert_mem_ne(first, zeros, LENGTH);
    ck_assert_int_eq(stat(path(), &status), 0);
    ck_assert_int_eq((int)(status.st_mode & 07777), 0600);
    ck_assert_int_eq((int)status.st_size, LENGTH);
    ck_assert_int_eq((int)status.st_nlink, 1);
    ck_assert_uint_eq(entries(), 1); /* nothing temporary is left */
}
END_TEST

START_TEST(an_odd_umask_changes_nothing)
{
    static const mode_t masks[] = {0, 022, 0777};
    unsigned char secret[LENGTH];
    struct stat status;
    mode_t before = umask(masks[_i]);
    bool kept = secret_file_keep(&file, secret, LENGTH, &err);
    umask(before);
    ck_assert_msg(kept, "%s", err.text);
    ck_assert_int_eq(stat(path(), &status), 0);
    ck_assert_int_eq((int)(status.st_mode & 07777), 0600);
}
END_TEST

START_TEST(no_two_are_alike)
{
    unsigned char one[LENGTH], other[LENGTH];
    ck_assert(secret_file_keep(&file, one, LENGTH, &err));
    file.name = "other.key";
    ck_assert(secret_file_keep(&file, other, LENGTH, &err));
    ck_assert_mem_ne(one, other, LENGTH);
}
END_TEST

START_TEST(one_that_others_may_read_is_refused)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0602, 0610, 0601, 0666};
    unsigned char secret[LENGTH];
    ck_assert(secret_file_keep(&file, secret, LENGTH, &err));
    ck_assert_int_eq(chmod(path(), modes[_i]), 0);
    expect_refused("may be read or written by others");
    ck_assert_ptr_nonnull(strstr(err.text, "chmod 600"));
    ck_assert_int_eq(chmod(path(), 0400), 0);
    ck_assert_msg(secret_file_keep(&file, secret, LENGTH, &err), "%s", err.text);
}
END_TEST

START_TEST(one_of_another_length_is_refused)
{
    static const off_t lengths[] = {0, 1, LENGTH - 1, LENGTH + 1, SECRET_BYTES_MOST + 1, 1 << 20};
    unsigned char secret[LENGTH];
    ck_assert(secret_file_keep(&file, secret, LENGTH, &err));
    ck_assert_int_eq(truncate(path(), lengths[_i]), 0);
    expect_refused("it has not exactly 32 bytes");
    ck_assert_ptr_nonnull(strstr(err.text, "remove it"));
}
END_TEST

START_TEST(a_link_to_a_file_is_refused)
{
    unsigned char secret[LENGTH];
    ck_assert(secret_file_keep(&file, secret, LENGTH, &err));
    file.name = "link.key";
    ck_assert_int_eq(symlinkat("secret.key", file.folder, "link.key"), 0);
    expect_refused("is a symbolic link");
}
END_TEST

START_TEST(what_is_no_file_is_refused_and_not_waited_for)
{
    ck_assert_int_eq(mkdirat(file.folder, "secret.key", 0700), 0);
    expect_refused("is no file");
    ck_assert_int_eq(unlinkat(file.folder, "secret.key", AT_REMOVEDIR), 0);
    ck_assert_int_eq(mkfifoat(file.folder, "secret.key", 0600), 0);
    expect_refused("is no file");
}
END_TEST

START_TEST(one_of_somebody_elses_is_refused)
{
    unsigned char secret[LENGTH];
    if (geteuid() != 0)
        return; /* only root can give files away */
    ck_assert(secret_file_keep(&file, secret, LENGTH, &err));
    ck_assert_int_eq(chown(path(), SOMEBODY_ELSE, (gid_t)-1), 0);
    expect_refused("belongs to another user (uid 12345)");
}
END_TEST

START_TEST(one_that_lb_may_not_read_is_said)
{
    unsigned char secret[LENGTH];
    if (geteuid() != 0)
        return; /* there is nobody else to try */
    ck_assert(secret_file_keep(&file, secret, LENGTH, &err));
    ck_assert_int_eq(chmod(folder.path, 0755), 0);
    ck_assert_int_eq(seteuid(SOMEBODY_ELSE), 0);
    bool kept = secret_file_keep(&file, secret, LENGTH, &err);
    ck_assert_int_eq(seteuid(0), 0);
    ck_assert(!kept);
    ck_assert_msg(strstr(err.text, "cannot be read by uid 12345: give it to the user lb runs as"),
                  "%s", err.text);
}
END_TEST

START_TEST(a_folder_that_cannot_be_written_to_is_said)
{
    int gone;
    /* A folder that was removed takes no files, not even root's. */
    ck_assert_int_eq(mkdirat(file.folder, "gone", 0700), 0);
    gone = openat(file.folder, "gone", O_RDONLY | O_DIRECTORY);
    ck_assert_int_eq(unlinkat(file.folder, "gone", AT_REMOVEDIR), 0);
    int before = file.folder;
    file.folder = gone;
    expect_refused("cannot be made: No such file or directory");
    file.folder = before;
    close(gone);
}
END_TEST

enum { MAKERS = 8 };

struct maker {
    pthread_t thread;
    unsigned char secret[LENGTH];
    bool kept;
};

static void *keep(void *arg)
{
    struct maker *maker = arg;
    struct error own;
    maker->kept = secret_file_keep(&file, maker->secret, LENGTH, &own);
    return NULL;
}

START_TEST(those_who_make_it_at_the_same_time_get_the_same)
{
    for (unsigned round = 0; round < 20; round++) {
        struct maker makers[MAKERS] = {0};
        for (unsigned i = 0; i < MAKERS; i++)
            ck_assert_int_eq(pthread_create(&makers[i].thread, NULL, keep, &makers[i]), 0);
        for (unsigned i = 0; i < MAKERS; i++)
            pthread_join(makers[i].thread, NULL);
        for (unsigned i = 0; i < MAKERS; i++) {
            ck_assert(makers[i].kept);
            ck_assert_mem_eq(makers[i].secret, makers[0].secret, LENGTH);
        }
        ck_assert_uint_eq(entries(), 1);
        ck_assert_int_eq(unlink(path()), 0);
    }
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, the_first_run_makes_it_and_the_next_ones_read_it);
    tcase_add_loop_test(tcase, an_odd_umask_changes_nothing, 0, 3);
    tcase_add_test(tcase, no_two_are_alike);
    tcase_add_loop_test(tcase, one_that_others_may_read_is_refused, 0, 7);
    tcase_add_loop_test(tcase, one_of_another_length_is_refused, 0, 6);
    tcase_add_test(tcase, a_link_to_a_file_is_refused);
    tcase_add_test(tcase, what_is_no_file_is_refused_and_not_waited_for);
    tcase_add_test(tcase, one_of_somebody_elses_is_refused);
    tcase_add_test(tcase, one_that_lb_may_not_read_is_said);
    tcase_add_test(tcase, a_folder_that_cannot_be_written_to_is_said);
    tcase_add_test(tcase, those_who_make_it_at_the_same_time_get_the_same);
}

CHECK_MAIN("secret file", add_tests)
