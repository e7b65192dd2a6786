/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Choosing and taking a backend for one request, in one step: whoever is chosen counts the exchange
 * already, so limits and least connections are exact however many workers choose at once.
 *
 *   pool_take ──> index: try it, then pool_leave
 *        ├──────> POOL_NONE: nobody is left
 *        └──────> POOL_FULL: queue_join (queue.h) waits for a place
 */
#ifndef LB_BACKENDS_CHOICE_H
#define LB_BACKENDS_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/pool.h"
#include "lb/base/limits.h"

enum {
    POOL_NONE = -1, /* all down with all_down = 503, no weight over 0, or all were tried */
    POOL_FULL = -2, /* whoever is left has max_connections, or others wait already */
};

/** The seen of a choice that no count decided. */
#define CHOICE_UNSEEN UINT32_MAX

/** One request's wish for a backend. Zeroed for a new request, kept for its retries. */
struct choice {
    const struct sequence *sequence; /* pool_take's: the present one of the caller's view */
    const struct backend *wanted;    /* of session_persistence; NULL: none. Set before the first
                                        choice: while it is eligible and was not tried, nobody else is
                                        chosen, and it is waited for */
    uint64_t key;                    /* a hash of what stands for the client: its certificate where
                                        is_bound, else its address where the balancer wants_key */
    bool is_bound; /* the key's backend is the wanted one, whatever the balancer */
    uint32_t seen; /* set by a balancer that compares counts: the one it chose by. Nobody is taken
                      whose count is another by now */
    unsigned tried_count;
    uint64_t tried[POOL_BACKENDS_MOST / 64]; /* bit set of backends that failed for this request */
};

/** Is this backend out of the question for this request? */
bool choice_tried(const struct choice *choice, unsigned backend);
/** Take a backend out of the question; adding it twice counts once. */
void choice_add_tried(struct choice *choice, unsigned backend);
/** May this request have this backend, as far as the choice's sequence goes and but for its limit?
 */
bool choice_may_be(const struct choice *choice, unsigned backend);

/** A hash of bytes that stand for a client, for choice->key. Equal on every lb. */
uint64_t choice_key_of(const char *bytes, size_t length);

/**
 * Choose a backend and count the exchange there. A retry for which nobody else is left gets one
 * that is blocked for passive failures, where all_down = any.
 *
 * view     the calling worker's, of this pool
 * returns  its index, to be left by pool_leave; POOL_NONE; POOL_FULL
 * Thread:  any worker. Never blocks, unless verdicts changed since the last time.
 */
int pool_take(struct pool *pool, struct pool_view *view, struct choice *choice);

/** The exchange is over here: count down, and whoever waits for the place gets it. Any worker. */
void pool_leave(struct pool *pool, unsigned backend);

/* For queue.c. */

/** Is there somebody in this sequence whom the choice has not tried? Full or not. */
bool choice_has_any_left(const struct choice *choice, const struct sequence *now);

/** pool_take for one who has waited or may not go behind others: choice->sequence is set. */
int choice_take(struct pool *pool, struct choice *choice);
/** The one backend that this choice is bound to now; -1: it may be any. */
int choice_bound_to(const struct pool *pool, const struct choice *choice);
/** Count an exchange at a backend that has a place left. */
bool backend_take_place(const struct backend *backend);

#endif
