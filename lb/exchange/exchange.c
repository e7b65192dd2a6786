/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The story of one request: decide, choose a backend, borrow a link, relay, give the link back,
 * log. `x` is the exchange.
 *
 * Wake-ups come from three sides: the client (advance), the errand (on_ready, on_connected) and
 * time (on_late). Each ends in go_on(), which moves what can be moved and then acts on the one
 * outcome that says how it went.
 */
#include "lb/exchange/exchange.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lb/exchange/admission.h"
#include "lb/exchange/attempt.h"
#include "lb/exchange/decision.h"
#include "lb/exchange/exchange_end.h"
#include "lb/exchange/forwarded.h"
#include "lb/exchange/own_answer.h"
#include "lb/exchange/persistence_cookie.h"
#include "lb/exchange/relay.h"
#include "listeners/client.h"

static time_t wall_clock_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now); /* never a system call; seconds are enough */
    return now.tv_sec;
}

static void client_bad(struct exchange *x)
{
    struct stream *stream = x->stream;
    x->trouble = stream->fault_text;
    if (x->answer_side == ANSWER_AWAITED) {
        exchange_end_with(x, stream->fault_status, NULL, stream->fault_text);
    } else {
        exchange_end(x, false);
    }
}

static void client_lost(struct exchange *x)
{
    x->trouble = "the client went away";
    exchange_end(x, false);
}

/* --- going on ------------------------------------------------------------------------------ */

/** Is it the backend that everyone waits for? Otherwise its time does not run. */
static bool backend_is_awaited(const struct exchange *x)
{
    if (x->errand.ops->pending(&x->errand) > 0) {
        return true;
    }
    bool client_sends = x->request_side == REQUEST_BODY && !x->stream->holds_body;
    return !client_sends && !x->stream->ops->is_full(x->stream);
}

static void on_late(struct deadline *deadline);

/** Do both sides speak, and may both be silent? A tunnel, or a request whose answer came before its
 * end, as with gRPC's streams. */
static bool is_two_way(const struct exchange *x)
{
    return x->state == EXCHANGE_TUNNEL ||
           (x->request_side == REQUEST_BODY && x->answer_side == ANSWER_BODY &&
            x->errand.ops->pending(&x->errand) == 0);
}

/** A tunnel whose backend has finished serves what its client still has to say. */
static bool is_half_tunnel(const struct exchange *x)
{
    return x->state == EXCHANGE_TUNNEL && x->answer_side == ANSWER_COMPLETE;
}

/** How long both may be silent. Most clients leave with their backend: those that do not have as
 * long as with any other body. */
static uint32_t silence_most_ms(const struct exchange *x)
{
    uint32_t most_ms = x->pool->options->tunnel_timeout;
    if (!is_half_tunnel(x))
        return most_ms;
    uint32_t body_ms = x->stream->client->door->listener->options->body_timeout;
    return body_ms < most_ms ? body_ms : most_ms;
}

static void watch_backend(struct exchange *x)
{
    if (is_two_way(x)) {
        if (x->errand.moved || !x->deadline.armed) {
            deadline_arm(&x->all->context->deadlines, &x->deadline, silence_most_ms(x), on_late);
        }
    } else if (!backend_is_awaited(x)) {
        deadline_disarm(&x->deadline);
    } else if (x->errand.moved || !x->deadline.armed) {
        deadline_arm(&x->all->context->deadlines, &x->deadline, x->pool->options->answer_timeout,
                     on_late);
    }
    x->errand.moved = false;
    x->errand.reads = 0;
}

static enum relay relay_both(struct exchange *x)
{
    enum relay relay = relay_request(x);
    if (relay == RELAY_CLIENT_LOST || relay == RELAY_CLIENT_BAD || relay == RELAY_LINK_LOST) {
        return relay;
    }
    return relay_answer(x);
}

static enum relay relay_some(struct exchange *x)
{
    enum relay relay = RELAY_WAITING;
    if (x->state == EXCHANGE_RELAYING) {
        relay = relay_both(x);
    }
    if (relay == RELAY_WAITING && x->state == EXCHANGE_TUNNEL) {
        relay = relay_tunnel(x);
    }
    return relay;
}

/** Move what can be moved, then act on how it went. The exchange may be over afterwards. */
static void act(struct exchange *x, enum relay relay)
{
    switch (relay) {
    case RELAY_WAITING:
        watch_backend(x);
        return;
    case RELAY_COMPLETE:
        exchange_end(x, true);
        return;
    case RELAY_LINK_LOST:
        attempt_link_failed(x, false);
        return;
    case RELAY_CLIENT_LOST:
        client_lost(x);
        return;
    case RELAY_CLIENT_BAD:
        client_bad(x);
        return;
    }
}

static void go_on(struct exchange *x)
{
    if (x->state == EXCHANGE_RELAYING || x->state == EXCHANGE_TUNNEL) {
        act(x, relay_some(x));
    }
}

/* --- wake-ups ------------------------------------------------------------------------------ */

static void advance(struct stream *stream, int events)
{
    (void)events; /* which direction can move is found out by moving */
    if (stream->exchange) {
        go_on(stream->exchange);
    }
}

static void on_ready(struct errand *errand, bool is_readable)
{
    struct exchange *x = LIST_OWNER(errand, struct exchange, errand);
    struct stream *stream = x->stream;
    if (errand->is_stuck) {
        x->request_side = REQUEST_STUCK;
    }
    if (is_readable && stream->ops->is_full(stream)) {
        errand->ops->hold(errand);
    }
    go_on(x);
    stream->ops->settle(stream);
}

static void on_late(struct deadline *deadline)
{
    struct exchange *x = LIST_OWNER(deadline, struct exchange, deadline);
    struct stream *stream = x->stream;
    if (is_two_way(x)) {
        x->trouble = is_half_tunnel(x)
                         ? "the client was silent longer than body_timeout behind its backend's end"
                         : "both sides were silent longer than tunnel_timeout";
        exchange_cut(x, EXCHANGE_SILENT);
    } else if (x->errand.ops->was_taken(&x->errand)) {
        x->errand.moved = true; /* slow, but it reads: the system's buffers hid that */
        watch_backend(x);
    } else {
        x->trouble = "the backend kept silent longer than answer_timeout";
        attempt_link_failed(x, true);
    }
    stream->ops->settle(stream);
}

void exchange_start(struct exchange *x)
{
    x->state = EXCHANGE_RELAYING;
    enum relay relay = relay_head(x);
    if (relay == RELAY_WAITING && x->request_side == REQUEST_BODY) {
        relay =
            relay_request(x); /* what of the body came with the head gives no wake-up of its own */
    }
    /* The answer is waited for: to read now would only meet EAGAIN. */
    act(x, relay == RELAY_COMPLETE ? RELAY_WAITING : relay);
}

static void on_connected(struct errand *errand, enum link_outcome outcome, const char *reason)
{
    struct exchange *x = LIST_OWNER(errand, struct exchange, errand);
    struct stream *stream = x->stream;
    /* reason ends with this call; the log lines about it are written within */
    char trouble[LINK_REASON_BYTES + 16];
    if (outcome == LINK_READY) {
        exchange_start(x);
    } else {
        snprintf(trouble, sizeof trouble, "%s: %s", link_outcome_name(outcome), reason);
        x->trouble = trouble;
        attempt_unconnected(x, outcome);
        if (stream->exchange == x) {
            x->trouble = NULL;
        }
    }
    stream->ops->settle(stream);
}

const struct errand_events exchange_errand_events = {
    .on_connected = on_connected,
    .on_ready = on_ready,
};

/* --- beginning ----------------------------------------------------------------------------- */

/** The head as the backend will get it, in a buffer of the exchange's own. */
static bool write_request_head(struct exchange *x, const struct http_request *request,
                               struct slice client_id, time_t now)
{
    struct forwarding forwarding = {.client = x->stream->client,
                                    .rule = x->rule,
                                    .request = request,
                                    .ids = &x->all->ids,
                                    .now = now,
                                    .client_id = client_id};
    x->request_head = buffer_take(&x->all->context->buffers, forwarded_room(&forwarding));
    if (!x->request_head) {
        return false;
    }
    x->request_head->end =
        forwarded_write(&forwarding, x->request_head->data, x->request_head->capacity);
    x->facts = (struct exchange_facts){
        forwarding.method,  forwarding.uri,        forwarding.host,     forwarding.user_agent,
        forwarding.referer, forwarding.request_id, forwarding.client_id};
    return x->request_head->end > 0;
}

/* glibc keeps what is freed up to this size at hand for each thread; more costs a request 250
 * instructions. */
_Static_assert(sizeof(struct exchange) <= 1032, "an exchange is taken from what is at hand");

static struct exchange *exchange_new(struct exchanges *all, struct stream *stream,
                                     const struct http_request *request,
                                     const struct decision *decision, time_t now)
{
    struct exchange *x = malloc(sizeof *x); /* calloc would pass by what free() keeps at hand */
    if (!x) {
        return NULL;
    }
    *x = (struct exchange){.all = all,
                           .stream = stream,
                           .rule = decision->rule,
                           .access = decision->access,
                           .edition = edition_of_door(stream->client->door)};
    x->pool = x->edition->config->pools[x->rule->pool];
    x->method = request->method;
    errand_init(&x->errand, &exchange_errand_events, x->method);
    x->request_framing = request->framing;
    x->wants_upgrade = forwarded_upgrades(request);
    x->tells_client =
        x->rule->client_headers.to_client != 0 && forwarded_tells(x->rule, stream->client);
    x->began_ms = uv_now(all->context->loop);
    if (!write_request_head(x, request, decision->client_id, now)) {
        buffer_give(&all->context->buffers, &x->request_head);
        free(x);
        return NULL;
    }
    persistence_cookie_wish(x, request);
    hold_take(&x->edition->hold);
    return x;
}

static void begin(void *roof, struct stream *stream, const struct http_request *request)
{
    struct exchanges *all = roof;
    time_t now = wall_clock_s();
    if (request->method == HTTP_CONNECT) { /* it names no path that could choose a rule */
        own_answer_refuse(all, stream, request, NULL, 501, "no-connect",
                          "This is a load balancer, not a proxy for CONNECT.");
        return;
    }
    struct decision decision;
    if (!admission_decide(&decision, stream, request, now, all->access_log)) {
        return; /* begin comes again */
    }
    if (decision.outcome != DECISION_PASS) {
        own_answer_decided(all, stream, request, &decision);
        return;
    }
    struct exchange *x = exchange_new(all, stream, request, &decision, now);
    if (!x) {
        own_answer_refuse(all, stream, request, decision.rule, 503, "out-of-memory", NULL);
        return;
    }
    all->count++;
    stream->exchange = x;
    admission_note(&decision, stream->client, request, x->facts.request_id);
    attempt_choose(x);
}

static void abandon(struct stream *stream, unsigned status, const char *why)
{
    struct exchange *x = stream->exchange;
    if (!x->status) {
        x->status = status;
    }
    x->trouble = why;
    exchange_over(x);
}

static void answered(void *roof, struct stream *stream, unsigned status, const char *why)
{
    own_answer_unread(roof, stream, status, why);
}

static void gone(void *roof, struct client *client)
{
    struct exchanges *all = roof;
    if (all->on_client_gone) {
        all->on_client_gone(all->worker, client);
    }
}

const struct stream_events exchange_events = {
    .begin = begin,
    .advance = advance,
    .abandon = abandon,
    .answered = answered,
    .gone = gone,
};

void exchanges_init(struct exchanges *all, struct loop_context *context, struct links *links,
                    struct access_log *access_log)
{
    all->context = context;
    all->links = links;
    all->access_log = access_log;
    all->count = 0;
    request_ids_init(&all->ids);
    queue_desk_open(&all->desk, context->loop); /* if not, nobody waits: 503 */
}

void exchanges_close(struct exchanges *all)
{
    queue_desk_close(&all->desk);
}
