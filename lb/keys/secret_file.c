/* SPDX-License-Identifier: Apache-2.0 */
/* See secret_file.h. If somebody was faster at making one, theirs is read. */
#include "lb/keys/secret_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lb/base/error.h"
#include "lb/base/whole_file.h"

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

static bool make(const struct secret_file *file, size_t length, struct error *err)
{
    unsigned char secret[SECRET_BYTES_MOST];
    const struct whole_file whole = {file->folder, file->name, 0600};
    if (RAND_priv_bytes(secret, (int)length) != 1)
        return error_set(err, "%s/%s cannot be made: the system gives no random bytes", file->path,
                         file->name);
    /* One that is there by now is as good. */
    bool made = whole_file_make(&whole, secret, length) != WHOLE_FILE_FAILED;
    OPENSSL_cleanse(secret, sizeof secret);
    return made || fail(file, err, "cannot be made");
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
