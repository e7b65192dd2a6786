/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How operators speak to the running lb: an HTTP API on a socket file or over TCP, served by the
 * control thread with the same clients and streams as any listener, and with a roof of its own
 * (api.h) in the place of exchanges.
 *
 * Who may speak: over the socket file root and the user that lb runs as, as the kernel tells it;
 * over TCP who shows a certificate (admin_listener.h). Others get 403 and a line in the log. Every
 * change is one line in the log with who made it.
 */
#ifndef LB_ADMIN_ADMIN_H
#define LB_ADMIN_ADMIN_H

#include <stdbool.h>
#include <stdint.h>

#include "lb/admin/admin_address.h"
#include "lb/base/error.h"
#include "lb/server/census.h"

struct admin;
struct admin_host;
struct admin_listener;
struct config;
struct listener_services;
struct loop_context;
struct pool;
struct registry;

/** The outcome of a reload. problems: errors and warnings, lent for the call; may be empty. */
typedef void (*admin_reloaded)(void *arg, bool is_in_force, const struct problems *problems);

/** What is known of the running program. Times: wall clock, ms since 1970; 0: never. */
struct admin_facts {
    unsigned worker_count;
    int64_t started_ms;
    int64_t loaded_ms;          /* the config in force */
    int64_t reload_failed_ms;   /* the last reload, if it failed … */
    const char *reload_failure; /* … because of this; lent as the config */
    /* Reloads since it started, of the file or because client CAs have changed. */
    uint64_t reload_count;
    uint64_t reload_failure_count;
};

/** What the server gives: embedded in it, all set before admin_open. Called on the control thread.
 */
struct admin_host {
    /** The config in force; lent until the loop's next turn. */
    const struct config *(*config)(struct admin_host *host);
    void (*tell)(struct admin_host *host, struct admin_facts *ret_facts);
    /** Open connections of clients of the listener of this name; NULL: of all. */
    unsigned (*client_count)(struct admin_host *host, const char *listener);
    /** An operator changed whether a backend of this pool may get something: publish it. */
    void (*publish)(struct admin_host *host, struct pool *pool);
    /**
     * Load the config's file anew and serve from it, or leave everything as it is. `reloaded` is
     * called exactly once, inside this call or later from the loop, also when lb ends meanwhile.
     */
    void (*reload)(struct admin_host *host, admin_reloaded reloaded, void *arg);
    /**
     * Which open clients show the certificate of this key? `counted` is called exactly once from
     * the control thread, also when lb ends meanwhile; within this call only with NULL (out of
     * memory).
     */
    void (*census)(struct admin_host *host, const unsigned char key[CERTIFICATE_KEY_BYTES],
                   census_counted counted, void *arg);
    /** Lives until the admin is closed. NULL: there is none. */
    struct registry *(*registry)(struct admin_host *host);
    /** What outlives configs: counters, revocation lists. Lives until the admin is closed. */
    const struct listener_services *(*services)(struct admin_host *host);
    /**
     * Load the config that is in force once more, with the CAs as the registry has them now; told
     * as by `reload`. When it is told, every worker serves from it.
     */
    void (*apply)(struct admin_host *host, admin_reloaded applied, void *arg);
};

/**
 * Open the addresses and serve the API there.
 *
 * ret_admin  NULL where the address is off; and where nobody asked for one (it is left at its
 *            default) and it cannot be had: a line in the log says why
 * host       borrowed until `closed`
 * options    [admin] as config_load left it; a line of the address says who asked for it
 * listener   taken, also on failure; NULL: there is no TCP address
 * Fails:     an address that was asked for cannot be had; out of memory. The loop must run to its
 *            end then, too.   Thread: control, as for all here.
 */
bool admin_open(struct admin **ret_admin, struct admin_host *host,
                const struct admin_options *options, struct admin_listener *listener,
                struct loop_context *context, struct error *err);

/** A reload: whoever comes over TCP from now on is met like this; who could not have come in so is
 * sent away. listener: taken; NULL: as before. false: out of memory, and as before. */
bool admin_adopt(struct admin *admin, struct admin_listener *listener, struct error *err);

/** Some certificate may pass less than before: look at who is there. */
void admin_review_identities(struct admin *admin);

/** Close everything, remove socket files; `closed(arg)` is called from the loop when the object
 * is gone. */
void admin_close(struct admin *admin, void (*closed)(void *arg), void *arg);

#endif
