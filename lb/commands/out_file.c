/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/out_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A .p12 with an RSA key of 4096 bits and two certificates has some 7 KiB. */
enum { RESERVED_BYTES = 32 * 1024 };

bool out_file_open(struct out_file *file, const char *path, mode_t mode, struct error *err)
{
    *file = (struct out_file){0};
    if (!path)
        return true;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0 && errno == EEXIST)
        return error_set(err,
                         "%s is there already, and nothing is ever overwritten: name another "
                         "file, or move that one away",
                         path);
    if (fd < 0)
        return error_set(err, "%s cannot be made: %s", path, strerror(errno));
    *file = (struct out_file){.path = path, .fd = fd};
    int outcome = posix_fallocate(fd, 0, RESERVED_BYTES);
    if (outcome != ENOSPC && outcome != EDQUOT && outcome != EFBIG)
        return true; /* some file systems cannot reserve: then writing tells */
    out_file_done(file);
    return error_set(err, "%s cannot be written: %s", path, strerror(outcome));
}

static bool write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        bytes += written;
        length -= (size_t)written;
    }
    return true;
}

bool out_file_write(struct out_file *file, const void *bytes, size_t length, struct error *err)
{
    if (!file->path)
        return true;
    if (!write_all(file->fd, bytes, length) || ftruncate(file->fd, (off_t)length) != 0 ||
        fsync(file->fd) != 0)
        return error_set(err, "%s cannot be written: %s", file->path, strerror(errno));
    file->is_written = true;
    return true;
}

void out_file_done(struct out_file *file)
{
    if (!file->path)
        return;
    close(file->fd);
    if (!file->is_written)
        unlink(file->path);
    *file = (struct out_file){0};
}
