/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of a way to ask a backend for its health. One file in backends/checks/ defines one
 * `const struct check check_<file>`; the folder is the registry.
 */
#ifndef LB_BACKENDS_CHECK_H
#define LB_BACKENDS_CHECK_H

#include <stdbool.h>

#include "backends/pool.h"
#include "lb/base/connection.h"

struct check_run;
/** The result: passed or not, and the reason in words ("connection refused"). Called once, from the
 * loop. */
typedef void (*check_finished)(struct check_run *run, bool passed, const char *reason);

/** One asking under way; embedded by health.c. A check may use `connection` and `note` freely. */
struct check_run {
    const struct pool *pool;
    const struct backend *backend;
    struct address address; /* the backend's, with health_check_port */
    struct loop_context *context;
    struct connection connection;
    check_finished on_finished;
};

struct check {
    const char *name; /* as in `health_check = tcp` */
    const char *summary;
    /** Begin; on_finished comes later from the loop (never inside), unless stopped. The caller
     * watches the time. */
    void (*start)(struct check_run *run);
    /** Give up: no on_finished any more; `closed` is called from the loop when nothing is open. */
    void (*stop)(struct check_run *run, void (*closed)(struct check_run *run));
};

extern const struct check *const checks[];
const struct check *check_find(const char *name);

#endif
