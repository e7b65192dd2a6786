/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for something that another thread or process does: asked again and again, never longer
 * than a bound. */
#ifndef LB_TESTS_EVENTUALLY_H
#define LB_TESTS_EVENTUALLY_H

#include <check.h>
#include <stdbool.h>
#include <time.h>

/* Far above what anything takes on a busy machine under a sanitizer; only a failure waits that
 * long. */
enum { EVENTUALLY_MS = 20000, EVENTUALLY_STEP_MS = 3 };

static inline void eventually_pause(void)
{
    nanosleep(&(struct timespec){.tv_nsec = EVENTUALLY_STEP_MS * 1000000L}, NULL);
}

/* Milliseconds of the monotonic clock. */
static inline long long eventually_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Fails the test unless the condition comes true in time. */
#define eventually(condition)                                                                      \
    do {                                                                                           \
        long long eventually_end_ms = eventually_now_ms() + EVENTUALLY_MS;                         \
        while (!(condition)) {                                                                     \
            ck_assert_msg(eventually_now_ms() < eventually_end_ms, "never came true: %s",          \
                          #condition);                                                             \
            eventually_pause();                                                                    \
        }                                                                                          \
    } while (0)

#endif
