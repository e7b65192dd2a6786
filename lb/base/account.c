/* SPDX-License-Identifier: Apache-2.0 */
/* See account.h. */
#include "lb/base/account.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lb/base/error.h"

enum { ENTRY_BYTES = 4096 };

bool account_find(const char *name, struct account *account, struct error *err)
{
    char texts[ENTRY_BYTES];
    struct passwd entry;
    struct passwd *found = NULL;
    size_t length = strlen(name);
    int failure =
        length <= ACCOUNT_NAME_BYTES ? getpwnam_r(name, &entry, texts, sizeof texts, &found) : 0;
    if (!found && failure != 0 && failure != ENOENT)
        return error_set(err, "user \"%s\" cannot be looked up: %s", name, strerror(failure));
    if (!found)
        return error_set(
            err,
            "there is no user \"%s\" on this system: make one (useradd --system %s) or "
            "name another",
            name, name);
    memcpy(account->name, name, length + 1);
    account->uid = found->pw_uid;
    account->gid = found->pw_gid;
    return true;
}

bool account_is_ours(const struct account *account)
{
    uid_t real, effective, saved;
    return getresuid(&real, &effective, &saved) == 0 && real == account->uid &&
           effective == account->uid && saved == account->uid;
}

const char *account_our_name(char *into, size_t room)
{
    char texts[ENTRY_BYTES];
    struct passwd entry;
    struct passwd *found = NULL;
    uid_t uid = geteuid();
    if (getpwuid_r(uid, &entry, texts, sizeof texts, &found) == 0 && found)
        snprintf(into, room, "%s", found->pw_name);
    else
        snprintf(into, room, "%u", (unsigned)uid);
    return into;
}
