/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps a view in step with its store, whoever changes it. All on one thread: what opens the
 * registry, then the lane of changes. */
#ifndef LB_LISTENERS_REGISTRY_FOLLOWER_H
#define LB_LISTENERS_REGISTRY_FOLLOWER_H

#include <stdbool.h>
#include <stdint.h>

#include "lb/base/error.h"
#include "listeners/registry/registry.h"
#include "listeners/registry/store.h"

struct view;

enum {
    FOLLOWER_DIGEST_BYTES = 32,
    /* A store that cannot be read is tried again so often. */
    FOLLOWER_TRY_MS = 1000,
    /* Tombstones past their notAfter are of no use: nobody can show that certificate any more. */
    FOLLOWER_TIDY_MS = 60 * 60 * 1000,
    /* The first time; not while lb starts. */
    FOLLOWER_FIRST_TIDY_MS = 60 * 1000,
};

/** ledger_open, or what stands for it in a test. */
typedef enum store_outcome (*ledger_opener)(struct ledger **ret_ledger, const char *location,
                                            enum store_mode mode, struct error *err);

struct follower {
    const char *location; /* borrowed; so view */
    ledger_opener open;
    struct view *view;
    struct registry_events events;
    struct ledger *ledger; /* NULL: not open */
    bool may_write;
    bool is_behind; /* something was not followed, or may not have been */
    bool has_trouble;
    int64_t revision; /* that the view shows */
    uint64_t worse;   /* view_worse() when it was told last */
    unsigned char cas[FOLLOWER_DIGEST_BYTES];
    int64_t next_try_ms;
    int64_t next_tidy_ms;
};

/** The ledger of a store that may be written to, or only read where it is read-only. mode:
 * STORE_WRITE or STORE_MAKE. Outcome of opening; err as a store sets it. */
enum store_outcome follower_open(struct follower *follower, enum store_mode mode,
                                 struct error *err);
/** Bring the view to what the store has now, and tell `events`. false: the store failed, err; it is
 * closed, and the view stays as it is. */
bool follower_catch_up(struct follower *follower, struct error *err);
/** The same after a job. A failure is logged once, and tried again by follower_look. */
void follower_follow(struct follower *follower, int64_t now_ms);
/** Every REGISTRY_FOLLOW_MS: has another process changed something, or is there a store now? */
void follower_look(struct follower *follower, int64_t now_ms);
void follower_close(struct follower *follower);

#endif
