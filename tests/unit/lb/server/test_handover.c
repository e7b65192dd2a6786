/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/server/handover.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/check_main.h"
#include "tests/support/folder.h"

static bool is_root(void)
{
    if (geteuid() != 0)
        fprintf(stderr, "skipped: only root can give files away\n");
    return geteuid() == 0;
}

static const struct account somebody = {"somebody", 61234, 61235};

/* All above it is root's. */
static struct folder folder;

static void begin(void)
{
    snprintf(folder.path, sizeof folder.path, "/run/lb-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder.path));
    ck_assert_int_eq(mkdir(folder_file(&folder, "sub"), 0755), 0);
    folder_write(&folder, "file", "text\n");
}

static void end(void)
{
    folder_remove(&folder);
}

static struct stat status_of(const char *name)
{
    struct stat status;
    ck_assert_int_eq(lstat(folder_file(&folder, name), &status), 0);
    return status;
}

static bool is_there(const char *name)
{
    struct stat status;
    return lstat(folder_file(&folder, name), &status) == 0;
}

/* Foreseen and done alike. */
static bool give(enum handover_kind kind, const char *path)
{
    bool foreseen = handover_is_possible(kind, path);
    bool given = handover_give(kind, path, &somebody);
    ck_assert_int_eq(foreseen, given);
    return given;
}

static bool give_file(const char *name)
{
    return give(HANDOVER_FILE, folder_file(&folder, name));
}

START_TEST(a_file_of_roots_is_given_with_its_text)
{
    ck_assert(give_file("file"));
    ck_assert_uint_eq(status_of("file").st_uid, somebody.uid);
    ck_assert_uint_eq(status_of("file").st_gid, somebody.gid);
    ck_assert_int_eq(status_of("file").st_size, 5);
    ck_assert(!give_file("file")); /* it is not root's any more */
}
END_TEST

START_TEST(a_file_that_is_missing_is_made_and_given)
{
    ck_assert(handover_is_possible(HANDOVER_FILE, folder_file(&folder, "sub/new")));
    ck_assert(!is_there("sub/new"));
    ck_assert(give_file("sub//new"));
    ck_assert_uint_eq(status_of("sub/new").st_uid, somebody.uid);
    ck_assert_uint_eq(status_of("sub/new").st_mode & 07137, 0); /* 0640 at most */
    ck_assert_uint_eq(status_of("sub").st_uid, 0);
}
END_TEST

START_TEST(a_folder_is_given_when_it_is_made_and_only_then)
{
    ck_assert(give(HANDOVER_FOLDER, folder_file(&folder, "sub/var/")));
    ck_assert_uint_eq(status_of("sub/var").st_uid, somebody.uid);
    ck_assert_uint_eq(status_of("sub/var").st_mode & 07777, 0700);
    ck_assert(!give(HANDOVER_FOLDER, folder_file(&folder, "sub")));
    ck_assert_uint_eq(status_of("sub").st_uid, 0);
}
END_TEST

START_TEST(what_somebody_else_may_have_had_a_hand_in_is_not_given)
{
    ck_assert_int_eq(symlink("file", folder_file(&folder, "link")), 0);
    ck_assert_int_eq(symlink("sub", folder_file(&folder, "detour")), 0);
    ck_assert_int_eq(link(folder_file(&folder, "file"), folder_file(&folder, "second")), 0);
    ck_assert_int_eq(mkfifo(folder_file(&folder, "pipe"), 0600), 0);
    folder_write(&folder, "others", "text\n");
    ck_assert_int_eq(chown(folder_file(&folder, "others"), 61236, 0), 0);
    static const char *const names[] = {"link",   "detour/new", "file",     "second",    "pipe",
                                        "others", "file/new",   "none/new", "sub/../new"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ck_assert_msg(!give_file(names[i]), "%s is given", names[i]);
    ck_assert_uint_eq(status_of("file").st_uid, 0);
    ck_assert_uint_eq(status_of("pipe").st_uid, 0);
    ck_assert_uint_eq(status_of("others").st_uid, 61236);
    ck_assert(!is_there("sub/new"));
    ck_assert(!is_there("new"));
}
END_TEST

START_TEST(folders_that_others_may_write_to_are_not_trusted)
{
    static const struct {
        uid_t owner;
        mode_t mode;
    } folders[] = {{0, 0775}, {0, 0757}, {0, 01777}, {61236, 0755}};
    ck_assert_int_eq(chown(folder_file(&folder, "sub"), folders[_i].owner, 0), 0);
    ck_assert_int_eq(chmod(folder_file(&folder, "sub"), folders[_i].mode), 0);
    ck_assert_int_eq(mkdir(folder_file(&folder, "sub/deep"), 0755), 0);
    ck_assert(!give_file("sub/new"));
    ck_assert(!give_file("sub/deep/new"));
    ck_assert(!give(HANDOVER_FOLDER, folder_file(&folder, "sub/var")));
    ck_assert(!is_there("sub/new"));
    ck_assert(!is_there("sub/var"));
}
END_TEST

START_TEST(what_is_no_whole_path_is_not_given)
{
    char long_path[400] = "/run/";
    memset(long_path + 5, 'x', sizeof long_path - 6);
    ck_assert_int_eq(chdir(folder.path), 0);
    static const char *const paths[] = {"", "/", "//", "file", "./file", "/..", "/run/.."};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        ck_assert_msg(!give(HANDOVER_FILE, paths[i]), "%s is given", paths[i]);
    ck_assert(!give(HANDOVER_FILE, long_path));
    ck_assert_uint_eq(status_of("file").st_uid, 0);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_file_of_roots_is_given_with_its_text);
    tcase_add_test(tcase, a_file_that_is_missing_is_made_and_given);
    tcase_add_test(tcase, a_folder_is_given_when_it_is_made_and_only_then);
    tcase_add_test(tcase, what_somebody_else_may_have_had_a_hand_in_is_not_given);
    tcase_add_loop_test(tcase, folders_that_others_may_write_to_are_not_trusted, 0, 4);
    tcase_add_test(tcase, what_is_no_whole_path_is_not_given);
}

CHECK_MAIN_WHERE("handover", add_tests, is_root)
