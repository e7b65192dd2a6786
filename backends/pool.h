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
#include "lb/base/option.h"

struct pool_options {
#define OPTION OPTION_MEMBER
#include "backends/pool_options.def"
#undef OPTION
};
extern const struct option_table pool_option_table;

enum pool_check { POOL_CHECK_OFF, POOL_CHECK_TCP };
enum pool_all_down { POOL_ALL_DOWN_ANY, POOL_ALL_DOWN_503 };

/**
 * A smooth-weighted order of the eligible backends (the classic: raise each by its weight, take the highest, lower it by
 * the sum), computed once per change of verdicts and then immutable: taking turns costs one atomic increment, and two backends
 * alternate strictly even when requests arrive on different workers. All down and all_down = any: everyone is in it.
 */
struct sequence {
    atomic_uint references;
    unsigned turn_count;       /* 0: nobody is eligible */
    unsigned eligible_count;   /* distinct backends in it */
    uint16_t turns[];          /* indices of backends */
};

struct pool {
    const char *name;
    unsigned line;
    unsigned index; /* among the config's pools */
    const struct pool_options *options;
    const struct balancer *balancer;
    unsigned backend_count;
    struct backend *backends; /* array */
    atomic_uint turn;
    pthread_mutex_t publish;           /* guards `sequence` when it is replaced or newly referenced */
    struct sequence *sequence;
    atomic_uint generation;            /* raised at each publication; workers compare it before they take turns */
};

/** One request's wish for a backend, and one worker's view of the pool. */
struct choice {
    const struct sequence *sequence; /* of the worker's view, up to date */
    uint64_t tried[16];              /* bit set of backends that failed for this request; first 1,024 backends */
    unsigned tried_count;
};

/** Is this backend out of the question for this request? */
bool choice_tried(const struct choice *choice, unsigned backend);
void choice_add_tried(struct choice *choice, unsigned backend);

/**
 * Build a pool from checked options. Reports at file:line: no backend, two of one name, unknown balancer (with the nearest
 * known), timeout not less than the interval, more than SEQUENCE_TURNS_MOST turns.
 * pool     zeroed; lives in the config's arena;  returns false when problems were added
 */
bool pool_prepare(struct pool *pool, const char *name, unsigned line, const struct pool_options *options,
                  struct arena *arena, const char *file, struct problems *problems);
void pool_done(struct pool *pool);

/** Publish a new sequence from the present verdicts. Thread: control (and pool_prepare). */
void pool_publish(struct pool *pool);

/** A worker's own reference to the pool's sequence, refreshed when the generation moved (one atomic load otherwise). */
struct pool_view {
    unsigned generation;
    struct sequence *sequence;
};
const struct sequence *pool_view_sequence(struct pool *pool, struct pool_view *view);
void pool_view_done(struct pool *pool, struct pool_view *view);

/** Choose with the pool's balancer; -1: none left (all down with all_down = 503, or all tried). Any worker. */
int pool_choose(struct pool *pool, struct pool_view *view, struct choice *choice);

#endif
