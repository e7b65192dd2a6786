/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/server/server_admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/health/health.h"
#include "lb/admin/admin_listener.h"
#include "lb/base/draft.h"
#include "lb/base/list.h"
#include "lb/base/log.h"
#include "lb/base/timestamp.h"
#include "lb/server/server_state.h"

/** One that waits for a reload. */
struct asked {
    struct reload_waiter waiter;
    admin_reloaded reloaded;
    void *arg;
};

static struct server *server_of(struct admin_host *host)
{
    struct server_admin *admin = LIST_OWNER(host, struct server_admin, host);
    return LIST_OWNER(admin, struct server, admin);
}

static const struct config *config_in_force(struct admin_host *host)
{
    return server_of(host)->config;
}

static void tell(struct admin_host *host, struct admin_facts *ret_facts)
{
    const struct server *server = server_of(host);
    const struct reload *reload = &server->reload;
    *ret_facts = (struct admin_facts){
        .worker_count = server->worker_count,
        .started_ms = server->admin.started_ms,
        .loaded_ms = reload->loaded_s * 1000,
        .reload_failed_ms = reload->last_failed ? reload->failed_s * 1000 : 0,
        .reload_failure = reload->failure,
        .reload_count = reload->good_count,
        .reload_failure_count = reload->bad_count,
    };
}

static unsigned client_count(struct admin_host *host, const char *listener)
{
    const struct server *server = server_of(host);
    unsigned count = 0;
    if (!listener)
        return atomic_load(&server->share.client_count);
    for (unsigned i = 0; i < server->worker_count; i++)
        count += worker_client_count(server->workers[i], listener);
    return count;
}

static void publish(struct admin_host *host, struct pool *pool)
{
    health_publish(server_of(host)->health, pool);
}

static void on_reloaded(struct reload_waiter *waiter, bool reloaded,
                        const struct problems *problems)
{
    struct asked *asked = LIST_OWNER(waiter, struct asked, waiter);
    asked->reloaded(asked->arg, reloaded, problems);
    free(asked);
}

/* NULL: out of memory, and told. */
static struct reload_waiter *waiter_of(admin_reloaded reloaded, void *arg)
{
    struct asked *asked = calloc(1, sizeof *asked);
    const struct problems none = {0};
    if (!asked) {
        reloaded(arg, false, &none);
        return NULL;
    }
    asked->waiter.on_reloaded = on_reloaded;
    asked->reloaded = reloaded;
    asked->arg = arg;
    return &asked->waiter;
}

static void reload(struct admin_host *host, admin_reloaded reloaded, void *arg)
{
    struct reload_waiter *waiter = waiter_of(reloaded, arg);
    if (waiter)
        reload_begin(server_of(host), waiter);
}

static void census(struct admin_host *host, const unsigned char key[CERTIFICATE_KEY_BYTES],
                   census_counted counted, void *arg)
{
    struct server *server = server_of(host);
    struct census_taker **takers = calloc(server->worker_count + 1, sizeof(struct census_taker *));
    if (!takers) {
        counted(arg, NULL);
        return;
    }
    for (unsigned i = 0; i < server->worker_count; i++)
        takers[i] = worker_census_taker(server->workers[i]);
    census_begin(&server->census, takers, server->worker_count, key, counted, arg);
    free(takers);
}

static struct registry *registry_of(struct admin_host *host)
{
    return server_of(host)->registry.registry;
}

static const struct listener_services *services_of(struct admin_host *host)
{
    return &server_of(host)->services;
}

static void apply(struct admin_host *host, admin_reloaded applied, void *arg)
{
    struct reload_waiter *waiter = waiter_of(applied, arg);
    if (waiter)
        reload_begin_again(server_of(host), waiter);
}

static void write_addresses(const struct option_list *list, char *into, size_t room)
{
    struct draft draft = draft_in(into, room);
    for (unsigned i = 0; i < list->count; i++) {
        draft_text(&draft, list->items[i]);
        draft_text(&draft, "\n");
    }
    into[draft.used < room ? draft.used : room - 1] = '\0';
}

static struct admin_listener *take_listener(struct config *config)
{
    struct admin_listener *listener = config->admin_listener;
    config->admin_listener = NULL;
    return listener;
}

bool server_admin_open(struct server *server, struct error *err)
{
    server->admin.started_ms = timestamp_now_ms();
    write_addresses(&server->config->admin->address, server->admin.addresses,
                    sizeof server->admin.addresses);
    server->admin.host = (struct admin_host){
        .config = config_in_force,
        .tell = tell,
        .client_count = client_count,
        .publish = publish,
        .reload = reload,
        .census = census,
        .registry = registry_of,
        .services = services_of,
        .apply = apply,
    };
    return admin_open(&server->admin.admin, &server->admin.host, server->config->admin,
                      take_listener(server->config), &server->context, err);
}

bool server_admin_is_alike(const struct server_admin *admin, const struct config *config)
{
    char addresses[SERVER_ADMIN_ADDRESS_BYTES];
    write_addresses(&config->admin->address, addresses, sizeof addresses);
    return strcmp(admin->addresses, addresses) == 0;
}

void server_admin_adopt(struct server *server, struct config *config)
{
    struct error err;
    struct admin_listener *listener = take_listener(config);
    if (!server->admin.admin)
        admin_listener_leave(listener);
    else if (!admin_adopt(server->admin.admin, listener, &err))
        log_say(LOG_LEVEL_ERROR, "admin.not-adopted",
                "who comes over TCP is met as before the reload: %s", err.text);
}

void server_admin_review(struct server *server)
{
    if (server->admin.admin)
        admin_review_identities(server->admin.admin);
}

void server_admin_close(struct server *server, void (*closed)(void *server))
{
    struct admin *admin = server->admin.admin;
    server->admin.admin = NULL;
    if (admin)
        admin_close(admin, closed, server);
    else
        closed(server);
}
