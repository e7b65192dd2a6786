/* SPDX-License-Identifier: Apache-2.0 */
/* One worker's listening socket for one address of a listener: accepts, and hands each client over.
 */
#ifndef LB_SERVER_ACCEPTOR_H
#define LB_SERVER_ACCEPTOR_H

#include <stdbool.h>
#include <uv.h>

#include "lb/base/connection.h"
#include "listeners/client.h"

struct acceptor;

/** A connection was accepted: fd is taken by the callee. */
typedef void (*acceptor_accepted)(struct acceptor *acceptor, int fd, const struct address *peer);
/** The acceptor is closed; its memory may be freed. */
typedef void (*acceptor_closed)(struct acceptor *acceptor);

struct acceptor {
    uv_poll_t poll;
    int fd;
    struct loop_context *context;
    struct door *door; /* where its clients come in; may be set anew at any time */
    unsigned port;
    struct deadline pause;
    acceptor_accepted on_accepted;
    acceptor_closed on_closed;
    void *owner;
};

/**
 * Watch a listening descriptor (taken).
 * The caller has set door, port, on_accepted and owner. Fails: it cannot be watched.
 */
bool acceptor_open(struct acceptor *acceptor, struct loop_context *context, int fd,
                   struct error *err);
/** Accept what already waits, then close. on_closed comes from the loop. */
void acceptor_close(struct acceptor *acceptor, acceptor_closed on_closed);

#endif
