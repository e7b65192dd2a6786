/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which backends of a pool get something new, how much of their weight counts, and the order of
 * their turns: one immutable object, computed by the control thread when something changes and read
 * by all workers. Whatever keeps a backend out (weight 0, verdict, an operator, a block) or lets it
 * in little by little (slow_start) shows here and nowhere else.
 */
#ifndef LB_BACKENDS_SEQUENCE_H
#define LB_BACKENDS_SEQUENCE_H

#include <stdatomic.h>
#include <stdint.h>

struct pool;

enum {
    SHARE_WHOLE = 100,   /* percent of a backend's weight */
    SHARE_AT_FIRST = 10, /* of one that starts slowly: enough to warm it up */
    SHARE_STEP_MS = 100, /* a growing share is worth a new sequence at most this often */
};

/** What a pool can do for its requests. */
enum pool_state {
    POOL_UP,       /* some backend gets something new by its own merits */
    POOL_ALL_DOWN, /* none does, so that all are tried (all_down = any) */
    POOL_DOWN,     /* nobody is tried: 503 */
};

/** An eligible backend, with all that those who compare many of them need to read. */
struct seat {
    atomic_uint *active; /* exchanges now: its standing's */
    uint16_t backend;    /* its index in the pool */
    uint16_t weight;     /* that counts now; in proportion to those of the other seats */
};

/**
 * The order is smooth-weighted (raise each by its weight, take the highest, lower it by the sum):
 * taking turns costs one atomic increment, and two backends alternate strictly even when requests
 * arrive on different workers.
 */
struct sequence {
    atomic_uint references;
    unsigned turn_count;     /* sum of the weights of all seats; 0: nobody is eligible */
    unsigned eligible_count; /* seats */
    struct seat *seats;      /* in the order of the file */
    uint16_t *turns;         /* indices of backends */
    uint16_t *seat_of;       /* per backend of the pool: which seat it has, if it is eligible */
    uint8_t *shares;         /* per backend of the pool: percent of its weight that counts now; 0:
                                it is not eligible */
};

/**
 * What counts of each backend at this moment. All down and all_down = any: everyone counts who has
 * a weight and is not drained.
 *
 * now_ms      the control thread's time
 * ret_shares  one per backend of the pool
 * ret_state   what that means for the pool
 * returns     ms until one of them grows; 0: none does
 * Thread:     control
 */
uint32_t sequence_shares(const struct pool *pool, uint64_t now_ms, uint8_t *ret_shares,
                         enum pool_state *ret_state);

/**
 * The sequence that follows from these shares. Weights are divided by their common divisor; a
 * sequence that would still be longer than SEQUENCE_TURNS_MOST is rounded: first the weights of
 * those that start slowly, then all, so that each still has a turn.
 *
 * returns  one reference for the caller; NULL: out of memory
 * Thread:  control
 */
struct sequence *sequence_new(const struct pool *pool, const uint8_t *shares);
/** Give one reference back; NULL is fine. Any thread. */
void sequence_unref(struct sequence *sequence);

#endif
