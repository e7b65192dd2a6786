/* SPDX-License-Identifier: Apache-2.0 */
/* Written under a name of its own, synced and then given the real one, which fails if somebody was
 * faster, unless it is to take another's place. */
#include "lb/base/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEMPORARY_NAME_BYTES = 128, TEMPORARY_TRIES = 16 };

/** Open a file of a name that nobody has. -1: errno. */
static int open_temporary(const struct whole_file *file, char name[TEMPORARY_NAME_BYTES])
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

/* Root works for whoever has the folder. */
static bool give(const struct whole_file *file, int fd)
{
    struct stat folder;
    if (geteuid() != 0)
        return true;
    return fstat(file->folder, &folder) == 0 &&
           (folder.st_uid == 0 || fchown(fd, folder.st_uid, folder.st_gid) == 0);
}

static bool fill(const struct whole_file *file, int fd, const char *bytes, size_t count)
{
    for (size_t put = 0; put < count;) {
        ssize_t more = write(fd, bytes + put, count - put);
        if (more < 0 && errno != EINTR)
            return false;
        put += more > 0 ? (size_t)more : 0;
    }
    /* A umask may have taken too much. */
    return give(file, fd) && fchmod(fd, file->mode) == 0 && fsync(fd) == 0;
}

/** Give it its real name unless that is taken. */
static enum whole_file_outcome publish(const struct whole_file *file, const char *temporary)
{
    /* At no moment has it two names, of which a kill would leave one behind. */
    int result = renameat2(file->folder, temporary, file->folder, file->name, RENAME_NOREPLACE);
    if (result != 0 && (errno == EINVAL || errno == ENOSYS)) /* a disk that cannot do that */
        result = linkat(file->folder, temporary, file->folder, file->name, 0);
    bool exists = result != 0 && errno == EEXIST;
    /* Also when it is another's: who is told that it is there must find it after a crash. */
    if ((result != 0 && !exists) || fsync(file->folder) != 0)
        return WHOLE_FILE_FAILED;
    return exists ? WHOLE_FILE_EXISTS : WHOLE_FILE_MADE;
}

/** Give it its real name, and whatever has it goes. */
static enum whole_file_outcome supplant(const struct whole_file *file, const char *temporary)
{
    bool is_put = renameat(file->folder, temporary, file->folder, file->name) == 0 &&
                  fsync(file->folder) == 0;
    return is_put ? WHOLE_FILE_MADE : WHOLE_FILE_FAILED;
}

typedef enum whole_file_outcome (*name_step)(const struct whole_file *file, const char *temporary);

static enum whole_file_outcome make(const struct whole_file *file, const void *bytes, size_t count,
                                    name_step name)
{
    char temporary[TEMPORARY_NAME_BYTES];
    enum whole_file_outcome outcome = WHOLE_FILE_FAILED;
    int fd = open_temporary(file, temporary);
    if (fd < 0)
        return outcome;
    if (fill(file, fd, bytes, count))
        outcome = name(file, temporary);
    int reason = errno;
    unlinkat(file->folder, temporary, 0);
    close(fd);
    errno = reason;
    return outcome;
}

enum whole_file_outcome whole_file_make(const struct whole_file *file, const void *bytes,
                                        size_t count)
{
    return make(file, bytes, count, publish);
}

bool whole_file_replace(const struct whole_file *file, const void *bytes, size_t count)
{
    return make(file, bytes, count, supplant) == WHOLE_FILE_MADE;
}
