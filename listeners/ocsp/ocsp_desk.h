/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a worker asks OCSP responders, on its own loop. Who wants to know about the same
 * certificate waits for one question:
 *
 *   ocsp_wait ─┐
 *   ocsp_wait ─┼─> question ── its turn ── call ──> the memory of all workers
 *   ocsp_wait ─┘                                          │
 *       └──────────── on_asked, from the loop <───────────┘
 *
 * A question ends within OCSP_ASK_MS, whatever the responder does; one that has begun goes on when
 * nobody waits for it any more, for the next to find its answer.
 */
#ifndef LB_LISTENERS_OCSP_DESK_H
#define LB_LISTENERS_OCSP_DESK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "lb/base/list.h"
#include "lb/base/log_ration.h"

struct ca_set;
struct identity;
struct loop_context;
struct ocsp;
struct ocsp_check;
struct ocsp_wait;

enum { OCSP_BUCKETS = 256 };

/** Embedded in the worker. */
struct ocsp_desk {
    struct ocsp *ocsp;
    struct loop_context *context;
    struct list_node questions[OCSP_BUCKETS]; /* under way, by the first byte of their key */
    struct list_node queue;                   /* of these, who waits for its turn */
    unsigned question_count;                  /* with those that still have something open */
    unsigned open_count;                      /* whose call has begun and is not over */
    struct log_ration failures;               /* that are logged */
    bool is_closing;
    void (*on_closed)(void *arg);
    void *on_closed_arg;
    time_t (*now)(void *argument); /* the wall clock; tests replace it */
    void *now_argument;
};

/** ocsp, context: borrowed until it is closed. */
void ocsp_desk_init(struct ocsp_desk *desk, struct ocsp *ocsp, struct loop_context *context);
/** Break off what is under way; who waits is told. on_closed: once nothing is open any more,
 * perhaps within the call. */
void ocsp_desk_close(struct ocsp_desk *desk, void (*on_closed)(void *arg), void *arg);

/**
 * Ask about a client's certificate, or join who does.
 *
 * check      lent for the call, as `set`, which is the rule's
 * identity   a reference is taken
 * on_asked   from the loop, once, never within this call, unless ocsp_leave comes first: the memory
 *            knows what there is to know. The wait is gone then.
 * returns    NULL: out of memory, or the desk is closing
 * Thread:    the loop's. Does not block.
 */
struct ocsp_wait *ocsp_ask(struct ocsp_desk *desk, const struct ocsp_check *check,
                           const struct ca_set *set, struct identity *identity,
                           void (*on_asked)(void *arg), void *arg);
/** Wait no more; the wait is gone. */
void ocsp_leave(struct ocsp_wait *wait);

#endif
