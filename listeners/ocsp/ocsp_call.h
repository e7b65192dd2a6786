/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP request to a responder, on a loop, and nothing in it ever waits:
 *
 *   RESOLVING ──> CONNECTING ──> HEARING ──> on_heard
 *                   └── the next address
 *
 * A name is looked up on libuv's threads; that is the one thing which cannot be broken off, so a
 * call may outlive its end until the look-up returns.
 */
#ifndef LB_LISTENERS_OCSP_CALL_H
#define LB_LISTENERS_OCSP_CALL_H

#include <stdbool.h>
#include <uv.h>

#include "lb/base/connection.h"
#include "lb/base/error.h"
#include "lb/base/slice.h"
#include "lb/base/socket.h"
#include "listeners/ocsp/ocsp_hearing.h"

struct ocsp_url;

enum { OCSP_ADDRESSES_MOST = 4 }; /* of a name; tried one after the other */

enum ocsp_call_state {
    OCSP_CALL_RESOLVING,  /* waits for the addresses of the responder's name */
    OCSP_CALL_CONNECTING, /* waits for an address to take the connection */
    OCSP_CALL_HEARING,    /* waits for the answer */
    OCSP_CALL_ENDED,      /* waits for what is still open */
};

/** Embedded in its owner; must not move before it is over. */
struct ocsp_call {
    enum ocsp_call_state state;
    struct loop_context *context;
    char *request; /* head and question; owned */
    size_t request_bytes;
    unsigned port;
    bool is_resolving; /* the loop has the resolver */
    bool is_open;      /* it has the connection */
    uv_getaddrinfo_t resolver;
    unsigned address_count;
    unsigned next_address;
    struct address addresses[OCSP_ADDRESSES_MOST];
    struct connection connection;
    struct ocsp_hearing hearing;
    struct error why; /* it failed */
    /**
     * From the loop, once, unless the call is ended before: with the answer's body, lent for the
     * call; or with NULL, and `why` says what happened. The owner ends the call within.
     */
    void (*on_heard)(struct ocsp_call *call, const struct slice *answer);
    /** From the loop, where ocsp_call_end said that something is open: it is over now. */
    void (*on_over)(struct ocsp_call *call);
};

/**
 * Ask. on_heard and on_over must be set, the rest zeroed.
 *
 * url       lent for the call
 * question  DER; lent for the call
 * Fails:    at once: `why` says what; there is nothing to end.
 * Thread:   the loop's, as for everything here.
 */
bool ocsp_call_begin(struct ocsp_call *call, struct loop_context *context,
                     const struct ocsp_url *url, struct slice question);

/**
 * Whatever it is doing, it is ended; on_heard will not be called any more.
 *
 * returns  true: it is over, and its memory may go; false: on_over will come
 */
bool ocsp_call_end(struct ocsp_call *call);

#endif
