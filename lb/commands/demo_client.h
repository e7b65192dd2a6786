/* SPDX-License-Identifier: Apache-2.0 */
/* One connection of a demo backend: HTTP/1.1, one request after the other. */
#ifndef LB_COMMANDS_DEMO_CLIENT_H
#define LB_COMMANDS_DEMO_CLIENT_H

#include <stdbool.h>

#include "lb/base/connection.h"
#include "lb/base/http1.h"
#include "lb/base/list.h"

struct demo_client;

/** What all clients of one demo backend share. */
struct demo_clients {
    const char *name; /* the backend's */
    struct loop_context *context;
    struct list_node open;
    unsigned count;              /* until their memory is gone */
    struct http_request request; /* being answered: never needed beyond one call */
    /** A client is gone. From the loop. */
    void (*on_gone)(struct demo_clients *clients);
};

/** Serve an accepted connection. fd: taken. returns false: no memory or not watchable; fd is
 * closed. Thread: the loop's. */
bool demo_client_open(struct demo_clients *clients, int fd);

/** Close them all; on_gone comes from the loop for each. */
void demo_clients_close(struct demo_clients *clients);

#endif
