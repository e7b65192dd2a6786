/* SPDX-License-Identifier: Apache-2.0 */
/* See steward.h. One timer for all pools: it wakes for whatever is due first. */
#include "backends/steward.h"

#include <stdio.h>
#include <stdlib.h>

#include "backends/queue.h"
#include "lb/base/list.h"
#include "lb/base/log.h"
#include "lb/base/option.h"

/* A pool is published for slow_start no more often than this. */
enum { STEP_LEAST_MS = 100 };

static uint64_t now_of(const struct steward *steward)
{
    return uv_now(steward->timer.loop);
}

/* ---- the clock ---- */

static void on_timer(uv_timer_t *timer);

/* 0 means never. */
static uint64_t earlier_of(uint64_t one, uint64_t other)
{
    if (one == 0 || other == 0)
        return one + other;
    return one < other ? one : other;
}

static void wake_at(struct steward *steward, uint64_t due_ms)
{
    uint64_t now = now_of(steward);
    uint64_t due = earlier_of(steward->due_ms, due_ms);
    if (due == steward->due_ms)
        return;
    steward->due_ms = due;
    uv_timer_start(&steward->timer, on_timer, due > now ? due - now : 0, 0);
}

/* ---- publishing ---- */

static void publish(struct steward *steward, struct tended_pool *tended)
{
    uint32_t after_ms = pool_publish(tended->pool, now_of(steward));
    if (after_ms > 0 && after_ms < STEP_LEAST_MS)
        after_ms = STEP_LEAST_MS;
    tended->publish_ms = after_ms > 0 ? now_of(steward) + after_ms : 0;
}

void steward_publish(struct steward *steward, struct pool *pool)
{
    for (unsigned i = 0; i < steward->tended_count; i++) {
        if (steward->tended[i].pool != pool)
            continue;
        publish(steward, &steward->tended[i]);
        wake_at(steward, steward->tended[i].publish_ms);
        return;
    }
}

/* ---- blocks ---- */

static void log_block(const struct pool *pool, const struct backend *backend)
{
    const struct pool_options *options = pool->options;
    struct log_line line;
    char reason[64], duration[24];
    snprintf(reason, sizeof reason, "%u exchanges in a row failed",
             atomic_load(&backend->standing->blocked_after));
    option_write_duration(options->passive_block, duration, sizeof duration);
    log_begin(&line, LOG_LEVEL_WARN, "backend.blocked");
    log_text(&line, "pool", pool->name);
    log_text(&line, "backend", backend->name);
    log_text(&line, "address", backend->address.text);
    log_text(&line, "reason", reason);
    log_text(&line, "for", duration);
    log_end(&line);
}

static void log_unblock(const struct pool *pool, const struct backend *backend)
{
    struct log_line line;
    log_begin(&line, LOG_LEVEL_INFO, "backend.unblocked");
    log_text(&line, "pool", pool->name);
    log_text(&line, "backend", backend->name);
    log_text(&line, "address", backend->address.text);
    log_end(&line);
}

/* Its row of failures goes on: one more blocks it again, an answer ends it. */
static void unblock(const struct pool *pool, struct standing *standing)
{
    standing->blocked_until_ms = 0;
    if (pool->options->passive_failures == 0)
        atomic_store(&standing->failures_in_row, 0);
    atomic_store(&standing->is_blocked, false);
}

/* One backend. true: its block began or ended. */
static bool tend_block(const struct pool *pool, const struct backend *backend, uint64_t now)
{
    const struct pool_options *options = pool->options;
    struct standing *standing = backend->standing;
    bool is_wanted = options->passive_failures > 0;
    if (!atomic_load(&standing->is_blocked)) {
        standing->blocked_until_ms = 0;
        return false;
    }
    if (standing->blocked_until_ms == 0 && is_wanted) {
        standing->blocked_until_ms = now + options->passive_block;
        standing->is_untold = true;
        return true;
    }
    if (standing->blocked_until_ms > now && is_wanted)
        return false;
    unblock(pool, standing);
    standing->is_untold = true;
    return true;
}

static void log_blocks(const struct pool *pool)
{
    for (unsigned i = 0; i < pool->backend_count; i++) {
        const struct backend *backend = &pool->backends[i];
        if (!backend->standing->is_untold)
            continue;
        backend->standing->is_untold = false;
        if (backend->standing->blocked_until_ms > 0)
            log_block(pool, backend);
        else
            log_unblock(pool, backend);
    }
}

/* ---- occasions ---- */

static void tend_pool(struct steward *steward, struct tended_pool *tended)
{
    const struct pool *pool = tended->pool;
    uint64_t now = now_of(steward);
    bool is_due = tended->publish_ms != 0 && tended->publish_ms <= now;
    uint64_t unblock_ms = 0;
    for (unsigned i = 0; i < pool->backend_count; i++) {
        is_due |= tend_block(pool, &pool->backends[i], now);
        unblock_ms = earlier_of(unblock_ms, pool->backends[i].standing->blocked_until_ms);
    }
    if (is_due) {
        publish(steward, tended);
        log_blocks(pool); /* what the log tells is in force */
    }
    wake_at(steward, tended->publish_ms);
    wake_at(steward, unblock_ms);
}

static void tend(struct steward *steward)
{
    steward->due_ms = 0;
    uv_timer_stop(&steward->timer);
    for (unsigned i = 0; i < steward->tended_count; i++)
        tend_pool(steward, &steward->tended[i]);
}

static void on_timer(uv_timer_t *timer)
{
    tend(timer->data);
}

/* A pool of an earlier config rings, too: what it knows of its backends is in their standings. */
static void on_rung(uv_async_t *rung)
{
    struct steward *steward = rung->data;
    for (unsigned i = 0; i < steward->tended_count; i++)
        atomic_store(&steward->tended[i].pool->wants_attention, false);
    tend(steward);
}

static void ring(struct pool_bell *bell)
{
    uv_async_send(&LIST_OWNER(bell, struct steward, bell)->rung);
}

/* ---- life ---- */

bool steward_open(struct steward *steward, uv_loop_t *loop)
{
    *steward = (struct steward){.bell = {ring}};
    if (uv_async_init(loop, &steward->rung, on_rung) != 0)
        return false;
    uv_timer_init(loop, &steward->timer);
    steward->rung.data = steward->timer.data = steward;
    uv_unref((uv_handle_t *)&steward->rung);
    uv_unref((uv_handle_t *)&steward->timer);
    return true;
}

struct tended_pool *steward_room(unsigned pool_count)
{
    return calloc(pool_count + 1, sizeof(struct tended_pool));
}

void steward_serve(struct steward *steward, struct tended_pool *room, struct pool *const *pools,
                   unsigned count)
{
    free(steward->tended);
    steward->tended = room;
    steward->tended_count = count;
    for (unsigned i = 0; i < count; i++) {
        room[i].pool = pools[i];
        pools[i]->bell = &steward->bell;
        pool_enforce(pools[i]);
        publish(steward, &room[i]);
        if (queue_is_used(pools[i]->queue))
            queue_review(pools[i]); /* this config may have places that the former one had not */
    }
    tend(steward);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct steward *steward = handle->data;
    if (--steward->open_count == 0)
        steward->closed(steward);
}

void steward_close(struct steward *steward, void (*closed)(struct steward *steward))
{
    steward->closed = closed;
    steward->open_count = 2;
    free(steward->tended);
    steward->tended = NULL;
    steward->tended_count = 0;
    uv_close((uv_handle_t *)&steward->rung, on_handle_closed);
    uv_close((uv_handle_t *)&steward->timer, on_handle_closed);
}
