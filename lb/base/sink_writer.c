/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that writes a sink's lines; see sink.c for how they get to it. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lb/base/sink_parts.h"
#include "lb/base/timestamp.h"

static bool is_over(struct sink *sink)
{
    return atomic_load(&sink->closing) &&
           timestamp_monotonic_ms() >= atomic_load(&sink->close_by_ms);
}

/* Up to a line's end where there is one, so that other writers of the same pipe do not cut ours. */
static size_t pipe_piece(const char *data, size_t length)
{
    if (length <= PIPE_PIECE_BYTES)
        return length;
    const char *end = memrchr(data, '\n', PIPE_PIECE_BYTES);
    return end ? (size_t)(end - data) + 1 : PIPE_PIECE_BYTES;
}

/* One attempt, which must not block for good: a regular file never does, the others are asked
 * first. */
static ssize_t write_once(struct sink *sink, const char *data, size_t length)
{
    if (atomic_load(&sink->is_regular))
        return write(sink->fd, data, length);
    struct pollfd ready = {.fd = sink->fd, .events = POLLOUT};
    if (poll(&ready, 1, STUCK_LOOK_MS) <= 0) {
        errno = EAGAIN;
        return -1;
    }
    if (sink->is_socket)
        return send(sink->fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    return write(sink->fd, data, pipe_piece(data, length));
}

/* Told when it begins, but no more often than once a minute: a disk may be full and not by turns.
 */
static void meet_trouble(struct sink *sink, int failure)
{
    struct trouble *trouble = &sink->trouble;
    int64_t now_ms = timestamp_monotonic_ms();
    if (trouble->is_there)
        return;
    trouble->is_there = true;
    trouble->lost_before = atomic_load(&sink->dropped);
    trouble->is_told =
        trouble->watch && (trouble->told_ms == 0 || now_ms - trouble->told_ms >= TROUBLE_TOLD_MS);
    if (!trouble->is_told)
        return;
    trouble->told_ms = now_ms;
    trouble->watch(trouble->arg, failure, 0);
}

static void leave_trouble(struct sink *sink)
{
    struct trouble *trouble = &sink->trouble;
    if (!trouble->is_there)
        return;
    trouble->is_there = false;
    if (trouble->is_told)
        trouble->watch(trouble->arg, 0, atomic_load(&sink->dropped) - trouble->lost_before);
}

/* Returns how many bytes were written; fewer than length: the file failed or the sink's time is
 * over. */
static size_t write_bytes(struct sink *sink, const char *data, size_t length)
{
    size_t done = 0;
    while (done < length && !is_over(sink)) {
        ssize_t written = write_once(sink, data + done, length - done);
        if (written >= 0) {
            done += (size_t)written;
        } else if (errno != EINTR && errno != EAGAIN) {
            meet_trouble(sink, errno);
            return done;
        }
    }
    if (done == length)
        leave_trouble(sink);
    return done;
}

/* Whole lines. A line whose first part is all that was written gets its end before the next one. */
static size_t write_all(struct sink *sink, const char *data, size_t length)
{
    if (sink->is_cut && write_bytes(sink, "\n", 1) != 1)
        return 0;
    sink->is_cut = false;
    size_t done = write_bytes(sink, data, length);
    if (done > 0)
        sink->is_cut = data[done - 1] != '\n';
    return done;
}

static uint64_t count_lines(const char *data, size_t length)
{
    uint64_t lines = 0;
    for (size_t i = 0; i < length; i++)
        lines += data[i] == '\n';
    return lines;
}

size_t sink_notice_in_logfmt(uint64_t lines, char *into, size_t room)
{
    char time[TIMESTAMP_BYTES + 1] = "";
    timestamp_write(timestamp_now_ms(), time);
    int length =
        snprintf(into, room, "%s warn log.dropped lines=%llu\n", time, (unsigned long long)lines);
    return length > 0 && (size_t)length < room ? (size_t)length : 0;
}

static void tell_dropped(struct sink *sink)
{
    uint64_t dropped = atomic_load(&sink->dropped);
    if (dropped == sink->told)
        return;
    char line[256];
    size_t length = sink->notice(dropped - sink->told, line, sizeof line);
    if (write_all(sink, line, length) == length)
        sink->told = dropped;
}

static void forget_taken(struct sink *sink)
{
    if (sink->taken_granted > 0)
        atomic_fetch_sub(&sink->granted_bytes, sink->taken_granted);
    sink->taken.used = 0;
    if (sink->taken.capacity <= SHARD_KEPT_BYTES)
        return;
    free(sink->taken.data);
    sink->taken = (struct bytes){0};
}

/* The shard's bytes become `taken`, which gives its memory for the next ones. A shard that had
 * nothing since the last time keeps its memory, and gives its advance back. */
static void take_bytes(struct sink *sink, struct shard *shard)
{
    pthread_mutex_lock(&shard->lock);
    size_t granted = shard->granted;
    if (shard->queued.used > 0) {
        struct bytes swapped = shard->queued;
        shard->queued = sink->taken;
        sink->taken = swapped;
        granted = swapped.used;
    }
    shard->granted -= granted;
    pthread_mutex_unlock(&shard->lock);
    sink->taken_granted = granted;
}

/* false: there was nothing. */
static bool drain_shard(struct sink *sink, struct shard *shard)
{
    take_bytes(sink, shard);
    size_t taken = sink->taken.used;
    if (taken > 0) {
        size_t written = write_all(sink, sink->taken.data, taken);
        if (written < taken)
            atomic_fetch_add(&sink->dropped,
                             count_lines(sink->taken.data + written, taken - written));
        else
            tell_dropped(sink);
    }
    forget_taken(sink);
    return taken > 0;
}

static bool drain_shards(struct sink *sink)
{
    bool any = false;
    for (int i = 0; i < SHARD_COUNT; i++)
        any |= drain_shard(sink, &sink->shards[i]);
    return any;
}

static void wait_for_wake(struct sink *sink, int timeout_ms)
{
    struct pollfd woken = {.fd = sink->wake_fd, .events = POLLIN};
    if (poll(&woken, 1, timeout_ms) <= 0)
        return;
    uint64_t count;
    ssize_t got = read(sink->wake_fd, &count, sizeof count);
    (void)got; /* empties the counter; there is nothing to learn from it */
}

/* `resting` is set before the shards are looked at, sink_write queues before it looks at `resting`;
 * the shard's lock keeps that order. */
static void rest(struct sink *sink)
{
    atomic_store(&sink->resting, true);
    if (!drain_shards(sink) && !atomic_load(&sink->closing))
        wait_for_wake(sink, -1);
    atomic_store(&sink->resting, false);
}

void *sink_run_writer(void *given)
{
    struct sink *sink = given;
    for (;;) {
        bool last = atomic_load(&sink->closing);
        bool busy = drain_shards(sink);
        if (last)
            break;
        if (busy)
            wait_for_wake(sink, BATCH_MS);
        else
            rest(sink);
    }
    tell_dropped(sink);
    return NULL;
}
