/* SPDX-License-Identifier: Apache-2.0 */
/* See passphrase.h. A group may read it: that is how some deployments hand secrets to a service. */
#include "listeners/registry/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_private(int fd, const char *path, struct error *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return error_set(err, "the passphrase file %s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return error_set(err, "the passphrase file %s is no file", path);
    if (status.st_mode & (S_IWGRP | S_IRWXO))
        return error_set(err,
                         "the passphrase file %s may be read or written by others (mode %04o): "
                         "chmod g-w,o= %s; if somebody did read it, change the passphrase",
                         path, (unsigned)(status.st_mode & 07777), path);
    return true;
}

/* Room for one byte more than is allowed, and its line's end. */
static bool read_line(int fd, const char *path, struct passphrase *passphrase, struct error *err)
{
    char bytes[PASSPHRASE_BYTES + 2];
    size_t got = 0;
    ssize_t more = 0;
    while (got < sizeof bytes && (more = read(fd, bytes + got, sizeof bytes - got)) > 0)
        got += (size_t)more;
    const char *end = memchr(bytes, '\n', got);
    size_t length = end ? (size_t)(end - bytes) : got;
    if (length > 0 && bytes[length - 1] == '\r')
        length--;
    bool fits = length <= PASSPHRASE_BYTES;
    if (more >= 0 && fits)
        memcpy(passphrase->bytes, bytes, length);
    passphrase->length = length;
    OPENSSL_cleanse(bytes, sizeof bytes);
    if (more < 0)
        return error_set(err, "the passphrase file %s cannot be read: %s", path, strerror(errno));
    if (!fits)
        return error_set(err, "the passphrase file %s: its first line is longer than %d bytes",
                         path, PASSPHRASE_BYTES);
    return length > 0 || error_set(err,
                                   "the passphrase file %s: its first line is empty; it has to be "
                                   "the passphrase",
                                   path);
}

bool passphrase_read(const char *path, struct passphrase *passphrase, struct error *err)
{
    *passphrase = (struct passphrase){.length = 0};
    /* Not waiting: whatever lies there may be a pipe. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_set(err, "the passphrase file %s cannot be opened: %s", path, strerror(errno));
    bool fine = is_private(fd, path, err) && read_line(fd, path, passphrase, err);
    close(fd);
    if (!fine)
        passphrase_done(passphrase);
    return fine;
}

void passphrase_done(struct passphrase *passphrase)
{
    OPENSSL_cleanse(passphrase, sizeof *passphrase);
}
