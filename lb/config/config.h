/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole INI file: read (lines), checked (per key, then across sections), built (certificates,
 * CA sets, policies, routers, pools) and frozen. Every problem is reported at once with its line.
 */
#ifndef LB_CONFIG_CONFIG_H
#define LB_CONFIG_CONFIG_H

#include <stdbool.h>

#include "backends/pool.h"
#include "lb/admin/admin_address.h"
#include "lb/base/arena.h"
#include "lb/base/error.h"
#include "lb/base/option.h"
#include "listeners/listener.h"

struct admin_listener;
struct credential_shelf;
struct registry;

struct lb_options {
#define OPTION OPTION_MEMBER
#include "lb/config/lb_options.def"
#undef OPTION
};
extern const struct option_table lb_option_table;

struct registry_options;

enum access_log_format { ACCESS_LOG_JSON, ACCESS_LOG_COMBINED };

enum { CONFIG_STAMP_BYTES = 32 };

struct config {
    struct arena arena;
    const char *file;   /* as given */
    const char *folder; /* absolute: what relative paths are relative to */
    const char *text;   /* what the file said: it can be loaded again as it is in force */
    size_t text_bytes;
    const struct lb_options *options;
    const struct admin_options *admin;       /* paths of its addresses are absolute */
    struct admin_listener *admin_listener;   /* of its TCP addresses, until the admin takes it;
                                                NULL: there are none */
    const struct registry_options *registry; /* its store is absolute: "sqlite:/path/registry.db" */
    bool uses_registry;                      /* what a rule asks of clients depends on its CAs */
    unsigned char cas_stamp[CONFIG_STAMP_BYTES]; /* of all that the registry said of CAs */
    bool has_store;      /* the registry's store was there, for this config or for one before it */
    bool is_builtin_due; /* a rule trusts the built-in CA, which is not made yet, or not known to
                            the store; until then one that nobody has stands in for it */
    const char *asked_store; /* as the file says, absolute: see struct config_loading */
    const char *asked_state_dir;
    unsigned listener_count;
    struct listener *listeners;
    struct credential_shelf *credentials; /* of all listeners */
    unsigned rule_count;                  /* [rule] sections; one on two listeners counts once */
    unsigned pool_count;
    struct pool **pools;
    unsigned users; /* who serves from it; the control thread's (server.c) */
};

/** All option tables in the order of the documentation: lb, admin, registry, listener, rule,
 * access, pool; NULL at the end. */
extern const struct option_table *const option_tables[];

/** What is loaded, and for whom. */
struct config_loading {
    const char *file;
    /* Load the text of this one once more, whatever its file says now; borrowed. NULL: the file. */
    const struct config *again;
    /* Of the lb that is to go on with it: these do not change while it runs. NULL: as the file
     * says. Without them root reads and makes what is the user's as the user. */
    const char *store;
    const char *state_dir;
    const struct config *before; /* in force until then; borrowed for the call: what its files said
                                  * and still say is not decoded again. NULL: nothing is */
    struct crls *crls;           /* the lists that are watched already; NULL: none are */
    bool has_store; /* The store was there before: that it is gone is an error, or hosts that it
                     * bound to CAs would be open to everybody. */
    /* The program that makes the built-in CA in a process of its own (see signer_make_ca) if a rule
     * trusts it and it is not there, once the rest is fine. NULL: it is not made. */
    const char *signer;
};

/**
 * Load a file. Problems (errors and warnings) are added; sorted by line.
 *
 * returns  the frozen config, or NULL when there is any error (all of them are in `problems`)
 * Thread:  any, one at a time. Reads files and the registry's store, may resolve names.
 */
struct config *config_load_as(const struct config_loading *loading, struct problems *problems);
/** The file, and nothing is made. */
struct config *config_load(const char *file, struct problems *problems);

/**
 * Open every pool, so that the config can be served from.
 *
 * roster   borrowed until config_free, as is
 * services what its listeners ask about clients
 * before   the config that this one takes the place of: pools of the same name go on with their
 *          turns, listeners with their sessions; NULL: none
 * Fails:   out of memory; config_free is all that is left.   Thread: control
 */
bool config_open(struct config *config, struct roster *roster,
                 const struct listener_services *services, const struct config *before);

/** Does a listener of this config have the address? NULL has none. */
bool config_has_address(const struct config *config, const struct address *address);

/**
 * Do the handshakes of all listeners that both have settle the same with every client? false:
 * perhaps not.
 */
bool config_settles_alike(const struct config *config, const struct config *before);

/**
 * Has an https listener a rule whose domain is written like this, "*" for rules without one? For
 * ca_bind: arg is a config.
 *
 * host     in any case, with or without a final dot
 * why_not  says which domain would be right
 */
bool config_serves_host(const struct config *config, const char *host, struct error *why_not);

/**
 * The first rule that asks for certificates of the CA by name (client_ca = registry:…, or builtin),
 * with its id or its name. NULL: none, and the CA may go.
 */
const struct rule *config_names_ca(const struct config *config, const char *id, const char *name);

/** Nobody uses it any more. NULL is fine. Thread: control. */
void config_free(struct config *config);

#endif
