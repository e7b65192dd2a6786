/* SPDX-License-Identifier: Apache-2.0 */
/* The control thread's state, for server.c and its parts (reload.c) only. */
#ifndef LB_SERVER_SERVER_STATE_H
#define LB_SERVER_SERVER_STATE_H

#include <uv.h>

#include "lb/base/connection.h"
#include "lb/base/list.h"
#include "lb/config/config.h"
#include "lb/keys/persistence_key.h"
#include "lb/server/census.h"
#include "lb/server/reload.h"
#include "lb/server/server_admin.h"
#include "lb/server/server_counts.h"
#include "lb/server/server_crls.h"
#include "lb/server/server_registry.h"
#include "lb/server/worker.h"

struct chain_cache;
struct health;
struct roster;

enum server_state {
    SERVER_SERVING,  /* waits for a signal */
    SERVER_DRAINING, /* waits for the workers, or drain_timeout */
    SERVER_ENDING,   /* waits for the health checks' last connections */
};

struct server {
    struct config *config; /* in force */
    struct roster *roster;
    struct chain_cache *chains;
    struct persistence_key persistence_key;
    enum server_state state;
    uv_loop_t loop;
    struct loop_context context;
    uv_signal_t on_term;
    uv_signal_t on_int;
    uv_signal_t on_hangup;
    uv_signal_t on_rotated;
    uv_async_t worker_told; /* one of them has adopted, ended, or let go of an edition */
    uv_timer_t drain;
    atomic_uint ended_count;
    struct worker_share share;
    struct worker **workers;
    unsigned worker_count;
    struct health *health; /* NULL: not started */
    uv_mutex_t unused_lock;
    struct list_node unused; /* editions nobody holds any more */
    struct reload reload;
    struct server_admin admin;
    struct census_desk census;
    struct server_registry registry;
    struct server_crls crls;
    struct server_counts counts;
    struct listener_services services; /* what configs are opened with */
};

/** The config is used by one more. Thread: control, as for all here. */
void server_use_config(struct config *config);
/** … by one less; the last one frees it. */
void server_leave_config(struct config *config);

/**
 * Check this config's backends instead of those checked now. Before workers see its pools, for each
 * gets a bell; and while the former config is open. It needs no former config afterwards.
 *
 * Fails: out of memory or descriptors; those checked now stay
 */
bool server_check_health(struct server *server, const struct config *config, struct error *err);

#endif
