/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of who is watched, from config to config. What a change needs is gathered first, so that
 * it happens as a whole or not at all.
 */
#include "backends/health/health.h"

#include <stdlib.h>

#include "backends/health/watch.h"
#include "backends/steward.h"
#include "backends/tls/backend_tls.h"
#include "lb/base/log.h"

/* What is needed for a set of pools. */
struct roll {
    struct pool *const *pools;
    unsigned pool_count;
    unsigned watch_count;   /* backends to watch */
    struct watch **watches; /* of theirs, in order; those of new backends have not begun */
    struct backend_tls_context **tls; /* by pool; NULL for those without checks over TLS */
    struct tended_pool *room;
};

struct health {
    struct watch_share share;
    struct steward steward;
    struct watch **watches;
    unsigned watch_count;
    struct backend_tls_context **tls;
    unsigned tls_count;
    bool is_stopping;
    bool is_steward_closed;
    void (*stopped)(void *arg);
    void *stopped_arg;
};

enum verdict health_count_result(struct health_count *count, enum verdict now, bool passed,
                                 unsigned healthy_threshold, unsigned unhealthy_threshold)
{
    if (passed) {
        count->failed_in_row = 0;
        if (count->passed_in_row < healthy_threshold)
            count->passed_in_row++;
    } else {
        count->passed_in_row = 0;
        if (count->failed_in_row < unhealthy_threshold)
            count->failed_in_row++;
    }
    switch (now) {
    case VERDICT_UNKNOWN:
        return passed ? VERDICT_UP : VERDICT_DOWN;
    case VERDICT_UP:
        return count->failed_in_row >= unhealthy_threshold ? VERDICT_DOWN : VERDICT_UP;
    case VERDICT_DOWN:
        return count->passed_in_row >= healthy_threshold ? VERDICT_UP : VERDICT_DOWN;
    }
    return now;
}

/* ---- gathering ---- */

static void roll_drop(struct roll *roll)
{
    for (unsigned i = 0; roll->watches && i < roll->watch_count; i++)
        if (roll->watches[i] && !roll->watches[i]->share)
            free(roll->watches[i]);
    for (unsigned i = 0; roll->tls && i < roll->pool_count; i++)
        backend_tls_context_free(roll->tls[i]);
    free(roll->watches);
    free(roll->tls);
    free(roll->room);
}

static bool gather_watches(struct roll *roll)
{
    unsigned at = 0;
    for (unsigned i = 0; i < roll->pool_count; i++) {
        const struct pool *pool = roll->pools[i];
        for (unsigned k = 0; pool->check && k < pool->backend_count; k++) {
            struct watch *watch = pool->backends[k].standing->watch;
            roll->watches[at] = watch ? watch : watch_new();
            if (!roll->watches[at++])
                return false;
        }
    }
    return true;
}

static bool gather_tls(struct roll *roll, struct error *err)
{
    for (unsigned i = 0; i < roll->pool_count; i++) {
        const struct pool *pool = roll->pools[i];
        if (!pool->check || !pool->tls || !(pool->check->needs_tls || pool->check->follows_tls))
            continue;
        roll->tls[i] = backend_tls_context_new(pool, err);
        if (!roll->tls[i])
            return false;
    }
    return true;
}

/* Fails: err says why, nothing is left over. When it does not, err means nothing. */
static bool roll_gather(struct roll *roll, struct pool *const *pools, unsigned count,
                        struct error *err)
{
    *roll = (struct roll){.pools = pools, .pool_count = count};
    for (unsigned i = 0; i < count; i++)
        roll->watch_count += pools[i]->check ? pools[i]->backend_count : 0;
    error_set(err, "out of memory");
    roll->watches = calloc(roll->watch_count + 1, sizeof(struct watch *));
    roll->tls = calloc(count + 1, sizeof(struct backend_tls_context *));
    roll->room = steward_room(count);
    if (!roll->watches || !roll->tls || !roll->room || !gather_watches(roll) ||
        !gather_tls(roll, err)) {
        roll_drop(roll);
        return false;
    }
    return true;
}

/* ---- changing ---- */

/* What a config no longer checks counts as up again. */
static void forget_verdict(struct standing *standing)
{
    atomic_store(&standing->verdict, VERDICT_UNKNOWN);
    standing->count = (struct health_count){0};
    standing->asked_ms = standing->took_ms = standing->up_ms = 0;
    standing->since_s = 0;
    standing->reason[0] = '\0';
}

static void give_order(struct health *health, struct watch *watch, const struct watch_order *order)
{
    if (watch->share)
        watch_follow(watch, order);
    else
        watch_begin(watch, &health->share, order);
}

static void give_orders(struct health *health, const struct roll *roll)
{
    unsigned at = 0;
    for (unsigned i = 0; i < roll->pool_count; i++) {
        struct pool *pool = roll->pools[i];
        for (unsigned k = 0; k < pool->backend_count; k++) {
            struct watch_order order = {pool, &pool->backends[k], roll->tls[i], at,
                                        roll->watch_count};
            if (pool->check)
                give_order(health, roll->watches[at++], &order);
            else
                forget_verdict(pool->backends[k].standing);
        }
    }
}

/* Watches that are in none of the new pools. Those that are have their new pool by now. */
static void drop_others(struct health *health)
{
    for (unsigned i = 0; i < health->watch_count; i++)
        if (health->watches[i]->round != health->share.round)
            watch_drop(health->watches[i]);
}

static void forget_tls(struct health *health)
{
    for (unsigned i = 0; i < health->tls_count; i++)
        backend_tls_context_free(health->tls[i]);
    free(health->tls);
}

static void call_roll(struct health *health, struct roll *roll)
{
    uv_update_time(health->share.context->loop); /* loading a config takes its time */
    health->share.round++;
    give_orders(health, roll);
    drop_others(health);
    forget_tls(health);
    free(health->watches);
    health->watches = roll->watches;
    health->watch_count = roll->watch_count;
    health->tls = roll->tls;
    health->tls_count = roll->pool_count;
    steward_serve(&health->steward, roll->room, roll->pools, roll->pool_count);
}

/* ---- life ---- */

static void end_when_alone(struct health *health)
{
    if (!health->is_stopping || !health->is_steward_closed || health->share.watch_count > 0)
        return;
    void (*stopped)(void *arg) = health->stopped;
    void *arg = health->stopped_arg;
    free(health);
    stopped(arg);
}

static void on_watch_gone(struct watch_share *share)
{
    end_when_alone(LIST_OWNER(share, struct health, share));
}

static void on_steward_closed(struct steward *steward)
{
    struct health *health = LIST_OWNER(steward, struct health, steward);
    health->is_steward_closed = true;
    end_when_alone(health);
}

static struct health *refuse_start(struct health *health, const struct error *err)
{
    log_say(LOG_LEVEL_ERROR, "health.not-started", "%s", err->text);
    free(health);
    return NULL;
}

struct health *health_start(struct pool *const *pools, unsigned count, struct loop_context *context)
{
    struct roll roll;
    struct error err = {"out of memory"};
    struct health *health = calloc(1, sizeof *health);
    if (!health || !roll_gather(&roll, pools, count, &err))
        return refuse_start(health, &err);
    if (!steward_open(&health->steward, context->loop)) {
        error_set(&err, "no descriptor is left");
        roll_drop(&roll);
        return refuse_start(health, &err);
    }
    health->share = (struct watch_share){
        .context = context, .steward = &health->steward, .on_gone = on_watch_gone};
    list_init(&health->share.queue);
    call_roll(health, &roll);
    return health;
}

bool health_replace(struct health *health, struct pool *const *pools, unsigned count,
                    struct error *err)
{
    struct roll roll;
    if (!roll_gather(&roll, pools, count, err))
        return false;
    call_roll(health, &roll);
    return true;
}

void health_publish(struct health *health, struct pool *pool)
{
    steward_publish(&health->steward, pool);
}

void health_stop(struct health *health, void (*stopped)(void *arg), void *arg)
{
    health->is_stopping = true;
    health->stopped = stopped;
    health->stopped_arg = arg;
    for (unsigned i = 0; i < health->watch_count; i++)
        watch_drop(health->watches[i]);
    forget_tls(health);
    free(health->watches);
    steward_close(&health->steward, on_steward_closed);
}
