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
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lb/base/error.h"
#include "lb/base/limits.h"
#include "lb/base/timestamp.h"

enum {
    SHARD_COUNT = 16,
    SHARD_FIRST_BYTES = 16 * 1024,
    SHARD_KEPT_BYTES = 256 * 1024, /* an emptied buffer larger than this is given back to malloc */
    BATCH_MS = 10,
    STUCK_LOOK_MS = 100, /* how often a writer at a full pipe looks whether it should end */
    CLOSE_MS = 2000,
    PIPE_PIECE_BYTES = 4096, /* PIPE_BUF: a writable pipe takes this much without blocking */
};

struct bytes {
    char *data;
    size_t used;
    size_t capacity;
};

struct shard {
    _Alignas(64) pthread_mutex_t lock; /* a cache line of its own */
    struct bytes queued;
};

struct sink {
    struct shard shards[SHARD_COUNT];
    atomic_size_t queued_bytes; /* in all shards and in `taken`; at most SINK_BYTES */
    _Atomic uint64_t dropped;
    uint64_t told;       /* of dropped, by the writer's lines */
    atomic_bool resting; /* the writer waits for wake_fd and nothing else */
    atomic_bool closing;
    _Atomic int64_t close_by_ms; /* monotonic; set before closing */
    sink_notice notice;
    char *path; /* NULL: stdout or stderr */
    int fd;
    int wake_fd;
    bool is_socket;
    bool is_regular;
    struct bytes taken;
    pthread_t writer;
};

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

static bool drop(struct sink *sink, size_t length)
{
    atomic_fetch_sub(&sink->queued_bytes, length);
    atomic_fetch_add(&sink->dropped, 1);
    return false;
}

bool sink_write(struct sink *sink, const char *line, size_t length)
{
    if (atomic_fetch_add(&sink->queued_bytes, length) + length > SINK_BYTES)
        return drop(sink, length);
    struct shard *shard = shard_of_thread(sink);
    pthread_mutex_lock(&shard->lock);
    bool kept = bytes_append(&shard->queued, line, length);
    pthread_mutex_unlock(&shard->lock);
    if (!kept)
        return drop(sink, length);
    if (atomic_load(&sink->resting) && atomic_exchange(&sink->resting, false))
        wake(sink);
    return true;
}

uint64_t sink_dropped(const struct sink *sink)
{
    return atomic_load(&sink->dropped);
}

/* ---- writing: the writer thread ---- */

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
    if (sink->is_regular)
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

/* Returns how many bytes were written; fewer than length: the file failed or the sink's time is
 * over. */
static size_t write_all(struct sink *sink, const char *data, size_t length)
{
    size_t done = 0;
    while (done < length && !is_over(sink)) {
        ssize_t written = write_once(sink, data + done, length - done);
        if (written >= 0)
            done += (size_t)written;
        else if (errno != EINTR && errno != EAGAIN)
            break;
    }
    return done;
}

static uint64_t count_lines(const char *data, size_t length)
{
    uint64_t lines = 0;
    for (size_t i = 0; i < length; i++)
        lines += data[i] == '\n';
    return lines;
}

static size_t notice_in_logfmt(uint64_t lines, char *into, size_t room)
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
    atomic_fetch_sub(&sink->queued_bytes, sink->taken.used);
    sink->taken.used = 0;
    if (sink->taken.capacity <= SHARD_KEPT_BYTES)
        return;
    free(sink->taken.data);
    sink->taken = (struct bytes){0};
}

static void drain_shard(struct sink *sink, struct shard *shard)
{
    pthread_mutex_lock(&shard->lock);
    struct bytes swapped = shard->queued;
    shard->queued = sink->taken;
    sink->taken = swapped;
    pthread_mutex_unlock(&shard->lock);
    if (sink->taken.used == 0)
        return;
    size_t written = write_all(sink, sink->taken.data, sink->taken.used);
    if (written < sink->taken.used)
        atomic_fetch_add(&sink->dropped,
                         count_lines(sink->taken.data + written, sink->taken.used - written));
    else
        tell_dropped(sink);
    forget_taken(sink);
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

/* `resting` is set before the queue is looked at, sink_write queues before it looks at `resting`.
 */
static void rest(struct sink *sink)
{
    atomic_store(&sink->resting, true);
    bool idle = atomic_load(&sink->queued_bytes) == 0 && !atomic_load(&sink->closing);
    if (idle)
        wait_for_wake(sink, -1);
    atomic_store(&sink->resting, false);
}

static void *run_writer(void *given)
{
    struct sink *sink = given;
    for (;;) {
        bool last = atomic_load(&sink->closing);
        bool busy = atomic_load(&sink->queued_bytes) > 0;
        for (int i = 0; i < SHARD_COUNT; i++)
            drain_shard(sink, &sink->shards[i]);
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
    sink->notice = notice_in_logfmt;
    for (int i = 0; i < SHARD_COUNT; i++)
        pthread_mutex_init(&sink->shards[i].lock, NULL);
    return sink;
}

/* Signals are for the main thread; SIGPIPE must not end the process when the log's reader does. */
static bool start_writer(struct sink *sink)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&sink->writer, NULL, run_writer, sink);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = failure;
    return failure == 0;
}

static bool open_files(struct sink *sink, const char *where)
{
    int standard = standard_fd(where);
    sink->fd = standard >= 0 ? fcntl(standard, F_DUPFD_CLOEXEC, 3) : open_path(where);
    struct stat status;
    if (sink->fd < 0 || fstat(sink->fd, &status) != 0)
        return false;
    sink->is_socket = S_ISSOCK(status.st_mode);
    sink->is_regular = S_ISREG(status.st_mode);
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

bool sink_reopen(struct sink *sink)
{
    if (!sink->path)
        return true;
    int fresh = open_path(sink->path);
    if (fresh < 0)
        return false;
    /* Replaced in one step under the writer, whose write in progress still ends in the old file. */
    bool replaced = dup3(fresh, sink->fd, O_CLOEXEC) >= 0;
    int failure = errno;
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
