/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who lb is. Started by root with a user in [lb], it becomes that user for good and keeps one right
 * of root's: to bind ports below 1024, so that a reload may add a listener there.
 *
 * `lb run` does so once the config is loaded (keys are read with root's rights), before there is a
 * second thread and before anything is opened, bound or written: what works as that user at the
 * start works at a reload and after a rotation of logs. Threads inherit it all.
 */
#ifndef LB_SERVER_PRIVILEGES_H
#define LB_SERVER_PRIVILEGES_H

#include <stdbool.h>

#include "lb/base/account.h"

struct error;

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

/** Private keys will live in this process: no core file may hold them, no other process of the user
 * may read its memory; and privileges_forbid_new(). Thread: main, before the first key. */
void privileges_guard_secrets(void);

#endif
