/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seam inside link.h: links.c keeps a worker's links, link.c leads one through its life,
 * link_tls.c adds what TLS needs. For these files only. Thread: the loop's.
 */
#ifndef LB_BACKENDS_LINKS_LINK_PARTS_H
#define LB_BACKENDS_LINKS_LINK_PARTS_H

#include <stdbool.h>
#include <uv.h>

#include "backends/links/link.h"
#include "backends/links/link_sessions.h"
#include "lb/base/http1.h"
#include "lb/base/http2_frames.h"

/* Where the idle links and the TLS sessions of one backend are kept. */
struct link_place {
    struct standing *standing; /* whose; NULL: nobody's, nothing is kept */
    struct list_node idle;     /* most recently used first */
    struct list_node
        shared; /* links of HTTP/2 (http2/h2_link.h), idle or not; in this order, too */
    unsigned idle_count;
    struct list_node sessions; /* link_sessions.h */
    unsigned retained;         /* which links_retain wanted it last */
};

struct links {
    struct loop_context *context;
    struct link_place **places; /* by the standing's slot; NULL: nobody asked for it yet */
    unsigned place_count;
    unsigned retained; /* calls of links_retain */
    struct link_sessions sessions;
    struct list_node others;  /* connecting, shaking hands, lent, gone */
    struct list_node failed;  /* connecting, but could not even begin */
    struct list_node unlucky; /* owners whose wish found no memory for a link */
    unsigned count;           /* links of any state */
    uv_timer_t soon;          /* calls link_answer_waiting for `failed` and `unlucky` */
    bool closing;
    void (*closed)(void *arg);
    void *closed_arg;
    struct list_node h2_dirty;             /* links of HTTP/2 with something to send … */
    uv_idle_t h2_turn;                     /* … which is done in the next turn of the loop */
    struct http2_frames h2_frames;         /* … collected in `bytes` */
    struct http_answer head;               /* the backend's head that is being read */
    char bytes[FLOW_BYTES + RECORD_BYTES]; /* the read of this wake-up from a link */
};

/* links.c */

/** Where what is idle of this backend is kept; NULL: nowhere, nothing is kept. */
struct link_place *links_place(const struct links *links, const struct standing *standing);
/** End when closing was asked for and nothing is left. */
void links_end_when_empty(struct links *links);

/* link.c */

/** Tell those who wait in `failed` and `unlucky`. */
void link_answer_waiting(struct links *links);
/** There is no memory for a link: tell the owner from the loop. */
void link_wish_in_vain(struct links *links, struct link_owner *owner);
/** Close it, out of whatever list it is in. Its owner is not told. */
void link_drop(struct link *link);
/** It is connected: lend it to who waits for it. */
void link_lend(struct link *link);
/** It will not be connected: tell its owner, drop it. */
void link_refuse(struct link *link, enum link_outcome outcome, const char *reason);

/* http2/h2_link.c */

/** Nothing new on the links of HTTP/2 of this place, and the end of those that carry nothing. */
void h2_links_retire(struct link_place *place);

/* link_tls.c; only where link->tls is not NULL */

/** What `wish` needs beyond a plain link. NULL: out of memory. */
struct link_tls *link_tls_new(struct link *link, const struct link_wish *wish);
void link_tls_free(struct link_tls *tls);
/** The socket is connected: begin the handshake. It ends in link_lend or link_refuse, perhaps at
 * once. */
void link_tls_begin(struct link *link);
/** Go on with the handshake. */
void link_tls_shake_hands(struct link *link);
/** The idle link that this wish may have; NULL: none of those used last. */
struct link *link_tls_find_idle(const struct link_place *place, const struct link_wish *wish);
/** Was it, or will it be, verified for the name of this wish? */
bool link_tls_serves(const struct link *link, const struct link_wish *wish);
/** Read what no exchange reads, sessions and new keys. false: there is something else on it. */
bool link_tls_digest(struct link *link);

#endif
