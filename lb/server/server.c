/* SPDX-License-Identifier: Apache-2.0 */
/* The control thread: it starts and ends everything, and hears signals and what workers tell.
 * Requests never come here. */
#include "lb/server/server.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "backends/health/health.h"
#include "lb/base/log.h"
#include "lb/base/memory.h"
#include "lb/exchange/access_log.h"
#include "lb/server/edition.h"
#include "lb/server/held_signals.h"
#include "lb/server/server_state.h"
#include "lb/server/sockets.h"
#include "listeners/ocsp/ocsp_memory.h"
#include "listeners/tls/chain_cache.h"

/* --- configs and what hangs on them -------------------------------------------------------- */

void server_use_config(struct config *config)
{
    config->users++;
}

void server_leave_config(struct config *config)
{
    if (--config->users == 0) {
        config_free(config);
        memory_give_back();
    }
}

bool server_check_health(struct server *server, const struct config *config, struct error *err)
{
    if (server->health) {
        return health_replace(server->health, config->pools, config->pool_count, err);
    }
    server->health = health_start(config->pools, config->pool_count, &server->context);
    return server->health || error_set(err, "the health checks cannot be started");
}

/* --- ending -------------------------------------------------------------------------------- */

static void on_health_stopped(void *arg)
{
    struct server *server = arg;
    server->health = NULL;
    held_signals_hold(); /* nobody listens any more */
    uv_close((uv_handle_t *)&server->on_term, NULL);
    uv_close((uv_handle_t *)&server->on_int, NULL);
    uv_close((uv_handle_t *)&server->on_hangup, NULL);
    uv_close((uv_handle_t *)&server->on_rotated, NULL);
    uv_close((uv_handle_t *)&server->worker_told, NULL);
    uv_close((uv_handle_t *)&server->drain, NULL);
    server_registry_hush(server);
    server_crls_hush(server);
    server_counts_hush(server);
    loop_context_close(&server->context);
}

static void on_admin_closed(void *arg)
{
    struct server *server = arg;
    if (server->health) {
        health_stop(server->health, on_health_stopped, server);
    } else { /* starting failed before there were any checks */
        on_health_stopped(server);
    }
}

static void end_control(struct server *server)
{
    server->state = SERVER_ENDING;
    uv_timer_stop(&server->drain);
    server_admin_close(server, on_admin_closed);
}

/* --- what workers tell ---------------------------------------------------------------------- */

static void on_worker_done(void *arg)
{
    struct server *server = arg;
    atomic_fetch_add(&server->ended_count, 1);
    uv_async_send(&server->worker_told);
}

static void on_worker_adopted(void *arg)
{
    struct server *server = arg;
    atomic_fetch_add(&server->reload.adopted_count, 1);
    uv_async_send(&server->worker_told);
}

static void on_edition_unused(void *arg, struct edition *edition)
{
    struct server *server = arg;
    uv_mutex_lock(&server->unused_lock);
    list_append(&server->unused, &edition->node);
    uv_mutex_unlock(&server->unused_lock);
    uv_async_send(&server->worker_told);
}

static void free_unused_editions(struct server *server)
{
    struct list_node unused;
    uv_mutex_lock(&server->unused_lock);
    list_move(&server->unused, &unused);
    uv_mutex_unlock(&server->unused_lock);
    while (!list_is_empty(&unused)) {
        struct edition *edition = LIST_OWNER(unused.next, struct edition, node);
        struct config *config = edition->config;
        list_remove(&edition->node);
        edition_free(edition);
        server_leave_config(config);
    }
}

static void on_worker_told(uv_async_t *async)
{
    struct server *server = async->data;
    free_unused_editions(server);
    census_desk_deliver(&server->census);
    reload_advance(server);
    if (server->state == SERVER_DRAINING &&
        atomic_load(&server->ended_count) == server->worker_count) {
        end_control(server);
    }
}

static void stop_workers(struct server *server)
{
    for (unsigned i = 0; i < server->worker_count; i++) {
        worker_stop(server->workers[i]);
    }
}

static void on_drain_late(uv_timer_t *timer)
{
    struct server *server = timer->data;
    log_say(LOG_LEVEL_WARN, "lb.drain-late",
            "%u clients are still busy after drain_timeout and are closed",
            atomic_load(&server->share.client_count));
    stop_workers(server);
}

static void start_draining(struct server *server)
{
    server->state = SERVER_DRAINING;
    log_say(LOG_LEVEL_INFO, "lb.draining", "%u clients are connected",
            atomic_load(&server->share.client_count));
    for (unsigned i = 0; i < server->worker_count; i++) {
        worker_drain(server->workers[i]);
    }
    uv_timer_start(&server->drain, on_drain_late, server->config->options->drain_timeout, 0);
}

static void on_signal(uv_signal_t *handle, int signum)
{
    struct server *server = handle->data;
    (void)signum;
    switch (server->state) {
    case SERVER_SERVING:
        start_draining(server);
        return;
    case SERVER_DRAINING:
        stop_workers(server);
        return;
    case SERVER_ENDING:
        return;
    }
}

static void on_hangup(uv_signal_t *handle, int signum)
{
    struct server *server = handle->data;
    (void)signum;
    if (server->state == SERVER_SERVING) {
        reload_begin(server, NULL);
    }
}

/** SIGUSR1: logs were renamed, and go on in new files. */
static void on_rotated(uv_signal_t *handle, int signum)
{
    struct server *server = handle->data;
    (void)signum;
    log_reopen();
    access_log_reopen(server->share.access_log);
}

/* --- starting ------------------------------------------------------------------------------ */

/** Each client costs a descriptor, each exchange another: take what the system allows. */
static void raise_descriptor_limit(const struct config *config)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return;
    }
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    rlim_t wanted = 2 * (rlim_t)config->options->max_clients;
    if (limit.rlim_max < wanted && config->options->max_clients_line > 0) {
        log_say(LOG_LEVEL_WARN, "lb.descriptors",
                "max_clients = %lld may need %llu descriptors, the system allows %llu "
                "(LimitNOFILE, ulimit -n)",
                (long long)config->options->max_clients, (unsigned long long)wanted,
                (unsigned long long)limit.rlim_max);
    }
}

static unsigned worker_count_of(const struct config *config)
{
    int64_t workers = config->options->workers;
    return workers > 0 ? (unsigned)workers : uv_available_parallelism();
}

static void init_handles(struct server *server)
{
    uv_loop_init(&server->loop);
    uv_mutex_init(&server->unused_lock);
    list_init(&server->unused);
    loop_context_init(&server->context, &server->loop);
    uv_signal_init(&server->loop, &server->on_term);
    uv_signal_init(&server->loop, &server->on_int);
    uv_signal_init(&server->loop, &server->on_hangup);
    uv_signal_init(&server->loop, &server->on_rotated);
    uv_async_init(&server->loop, &server->worker_told, on_worker_told);
    uv_timer_init(&server->loop, &server->drain);
    server->on_term.data = server->on_int.data = server->on_hangup.data = server;
    server->on_rotated.data = server;
    server->worker_told.data = server->drain.data = server;
    census_desk_init(&server->census, &server->worker_told);
    server_registry_init(server);
    server_crls_init(server);
    server_counts_init(server);
}

static bool start_worker(struct server *server, struct sockets *sockets, struct error *err)
{
    struct edition *edition = edition_new(server->config, server->chains, err);
    if (!edition) {
        return false;
    }
    server_use_config(server->config);
    struct worker *worker =
        worker_start(&server->share, server->worker_count, edition, sockets, err);
    if (!worker) {
        return false;
    }
    server->workers[server->worker_count++] = worker;
    return true;
}

static bool start_workers(struct server *server, struct sockets *sockets, struct error *err)
{
    unsigned count = worker_count_of(server->config);
    server->workers = calloc(count, sizeof(struct worker *));
    if (!server->workers) {
        return error_set(err, "out of memory");
    }
    while (server->worker_count < count) {
        if (!start_worker(server, sockets, err)) {
            return false;
        }
    }
    return true;
}

static void log_ready(const struct server *server)
{
    const struct config *config = server->config;
    for (unsigned i = 0; i < config->listener_count; i++) {
        const struct listener *listener = &config->listeners[i];
        for (unsigned k = 0; k < listener->address_count; k++) {
            struct log_line line;
            log_begin(&line, LOG_LEVEL_INFO, "listener.open");
            log_text(&line, "listener", listener->name);
            log_text(&line, "address", listener->addresses[k].text);
            log_end(&line);
        }
    }
    struct log_line line;
    log_begin(&line, LOG_LEVEL_INFO, "lb.ready");
    log_number(&line, "workers", server->worker_count);
    log_number(&line, "listeners", config->listener_count);
    log_number(&line, "pools", config->pool_count);
    log_end(&line);
}

static bool prepare(struct server *server, struct error *err)
{
    struct config *config = server->config;
    server->share.on_done = on_worker_done;
    server->share.on_adopted = on_worker_adopted;
    server->share.on_edition_unused = on_edition_unused;
    server->share.server = server;
    server->roster = roster_new();
    server->chains = chain_cache_new(VERIFIED_CHAINS_MOST);
    if (!server_registry_open(server, err)) {
        return false;
    }
    server->share.registry = server->registry.registry;
    if (!server_crls_open(server, err)) {
        return false;
    }
    server->share.ocsp = server->services.ocsp = ocsp_new(OCSP_ANSWERS_MOST);
    if (!server_counts_open(server, err)) {
        return false;
    }
    if (!server->roster || !server->chains || !server->services.ocsp ||
        !config_open(config, server->roster, &server->services, NULL)) {
        return error_set(err, "out of memory");
    }
    server_counts_begin(server);
    if (!persistence_key_load(&server->persistence_key, config, err)) {
        return false;
    }
    server->share.access_log = access_log_open(config->options, err);
    return server->share.access_log || !err->text[0];
}

static bool start(struct server *server, struct error *err)
{
    struct config *config = server->config;
    struct sockets *sockets = sockets_open(config, NULL, worker_count_of(config), err);
    if (!sockets) {
        return false;
    }
    uv_signal_start(&server->on_term, on_signal, SIGTERM);
    uv_signal_start(&server->on_int, on_signal, SIGINT);
    uv_signal_start(&server->on_hangup, on_hangup, SIGHUP);
    uv_signal_start(&server->on_rotated, on_rotated, SIGUSR1);
    bool good = prepare(server, err) && server_check_health(server, config, err) &&
                server_admin_open(server, err) && start_workers(server, sockets, err);
    sockets_close(sockets);
    held_signals_let_in();
    memory_give_back();
    return good;
}

static void server_free(struct server *server)
{
    for (unsigned i = 0; i < server->worker_count; i++) {
        worker_join(server->workers[i]);
    }
    free(server->workers);
    free_unused_editions(server);
    uv_mutex_destroy(&server->unused_lock);
    census_desk_done(&server->census);
    server_counts_keep(server); /* where: what the start read, which is the reload's */
    reload_done(server);
    server_leave_config(server->config);
    roster_free(server->roster);
    chain_cache_free(server->chains);
    server_counts_close(server);
    server_registry_close(server);
    server_crls_close(server);
    ocsp_free(server->services.ocsp);
    persistence_key_done(&server->persistence_key);
    access_log_close(server->share.access_log);
    loop_context_done(&server->context);
    uv_loop_close(&server->loop);
    free(server);
}

int server_run(struct config *config)
{
    struct server *server = calloc(1, sizeof *server);
    struct error err = {""};
    if (!server) {
        config_free(config);
        return 1;
    }
    server->config = config;
    server_use_config(config);
    reload_init(server);
    raise_descriptor_limit(config);
    init_handles(server);
    bool started = start(server, &err);
    if (started) {
        log_ready(server);
    } else {
        log_say(LOG_LEVEL_ERROR, "lb.not-started", "%s", err.text);
        server->state = SERVER_DRAINING;
        stop_workers(server);
        if (server->worker_count == 0) {
            end_control(server);
        }
    }
    uv_run(&server->loop, UV_RUN_DEFAULT);
    if (started) {
        log_say(LOG_LEVEL_INFO, "lb.ended", "all clients are served");
    }
    server_free(server);
    return started ? 0 : 1;
}
