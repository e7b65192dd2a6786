/* SPDX-License-Identifier: Apache-2.0 */
/* See ledger.h. */
#include "listeners/registry/sqlite/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lb/base/limits.h"
#include "listeners/registry/sqlite/call.h"
#include "listeners/registry/sqlite/place.h"

/* --- what went wrong ----------------------------------------------------------------------- */

static enum store_outcome full(const struct sqlite_ledger *l, struct error *err)
{
    error_set(err,
              "the registry %s cannot be written: there is no room left on its disk; nothing was "
              "changed: make room there and try again",
              l->path);
    return STORE_FULL;
}

static enum store_outcome read_only(const struct sqlite_ledger *l, struct error *err)
{
    error_set(err,
              "the registry %s may only be read: its file, folder or disk is read-only for the "
              "user lb runs as; nothing was changed",
              l->path);
    return STORE_READ_ONLY;
}

static enum store_outcome moved(const struct sqlite_ledger *l, struct error *err)
{
    error_set(err,
              "the registry %s was moved or replaced while it was open; nothing was changed: put "
              "it back, or start lb anew",
              l->path);
    return STORE_FAILED;
}

static enum store_outcome busy(const struct sqlite_ledger *l, struct error *err)
{
    error_set(err,
              "the registry %s is kept busy: somebody else has been writing to it for more than "
              "%d seconds; nothing was changed: try again",
              l->path, STORE_PATIENCE_MS / 1000);
    return STORE_BUSY;
}

/* Long enough for what people can use; the path and what to do must fit beside it. */
enum { FINDING_BYTES = 128 };

/* What SQLite finds has a line for each finding: all in one, and of what is too long whole words.
 */
static const char *one_line(const char *what, char into[FINDING_BYTES])
{
    static const char dots[] = " …";
    size_t used = 0, whole = 0;
    while (*what) {
        size_t blanks = strspn(what, " \t\r\n");
        bool is_break = memchr(what, '\n', blanks) != NULL;
        what += blanks;
        size_t length = strcspn(what, " \t\r\n");
        const char *between = used == 0 || length == 0 ? "" : is_break ? "; " : " ";
        if (used + strlen(between) + length + sizeof dots > FINDING_BYTES)
            break;
        used += (size_t)snprintf(into + used, FINDING_BYTES - used, "%s%.*s", between, (int)length,
                                 what);
        what += length;
        whole = used;
    }
    snprintf(into + whole, FINDING_BYTES - whole, "%s", *what ? dots : "");
    return into;
}

enum store_outcome sqlite_damaged(const struct sqlite_ledger *l, const char *what,
                                  struct error *err)
{
    char said[FINDING_BYTES];
    error_set(err,
              "the registry %s is damaged or none of lb's (%s); it was left as it is: stop lb, "
              "move it away with its -wal and -shm, and put a backup in its place",
              l->path, one_line(what, said));
    return STORE_CORRUPT;
}

static enum store_outcome failed(const struct sqlite_ledger *l, const char *what, struct error *err)
{
    error_set(err, "the registry %s cannot be used: %s", l->path, what);
    return STORE_FAILED;
}

/* The system's reason, which SQLite keeps with the connection, or only with the file it failed on.
 */
static int reason_of(sqlite3 *db)
{
    int reason = sqlite3_system_errno(db);
    sqlite3_file *log = NULL;
    if (reason == 0 && db)
        sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (reason == 0 && log && log->pMethods)
        log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &reason);
    if (reason == 0 && db)
        sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO, &reason);
    return reason;
}

/* There are its log and its index to be made beside it. */
static bool is_held_fast(const char *path)
{
    char *folder = place_folder(path);
    bool is_held = folder && faccessat(AT_FDCWD, folder, W_OK, AT_EACCESS) != 0 &&
                   (errno == EROFS || errno == EACCES);
    free(folder);
    return is_held;
}

/* SQLite tells a disk that is full as such in some calls, and as a failed one in others. */
static enum store_outcome disk_failed(const struct sqlite_ledger *l, int code, struct error *err)
{
    int reason = reason_of(l->db);
    char what[128];
    if (code == SQLITE_IOERR_NOMEM)
        return failed(l, "out of memory", err);
    if (reason == ENOSPC || reason == EDQUOT || reason == EFBIG)
        return full(l, err);
    if (reason == EROFS)
        return read_only(l, err);
    if ((code & 0xff) == SQLITE_CANTOPEN && is_held_fast(l->path)) {
        error_set(err,
                  "the registry %s cannot be opened: its folder or disk is read-only for the user "
                  "lb runs as, and even who only reads keeps a log beside it",
                  l->path);
        return STORE_READ_ONLY;
    }
    snprintf(what, sizeof what, "%s (%s)", sqlite3_errstr(code),
             reason != 0 ? strerror(reason) : "no reason was given");
    return failed(l, what, err);
}

enum store_outcome sqlite_fail(const struct sqlite_ledger *l, int code, struct error *err)
{
    switch (code & 0xff) {
    case SQLITE_FULL:
        return full(l, err);
    case SQLITE_READONLY:
        return read_only(l, err);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
        return busy(l, err);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return sqlite_damaged(l, sqlite3_errstr(code), err);
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return disk_failed(l, code, err);
    default:
        return failed(l, l->db ? sqlite3_errmsg(l->db) : sqlite3_errstr(code), err);
    }
}

/* --- the connection ------------------------------------------------------------------------ */

int sqlite_script(struct sqlite_ledger *l, const char *text)
{
    return sqlite3_exec(l->db, text, NULL, NULL, NULL);
}

bool sqlite_number(struct sqlite_ledger *l, const char *text, int64_t *ret_number, int *ret_code)
{
    struct call call = call_text_begin(l, text);
    bool is_there = call_row(&call);
    int64_t number = is_there ? sqlite3_column_int64(call.stmt, 0) : 0;
    int code = is_there ? SQLITE_OK : call.code;
    call_end(&call, NULL);
    *ret_code = code == SQLITE_DONE ? SQLITE_CORRUPT : code;
    if (is_there)
        *ret_number = number;
    return is_there;
}

/* Nothing that a file holds may make SQLite do more than keep our rows. */
static void restrain(sqlite3 *db)
{
    static const int off[] = {SQLITE_DBCONFIG_TRUSTED_SCHEMA, SQLITE_DBCONFIG_ENABLE_TRIGGER,
                              SQLITE_DBCONFIG_ENABLE_VIEW, SQLITE_DBCONFIG_DQS_DDL,
                              SQLITE_DBCONFIG_DQS_DML};
    for (size_t i = 0; i < sizeof off / sizeof *off; i++)
        sqlite3_db_config(db, off[i], 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, STORE_ROW_BYTES);
    sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, STORE_QUESTION_BYTES);
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(db, SQLITE_LIMIT_TRIGGER_DEPTH, 4); /* rows that go with another row */
    sqlite3_limit(db, SQLITE_LIMIT_WORKER_THREADS, 0);
}

/* FULL: what was committed survives that the power goes. The log is cut back after a large import.
 */
static const char settings[] =
    "PRAGMA synchronous = FULL;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA cell_size_check = ON;"
    "PRAGMA secure_delete = OFF;" /* there is no secret in it */
    "PRAGMA cache_size = -4096;"  /* KiB for each ledger; imports gained nothing from more */
    "PRAGMA journal_size_limit = 67108864;";

/* SQLite's own waits grow to 100 ms: who asks so seldom may miss every pause that somebody makes
 * who writes one transaction after the other. */
static int on_busy(void *arg, int tries)
{
    enum { PAUSE_MS = 5 };
    (void)arg;
    if (tries >= STORE_PATIENCE_MS / PAUSE_MS)
        return 0;
    sqlite3_sleep(PAUSE_MS);
    return 1;
}

enum store_outcome sqlite_connect(struct sqlite_ledger *l, const char *path, struct error *err)
{
    /* "file:" at the beginning would be a URI, ":memory:" no file. */
    char *plain = NULL;
    if (asprintf(&plain, "%s%s", *path == '/' ? "" : "./", path) < 0)
        return failed(l, "out of memory", err);
    int code = sqlite3_open_v2(plain, &l->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    free(plain);
    if (code != SQLITE_OK)
        return sqlite_fail(l, l->db ? sqlite3_extended_errcode(l->db) : SQLITE_NOMEM, err);
    sqlite3_extended_result_codes(l->db, 1);
    sqlite3_busy_handler(l->db, on_busy, NULL);
    /* Until it is known to be ours, closing it must not write to it. */
    sqlite3_db_config(l->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    restrain(l->db);
    code = sqlite_script(l, settings);
    return code == SQLITE_OK ? STORE_DONE : sqlite_fail(l, code, err);
}

void sqlite_note_file(struct sqlite_ledger *l)
{
    struct stat status;
    if (stat(l->path, &status) != 0)
        return;
    l->device = status.st_dev;
    l->inode = status.st_ino;
}

/* With its log beside it, SQLite would go on with a file that nobody finds any more, and what was
 * revoked there would pass again when lb is started anew. */
static bool was_moved(const struct sqlite_ledger *l)
{
    struct stat status;
    return stat(l->path, &status) != 0 || status.st_dev != l->device || status.st_ino != l->inode;
}

void sqlite_free(struct sqlite_ledger *l)
{
    if (!l)
        return;
    for (int i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(l->statements[i]);
    sqlite3_close(l->db);
    free(l->numbers.items);
    free(l->path);
    free(l);
}

/* --- transactions -------------------------------------------------------------------------- */

static int run(struct sqlite_ledger *l, enum statement statement)
{
    struct call call = call_begin(l, statement);
    return call_run(&call);
}

static void over(struct sqlite_ledger *l, bool is_kept)
{
    l->is_writing = false;
    l->revision = 0;
    if (!is_kept)
        ca_numbers_forget(&l->numbers);
}

enum store_outcome sqlite_begin(struct ledger *ledger, struct error *err)
{
    struct sqlite_ledger *l = (struct sqlite_ledger *)ledger;
    int has_moved = 0;
    sqlite3_file_control(l->db, "main", SQLITE_FCNTL_HAS_MOVED, &has_moved);
    if (has_moved) /* what is written now would be gone with it */
        return moved(l, err);
    /* SQLite would let one begin, and fail only later. */
    if (sqlite3_db_readonly(l->db, "main") == 1)
        return read_only(l, err);
    int code = run(l, STATEMENT_BEGIN);
    if (code != SQLITE_DONE)
        return sqlite_fail(l, code, err);
    l->is_writing = true;
    if (!was_moved(l))
        return STORE_DONE;
    sqlite_rollback(ledger);
    return moved(l, err);
}

enum store_outcome sqlite_commit(struct ledger *ledger, struct error *err)
{
    struct sqlite_ledger *l = (struct sqlite_ledger *)ledger;
    /* A disk that was full has ended it before, and nothing of it is there. */
    if (!l->is_writing || sqlite3_get_autocommit(l->db)) {
        over(l, false);
        return failed(l, "there is no transaction to commit: what failed before has undone it",
                      err);
    }
    int code = run(l, STATEMENT_COMMIT);
    if (code == SQLITE_DONE) {
        over(l, true);
        return STORE_DONE;
    }
    enum store_outcome outcome = sqlite_fail(l, code, err);
    sqlite_rollback(ledger);
    return outcome;
}

void sqlite_rollback(struct ledger *ledger)
{
    struct sqlite_ledger *l = (struct sqlite_ledger *)ledger;
    if (!sqlite3_get_autocommit(l->db))
        run(l, STATEMENT_ROLLBACK);
    over(l, false);
}

enum store_outcome sqlite_mark(struct sqlite_ledger *l, struct error *err)
{
    int code = SQLITE_OK;
    if (!l->is_writing || sqlite3_get_autocommit(l->db))
        return failed(l, "nothing is changed outside of a transaction", err);
    if (l->revision > 0)
        return STORE_DONE;
    code = run(l, STATEMENT_NEXT_REVISION);
    if (code != SQLITE_DONE)
        return sqlite_fail(l, code, err);
    if (!sqlite_number(l, statement_text(STATEMENT_REVISION), &l->revision, &code))
        return sqlite_fail(l, code, err);
    return STORE_DONE;
}

enum store_outcome sqlite_look(struct sqlite_ledger *l, bool *ret_is_mine, struct error *err)
{
    *ret_is_mine = sqlite3_get_autocommit(l->db) != 0;
    if (!*ret_is_mine)
        return STORE_DONE;
    int code = run(l, STATEMENT_LOOK);
    return code == SQLITE_DONE ? STORE_DONE : sqlite_fail(l, code, err);
}

void sqlite_look_end(struct sqlite_ledger *l, bool is_mine)
{
    if (is_mine && !sqlite3_get_autocommit(l->db))
        run(l, STATEMENT_ROLLBACK);
}

bool sqlite_has_news(struct ledger *ledger)
{
    struct sqlite_ledger *l = (struct sqlite_ledger *)ledger;
    struct call call = call_begin(l, STATEMENT_DATA_VERSION);
    int64_t version = call_row(&call) ? call_get_int(&call, 0) : -1;
    /* Who cannot be told whether there are news is to find out why. */
    bool is_known = call_end(&call, NULL) == STORE_DONE && version == l->data_version;
    l->data_version = version;
    return !is_known;
}
