/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One backend under watch: a timer says when to ask, a deadline how long the answer may take, and
 * each result moves the standing. A watch stays with its backend's standing from config to config,
 * so that a reload neither hurries nor delays nor interrupts its checks.
 *
 *   RESTING ── timer ──> QUEUED ── a place is free ──> ASKING ── result ──> ENDING ── over ──>
 * RESTING └────── late ────────^
 */
#ifndef LB_BACKENDS_HEALTH_WATCH_H
#define LB_BACKENDS_HEALTH_WATCH_H

#include <stdbool.h>
#include <uv.h>

#include "backends/health/check_run.h"
#include "backends/pool.h"
#include "backends/steward.h"
#include "lb/base/deadline.h"
#include "lb/base/list.h"

/** What all watches of a health share. */
struct watch_share {
    struct loop_context *context;
    struct steward *steward;
    struct list_node queue; /* of watches that wait for a place, longest first */
    unsigned asking_count;  /* checks that are open: at most CHECKS_OPEN_MOST */
    unsigned watch_count;   /* begun and not gone */
    uint64_t round;         /* of orders */
    uint64_t complained_ms; /* a check that could not be made was logged; 0: never */
    void (*on_gone)(struct watch_share *share); /* a dropped watch is gone */
};

enum watch_state {
    WATCH_RESTING, /* for its timer */
    WATCH_QUEUED,  /* for a place among the open checks */
    WATCH_ASKING,  /* for the check's result, or the deadline */
    WATCH_ENDING,  /* for the check to be over */
};

struct watch {
    struct check_run run;
    struct watch_share *share;
    struct pool *pool;         /* NULL: dropped */
    struct standing *standing; /* its `watch` is this one */
    enum watch_state state;
    struct list_node node; /* in the queue */
    uv_timer_t timer;
    bool timer_closed;
    bool is_overdue; /* it was time to ask while the last check was ending */
    uint32_t interval_ms;
    uint64_t round;   /* share->round of its last order */
    uint64_t due_ms;  /* the next time to ask, and … */
    uint64_t then_ms; /* … the one behind it: intervals lie between the following ones */
    struct deadline deadline;
    uint64_t started_ns;
};

/** How a watch shall ask from now on, and its place among all. */
struct watch_order {
    struct pool *pool;
    struct backend *backend;
    struct backend_tls_context *tls; /* of the pool, for checks over TLS; until the next order */
    unsigned ordinal;
    unsigned total;
};

/** A watch that does nothing yet: for watch_begin, or free. NULL: out of memory. */
struct watch *watch_new(void);

/**
 * Watch a backend that nobody watches. One that was never asked is asked within the first second,
 * by its ordinal; one that was, when its interval is over.
 *
 * Thread: control, as for all that follows.
 */
void watch_begin(struct watch *watch, struct watch_share *share, const struct watch_order *order);

/** Go on by the order of another config; a check under way that it would not ask for is given up
 *  and asked anew at once. The former pool and backend are not looked at again. */
void watch_follow(struct watch *watch, const struct watch_order *order);

/** Watch no more: pool, backend and standing are not looked at again; the watch frees itself, then
 *  share->on_gone is called from the loop. */
void watch_drop(struct watch *watch);

#endif
