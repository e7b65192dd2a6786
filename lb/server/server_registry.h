/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry of the running lb, and what follows from its changes: workers look at their clients
 * when somebody may pass less than before; the config in force is loaded again when a client CA, or
 * what it is bound to, has changed.
 */
#ifndef LB_SERVER_SERVER_REGISTRY_H
#define LB_SERVER_SERVER_REGISTRY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

#include "lb/base/error.h"

struct config;
struct registry;
struct server;

/** Embedded in the server. */
struct server_registry {
    struct registry *registry; /* NULL: not open */
    uv_async_t told;           /* the registry's own thread has something to tell */
    atomic_bool is_worse;      /* somebody may pass less */
    atomic_bool are_cas_new;   /* the CAs or their bindings have changed */
};

/** The handle, before anything is opened. Thread: control, as for all here. */
void server_registry_init(struct server *server);
/**
 * Open what [registry] of the config in force says. Before its listeners are opened.
 * Fails: the store cannot be read: err says why and what to do.
 */
bool server_registry_open(struct server *server, struct error *err);
/** A reload has put another config in force: its [registry] counts. */
void server_registry_adopt(struct server *server, const struct config *config);
/** Nothing is told any more; the registry stays open for the workers. The loop must run once more.
 */
void server_registry_hush(struct server *server);
/** Workers and admin are gone. */
void server_registry_close(struct server *server);

#endif
