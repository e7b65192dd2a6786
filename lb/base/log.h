/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one place that logs. A line is `TIME level event key=value key="quoted value"`, built on the
 * stack, bounded by LOG_LINE_BYTES and handed to a sink that never blocks the caller. Values from
 * the network are escaped: control bytes, quotes, backslashes and bytes over 0x7e become \xHH.
 */
#ifndef LB_BASE_LOG_H
#define LB_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lb/base/limits.h"

struct error;

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/** A line under construction; lives on the caller's stack between log_begin and log_end. */
struct log_line {
    bool on; /* false: the level is off, every call is a no-op */
    size_t used;
    char text[LOG_LINE_BYTES];
};

/**
 * Open the process's log: "stderr", "stdout" or a file path (created 0640, appended to).
 * Before this is called lines go to stderr at level info, synchronously.
 * A file that can no longer be written (a full disk) is told on stderr, at most once a minute.
 * Fails:  the file cannot be opened.   Thread: main, before workers start.
 */
bool log_open(const char *where, enum log_level level, struct error *err);

/** Write what is queued and close. Thread: main, after workers ended. */
void log_close(void);

/** Open the file anew (after logrotate); the first line in it says so. A file that cannot be opened
 * leaves the old one in use, and the line says why. Thread: main. */
void log_reopen(void);

/** Begin a line. event: a short dotted noun.verb such as "backend.down"; a literal. Any thread. */
void log_begin(struct log_line *line, enum log_level level, const char *event);
/** Add key=value; value is quoted and escaped where needed; NULL is left out. */
void log_text(struct log_line *line, const char *key, const char *value);
void log_bytes(struct log_line *line, const char *key, const void *value, size_t length);
void log_number(struct log_line *line, const char *key, int64_t value);
/** Finish the line and hand it to the log. */
void log_end(struct log_line *line);

/**
 * A line with one text: `log_say(LOG_LEVEL_INFO, "lb.ready", "%u workers", n)` gives
 * `… lb.ready message="4 workers"`.
 */
void log_say(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
