/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the INI file anew while clients are served. The file is loaded and the workers' editions
 * are made on a thread of the pool; the control thread then opens new sockets and offers each
 * worker its edition. Until then nothing has changed, and when anything fails nothing does.
 *
 *   IDLE ── reload_begin ──> LOADING ── all good ──> ADOPTING ── every worker has adopted ──> IDLE
 *     ^                         └── problems: told, and nothing changed ──────────────────────┘
 *
 * Who asks while a reload is under way gets another one after it: the file may have changed since.
 */
#ifndef LB_RELOAD_H
#define LB_RELOAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

#include "lb/base/arena.h"
#include "lb/base/error.h"
#include "lb/base/list.h"
#include "lb/config.h"

struct edition;
struct server;
struct sockets;

enum reload_state {
    RELOAD_IDLE,     /* waits for somebody to ask */
    RELOAD_LOADING,  /* waits for the thread that loads */
    RELOAD_ADOPTING, /* waits for the workers */
};

/** Who wants to know how it went. Owned by who asks, until it is told. */
struct reload_waiter {
    /** Called once, from the loop. problems: errors (reloaded is false) or warnings; lent. */
    void (*on_reloaded)(struct reload_waiter *waiter, bool reloaded,
                        const struct problems *problems);
    struct list_node node;
};

/** Embedded in the server. */
struct reload {
    enum reload_state state;
    bool again; /* asked for while one was under way */
    uv_work_t work;
    struct problems problems;
    struct config *config;     /* the new one while LOADING */
    struct edition **editions; /* one for each worker, while LOADING */
    struct sockets *sockets;   /* while ADOPTING */
    uint64_t began_ms;
    atomic_uint adopted_count;
    struct list_node waiters;  /* of the reload under way */
    struct list_node next;     /* of the one after it */
    struct lb_options started; /* what only a start reads, as it was then; texts in `arena` */
    struct arena arena;
    int64_t loaded_s;               /* wall clock: when the config in force was loaded */
    bool last_failed;               /* the last reload changed nothing … */
    int64_t failed_s;               /* … wall clock: at this time … */
    char failure[ERROR_TEXT_BYTES]; /* … for this reason: its first error, with its place */
};

void reload_init(struct server *server);

/**
 * Reload. waiter: NULL: nobody wants to know. While the server drains the answer is no. Thread:
 * control, as for all here.
 */
void reload_begin(struct server *server, struct reload_waiter *waiter);

/** A worker may have adopted its edition. */
void reload_advance(struct server *server);

/** The workers are joined: release what is under way. */
void reload_done(struct server *server);

#endif
