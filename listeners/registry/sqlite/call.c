/* SPDX-License-Identifier: Apache-2.0 */
/* See call.h. */
#include "listeners/registry/sqlite/call.h"

#include <string.h>

#include "listeners/registry/sqlite/ledger.h"

static sqlite3_stmt *prepare(struct sqlite_ledger *l, const char *text, unsigned flags)
{
    sqlite3_stmt *stmt = NULL;
    sqlite3_prepare_v3(l->db, text, -1, flags, &stmt, NULL);
    return stmt;
}

static struct call begin(struct sqlite_ledger *l, sqlite3_stmt *stmt, bool is_kept)
{
    return (struct call){.l = l,
                         .stmt = stmt,
                         .code = stmt ? SQLITE_OK : sqlite3_extended_errcode(l->db),
                         .is_kept = is_kept};
}

struct call call_begin(struct sqlite_ledger *l, enum statement statement)
{
    sqlite3_stmt **kept = &l->statements[statement];
    if (!*kept)
        *kept = prepare(l, statement_text(statement), SQLITE_PREPARE_PERSISTENT);
    return begin(l, *kept, true);
}

struct call call_text_begin(struct sqlite_ledger *l, const char *text)
{
    return begin(l, prepare(l, text, 0), false);
}

/* --- parameters ---------------------------------------------------------------------------- */

static void keep(struct call *call, int code)
{
    if (call->code == SQLITE_OK)
        call->code = code;
}

void call_int(struct call *call, int64_t value)
{
    keep(call, sqlite3_bind_int64(call->stmt, ++call->bound, value));
}

void call_text(struct call *call, const char *value)
{
    keep(call, sqlite3_bind_text(call->stmt, ++call->bound, value, -1, SQLITE_STATIC));
}

void call_bytes(struct call *call, const void *bytes, size_t count)
{
    call_bytes_at(call, ++call->bound, bytes, count);
}

void call_nothing(struct call *call)
{
    keep(call, sqlite3_bind_null(call->stmt, ++call->bound));
}

void call_int_at(struct call *call, int number, int64_t value)
{
    keep(call, sqlite3_bind_int64(call->stmt, number, value));
}

void call_text_at(struct call *call, int number, const char *value)
{
    keep(call, sqlite3_bind_text(call->stmt, number, value, -1, SQLITE_STATIC));
}

void call_bytes_at(struct call *call, int number, const void *bytes, size_t count)
{
    /* No bytes are a value too, and not NULL. */
    keep(call,
         sqlite3_bind_blob64(call->stmt, number, count > 0 ? bytes : "", count, SQLITE_STATIC));
}

/* --- rows ---------------------------------------------------------------------------------- */

bool call_row(struct call *call)
{
    if (call->is_damaged || (call->code != SQLITE_OK && call->code != SQLITE_ROW))
        return false;
    call->code = sqlite3_step(call->stmt);
    return call->code == SQLITE_ROW;
}

bool call_is_nothing(struct call *call, int column)
{
    return sqlite3_column_type(call->stmt, column) == SQLITE_NULL;
}

int64_t call_get_int(struct call *call, int column)
{
    if (sqlite3_column_type(call->stmt, column) != SQLITE_INTEGER)
        call->is_damaged = true;
    return sqlite3_column_int64(call->stmt, column);
}

int call_get_enum(struct call *call, int column, int count)
{
    int64_t value = call_get_int(call, column);
    if (value >= 0 && value < count)
        return (int)value;
    call->is_damaged = true;
    return 0;
}

const char *call_get_text(struct call *call, int column)
{
    const char *text = NULL;
    if (sqlite3_column_type(call->stmt, column) == SQLITE_TEXT)
        text = (const char *)sqlite3_column_text(call->stmt, column);
    if (text)
        return text;
    call->is_damaged = true;
    return "";
}

void call_copy_text(struct call *call, int column, char *into, size_t room)
{
    const char *text = call_get_text(call, column);
    size_t length = strlen(text);
    if (length >= room) {
        call->is_damaged = true;
        length = 0;
    }
    memcpy(into, text, length);
    into[length] = '\0';
}

const unsigned char *call_get_bytes(struct call *call, int column, size_t *ret_count)
{
    if (sqlite3_column_type(call->stmt, column) != SQLITE_BLOB)
        call->is_damaged = true;
    const unsigned char *bytes = sqlite3_column_blob(call->stmt, column);
    *ret_count = bytes ? (size_t)sqlite3_column_bytes(call->stmt, column) : 0;
    return bytes ? bytes : (const unsigned char *)"";
}

void call_copy_bytes(struct call *call, int column, void *into, size_t count)
{
    size_t found = 0;
    const unsigned char *bytes = call_get_bytes(call, column, &found);
    if (found == count)
        memcpy(into, bytes, count);
    else
        call->is_damaged = true;
}

/* --- the end ------------------------------------------------------------------------------- */

static void over(struct call *call)
{
    if (!call->is_kept)
        sqlite3_finalize(call->stmt);
    else if (call->stmt) {
        sqlite3_reset(call->stmt);
        sqlite3_clear_bindings(call->stmt);
    }
    call->stmt = NULL;
}

int call_run(struct call *call)
{
    while (call_row(call))
        ;
    over(call);
    return call->code;
}

enum store_outcome call_end(struct call *call, struct error *err)
{
    int code = call->code;
    enum store_outcome outcome = STORE_DONE;
    if (code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE)
        outcome = sqlite_fail(call->l, code, err);
    else if (call->is_damaged && sqlite3_errcode(call->l->db) == SQLITE_NOMEM)
        outcome = sqlite_fail(call->l, SQLITE_NOMEM, err);
    else if (call->is_damaged)
        outcome = sqlite_damaged(call->l, "a row of it holds what it cannot hold", err);
    over(call);
    return outcome;
}
