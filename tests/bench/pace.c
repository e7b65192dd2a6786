/* SPDX-License-Identifier: Apache-2.0 */
/* The line of waiting units is two numbers: how many are due by now, and how many are taken. */
#include "tests/bench/pace.h"

static const uint64_t second_ns = 1000000000;

/* Whole seconds first: the product of both would be too large for a long run at a high rate. Each
 * unit's time is reckoned from the begin, so that no rounding adds up. */
static uint64_t due_ns(const struct pace *pace, uint64_t unit)
{
    return pace->began_ns + unit / pace->rate * second_ns +
           unit % pace->rate * second_ns / pace->rate;
}

struct pace pace_begin(uint64_t rate, uint64_t count, uint64_t duration_ns, uint64_t now_ns)
{
    struct pace pace = {.rate = rate, .count = count, .began_ns = now_ns, .ends_ns = UINT64_MAX};
    if (count > 0)
        return pace;
    pace.count = UINT64_MAX;
    if (rate == 0)
        pace.ends_ns = now_ns + duration_ns;
    else
        pace.count = duration_ns / second_ns * rate + duration_ns % second_ns * rate / second_ns;
    return pace;
}

bool pace_has_more(const struct pace *pace, uint64_t now_ns)
{
    return pace->taken < pace->count && now_ns < pace->ends_ns;
}

bool pace_take(struct pace *pace, uint64_t now_ns, uint64_t *ret_due_ns)
{
    if (!pace_has_more(pace, now_ns))
        return false;
    uint64_t due = pace->rate == 0 ? now_ns : due_ns(pace, pace->taken);
    if (due > now_ns)
        return false;
    pace->taken++;
    *ret_due_ns = due;
    return true;
}

uint64_t pace_next_ns(const struct pace *pace)
{
    return pace->rate > 0 && pace->taken < pace->count ? due_ns(pace, pace->taken) : UINT64_MAX;
}

uint64_t pace_waiting(const struct pace *pace, uint64_t now_ns)
{
    if (pace->rate == 0 || now_ns < pace->began_ns)
        return 0;
    uint64_t gone_ns = now_ns - pace->began_ns;
    uint64_t part = gone_ns % second_ns * pace->rate;
    /* Times are rounded down: a unit is due when its exact time is before the next nanosecond. */
    uint64_t due =
        gone_ns / second_ns * pace->rate + (part + pace->rate + second_ns - 1) / second_ns;
    due = due < pace->count ? due : pace->count;
    return due > pace->taken ? due - pace->taken : 0;
}
