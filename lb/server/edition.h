/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one worker made of a config: its TLS contexts and its views of the pools. Each reload gives
 * each worker a new edition; the old one goes when its last handshake and exchange are over.
 *
 *   worker ── current ──> edition ──> config      (counted by the control thread)
 *   exchange ─────────────────┘  held for its life, as are doors and handshakes
 */
#ifndef LB_SERVER_EDITION_H
#define LB_SERVER_EDITION_H

#include "backends/pool.h"
#include "lb/base/hold.h"
#include "lb/base/list.h"
#include "lb/config/config.h"
#include "listeners/door.h"

struct backend_tls_context;
struct chain_cache;
struct error;
struct handshake_context;

struct edition {
    struct hold hold;      /* counted on the worker's thread; its first user is the worker itself */
    struct config *config; /* borrowed */
    struct handshake_context **handshakes;    /* by listener; NULL: http */
    struct pool_view *views;                  /* by pool */
    struct backend_tls_context **backend_tls; /* by pool; NULL: http */
    void *owner;                              /* whose; for hold.on_unused */
    struct list_node node;                    /* its owner's */
};

/**
 * Prepare everything a worker needs to serve from `config`.
 *
 * config   borrowed for the edition's life
 * chains   borrowed for the edition's life; NULL: no verified chain is remembered
 * Fails:   OpenSSL refuses a setting; out of memory.   Thread: any; nothing of it is shared.
 */
struct edition *edition_new(struct config *config, struct chain_cache *chains, struct error *err);

/** NULL is fine. Nobody holds it any more. Thread: any. */
void edition_free(struct edition *edition);

/** The edition that the listener behind a door belongs to. */
struct edition *edition_of_door(const struct door *door);

#endif
