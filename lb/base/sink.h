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

/**
 * Open a sink and start its writer thread.
 *
 * where    "stdout", "stderr" or a path (created 0640, appended to); copied
 * Fails:   the file cannot be opened, no thread.   Thread: main.
 */
struct sink *sink_open(const char *where, struct error *err);

/** Queue one line (with its newline). Never blocks on I/O. false: dropped for want of room. */
bool sink_write(struct sink *sink, const char *line, size_t length);

/** Lines dropped so far. Any thread. */
uint64_t sink_dropped(const struct sink *sink);

/** Open the path anew (no-op for stdout and stderr). Thread: main. */
void sink_reopen(struct sink *sink);

/** Write what is queued (bounded by 2 s when the reader is stuck), stop the thread, free. NULL is fine. */
void sink_close(struct sink *sink);

#endif
