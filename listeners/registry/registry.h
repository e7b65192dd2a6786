/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry of the running lb: the view that workers read, and three lanes (threads with a
 * ledger each): one for changes, which is also the view's writer, one for bulk work, and one for
 * questions. The first follows the store: what another process changes is in the view within
 * REGISTRY_FOLLOW_MS.
 *
 *   any thread ── registry_submit ──> lane ── run(ledger) ──> view ── on_change ──> workers
 *                                       └──> desk of whoever asked ── done, on its loop
 *
 * What was done in bulk passes through the lane of changes, too, which brings the view up to it
 * before it is told.
 */
#ifndef LB_LISTENERS_REGISTRY_REGISTRY_H
#define LB_LISTENERS_REGISTRY_REGISTRY_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "lb/base/error.h"
#include "lb/base/list.h"
#include "listeners/registry/store.h"

struct identity;
struct registry;
struct signup;
struct view;

enum { REGISTRY_FOLLOW_MS = 50 };

/** Where the answers of one loop arrive. Zero is closed. */
struct registry_desk {
    uv_async_t wake;
    pthread_mutex_t lock;
    struct list_node done;
    bool is_open;
};
bool registry_desk_open(struct registry_desk *desk, uv_loop_t *loop);
/** No job of it is under way. The loop must run once more; a closed one is fine. */
void registry_desk_close(struct registry_desk *desk);

enum registry_lane {
    LANE_CHANGES,   /* opens the store for writing, and makes it when it is not there */
    LANE_BULK,      /* the same, for what takes long: it holds no change up. Its transactions are
                       short, for a store lets one write at a time */
    LANE_QUESTIONS, /* reads only; a long change does not hold it up */
    LANE_COUNT,
};

/** Embedded in what is asked. */
struct registry_job {
    struct list_node node;
    enum registry_lane lane;
    struct registry_desk *desk; /* NULL: `done` is called on a lane's thread */
    /** On the lane's thread. ledger NULL: the store cannot be had (STORE_MISSING for questions:
     * there is nothing yet); opened says why, in words. */
    void (*run)(struct registry_job *job, struct ledger *ledger, enum store_outcome opened,
                const char *why);
    /** On the desk's loop, always, also when the registry is closing. The view shows the change. */
    void (*done)(struct registry_job *job);
};

struct registry_settings {
    const char *location; /* "sqlite:/path" */
    unsigned signups_per_second;
    bool auto_activate;
};

struct registry_events {
    /** Some certificate or CA may pass less than before: open connections are to be looked at. On
     * the lane's thread; after the view has changed. */
    void (*on_worse)(void *arg);
    /** CAs, their bindings or names have changed: configs that name them are to be loaded anew. On
     * the lane's thread. */
    void (*on_cas)(void *arg);
    void *arg;
};

/**
 * Open it and load the view. A store that is not there yet is made by the first change.
 * Fails: the store cannot be read: err says why and what to do.   Thread: control. May take
 * seconds.
 */
struct registry *registry_open(const struct registry_settings *settings,
                               const struct registry_events *events, struct error *err);
/** After a reload; location is not changed. Thread: control. */
void registry_set(struct registry *registry, const struct registry_settings *settings);
/** NULL is fine. All jobs are run and told first. No one may submit any more. Thread: control, not
 * a loop's callback of a desk. */
void registry_close(struct registry *registry);

/** Lives as long as the registry. NULL in, NULL out. */
const struct view *registry_view(const struct registry *registry);
void registry_submit(struct registry *registry, struct registry_job *job);

/* Signing up. */

enum signup_outcome {
    SIGNUP_DONE,    /* judge again */
    SIGNUP_LIMITED, /* too many this second */
    SIGNUP_REFUSED, /* this certificate cannot be registered, today or later; it was logged */
    SIGNUP_FAILED,  /* the store cannot be written; it was logged */
};

/**
 * Register the certificate of a client that a rule lets sign up by itself. Who comes while the
 * second's signups_per_second are used up is SIGNUP_LIMITED at once, without a word to the store.
 *
 * identity      counted while it waits
 * on_signed_up  called once from the desk's loop, never within this call, unless signup_leave came
 *               first
 * returns       NULL: out of memory
 */
struct signup *signup_begin(struct registry *registry, struct registry_desk *desk,
                            struct identity *identity,
                            void (*on_signed_up)(void *arg, enum signup_outcome outcome),
                            void *arg);
/** Wait no longer. The desk's thread. */
void signup_leave(struct signup *signup);

#endif
