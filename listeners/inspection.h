/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks through the open connections of one loop for those whose certificate may not be there any
 * more: the registry objects to it, its CA has revoked it, or it has ended. They are closed,
 * whatever they are doing.
 *
 *   RESTING ── asked, or an end has come ──> WALKING ── the last client ──> RESTING
 *
 * A walk goes a slice at a time, so that other clients have their turns; walks begin no faster than
 * one in INSPECTION_PAUSE_MS, however often they are asked for.
 *
 * Ends are those of verified chains, also where a rule only requests certificates: who comes again
 * is met as somebody whose certificate has expired. Twice a second the wall clock is compared with
 * the earliest end; so it may be set at any time, and whoever it then says has ended is closed.
 */
#ifndef LB_LISTENERS_INSPECTION_H
#define LB_LISTENERS_INSPECTION_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "lb/base/deadline.h"
#include "lb/base/list.h"

struct client;
struct clients;
struct identity;

enum {
    INSPECTION_PAUSE_MS = 100,
    INSPECTION_TICK_MS = 500,
};

/** A way through all clients, in steps: clients may come and go between them. */
struct clients_walk {
    struct list_node node;  /* in clients->walks */
    struct list_node *next; /* whom it comes to next */
};

/** Embedded in struct clients. Thread: theirs, as for all that follows. */
struct inspection {
    struct clients *clients;
    struct clients_walk walk;
    bool is_walking;
    bool is_wanted_again; /* it was asked for while it walks */
    bool has_walked;
    uint64_t begun_ms;     /* of the last walk; loop time */
    time_t earliest_end;   /* of the certificates known; 0: none */
    unsigned closed_count; /* in this walk */
    struct deadline step;  /* the next slice, or the next walk */
    struct deadline tick;
    time_t (*now)(void *argument); /* the wall clock; tests replace it */
    void *now_argument;
};

void inspection_init(struct inspection *inspection, struct clients *clients);
/** Somebody may pass less than before. */
void inspection_ask(struct inspection *inspection);
/** This client begins to be served: its certificate has an end, too. */
void inspection_add(struct inspection *inspection, const struct client *client);

/** Until when somebody has verified it: the earliest end of a verified chain. 0: nobody has. */
time_t inspection_end_of(const struct identity *identity);

#endif
