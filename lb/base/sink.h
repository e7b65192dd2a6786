/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines on their way to a file: any thread puts them into a bounded buffer, one thread writes them.
 * A slow disk or a full pipe never blocks a worker; what does not fit is dropped and counted, and
 * the writer says so with a line of its own once there is room again.
 */
#ifndef LB_BASE_SINK_H
#define LB_BASE_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct sink;

/** Write one line, with its newline, that says how many were dropped; returns its length. */
typedef size_t (*sink_notice)(uint64_t lines, char *into, size_t room);

/**
 * Open a sink and start its writer thread.
 *
 * where    "stdout", "stderr" or a path (created 0640, appended to); copied
 * Fails:   the file cannot be opened, no thread.   Thread: main.
 */
struct sink *sink_open(const char *where, struct error *err);

/**
 * Say dropped lines in another form than the log's own `TIME warn log.dropped lines=N` (a JSON
 * access log needs JSON). Thread: main, right after sink_open, before the first line.
 */
void sink_set_notice(struct sink *sink, sink_notice notice);

/**
 * How writing goes. failure: an errno when lines begin to be lost; 0 when they are written again,
 * and then `lines` were lost meanwhile. Called on the writer's thread, for failures at most once a
 * minute, and for the end of each that was told.
 */
typedef void (*sink_watch)(void *arg, int failure, uint64_t lines);

/** Have somebody told. Thread: main, right after sink_open, before the first line. */
void sink_set_watch(struct sink *sink, sink_watch watch, void *arg);

/** Queue one line (with its newline). Never blocks on I/O. false: dropped for want of room. */
bool sink_write(struct sink *sink, const char *line, size_t length);

/** The path; NULL for stdout and stderr. */
const char *sink_path(const struct sink *sink);

/** Lines dropped so far. Any thread. */
uint64_t sink_dropped(const struct sink *sink);

/**
 * Open the path anew (no-op for stdout and stderr). Lines queued before may end in either file.
 * returns  false with errno: the path cannot be opened and the old file is written on.
 * Thread:  main.
 */
bool sink_reopen(struct sink *sink);

/**
 * Write what is queued (bounded by 2 s when the reader is stuck; 3 s and a leaked thread if a
 * terminal holds the write itself), stop the thread, free. No other thread may use the sink any
 * more. NULL is fine.
 */
void sink_close(struct sink *sink);

#endif
