/* SPDX-License-Identifier: Apache-2.0 */
/* See timestamp.h. */
#include "lb/base/timestamp.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { SECOND_BYTES = 20 }; /* "2026-11-21T10:13:39." */

/* The second this thread wrote last, in both forms. A cache, not state: any value of it gives the
 * same output. */
struct written {
    int64_t second;
    char text[SECOND_BYTES + 12]; /* room for what snprintf thinks a year could be */
    char combined[TIMESTAMP_COMBINED_BYTES + 6];
};
static _Thread_local struct written written = {INT64_MIN, "", ""};

static int64_t read_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t timestamp_now_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

int64_t timestamp_monotonic_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

static void remember_second(int64_t second)
{
    enum { YEAR_MOST = 9999 };
    time_t seconds = (time_t)second;
    struct tm utc;
    if (!gmtime_r(&seconds, &utc) || utc.tm_year + 1900 < 0 || utc.tm_year + 1900 > YEAR_MOST) {
        seconds = 0;
        gmtime_r(&seconds, &utc);
    }
    strftime(written.text, sizeof written.text, "%Y-%m-%dT%H:%M:%S.", &utc);
    strftime(written.combined, sizeof written.combined, "%d/%b/%Y:%H:%M:%S +0000", &utc);
    written.second = second;
}

/* Have the second of `ms` at hand; returns the milliseconds beyond it. */
static int64_t find_second(int64_t ms)
{
    int64_t second = ms / 1000;
    int64_t rest = ms % 1000;
    if (rest < 0) {
        rest += 1000;
        second--;
    }
    if (second != written.second)
        remember_second(second);
    return rest;
}

void timestamp_write(int64_t ms, char *into)
{
    int64_t rest = find_second(ms);
    memcpy(into, written.text, SECOND_BYTES);
    into[SECOND_BYTES] = (char)('0' + rest / 100);
    into[SECOND_BYTES + 1] = (char)('0' + rest / 10 % 10);
    into[SECOND_BYTES + 2] = (char)('0' + rest % 10);
    into[SECOND_BYTES + 3] = 'Z';
}

void timestamp_write_combined(int64_t ms, char *into)
{
    find_second(ms);
    memcpy(into, written.combined, TIMESTAMP_COMBINED_BYTES);
}
