/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lb/base/error.h"

static bool make(const char *path, struct error *err)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return true;
    if (errno == ENOENT)
        return error_set(err,
                         "state_dir %s cannot be made, because the folder it is to be in does not "
                         "exist: make that, or say another state_dir in [lb]",
                         path);
    return error_set(err,
                     "state_dir %s cannot be made: %s; make it (mode 0700), or say another "
                     "state_dir in [lb]",
                     path, strerror(errno));
}

static bool is_ours(int folder, const char *path, struct error *err)
{
    struct stat status;
    if (fstat(folder, &status) != 0)
        return error_set(err, "state_dir %s: %s", path, strerror(errno));
    if (status.st_uid != 0 && status.st_uid != geteuid())
        return error_set(err,
                         "state_dir %s belongs to another user (uid %u), who could replace the "
                         "keys in it: give it to the user lb runs as (chown), or say another "
                         "state_dir in [lb]",
                         path, (unsigned)status.st_uid);
    if (status.st_mode & (S_IWGRP | S_IWOTH))
        return error_set(err,
                         "state_dir %s may be written by others (mode %04o), who could replace "
                         "the keys in it: chmod 700 %s",
                         path, (unsigned)(status.st_mode & 07777), path);
    return true;
}

int state_dir_open(const char *path, struct error *err)
{
    if (!make(path, err))
        return -1;
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        error_set(err, "state_dir %s cannot be opened: %s", path, strerror(errno));
        return -1;
    }
    if (is_ours(folder, path, err))
        return folder;
    close(folder);
    return -1;
}
