/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See sink.h. Threads append to one of several shards, so that workers do not meet at one lock; the
 * writer takes a shard's bytes by swapping buffers and writes them without holding anything.
 *
 *   worker 1 ──> shard 1 ─┐
 *   worker 2 ──> shard 2 ─┼─ swap ──> `taken` ── write ──> file or pipe
 *   worker 3 ──> shard 3 ─┘           (one writer thread)
 *
 * The first line after a rest wakes the writer; then it looks every BATCH_MS until nothing is left,
 * so that a busy worker makes no system call to log.
 */
#include "lb/base/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lb/base/error.h"
#include "lb/base/limits.h"
#include "lb/base/sink_parts.h"
#include "lb/base/thread.h"
#include "lb/base/timestamp.h"

/* ---- queueing: any thread ---- */

/* Threads are spread over the shards in the order of their first line; any spread would be correct.
 */
static struct shard *shard_of_thread(struct sink *sink)
{
    static atomic_uint thread_count;
    static _Thread_local unsigned number;
    if (number == 0)
        number = atomic_fetch_add(&thread_count, 1) + 1;
    return &sink->shards[number % SHARD_COUNT];
}

static bool bytes_append(struct bytes *bytes, const char *line, size_t length)
{
    if (bytes->capacity - bytes->used < length) {
        size_t capacity = bytes->capacity > 0 ? bytes->capacity : SHARD_FIRST_BYTES;
        while (capacity - bytes->used < length)
            capacity *= 2;
        char *data = realloc(bytes->data, capacity);
        if (!data)
            return false;
        bytes->data = data;
        bytes->capacity = capacity;
    }
    memcpy(bytes->data + bytes->used, line, length);
    bytes->used += length;
    return true;
}

static void wake(struct sink *sink)
{
    uint64_t one = 1;
    ssize_t written = write(sink->wake_fd, &one, sizeof one);
    (void)written; /* fails only when the counter is full, and then the writer is awake */
}

static bool drop(struct sink *sink)
{
    atomic_fetch_add(&sink->dropped, 1);
    return false;
}

static bool take_grant(struct sink *sink, struct shard *shard, size_t bytes)
{
    if (atomic_fetch_add(&sink->granted_bytes, bytes) + bytes > SINK_BYTES) {
        atomic_fetch_sub(&sink->granted_bytes, bytes);
        return false;
    }
    shard->granted += bytes;
    return true;
}

/* With the shard locked. Near the bound, only what the line needs. */
static bool has_grant(struct sink *sink, struct shard *shard, size_t length)
{
    return shard->granted - shard->queued.used >= length ||
           take_grant(sink, shard, SHARD_ADVANCE_BYTES + length) || take_grant(sink, shard, length);
}

bool sink_write(struct sink *sink, const char *line, size_t length)
{
    struct shard *shard = shard_of_thread(sink);
    pthread_mutex_lock(&shard->lock);
    bool kept = has_grant(sink, shard, length) && bytes_append(&shard->queued, line, length);
    pthread_mutex_unlock(&shard->lock);
    if (!kept)
        return drop(sink);
    if (atomic_load(&sink->resting) && atomic_exchange(&sink->resting, false))
        wake(sink);
    return true;
}

const char *sink_path(const struct sink *sink)
{
    return sink->path;
}

uint64_t sink_dropped(const struct sink *sink)
{
    return atomic_load(&sink->dropped);
}

/* ---- life: main ---- */

static int open_path(const char *path)
{
    /* O_NONBLOCK: a named pipe that nobody reads is an error at once, not a program that hangs. */
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);
}

/* -1: `where` is a path. */
static int standard_fd(const char *where)
{
    if (strcmp(where, "stdout") == 0)
        return STDOUT_FILENO;
    return strcmp(where, "stderr") == 0 ? STDERR_FILENO : -1;
}

/* Everything but the thread: close what there is, free. */
static void sink_free(struct sink *sink)
{
    for (int i = 0; i < SHARD_COUNT; i++) {
        pthread_mutex_destroy(&sink->shards[i].lock);
        free(sink->shards[i].queued.data);
    }
    free(sink->taken.data);
    if (sink->fd >= 0)
        close(sink->fd);
    if (sink->wake_fd >= 0)
        close(sink->wake_fd);
    free(sink->path);
    free(sink);
}

static struct sink *sink_new(void)
{
    struct sink *sink = aligned_alloc(_Alignof(struct sink), sizeof *sink);
    if (!sink)
        error_out_of_memory();
    memset(sink, 0, sizeof *sink);
    sink->fd = sink->wake_fd = -1;
    sink->notice = sink_notice_in_logfmt;
    for (int i = 0; i < SHARD_COUNT; i++)
        pthread_mutex_init(&sink->shards[i].lock, NULL);
    return sink;
}

static bool start_writer(struct sink *sink)
{
    errno = thread_start(&sink->writer, sink_run_writer, sink);
    return errno == 0;
}

static bool open_files(struct sink *sink, const char *where)
{
    int standard = standard_fd(where);
    sink->fd = standard >= 0 ? fcntl(standard, F_DUPFD_CLOEXEC, 3) : open_path(where);
    struct stat status;
    if (sink->fd < 0 || fstat(sink->fd, &status) != 0)
        return false;
    sink->is_socket = S_ISSOCK(status.st_mode);
    atomic_store(&sink->is_regular, S_ISREG(status.st_mode));
    if (standard < 0 && !(sink->path = strdup(where)))
        error_out_of_memory();
    sink->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return sink->wake_fd >= 0;
}

struct sink *sink_open(const char *where, struct error *err)
{
    struct sink *sink = sink_new();
    if (open_files(sink, where) && start_writer(sink))
        return sink;
    error_set(err, "cannot write the log \"%s\": %s", where, strerror(errno));
    sink_free(sink);
    return NULL;
}

void sink_set_notice(struct sink *sink, sink_notice notice)
{
    sink->notice = notice;
}

void sink_set_watch(struct sink *sink, sink_watch watch, void *arg)
{
    sink->trouble.watch = watch;
    sink->trouble.arg = arg;
}

bool sink_reopen(struct sink *sink)
{
    struct stat status;
    if (!sink->path)
        return true;
    int fresh = open_path(sink->path);
    if (fresh < 0)
        return false;
    /* Replaced in one step under the writer, whose write in progress still ends in the old file.
     * What is no regular file is asked before it is written to, and any file may be asked. */
    bool was_regular = atomic_exchange(&sink->is_regular, false);
    bool replaced = fstat(fresh, &status) == 0 && dup3(fresh, sink->fd, O_CLOEXEC) >= 0;
    int failure = errno;
    atomic_store(&sink->is_regular, replaced ? S_ISREG(status.st_mode) : was_regular);
    close(fresh);
    errno = failure;
    return replaced;
}

void sink_close(struct sink *sink)
{
    if (!sink)
        return;
    atomic_store(&sink->close_by_ms, timestamp_monotonic_ms() + CLOSE_MS);
    atomic_store(&sink->closing, true);
    wake(sink);
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += CLOSE_MS / 1000 + 1;
    /* A terminal may hold a write for ever; then the thread keeps the sink and ends with the
     * process. */
    if (pthread_timedjoin_np(sink->writer, NULL, &until) == 0)
        sink_free(sink);
}
