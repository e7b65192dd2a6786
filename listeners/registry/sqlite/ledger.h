/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ledger kept by SQLite: one connection with its statements, and its transaction.
 *
 * The file is never opened but by SQLite itself while a ledger may have it: to close any descriptor
 * of it would drop this process's locks on it. So the folder's files are looked at with stat only.
 */
#ifndef LB_LISTENERS_REGISTRY_SQLITE_LEDGER_H
#define LB_LISTENERS_REGISTRY_SQLITE_LEDGER_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "listeners/registry/sqlite/ca_numbers.h"
#include "listeners/registry/sqlite/statements.h"
#include "listeners/registry/store.h"

extern const struct store store_sqlite;

struct sqlite_ledger {
    struct ledger ledger; /* first: a pointer to it is one to this */
    sqlite3 *db;
    char *path;                                /* as people know it */
    dev_t device;                              /* of the file that is open … */
    ino_t inode;                               /* … or 0: none is open yet */
    sqlite3_stmt *statements[STATEMENT_COUNT]; /* prepared when first used */
    bool is_writing;                           /* between begin and commit */
    int64_t revision; /* of what this transaction puts; 0: it has put nothing yet */
    int64_t data_version;
    struct ca_numbers numbers;
};

/**
 * What a result code of SQLite means, and what to do, in words that name the file.
 *
 * code     an extended one, of l->db, just now
 * returns  never DONE, NOTHING or EXISTS
 */
enum store_outcome sqlite_fail(const struct sqlite_ledger *l, int code, struct error *err);
/** Something in it cannot be so: STORE_CORRUPT. */
enum store_outcome sqlite_damaged(const struct sqlite_ledger *l, const char *what,
                                  struct error *err);

/** A connection with its settings; nothing of the file was read yet. path: of the file to open,
 * l->path is the one to name. */
enum store_outcome sqlite_connect(struct sqlite_ledger *l, const char *path, struct error *err);
/** Keep in mind which file it is that is open under l->path. It was looked at just now, and whoever
 * puts another one there between is found out when something is to be written. */
void sqlite_note_file(struct sqlite_ledger *l);
/** Half-open ones and NULL are fine. */
void sqlite_free(struct sqlite_ledger *l);
/** Run fixed text; for settings and schemas. Returns the result code. */
int sqlite_script(struct sqlite_ledger *l, const char *text);
/** The first number that fixed text gives. false: *ret_code says why there is none. */
bool sqlite_number(struct sqlite_ledger *l, const char *text, int64_t *ret_number, int *ret_code);

/* As in struct store. */
enum store_outcome sqlite_begin(struct ledger *ledger, struct error *err);
enum store_outcome sqlite_commit(struct ledger *ledger, struct error *err);
void sqlite_rollback(struct ledger *ledger);
bool sqlite_has_news(struct ledger *ledger);

/** Asked before anything is put: is there a transaction, and has it its revision? */
enum store_outcome sqlite_mark(struct sqlite_ledger *l, struct error *err);

/** What several questions see between these is of one time. Inside of a transaction it is that one.
 * ret_is_mine: for the end. */
enum store_outcome sqlite_look(struct sqlite_ledger *l, bool *ret_is_mine, struct error *err);
void sqlite_look_end(struct sqlite_ledger *l, bool is_mine);

#endif
