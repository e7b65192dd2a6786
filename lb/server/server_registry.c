/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/server/server_registry.h"

#include "lb/server/held_signals.h"
#include "lb/server/server_state.h"
#include "listeners/registry/registry.h"
#include "listeners/registry/registry_options.h"

/* --- what the registry tells, on a thread of its own ---------------------------------------- */

static void on_worse(void *arg)
{
    struct server *server = arg;
    atomic_store(&server->registry.is_worse, true);
    uv_async_send(&server->registry.told);
}

static void on_cas(void *arg)
{
    struct server *server = arg;
    atomic_store(&server->registry.are_cas_new, true);
    uv_async_send(&server->registry.told);
}

/* --- what follows --------------------------------------------------------------------------- */

static void on_told(uv_async_t *async)
{
    struct server *server = async->data;
    if (atomic_exchange(&server->registry.is_worse, false)) {
        for (unsigned i = 0; i < server->worker_count; i++)
            worker_review_identities(server->workers[i]);
        server_admin_review(server);
    }
    if (server->state == SERVER_SERVING && atomic_exchange(&server->registry.are_cas_new, false)) {
        reload_begin_again(server, NULL);
    }
}

/* --- life ----------------------------------------------------------------------------------- */

static struct registry_settings settings_of(const struct config *config)
{
    return (struct registry_settings){
        .location = config->registry->store,
        .signups_per_second = (unsigned)config->registry->signups_per_second,
        .auto_activate = config->registry->auto_activate,
    };
}

void server_registry_init(struct server *server)
{
    uv_async_init(&server->loop, &server->registry.told, on_told);
    server->registry.told.data = server;
}

bool server_registry_open(struct server *server, struct error *err)
{
    const struct registry_settings settings = settings_of(server->config);
    const struct registry_events events = {.on_worse = on_worse, .on_cas = on_cas, .arg = server};
    held_signals_hold(); /* for its threads to inherit */
    server->registry.registry = registry_open(&settings, &events, err);
    if (!server->registry.registry)
        return false;
    server->services.registry = server->registry.registry;
    on_cas(server); /* they may have changed since the config was loaded */
    return true;
}

void server_registry_adopt(struct server *server, const struct config *config)
{
    const struct registry_settings settings = settings_of(config);
    registry_set(server->registry.registry, &settings);
}

void server_registry_hush(struct server *server)
{
    uv_close((uv_handle_t *)&server->registry.told, NULL);
}

void server_registry_close(struct server *server)
{
    if (server->registry.registry)
        registry_close(server->registry.registry);
    server->registry.registry = NULL;
}
