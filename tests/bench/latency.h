/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long units took, in a histogram of fixed size: 32 steps for each doubling, so a percentile is
 * at most 3 % above the truth however many units were counted.
 */
#ifndef LB_BENCH_LATENCY_H
#define LB_BENCH_LATENCY_H

#include <stdint.h>

enum { LATENCY_STEPS = 32, LATENCY_DOUBLINGS = 40 };

struct latency {
    uint64_t steps[LATENCY_DOUBLINGS * LATENCY_STEPS];
    uint64_t count;
    uint64_t most_ns;
};

/** Count one unit that took `ns` nanoseconds. */
void latency_add(struct latency *latency, uint64_t ns);

/**
 * The time that `percent` of all units did not exceed.
 *
 * percent  above 0, at most 100
 * returns  nanoseconds, rounded up to the step; 0 when nothing was counted
 */
uint64_t latency_percentile(const struct latency *latency, double percent);

#endif
