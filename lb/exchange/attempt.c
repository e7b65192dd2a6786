/* SPDX-License-Identifier: Apache-2.0 */
/* Backends fail; the client should not notice where that can be helped. */
#include "lb/exchange/attempt.h"

#include <string.h>

#include "lb/base/limits.h"
#include "lb/base/log.h"
#include "lb/base/log_ration.h"
#include "lb/exchange/exchange.h"
#include "lb/exchange/exchange_end.h"
#include "lb/exchange/retry.h"
#include "listeners/client.h"
#include "listeners/identity.h"

/** What goes wrong for one request may go wrong for all: not each is told. */
static bool is_told(const struct exchange *x, struct log_ration *ration, unsigned *ret_others)
{
    return log_ration_take(ration, FAILURE_LINES_AT_ONCE, FAILURE_LINE_EVERY_MS,
                           uv_now(x->all->context->loop), ret_others);
}

static void log_others(struct log_line *line, unsigned others)
{
    if (others > 0) {
        log_number(line, "others", others);
    }
}

static void log_trouble(const struct exchange *x, const char *what_next)
{
    struct log_line line;
    unsigned others;
    if (!is_told(x, &x->backend->standing->told, &others)) {
        return;
    }
    log_begin(&line, LOG_LEVEL_WARN, "backend.failed");
    log_text(&line, "pool", x->pool->name);
    log_text(&line, "backend", x->backend->name);
    log_text(&line, "address", x->backend->address.text);
    log_text(&line, "reason", x->trouble);
    log_number(&line, "attempt", x->attempts);
    log_text(&line, "then", what_next);
    log_bytes(&line, "request_id", x->facts.request_id.at, x->facts.request_id.length);
    log_others(&line, others);
    log_end(&line);
}

static void forget_errand(struct exchange *x)
{
    errand_end(&x->errand, false);
    x->errand = (struct errand){.ops = NULL};
    errand_init(&x->errand, &exchange_errand_events, x->method);
    x->request_side = REQUEST_HELD;
    x->trouble = NULL; /* it may have been the errand's */
    deadline_disarm(&x->deadline);
}

/** The exchange is counted at the backend already. */
static void try_backend(struct exchange *x, struct backend *backend, bool fresh)
{
    x->backend = backend;
    x->state = EXCHANGE_CONNECTING;
    struct link_wish wish = {
        .pool = x->pool,
        .backend = backend,
        .tls = x->edition->backend_tls[x->pool->index],
        .host = x->facts.host,
        .fresh = fresh,
    };
    if (errand_begin(&x->errand, x->all->links, &wish)) {
        exchange_start(x);
    }
}

/* --- choosing ------------------------------------------------------------------------------ */

/** What stands for the client, where a backend is chosen by that. */
static void note_client(struct exchange *x)
{
    const struct client *client = x->stream->client;
    const struct identity *identity = client->handshake.identity;
    int persistence = x->pool->options->session_persistence;
    if (persistence == PERSISTENCE_CLIENT_CERTIFICATE && identity &&
        identity_is_verified(identity)) {
        x->choice.key = choice_key_of(identity->sha256, strlen(identity->sha256));
        x->choice.is_bound = true;
    } else if (x->pool->balancer->wants_key) {
        x->choice.key = choice_key_of(client->peer_host, strlen(client->peer_host));
    }
}

static struct pool_view *view_of(const struct exchange *x)
{
    return &x->edition->views[x->pool->index];
}

static void log_full(const struct exchange *x, const char *reason)
{
    struct log_line line;
    unsigned others;
    if (!is_told(x, &x->pool->told_full, &others)) {
        return;
    }
    log_begin(&line, LOG_LEVEL_WARN, "pool.full");
    log_text(&line, "pool", x->pool->name);
    log_text(&line, "reason", reason);
    log_bytes(&line, "request_id", x->facts.request_id.at, x->facts.request_id.length);
    log_others(&line, others);
    log_end(&line);
}

static void refuse_waiting(struct exchange *x, const char *reason, const char *sentence)
{
    log_full(x, reason);
    x->trouble = sentence;
    exchange_end_with(x, 503, reason, NULL);
}

static void on_queue_late(struct deadline *deadline)
{
    struct exchange *x = LIST_OWNER(deadline, struct exchange, deadline);
    struct stream *stream = x->stream;
    queue_leave(&x->waiter);
    refuse_waiting(x, "queue-timeout", "no backend had a place free within queue_timeout");
    stream->ops->settle(stream);
}

static void on_called(struct waiter *waiter, int found);

/** What queue_join says. */
static int wait_for_place(struct exchange *x)
{
    struct queue_desk *desk = &x->all->desk;
    if (!desk->is_open) {
        return POOL_FULL;
    }
    x->state = EXCHANGE_QUEUED;
    x->waiter.desk = desk;
    x->waiter.on_called = on_called;
    int found = queue_join(x->pool, view_of(x), &x->choice, &x->waiter);
    if (found == QUEUE_WAITS) {
        deadline_arm(&x->all->context->deadlines, &x->deadline, x->pool->options->queue_timeout,
                     on_queue_late);
    }
    return found;
}

static void nobody_is_left(struct exchange *x)
{
    if (x->attempts > 0) { /* the others went down while this one waited */
        x->trouble = "no other backend is up";
        exchange_end_with(x, 502, "backend-failed", NULL);
        return;
    }
    x->trouble = "no backend is up";
    exchange_end_with(x, 503, "no-backend", NULL);
}

/** found: what pool_take, or the queue, found. */
static void go_to(struct exchange *x, int found)
{
    if (found == POOL_FULL) {
        found = wait_for_place(x);
    }
    if (found >= 0) {
        x->attempts++;
        try_backend(x, &x->pool->backends[found], false);
    } else if (found == POOL_FULL) {
        refuse_waiting(x, "queue-full", "as many requests as max_queue wait for a backend already");
    } else if (found != QUEUE_WAITS) {
        nobody_is_left(x);
    }
}

static int take(struct exchange *x)
{
    return pool_take(x->pool, view_of(x), &x->choice);
}

static void on_called(struct waiter *waiter, int found)
{
    struct exchange *x = LIST_OWNER(waiter, struct exchange, waiter);
    struct stream *stream = x->stream;
    deadline_disarm(&x->deadline);
    go_to(x, found == QUEUE_AGAIN ? take(x) : found);
    stream->ops->settle(stream);
}

void attempt_choose(struct exchange *x)
{
    note_client(x);
    go_to(x, take(x));
}

/* --- failing ------------------------------------------------------------------------------- */

static void count_failure(struct exchange *x, bool is_backends)
{
    atomic_fetch_add_explicit(&x->backend->standing->failed, 1, memory_order_relaxed);
    if (is_backends) {
        pool_note_failure(x->pool, x->backend);
    }
}

void attempt_answered(struct exchange *x)
{
    if (x->request_body) {
        buffer_give(&x->all->context->buffers, &x->request_body);
    }
    standing_count_answer(x->backend->standing, x->all->lane, x->status);
}

void attempt_completed(const struct exchange *x)
{
    pool_note_answer(x->backend);
}

static void give_up(struct exchange *x, bool late)
{
    log_trouble(x, late ? "504" : "502");
    exchange_end_with(x, late ? 504 : 502, late ? "backend-late" : "backend-failed", NULL);
}

static void try_another(struct exchange *x, int next)
{
    log_trouble(x, next == POOL_FULL ? "another backend, when one has a place" : "another backend");
    forget_errand(x);
    pool_leave(x->pool, x->backend->index);
    x->backend = NULL;
    go_to(x, next);
}

/**
 * The attempt failed: try again where that is allowed, else say so to the client.
 *
 * connected    the backend may have seen request bytes
 * late         it kept silent rather than closed
 * is_backends  it is the backend's fault, not a shortage of lb's own
 */
static void attempt_failed(struct exchange *x, bool connected, bool late, bool is_backends)
{
    const struct attempt attempt = {
        .method = x->method,
        .connected = connected,
        .heard = x->errand.heard,
        .is_link_over = !connected && x->errand.is_link_over,
        .resent = x->resent,
        .was_reused = x->errand.was_reused,
        .late = late,
        .body_used = x->stream->request_body_bytes > buffer_length(x->request_body),
        .attempts = x->attempts,
        .retries = (unsigned)x->pool->options->retries,
    };
    int next = POOL_NONE;
    switch (retry_decide(&attempt)) {
    case RETRY_SAME: /* it keeps its place there */
        x->resent++;
        forget_errand(x);
        try_backend(x, x->backend, true);
        return;
    case RETRY_OTHER:
        choice_add_tried(&x->choice, x->backend->index);
        next = take(x);
        break;
    case RETRY_NONE:
        break;
    }
    count_failure(x, is_backends);
    if (next == POOL_NONE) {
        give_up(x, late);
    } else {
        try_another(x, next);
    }
}

/** Of one that nothing was heard of. A link that ends takes new requests elsewhere, without
 * reproach. */
static bool is_backends_fault(const struct exchange *x)
{
    if (x->client_objects || x->errand.is_blameless) {
        return false; /* else whoever asks amiss could have it left out */
    }
    if (x->errand.is_unprocessed) {
        return !x->errand.is_link_over;
    }
    return !errand_was_refused(&x->errand) || link_outcome_blames(LINK_DECLINED, x->pool);
}

void attempt_link_failed(struct exchange *x, bool late)
{
    bool is_awaited = x->answer_side == ANSWER_AWAITED;
    if (is_awaited && x->interim_count == 0) {
        attempt_failed(x, !errand_was_refused(&x->errand), late, is_backends_fault(x));
        return;
    }
    count_failure(x, x->state != EXCHANGE_TUNNEL && !x->client_objects && !x->errand.is_blameless);
    if (is_awaited) { /* interim heads went out, a final one still can */
        give_up(x, late);
        return;
    }
    log_trouble(x, "the answer is cut");
    exchange_cut(x, late ? EXCHANGE_LATE : EXCHANGE_BROKEN);
}

void attempt_unconnected(struct exchange *x, enum link_outcome outcome)
{
    attempt_failed(x, false, outcome == LINK_LATE, link_outcome_blames(outcome, x->pool));
}
