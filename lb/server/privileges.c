/* SPDX-License-Identifier: Apache-2.0 */
/* See privileges.h. The capabilities need two system calls only, which glibc has no functions for.
 */
#include "lb/server/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lb/base/error.h"

/* --- capabilities -------------------------------------------------------------------------- */

struct rights {
    uint64_t effective, permitted, inheritable;
};

static const uint64_t bind_low_ports = (uint64_t)1 << CAP_NET_BIND_SERVICE;

static bool rights_read(struct rights *rights)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct halves[_LINUX_CAPABILITY_U32S_3] = {0};
    if (syscall(SYS_capget, &header, halves) != 0)
        return false;
    rights->effective = (uint64_t)halves[1].effective << 32 | halves[0].effective;
    rights->permitted = (uint64_t)halves[1].permitted << 32 | halves[0].permitted;
    rights->inheritable = (uint64_t)halves[1].inheritable << 32 | halves[0].inheritable;
    return true;
}

/* No more than these, in every set but the inheritable one, which is emptied. */
static bool rights_keep(uint64_t kept)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct halves[_LINUX_CAPABILITY_U32S_3] = {
        {.effective = (uint32_t)kept, .permitted = (uint32_t)kept},
        {.effective = (uint32_t)(kept >> 32), .permitted = (uint32_t)(kept >> 32)},
    };
    return syscall(SYS_capset, &header, halves) == 0;
}

/* A container may have been given no right to bind low ports; then there is none to keep. */
static bool keep_bind_right(void)
{
    struct rights rights;
    return rights_read(&rights) && rights_keep(rights.permitted & bind_low_ports);
}

/* --- becoming somebody else ---------------------------------------------------------------- */

/* Groups first: whoever is not root may not change them any more. */
static bool become(const struct account *account)
{
    return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 &&
           initgroups(account->name, account->gid) == 0 &&
           setresgid(account->gid, account->gid, account->gid) == 0 &&
           setresuid(account->uid, account->uid, account->uid) == 0 && keep_bind_right() &&
           prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) == 0;
}

static bool group_is_ours(const struct account *account)
{
    gid_t real, effective, saved;
    return getresgid(&real, &effective, &saved) == 0 && real == account->gid &&
           effective == account->gid && saved == account->gid;
}

static bool has_no_way_back(const struct account *account)
{
    struct rights rights;
    return account_is_ours(account) && group_is_ours(account) && setuid(0) != 0 &&
           setresuid((uid_t)-1, 0, (uid_t)-1) != 0 && (account->gid == 0 || setgid(0) != 0) &&
           rights_read(&rights) && rights.inheritable == 0 &&
           (rights.permitted & ~bind_low_ports) == 0 && (rights.effective & ~bind_low_ports) == 0;
}

bool privileges_drop(const struct account *account, struct error *err)
{
    if (account_is_ours(account))
        return true;
    if (geteuid() != 0)
        return error_set(err,
                         "user = %s: only root can become another user, and lb was started by uid "
                         "%u; start it as root or as %s, or leave user out",
                         account->name, (unsigned)geteuid(), account->name);
    int is_readable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
    if (!become(account))
        return error_set(err, "lb could not become user %s: %s", account->name, strerror(errno));
    /* The kernel sets it anew when the uid changes. */
    prctl(PR_SET_DUMPABLE, is_readable == 1, 0, 0, 0);
    privileges_forbid_new();
    if (!has_no_way_back(account))
        return error_set(err, "lb became user %s, but kept rights of root's", account->name);
    return true;
}

void privileges_forbid_new(void)
{
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

void privileges_guard_secrets(void)
{
    const struct rlimit none = {0, 0};
    privileges_forbid_new();
    setrlimit(RLIMIT_CORE, &none);
#if !defined(__SANITIZE_ADDRESS__) /* its leak check traces the process */
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}
