/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A new secret is written under a name of its own, synced and then linked to the real one, which
 * fails if somebody was faster: then theirs is read. A half-written file is never seen.
 */
#include "lb/secret_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lb/base/error.h"

enum { TEMPORARY_NAME_BYTES = 128, TEMPORARY_TRIES = 16 };

/* Is it where it should be? */
enum found { FOUND, FOUND_NONE, FOUND_BAD };

static bool fail(const struct secret_file *file, struct error *err, const char *what)
{
    return error_set(err, "%s/%s %s: %s", file->path, file->name, what, strerror(errno));
}

/* --- reading ------------------------------------------------------------------------------- */

static bool is_private(const struct secret_file *file, const struct stat *status, struct error *err)
{
    const char *path = file->path, *name = file->name;
    if (!S_ISREG(status->st_mode))
        return error_set(err, "%s/%s is no file: remove it, and lb makes a new one", path, name);
    if (status->st_uid != 0 && status->st_uid != geteuid())
        return error_set(err,
                         "%s/%s belongs to another user (uid %u), who knows the secret: remove "
                         "it, and lb makes a new one",
                         path, name, (unsigned)status->st_uid);
    if (status->st_mode & (S_IRWXG | S_IRWXO))
        return error_set(err,
                         "%s/%s may be read or written by others (mode %04o): chmod 600 %s/%s; if "
                         "somebody did read it, remove it, and lb makes a new one",
                         path, name, (unsigned)(status->st_mode & 07777), path, name);
    return true;
}

static bool read_secret(const struct secret_file *file, int fd, unsigned char *secret,
                        size_t length, struct error *err)
{
    unsigned char bytes[SECRET_BYTES_MOST + 1]; /* one more shows that there is more */
    size_t got = 0;
    ssize_t more = 0;
    while (got < sizeof bytes && (more = read(fd, bytes + got, sizeof bytes - got)) > 0)
        got += (size_t)more;
    bool fine = more >= 0 && got == length;
    if (fine)
        memcpy(secret, bytes, length);
    OPENSSL_cleanse(bytes, sizeof bytes);
    if (more < 0)
        return fail(file, err, "cannot be read");
    return fine || error_set(err,
                             "%s/%s is damaged: it has not exactly %zu bytes; put back a copy, or "
                             "remove it, and lb makes a new one",
                             file->path, file->name, length);
}

/* Why it cannot be opened: errno. */
static void explain(const struct secret_file *file, struct error *err)
{
    if (errno == ELOOP)
        error_set(err, "%s/%s is a symbolic link: put the file itself there", file->path,
                  file->name);
    else if (errno == EACCES)
        error_set(err, "%s/%s cannot be read by uid %u: give it to the user lb runs as (chown)",
                  file->path, file->name, (unsigned)geteuid());
    else
        fail(file, err, "cannot be opened");
}

static enum found find(const struct secret_file *file, unsigned char *secret, size_t length,
                       struct error *err)
{
    struct stat status;
    /* Not waiting: whatever lies there may be a pipe. */
    int fd = openat(file->folder, file->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return FOUND_NONE;
    if (fd < 0) {
        explain(file, err);
        return FOUND_BAD;
    }
    bool fine = fstat(fd, &status) == 0 || fail(file, err, "cannot be read");
    fine = fine && is_private(file, &status, err) && read_secret(file, fd, secret, length, err);
    close(fd);
    return fine ? FOUND : FOUND_BAD;
}

/* --- making -------------------------------------------------------------------------------- */

/** Open a file of a name that nobody has. -1: errno. */
static int open_temporary(const struct secret_file *file, char name[TEMPORARY_NAME_BYTES])
{
    int fd = -1;
    for (unsigned i = 0; fd < 0 && i < TEMPORARY_TRIES; i++) {
        unsigned number = 0;
        if (RAND_bytes((unsigned char *)&number, sizeof number) != 1) {
            errno = EIO;
            return -1;
        }
        snprintf(name, TEMPORARY_NAME_BYTES, ".%.64s.%08x", file->name, number);
        fd = openat(file->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0 && errno != EEXIST)
            return -1;
    }
    return fd;
}

static bool write_secret(int fd, const unsigned char *secret, size_t length)
{
    for (size_t put = 0; put < length;) {
        ssize_t more = write(fd, secret + put, length - put);
        if (more < 0)
            return false;
        put += (size_t)more;
    }
    /* A umask may have taken too much. */
    return fchmod(fd, 0600) == 0 && fsync(fd) == 0;
}

/** Give it its real name unless that is taken, which is as good. */
static bool publish(const struct secret_file *file, const char *temporary)
{
    int result = linkat(file->folder, temporary, file->folder, file->name, 0);
    if (result != 0 && (errno == EPERM || errno == EOPNOTSUPP)) /* a disk without hard links */
        result = renameat2(file->folder, temporary, file->folder, file->name, RENAME_NOREPLACE);
    return (result == 0 || errno == EEXIST) && fsync(file->folder) == 0;
}

static bool make(const struct secret_file *file, size_t length, struct error *err)
{
    unsigned char secret[SECRET_BYTES_MOST];
    char temporary[TEMPORARY_NAME_BYTES];
    if (RAND_priv_bytes(secret, (int)length) != 1)
        return error_set(err, "%s/%s cannot be made: the system gives no random bytes", file->path,
                         file->name);
    int fd = open_temporary(file, temporary);
    bool made = fd >= 0 && write_secret(fd, secret, length) && publish(file, temporary);
    OPENSSL_cleanse(secret, sizeof secret);
    if (!made)
        fail(file, err, "cannot be made");
    if (fd >= 0) {
        unlinkat(file->folder, temporary, 0);
        close(fd);
    }
    return made;
}

bool secret_file_keep(const struct secret_file *file, unsigned char *secret, size_t length,
                      struct error *err)
{
    assert(length <= SECRET_BYTES_MOST);
    enum found found = find(file, secret, length, err);
    if (found != FOUND_NONE)
        return found == FOUND;
    if (!make(file, length, err))
        return false;
    /* What is there now is what the next run reads, whoever made it. */
    found = find(file, secret, length, err);
    return found == FOUND ||
           (found == FOUND_NONE && error_set(err, "%s/%s was removed while it was made: try again",
                                             file->path, file->name));
}

bool secret_file_look(const struct secret_file *file, size_t length, struct error *err)
{
    unsigned char secret[SECRET_BYTES_MOST];
    assert(length <= sizeof secret);
    enum found found = find(file, secret, length, err);
    OPENSSL_cleanse(secret, sizeof secret);
    return found != FOUND_BAD;
}
