/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where requests wait while every backend they may have is full (max_connections). One queue for
 * all pools of one name: the pools of a former config share it with those of the present one, as
 * they share the standings of their backends.
 *
 *   worker A: pool_take ── POOL_FULL ──> queue_join ──> the waiter waits, first come first served
 *   worker B: pool_leave ── somebody waits? ──> takes the place for the first who may have it
 *                   └──> A's desk ── uv_async ──> on_called, on A's loop: the place is taken
 * already
 *
 * Nobody touches the lock while nobody waits. That none is forgotten is a matter of order: who
 * wants to wait first says so and then looks for a place; who leaves first gives the place back and
 * then looks whether somebody waits. The same holds for a change of verdict.
 */
#ifndef LB_BACKENDS_QUEUE_H
#define LB_BACKENDS_QUEUE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "lb/base/list.h"

struct choice;
struct pool;
struct pool_view;
struct waiter;

/** Where a worker's waiters are called. Embedded in what the worker's exchanges share; zero is
 * closed. */
struct queue_desk {
    uv_async_t wake;
    pthread_mutex_t lock;
    struct list_node called; /* waiters whose on_called is due */
    bool is_open;
};

/** loop: the worker's, borrowed until the desk is closed. Fails: out of descriptors or memory. */
bool queue_desk_open(struct queue_desk *desk, uv_loop_t *loop);
/** No waiter of this desk waits. The loop must run once more; a closed desk is fine. */
void queue_desk_close(struct queue_desk *desk);

enum waiter_state {
    WAITER_AWAY,    /* waits for nothing */
    WAITER_WAITING, /* in the queue */
    WAITER_CALLED,  /* at its desk, with what was found for it */
};

enum {
    QUEUE_WAITS = -3, /* on_called comes */
    QUEUE_AGAIN = -4, /* choose again: the backend that was waited for is no longer eligible */
};

/** Who waits. Embedded in an exchange; zero-initialised is away. */
struct waiter {
    struct list_node node; /* in the queue, or at the desk */
    enum waiter_state state;
    struct queue_desk *desk;
    struct pool *pool; /* NULL: it is away */
    struct choice *choice;
    int bound;       /* the only backend it waits for; -1: any */
    int found;       /* when called */
    uint64_t ticket; /* who came first */
    /**
     * Its turn has come. Called from the loop of its worker; it is away again.
     *
     * found  a backend's index, where the exchange is counted; POOL_NONE: nobody is left;
     *        QUEUE_AGAIN
     */
    void (*on_called)(struct waiter *waiter, int found);
};

struct queue {
    atomic_uint waiting; /* how many, or are just about to; looked at without the lock */
    pthread_mutex_t lock;
    struct list_node open; /* waiters that any backend will do for; who is bound to one is in the
                              list of its standing */
    uint64_t next_ticket;
    /* The control thread's alone. */
    struct queue *next; /* in its queues */
    unsigned references;
    uint64_t hash;
    char pool[]; /* name */
};

/** All queues; zero-initialised is none. The roster has them. */
struct queues {
    struct queue *first;
};

/** The queue of the pools of this name: one reference for the caller; NULL: out of memory. Thread:
 * control. */
struct queue *queues_join(struct queues *queues, const char *pool);
/** Give one reference back; nobody of that pool waits. NULL is fine. Thread: control. */
void queues_leave(struct queues *queues, struct queue *queue);

/** Does somebody wait, so that others may not go ahead? One load. */
static inline bool queue_is_used(struct queue *queue)
{
    return atomic_load(&queue->waiting) > 0;
}

/**
 * Wait for a backend of a pool that pool_take found full.
 *
 * view     the calling worker's, of this pool
 * choice   borrowed while the waiter waits
 * waiter   its desk and on_called are set
 * returns  QUEUE_WAITS; or at once the index of a backend (a place became free meanwhile),
 * POOL_NONE, or POOL_FULL: max_queue requests wait already Thread:  any worker
 */
int queue_join(struct pool *pool, struct pool_view *view, struct choice *choice,
               struct waiter *waiter);
/** Wait no longer. A place that was found meanwhile goes to the next one. Away is fine. The worker
 * of its desk. */
void queue_leave(struct waiter *waiter);

/** A place became free at a backend of the pool. Any thread; for choice.c. */
void queue_serve(struct pool *pool, unsigned backend);
/** A new sequence was published: whoever can be served now is, and nobody waits for what will not
 * come. Control; for pool.c. */
void queue_review(struct pool *pool);

#endif
