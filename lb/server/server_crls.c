/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/server/server_crls.h"

#include "lb/server/server_state.h"
#include "listeners/crl/crls.h"

/* On the watcher's thread. */
static void on_news(void *arg)
{
    struct server *server = arg;
    uv_async_send(&server->crls.told);
}

static void review_clients(struct server *server)
{
    for (unsigned i = 0; i < server->worker_count; i++)
        worker_review_identities(server->workers[i]);
}

static void on_told(uv_async_t *async)
{
    struct server *server = async->data;
    if (!server->crls.crls)
        return;
    if (crls_deliver(server->crls.crls))
        review_clients(server);
    crls_sweep(server->crls.crls);
}

void server_crls_init(struct server *server)
{
    uv_async_init(&server->loop, &server->crls.told, on_told);
    server->crls.told.data = server;
}

bool server_crls_open(struct server *server, struct error *err)
{
    server->crls.crls = crls_new();
    if (!server->crls.crls)
        return error_set(err, "out of memory");
    server->services.crls = server->share.crls = server->crls.crls;
    return crls_watch(server->crls.crls, on_news, server, err);
}

void server_crls_adopt(struct server *server, const struct config *config)
{
    for (unsigned i = 0; i < config->listener_count; i++)
        if (config->listeners[i].crl_check_count > 0) {
            review_clients(server);
            return;
        }
}

void server_crls_hush(struct server *server)
{
    crls_end_watch(server->crls.crls);
    uv_close((uv_handle_t *)&server->crls.told, NULL);
}

void server_crls_close(struct server *server)
{
    crls_free(server->crls.crls);
    server->crls.crls = NULL;
}
