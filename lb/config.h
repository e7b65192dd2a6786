/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole INI file: read (lines), checked (per key, then across sections), built (certificates,
 * CA sets, policies, routers, pools) and frozen. Every problem is reported at once with its line.
 */
#ifndef LB_CONFIG_H
#define LB_CONFIG_H

#include <stdbool.h>

#include "backends/pool.h"
#include "lb/admin/admin_address.h"
#include "lb/base/arena.h"
#include "lb/base/error.h"
#include "lb/base/option.h"
#include "listeners/listener.h"

struct registry;

struct lb_options {
#define OPTION OPTION_MEMBER
#include "lb/lb_options.def"
#undef OPTION
};
extern const struct option_table lb_option_table;

enum access_log_format { ACCESS_LOG_JSON, ACCESS_LOG_COMBINED };

struct config {
    struct arena arena;
    const char *file;   /* as given */
    const char *folder; /* absolute: what relative paths are relative to */
    const struct lb_options *options;
    const struct admin_options *admin; /* its address is absolute */
    unsigned listener_count;
    struct listener *listeners;
    unsigned rule_count; /* [rule] sections; one on two listeners counts once */
    unsigned pool_count;
    struct pool **pools;
    unsigned users; /* who serves from it; the control thread's (server.c) */
};

/** All option tables in the order of the documentation: lb, admin, listener, rule, pool; NULL at
 * the end. */
extern const struct option_table *const option_tables[];

/**
 * Load a file. Problems (errors and warnings) are added; sorted by line.
 *
 * returns  the frozen config, or NULL when there is any error (all of them are in `problems`)
 * Thread:  control. Reads files, may resolve names.
 */
struct config *config_load(const char *file, struct problems *problems);

/**
 * Open every pool, so that the config can be served from.
 *
 * roster   borrowed until config_free, as is
 * registry what its listeners ask about clients; NULL: nothing
 * before   the config that this one takes the place of: pools of the same name go on with their
 *          turns, listeners with their sessions; NULL: none
 * Fails:   out of memory; config_free is all that is left.   Thread: control
 */
bool config_open(struct config *config, struct roster *roster, struct registry *registry,
                 const struct config *before);

/** Does a listener of this config have the address? NULL has none. */
bool config_has_address(const struct config *config, const struct address *address);

/**
 * Do the handshakes of all listeners that both have settle the same with every client? false:
 * perhaps not.
 */
bool config_settles_alike(const struct config *config, const struct config *before);

/** Nobody uses it any more. NULL is fine. Thread: control. */
void config_free(struct config *config);

#endif
