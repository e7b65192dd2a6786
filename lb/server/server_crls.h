/* SPDX-License-Identifier: Apache-2.0 */
/* The revocation lists of the running lb, and what follows from their changes: workers look at
 * their clients when a list has changed. */
#ifndef LB_SERVER_SERVER_CRLS_H
#define LB_SERVER_SERVER_CRLS_H

#include <stdbool.h>
#include <uv.h>

struct config;
struct crls;
struct error;
struct server;

/** Embedded in the server. */
struct server_crls {
    struct crls *crls; /* NULL: not open */
    uv_async_t told;   /* the watcher has something to tell */
};

/** The handle, before anything is opened. Thread: control, as for all here. */
void server_crls_init(struct server *server);
/** Watch what configs ask, from the first one on, which is not opened yet. Fails: out of memory or
 * threads. */
bool server_crls_open(struct server *server, struct error *err);
/** A reload has put another config in force: it may ask lists that the former did not. */
void server_crls_adopt(struct server *server, const struct config *config);
/** Nothing is told any more; the lists stay for the workers. The loop must run once more. */
void server_crls_hush(struct server *server);
/** Workers and configs are gone. */
void server_crls_close(struct server *server);

#endif
