/* SPDX-License-Identifier: Apache-2.0 */
/* A file that may not grow any further stands for a full disk: the system refuses each write that
 * goes beyond. test_small_disk.c has a real one, where the machine allows it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "listeners/registry/sqlite/ledger.h"
#include "tests/support/check_main.h"
#include "tests/support/store_stage.h"

static struct store_stage stage;

static void allow_bytes(rlim_t bytes)
{
    struct rlimit limit;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void begin(void)
{
    signal(SIGXFSZ, SIG_IGN);
    store_stage_begin(&stage, &store_sqlite);
}

/* Until it fails or they are all there. */
static enum store_outcome add_some(unsigned first, unsigned count)
{
    const struct store *store = stage.store;
    enum store_outcome outcome = store->begin(stage.ledger, &stage.err);
    for (unsigned i = 0; i < count && outcome == STORE_DONE; i++) {
        struct made_record made;
        made_record(&made, first + i);
        outcome = store->add_certificate(stage.ledger, &made.record, &stage.err);
    }
    if (outcome == STORE_DONE)
        return store->commit(stage.ledger, &stage.err);
    store->rollback(stage.ledger);
    return outcome;
}

START_TEST(a_change_that_does_not_fit_is_not_there)
{
    begin();
    store_expect(add_some(0, 10), STORE_DONE, &stage.err);
    allow_bytes(256 * 1024);
    for (int i = 0; i < 3; i++) {
        store_expect(add_some(1000, 5000), STORE_FULL, &stage.err);
        ck_assert_ptr_nonnull(strstr(stage.err.text, "make room"));
        ck_assert_ptr_nonnull(strstr(stage.err.text, "registry.db"));
        ck_assert_int_eq(store_count(stage.ledger), 10);
    }
    allow_bytes(RLIM_INFINITY);
    store_expect(add_some(1000, 5000), STORE_DONE, &stage.err);
    ck_assert_int_eq(store_count(stage.ledger), 5010);
    store_stage_open_again(&stage, STORE_READ);
    ck_assert_int_eq(store_count(stage.ledger), 5010);
    store_stage_end(&stage);
}
END_TEST

/* More than SQLite keeps in memory: it writes, and fails, before the commit. */
START_TEST(what_goes_on_after_a_failure_is_not_half_a_change)
{
    begin();
    const struct store *store = stage.store;
    struct made_record made;
    enum store_outcome outcome = STORE_DONE;
    unsigned number = 0;
    allow_bytes(256 * 1024);
    store_expect(store->begin(stage.ledger, &stage.err), STORE_DONE, &stage.err);
    while (outcome == STORE_DONE && number < 200000) {
        made_record(&made, number++);
        outcome = store->add_certificate(stage.ledger, &made.record, &stage.err);
    }
    store_expect(outcome, STORE_FULL, &stage.err);
    allow_bytes(RLIM_INFINITY);
    made_record(&made, number);
    ck_assert_int_ne(store->add_certificate(stage.ledger, &made.record, &stage.err), STORE_DONE);
    ck_assert_int_ne(store->commit(stage.ledger, &stage.err), STORE_DONE);
    ck_assert_int_eq(store_count(stage.ledger), 0);
    store_expect(add_some(0, 3), STORE_DONE, &stage.err);
    ck_assert_int_eq(store_count(stage.ledger), 3);
    store_stage_end(&stage);
}
END_TEST

START_TEST(a_copy_that_does_not_fit_leaves_no_file)
{
    begin();
    store_expect(add_some(0, 2000), STORE_DONE, &stage.err);
    const char *path = folder_file(&stage.folder, "copy.db");
    allow_bytes(64 * 1024);
    store_expect(stage.store->back_up(stage.ledger, path, &stage.err), STORE_FULL, &stage.err);
    ck_assert_ptr_nonnull(strstr(stage.err.text, path));
    ck_assert_int_ne(access(path, F_OK), 0);
    allow_bytes(RLIM_INFINITY);
    store_expect(stage.store->back_up(stage.ledger, path, &stage.err), STORE_DONE, &stage.err);
    ck_assert_int_eq(store_count(stage.ledger), 2000);
    store_stage_end(&stage);
}
END_TEST

START_TEST(one_that_cannot_be_made_leaves_nothing)
{
    begin();
    char location[160];
    struct ledger *ledger = NULL;
    snprintf(location, sizeof location, "sqlite:%s/var/registry.db", stage.folder.path);
    allow_bytes(8 * 1024);
    store_expect(ledger_open(&ledger, location, STORE_MAKE, &stage.err), STORE_FULL, &stage.err);
    allow_bytes(RLIM_INFINITY);
    /* Only an empty folder can be removed. */
    ck_assert_int_eq(rmdir(folder_file(&stage.folder, "var")), 0);
    store_expect(ledger_open(&ledger, location, STORE_MAKE, &stage.err), STORE_DONE, &stage.err);
    ledger_close(ledger);
    store_stage_end(&stage);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_change_that_does_not_fit_is_not_there);
    tcase_add_test(tcase, what_goes_on_after_a_failure_is_not_half_a_change);
    tcase_add_test(tcase, a_copy_that_does_not_fit_leaves_no_file);
    tcase_add_test(tcase, one_that_cannot_be_made_leaves_nothing);
}

CHECK_MAIN("full disk", add_tests)
