/* SPDX-License-Identifier: Apache-2.0 */
/* The backends that serve the same purpose, how one is chosen and how they are checked. */
#ifndef LB_BACKENDS_POOL_H
#define LB_BACKENDS_POOL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "backends/backend.h"
#include "backends/balancer.h"
#include "backends/health/check_codes.h"
#include "backends/sequence.h"
#include "lb/base/limits.h"
#include "lb/base/log_ration.h"
#include "lb/base/option.h"

struct pool_options {
#define OPTION OPTION_MEMBER
#include "backends/pool_options.def"
#undef OPTION
};
extern const struct option_table pool_option_table;

enum pool_protocol { POOL_HTTP, POOL_HTTPS, POOL_H2, POOL_H2S };
enum pool_all_down { POOL_ALL_DOWN_ANY, POOL_ALL_DOWN_503 };

enum session_persistence {
    PERSISTENCE_OFF,
    PERSISTENCE_COOKIE,
    PERSISTENCE_CLIENT_CERTIFICATE,
};

struct affinity;
struct arena;
struct backend_tls;
struct check;
struct pool_persistence;
struct queue;

/**
 * How a worker calls the control thread: a backend failed passive_failures exchanges in a row, and
 * its standing's is_blocked was set. Whoever answers publishes the pool without it, logs it and
 * sees that the block is lifted after passive_block. A pool of an earlier config rings too while it
 * has exchanges, so look at is_blocked of every backend (blocked, but blocked_until_ms still 0).
 */
struct pool_bell {
    void (*ring)(struct pool_bell *bell); /* any worker; never blocks */
};

struct pool {
    const char *name;
    unsigned line;
    unsigned index; /* among the config's pools */
    const struct pool_options *options;
    const struct balancer *balancer;
    const struct check *check;      /* NULL: health_check = off */
    const char *check_host;         /* Host of http and https checks; NULL: the backend's address */
    struct check_codes check_codes; /* the answers to them that pass */
    unsigned backend_count;
    struct backend *backends;        /* array */
    bool is_limited;                 /* some backend has max_connections */
    const struct affinity *affinity; /* NULL: nothing asks for it, or nobody has a weight */
    pthread_mutex_t publish;         /* guards `sequence` when it is replaced or newly referenced */
    struct sequence *sequence;
    enum pool_state state;      /* as published last; the control thread's, as what the log was */
    enum pool_state told_state; /* told of it */
    struct roster *roster;      /* NULL before pool_open */
    struct queue *queue;    /* requests that wait for a place; shared with pools of the same name */
    struct pool_bell *bell; /* set before workers see the pool; NULL: nobody listens, and no backend
                               is ever blocked */
    atomic_bool wants_attention; /* a backend of it was blocked since somebody last looked; set
                                    before the bell rings */
    struct pool_persistence *persistence; /* NULL: no cookies */
    struct backend_tls *tls;              /* NULL: without TLS */
    /* What of the pool's settings a link depends on, as text: backends whose is equal may share
     * links. "" without TLS and HTTP/2. */
    const char *link_identity;
    atomic_uint generation; /* raised at each publication: workers compare it before a turn */
    char apart[64]; /* what follows is written for each request by some worker: it keeps off the
                       cache line of what all only read */
    atomic_uint_fast64_t turn; /* taken by first tries of all workers; never wraps in practice */
    atomic_uint_fast64_t retry_turn; /* taken by retries, so that they shift nobody else's turn */
    struct log_ration told_full;     /* lines about requests for which it had no place */
};

/**
 * Build a pool from its options.
 *
 * Reports at file:line: no backend, bad ones with all that is wrong with them, two of one name, an
 * unknown balancer (with the nearest known), more than POOL_BACKENDS_MOST backends, and what
 * pool_checks.h and pool_persistence.h say.
 *
 * pool     zeroed; lives in the config's arena; borrows name and options, which live as long
 * returns  false when problems were added: the pool is then unusable and needs no pool_done;
 *          else it needs pool_open before it can be used
 * Thread:  the one that loads the config. May resolve names, so it may block.
 */
bool pool_prepare(struct pool *pool, const char *name, unsigned line,
                  const struct pool_options *options, struct arena *arena, const char *file,
                  struct problems *problems);
/**
 * Join the roster with every backend and publish the first sequence: the pool can be used from now
 * on.
 *
 * roster   borrowed until pool_done
 * before   the pool of the same name that this one takes the place of, whose turns it goes on with;
 *          NULL: none
 * Fails:   out of memory; pool_done is still needed.   Thread: control
 */
bool pool_open(struct pool *pool, struct roster *roster, const struct pool *before);
/**
 * The config of this pool is the present one: its max_connections hold from now on, for the
 * exchanges of its predecessor, too. Backends that are new to the roster have theirs by pool_open.
 * Thread: control
 */
void pool_enforce(struct pool *pool);
/** Leave the roster and release what is not the arena's; all views must be done. A pool that was
 * never prepared or opened is fine. Thread: control. */
void pool_done(struct pool *pool);

/**
 * Publish a new sequence from what is known of the backends now: verdicts, drained or not, blocked
 * or not, weights of those that start slowly. Cheap when nothing changed. Out of memory keeps the
 * old one and says so in the log, which is told as well when the pool's state is another.
 *
 * now_ms   time of the control thread's loop, as standing->up_ms
 * returns  ms until it should be published again because a backend's weight grows (slow_start); 0:
 *          not before something happens
 * Thread:  control
 */
uint32_t pool_publish(struct pool *pool, uint64_t now_ms);

/** Do its backends speak HTTP/2? */
static inline bool pool_speaks_h2(const struct pool *pool)
{
    return pool->options->protocol == POOL_H2 || pool->options->protocol == POOL_H2S;
}
/** Are its backends spoken to over TLS? */
static inline bool pool_speaks_tls(const struct pool *pool)
{
    return pool->options->protocol == POOL_HTTPS || pool->options->protocol == POOL_H2S;
}

/** "up", "all-down" or "down". Static. */
const char *pool_state_name(enum pool_state state);

/** A worker's own reference to the pool's sequence; zero-initialised is empty. */
struct pool_view {
    unsigned generation;
    struct sequence *sequence;
};
/** The present sequence: one atomic load, and the pool's mutex only when the generation moved. Any
 * worker. */
const struct sequence *pool_view_sequence(struct pool *pool, struct pool_view *view);
/** Give the reference up; the view is empty again. */
void pool_view_done(struct pool *pool, struct pool_view *view);
/** Does this backend get anything new, by the sequence that was published last? Any thread; takes
 * the pool's mutex. */
bool pool_is_eligible(struct pool *pool, unsigned backend);

/**
 * An exchange failed before its answer was complete, and it was the backend's fault: refused, late,
 * reset, cut or no HTTP. At passive_failures in a row the backend is blocked and the bell rings.
 * Any worker.
 */
void pool_note_failure(struct pool *pool, const struct backend *backend);
/** The backend answered an exchange to the answer's end. One load while nothing failed. Any
 * worker. */
void pool_note_answer(const struct backend *backend);

#endif
