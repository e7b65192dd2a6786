/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who lb is. Started by root with a user in [lb], it becomes that user for good and keeps one right
 * of root's: to bind ports below 1024, so that a reload may add a listener there.
 *
 * `lb run` does so once the config is loaded (keys are read with root's rights), before there is a
 * second thread and before anything is opened, bound or written: what works as that user at the
 * start works at a reload and after a rotation of logs. Threads inherit it all.
 */
#ifndef LB_PRIVILEGES_H
#define LB_PRIVILEGES_H

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

/**
 * Become the account: groups, gid, uid, in all threads. Of the capabilities only
 * CAP_NET_BIND_SERVICE stays, if there was one, and only in the calling thread and those it starts.
 * Whether other processes may read this one's memory stays as it was. That there is no way back is
 * tried, not believed. An account that is ours already changes nothing.
 *
 * Fails:   the process is not root's; the system refuses; there would be a way back. The process
 * may be half changed then and must end. Thread:  main, before there are others that need any
 * right.
 */
bool privileges_drop(const struct account *account, struct error *err);

/** Neither this process nor a program it starts gains a right by an execve. All threads started
 * from now on. Thread: main, first of all. */
void privileges_forbid_new(void);

#endif
