/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry in one file of SQLite. Its parts are in listeners/registry/sqlite/:
 *
 *   place ─ the file    schema ─ its tables    ledger ─ a connection and its transaction
 *   call, statements ─ running what is prepared
 *   certificates, cas, changes ─ rows    find, search, cursor ─ lists    backup
 */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "listeners/registry/sqlite/backup.h"
#include "listeners/registry/sqlite/cas.h"
#include "listeners/registry/sqlite/certificates.h"
#include "listeners/registry/sqlite/changes.h"
#include "listeners/registry/sqlite/find.h"
#include "listeners/registry/sqlite/ledger.h"
#include "listeners/registry/sqlite/place.h"
#include "listeners/registry/sqlite/schema.h"
#include "listeners/registry/store.h"

static enum store_outcome look_or_make(const char *place, enum store_mode mode, struct error *err)
{
    enum store_outcome outcome = place_look(place, err);
    if (outcome != STORE_MISSING || mode != STORE_MAKE)
        return outcome;
    outcome = place_make(place, err);
    return outcome == STORE_DONE ? place_look(place, err) : outcome;
}

static enum store_outcome settle(struct sqlite_ledger *l, enum store_mode mode, struct error *err)
{
    enum store_outcome outcome = sqlite_connect(l, l->path, err);
    if (outcome == STORE_DONE)
        outcome = sqlite_schema_check(l, &sqlite_schema, mode, err);
    if (outcome != STORE_DONE)
        return outcome;
    sqlite_note_file(l);
    sqlite3_db_config(l->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    int code = SQLITE_OK;
    if (mode == STORE_READ)
        code = sqlite_script(l, "PRAGMA query_only = ON; PRAGMA cache_size = -4096");
    if (code != SQLITE_OK)
        return sqlite_fail(l, code, err);
    sqlite_has_news(&l->ledger);
    return STORE_DONE;
}

static enum store_outcome open_ledger(struct ledger **ret_ledger, const char *place,
                                      enum store_mode mode, struct error *err)
{
    enum store_outcome outcome = look_or_make(place, mode, err);
    if (outcome != STORE_DONE)
        return outcome;
    struct sqlite_ledger *l = calloc(1, sizeof *l);
    if (!l || !(l->path = strdup(place))) {
        sqlite_free(l);
        error_set(err, "the registry %s cannot be opened: out of memory", place);
        return STORE_FAILED;
    }
    l->ledger.store = &store_sqlite;
    outcome = settle(l, mode, err);
    if (outcome == STORE_DONE)
        *ret_ledger = &l->ledger;
    else
        sqlite_free(l);
    return outcome;
}

static void close_ledger(struct ledger *ledger)
{
    sqlite_free((struct sqlite_ledger *)ledger);
}

const struct store store_sqlite = {
    .name = "sqlite",
    .summary = "one file, which several processes of this machine may have open",
    .open = open_ledger,
    .close = close_ledger,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .put_ca = sqlite_put_ca,
    .drop_ca = sqlite_drop_ca,
    .each_ca = sqlite_each_ca,
    .add_certificate = sqlite_add_certificate,
    .put_certificate = sqlite_put_certificate,
    .get_certificate = sqlite_get_certificate,
    .find_certificates = sqlite_find_certificates,
    .count_certificates = sqlite_count_certificates,
    .count_since = sqlite_count_since,
    .drop_tombstones = sqlite_drop_tombstones,
    .follow = sqlite_follow,
    .has_news = sqlite_has_news,
    .add_change = sqlite_add_change,
    .find_changes = sqlite_find_changes,
    .back_up = sqlite_back_up,
};
