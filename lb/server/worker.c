/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker's life: started -> serving -> draining -> ended.
 *
 * It ends by running out: the gate closes, the last client goes, then the links, then the loop's
 * own handles, and uv_run returns because nothing is left.
 */
#include "lb/server/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/links/link.h"
#include "lb/base/log.h"
#include "lb/base/socket.h"
#include "lb/exchange/exchange.h"
#include "lb/server/census.h"
#include "lb/server/edition.h"
#include "lb/server/gate.h"
#include "listeners/client.h"
#include "listeners/crl/crls.h"
#include "listeners/ocsp/ocsp_desk.h"
#include "listeners/refusal.h"
#include "listeners/registry/registry.h"
#include "listeners/tally.h"

/** What the control thread last asked for; only ever raised. */
enum worker_order { WORKER_SERVE, WORKER_DRAIN, WORKER_STOP };

/** An edition on its way from the control thread. */
struct offer {
    struct edition *edition;
    struct sockets *sockets;
    bool review;
};

struct worker {
    struct worker_share *share;
    unsigned index;
    uv_thread_t thread;
    uv_loop_t loop;
    uv_async_t wake;
    _Atomic(enum worker_order) order;
    enum worker_order obeyed;
    struct offer offer; /* the control thread's while is_offered is false, else the worker's */
    atomic_bool is_offered;
    atomic_bool is_review_wanted; /* of the clients' identities */
    struct loop_context context;
    struct clients clients;
    struct census_taker census;
    struct exchanges exchanges;
    struct links *links;
    struct edition *edition; /* in force; held */
    struct gate gate;
    struct gate_owner gate_owner;
    struct registry_desk desk;     /* of clients that sign up */
    struct crl_reader *crl_reader; /* it judges by revocation lists; NULL: there are none */
    struct ocsp_desk ocsp;         /* of those whose certificates are asked about */
    uint64_t next_client_id;
    bool ending;
};

static struct worker *worker_of(struct gate_owner *owner)
{
    return LIST_OWNER(owner, struct worker, gate_owner);
}

/* --- clients ------------------------------------------------------------------------------- */

static void log_full(const struct door *door, unsigned count, const struct address *peer)
{
    struct log_line line;
    tally_count(door->listener->tally, TALLY_HANDSHAKE, REFUSAL_MAX_CLIENTS);
    log_begin(&line, LOG_LEVEL_WARN, "client.refused");
    log_text(&line, "listener", door->listener->name);
    log_text(&line, "client", peer->text);
    log_text(&line, "reason", refusal_name(REFUSAL_MAX_CLIENTS));
    log_number(&line, "clients", count);
    log_end(&line);
}

static void on_accepted(struct gate_owner *owner, struct door *door, int fd,
                        const struct address *peer, unsigned port)
{
    struct worker *worker = worker_of(owner);
    struct worker_share *share = worker->share;
    unsigned now = atomic_fetch_add_explicit(&share->client_count, 1, memory_order_relaxed);
    if (now >= (uint64_t)worker->edition->config->options->max_clients) {
        log_full(door, now, peer);
        close(fd);
    } else if (client_accept(&worker->clients, door, fd, peer, port, worker->next_client_id++)) {
        return;
    }
    atomic_fetch_sub_explicit(&share->client_count, 1, memory_order_relaxed);
}

static void end_when_empty(struct worker *worker);

static void on_client_gone(void *owner, struct client *client)
{
    struct worker *worker = owner;
    atomic_fetch_sub_explicit(&worker->share->client_count, 1, memory_order_relaxed);
    gate_client_gone(&worker->gate, client->door);
    end_when_empty(worker);
}

/* --- editions ------------------------------------------------------------------------------ */

static void on_edition_unused(struct hold *hold)
{
    struct edition *edition = LIST_OWNER(hold, struct edition, hold);
    const struct worker *worker = edition->owner;
    worker->share->on_edition_unused(worker->share->server, edition);
}

static void own_edition(struct worker *worker, struct edition *edition)
{
    edition->owner = worker;
    edition->hold.on_unused = on_edition_unused;
}

static bool put_in_force(struct worker *worker, struct edition *edition, struct sockets *sockets,
                         struct error *err)
{
    struct edition *before = worker->edition;
    worker->edition = edition;
    links_retain(worker->links, edition->config->pools, edition->config->pool_count);
    bool good = gate_adopt(&worker->gate, edition, sockets, worker->index, err);
    if (before) {
        hold_give(&before->hold);
    }
    return good;
}

static void take_offer(struct worker *worker)
{
    struct error err;
    if (!atomic_load(&worker->is_offered)) {
        return;
    }
    struct offer offer = worker->offer; /* not before: the control thread may write it until then */
    own_edition(worker, offer.edition);
    if (worker->obeyed != WORKER_SERVE) { /* nobody comes any more */
        hold_give(&offer.edition->hold);
    } else {
        if (!put_in_force(worker, offer.edition, offer.sockets, &err)) {
            log_say(LOG_LEVEL_ERROR, "listener.not-open", "%s", err.text);
        }
        if (offer.review) {
            clients_review(&worker->clients);
        }
    }
    atomic_store(&worker->is_offered, false);
    worker->share->on_adopted(worker->share->server);
}

/* --- ending -------------------------------------------------------------------------------- */

static void on_ocsp_closed(void *arg)
{
    struct worker *worker = arg;
    exchanges_close(&worker->exchanges);
    clients_done(&worker->clients);
    census_taker_close(&worker->census);
    registry_desk_close(&worker->desk);
    uv_close((uv_handle_t *)&worker->wake, NULL);
    loop_context_close(&worker->context);
}

static void on_links_closed(void *arg)
{
    struct worker *worker = arg;
    worker->links = NULL;
    ocsp_desk_close(&worker->ocsp, on_ocsp_closed, worker);
}

static void end_when_empty(struct worker *worker)
{
    if (worker->obeyed == WORKER_SERVE || worker->ending || worker->clients.count > 0 ||
        !gate_is_closed(&worker->gate)) {
        return;
    }
    worker->ending = true;
    links_close(worker->links, on_links_closed, worker);
}

static void on_gate_closed(struct gate_owner *owner)
{
    end_when_empty(worker_of(owner));
}

static void on_wake(uv_async_t *wake)
{
    struct worker *worker = wake->data;
    enum worker_order order = atomic_load(&worker->order);
    crl_reader_rest(worker->crl_reader);
    take_offer(worker);
    if (atomic_exchange(&worker->is_review_wanted, false))
        inspection_ask(&worker->clients.inspection);
    census_taker_advance(&worker->census);
    if (worker->obeyed == WORKER_SERVE && order != WORKER_SERVE) {
        worker->obeyed = WORKER_DRAIN;
        gate_close(&worker->gate);
        clients_drain(&worker->clients);
    }
    if (order == WORKER_STOP && worker->obeyed != WORKER_STOP) {
        worker->obeyed = WORKER_STOP;
        clients_close_all(&worker->clients);
    }
    end_when_empty(worker);
}

static void give_order(struct worker *worker, enum worker_order order)
{
    enum worker_order before = atomic_load(&worker->order);
    while (before < order && !atomic_compare_exchange_weak(&worker->order, &before, order)) {
    }
    uv_async_send(&worker->wake);
}

unsigned worker_client_count(struct worker *worker, const char *listener)
{
    return gate_client_count(&worker->gate, listener);
}

struct census_taker *worker_census_taker(struct worker *worker)
{
    return &worker->census;
}

void worker_review_identities(struct worker *worker)
{
    atomic_store(&worker->is_review_wanted, true);
    uv_async_send(&worker->wake);
}

void worker_drain(struct worker *worker)
{
    give_order(worker, WORKER_DRAIN);
}

void worker_stop(struct worker *worker)
{
    give_order(worker, WORKER_STOP);
}

void worker_offer(struct worker *worker, struct edition *edition, struct sockets *sockets,
                  bool review)
{
    worker->offer = (struct offer){edition, sockets, review};
    atomic_store(&worker->is_offered, true);
    uv_async_send(&worker->wake);
}

/* --- starting ------------------------------------------------------------------------------ */

static bool prepare(struct worker *worker, struct edition *edition, struct sockets *sockets,
                    struct error *err)
{
    struct worker_share *share = worker->share;
    worker->gate_owner = (struct gate_owner){on_accepted, on_gate_closed};
    clients_init(&worker->clients, &worker->context, &exchange_events, &worker->exchanges);
    census_taker_init(&worker->census, &worker->clients, &worker->wake);
    if (share->registry && registry_desk_open(&worker->desk, &worker->loop)) {
        worker->clients.desk = &worker->desk; /* if not, nobody signs up: 503 */
    }
    if (share->crls) {
        worker->crl_reader = crl_reader_new(share->crls);
    }
    ocsp_desk_init(&worker->ocsp, share->ocsp, &worker->context);
    worker->clients.ocsp = &worker->ocsp;
    gate_init(&worker->gate, &worker->context, &worker->clients, &worker->gate_owner);
    worker->links = links_new(&worker->context);
    exchanges_init(&worker->exchanges, &worker->context, worker->links, share->access_log);
    worker->exchanges.worker = worker;
    worker->exchanges.lane = worker->index;
    worker->exchanges.on_client_gone = on_client_gone;
    if (!worker->links || (share->crls && !worker->crl_reader)) {
        hold_give(&edition->hold);
        return error_set(err, "out of memory for a worker");
    }
    return put_in_force(worker, edition, sockets, err);
}

static void run(void *arg)
{
    struct worker *worker = arg;
    char name[16];
    snprintf(name, sizeof name, "lb-worker-%u", worker->index % 10000);
    pthread_setname_np(pthread_self(), name);
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    worker->share->on_done(worker->share->server);
}

/** Thread or not: everything the loop held is closed when uv_run has returned. */
static void worker_free(struct worker *worker)
{
    take_offer(worker); /* it came too late for the loop */
    gate_done(&worker->gate);
    census_taker_done(&worker->census);
    if (worker->edition) {
        hold_give(&worker->edition->hold);
    }
    loop_context_done(&worker->context);
    uv_loop_close(&worker->loop);
    free(worker);
}

/** Starting failed half-way: end what there is on this thread. */
static void give_up(struct worker *worker)
{
    atomic_store(&worker->order, WORKER_STOP);
    if (worker->links) {
        on_wake(&worker->wake);
    } else {
        worker->obeyed = WORKER_STOP;
        on_links_closed(worker);
    }
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    worker_free(worker);
}

struct worker *worker_start(struct worker_share *share, unsigned index, struct edition *edition,
                            struct sockets *sockets, struct error *err)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (!worker || uv_loop_init(&worker->loop) != 0) {
        error_set(err, "out of memory or descriptors for a worker");
        share->on_edition_unused(share->server, edition);
        free(worker);
        return NULL;
    }
    worker->share = share;
    worker->index = index;
    worker->wake.data = worker;
    uv_async_init(&worker->loop, &worker->wake, on_wake);
    loop_context_init(&worker->context, &worker->loop);
    own_edition(worker, edition);
    if (!prepare(worker, edition, sockets, err)) {
        give_up(worker);
        return NULL;
    }
    int result = uv_thread_create(&worker->thread, run, worker);
    if (result != 0) {
        error_set(err, "no thread for a worker: %s", uv_strerror(result));
        give_up(worker);
        return NULL;
    }
    return worker;
}

void worker_join(struct worker *worker)
{
    if (!worker) {
        return;
    }
    uv_thread_join(&worker->thread);
    worker_free(worker);
}
