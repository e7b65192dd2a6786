/* SPDX-License-Identifier: Apache-2.0 */
/* See watch.h. */
#include "backends/health/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backends/health/health.h"
#include "lb/base/log.h"
#include "lb/base/option.h"

enum {
    /* All backends are asked for the first time within this: a dead one should not wait an interval
     * for its verdict. */
    FIRST_ROUND_MS = 1000,
    /* Out of descriptors every check of a second fails: one line tells that. */
    COMPLAINT_PAUSE_MS = 60000,
};

static uint64_t now_of(const struct watch *watch)
{
    return uv_now(watch->share->context->loop);
}

/* ---- results ---- */

static void log_verdict(const struct watch *watch, enum verdict verdict)
{
    struct log_line line;
    if (verdict == VERDICT_UP)
        log_begin(&line, LOG_LEVEL_INFO, "backend.up");
    else
        log_begin(&line, LOG_LEVEL_WARN, "backend.down");
    log_text(&line, "pool", watch->pool->name);
    log_text(&line, "backend", watch->run.backend->name);
    log_text(&line, "address", watch->run.address.text);
    log_text(&line, "reason", watch->standing->reason);
    log_number(&line, "took_ms", (int64_t)watch->standing->took_ms);
    log_end(&line);
}

static void change_verdict(const struct watch *watch, enum verdict before, enum verdict after)
{
    struct standing *standing = watch->standing;
    atomic_store(&standing->verdict, after);
    standing->since_s = time(NULL);
    /* Nobody starts slowly when lb starts: there would be nobody to take the rest. */
    standing->up_ms = before == VERDICT_DOWN ? now_of(watch) : 0;
    /* Unknown counts as up: nothing changes for the workers. */
    if (before == VERDICT_DOWN || after == VERDICT_DOWN)
        steward_publish(watch->share->steward, watch->pool);
    log_verdict(watch, after); /* what the log tells is in force */
}

static void judge(const struct watch *watch, bool passed, const char *reason)
{
    const struct pool_options *options = watch->pool->options;
    struct standing *standing = watch->standing;
    enum verdict before = atomic_load(&standing->verdict);
    enum verdict after =
        health_count_result(&standing->count, before, passed, (unsigned)options->healthy_threshold,
                            (unsigned)options->unhealthy_threshold);
    standing->took_ms = (uv_hrtime() - watch->started_ns) / 1000000;
    snprintf(standing->reason, sizeof standing->reason, "%s", reason);
    if (after != before)
        change_verdict(watch, before, after);
}

static void complain(const struct watch *watch, const char *reason)
{
    struct watch_share *share = watch->share;
    uint64_t now = now_of(watch);
    if (share->complained_ms != 0 && now - share->complained_ms < COMPLAINT_PAUSE_MS)
        return;
    share->complained_ms = now;
    log_say(LOG_LEVEL_ERROR, "health.no-room",
            "checks cannot be made (%s): verdicts stay as they are", reason);
}

static void on_result(struct check_run *run, enum check_outcome outcome, const char *reason)
{
    struct watch *watch = LIST_OWNER(run, struct watch, run);
    watch->state = WATCH_ENDING;
    switch (outcome) {
    case CHECK_PASSED:
        judge(watch, true, reason);
        return;
    case CHECK_FAILED:
        judge(watch, false, reason);
        return;
    case CHECK_NOT_MADE:
        complain(watch, reason);
        return;
    }
}

/* ---- asking ---- */

/* The deadline holds for the leave-taking, too: by then the result stands. */
static void on_late(struct deadline *deadline)
{
    struct watch *watch = LIST_OWNER(deadline, struct watch, deadline);
    bool has_result = watch->state == WATCH_ENDING;
    bool is_connected = watch->run.state == CHECK_ASKING;
    char duration[24], reason[64];
    watch->state = WATCH_ENDING;
    check_stop(&watch->run);
    if (has_result)
        return;
    option_write_duration(watch->pool->options->health_check_timeout, duration, sizeof duration);
    snprintf(reason, sizeof reason, "no %s within %s", is_connected ? "answer" : "connection",
             duration);
    judge(watch, false, reason);
}

static void ask(struct watch *watch)
{
    watch->state = WATCH_ASKING;
    watch->is_overdue = false;
    watch->share->asking_count++;
    watch->standing->asked_ms = now_of(watch);
    watch->started_ns = uv_hrtime();
    deadline_arm(&watch->share->context->deadlines, &watch->deadline,
                 watch->pool->options->health_check_timeout, on_late);
    check_start(&watch->run);
}

static void ask_or_queue(struct watch *watch)
{
    if (watch->share->asking_count < CHECKS_OPEN_MOST) {
        ask(watch);
        return;
    }
    watch->state = WATCH_QUEUED;
    list_append(&watch->share->queue, &watch->node);
}

static void leave_queue(struct watch *watch)
{
    list_remove(&watch->node);
    watch->state = WATCH_RESTING;
}

static void on_timer(uv_timer_t *timer);

static void set_timer(struct watch *watch)
{
    uint64_t now = now_of(watch);
    uv_timer_start(&watch->timer, on_timer, watch->due_ms > now ? watch->due_ms - now : 0, 0);
}

static void on_timer(uv_timer_t *timer)
{
    struct watch *watch = timer->data;
    uint64_t now = now_of(watch);
    watch->due_ms = watch->then_ms > now ? watch->then_ms : now + watch->interval_ms;
    watch->then_ms = watch->due_ms + watch->interval_ms;
    set_timer(watch);
    if (atomic_load(&watch->standing->is_disabled))
        return; /* its verdict stays what it was */
    if (watch->state == WATCH_RESTING)
        ask_or_queue(watch);
    else
        watch->is_overdue = watch->state == WATCH_ENDING;
}

/* ---- the end ---- */

static void free_when_closed(struct watch *watch)
{
    struct watch_share *share = watch->share;
    if (!watch->timer_closed || watch->state != WATCH_RESTING)
        return;
    free(watch);
    share->watch_count--;
    share->on_gone(share);
}

static void on_timer_closed(uv_handle_t *timer)
{
    struct watch *watch = timer->data;
    watch->timer_closed = true;
    free_when_closed(watch);
}

static void ask_next(struct watch_share *share)
{
    if (list_is_empty(&share->queue))
        return;
    struct watch *next = LIST_OWNER(share->queue.next, struct watch, node);
    leave_queue(next);
    ask(next);
}

static void on_over(struct check_run *run)
{
    struct watch *watch = LIST_OWNER(run, struct watch, run);
    struct watch_share *share = watch->share;
    deadline_disarm(&watch->deadline);
    watch->state = WATCH_RESTING;
    share->asking_count--;
    ask_next(share);
    if (!watch->pool)
        free_when_closed(watch);
    else if (watch->is_overdue)
        ask_or_queue(watch);
}

void watch_drop(struct watch *watch)
{
    watch->standing->watch = NULL;
    watch->standing = NULL;
    watch->pool = NULL;
    deadline_disarm(&watch->deadline);
    if (watch->state == WATCH_QUEUED)
        leave_queue(watch);
    if (watch->state != WATCH_RESTING) {
        watch->state = WATCH_ENDING;
        check_stop(&watch->run);
    }
    uv_close((uv_handle_t *)&watch->timer, on_timer_closed);
}

/* ---- orders ---- */

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

static bool same_text(const char *one, const char *other)
{
    return one == other || (one && other && strcmp(one, other) == 0);
}

/* Would the check that is under way be asked alike, and judged alike? TLS belongs to the standing:
 * another one would be another standing. */
static bool asks_alike(const struct check_run *run, const struct pool *pool,
                       const struct address *address)
{
    const struct pool_options *before = run->pool->options;
    const struct pool_options *after = pool->options;
    return run->check == pool->check && address_equal(&run->address, address) &&
           before->health_check_timeout == after->health_check_timeout &&
           before->health_check_method == after->health_check_method &&
           same_text(before->health_check_path, after->health_check_path) &&
           same_text(before->health_check_service, after->health_check_service) &&
           same_text(run->pool->check_host, pool->check_host) &&
           memcmp(&run->pool->check_codes, &pool->check_codes, sizeof pool->check_codes) == 0;
}

static void take_order(struct watch *watch, const struct watch_order *order)
{
    watch->round = watch->share->round;
    watch->pool = order->pool;
    watch->run.check = order->pool->check;
    watch->run.pool = order->pool;
    watch->run.backend = order->backend;
    watch->run.tls = order->tls;
    watch->run.address = checked_address(order->pool, order->backend);
    watch->interval_ms = order->pool->options->health_check_interval;
}

/* Each has its own part of the interval, so that they are never asked all at once. */
static void plan(struct watch *watch, const struct watch_order *order)
{
    uint64_t now = now_of(watch);
    uint64_t interval = watch->interval_ms;
    uint64_t asked = watch->standing->asked_ms;
    if (asked != 0 && asked + interval > now) {
        watch->due_ms = asked + interval;
        watch->then_ms = watch->due_ms + interval;
        return;
    }
    uint64_t first_round = interval < FIRST_ROUND_MS ? interval : FIRST_ROUND_MS;
    watch->due_ms = now + first_round * order->ordinal / order->total;
    watch->then_ms = now + interval + interval * order->ordinal / order->total;
}

struct watch *watch_new(void)
{
    return calloc(1, sizeof(struct watch));
}

void watch_begin(struct watch *watch, struct watch_share *share, const struct watch_order *order)
{
    watch->share = share;
    watch->standing = order->backend->standing;
    watch->standing->watch = watch;
    watch->run.context = share->context;
    watch->run.on_result = on_result;
    watch->run.on_over = on_over;
    share->watch_count++;
    uv_timer_init(share->context->loop, &watch->timer);
    watch->timer.data = watch;
    take_order(watch, order);
    plan(watch, order);
    set_timer(watch);
}

void watch_follow(struct watch *watch, const struct watch_order *order)
{
    struct address address = checked_address(order->pool, order->backend);
    bool again = watch->state == WATCH_ASKING && !asks_alike(&watch->run, order->pool, &address);
    bool replan = watch->interval_ms != order->pool->options->health_check_interval;
    take_order(watch, order);
    if (again) {
        watch->state = WATCH_ENDING;
        check_stop(&watch->run);
        watch->due_ms = now_of(watch);
    } else if (replan && watch->standing->asked_ms != 0) {
        plan(watch, order);
    }
    set_timer(watch);
}
