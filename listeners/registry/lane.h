/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that runs jobs one after the other, in the order in which they came, and tends to
 * something between them. */
#ifndef LB_LISTENERS_REGISTRY_LANE_H
#define LB_LISTENERS_REGISTRY_LANE_H

#include <stdbool.h>

#include "lb/base/error.h"
#include "listeners/registry/registry.h"

struct lane;

/** What a lane does; all on its thread. */
struct lane_plan {
    const char *name; /* of the thread, at most 15 bytes */
    void (*run)(void *arg, struct registry_job *job);
    void (*tend)(void *arg); /* NULL: nothing to tend to */
    int tend_ms;             /* at least so often while there is no job */
    void *arg;
};

/** plan: copied. The thread gets no signals. Fails: no thread to be had. */
struct lane *lane_open(const struct lane_plan *plan, struct error *err);
/** Any thread. */
void lane_submit(struct lane *lane, struct registry_job *job);
/** What was submitted is run first; waits for it. NULL is fine. */
void lane_close(struct lane *lane);

#endif
