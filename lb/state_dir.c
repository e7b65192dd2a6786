/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lb/base/error.h"

static bool make(const char *path, bool *ret_made, struct error *err)
{
    *ret_made = mkdir(path, 0700) == 0;
    if (*ret_made || errno == EEXIST)
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

static bool is_ours(int folder, const char *path, uid_t owner, struct error *err)
{
    struct stat status;
    if (fstat(folder, &status) != 0)
        return error_set(err, "state_dir %s: %s", path, strerror(errno));
    if (status.st_uid != 0 && status.st_uid != geteuid() && status.st_uid != owner)
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

int state_dir_open(const char *path, uid_t owner, struct error *err)
{
    bool made = false;
    if (!make(path, &made, err))
        return -1;
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        error_set(err, "state_dir %s cannot be opened: %s", path, strerror(errno));
        return -1;
    }
    /* What fails here is found out when somebody writes there. */
    if (made && owner != geteuid() && fchown(folder, owner, (gid_t)-1) != 0)
        error_set(err, "state_dir %s cannot be given to uid %u: %s", path, (unsigned)owner,
                  strerror(errno));
    else if (is_ours(folder, path, owner, err))
        return folder;
    close(folder);
    return -1;
}
