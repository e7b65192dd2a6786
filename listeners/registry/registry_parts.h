/* SPDX-License-Identifier: Apache-2.0 */
/* What a registry is made of: for registry.c, signup.c, desk.c and their tests. */
#ifndef LB_LISTENERS_REGISTRY_REGISTRY_PARTS_H
#define LB_LISTENERS_REGISTRY_REGISTRY_PARTS_H

#include <stdatomic.h>

#include "listeners/registry/certificates.h"
#include "listeners/registry/follower.h"
#include "listeners/registry/lane.h"
#include "listeners/registry/registry.h"
#include "listeners/registry/signup_limit.h"

/** What a registry calls that a test may put another in the place of. */
struct registry_seams {
    ledger_opener open;
    enum change_refusal (*enrol)(struct ledger *ledger, const struct registration *registration,
                                 const struct actor *actor, struct certificate_result *result,
                                 struct error *err);
    int64_t (*monotonic_ms)(void);
};

enum {
    SIGNUP_BUCKETS = 256,
    SIGNUP_TOLD_MS = 1000,
    /* Who was refused for what he is is not tried again for so long, or one certificate alone could
     * use up signups_per_second; so many are kept in mind, far more than are tried in a second
     * unless that limit is high. */
    SIGNUP_REFUSED_MS = 1000,
    SIGNUP_REFUSED_MOST = 64,
    /* As long as a store may be busy: whoever was waited for no longer when that was over is not
     * worth another such wait, with lb's end or a revocation behind it. */
    SIGNUP_FORGOTTEN_MS = STORE_PATIENCE_MS,
};

struct signup_refused {
    unsigned char key[CERTIFICATE_KEY_BYTES];
    int64_t until_ms;
};

/** Who signs up. */
struct signups {
    pthread_mutex_t lock; /* of the limit and of what is pending */
    struct signup_limit limit;
    struct list_node pending[SIGNUP_BUCKETS];           /* enrolments, by key */
    struct signup_refused refused[SIGNUP_REFUSED_MOST]; /* the oldest is replaced; locked */
    unsigned next_refused;
    atomic_uint per_second;
    atomic_bool auto_activate;
    /* The lane's: failures are logged once a second. */
    int64_t told_ms;
    unsigned untold;
    bool was_told;
};

struct registry {
    char *location;
    struct registry_seams seams;
    struct view *view;
    struct follower follower; /* the lane of changes has it */
    struct ledger *questions; /* that lane's; NULL: not open */
    struct lane *lanes[LANE_COUNT];
    struct signups signups;
};

/** registry_open with other seams. */
struct registry *registry_open_with(const struct registry_settings *settings,
                                    const struct registry_events *events,
                                    const struct registry_seams *seams, struct error *err);

/** `done` of a job that has been run, on its desk's loop; on this thread where it has none. */
void desk_tell(struct registry_job *job);
/** It will not be told any more. The desk's thread; the job waits at its desk. */
void desk_withdraw(struct registry_job *job);

/** false: out of memory. */
bool signups_init(struct signups *signups, const struct registry_settings *settings);
void signups_set(struct signups *signups, const struct registry_settings *settings);
void signups_done(struct signups *signups);

#endif
