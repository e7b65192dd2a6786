/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See backup.h. The pages are copied in one step, under one look at the store: others write on, and
 * what they write is not in the copy.
 */
#include "listeners/registry/sqlite/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "listeners/registry/sqlite/ledger.h"
#include "listeners/registry/sqlite/place.h"

static enum store_outcome cannot(const char *path, int reason, struct error *err)
{
    error_set(err, "the backup %s cannot be written: %s", path, strerror(reason));
    switch (reason) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return STORE_FULL;
    case EROFS:
        return STORE_READ_ONLY;
    default:
        return STORE_FAILED;
    }
}

static enum store_outcome make(const char *path, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST) {
        error_set(err, "the backup %s is there already: say another name", path);
        return STORE_FAILED;
    }
    if (fd < 0)
        return cannot(path, errno, err);
    int reason = fchmod(fd, 0600) == 0 ? 0 : errno; /* a umask may have taken too much */
    close(fd);
    return reason == 0 ? STORE_DONE : cannot(path, reason, err);
}

/* What goes wrong with the copy is told of it, what goes wrong with the original of that. */
static enum store_outcome explain(struct sqlite_ledger *l, sqlite3 *copy, const char *path,
                                  int code, struct error *err)
{
    int reason = copy ? sqlite3_system_errno(copy) : ENOMEM;
    switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_BUSY:
        return sqlite_fail(l, code, err);
    case SQLITE_NOMEM:
        return cannot(path, ENOMEM, err);
    case SQLITE_FULL:
        return cannot(path, ENOSPC, err);
    default:
        return cannot(path, reason != 0 ? reason : EIO, err);
    }
}

static int copy_pages(struct sqlite_ledger *l, sqlite3 *copy)
{
    /* It is synced as a whole at the end, and removed if it does not come to that. */
    int code =
        sqlite3_exec(copy, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", NULL, NULL, NULL);
    sqlite3_backup *backup =
        code == SQLITE_OK ? sqlite3_backup_init(copy, "main", l->db, "main") : NULL;
    if (!backup)
        return sqlite3_extended_errcode(copy);
    code = sqlite3_backup_step(backup, -1);
    int end = sqlite3_backup_finish(backup);
    return code == SQLITE_DONE ? end : code;
}

static enum store_outcome fill(struct sqlite_ledger *l, const char *path, struct error *err)
{
    sqlite3 *copy = NULL;
    char *plain = NULL;
    if (asprintf(&plain, "%s%s", *path == '/' ? "" : "./", path) < 0)
        return cannot(path, ENOMEM, err);
    int code = sqlite3_open_v2(plain, &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    free(plain);
    code = code == SQLITE_OK ? copy_pages(l, copy) : code;
    enum store_outcome outcome = code == SQLITE_OK ? STORE_DONE : explain(l, copy, path, code, err);
    sqlite3_close(copy);
    return outcome;
}

static bool sync_all(const char *path)
{
    char *folder = place_folder(path);
    bool is_synced = folder && place_sync(path) && place_sync(folder);
    int reason = folder ? errno : ENOMEM;
    free(folder);
    errno = reason;
    return is_synced;
}

enum store_outcome sqlite_back_up(struct ledger *ledger, const char *path, struct error *err)
{
    enum store_outcome outcome = make(path, err);
    if (outcome != STORE_DONE)
        return outcome;
    outcome = fill((struct sqlite_ledger *)ledger, path, err);
    if (outcome == STORE_DONE && !sync_all(path))
        outcome = cannot(path, errno, err);
    if (outcome != STORE_DONE)
        unlink(path);
    return outcome;
}
