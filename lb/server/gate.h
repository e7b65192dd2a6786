/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All ways in of one worker: a door for each listener, an acceptor for each of its addresses. A new
 * edition changes what is behind a door and leaves the sockets of addresses it still has alone.
 *
 *   acceptor (address) ──> door (listener's name and protocol) ──> listener, handshakes of an
 * edition
 */
#ifndef LB_SERVER_GATE_H
#define LB_SERVER_GATE_H

#include <stdbool.h>

#include "lb/base/list.h"
#include "listeners/client.h"

struct address;
struct edition;
struct gate;
struct loop_context;
struct sockets;

/** Who a gate serves. Called from the loop. */
struct gate_owner {
    /** A connection was accepted; fd is taken. port: the local one. */
    void (*on_accepted)(struct gate_owner *owner, struct door *door, int fd,
                        const struct address *peer, unsigned port);
    /** The last acceptor is closed. */
    void (*on_closed)(struct gate_owner *owner);
};

/** Embedded in the worker. */
struct gate {
    struct loop_context *context;
    struct gate_owner *owner;
    struct clients *clients;
    struct list_node doors;
    uv_mutex_t doors_lock; /* the gate's thread takes it to change the list or a door's listener,
                              others to look at them: at reloads and for operators only */
    struct list_node acceptors;
    unsigned adopted; /* editions so far */
    bool closing;
};

/** All borrowed for the gate's life. Thread: the worker's, as for all that follows. */
void gate_init(struct gate *gate, struct loop_context *context, struct clients *clients,
               struct gate_owner *owner);

/**
 * Let clients in as the listeners of `edition` say. Listeners that are there already (same name and
 * protocol) keep their doors, addresses that are there already keep their sockets; clients of
 * listeners that are gone are sent away.
 *
 * edition  held by each door until the next one is adopted
 * sockets  those of new addresses are taken
 * Fails:   out of memory, or a descriptor cannot be watched: err says which; what could be opened
 * is open.
 */
bool gate_adopt(struct gate *gate, struct edition *edition, struct sockets *sockets,
                unsigned worker, struct error *err);

/** Accept what already waits, then close every acceptor; on_closed comes from the loop, at once
 * when there is none. */
void gate_close(struct gate *gate);
bool gate_is_closed(const struct gate *gate);

/** A client that came in by this door is gone. */
void gate_client_gone(struct gate *gate, struct door *door);

/** Clients that came in by the listener of this name, and did so before it was changed, too. Any
 * thread, while the gate is not done. */
unsigned gate_client_count(struct gate *gate, const char *listener);

/** Give the doors up; the gate is closed and all clients are gone. */
void gate_done(struct gate *gate);

#endif
