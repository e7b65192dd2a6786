/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Root acts as the user of [lb] for a while: what that user keeps (the registry's store, the
 * built-in CA) is read and made with no more than the user's own rights, so that it belongs to the
 * user, and that whoever controls the user's folders can make root neither read nor give away
 * anything. A program that is started meanwhile is the user for good: no way leads it back.
 */
#ifndef LB_SERVER_STAND_IN_H
#define LB_SERVER_STAND_IN_H

#include <stdbool.h>
#include <sys/types.h>

struct error;

enum { STAND_IN_GROUPS_MOST = 256 };

/** What is given back at the end. */
struct stand_in {
    bool is_one; /* false: nothing was changed */
    uid_t real_uid;
    gid_t real_gid, gid;
    int group_count;
    gid_t groups[STAND_IN_GROUPS_MOST];
    int dumpable;
};

/**
 * From now on act as this user.
 *
 * user     NULL: as who we are; so it is if we are not root, or the user is
 * Fails:   there is no such user; the system refuses. Nothing has changed then.
 * Thread:  main, while it is the only one: rights are the whole process's
 */
bool stand_in_begin(struct stand_in *stand_in, const char *user, struct error *err);

/** Be root again. Ends the process if that cannot be. */
void stand_in_end(const struct stand_in *stand_in);

#endif
