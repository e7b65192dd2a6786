/* SPDX-License-Identifier: Apache-2.0 */
/* What the admin socket is told of the server, and what it may ask of it. */
#ifndef LB_SERVER_ADMIN_H
#define LB_SERVER_ADMIN_H

#include <stdbool.h>
#include <stdint.h>

#include "lb/admin/admin.h"
#include "lb/base/error.h"

struct server;

/** Embedded in the server. */
struct server_admin {
    struct admin_host host;
    struct admin *admin; /* NULL: not open */
    int64_t started_ms;
};

/** Open what [admin] of the config in force says. Fails: it was asked for and cannot be had.
 * Thread: control, as for all here. */
bool server_admin_open(struct server *server, struct error *err);

/** Close it; `closed(server)` is called from the loop, at once when it is not open. No worker may
 * be joined before. */
void server_admin_close(struct server *server, void (*closed)(void *server));

#endif
