/* SPDX-License-Identifier: Apache-2.0 */
/* Below LATENCY_STEPS every value has a step of its own; above, each doubling is cut into
 * LATENCY_STEPS. */
#include "tests/bench/latency.h"

enum { LAST_STEP = LATENCY_DOUBLINGS * LATENCY_STEPS - 1 }; /* from 4.8 hours on */

static unsigned step_of(uint64_t ns)
{
    if (ns < LATENCY_STEPS)
        return (unsigned)ns;
    unsigned highest_bit = 63 - (unsigned)__builtin_clzll(ns);
    unsigned shift = highest_bit - 5; /* leaves LATENCY_STEPS … 2 × LATENCY_STEPS - 1 */
    unsigned step = (shift + 1) * LATENCY_STEPS + (unsigned)(ns >> shift) - LATENCY_STEPS;
    return step < LAST_STEP ? step : LAST_STEP;
}

static uint64_t end_of_step(unsigned step)
{
    if (step < LATENCY_STEPS)
        return step;
    unsigned shift = step / LATENCY_STEPS - 1;
    uint64_t begin = (uint64_t)(step % LATENCY_STEPS + LATENCY_STEPS) << shift;
    return begin + ((uint64_t)1 << shift) - 1;
}

void latency_add(struct latency *latency, uint64_t ns)
{
    latency->steps[step_of(ns)]++;
    latency->count++;
    if (ns > latency->most_ns)
        latency->most_ns = ns;
}

uint64_t latency_percentile(const struct latency *latency, double percent)
{
    double wanted = (double)latency->count * percent / 100.0;
    uint64_t seen = 0;
    for (unsigned step = 0; step < LAST_STEP; step++) {
        seen += latency->steps[step];
        if (seen == 0 || (double)seen < wanted)
            continue;
        uint64_t end = end_of_step(step);
        return end < latency->most_ns ? end : latency->most_ns;
    }
    return latency->most_ns;
}
