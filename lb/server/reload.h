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
 *
 * When client CAs or their bindings change it is the text in force that is loaded again, never the
 * file, which somebody may be editing. Where both are wanted the file comes first; if it is no good
 * the text in force is loaded after it.
 */
#ifndef LB_SERVER_RELOAD_H
#define LB_SERVER_RELOAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

#include "lb/base/arena.h"
#include "lb/base/error.h"
#include "lb/base/list.h"
#include "lb/config/config.h"

struct edition;
struct server;
struct sockets;

enum reload_state {
    RELOAD_IDLE,     /* waits for somebody to ask */
    RELOAD_LOADING,  /* waits for the thread that loads */
    RELOAD_ADOPTING, /* waits for the workers */
};

enum reload_source {
    RELOAD_FROM_FILE, /* somebody asked for it */
    RELOAD_FROM_TEXT, /* the text in force: the registry's CAs have changed */
};

/** Who wants to know how it went. Owned by who asks, until it is told. */
struct reload_waiter {
    /** Called once, from the loop. problems: errors (reloaded is false) or warnings; lent. */
    void (*on_reloaded)(struct reload_waiter *waiter, bool reloaded,
                        const struct problems *problems);
    struct list_node node;
};

/** One source's next reload. */
struct reload_wish {
    bool is_there;
    struct list_node waiters;
};

/** Embedded in the server. */
struct reload {
    enum reload_state state;
    enum reload_source source; /* of the reload under way */
    struct reload_wish file;   /* wished for since that began; so is … */
    struct reload_wish text;
    struct reload_wish carried; /* … of the text, before a reload of the file began: met by it
                                   unless it fails */
    bool is_idle;               /* nothing had to be loaded */
    uv_work_t work;
    struct problems problems;
    struct config *config;     /* the new one while LOADING */
    struct edition **editions; /* one for each worker, while LOADING */
    struct sockets *sockets;   /* while ADOPTING */
    uint64_t began_ms;
    atomic_uint adopted_count;
    struct list_node waiters;  /* of the reload under way */
    struct lb_options started; /* what only a start reads, as it was then; texts in `arena` */
    const char *started_store; /* of [registry], as well */
    struct arena arena;
    int64_t loaded_s; /* wall clock: when the config in force was loaded */
    uint64_t good_count;
    uint64_t bad_count;
    bool last_failed; /* the last reload changed nothing … */
    enum reload_source failed_source;
    int64_t failed_s;               /* … wall clock: at this time … */
    char failure[ERROR_TEXT_BYTES]; /* … for this reason: its first error, with its place */
};

void reload_init(struct server *server);

/**
 * Reload. waiter: NULL: nobody wants to know. While the server drains the answer is no. Thread:
 * control, as for all here.
 */
void reload_begin(struct server *server, struct reload_waiter *waiter);

/**
 * Load the text that is in force again, because what the registry knows of CAs has changed: what it
 * knows when this is called is in force when the waiter is told true. waiter: as for reload_begin;
 * where the registry says what it said when the config in force was loaded, or no rule asks it, it
 * is told true, and nothing is loaded.
 */
void reload_begin_again(struct server *server, struct reload_waiter *waiter);

/** A worker may have adopted its edition. */
void reload_advance(struct server *server);

/** The workers are joined: release what is under way. */
void reload_done(struct server *server);

#endif
