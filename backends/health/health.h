/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When to check, and how results become verdicts: rise and fall, spread over the interval. One
 * health lives as long as the server; a reload gives it other pools.
 *
 *   health_start(first pools) ── health_replace(other pools) … ── health_stop
 */
#ifndef LB_BACKENDS_HEALTH_HEALTH_H
#define LB_BACKENDS_HEALTH_HEALTH_H

#include "backends/pool.h"
#include "lb/base/connection.h"

struct health;

/**
 * Start checking every backend of the pools whose health_check is not off (weight 0 too), and
 * tending the blocks and slow starts of all pools. Sets each pool's bell: call it before workers
 * see the pools.
 *
 * The first check of a backend that fails is enough for "down", the first that passes for "up";
 * from then on the thresholds count. Each change of verdict is one log line with the reason and is
 * published to the workers at once. All backends are asked within the first second, then each in
 * its own part of the interval, so that they are never asked all at once. A check that lb itself
 * could not make (no descriptor) changes no verdict.
 *
 * pools    open; array borrowed for the call, pools until the next health_replace or health_stop
 * Fails:   out of memory or descriptors: NULL, and the log says which
 * Thread:  control; so are all checks and results.
 */
struct health *health_start(struct pool *const *pools, unsigned count,
                            struct loop_context *context);

/**
 * Take other pools in the place of the former ones, as a reload does. Backends that share a
 * standing with a former one go on where they were: verdict, counts, blocks, and the time of the
 * next check; a check that is under way goes on if the new config would ask alike. New ones are
 * asked within the first second. A backend that is not checked any more is unknown again.
 *
 * Call it when the new pools are open, the former ones still are, and before workers see the new
 * ones. When it returns, the former pools and their options are not looked at again.
 *
 * err      of use only when it fails
 * Fails:   out of memory: err says so, and the former pools stay
 */
bool health_replace(struct health *health, struct pool *const *pools, unsigned count,
                    struct error *err);

/** Publish a pool of those in force because an operator changed something of its backends. */
void health_publish(struct health *health, struct pool *pool);

/**
 * End all checks. The pools are not looked at again when this returns; `stopped(arg)` is called
 * from the loop when the object is gone. No worker may ring a pool's bell from now on.
 */
void health_stop(struct health *health, void (*stopped)(void *arg), void *arg);

/** The pure heart: a result moves the counters, returns the (possibly new) verdict. */
enum verdict health_count_result(struct health_count *count, enum verdict now, bool passed,
                                 unsigned healthy_threshold, unsigned unhealthy_threshold);

#endif
