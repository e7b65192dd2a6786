/* SPDX-License-Identifier: Apache-2.0 */
/* A disk of 2 MiB of this test's own: full, and read-only. Needs root, in a mount namespace that
 * nobody else sees. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "listeners/registry/store.h"
#include "tests/support/check_main.h"
#include "tests/support/store_stage.h"

static struct folder folder;
static char location[160];
static struct error err;
static struct ledger *ledger;

static bool is_possible(void)
{
    if (geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
        return true;
    fprintf(stderr, "it needs root and a mount namespace of its own\n");
    return false;
}

static void begin(void)
{
    folder_make(&folder);
    ck_assert_int_eq(mount("tmpfs", folder.path, "tmpfs", 0, "size=2m,mode=700"), 0);
    snprintf(location, sizeof location, "sqlite:%s/registry.db", folder.path);
    store_expect(ledger_open(&ledger, location, STORE_MAKE, &err), STORE_DONE, &err);
}

static void end(void)
{
    ledger_close(ledger);
    ck_assert_int_eq(umount(folder.path), 0);
    folder_remove(&folder);
}

static enum store_outcome add_some(unsigned first, unsigned count)
{
    const struct store *store = ledger->store;
    enum store_outcome outcome = store->begin(ledger, &err);
    for (unsigned i = 0; i < count && outcome == STORE_DONE; i++) {
        struct made_record made;
        made_record(&made, first + i);
        outcome = store->add_certificate(ledger, &made.record, &err);
    }
    if (outcome == STORE_DONE)
        return store->commit(ledger, &err);
    store->rollback(ledger);
    return outcome;
}

START_TEST(a_full_disk_takes_no_change_and_loses_none)
{
    begin();
    unsigned kept = 0;
    enum store_outcome outcome = STORE_DONE;
    while (outcome == STORE_DONE && kept < 100000) {
        outcome = add_some(kept, 20);
        kept += outcome == STORE_DONE ? 20 : 0;
    }
    store_expect(outcome, STORE_FULL, &err);
    ck_assert_ptr_nonnull(strstr(err.text, "make room"));
    ck_assert_uint_gt(kept, 0);
    ck_assert_int_eq(store_count(ledger), kept);
    store_expect(add_some(kept, 20), STORE_FULL, &err);
    ck_assert_int_eq(mount(NULL, folder.path, NULL, MS_REMOUNT, "size=8m"), 0);
    store_expect(add_some(kept, 20), STORE_DONE, &err);
    ledger_close(ledger);
    store_expect(ledger_open(&ledger, location, STORE_WRITE, &err), STORE_DONE, &err);
    for (unsigned number = 0; number < kept + 20; number++)
        ck_assert(store_has(ledger, number));
    end();
}
END_TEST

/* More than is kept in memory: the disk is full before the commit, and SQLite undoes all of it. Who
 * does not look at the outcome and goes on must not find himself outside of any transaction. */
START_TEST(what_goes_on_after_a_failure_is_not_half_a_change)
{
    begin();
    const struct store *store = ledger->store;
    struct made_record made;
    enum store_outcome outcome = STORE_DONE;
    unsigned number = 0;
    store_expect(store->begin(ledger, &err), STORE_DONE, &err);
    while (outcome == STORE_DONE && number < 200000) {
        made_record(&made, number++);
        outcome = store->add_certificate(ledger, &made.record, &err);
    }
    store_expect(outcome, STORE_FULL, &err);
    made_record(&made, number);
    store_expect(store->add_certificate(ledger, &made.record, &err), STORE_FAILED, &err);
    ck_assert_ptr_nonnull(strstr(err.text, "outside of a transaction"));
    store_expect(store->commit(ledger, &err), STORE_FAILED, &err);
    ck_assert_int_eq(store_count(ledger), 0);
    store_expect(add_some(0, 3), STORE_DONE, &err);
    ck_assert_int_eq(store_count(ledger), 3);
    end();
}
END_TEST

static void set_read_only(bool is_read_only)
{
    ck_assert_int_eq(
        mount(NULL, folder.path, NULL, MS_REMOUNT | (is_read_only ? MS_RDONLY : 0), NULL), 0);
}

/* As a disk that had an error. While files are open for writing no disk becomes read-only. */
START_TEST(a_read_only_disk_is_told_of)
{
    begin();
    store_expect(add_some(0, 20), STORE_DONE, &err);
    ledger_close(ledger);
    ledger = NULL;
    set_read_only(true);
    enum store_outcome outcome = ledger_open(&ledger, location, STORE_WRITE, &err);
    if (outcome == STORE_DONE)
        outcome = add_some(20, 1);
    store_expect(outcome, STORE_READ_ONLY, &err);
    ck_assert_ptr_nonnull(strstr(err.text, "read-only"));
    ledger_close(ledger);
    ledger = NULL;
    char other[192];
    snprintf(other, sizeof other, "sqlite:%s/other.db", folder.path);
    store_expect(ledger_open(&ledger, other, STORE_MAKE, &err), STORE_READ_ONLY, &err);
    set_read_only(false);
    store_expect(ledger_open(&ledger, location, STORE_WRITE, &err), STORE_DONE, &err);
    store_expect(add_some(20, 1), STORE_DONE, &err);
    ck_assert_int_eq(store_count(ledger), 21);
    end();
}
END_TEST

enum { SOMEBODY = 4242 };

/* The file may not be written by who runs lb; its folder may. */
START_TEST(a_read_only_file_is_read_and_not_written)
{
    begin();
    store_expect(add_some(0, 20), STORE_DONE, &err);
    ledger_close(ledger);
    char path[160];
    snprintf(path, sizeof path, "%s/registry.db", folder.path);
    ck_assert_int_eq(chmod(path, 0400), 0);
    ck_assert_int_eq(chown(path, SOMEBODY, SOMEBODY), 0);
    ck_assert_int_eq(chown(folder.path, SOMEBODY, SOMEBODY), 0);
    ck_assert_int_eq(setegid(SOMEBODY), 0);
    ck_assert_int_eq(seteuid(SOMEBODY), 0);
    store_expect(ledger_open(&ledger, location, STORE_WRITE, &err), STORE_DONE, &err);
    ck_assert_int_eq(store_count(ledger), 20);
    store_expect(add_some(20, 1), STORE_READ_ONLY, &err);
    ck_assert_int_eq(store_count(ledger), 20);
    ledger_close(ledger);
    ledger = NULL;
    ck_assert_int_eq(seteuid(0), 0);
    end();
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_full_disk_takes_no_change_and_loses_none);
    tcase_add_test(tcase, what_goes_on_after_a_failure_is_not_half_a_change);
    tcase_add_test(tcase, a_read_only_disk_is_told_of);
    tcase_add_test(tcase, a_read_only_file_is_read_and_not_written);
}

CHECK_MAIN_WHERE("small disk", add_tests, is_possible)
