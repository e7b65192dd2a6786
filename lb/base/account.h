/* SPDX-License-Identifier: Apache-2.0 */
/* Users of this system, and which of them this process is. */
#ifndef LB_BASE_ACCOUNT_H
#define LB_BASE_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct error;

enum { ACCOUNT_NAME_BYTES = 64 };

/** A user of this system. */
struct account {
    char name[ACCOUNT_NAME_BYTES + 1];
    uid_t uid;
    gid_t gid; /* the user's own group */
};

/**
 * Look a user up by name.
 *
 * Fails:   nobody is called so; err says what would be right.   Thread: control. May read files.
 */
bool account_find(const char *name, struct account *account, struct error *err);

/** Has this process become the account already, or was it started as it? */
bool account_is_ours(const struct account *account);

/** The name of the user this process runs as, or its uid where it has none, cut at room. Returns
 * `into`. Any thread. May read files. */
const char *account_our_name(char *into, size_t room);

#endif
