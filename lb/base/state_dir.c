/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/base/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lb/base/account.h"
#include "lb/base/error.h"

/* It, and not the folder it is in, has to be theirs. */
static bool explain_rights(const char *path, const char *what, struct error *err)
{
    const char *reason = strerror(errno); /* to find out who we are may set another one */
    char who[ACCOUNT_NAME_BYTES + 1];
    account_our_name(who, sizeof who);
    return error_set(
        err,
        "state_dir %s cannot be %s by user %s: %s; make it for them (install -d -m 700 "
        "-o %s %s), or say another state_dir in [lb]",
        path, what, who, reason, who, path);
}

static bool make(const char *path, struct error *err)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return true;
    if (errno == ENOENT)
        return error_set(err,
                         "state_dir %s cannot be made, because the folder it is to be in does not "
                         "exist: make that, or say another state_dir in [lb]",
                         path);
    if (errno == EACCES || errno == EPERM)
        return explain_rights(path, "made", err);
    return error_set(err,
                     "state_dir %s cannot be made: %s; make it (mode 0700), or say another "
                     "state_dir in [lb]",
                     path, strerror(errno));
}

/* Whom may it belong to, but for root and ourselves? */
enum owner { OWNER_OURS, OWNER_ANY_FOR_ROOT };

static bool is_fine(int folder, const char *path, enum owner owner, struct error *err)
{
    bool any = owner == OWNER_ANY_FOR_ROOT && geteuid() == 0;
    struct stat status;
    if (fstat(folder, &status) != 0)
        return error_set(err, "state_dir %s: %s", path, strerror(errno));
    if (!any && status.st_uid != 0 && status.st_uid != geteuid())
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

/* -1: errno, and err. */
static int open_folder(const char *path, struct error *err)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0)
        return folder;
    int reason = errno;
    if (reason == EACCES)
        explain_rights(path, "opened", err);
    else
        error_set(err, "state_dir %s cannot be opened: %s", path, strerror(reason));
    errno = reason;
    return -1;
}

/* Takes the descriptor. */
static int keep_fine(int folder, const char *path, enum owner owner, struct error *err)
{
    if (folder < 0 || is_fine(folder, path, owner, err))
        return folder;
    close(folder);
    return -1;
}

static int open_or_make(const char *path, enum owner owner, struct error *err)
{
    return make(path, err) ? keep_fine(open_folder(path, err), path, owner, err) : -1;
}

static int look(const char *path, enum owner owner, bool *ret_is_missing, struct error *err)
{
    int folder = open_folder(path, err);
    *ret_is_missing = folder < 0 && errno == ENOENT;
    return keep_fine(folder, path, owner, err);
}

int state_dir_open(const char *path, struct error *err)
{
    return open_or_make(path, OWNER_OURS, err);
}

int state_dir_look(const char *path, bool *ret_is_missing, struct error *err)
{
    return look(path, OWNER_OURS, ret_is_missing, err);
}

int state_dir_open_for_owner(const char *path, struct error *err)
{
    return open_or_make(path, OWNER_ANY_FOR_ROOT, err);
}

int state_dir_look_for_owner(const char *path, bool *ret_is_missing, struct error *err)
{
    return look(path, OWNER_ANY_FOR_ROOT, ret_is_missing, err);
}
