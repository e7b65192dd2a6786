/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One watch per backend: a timer says when to ask, a deadline how long the answer may take.
 *
 *   timer ──> check starts ──> finished ──> verdict (log, publish) ──> waits for the timer
 *                   └───────── late ──────> verdict, check is stopped ─────────┘
 */
#include "backends/health.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "backends/check.h"
#include "lb/base/log.h"

/* All backends are asked for the first time within this: a dead one should not wait an interval for
 * its verdict. */
enum { FIRST_ROUND_MS = 1000 };

enum watch_state {
    WATCH_WAITING,  /* for its timer */
    WATCH_ASKING,   /* for the check's result, or the deadline */
    WATCH_STOPPING, /* for a check that was given up to close */
};

struct watch {
    struct check_run run;
    struct health *health;
    struct pool *pool;
    struct backend *backend;
    const struct check *check;
    enum watch_state state;
    uv_timer_t timer;
    struct deadline deadline;
    uint64_t started_ns;
    uint64_t second_after_ms; /* from the first asking to the second: moves it to its part of the
                                 interval */
    bool asked;
    bool timer_closed;
    struct health_count count;
};

struct health {
    struct loop_context *context;
    unsigned watch_count;
    unsigned open_count; /* while stopping: watches whose timer or check is still open */
    uv_timer_t end;      /* only ever closed: brings `stopped` into the loop */
    bool stopping;
    void (*stopped)(void *arg);
    void *stopped_arg;
    struct watch watches[];
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

static void log_change(const struct watch *watch, enum verdict verdict, const char *reason,
                       uint64_t took_ms)
{
    struct log_line line;
    if (verdict == VERDICT_UP)
        log_begin(&line, LOG_LEVEL_INFO, "backend.up");
    else
        log_begin(&line, LOG_LEVEL_WARN, "backend.down");
    log_text(&line, "pool", watch->pool->name);
    log_text(&line, "backend", watch->backend->name);
    log_text(&line, "address", watch->run.address.text);
    log_text(&line, "reason", reason);
    log_number(&line, "took_ms", (int64_t)took_ms);
    log_end(&line);
}

static void judge(struct watch *watch, bool passed, const char *reason)
{
    const struct pool_options *options = watch->pool->options;
    enum verdict before = atomic_load(&watch->backend->standing->verdict);
    enum verdict after =
        health_count_result(&watch->count, before, passed, (unsigned)options->healthy_threshold,
                            (unsigned)options->unhealthy_threshold);
    if (after == before)
        return;
    atomic_store(&watch->backend->standing->verdict, after);
    pool_publish(watch->pool, uv_now(watch->health->context->loop));
    log_change(watch, after, reason, (uv_hrtime() - watch->started_ns) / 1000000);
}

static void on_end_closed(uv_handle_t *end)
{
    struct health *health = end->data;
    void (*stopped)(void *arg) = health->stopped;
    void *arg = health->stopped_arg;
    free(health);
    stopped(arg);
}

/* The last one out closes `end`, whose callback frees everything. */
static void watch_is_closed(struct watch *watch)
{
    struct health *health = watch->health;
    assert(health->stopping && watch->timer_closed && watch->state == WATCH_WAITING);
    if (--health->open_count == 0)
        uv_close((uv_handle_t *)&health->end, on_end_closed);
}

static void on_timer_closed(uv_handle_t *timer)
{
    struct watch *watch = timer->data;
    watch->timer_closed = true;
    if (watch->state == WATCH_WAITING)
        watch_is_closed(watch);
}

static void on_check_stopped(struct check_run *run)
{
    struct watch *watch = LIST_OWNER(run, struct watch, run);
    watch->state = WATCH_WAITING;
    if (watch->timer_closed)
        watch_is_closed(watch);
}

static void on_check_finished(struct check_run *run, bool passed, const char *reason)
{
    struct watch *watch = LIST_OWNER(run, struct watch, run);
    deadline_disarm(&watch->deadline);
    watch->state = WATCH_WAITING;
    judge(watch, passed, reason);
}

static void on_check_late(struct deadline *deadline)
{
    struct watch *watch = LIST_OWNER(deadline, struct watch, deadline);
    char reason[64];
    snprintf(reason, sizeof reason, "no answer within %ums",
             watch->pool->options->health_check_timeout);
    watch->state = WATCH_STOPPING;
    watch->check->stop(&watch->run, on_check_stopped);
    judge(watch, false, reason);
}

static void on_timer(uv_timer_t *timer)
{
    struct watch *watch = timer->data;
    const struct pool_options *options = watch->pool->options;
    if (!watch->asked)
        uv_timer_start(timer, on_timer, watch->second_after_ms, options->health_check_interval);
    watch->asked = true;
    if (watch->state != WATCH_WAITING)
        return; /* the timeout is less than the interval: only a loop that was held up gets here */
    if (atomic_load(&watch->backend->standing->is_disabled))
        return; /* its verdict stays what it was */
    watch->state = WATCH_ASKING;
    watch->started_ns = uv_hrtime();
    deadline_arm(&watch->health->context->deadlines, &watch->deadline,
                 options->health_check_timeout, on_check_late);
    watch->check->start(&watch->run);
}

static struct address checked_address(const struct pool *pool, const struct backend *backend)
{
    struct sockaddr_storage storage = backend->address.storage;
    struct address address = backend->address;
    uint16_t port = htons((uint16_t)pool->options->health_check_port);
    if (port == 0)
        return address;
    if (storage.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)&storage)->sin6_port = port;
    else
        ((struct sockaddr_in *)(void *)&storage)->sin_port = port;
    address_set(&address, (const struct sockaddr *)&storage, backend->address.length);
    return address;
}

static void watch_start(struct watch *watch, struct health *health, struct pool *pool,
                        struct backend *backend)
{
    watch->health = health;
    watch->pool = pool;
    watch->backend = backend;
    watch->check = pool->check;
    watch->run.pool = pool;
    watch->run.backend = backend;
    watch->run.address = checked_address(pool, backend);
    watch->run.context = health->context;
    watch->run.on_finished = on_check_finished;

    uint64_t ordinal = (uint64_t)(watch - health->watches);
    uint64_t total = health->watch_count;
    uint64_t interval_ms = pool->options->health_check_interval;
    uint64_t first_round_ms = interval_ms < FIRST_ROUND_MS ? interval_ms : FIRST_ROUND_MS;
    uint64_t first_ms = first_round_ms * ordinal / total;
    uint64_t part_ms = interval_ms * ordinal / total;
    watch->second_after_ms = interval_ms + part_ms - first_ms;
    uv_timer_init(health->context->loop, &watch->timer);
    watch->timer.data = watch;
    uv_timer_start(&watch->timer, on_timer, first_ms, 0);
}

struct health *health_start(struct pool *const *pools, unsigned count, struct loop_context *context)
{
    size_t watch_count = 0;
    for (unsigned i = 0; i < count; i++)
        watch_count += pools[i]->check ? pools[i]->backend_count : 0;
    struct health *health = calloc(1, sizeof *health + watch_count * sizeof health->watches[0]);
    if (!health)
        return NULL;
    health->context = context;
    health->watch_count = (unsigned)watch_count;
    uv_timer_init(context->loop, &health->end);
    health->end.data = health;
    struct watch *watch = health->watches;
    for (unsigned i = 0; i < count; i++) {
        unsigned to_watch = pools[i]->check ? pools[i]->backend_count : 0;
        for (unsigned k = 0; k < to_watch; k++)
            watch_start(watch++, health, pools[i], &pools[i]->backends[k]);
    }
    return health;
}

static void watch_stop(struct watch *watch)
{
    uv_close((uv_handle_t *)&watch->timer, on_timer_closed);
    if (watch->state != WATCH_ASKING)
        return;
    deadline_disarm(&watch->deadline);
    watch->state = WATCH_STOPPING;
    watch->check->stop(&watch->run, on_check_stopped);
}

void health_stop(struct health *health, void (*stopped)(void *arg), void *arg)
{
    health->stopping = true;
    health->stopped = stopped;
    health->stopped_arg = arg;
    health->open_count = health->watch_count;
    for (unsigned i = 0; i < health->watch_count; i++)
        watch_stop(&health->watches[i]);
    if (health->watch_count == 0)
        uv_close((uv_handle_t *)&health->end, on_end_closed);
}
