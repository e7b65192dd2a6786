/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of a way to ask a backend for its health. One file in backends/checks/ defines one
 * `const struct check check_<file>`; the folder is the registry.
 */
#ifndef LB_BACKENDS_CHECK_H
#define LB_BACKENDS_CHECK_H

#include <stdbool.h>
#include <uv.h>

#include "backends/pool.h"
#include "lb/base/connection.h"

enum { CHECK_REASON_BYTES = 160 };

struct check_run;
/** The result: passed or not, and the reason in words ("Connection refused"), lent during the call.
 *  Called once, from the loop, when nothing of the run is open any more: it may be started again.
 */
typedef void (*check_finished)(struct check_run *run, bool passed, const char *reason);
/** Nothing of a stopped run is open any more. Called once, from the loop. */
typedef void (*check_stopped)(struct check_run *run);

/** One asking under way; embedded by health.c. The first five members are filled by the caller, the
 *  others are the check's own; all of it zeroed before the first start. */
struct check_run {
    const struct pool *pool;
    const struct backend *backend;
    struct address address; /* the backend's, with health_check_port */
    struct loop_context *context;
    check_finished on_finished;

    struct connection connection;
    uv_timer_t soon;          /* for a result that is known at once */
    check_stopped on_stopped; /* not NULL: stopped, on_finished is not wanted */
    bool closing;             /* the result is known, the descriptor is going */
    bool passed;
    char reason[CHECK_REASON_BYTES];
};

struct check {
    const char *name; /* as in `health_check = tcp` */
    const char *summary;
    /** Begin; on_finished comes later from the loop (never inside), unless stopped. The caller
     *  watches the time. */
    void (*start)(struct check_run *run);
    /** Give up a run that is under way: no on_finished any more; `stopped` is called from the loop
     *  (never inside) when nothing is open. */
    void (*stop)(struct check_run *run, check_stopped stopped);
};

/** Written by cmake from the folder; sorted, NULL at its end. */
extern const struct check *const checks[];

/** The check of this name, or NULL (also for "off"). */
const struct check *check_find(const char *name);

/** The known name an operator probably meant ("off" is one), or NULL. */
const char *check_nearest(const char *name);

#endif
