/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/exchange/access_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lb/base/draft.h"
#include "lb/base/error.h"
#include "lb/base/log.h"
#include "lb/base/sink.h"
#include "lb/base/timestamp.h"

/* A line: all values of a request at their largest fit, so that nobody can make a line that is too
 * long to be written. */
enum { ACCESS_LINE_BYTES = 24 * 1024 };

struct access_log {
    struct sink *sink;
    enum access_log_format format;
};

/** Dropped lines are told in a line of their own, which readers of JSON can read as well. */
static size_t notice_in_json(uint64_t lines, char *into, size_t room)
{
    struct draft line = draft_in(into, room);
    char time[TIMESTAMP_BYTES];
    timestamp_write(timestamp_now_ms(), time);
    draft_text(&line, "{\"time\":\"");
    draft_put(&line, (struct slice){time, sizeof time});
    draft_text(&line, "\",\"event\":\"log.dropped\",\"lines\":");
    draft_number(&line, lines, 1);
    draft_text(&line, "}\n");
    return line.fits ? line.used : 0;
}

/** Who reads the access log does not see what is missing in it. */
static void on_trouble(void *arg, int failure, uint64_t lines)
{
    const char *place = sink_path(arg);
    if (!place) {
        place = "where it goes";
    }
    if (failure != 0) {
        log_say(LOG_LEVEL_ERROR, "access-log.lost",
                "%s cannot be written: %s; lines are dropped until it can", place,
                strerror(failure));
    } else {
        log_say(LOG_LEVEL_WARN, "access-log.back", "%s is written again; %llu lines were dropped",
                place, (unsigned long long)lines);
    }
}

struct access_log *access_log_open(const struct lb_options *options, struct error *err)
{
    err->text[0] = '\0';
    if (strcmp(options->access_log, "off") == 0) {
        return NULL;
    }
    struct access_log *log = calloc(1, sizeof *log);
    if (!log) {
        error_set(err, "out of memory for the access log");
        return NULL;
    }
    log->format = (enum access_log_format)options->access_log_format;
    log->sink = sink_open(options->access_log, err);
    if (!log->sink) {
        free(log);
        return NULL;
    }
    sink_set_watch(log->sink, on_trouble, log->sink);
    if (log->format == ACCESS_LOG_JSON) {
        sink_set_notice(log->sink, notice_in_json);
    }
    return log;
}

void access_log_write(struct access_log *log, const struct access_entry *entry)
{
    char line[ACCESS_LINE_BYTES];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    int64_t now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    size_t length = access_log_format(log->format, entry, now_ms, line, sizeof line);
    if (length > 0) {
        sink_write(log->sink, line, length);
    }
}

void access_log_reopen(struct access_log *log)
{
    const char *path = log ? sink_path(log->sink) : NULL;
    if (!path) {
        return;
    }
    if (sink_reopen(log->sink)) {
        log_say(LOG_LEVEL_INFO, "access-log.reopened", "%s", path);
    } else {
        log_say(LOG_LEVEL_ERROR, "access-log.reopen-failed", "%s: %s; the old file is written on",
                path, strerror(errno));
    }
}

void access_log_close(struct access_log *log)
{
    if (log) {
        sink_close(log->sink);
        free(log);
    }
}
