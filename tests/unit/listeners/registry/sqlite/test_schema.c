/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/registry/sqlite/schema.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "listeners/registry/sqlite/ledger.h"
#include "tests/support/check_main.h"
#include "tests/support/store_stage.h"

static struct store_stage stage;

static const char *path(void)
{
    return strchr(stage.location, ':') + 1;
}

static void begin(void)
{
    store_stage_begin(&stage, &store_sqlite);
}

static void end(void)
{
    store_stage_end(&stage);
}

/* Like somebody with the sqlite3 program. */
static void tamper(const char *text)
{
    sqlite3 *db = NULL;
    ck_assert_int_eq(sqlite3_open_v2(path(), &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

static void close_it(void)
{
    ledger_close(stage.ledger);
    stage.ledger = NULL;
}

static char *bytes_of(const char *file, size_t *ret_count)
{
    FILE *stream = fopen(file, "rb");
    struct stat status;
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_eq(fstat(fileno(stream), &status), 0);
    char *bytes = malloc((size_t)status.st_size + 1);
    ck_assert_ptr_nonnull(bytes);
    *ret_count = fread(bytes, 1, (size_t)status.st_size, stream);
    fclose(stream);
    return bytes;
}

/* In any mode, and not a byte of it changes. */
static void expect_refused(enum store_outcome expected, const char *said)
{
    static const enum store_mode modes[] = {STORE_READ, STORE_WRITE, STORE_MAKE};
    size_t before_count = 0, after_count = 0;
    char *before = bytes_of(path(), &before_count);
    for (int i = 0; i < 3; i++) {
        struct ledger *ledger = NULL;
        store_expect(ledger_open(&ledger, stage.location, modes[i], &stage.err), expected,
                     &stage.err);
        ck_assert_ptr_null(ledger);
        ck_assert_msg(strstr(stage.err.text, said), "%s", stage.err.text);
        ck_assert_ptr_nonnull(strstr(stage.err.text, path()));
    }
    char *after = bytes_of(path(), &after_count);
    ck_assert_uint_eq(before_count, after_count);
    ck_assert_mem_eq(before, after, before_count);
    free(before);
    free(after);
}

START_TEST(what_is_no_database_is_left_alone)
{
    begin();
    close_it();
    char text[8192];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    folder_write(&stage.folder, "registry.db", text);
    ck_assert_int_eq(chmod(path(), 0600), 0);
    expect_refused(STORE_CORRUPT, "backup");
    end();
}
END_TEST

START_TEST(another_programs_database_is_left_alone)
{
    begin();
    close_it();
    tamper("PRAGMA application_id = 4711");
    expect_refused(STORE_CORRUPT, "another program");
    end();
}
END_TEST

/* Its log holds what it has not taken over yet; to close it must not do that either. */
START_TEST(another_programs_log_is_left_alone)
{
    begin();
    close_it();
    sqlite3 *db = NULL;
    ck_assert_int_eq(sqlite3_open_v2(path(), &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    ck_assert_int_eq(sqlite3_exec(db, "PRAGMA application_id = 4711", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    expect_refused(STORE_CORRUPT, "another program");
    ck_assert_int_eq(access(folder_file(&stage.folder, "registry.db-wal"), F_OK), 0);
    end();
}
END_TEST

START_TEST(a_newer_ones_is_left_alone)
{
    begin();
    close_it();
    tamper("PRAGMA user_version = 1000");
    expect_refused(STORE_NEWER, "newer lb (schema 1000");
    end();
}
END_TEST

START_TEST(one_that_was_cut_off_is_left_alone)
{
    begin();
    close_it();
    ck_assert_int_eq(truncate(path(), 4096), 0);
    expect_refused(STORE_CORRUPT, "backup");
    end();
}
END_TEST

START_TEST(one_that_lost_its_log_mode_gets_it_back)
{
    begin();
    close_it();
    tamper("PRAGMA journal_mode = DELETE");
    store_stage_open_again(&stage, STORE_READ);
    ck_assert_int_eq(store_count(stage.ledger), 0);
    store_stage_open_again(&stage, STORE_WRITE);
    ck_assert_int_eq(access(folder_file(&stage.folder, "registry.db-wal"), F_OK), 0);
    end();
}
END_TEST

/* --- steps --------------------------------------------------------------------------------- */

static const char *const added[] = {
    "",
    "", /* what the file was made with */
    "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT); INSERT INTO note VALUES (1, 'two');",
    "ALTER TABLE note ADD COLUMN more TEXT NOT NULL DEFAULT 'three';",
};
static const char *const broken[] = {
    "",
    "",
    "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT); INSERT INTO note VALUES (1, 'two');",
    "INSERT INTO note VALUES (2, 'three'); INSERT INTO no_such_table VALUES (1);",
};
static const char *const rebuilt[] = {
    "",
    "",
    ("CREATE TABLE twin AS SELECT * FROM certificate; DROP TABLE certificate;"
     "ALTER TABLE twin RENAME TO certificate;"),
};

static enum store_outcome check(const struct schema *schema, enum store_mode mode)
{
    return sqlite_schema_check((struct sqlite_ledger *)stage.ledger, schema, mode, &stage.err);
}

static int64_t number(const char *text)
{
    int64_t found = -1;
    int code = 0;
    ck_assert_msg(sqlite_number((struct sqlite_ledger *)stage.ledger, text, &found, &code),
                  "%s: %d", text, code);
    return found;
}

START_TEST(an_older_one_takes_the_steps_it_lacks)
{
    begin();
    static const struct schema newer = {added, 4};
    struct made_record made;
    made_record(&made, 1);
    store_add(&stage, &made.record);
    ck_assert_int_eq(number("PRAGMA user_version"), 2);
    store_expect(check(&newer, STORE_READ), STORE_FAILED, &stage.err);
    ck_assert_ptr_nonnull(strstr(stage.err.text, "older lb"));
    ck_assert_int_eq(number("PRAGMA user_version"), 2);
    store_expect(check(&newer, STORE_WRITE), STORE_DONE, &stage.err);
    ck_assert_int_eq(number("PRAGMA user_version"), 4);
    ck_assert_int_eq(number("SELECT count(*) FROM note WHERE text = 'two' AND more = 'three'"), 1);
    store_expect(check(&newer, STORE_WRITE), STORE_DONE, &stage.err);
    ck_assert_int_eq(number("SELECT count(*) FROM note"), 1);
    ck_assert_int_eq(store_count(stage.ledger), 1);
    store_expect(check(&sqlite_schema, STORE_WRITE), STORE_NEWER, &stage.err);
    end();
}
END_TEST

START_TEST(a_step_that_fails_leaves_nothing)
{
    begin();
    static const struct schema newer = {broken, 4};
    store_expect(check(&newer, STORE_WRITE), STORE_FAILED, &stage.err);
    ck_assert_ptr_nonnull(strstr(stage.err.text, "no_such_table"));
    ck_assert_int_eq(number("PRAGMA user_version"), 3);
    ck_assert_int_eq(number("SELECT count(*) FROM note"), 1);
    ck_assert_int_eq(number("PRAGMA foreign_keys"), 1);
    end();
}
END_TEST

START_TEST(a_table_that_is_made_anew_takes_no_rows_with_it)
{
    begin();
    static const struct schema newer = {rebuilt, 3};
    struct made_record made;
    made_record(&made, 1);
    store_add(&stage, &made.record);
    store_expect(check(&newer, STORE_WRITE), STORE_DONE, &stage.err);
    ck_assert_int_eq(number("SELECT count(*) FROM certificate_body"), 1);
    ck_assert_int_eq(number("SELECT count(*) FROM certificate"), 1);
    end();
}
END_TEST

static bool on_change(void *arg, const struct change_record *change)
{
    (void)change;
    ++*(unsigned *)arg;
    return true;
}

START_TEST(the_log_of_one_without_its_serials_is_found_by_them)
{
    unsigned count = 0;
    const struct change_filter filter = {.serial = "0A", .limit = 9};
    begin();
    close_it();
    tamper("DROP INDEX change_by_serial; DROP INDEX change_by_import; PRAGMA user_version = 1;"
           "INSERT INTO change VALUES (1, 5, 'uid 0', 'certificate.delete', '', NULL, '0A', '', '',"
           " '')");
    store_stage_open_again(&stage, STORE_WRITE);
    ck_assert_int_eq(number("PRAGMA user_version"), 2);
    store_expect(stage.store->find_changes(stage.ledger, &filter, on_change, &count, &stage.err),
                 STORE_DONE, &stage.err);
    ck_assert_uint_eq(count, 1);
    end();
}
END_TEST

/* --- damage -------------------------------------------------------------------------------- */

static bool on_row(void *arg, const struct certificate_row *row)
{
    (void)arg;
    return strlen(row->ca) <= CA_ID_LENGTH && row->status < CERTIFICATE_STATUS_COUNT;
}

static bool on_certificate(void *arg, const struct certificate_record *record)
{
    (void)arg;
    return strlen(record->common_name) + strlen(record->subject) + record->der_bytes < 1000000;
}

/* Everything a reader may ask; whatever the answer is, it is one. */
static enum store_outcome read_all(struct ledger *ledger)
{
    char cursor[STORE_CURSOR_BYTES];
    struct error err = {""};
    int64_t revision = 0;
    struct certificate_filter filter = {.limit = STORE_PAGE_MOST};
    enum store_outcome outcome = ledger->store->follow(ledger, 0, on_row, NULL, &revision, &err);
    for (int order = ORDER_CREATED; order <= ORDER_UPDATED && outcome == STORE_DONE; order++) {
        filter.order = (enum certificate_order)order;
        outcome =
            ledger->store->find_certificates(ledger, &filter, on_certificate, NULL, cursor, &err);
    }
    return outcome;
}

START_TEST(a_damaged_one_is_told_of_and_not_believed)
{
    unsigned state = 1, found = 0;
    size_t count = 0;
    begin();
    for (unsigned i = 0; i < 60; i++) {
        struct made_record made;
        made_record(&made, i);
        store_add(&stage, &made.record);
    }
    close_it();
    char *bytes = bytes_of(path(), &count);
    for (unsigned turn = 0; turn < 150; turn++) {
        int fd = open(path(), O_WRONLY);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(pwrite(fd, bytes, count, 0), (ssize_t)count);
        char noise[48];
        for (size_t i = 0; i < sizeof noise; i++)
            noise[i] = (char)((state = state * 1103515245 + 12345) >> 16);
        off_t at = (off_t)((state = state * 1103515245 + 12345) % (count - sizeof noise));
        ck_assert_int_eq(pwrite(fd, noise, sizeof noise, at), sizeof noise);
        close(fd);
        struct ledger *ledger = NULL;
        enum store_outcome outcome = ledger_open(&ledger, stage.location, STORE_READ, &stage.err);
        if (outcome == STORE_DONE)
            outcome = read_all(ledger);
        ledger_close(ledger);
        ck_assert_msg(outcome == STORE_DONE || outcome == STORE_CORRUPT || outcome == STORE_NEWER ||
                          outcome == STORE_FAILED,
                      "%d: %s", (int)outcome, stage.err.text);
        found += outcome == STORE_CORRUPT;
    }
    ck_assert_uint_gt(found, 20);
    free(bytes);
    end();
}
END_TEST

static const struct {
    const char *found, *told;
} findings[] = {
    {"wrong # of entries", "(wrong # of entries)"},
    {"*** in database main ***\nPage 4: never used\n\nPage 5: never used\n",
     "(*** in database main ***; Page 4: never used; Page 5: never used)"},
    {"*** in database main ***\nTree 4 page 4: btreeInitPage() returns error code 11\n"
     "Tree 5 page 5: btreeInitPage() returns error code 11\nPage 6: never used\n",
     "(*** in database main ***; Tree 4 page 4: btreeInitPage() returns error code 11; Tree 5 page "
     "5: btreeInitPage() returns …)"},
};

START_TEST(damage_is_told_in_one_line_of_whole_words)
{
    begin();
    struct sqlite_ledger *l = (struct sqlite_ledger *)stage.ledger;
    ck_assert_int_eq(sqlite_damaged(l, findings[_i].found, &stage.err), STORE_CORRUPT);
    ck_assert_msg(strstr(stage.err.text, findings[_i].told), "%s", stage.err.text);
    ck_assert_ptr_null(strchr(stage.err.text, '\n'));
    end();
}
END_TEST

START_TEST(a_value_that_cannot_be_is_damage)
{
    static const char *const changes[] = {
        "UPDATE certificate SET status = 5",
        "UPDATE certificate SET status = -1",
        "UPDATE certificate SET key = x'00'",
        "UPDATE certificate SET source = 'auto'",
        "PRAGMA foreign_keys = OFF; UPDATE certificate SET ca = 77",
        "UPDATE certificate SET client_id = x'00'",
        "UPDATE certificate SET not_after_s = 1.5",
    };
    begin();
    struct made_record made;
    made_record(&made, 1);
    store_add(&stage, &made.record);
    close_it();
    tamper(changes[_i]);
    store_stage_open_again(&stage, STORE_READ);
    ck_assert_int_eq(read_all(stage.ledger), STORE_CORRUPT);
    end();
}
END_TEST

START_TEST(one_that_is_moved_away_is_not_written_to)
{
    begin();
    struct made_record made;
    made_record(&made, 1);
    char away[160];
    snprintf(away, sizeof away, "%s.away", path());
    ck_assert_int_eq(rename(path(), away), 0);
    enum store_outcome outcome = stage.store->begin(stage.ledger, &stage.err);
    if (outcome == STORE_DONE)
        outcome = stage.store->add_certificate(stage.ledger, &made.record, &stage.err);
    if (outcome == STORE_DONE)
        outcome = stage.store->commit(stage.ledger, &stage.err);
    store_expect(outcome, STORE_FAILED, &stage.err);
    ck_assert_ptr_nonnull(strstr(stage.err.text, "moved"));
    stage.store->rollback(stage.ledger);
    ck_assert_int_eq(rename(away, path()), 0);
    store_add(&stage, &made.record);
    end();
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, what_is_no_database_is_left_alone);
    tcase_add_test(tcase, another_programs_database_is_left_alone);
    tcase_add_test(tcase, another_programs_log_is_left_alone);
    tcase_add_test(tcase, a_newer_ones_is_left_alone);
    tcase_add_test(tcase, one_that_was_cut_off_is_left_alone);
    tcase_add_test(tcase, one_that_lost_its_log_mode_gets_it_back);
    tcase_add_test(tcase, an_older_one_takes_the_steps_it_lacks);
    tcase_add_test(tcase, a_step_that_fails_leaves_nothing);
    tcase_add_test(tcase, a_table_that_is_made_anew_takes_no_rows_with_it);
    tcase_add_test(tcase, the_log_of_one_without_its_serials_is_found_by_them);
    tcase_add_loop_test(tcase, damage_is_told_in_one_line_of_whole_words, 0,
                        sizeof findings / sizeof *findings);
    tcase_add_test(tcase, a_damaged_one_is_told_of_and_not_believed);
    tcase_add_loop_test(tcase, a_value_that_cannot_be_is_damage, 0, 7);
    tcase_add_test(tcase, one_that_is_moved_away_is_not_written_to);
}

CHECK_MAIN("schema", add_tests)
