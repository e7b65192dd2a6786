/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Being woken at a point of time by an epoll, to the microsecond: epoll_wait() itself knows only
 * milliseconds. One timerfd of the monotonic clock, told absolute times; nothing spins.
 */
#ifndef LB_BENCH_WAKE_H
#define LB_BENCH_WAKE_H

#include <stdbool.h>
#include <stdint.h>

struct wake {
    int timer;
    uint64_t armed_ns;
};

/** Watched by the epoll; its events carry `wake`. false: no descriptor, errno says why. */
bool wake_init(struct wake *wake, int epoll);
void wake_done(struct wake *wake);

/** Wake at this time, and no longer at the one before. A time that is past wakes at once. */
void wake_at(struct wake *wake, uint64_t when_ns);

#endif
