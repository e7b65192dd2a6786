/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See stand_in.h. With the effective ids the rights of root go, and come back by the saved ones,
 * which an execve forgets. The real ids go along: with those of root a program that is started
 * would have all of root's rights within reach, and where privileges_forbid_new() was called, Linux
 * even makes it root at once.
 */
#include "lb/server/stand_in.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lb/base/account.h"
#include "lb/base/error.h"

/* The kernel sets anew whether others may read our memory when an id changes. */
static void keep_dumpable(const struct stand_in *stand_in)
{
    prctl(PR_SET_DUMPABLE, stand_in->dumpable == 1, 0, 0, 0);
}

static bool be_root(const struct stand_in *stand_in)
{
    return seteuid(0) == 0 && setresuid(stand_in->real_uid, 0, 0) == 0 &&
           setresgid(stand_in->real_gid, stand_in->gid, (gid_t)-1) == 0 &&
           setgroups((size_t)stand_in->group_count, stand_in->groups) == 0;
}

bool stand_in_begin(struct stand_in *stand_in, const char *user, struct error *err)
{
    struct account account;
    *stand_in = (struct stand_in){.is_one = false};
    if (!user || geteuid() != 0)
        return true;
    if (!account_find(user, &account, err))
        return false;
    if (account.uid == 0)
        return true;
    stand_in->real_uid = getuid();
    stand_in->real_gid = getgid();
    stand_in->gid = getegid();
    stand_in->dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
    stand_in->group_count = getgroups(STAND_IN_GROUPS_MOST, stand_in->groups);
    if (stand_in->group_count < 0)
        return error_set(err, "lb cannot act as user %s: %s", user, strerror(errno));
    stand_in->is_one = true;
    if (initgroups(account.name, account.gid) != 0 ||
        setresgid(account.gid, account.gid, (gid_t)-1) != 0 ||
        setresuid(account.uid, account.uid, 0) != 0) {
        error_set(err, "lb cannot act as user %s: %s", user, strerror(errno));
        stand_in_end(stand_in);
        stand_in->is_one = false;
        return false;
    }
    keep_dumpable(stand_in);
    return true;
}

void stand_in_end(const struct stand_in *stand_in)
{
    if (!stand_in->is_one)
        return;
    if (!be_root(stand_in)) {
        fprintf(stderr, "lb: root's rights do not come back: %s\n", strerror(errno));
        exit(1);
    }
    keep_dumpable(stand_in);
}
