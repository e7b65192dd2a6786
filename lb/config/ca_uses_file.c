/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/config/ca_uses_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lb/base/error.h"
#include "lb/base/limits.h"
#include "lb/base/state_dir.h"
#include "lb/base/whole_file.h"
#include "listeners/ca/ca_uses_text.h"

/* --- reading ------------------------------------------------------------------------------- */

/* "/var/lib/lb/ca-uses.json cannot be read: why" */
static bool fail(const char *state_dir, struct error *err, const char *what, const char *why)
{
    size_t length = strlen(state_dir);
    while (length > 1 && state_dir[length - 1] == '/')
        length--;
    return error_set(err, "%.*s/%s %s: %s", (int)length, state_dir, CA_USES_FILE_NAME, what, why);
}

/* The whole file, to be freed. NULL: err says why. */
static char *read_all(int fd, const char *state_dir, size_t *ret_bytes, struct error *err)
{
    struct stat status;
    size_t got = 0;
    ssize_t more = 0;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) ||
        status.st_size > CA_USES_FILE_BYTES) {
        fail(state_dir, err, "cannot be used", "it is no file, or larger than any of lb's");
        return NULL;
    }
    char *bytes = malloc((size_t)status.st_size + 1);
    while (bytes && got < (size_t)status.st_size &&
           (more = read(fd, bytes + got, (size_t)status.st_size - got)) > 0)
        got += (size_t)more;
    if (bytes && more >= 0) {
        *ret_bytes = got;
        return bytes;
    }
    free(bytes);
    fail(state_dir, err, "cannot be read", strerror(errno));
    return NULL;
}

static bool load_from(int fd, struct ca_uses *uses, const char *state_dir, struct error *err)
{
    size_t bytes = 0;
    char *text = read_all(fd, state_dir, &bytes, err);
    struct error why;
    bool is_good = text && ca_uses_read(uses, text, bytes, &why);
    if (text && !is_good)
        fail(state_dir, err, "cannot be used", why.text);
    free(text);
    return is_good;
}

bool ca_uses_file_load(struct ca_uses *uses, const char *state_dir, struct error *err)
{
    bool is_missing = false;
    int folder = state_dir_look(state_dir, &is_missing, err);
    if (folder < 0)
        return is_missing;
    int fd = openat(folder, CA_USES_FILE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool is_good =
        fd >= 0 ? load_from(fd, uses, state_dir, err)
                : errno == ENOENT || fail(state_dir, err, "cannot be opened", strerror(errno));
    if (fd >= 0)
        close(fd);
    close(folder);
    return is_good;
}

/* --- writing ------------------------------------------------------------------------------- */

bool ca_uses_file_save(const struct ca_uses *uses, const char *state_dir, struct error *err)
{
    char *text = ca_uses_write(uses);
    if (!text)
        return error_set(err, "out of memory");
    int folder = state_dir_open(state_dir, err);
    const struct whole_file file = {folder, CA_USES_FILE_NAME, 0600};
    bool is_kept = folder >= 0 && (whole_file_replace(&file, text, strlen(text)) ||
                                   fail(state_dir, err, "cannot be written", strerror(errno)));
    if (folder >= 0)
        close(folder);
    free(text);
    return is_kept;
}
