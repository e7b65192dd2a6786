/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See schema.h.
 *
 *   meta ─ the newest revision
 *   ca ─< ca_host                       CAs, and the hosts each is bound to
 *   ca_number ─< certificate ── certificate_body
 *   change                              the audit log
 *
 * certificate has what is decided, looked for and sorted by; what is only shown lies in
 * certificate_body, so that a million rows are read quickly when lb starts.
 *
 * A list is shown in some order, a page at a time, with any filters: each order has an index, and
 * each index holds all that numbers can be filtered by, so that even a page that finds hardly
 * anything reads one index from end to end and no row of the table. unit_hash stands for the unit
 * there (see fold_hash). Ties are in the order of id, which is why it is named in each. What is put
 * later has the greater revision: the order of updates. Serials alone are random in most fleets, so
 * what is looked for is never far in their order; and with little beside them their index is a
 * third smaller, which counts where each new row is at another place.
 */
#include "listeners/registry/sqlite/schema.h"

#include <stdio.h>
#include <string.h>

#include "listeners/registry/sqlite/call.h"
#include "listeners/registry/sqlite/ledger.h"

#define BUNDLE "status, source, ca, unit_hash, not_before_s, not_after_s"

// clang-format off
static const char first_step[] =
    "CREATE TABLE meta ("
    " one INTEGER PRIMARY KEY CHECK (one = 1),"
    " revision INTEGER NOT NULL);"
    "INSERT INTO meta VALUES (1, 0);"

    "CREATE TABLE ca ("
    " key BLOB NOT NULL PRIMARY KEY, id TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL,"
    " name TEXT NOT NULL UNIQUE, subject TEXT NOT NULL, serial TEXT NOT NULL,"
    " sha256 TEXT NOT NULL, is_builtin INTEGER NOT NULL, is_enabled INTEGER NOT NULL,"
    " not_before_s INTEGER NOT NULL, not_after_s INTEGER NOT NULL,"
    " created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,"
    " der BLOB NOT NULL, chain_pem TEXT NOT NULL);"
    "CREATE TABLE ca_host ("
    " ca TEXT NOT NULL REFERENCES ca (id) ON DELETE CASCADE ON UPDATE CASCADE,"
    " host TEXT NOT NULL, PRIMARY KEY (ca, host)) WITHOUT ROWID;"

    /* Stays when the CA goes: its certificates do, too. */
    "CREATE TABLE ca_number (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);"

    "CREATE TABLE certificate ("
    " id INTEGER PRIMARY KEY, revision INTEGER NOT NULL, key BLOB NOT NULL, tbs BLOB NOT NULL,"
    " ca INTEGER NOT NULL REFERENCES ca_number (number),"
    " status INTEGER NOT NULL, was_revoked INTEGER NOT NULL, source INTEGER NOT NULL,"
    " serial TEXT NOT NULL, common_name TEXT NOT NULL COLLATE NOCASE,"
    " unit TEXT NOT NULL COLLATE NOCASE, unit_hash INTEGER NOT NULL,"
    " client_id TEXT NOT NULL COLLATE NOCASE,"
    " not_before_s INTEGER NOT NULL, not_after_s INTEGER NOT NULL,"
    " created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,"
    " activated_ms INTEGER NOT NULL, deactivated_ms INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX certificate_key ON certificate (key);"
    "CREATE INDEX certificate_by_created ON certificate (created_ms, id, " BUNDLE ");"
    "CREATE INDEX certificate_by_updated ON certificate (revision, id, " BUNDLE ");"
    "CREATE INDEX certificate_by_serial ON certificate (serial, id, status);"
    "CREATE INDEX certificate_by_common_name ON certificate (common_name, id, " BUNDLE ");"
    "CREATE INDEX certificate_by_unit ON certificate (unit, id, " BUNDLE ");"
    "CREATE INDEX certificate_by_client_id ON certificate (client_id, id, " BUNDLE ");"
    "CREATE INDEX certificate_by_not_before ON certificate (not_before_s, id, status, source, ca,"
    " unit_hash, not_after_s);"
    "CREATE INDEX certificate_by_not_after ON certificate (not_after_s, id, status, source, ca,"
    " unit_hash, not_before_s);"
    "CREATE INDEX certificate_by_ca ON certificate (ca, status);"
    /* What is not ACTIVATED: few, in most fleets. */
    "CREATE INDEX certificate_by_odd_status ON certificate (status, not_after_s) WHERE status > 0;"

    "CREATE TABLE certificate_body ("
    " id INTEGER PRIMARY KEY REFERENCES certificate (id) ON DELETE CASCADE,"
    " subject TEXT NOT NULL, issuer TEXT NOT NULL, sha256 BLOB NOT NULL, der BLOB NOT NULL);"

    "CREATE TABLE change ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, who TEXT NOT NULL,"
    " action TEXT NOT NULL, ca TEXT NOT NULL, certificate_key BLOB, serial TEXT NOT NULL,"
    " subject TEXT NOT NULL, state_before TEXT NOT NULL, state_after TEXT NOT NULL);"
    "CREATE INDEX change_by_certificate ON change (certificate_key, id)"
    " WHERE certificate_key IS NOT NULL;"
    "CREATE INDEX change_by_ca ON change (ca, id) WHERE ca <> '';";

/* What was deleted is asked for by its serial; and what was imported by the time of its import, so
 * that one line tells of all that came with it. */
static const char second_step[] =
    "CREATE INDEX change_by_serial ON change (serial, id) WHERE serial <> '';"
    "CREATE INDEX change_by_import ON change (at_ms, id)"
    " WHERE action = '" CHANGE_OF_IMPORT "';";

static const char *const steps[] = {
    first_step,
    second_step,
};
// clang-format on

const struct schema sqlite_schema = {steps, sizeof steps / sizeof *steps};

static bool version_of(struct sqlite_ledger *l, int64_t *ret_version, int *ret_code)
{
    return sqlite_number(l, "PRAGMA user_version", ret_version, ret_code);
}

static int run_step(struct sqlite_ledger *l, const struct schema *schema, int number)
{
    char text[64];
    int64_t version = 0;
    int code = SQLITE_OK;
    if (!version_of(l, &version, &code) || version >= number) /* somebody was faster */
        return code;
    snprintf(text, sizeof text, "PRAGMA user_version = %d", number);
    code = sqlite_script(l, schema->steps[number - 1]);
    return code == SQLITE_OK ? sqlite_script(l, text) : code;
}

static enum store_outcome take_step(struct sqlite_ledger *l, const struct schema *schema,
                                    int number, struct error *err)
{
    int code = sqlite_script(l, "BEGIN IMMEDIATE");
    code = code == SQLITE_OK ? run_step(l, schema, number) : code;
    code = code == SQLITE_OK ? sqlite_script(l, "COMMIT") : code;
    if (code == SQLITE_OK)
        return STORE_DONE;
    enum store_outcome outcome = sqlite_fail(l, code, err);
    if (!sqlite3_get_autocommit(l->db))
        sqlite_script(l, "ROLLBACK");
    return outcome;
}

/* A table that is made anew must not take the rows with it that refer to it. */
static enum store_outcome take_steps(struct sqlite_ledger *l, const struct schema *schema,
                                     int64_t version, struct error *err)
{
    enum store_outcome outcome = STORE_DONE;
    sqlite_script(l, "PRAGMA foreign_keys = OFF");
    for (int number = (int)version + 1; outcome == STORE_DONE && number <= schema->version;
         number++)
        outcome = take_step(l, schema, number, err);
    sqlite_script(l, "PRAGMA foreign_keys = ON");
    return outcome;
}

/* WAL: who reads is not held up by who writes. It stays in the file. */
static enum store_outcome keep_log(struct sqlite_ledger *l, struct error *err)
{
    int code = sqlite_script(l, "PRAGMA journal_mode = WAL");
    return code == SQLITE_OK ? STORE_DONE : sqlite_fail(l, code, err);
}

enum store_outcome sqlite_schema_make(struct sqlite_ledger *l, const struct schema *schema,
                                      struct error *err)
{
    char text[64];
    snprintf(text, sizeof text, "PRAGMA application_id = %d", SCHEMA_APPLICATION_ID);
    int code = sqlite_script(l, "PRAGMA auto_vacuum = NONE");
    code = code == SQLITE_OK ? sqlite_script(l, text) : code;
    if (code != SQLITE_OK)
        return sqlite_fail(l, code, err);
    enum store_outcome outcome = take_steps(l, schema, 0, err);
    return outcome == STORE_DONE ? keep_log(l, err) : outcome;
}

static enum store_outcome check_owner(struct sqlite_ledger *l, const struct schema *schema,
                                      int64_t *ret_version, struct error *err)
{
    int64_t application = 0;
    int code = SQLITE_OK;
    if (!sqlite_number(l, "PRAGMA application_id", &application, &code) ||
        !version_of(l, ret_version, &code))
        return sqlite_fail(l, code, err);
    if (application != SCHEMA_APPLICATION_ID || *ret_version < 1)
        return sqlite_damaged(l, "it is a database of another program", err);
    if (*ret_version <= schema->version)
        return STORE_DONE;
    error_set(
        err,
        "the registry %s was made by a newer lb (schema %lld, this one knows %d); it was left "
        "as it is: use that lb, or a backup from before",
        l->path, (long long)*ret_version, schema->version);
    return STORE_NEWER;
}

static enum store_outcome bring_up(struct sqlite_ledger *l, const struct schema *schema,
                                   int64_t version, enum store_mode mode, struct error *err)
{
    if (version == schema->version)
        return STORE_DONE;
    if (mode == STORE_READ) {
        error_set(err,
                  "the registry %s was made by an older lb (schema %lld, this one needs %d): start "
                  "lb, which brings it up to date",
                  l->path, (long long)version, schema->version);
        return STORE_FAILED;
    }
    if (sqlite3_db_readonly(l->db, "main") == 1)
        return sqlite_fail(l, SQLITE_READONLY, err);
    return take_steps(l, schema, version, err);
}

/* Looking through all rows of a large fleet takes too long at each start; these tables are small,
 * and starting reads the largest one anyhow. */
static enum store_outcome check_quickly(struct sqlite_ledger *l, struct error *err)
{
    static const char *const checks[] = {"PRAGMA quick_check(meta)", "PRAGMA quick_check(ca)",
                                         "PRAGMA quick_check(ca_host)",
                                         "PRAGMA quick_check(ca_number)"};
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        char found[512] = "";
        struct call call = call_text_begin(l, checks[i]);
        if (call_row(&call))
            snprintf(found, sizeof found, "%s", call_get_text(&call, 0));
        enum store_outcome outcome = call_end(&call, err);
        if (outcome != STORE_DONE)
            return outcome;
        if (strcmp(found, "ok") != 0)
            return sqlite_damaged(l, found, err);
    }
    int64_t revision = 0;
    int code = SQLITE_OK;
    if (!sqlite_number(l, "SELECT revision FROM meta", &revision, &code))
        return sqlite_fail(l, code, err);
    return STORE_DONE;
}

enum store_outcome sqlite_schema_check(struct sqlite_ledger *l, const struct schema *schema,
                                       enum store_mode mode, struct error *err)
{
    int64_t version = 0;
    enum store_outcome outcome = check_owner(l, schema, &version, err);
    if (outcome == STORE_DONE)
        outcome = bring_up(l, schema, version, mode, err);
    if (outcome == STORE_DONE)
        outcome = check_quickly(l, err);
    /* A copy that was put back may have lost it. */
    if (outcome == STORE_DONE && mode != STORE_READ && sqlite3_db_readonly(l->db, "main") == 0)
        outcome = keep_log(l, err);
    return outcome;
}
