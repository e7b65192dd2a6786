/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/server/reload.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lb/base/log.h"
#include "lb/config/config_cas.h"
#include "lb/keys/signer.h"
#include "lb/server/edition.h"
#include "lb/server/held_signals.h"
#include "lb/server/reload_outcome.h"
#include "lb/server/server_state.h"
#include "lb/server/sockets.h"
#include "listeners/registry/registry_options.h"

static struct server *server_of(struct reload *reload)
{
    return LIST_OWNER(reload, struct server, reload);
}

/* lb goes on with these whatever later files say, and the first config may be gone then. */
static void keep_start_keys(struct reload *reload, const struct lb_options *options)
{
    struct arena *arena = &reload->arena;
    reload->started = *options;
    reload->started.log = arena_copy(arena, options->log);
    reload->started.access_log = arena_copy(arena, options->access_log);
    reload->started.state_dir = arena_copy(arena, options->state_dir);
    reload->started.user = arena_copy(arena, options->user ? options->user : "");
}

void reload_init(struct server *server)
{
    struct reload *reload = &server->reload;
    keep_start_keys(reload, server->config->options);
    reload->started_store = arena_copy(&reload->arena, server->config->registry->store);
    list_init(&reload->waiters);
    list_init(&reload->file.waiters);
    list_init(&reload->text.waiters);
    list_init(&reload->carried.waiters);
    reload->loaded_s = time(NULL);
}

/* --- telling ------------------------------------------------------------------------------- */

static void tell_waiters(struct reload *reload, struct list_node *waiters, bool reloaded)
{
    struct list_node told;
    list_move(waiters, &told);
    while (!list_is_empty(&told)) {
        struct reload_waiter *waiter = LIST_OWNER(told.next, struct reload_waiter, node);
        list_remove(&waiter->node);
        waiter->on_reloaded(waiter, reloaded, &reload->problems);
    }
}

static void wish_join(struct reload_wish *wish, struct reload_wish *other)
{
    wish->is_there |= other->is_there;
    other->is_there = false;
    while (!list_is_empty(&other->waiters)) {
        struct list_node *node = other->waiters.next;
        list_remove(node);
        list_append(&wish->waiters, node);
    }
}

static void start(struct server *server);

static void end(struct server *server, bool reloaded)
{
    struct reload *reload = &server->reload;
    tell_waiters(reload, &reload->waiters, reloaded);
    if (reloaded) {
        tell_waiters(reload, &reload->carried.waiters, true);
        reload->carried.is_there = false;
    } else {
        wish_join(&reload->text, &reload->carried);
    }
    problems_done(&reload->problems);
    reload->state = RELOAD_IDLE; /* last: who was told may have asked for another one at once */
    if (reload->file.is_there || reload->text.is_there)
        start(server);
}

static void finish(struct server *server, bool reloaded)
{
    reload_outcome_note(server, reloaded);
    end(server, reloaded);
}

/* --- loading ------------------------------------------------------------------------------- */

static bool make_editions(struct server *server, struct error *err)
{
    struct reload *reload = &server->reload;
    for (unsigned i = 0; i < server->worker_count; i++) {
        reload->editions[i] = edition_new(reload->config, server->chains, err);
        if (!reload->editions[i])
            return false;
    }
    return true;
}

/* Requests come first: a thread that loads thousands of certificates takes what workers leave. It
 * stays so: the pool's threads do nothing else. */
static void step_back(void)
{
    enum { LOADER_NICENESS = 10 };
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), LOADER_NICENESS);
}

/* On a thread of the pool. */
static void load(uv_work_t *work)
{
    step_back();
    struct server *server = work->data;
    struct reload *reload = &server->reload;
    const struct config_loading loading = {
        .file = server->config->file,
        .again = reload->source == RELOAD_FROM_TEXT ? server->config : NULL,
        .store = reload->started_store,
        .state_dir = reload->started.state_dir,
        .has_store = server->config->has_store,
        .before = server->config,
        .crls = server->crls.crls,
        .signer = signer_own_program,
    };
    struct error err;
    reload->is_idle = reload->source == RELOAD_FROM_TEXT && config_cas_are_current(server->config);
    if (reload->is_idle)
        return;
    reload->config = config_load_as(&loading, &reload->problems);
    if (!reload->config)
        return;
    reload->editions = calloc(server->worker_count, sizeof(struct edition *));
    if (!reload->editions)
        error_out_of_memory();
    if (!make_editions(server, &err))
        problems_add(&reload->problems, reload->config->file, 0, "%s", err.text);
}

/* What was loaded is not wanted. */
static void drop_loaded(struct reload *reload)
{
    for (unsigned i = 0; reload->editions && i < server_of(reload)->worker_count; i++)
        edition_free(reload->editions[i]);
    free(reload->editions);
    reload->editions = NULL;
    config_free(reload->config);
    reload->config = NULL;
}

/* --- adopting ------------------------------------------------------------------------------ */

/* Keys that only a start reads. */
static void warn_of_start_keys(struct server *server)
{
    struct reload *reload = &server->reload;
    const struct lb_options *now = &reload->started;
    const struct lb_options *next = reload->config->options;
    const struct {
        const char *key;
        bool same;
        unsigned line;
    } keys[] = {
        {"workers", now->workers == next->workers, next->workers_line},
        {"log", strcmp(now->log, next->log) == 0, next->log_line},
        {"access_log", strcmp(now->access_log, next->access_log) == 0, next->access_log_line},
        {"access_log_format", now->access_log_format == next->access_log_format,
         next->access_log_format_line},
        {"state_dir", strcmp(now->state_dir, reload->config->asked_state_dir) == 0,
         next->state_dir_line},
        {"[registry] store", strcmp(reload->started_store, reload->config->asked_store) == 0,
         reload->config->registry->store_line},
        {"[admin] address", server_admin_is_alike(&server->admin, reload->config),
         reload->config->admin->address_line},
        {"user", strcmp(now->user, next->user ? next->user : "") == 0, next->user_line},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!keys[i].same)
            problems_warn(&reload->problems, server->config->file, keys[i].line,
                          "%s has changed, which takes a restart: the old value stays",
                          keys[i].key);
}

static void offer(struct server *server)
{
    struct reload *reload = &server->reload;
    bool review = !config_settles_alike(reload->config, server->config);
    atomic_store(&reload->adopted_count, 0);
    for (unsigned i = 0; i < server->worker_count; i++) {
        server_use_config(reload->config);
        worker_offer(server->workers[i], reload->editions[i], reload->sockets, review);
    }
    free(reload->editions);
    reload->editions = NULL;
}

static void log_listeners(const struct config *config, const struct config *before)
{
    for (unsigned i = 0; i < config->listener_count; i++) {
        const struct listener *listener = &config->listeners[i];
        for (unsigned k = 0; k < listener->address_count; k++) {
            if (config_has_address(before, &listener->addresses[k]))
                continue;
            struct log_line line;
            log_begin(&line, LOG_LEVEL_INFO, "listener.open");
            log_text(&line, "listener", listener->name);
            log_text(&line, "address", listener->addresses[k].text);
            log_end(&line);
        }
    }
}

/* What hangs on the config that is in force: its pools, and who checks them. */
static bool open_config(struct server *server, struct error *err)
{
    struct config *config = server->reload.config;
    if (!config_open(config, server->roster, &server->services, server->config))
        return error_set(err, "out of memory");
    return server_check_health(server, config, err);
}

static bool put_in_force(struct server *server, struct error *err)
{
    struct reload *reload = &server->reload;
    struct config *before = server->config;
    if (!persistence_key_load(&server->persistence_key, reload->config, err))
        return false;
    reload->sockets = sockets_open(reload->config, before, server->worker_count, err);
    if (!reload->sockets)
        return false;
    if (!open_config(server, err)) {
        sockets_close(reload->sockets);
        reload->sockets = NULL;
        return false;
    }
    if (reload->source == RELOAD_FROM_FILE)
        warn_of_start_keys(server);
    reload->state = RELOAD_ADOPTING;
    offer(server);
    log_listeners(reload->config, before);
    server->config = reload->config;
    reload->config = NULL;
    if (reload->source == RELOAD_FROM_FILE)
        reload->loaded_s = time(NULL);
    server_registry_adopt(server, server->config);
    server_crls_adopt(server, server->config);
    server_admin_adopt(server, server->config);
    if (reload->source == RELOAD_FROM_FILE)
        server_counts_adopt(server);
    server_use_config(server->config);
    server_leave_config(before);
    return true;
}

static void on_loaded(uv_work_t *work, int status)
{
    struct server *server = work->data;
    struct reload *reload = &server->reload;
    struct error err;
    (void)status; /* it is never cancelled */
    if (reload->is_idle) {
        end(server, true);
        return;
    }
    if (reload->problems.error_count > 0) {
        drop_loaded(reload);
        finish(server, false);
        return;
    }
    if (server->state != SERVER_SERVING)
        error_set(&err, "lb is ending");
    else if (put_in_force(server, &err))
        return;
    problems_add(&reload->problems, server->config->file, 0, "%s", err.text);
    drop_loaded(reload);
    finish(server, false);
}

void reload_advance(struct server *server)
{
    struct reload *reload = &server->reload;
    if (reload->state != RELOAD_ADOPTING ||
        atomic_load(&reload->adopted_count) < server->worker_count)
        return;
    sockets_close(reload->sockets);
    reload->sockets = NULL;
    finish(server, true);
}

/* --- asking -------------------------------------------------------------------------------- */

static void start(struct server *server)
{
    struct reload *reload = &server->reload;
    struct reload_wish *met = reload->file.is_there ? &reload->file : &reload->text;
    reload->source = met == &reload->file ? RELOAD_FROM_FILE : RELOAD_FROM_TEXT;
    met->is_there = false;
    list_move(&met->waiters, &reload->waiters);
    if (reload->source == RELOAD_FROM_FILE)
        wish_join(&reload->carried, &reload->text);
    reload->state = RELOAD_LOADING;
    reload->began_ms = uv_now(&server->loop);
    reload->work.data = server;
    held_signals_hold(); /* the first one starts the pool's threads */
    uv_queue_work(&server->loop, &reload->work, load, on_loaded);
    held_signals_let_in();
}

static void wish(struct server *server, struct reload_wish *wish, struct reload_waiter *waiter)
{
    if (waiter)
        list_append(&wish->waiters, &waiter->node);
    wish->is_there = true;
    if (server->reload.state == RELOAD_IDLE)
        start(server);
}

void reload_begin(struct server *server, struct reload_waiter *waiter)
{
    wish(server, &server->reload.file, waiter);
}

void reload_begin_again(struct server *server, struct reload_waiter *waiter)
{
    wish(server, &server->reload.text, waiter);
}

void reload_done(struct server *server)
{
    sockets_close(server->reload.sockets);
    server->reload.sockets = NULL;
    problems_done(&server->reload.problems);
    arena_done(&server->reload.arena);
}
