/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the clients of one listener come in on one worker. A reload replaces the listener behind
 * the door; clients stay, and whoever asks the door finds the listener that is in force now.
 */
#ifndef LB_LISTENERS_DOOR_H
#define LB_LISTENERS_DOOR_H

#include <stdatomic.h>

#include "lb/base/hold.h"

struct handshake_context;
struct listener;
struct traffic;

struct door {
    const struct listener *listener;     /* lives as long as `hold` is held */
    struct handshake_context *handshake; /* the worker's for this listener; NULL: http. As long */
    /* Held by the door itself; to be taken by whoever uses listener or handshake beyond the present
     * wake-up. */
    struct hold *hold;
    struct traffic *traffic;  /* what the worker counts of it; NULL: nobody wants to know */
    atomic_uint client_count; /* written by the worker, read by anyone */
};

#endif
