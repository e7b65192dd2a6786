/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lb counts for operators and keeps over reloads: refusals, what [access] sections decided,
 * and whose CAs' clients come. Once a minute the latter are kept in state_dir, and the certificates
 * are looked at that will end.
 */
#ifndef LB_SERVER_SERVER_COUNTS_H
#define LB_SERVER_SERVER_COUNTS_H

#include <stdbool.h>
#include <uv.h>

#include "lb/server/expiry_watch.h"

struct error;
struct server;

enum { SERVER_COUNTS_TICK_MS = 60 * 1000 };

/** Embedded in the server. */
struct server_counts {
    uv_timer_t tick;
    uv_work_t save; /* on a thread of the pool: disks may be slow */
    bool is_saving;
    bool has_failed; /* the last one; whoever saves has it */
    struct expiry_watch expiry;
};

/** The handle. Thread: control, as for all here. */
void server_counts_init(struct server *server);
/** Make the counters, and go on from what the run before this one has kept. Before the first config
 * is opened. Fails: out of memory. */
bool server_counts_open(struct server *server, struct error *err);
/** The first config is open. */
void server_counts_begin(struct server *server);
/** A reload of the file has put another config in force. */
void server_counts_adopt(struct server *server);
/** lb ends: no tick any more. The loop must run once more. */
void server_counts_hush(struct server *server);
/** The loop has ended, and the config in force is still there: keep what was counted. */
void server_counts_keep(struct server *server);
/** All configs are gone. */
void server_counts_close(struct server *server);

#endif
