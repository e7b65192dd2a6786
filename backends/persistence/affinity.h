/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same client, the same backend, without remembering anybody: a table that a hash of the client
 * is looked up in.
 *
 * The table is filled as in D. Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load
 * Balancer" (NSDI 2016, section 3.4): each backend walks through all slots in an order that its
 * name decides and takes the next free one whenever its weight gives it a turn. Shares follow the
 * weights closely, and a backend that is added or removed moves few keys but its own.
 *
 * The table knows all backends with a weight, whether they are up or not. A key whose backend may
 * not be had now is hashed anew: only the keys of that backend move, they spread over all others by
 * weight, and they are back when it is back. Of a backend that starts slowly as many keys come back
 * as its share says.
 */
#ifndef LB_BACKENDS_PERSISTENCE_AFFINITY_H
#define LB_BACKENDS_PERSISTENCE_AFFINITY_H

#include <stdint.h>

struct affinity;
struct arena;
struct backend;
struct choice;

/**
 * Fill a table.
 *
 * backends  array; names and weights count
 * arena     it lives there: AFFINITY_SLOTS times two bytes
 * returns   NULL: no backend has a weight
 * Thread:   the one that loads the config
 */
const struct affinity *affinity_new(const struct backend *backends, unsigned count,
                                    struct arena *arena);

/**
 * The backend of choice->key among those this choice may have.
 *
 * returns  its index; -1: there is none
 * Thread:  any worker. Takes a few steps, however many backends there are.
 */
int affinity_find(const struct affinity *affinity, const struct choice *choice);

/** Spread the bits of a hash: each bit of the result depends on all of them. */
uint64_t affinity_mix(uint64_t hash);

#endif
