/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread with one loop: its listening sockets, its clients, their exchanges, its links. Workers
 * share nothing but the frozen config, verdicts, counts, turns, sessions, verified chains and logs.
 */
#ifndef LB_WORKER_H
#define LB_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "lb/config.h"

struct access_log;
struct chain_cache;
struct error;
struct worker;

/** What the server lends to all workers until every one is joined. */
struct worker_share {
    const struct config *config;
    struct chain_cache *chains;
    struct access_log *access_log; /* NULL: off */
    atomic_uint client_count;
    void (*on_done)(void *server); /* a worker has ended; called on its thread */
    void *server;
};

/**
 * Prepare everything that can fail: sockets are bound and listening, TLS contexts are built; then
 * start the thread. Fails: an address cannot be bound, OpenSSL refuses a setting, no thread.
 * Thread: main.
 */
struct worker *worker_start(struct worker_share *share, unsigned index, struct error *err);
/** No new clients; idle ones are sent away, exchanges in flight may end. Any thread. */
void worker_drain(struct worker *worker);
/** Close everyone now. Any thread. */
void worker_stop(struct worker *worker);
/** Wait for the thread and free. Thread: main. NULL is fine. */
void worker_join(struct worker *worker);

#endif
