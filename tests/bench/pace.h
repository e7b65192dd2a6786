/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When units of work are handed out.
 *
 *   closed loop (rate 0)   whenever somebody asks, until the count or the time is used up
 *   open loop              unit i is due i / rate seconds after the begin, whatever became of the
 *                          others. One that finds nobody free stays first in line with the time it
 *                          was due, so that a server that stalls is charged for all that it held up
 *                          (the mistake of forgetting them is known as coordinated omission).
 *
 * No clock is read in here: time is given.
 */
#ifndef LB_BENCH_PACE_H
#define LB_BENCH_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
    uint64_t rate;     /* units a second; 0: closed loop */
    uint64_t count;    /* units in all; UINT64_MAX: until the time is used up */
    uint64_t began_ns; /* unit 0 is due then */
    uint64_t ends_ns;  /* closed loop: no unit begins then or later; UINT64_MAX: only the count ends
                          it */
    uint64_t taken;    /* units handed out */
};

/**
 * What is due from now on. When `count` is 0, `duration_ns` says how long; an open loop hands out
 * what is due within it, however long that takes.
 */
struct pace pace_begin(uint64_t rate, uint64_t count, uint64_t duration_ns, uint64_t now_ns);

/** Is there any unit left to hand out, now or later? */
bool pace_has_more(const struct pace *pace, uint64_t now_ns);

/**
 * Hand out the first unit in line.
 *
 * ret_due_ns  when it was due: now in a closed loop
 * returns     false: none is due now
 */
bool pace_take(struct pace *pace, uint64_t now_ns, uint64_t *ret_due_ns);

/** When the first unit in line is due: not after now when it waits. UINT64_MAX: never. Open loop.
 */
uint64_t pace_next_ns(const struct pace *pace);

/** How many units are due and not handed out; 0 in a closed loop. */
uint64_t pace_waiting(const struct pace *pace, uint64_t now_ns);

#endif
