/* SPDX-License-Identifier: Apache-2.0 */
/* When to check, and how results become verdicts: rise and fall, spread over the interval. */
#ifndef LB_BACKENDS_HEALTH_H
#define LB_BACKENDS_HEALTH_H

#include "backends/pool.h"
#include "lb/base/connection.h"

struct health;

/**
 * Start checking every backend of the pools whose health_check is not off (weight 0 too).
 *
 * The first check of a backend that fails is enough for "down", the first that passes for "up";
 * from then on the thresholds count. Each change of verdict is one log line with the reason and is
 * published to the workers at once. All backends are asked within the first second, then each in
 * its own part of the interval, so that they are never asked all at once.
 *
 * pools    array borrowed for the call, pools until health_stop's callback
 * returns  NULL: out of memory
 * Thread:  control; so are all checks and results.
 */
struct health *health_start(struct pool *const *pools, unsigned count,
                            struct loop_context *context);

/** End all checks; `stopped(arg)` is called from the loop when the object is gone. */
void health_stop(struct health *health, void (*stopped)(void *arg), void *arg);

/** The pure heart: a result moves the counters, returns the (possibly new) verdict. */
enum verdict health_count_result(struct health_count *count, enum verdict now, bool passed,
                                 unsigned healthy_threshold, unsigned unhealthy_threshold);

#endif
