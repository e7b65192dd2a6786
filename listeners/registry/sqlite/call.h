/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run of a prepared statement.
 *
 *   struct call call = call_begin(l, STATEMENT_FOLLOW);
 *   call_int(&call, since);                      // parameters, from left to right
 *   while (call_row(&call) && visit(…call_text_at(&call, 0)…))
 *       ;
 *   return call_end(&call, err);                 // whatever went wrong on the way comes out here
 *
 * A file that somebody has tampered with may hold anything: what is no value of its kind is found
 * here.
 */
#ifndef LB_LISTENERS_REGISTRY_SQLITE_CALL_H
#define LB_LISTENERS_REGISTRY_SQLITE_CALL_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "listeners/registry/sqlite/statements.h"
#include "listeners/registry/store.h"

struct sqlite_ledger;

struct call {
    struct sqlite_ledger *l;
    sqlite3_stmt *stmt; /* NULL: it could not be prepared */
    int bound;
    int code; /* the last result; of the first mistake, if there was one */
    bool is_damaged;
    bool is_kept; /* the ledger's; else finalized at the end */
};

/** A visitor that calls its own ledger must not need the statement that visits it. */
struct call call_begin(struct sqlite_ledger *l, enum statement statement);
/** One of other text, prepared for this run only. */
struct call call_text_begin(struct sqlite_ledger *l, const char *text);

/* Parameters. Bytes and texts are lent until call_end. */

void call_int(struct call *call, int64_t value);
void call_text(struct call *call, const char *value);
void call_bytes(struct call *call, const void *bytes, size_t count);
/** NULL. */
void call_nothing(struct call *call);
/** ?number, for texts that name their parameters by number. */
void call_int_at(struct call *call, int number, int64_t value);
void call_text_at(struct call *call, int number, const char *value);
void call_bytes_at(struct call *call, int number, const void *bytes, size_t count);

/** The next row. false: no more, or it failed. */
bool call_row(struct call *call);

/* Columns, from 0. Lent until the next row. */

bool call_is_nothing(struct call *call, int column);
int64_t call_get_int(struct call *call, int column);
/** From 0 up to, and not with, `count`. */
int call_get_enum(struct call *call, int column, int count);
const char *call_get_text(struct call *call, int column);
/** Not longer than `room` - 1. */
void call_copy_text(struct call *call, int column, char *into, size_t room);
const unsigned char *call_get_bytes(struct call *call, int column, size_t *ret_count);
/** Exactly so many. */
void call_copy_bytes(struct call *call, int column, void *into, size_t count);

/** Run to the end; the result code: SQLITE_DONE, or why not. The call is over. */
int call_run(struct call *call);
/** The call is over. DONE also if there were rows left. */
enum store_outcome call_end(struct call *call, struct error *err);

#endif
