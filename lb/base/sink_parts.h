/* SPDX-License-Identifier: Apache-2.0 */
/* A sink's inside, for sink.c (life, queueing) and sink_writer.c (the writer thread) only. */
#ifndef LB_BASE_SINK_PARTS_H
#define LB_BASE_SINK_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "lb/base/sink.h"

enum {
    SHARD_COUNT = 16,
    SHARD_FIRST_BYTES = 16 * 1024,
    SHARD_KEPT_BYTES = 256 * 1024, /* an emptied buffer larger than this is given back to malloc */
    SHARD_ADVANCE_BYTES = 16 * 1024, /* of SINK_BYTES, asked for at once: so many lines of a worker
                                        touch nothing that another worker touches */
    BATCH_MS = 10,
    STUCK_LOOK_MS = 100, /* how often a writer at a full pipe looks whether it should end */
    CLOSE_MS = 2000,
    TROUBLE_TOLD_MS = 60 * 1000,
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
    size_t granted; /* of the sink's bytes: for those queued and for some that will come */
};

/* Lines that cannot be written; the writer's own. */
struct trouble {
    sink_watch watch; /* NULL: nobody wants to know */
    void *arg;
    bool is_there;
    bool is_told;
    int64_t told_ms;      /* monotonic, the last time; 0: never */
    uint64_t lost_before; /* lines dropped before it began */
};

struct sink {
    struct shard shards[SHARD_COUNT];
    atomic_size_t granted_bytes; /* to all shards, and in `taken`; at most SINK_BYTES */
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
    atomic_bool is_regular; /* false while it is being reopened */
    bool is_cut;            /* the last line ends in the middle */
    struct trouble trouble;
    struct bytes taken;
    size_t taken_granted; /* what it counts for in granted_bytes */
    pthread_t writer;
};

/** The writer thread's function; given: its sink. */
void *sink_run_writer(void *given);

/** The usual notice of dropped lines. */
size_t sink_notice_in_logfmt(uint64_t lines, char *into, size_t room);

#endif
