/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker's life: started -> serving -> draining -> ended.
 *
 * It ends by running out: acceptors close, the last client goes, then the links, then the loop's
 * own handles, and uv_run returns because nothing is left.
 */
#include "lb/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/link.h"
#include "lb/acceptor.h"
#include "lb/base/log.h"
#include "lb/base/socket.h"
#include "lb/exchange.h"
#include "listeners/client.h"
#include "listeners/tls/handshake.h"

enum {
    LISTEN_BACKLOG = 4096
}; /* a burst of reconnecting devices; the kernel cuts it to somaxconn */

/** What the control thread last asked for; only ever raised. */
enum worker_order { WORKER_SERVE, WORKER_DRAIN, WORKER_STOP };

struct worker {
    struct worker_share *share;
    unsigned index;
    uv_thread_t thread;
    bool has_thread;
    uv_loop_t loop;
    uv_async_t wake;
    _Atomic(enum worker_order) order;
    enum worker_order obeyed;
    struct loop_context context;
    struct clients clients;
    struct exchanges exchanges;
    struct links *links;
    struct handshake_context **handshakes; /* one per listener; NULL on http listeners */
    struct acceptor *acceptors;
    unsigned acceptor_count;
    unsigned open_acceptors;
    uint64_t next_client_id;
    bool ending;
};

/* --- clients ------------------------------------------------------------------------------- */

static void on_accepted(struct acceptor *acceptor, int fd, const struct address *peer)
{
    struct worker *worker = acceptor->owner;
    struct worker_share *share = worker->share;
    unsigned now = atomic_fetch_add_explicit(&share->client_count, 1, memory_order_relaxed);
    if (now >= (uint64_t)share->config->options->max_clients) {
        log_say(LOG_LEVEL_WARN, "client.refused", "max_clients (%u) are connected; %s is refused",
                now, peer->text);
        close(fd);
    } else if (client_accept(&worker->clients, acceptor->listener, acceptor->handshake, fd, peer,
                             acceptor->port, worker->next_client_id++)) {
        return;
    }
    atomic_fetch_sub_explicit(&share->client_count, 1, memory_order_relaxed);
}

static void end_when_empty(struct worker *worker);

static void on_client_gone(void *owner, struct client *client)
{
    struct worker *worker = owner;
    (void)client;
    atomic_fetch_sub_explicit(&worker->share->client_count, 1, memory_order_relaxed);
    end_when_empty(worker);
}

/* --- ending -------------------------------------------------------------------------------- */

static void on_links_closed(void *arg)
{
    struct worker *worker = arg;
    worker->links = NULL;
    uv_close((uv_handle_t *)&worker->wake, NULL);
    loop_context_close(&worker->context);
}

static void end_when_empty(struct worker *worker)
{
    if (worker->obeyed == WORKER_SERVE || worker->ending || worker->clients.count > 0 ||
        worker->open_acceptors > 0) {
        return;
    }
    worker->ending = true;
    links_close(worker->links, on_links_closed, worker);
}

static void on_acceptor_closed(struct acceptor *acceptor)
{
    struct worker *worker = acceptor->owner;
    worker->open_acceptors--;
    end_when_empty(worker);
}

static void start_draining(struct worker *worker)
{
    for (unsigned i = 0; i < worker->acceptor_count; i++) {
        acceptor_close(&worker->acceptors[i], on_acceptor_closed);
    }
    clients_drain(&worker->clients);
}

static void on_wake(uv_async_t *wake)
{
    struct worker *worker = wake->data;
    enum worker_order order = atomic_load(&worker->order);
    if (worker->obeyed == WORKER_SERVE && order != WORKER_SERVE) {
        worker->obeyed = WORKER_DRAIN;
        start_draining(worker);
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

void worker_drain(struct worker *worker)
{
    give_order(worker, WORKER_DRAIN);
}

void worker_stop(struct worker *worker)
{
    give_order(worker, WORKER_STOP);
}

/* --- starting ------------------------------------------------------------------------------ */

static bool make_handshakes(struct worker *worker, struct error *err)
{
    const struct config *config = worker->share->config;
    worker->handshakes = calloc(config->listener_count, sizeof(struct handshake_context *));
    if (!worker->handshakes) {
        return error_set(err, "out of memory");
    }
    for (unsigned i = 0; i < config->listener_count; i++) {
        const struct listener *listener = &config->listeners[i];
        if (listener->options->protocol != LISTENER_HTTPS) {
            continue;
        }
        worker->handshakes[i] = handshake_context_new(listener, worker->share->chains, err);
        if (!worker->handshakes[i]) {
            return false;
        }
    }
    return true;
}

static bool open_acceptor(struct worker *worker, const struct listener *listener,
                          const struct address *address, struct error *err)
{
    struct acceptor *acceptor = &worker->acceptors[worker->acceptor_count];
    int fd = socket_listen(address, LISTEN_BACKLOG, err);
    if (fd < 0) {
        return false;
    }
    acceptor->listener = listener;
    acceptor->handshake = worker->handshakes[listener->index];
    acceptor->port = address_port(address);
    acceptor->on_accepted = on_accepted;
    acceptor->owner = worker;
    if (!acceptor_open(acceptor, &worker->context, fd, err)) {
        return false;
    }
    worker->acceptor_count++;
    worker->open_acceptors++;
    return true;
}

static bool open_acceptors(struct worker *worker, struct error *err)
{
    const struct config *config = worker->share->config;
    unsigned count = 0;
    for (unsigned i = 0; i < config->listener_count; i++) {
        count += config->listeners[i].address_count;
    }
    worker->acceptors = calloc(count ? count : 1, sizeof *worker->acceptors);
    if (!worker->acceptors) {
        return error_set(err, "out of memory");
    }
    for (unsigned i = 0; i < config->listener_count; i++) {
        const struct listener *listener = &config->listeners[i];
        for (unsigned k = 0; k < listener->address_count; k++) {
            if (!open_acceptor(worker, listener, &listener->addresses[k], err)) {
                return false;
            }
        }
    }
    return true;
}

static bool prepare(struct worker *worker, struct error *err)
{
    struct worker_share *share = worker->share;
    clients_init(&worker->clients, &worker->context, &exchange_events, &worker->exchanges);
    worker->links = links_new(&worker->context);
    if (worker->links)
        links_retain(worker->links, share->config->pools, share->config->pool_count);
    if (!worker->links || !exchanges_init(&worker->exchanges, &worker->context, worker->links,
                                          share->config, share->access_log)) {
        return error_set(err, "out of memory for a worker");
    }
    worker->exchanges.worker = worker;
    worker->exchanges.on_client_gone = on_client_gone;
    return make_handshakes(worker, err) && open_acceptors(worker, err);
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
    exchanges_done(&worker->exchanges);
    for (unsigned i = 0; worker->handshakes && i < worker->share->config->listener_count; i++) {
        handshake_context_free(worker->handshakes[i]);
    }
    free(worker->handshakes);
    free(worker->acceptors);
    loop_context_done(&worker->context);
    uv_loop_close(&worker->loop);
    free(worker);
}

/** Starting failed half-way: drain what there is on this thread. */
static void give_up(struct worker *worker)
{
    atomic_store(&worker->order, WORKER_STOP);
    on_wake(&worker->wake);
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    worker_free(worker);
}

struct worker *worker_start(struct worker_share *share, unsigned index, struct error *err)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (!worker || uv_loop_init(&worker->loop) != 0) {
        error_set(err, "out of memory or descriptors for a worker");
        free(worker);
        return NULL;
    }
    worker->share = share;
    worker->index = index;
    worker->wake.data = worker;
    uv_async_init(&worker->loop, &worker->wake, on_wake);
    loop_context_init(&worker->context, &worker->loop);
    if (!prepare(worker, err)) {
        give_up(worker);
        return NULL;
    }
    int result = uv_thread_create(&worker->thread, run, worker);
    if (result != 0) {
        error_set(err, "no thread for a worker: %s", uv_strerror(result));
        give_up(worker);
        return NULL;
    }
    worker->has_thread = true;
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
