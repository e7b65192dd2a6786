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
#include "backends/check_codes.h"
#include "lb/base/limits.h"
#include "lb/base/option.h"

struct pool_options {
#define OPTION OPTION_MEMBER
#include "backends/pool_options.def"
#undef OPTION
};
extern const struct option_table pool_option_table;

enum pool_protocol { POOL_HTTP, POOL_HTTPS };
enum pool_all_down { POOL_ALL_DOWN_ANY, POOL_ALL_DOWN_503 };

enum session_persistence {
    PERSISTENCE_OFF,
    PERSISTENCE_COOKIE,
    PERSISTENCE_CLIENT_CERTIFICATE,
};

struct arena;
struct backend_tls;
struct check;
struct pool_persistence;

/**
 * How a worker calls the control thread: a backend failed passive_failures exchanges in a row, and
 * its standing's is_blocked was set. Whoever answers publishes the pool without it, logs it and
 * sees that the block is lifted after passive_block. A pool of an earlier config rings too while it
 * has exchanges, so look at is_blocked of every backend (blocked, but blocked_until_ms still 0).
 */
struct pool_bell {
    void (*ring)(struct pool_bell *bell); /* any worker; never blocks */
};

/**
 * A smooth-weighted order of the eligible backends (the classic: raise each by its weight, take the
 * highest, lower it by the sum), computed once per change of verdicts and then immutable: taking
 * turns costs one atomic increment, and two backends alternate strictly even when requests arrive
 * on different workers. All down and all_down = any: everyone is in it.
 */
struct sequence {
    atomic_uint references;
    unsigned turn_count;     /* 0: nobody is eligible */
    unsigned eligible_count; /* distinct backends in it */
    uint16_t turns[];        /* indices of backends */
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
    struct backend *backends;  /* array */
    atomic_uint_fast64_t turn; /* taken by first tries of all workers; never wraps in practice */
    atomic_uint_fast64_t retry_turn; /* taken by retries, so that they shift nobody else's turn */
    pthread_mutex_t publish;         /* guards `sequence` when it is replaced or newly referenced */
    struct sequence *sequence;
    struct roster *roster;  /* NULL before pool_open */
    struct pool_bell *bell; /* set before workers see the pool; NULL: nobody listens, and no backend
                               is ever blocked */
    atomic_bool wants_attention; /* a backend of it was blocked since somebody last looked; set
                                    before the bell rings */
    struct pool_persistence *persistence; /* NULL: no cookies */
    struct backend_tls *tls;              /* NULL: protocol = http */
    /* What of the pool's settings a link depends on, as text: backends whose is equal may share
     * links. "" without TLS. */
    const char *link_identity;
    atomic_uint generation; /* raised at each publication: workers compare it before a turn */
};

/** One request's wish for a backend, and one worker's view of the pool. */
struct choice {
    const struct sequence *sequence;         /* of the worker's view, up to date */
    const struct backend *wanted;            /* of session_persistence; NULL: none. Set before the
                                                first choice: while it is eligible and was not tried,
                                                nobody else is chosen */
    uint64_t tried[POOL_BACKENDS_MOST / 64]; /* bit set of backends that failed for this request */
    unsigned tried_count;
};

/** Is this backend out of the question for this request? */
bool choice_tried(const struct choice *choice, unsigned backend);
/** Take a backend out of the question; adding it twice counts once. */
void choice_add_tried(struct choice *choice, unsigned backend);

/**
 * Build a pool from its options.
 *
 * Reports at file:line: no backend, a bad one, two of one name, an unknown balancer (with the
 * nearest known), a check's timeout that is not less than its interval, more than
 * POOL_BACKENDS_MOST backends or SEQUENCE_TURNS_MOST turns.
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
/** Leave the roster and release what is not the arena's; all views must be done. A pool that was
 * never prepared or opened is fine. Thread: control. */
void pool_done(struct pool *pool);

/**
 * Publish a new sequence from what is known of the backends now: verdicts, drained or not, blocked
 * or not, weights of those that start slowly. Cheap when nothing changed. Out of memory keeps the
 * old one and says so in the log.
 *
 * now_ms   time of the control thread's loop, as standing->up_ms
 * returns  ms until it should be published again because a backend's weight grows (slow_start); 0:
 *          not before something happens
 * Thread:  control
 */
uint32_t pool_publish(struct pool *pool, uint64_t now_ms);

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

/** Choose with the pool's balancer; -1: none left (all down with all_down = 503, no weight over 0,
 * or all tried). choice   zeroed for a new request, kept for its retries.   Any worker. */
int pool_choose(struct pool *pool, struct pool_view *view, struct choice *choice);

/**
 * Compute the sequence of the backends that are eligible now.
 *
 * returns  one reference for the caller; NULL: out of memory
 */
struct sequence *sequence_new(const struct pool *pool);
/** Give one reference back; NULL is fine. Any thread. */
void sequence_unref(struct sequence *sequence);
/** Turns the pool needs when every backend is eligible: the sum of the weights divided by their
 * gcd. */
uint64_t sequence_turns_needed(const struct backend *backends, unsigned count);

#endif
