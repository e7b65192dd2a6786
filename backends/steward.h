/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps the pools as they are published in step with the clock: backends that failed
 * passive_failures exchanges in a row are left out for passive_block, those that start slowly get
 * their share in steps. Whatever becomes of a backend, this is who publishes its pool.
 */
#ifndef LB_BACKENDS_STEWARD_H
#define LB_BACKENDS_STEWARD_H

#include <stdbool.h>
#include <uv.h>

#include "backends/pool.h"

/* A pool in a steward's care, and when to publish it again. */
struct tended_pool {
    struct pool *pool;
    uint64_t publish_ms; /* loop time; 0: not before something happens */
};

struct steward {
    struct pool_bell bell; /* rung by workers */
    uv_async_t rung;
    uv_timer_t timer;
    uint64_t due_ms; /* the timer's; 0: it sleeps */
    struct tended_pool *tended;
    unsigned tended_count;
    unsigned open_count; /* handles; while closing */
    void (*closed)(struct steward *steward);
};

/**
 * Ready, with no pools yet. Keeps no loop alive.
 *
 * Fails:   no descriptor; nothing has to be closed then
 * Thread:  control, as for all that follows but the bell.
 */
bool steward_open(struct steward *steward, uv_loop_t *loop);

/** Room for so many pools; NULL: out of memory. For steward_serve, or free. */
struct tended_pool *steward_room(unsigned pool_count);

/**
 * Care for these pools from now on, and for no others, which are not looked at again. Blocks that
 * are known to the backends' standings go on.
 *
 * room     of steward_room for as many pools; taken
 * pools    array borrowed for the call, pools until the next steward_serve or steward_close
 */
void steward_serve(struct steward *steward, struct tended_pool *room, struct pool *const *pools,
                   unsigned count);

/** Publish a pool because of something that happened to one of its backends. */
void steward_publish(struct steward *steward, struct pool *pool);

/** Look at no pool any more; `closed` is called from the loop when the memory may go. No worker may
 *  ring any more. */
void steward_close(struct steward *steward, void (*closed)(struct steward *steward));

#endif
