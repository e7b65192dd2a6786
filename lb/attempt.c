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
    atomic_fetch_sub_explicit(x->backend->standing->active, 1, memory_order_relaxed);
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
    atomic_fetch_add_explicit(backend->standing->active, 1, memory_order_relaxed);
    x->state = EXCHANGE_CONNECTING;
    const struct link_wish wish = {
        .pool = x->pool,
        .backend = backend,
        .tls = x->edition->backend_tls[x->pool->index],
        .host = x->facts.host,
        .owner = &x->owner,
        .fresh = fresh,
    };
    struct link *link = link_borrow(x->all->links, &wish, &pending);
    if (link) {
        exchange_start(x, link);
    } else {
        x->link = pending;
    }
}

/** The index of the next backend to try; -1: there is none. */
static int choose(struct exchange *x)
{
    return pool_choose(x->pool, &x->edition->views[x->pool->index], &x->choice);
}

static void try_next(struct exchange *x, int index)
{
    x->attempts++;
    try_backend(x, &x->pool->backends[index], false);
}

void attempt_choose(struct exchange *x)
{
    int index = choose(x);
    if (index >= 0) {
        try_next(x, index);
        return;
    }
    x->trouble = "no backend is up";
    log_say(LOG_LEVEL_WARN, "pool.down", "pool %s has no backend that is up", x->pool->name);
    exchange_end_with(x, 503, "no-backend", NULL);
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
    int next = -1;
    switch (retry_decide(&attempt)) {
    case RETRY_SAME:
        forget_attempt(x);
        try_backend(x, x->backend, true);
        return;
    case RETRY_OTHER:
        choice_add_tried(&x->choice, x->backend->index);
        next = choose(x);
        break;
    case RETRY_NONE:
        break;
    }
    atomic_fetch_add_explicit(&x->backend->standing->failed, 1, memory_order_relaxed);
    if (next >= 0) {
        log_trouble(x, "another backend");
        forget_attempt(x);
        try_next(x, next);
        return;
    }
    log_trouble(x, late ? "504" : "502");
    exchange_end_with(x, late ? 504 : 502, late ? "backend-late" : "backend-failed", NULL);
}

void attempt_link_failed(struct exchange *x, bool late)
{
    if (x->answer_side == ANSWER_AWAITED && x->interim_count == 0) {
        attempt_failed(x, true, late);
        return;
    }
    atomic_fetch_add_explicit(&x->backend->standing->failed, 1, memory_order_relaxed);
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
