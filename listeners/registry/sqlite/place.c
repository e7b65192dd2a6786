/* SPDX-License-Identifier: Apache-2.0 */
/* See place.h. */
#include "listeners/registry/sqlite/place.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "listeners/registry/sqlite/ledger.h"
#include "listeners/registry/sqlite/schema.h"

/* --- looking ------------------------------------------------------------------------------- */

static bool has_beside(const char *path, const char *ending)
{
    struct stat status;
    char *beside = NULL;
    bool is_there = asprintf(&beside, "%s%s", path, ending) >= 0 && lstat(beside, &status) == 0;
    free(beside);
    return is_there;
}

static enum store_outcome missing(const char *path, struct error *err)
{
    if (errno != ENOENT) {
        error_set(err, "the registry %s cannot be reached: %s", path, strerror(errno));
        return STORE_FAILED;
    }
    if (has_beside(path, "-wal")) {
        error_set(err,
                  "the registry %s is gone, but its log %s-wal is still there: put the file back, "
                  "or move the log (and %s-shm) away and put a backup in its place",
                  path, path, path);
        return STORE_CORRUPT;
    }
    error_set(err, "there is no registry %s yet: the first change makes it", path);
    return STORE_MISSING;
}

enum store_outcome place_look(const char *path, struct error *err)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return missing(path, err);
    if (!S_ISREG(status.st_mode)) {
        error_set(err, "the registry %s is no file: say another store in [registry]", path);
        return STORE_FAILED;
    }
    if (status.st_mode & (S_IWGRP | S_IWOTH)) {
        error_set(err,
                  "the registry %s may be written by others (mode %04o), who could let themselves "
                  "in: chmod 600 %s",
                  path, (unsigned)(status.st_mode & 07777), path);
        return STORE_FAILED;
    }
    if (geteuid() != 0 && status.st_uid != 0 && status.st_uid != geteuid()) {
        error_set(
            err,
            "the registry %s belongs to another user (uid %u), who could let himself in: give "
            "it to the user lb runs as (chown)",
            path, (unsigned)status.st_uid);
        return STORE_FAILED;
    }
    /* A new one is never seen empty, and to begin anew would forget who was revoked. */
    if (status.st_size == 0) {
        error_set(err,
                  "the registry %s is empty: put a backup in its place, or remove it if it never "
                  "held anything",
                  path);
        return STORE_CORRUPT;
    }
    return STORE_DONE;
}

/* --- making -------------------------------------------------------------------------------- */

static enum store_outcome cannot_make(const char *path, struct error *err)
{
    int reason = errno;
    error_set(err, "the registry %s cannot be made: %s%s", path, strerror(reason),
              reason == ENOENT ? "; make the folder above it first" : "");
    switch (reason) {
    case ENOSPC:
    case EDQUOT:
        return STORE_FULL;
    case EROFS:
    case EACCES:
    case EPERM:
        return STORE_READ_ONLY;
    default:
        return STORE_FAILED;
    }
}

char *place_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return strdup(".");
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

bool place_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool is_synced = fd >= 0 && fsync(fd) == 0;
    int reason = errno;
    if (fd >= 0)
        close(fd);
    errno = reason;
    return is_synced;
}

/* What root makes belongs to whom the folder around it belongs to. */
static bool give(int fd, const char *around)
{
    struct stat status;
    return geteuid() != 0 ||
           (stat(around, &status) == 0 && fchown(fd, status.st_uid, status.st_gid) == 0);
}

static bool make_folder(const char *folder)
{
    if (mkdir(folder, 0700) != 0)
        return errno == EEXIST;
    char *above = place_folder(folder);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    bool is_made = above && fd >= 0 && give(fd, above) && place_sync(above);
    int reason = errno;
    if (fd >= 0)
        close(fd);
    free(above);
    errno = reason;
    return is_made;
}

/* A name beside it that nobody has, and an empty file of that name. NULL: errno. */
static char *make_beside(const char *path, const char *folder)
{
    unsigned number = 0;
    char *beside = NULL;
    if (RAND_bytes((unsigned char *)&number, sizeof number) != 1 ||
        asprintf(&beside, "%s.new-%08x", path, number) < 0) {
        errno = ENOMEM;
        return NULL;
    }
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    /* A umask may have taken too much. */
    bool is_made = fd >= 0 && fchmod(fd, 0600) == 0 && give(fd, folder);
    int reason = errno;
    if (fd >= 0)
        close(fd);
    if (is_made)
        return beside;
    if (fd >= 0)
        unlink(beside);
    free(beside);
    errno = reason;
    return NULL;
}

static enum store_outcome fill(const char *path, const char *beside, struct error *err)
{
    struct sqlite_ledger *l = calloc(1, sizeof *l);
    if (!l || !(l->path = strdup(path))) {
        free(l);
        error_set(err, "the registry %s cannot be made: out of memory", path);
        return STORE_FAILED;
    }
    enum store_outcome outcome = sqlite_connect(l, beside, err);
    if (outcome == STORE_DONE) {
        outcome = sqlite_schema_make(l, &sqlite_schema, err);
        /* All of it is to be in the file itself when it gets its name. */
        sqlite3_db_config(l->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    }
    sqlite_free(l);
    return outcome;
}

/* Its real name, unless that is taken. */
static bool publish(const char *beside, const char *path, const char *folder)
{
    /* At no moment has it two names, of which a kill would leave one behind. */
    int result = renameat2(AT_FDCWD, beside, AT_FDCWD, path, RENAME_NOREPLACE);
    if (result != 0 && (errno == EINVAL || errno == ENOSYS)) /* a disk that cannot do that */
        result = link(beside, path);
    return (result == 0 || errno == EEXIST) && place_sync(folder);
}

/* SQLite removes its log when it closes; after a failure it may still be there. */
static void clear_beside(const char *beside)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        char *name = NULL;
        if (asprintf(&name, "%s%s", beside, endings[i]) >= 0)
            unlink(name);
        free(name);
    }
}

static enum store_outcome make_in(const char *folder, const char *path, struct error *err)
{
    char *beside = make_folder(folder) ? make_beside(path, folder) : NULL;
    if (!beside)
        return cannot_make(path, err);
    enum store_outcome outcome = fill(path, beside, err);
    if (outcome == STORE_DONE && !(place_sync(beside) && publish(beside, path, folder)))
        outcome = cannot_make(path, err);
    clear_beside(beside);
    free(beside);
    return outcome;
}

enum store_outcome place_make(const char *path, struct error *err)
{
    char *folder = place_folder(path);
    if (!folder) {
        errno = ENOMEM;
        return cannot_make(path, err);
    }
    enum store_outcome outcome = make_in(folder, path, err);
    free(folder);
    return outcome;
}
