/* SPDX-License-Identifier: Apache-2.0 */
/* See log.h. */
#include "lb/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lb/base/error.h"
#include "lb/base/sink.h"
#include "lb/base/timestamp.h"

/* The process's only mutable globals: set by main before and after the workers, else only read. */
static struct sink *sink;
static enum log_level most = LOG_LEVEL_INFO;

/* The log cannot tell that it is lost, and stderr may be where somebody looks. */
static void on_log_trouble(void *arg, int failure, uint64_t lines)
{
    const struct sink *troubled = arg;
    if (failure != 0)
        dprintf(STDERR_FILENO, "lb: the log %s cannot be written: %s; its lines are dropped\n",
                sink_path(troubled), strerror(failure));
    else
        dprintf(STDERR_FILENO, "lb: the log %s is written again; %llu lines were dropped\n",
                sink_path(troubled), (unsigned long long)lines);
}

bool log_open(const char *where, enum log_level level, struct error *err)
{
    struct sink *opened = sink_open(where, err);
    if (!opened)
        return false;
    if (sink_path(opened))
        sink_set_watch(opened, on_log_trouble, opened);
    log_close();
    sink = opened;
    most = level;
    return true;
}

void log_close(void)
{
    sink_close(sink);
    sink = NULL;
    most = LOG_LEVEL_INFO;
}

void log_reopen(void)
{
    if (!sink || !sink_path(sink))
        return;
    if (sink_reopen(sink))
        log_say(LOG_LEVEL_INFO, "log.reopened", "%s", sink_path(sink));
    else
        log_say(LOG_LEVEL_ERROR, "log.reopen-failed", "%s: %s; the old file is written on",
                sink_path(sink), strerror(errno));
}

static const char *level_word(enum log_level level)
{
    switch (level) {
    case LOG_LEVEL_ERROR:
        return "error";
    case LOG_LEVEL_WARN:
        return "warn";
    case LOG_LEVEL_INFO:
        return "info";
    case LOG_LEVEL_DEBUG:
        return "debug";
    }
    return "";
}

/* The last byte of text is kept for the newline. */
static size_t room_of(const struct log_line *line)
{
    return sizeof line->text - 1 - line->used;
}

static void put(struct log_line *line, const char *bytes, size_t length)
{
    memcpy(line->text + line->used, bytes, length);
    line->used += length;
}

void log_begin(struct log_line *line, enum log_level level, const char *event)
{
    line->on = level <= most;
    line->used = 0;
    if (!line->on)
        return;
    timestamp_write(timestamp_now_ms(), line->text);
    line->used = TIMESTAMP_BYTES;
    put(line, " ", 1);
    put(line, level_word(level), strlen(level_word(level)));
    put(line, " ", 1);
    size_t length = strlen(event);
    put(line, event, length < LOG_VALUE_BYTES ? length : LOG_VALUE_BYTES);
}

static bool is_escaped(unsigned char byte)
{
    return byte < 0x20 || byte > 0x7e || byte == '"' || byte == '\\';
}

static bool is_bare(const unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (is_escaped(bytes[i]) || bytes[i] == ' ' || bytes[i] == '=')
            return false;
    }
    return length > 0;
}

/* Bytes as they are or as \xHH, cut with "..." where `room` ends. */
static void put_escaped(struct log_line *line, const unsigned char *bytes, size_t length,
                        size_t room)
{
    static const char digits[] = "0123456789abcdef";
    enum { ESCAPED_BYTES = 4, CUT_BYTES = 3 };
    size_t end = line->used + room;
    for (size_t i = 0; i < length; i++) {
        size_t reserved = i + 1 < length ? CUT_BYTES : 0;
        size_t needed = is_escaped(bytes[i]) ? ESCAPED_BYTES : 1;
        if (line->used + needed + reserved > end) {
            put(line, "...", CUT_BYTES);
            return;
        }
        if (needed == 1) {
            put(line, (const char *)&bytes[i], 1);
        } else {
            const char escaped[] = {'\\', 'x', digits[bytes[i] >> 4], digits[bytes[i] & 15]};
            put(line, escaped, sizeof escaped);
        }
    }
}

void log_bytes(struct log_line *line, const char *key, const void *value, size_t length)
{
    enum { LEAST_VALUE_BYTES = 8 };
    size_t key_length = strlen(key);
    if (!line->on || !value || room_of(line) < key_length + 4 + LEAST_VALUE_BYTES)
        return;
    put(line, " ", 1);
    put(line, key, key_length);
    put(line, "=", 1);
    bool bare = is_bare(value, length);
    size_t room = room_of(line) - 2;
    if (room > LOG_VALUE_BYTES)
        room = LOG_VALUE_BYTES;
    if (!bare)
        put(line, "\"", 1);
    put_escaped(line, value, length, room);
    if (!bare)
        put(line, "\"", 1);
}

void log_text(struct log_line *line, const char *key, const char *value)
{
    if (value)
        log_bytes(line, key, value, strlen(value));
}

void log_number(struct log_line *line, const char *key, int64_t value)
{
    if (!line->on)
        return;
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)value);
    log_bytes(line, key, digits, (size_t)length);
}

void log_end(struct log_line *line)
{
    if (!line->on)
        return;
    line->text[line->used++] = '\n';
    line->on = false;
    if (sink) {
        sink_write(sink, line->text, line->used); /* counts what it drops */
        return;
    }
    ssize_t written = write(STDERR_FILENO, line->text, line->used);
    (void)written; /* there is no other place to complain to */
}

void log_say(enum log_level level, const char *event, const char *format, ...)
{
    if (level > most)
        return;
    char text[LOG_VALUE_BYTES + 1];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    struct log_line line;
    log_begin(&line, level, event);
    if (length >= 0)
        log_text(&line, "message", text);
    log_end(&line);
}
