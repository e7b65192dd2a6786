/* SPDX-License-Identifier: Apache-2.0 */
/* What the admin socket is told of the server, and what it may ask of it. */
#ifndef LB_SERVER_SERVER_ADMIN_H
#define LB_SERVER_SERVER_ADMIN_H

#include <stdbool.h>
#include <stdint.h>

#include "lb/admin/admin.h"
#include "lb/base/error.h"

struct server;

enum { SERVER_ADMIN_ADDRESS_BYTES = 2048 };

/** Embedded in the server. */
struct server_admin {
    struct admin_host host;
    struct admin *admin; /* NULL: not open */
    int64_t started_ms;
    char addresses[SERVER_ADMIN_ADDRESS_BYTES]; /* what was said at the start, a line each */
};

/** Open what [admin] of the config in force says. Fails: it was asked for and cannot be had.
 * Thread: control, as for all here. */
bool server_admin_open(struct server *server, struct error *err);

/** A reload has put this config in force: who comes over TCP is met as it says. */
void server_admin_adopt(struct server *server, struct config *config);

/** Somebody may pass less than before: operators' certificates are looked at, too. */
void server_admin_review(struct server *server);

/** Would a start with this config open the same addresses? */
bool server_admin_is_alike(const struct server_admin *admin, const struct config *config);

/** Close it; `closed(server)` is called from the loop, at once when it is not open. No worker may
 * be joined before. */
void server_admin_close(struct server *server, void (*closed)(void *server));

#endif
