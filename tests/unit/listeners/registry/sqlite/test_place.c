/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/registry/sqlite/place.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/check_main.h"
#include "tests/support/store_stage.h"

enum { SOMEBODY = 4242 };

static struct folder folder;
static struct error err;

static const char *path_of(const char *name)
{
    return folder_file(&folder, name);
}

static enum store_outcome open_at(const char *path, enum store_mode mode, struct ledger **ret)
{
    char location[160];
    snprintf(location, sizeof location, "sqlite:%s", path);
    *ret = NULL;
    err.text[0] = '\0';
    return ledger_open(ret, location, mode, &err);
}

static void expect_open(const char *path, enum store_mode mode, enum store_outcome expected)
{
    struct ledger *ledger;
    store_expect(open_at(path, mode, &ledger), expected, &err);
    ck_assert_int_eq(ledger != NULL, expected == STORE_DONE);
    ledger_close(ledger);
}

static struct stat status_of(const char *path)
{
    struct stat status;
    ck_assert_msg(stat(path, &status) == 0, "%s is not there", path);
    return status;
}

static unsigned mode_of(const char *path)
{
    return status_of(path).st_mode & 07777;
}

static unsigned count_files(void)
{
    unsigned count = 0;
    DIR *entries = opendir(folder.path);
    ck_assert_ptr_nonnull(entries);
    for (struct dirent *entry; (entry = readdir(entries));)
        count += entry->d_name[0] != '.';
    closedir(entries);
    return count;
}

START_TEST(it_is_made_for_its_owner_alone)
{
    static const mode_t masks[] = {0, 077, 0777};
    umask(masks[_i]);
    struct ledger *ledger;
    struct made_record made;
    umask(0);
    folder_make(&folder);
    umask(masks[_i]);
    store_expect(open_at(path_of("registry.db"), STORE_MAKE, &ledger), STORE_DONE, &err);
    made_record(&made, 1);
    store_expect(ledger->store->begin(ledger, &err), STORE_DONE, &err);
    store_expect(ledger->store->add_certificate(ledger, &made.record, &err), STORE_DONE, &err);
    store_expect(ledger->store->commit(ledger, &err), STORE_DONE, &err);
    ck_assert_uint_eq(mode_of(path_of("registry.db")), 0600);
    ck_assert_uint_eq(mode_of(path_of("registry.db-wal")), 0600);
    ck_assert_uint_eq(mode_of(path_of("registry.db-shm")), 0600);
    ledger_close(ledger);
    ck_assert_uint_eq(count_files(), 1);
    umask(0);
    folder_remove(&folder);
}
END_TEST

START_TEST(its_folder_is_made_and_none_above)
{
    folder_make(&folder);
    expect_open(path_of("var/registry.db"), STORE_MAKE, STORE_DONE);
    ck_assert_uint_eq(mode_of(path_of("var")), 0700);
    expect_open(path_of("a/b/registry.db"), STORE_MAKE, STORE_FAILED);
    ck_assert_ptr_nonnull(strstr(err.text, "folder above"));
    ck_assert_int_ne(access(path_of("a"), F_OK), 0);
    folder_remove(&folder);
}
END_TEST

START_TEST(what_root_makes_is_its_folders_owners)
{
    if (geteuid() != 0)
        return;
    folder_make(&folder);
    ck_assert_int_eq(chown(folder.path, SOMEBODY, SOMEBODY), 0);
    struct ledger *ledger;
    store_expect(open_at(path_of("var/registry.db"), STORE_MAKE, &ledger), STORE_DONE, &err);
    store_expect(ledger->store->begin(ledger, &err), STORE_DONE, &err);
    struct made_record made;
    made_record(&made, 1);
    store_expect(ledger->store->add_certificate(ledger, &made.record, &err), STORE_DONE, &err);
    store_expect(ledger->store->commit(ledger, &err), STORE_DONE, &err);
    static const char *const names[] = {"var", "var/registry.db", "var/registry.db-wal",
                                        "var/registry.db-shm"};
    for (size_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(status_of(path_of(names[i])).st_uid, SOMEBODY);
        ck_assert_uint_eq(status_of(path_of(names[i])).st_gid, SOMEBODY);
    }
    ledger_close(ledger);
    folder_remove(&folder);
}
END_TEST

START_TEST(what_others_may_write_is_refused)
{
    static const mode_t modes[] = {0620, 0602, 0666};
    folder_make(&folder);
    expect_open(path_of("registry.db"), STORE_MAKE, STORE_DONE);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(chmod(path_of("registry.db"), modes[i]), 0);
        expect_open(path_of("registry.db"), STORE_READ, STORE_FAILED);
        ck_assert_ptr_nonnull(strstr(err.text, "chmod 600"));
    }
    ck_assert_int_eq(chmod(path_of("registry.db"), 0640), 0);
    expect_open(path_of("registry.db"), STORE_READ, STORE_DONE);
    folder_remove(&folder);
}
END_TEST

START_TEST(a_registry_that_was_lost_is_not_begun_anew)
{
    folder_make(&folder);
    folder_write(&folder, "empty.db", "");
    expect_open(path_of("empty.db"), STORE_MAKE, STORE_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.text, "backup"));
    ck_assert_int_eq(status_of(path_of("empty.db")).st_size, 0);
    folder_write(&folder, "gone.db-wal", "the rest of it");
    expect_open(path_of("gone.db"), STORE_MAKE, STORE_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.text, "gone.db-wal"));
    ck_assert_int_ne(access(path_of("gone.db"), F_OK), 0);
    folder_remove(&folder);
}
END_TEST

/* _i: it was removed, or another one was put in its place. What is written to a file that nobody
 * finds any more is lost when lb ends, a revocation, too. */
START_TEST(what_was_replaced_while_it_was_open_is_not_written_to)
{
    folder_make(&folder);
    struct ledger *ledger;
    struct made_record made;
    store_expect(open_at(path_of("registry.db"), STORE_MAKE, &ledger), STORE_DONE, &err);
    expect_open(path_of("other.db"), STORE_MAKE, STORE_DONE);
    store_expect(ledger->store->begin(ledger, &err), STORE_DONE, &err);
    ledger->store->rollback(ledger);
    ck_assert_int_eq(rename(path_of("registry.db"), path_of("kept.db")), 0);
    if (_i == 1)
        ck_assert_int_eq(rename(path_of("other.db"), path_of("registry.db")), 0);
    store_expect(ledger->store->begin(ledger, &err), STORE_FAILED, &err);
    ck_assert_ptr_nonnull(strstr(err.text, "moved or replaced"));
    made_record(&made, 1);
    ck_assert_int_ne(ledger->store->add_certificate(ledger, &made.record, &err), STORE_DONE);
    ck_assert_int_eq(rename(path_of("kept.db"), path_of("registry.db")), 0);
    store_expect(ledger->store->begin(ledger, &err), STORE_DONE, &err);
    store_expect(ledger->store->add_certificate(ledger, &made.record, &err), STORE_DONE, &err);
    store_expect(ledger->store->commit(ledger, &err), STORE_DONE, &err);
    ledger_close(ledger);
    folder_remove(&folder);
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
    folder_make(&folder);
    expect_open(folder.path, STORE_MAKE, STORE_FAILED);
    ck_assert_ptr_nonnull(strstr(err.text, "no file"));
    ck_assert_int_eq(mkfifo(path_of("pipe"), 0600), 0);
    expect_open(path_of("pipe"), STORE_MAKE, STORE_FAILED);
    folder_write(&folder, "text", "x");
    expect_open(path_of("text/registry.db"), STORE_MAKE, STORE_FAILED);
    folder_remove(&folder);
}
END_TEST

START_TEST(names_that_mean_something_to_sqlite_are_names)
{
    folder_make(&folder);
    ck_assert_int_eq(chdir(folder.path), 0);
    expect_open(":memory:", STORE_MAKE, STORE_DONE);
    expect_open("file:x?mode=memory", STORE_MAKE, STORE_DONE);
    ck_assert_int_eq(access(path_of(":memory:"), F_OK), 0);
    ck_assert_int_eq(access(path_of("file:x?mode=memory"), F_OK), 0);
    ck_assert_uint_eq(count_files(), 2);
    ck_assert_int_eq(chdir("/"), 0);
    folder_remove(&folder);
}
END_TEST

enum { MAKERS = 6 };

START_TEST(of_many_that_make_it_at_once_all_have_it)
{
    pid_t makers[MAKERS];
    folder_make(&folder);
    for (unsigned i = 0; i < MAKERS; i++) {
        makers[i] = fork();
        ck_assert_int_ge(makers[i], 0);
        if (makers[i] == 0) {
            struct ledger *ledger;
            struct made_record made;
            made_record(&made, i);
            bool good = open_at(path_of("registry.db"), STORE_MAKE, &ledger) == STORE_DONE &&
                        ledger->store->begin(ledger, &err) == STORE_DONE &&
                        ledger->store->add_certificate(ledger, &made.record, &err) == STORE_DONE &&
                        ledger->store->commit(ledger, &err) == STORE_DONE;
            ledger_close(ledger);
            _exit(good ? 0 : 1);
        }
    }
    for (unsigned i = 0; i < MAKERS; i++) {
        int status = -1;
        ck_assert_int_eq(waitpid(makers[i], &status, 0), makers[i]);
        ck_assert_int_eq(status, 0);
    }
    struct ledger *ledger;
    store_expect(open_at(path_of("registry.db"), STORE_READ, &ledger), STORE_DONE, &err);
    ck_assert_int_eq(store_count(ledger), MAKERS);
    ledger_close(ledger);
    ck_assert_uint_eq(count_files(), 1);
    folder_remove(&folder);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, it_is_made_for_its_owner_alone, 0, 3);
    tcase_add_test(tcase, its_folder_is_made_and_none_above);
    tcase_add_test(tcase, what_root_makes_is_its_folders_owners);
    tcase_add_test(tcase, what_others_may_write_is_refused);
    tcase_add_test(tcase, a_registry_that_was_lost_is_not_begun_anew);
    tcase_add_loop_test(tcase, what_was_replaced_while_it_was_open_is_not_written_to, 0, 2);
    tcase_add_test(tcase, what_is_no_file_is_refused);
    tcase_add_test(tcase, names_that_mean_something_to_sqlite_are_names);
    tcase_add_test(tcase, of_many_that_make_it_at_once_all_have_it);
}

CHECK_MAIN("place", add_tests)
