/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks in milliseconds, and the wall clock as logs write it: UTC, RFC 3339. */
#ifndef LB_BASE_TIMESTAMP_H
#define LB_BASE_TIMESTAMP_H

#include <stdint.h>

/* Without a final NUL. */
enum {
    TIMESTAMP_BYTES = 24,          /* "2026-11-21T10:13:39.123Z" */
    TIMESTAMP_COMBINED_BYTES = 26, /* "21/Nov/2026:10:13:39 +0000" */
};

/** Milliseconds since 1970 by the wall clock. Any thread. */
int64_t timestamp_now_ms(void);

/** Milliseconds of a clock that nobody sets: only differences mean something. Any thread. */
int64_t timestamp_monotonic_ms(void);

/**
 * Write `ms` since 1970 as TIMESTAMP_BYTES bytes, no NUL. Cheap: each thread keeps the text of the
 * second it wrote last, so that the calendar is computed once a second. Years 0 to 9999; others are
 * written as 0.
 *
 * into     at least TIMESTAMP_BYTES
 * Thread:  any.
 */
void timestamp_write(int64_t ms, char *into);

/** The same as web servers have always written it, to the second: TIMESTAMP_COMBINED_BYTES. */
void timestamp_write_combined(int64_t ms, char *into);

#endif
