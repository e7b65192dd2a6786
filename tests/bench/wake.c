/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/wake.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

bool wake_init(struct wake *wake, int epoll)
{
    wake->armed_ns = 0;
    wake->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    /* An edge for each expiry: it need not be read. */
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = wake};
    return wake->timer >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, wake->timer, &event) == 0;
}

void wake_done(struct wake *wake)
{
    if (wake->timer >= 0)
        close(wake->timer);
    wake->timer = -1;
}

void wake_at(struct wake *wake, uint64_t when_ns)
{
    if (when_ns == wake->armed_ns)
        return;
    struct itimerspec when = {.it_value = {.tv_sec = (time_t)(when_ns / 1000000000),
                                           .tv_nsec = (long)(when_ns % 1000000000)}};
    timerfd_settime(wake->timer, TFD_TIMER_ABSTIME, &when, NULL);
    wake->armed_ns = when_ns;
}
