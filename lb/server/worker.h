/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread with one loop: its listening sockets, its clients, their exchanges, its links. Workers
 * share nothing but the frozen config, standings, turns, sessions, verified chains and logs.
 */
#ifndef LB_SERVER_WORKER_H
#define LB_SERVER_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "lb/config/config.h"

struct access_log;
struct census_taker;
struct crls;
struct edition;
struct error;
struct ocsp;
struct registry;
struct sockets;
struct worker;

/** What the server lends to all workers until every one is joined. The functions are called on a
 * worker's thread. */
struct worker_share {
    struct access_log *access_log; /* NULL: off */
    struct registry *registry;     /* where clients sign up */
    struct crls *crls;             /* the revocation lists in force */
    struct ocsp *ocsp;             /* what OCSP responders have said */
    atomic_uint client_count;
    /** The edition that was offered last is in force. */
    void (*on_adopted)(void *server);
    /** Nobody holds this edition any more. It is the server's again. */
    void (*on_edition_unused)(void *server, struct edition *edition);
    /** A worker has ended. */
    void (*on_done)(void *server);
    void *server;
};

/**
 * Prepare everything that can fail, then start the thread.
 *
 * edition  taken, also on failure (on_edition_unused comes)
 * sockets  its own are taken; borrowed for the call
 * Fails:   a descriptor cannot be watched; no memory; no thread.   Thread: main.
 */
struct worker *worker_start(struct worker_share *share, unsigned index, struct edition *edition,
                            struct sockets *sockets, struct error *err);

/**
 * Serve from another edition from now on: every request that begins, every handshake that begins.
 *
 * edition  taken
 * sockets  borrowed until on_adopted
 * review   true: what handshakes settle may have changed; clients that settled something else are
 *          sent away
 * Thread:  control; not before on_adopted of the edition offered last.
 */
void worker_offer(struct worker *worker, struct edition *edition, struct sockets *sockets,
                  bool review);

/** Its clients of the listener of this name. Any thread, until it is joined. */
unsigned worker_client_count(struct worker *worker, const char *listener);

/**
 * Somebody may pass less than before: look at all clients, and close those whose certificate the
 * registry objects to. Returns at once; many calls in a row become one look. Any thread, until it
 * is joined.
 */
void worker_review_identities(struct worker *worker);

/** Who counts its clients (census.h). Lives until it is joined. Any thread. */
struct census_taker *worker_census_taker(struct worker *worker);

/** No new clients; idle ones are sent away, exchanges in flight may end. Any thread. */
void worker_drain(struct worker *worker);
/** Close everyone now. Any thread. */
void worker_stop(struct worker *worker);
/** Wait for the thread and free. Thread: main. NULL is fine. */
void worker_join(struct worker *worker);

#endif
