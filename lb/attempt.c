/* SPDX-License-Identifier: Apache-2.0 */
/* Backends fail; the client should not notice where that can be helped. */
#include "lb/attempt.h"

#include "lb/base/log.h"
#include "lb/exchange.h"
#include "lb/exchange_end.h"
#include "lb/retry.h"

static void log_trouble(const struct exchange *x, const char *what_next)
{
    struct log_line line;
    log_begin(&line, LOG_LEVEL_WARN, "backend.failed");
    log_text(&line, "pool", x->pool->name);
    log_text(&line, "backend", x->backend->name);
    log_text(&line, "address", x->backend->address.text);
    log_text(&line, "reason", x->trouble);
    log_number(&line, "attempt", x->attempts);
    log_text(&line, "then", what_next);
    log_bytes(&line, "request_id", x->facts.request_id.at, x->facts.request_id.length);
    log_end(&line);
}

static void forget_attempt(struct exchange *x)
{
    if (x->link) {
        link_discard(x->link);
        x->link = NULL;
    }
    atomic_fetch_sub_explicit(&x->backend->active, 1, memory_order_relaxed);
    x->request_side = REQUEST_HELD;
    x->heard = false;
    x->input.length = 0;
    buffer_give(&x->all->context->buffers, &x->kept);
    deadline_disarm(&x->deadline);
}

static void try_backend(struct exchange *x, struct backend *backend, bool fresh)
{
    struct link *pending = NULL;
    x->backend = backend;
    atomic_fetch_add_explicit(&backend->active, 1, memory_order_relaxed);
    x->state = EXCHANGE_CONNECTING;
    struct link *link = link_borrow(x->all->links, x->pool, backend, &x->owner, fresh, &pending);
    if (link) {
        exchange_start(x, link);
    } else {
        x->link = pending;
    }
}

void attempt_choose(struct exchange *x, unsigned status_if_none)
{
    int index = pool_choose(x->pool, &x->all->views[x->pool->index], &x->choice);
    if (index >= 0) {
        x->attempts++;
        try_backend(x, &x->pool->backends[index], false);
        return;
    }
    x->backend = NULL;
    if (!x->trouble) {
        x->trouble = "no backend is up";
        log_say(LOG_LEVEL_WARN, "pool.down", "pool %s has no backend that is up", x->pool->name);
    }
    exchange_end_with(x, status_if_none, status_if_none == 503 ? "no-backend" : "backend-failed",
                      NULL);
}

/**
 * The attempt failed: try again where that is allowed, else say so to the client.
 *
 * connected  the backend may have seen request bytes;  late: it kept silent rather than closed
 */
static void attempt_failed(struct exchange *x, bool connected, bool late)
{
    const struct attempt attempt = {
        .method = x->method,
        .connected = connected,
        .heard = x->heard,
        .was_reused = x->link && x->link->exchanges > 0,
        .late = late,
        .body_used = x->stream->request_body_bytes > 0,
        .attempts = x->attempts,
        .retries = (unsigned)x->pool->options->retries,
    };
    unsigned status = late ? 504 : 502;
    switch (retry_decide(&attempt)) {
    case RETRY_SAME:
        forget_attempt(x);
        try_backend(x, x->backend, true);
        return;
    case RETRY_OTHER:
        atomic_fetch_add_explicit(&x->backend->failed, 1, memory_order_relaxed);
        log_trouble(x, "another backend");
        forget_attempt(x);
        choice_add_tried(&x->choice, x->backend->index);
        attempt_choose(x, status);
        return;
    case RETRY_NONE:
        break;
    }
    atomic_fetch_add_explicit(&x->backend->failed, 1, memory_order_relaxed);
    log_trouble(x, late ? "504" : "502");
    exchange_end_with(x, status, late ? "backend-late" : "backend-failed", NULL);
}

void attempt_link_failed(struct exchange *x, bool late)
{
    if (x->answer_side == ANSWER_AWAITED && x->interim_count == 0) {
        attempt_failed(x, true, late);
        return;
    }
    atomic_fetch_add_explicit(&x->backend->failed, 1, memory_order_relaxed);
    if (x->answer_side == ANSWER_AWAITED) { /* interim heads went out, a final one still can */
        log_trouble(x, late ? "504" : "502");
        exchange_end_with(x, late ? 504 : 502, late ? "backend-late" : "backend-failed", NULL);
        return;
    }
    log_trouble(x, "the answer is cut");
    exchange_end(x, false);
}

void attempt_unconnected(struct exchange *x, bool late)
{
    attempt_failed(x, false, late);
}
