/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A link that speaks HTTP/2: one nghttp2 session, and many errands on it at a time. For link.h it
 * is lent to one borrower, this one, from its beginning to its end.
 *
 *   CONNECTING ──> GREETING ──> OPEN ──────────────────────────────> LOST ──> freed
 *    who wants a place waits      └─ GOAWAY, ids used up, a reload:
 *                                    is_leaving: nothing new, and
 *                                    the end with the last errand
 *
 * Nothing is lent before the backend's SETTINGS came: so it is known how many streams it takes, and
 * a backend that speaks something else has seen nothing of any request. One that takes none at
 * first (SETTINGS_MAX_CONCURRENT_STREAMS of 0) may say more later, RFC 9113 6.5.2.
 *
 * nghttp2's callbacks only note what happened; errands are told when it has returned
 * (h2_link_tell). What goes out is collected and written once a turn of the loop (h2_output.c).
 *
 * Names that begin with h2_ are of this side; those of the side towards clients begin with http2_
 * (listeners/http2). What both share is in lb/base/http2_*.
 */
#ifndef LB_BACKENDS_HTTP2_H2_LINK_H
#define LB_BACKENDS_HTTP2_H2_LINK_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stdint.h>

#include "backends/errand.h"
#include "backends/http2/h2_allowance.h"
#include "backends/links/link_parts.h"
#include "lb/base/deadline.h"

enum h2_link_state {
    H2_CONNECTING, /* waits for the socket and TLS */
    H2_GREETING,   /* waits for the backend's SETTINGS, and a stream by them; connect_timeout */
    H2_OPEN,       /* waits for news from the backend, and for errands */
    H2_LOST,       /* waits for its errands to see that */
};

struct h2_link {
    enum h2_link_state state;
    struct link *link; /* NULL: it could not be begun, or is lost */
    struct link_owner owner;
    struct links *links;
    struct standing *standing;
    const struct pool *pool; /* until it is open; whoever waits holds it */
    nghttp2_session *session;
    struct list_node node;    /* in its place, most recently used first; list_is_linked */
    struct list_node dirty;   /* among those with output; list_is_linked */
    struct list_node errands; /* h2_errand.node */
    struct list_node waiting; /* h2_errand.node */
    struct list_node news;    /* h2_errand.news */
    unsigned errand_count;
    unsigned waiting_count;
    unsigned busy;        /* calls that must find it alive when they go on */
    uint32_t patience_ms; /* connect_timeout: for SETTINGS and an answer to PING */
    int64_t idle_most;    /* idle_links */
    struct deadline deadline;
    uint64_t sends;    /* times that all was sent that could be */
    uint64_t reads;    /* that brought something */
    size_t held_bytes; /* of bodies that came and were not read by errands */
    size_t owed_bytes; /* … of these, what the connection's window was not given back for */
    struct h2_allowance allowance; /* of frames that carry nothing */
    const char *flood;  /* with what it was exceeded, as `trouble`; static. NULL: it was not */
    bool is_greeted;    /* SETTINGS came */
    bool is_leaving;    /* nothing new on it; who waits for it is served all the same … */
    bool is_sent_away;  /* … unless the backend's GOAWAY says so */
    bool is_mute;       /* nothing can be written any more */
    bool is_blameless;  /* it is lost for want of lb's own memory */
    const char *scheme; /* "http" or "https" */
    char trouble[LINK_REASON_BYTES]; /* why it was lost, as its errands tell it */
};

/* ---- h2_link.c ---- */

/** Has this errand a place on it, now (is it lent one), or soon (does it wait for one)? false: the
 * link cannot serve it. */
bool h2_link_may_serve(struct h2_link *h2, const struct link_wish *wish);
/** Is there a place, now that SETTINGS came? */
bool h2_link_has_room(const struct h2_link *h2);
/** Give the errand its place. */
void h2_link_lend(struct h2_link *h2, struct errand *errand);
/** The errand left it: close it where nobody needs it any more. */
void h2_link_rest(struct h2_link *h2);
/** on_ready is due for this errand. */
void h2_link_note(struct h2_link *h2, struct errand *errand);
/** Call on_ready of those for whom it is due. The link may be freed, unless it is busy. */
void h2_link_tell(struct h2_link *h2);
/** Let go of the socket, and of its place: it is LOST, and errands are not told. */
void h2_link_disconnect(struct h2_link *h2);
/** It is of no use any more: its errands learn that and the socket is closed. trouble: any text, it
 * is kept; NULL: the backend closed. */
void h2_link_lose(struct h2_link *h2, const char *trouble);
/** As h2_link_lose, or h2_greeting_fail before it is open. */
void h2_link_end(struct h2_link *h2, const char *trouble);
/** Lose it where nghttp2 has judged the session to be over, and has said so to the backend. */
void h2_link_review(struct h2_link *h2);
/** See whether the backend is still there: PING, answered within patience_ms. */
void h2_link_probe(struct h2_link *h2);
/** So many bytes that were held were read, or dropped: windows are given back. */
void h2_link_release(struct h2_link *h2, size_t bytes);
/** Read what is there; link_owner.on_ready. */
void h2_link_take_input(struct h2_link *h2);
void h2_link_on_ready(struct link_owner *owner, int events);
/** Hold it in memory, and let it go. */
void h2_link_enter(struct h2_link *h2);
void h2_link_leave(struct h2_link *h2);

/* ---- h2_greeting.c ---- */

/** A new one for this wish, which waits for it (h2_errand.c). NULL: out of memory. */
struct h2_link *h2_link_new(struct links *links, const struct link_wish *wish);
/** Somebody waits no more: end it where nobody else does. */
void h2_link_abandon(struct h2_link *h2);
/** SETTINGS came: places for as many as there is room, the others try anew. Without any room it
 * goes on waiting. */
void h2_greeting_done(struct h2_link *h2);
/** It will not come to that: those who wait are told. Without TLS a backend that speaks something
 * else is as one that refuses. reason: NULL: the backend closed. */
void h2_greeting_fail(struct h2_link *h2, const char *reason);

/* ---- h2_session.c ---- */

/** Make the session and queue what it begins with. false: out of memory. */
bool h2_session_begin(struct h2_link *h2);

/* ---- h2_output.c ---- */

/** It has, or may have, something to send: in this turn of the loop. */
void h2_output_due(struct h2_link *h2);
/** Send it now. The link may be lost afterwards. */
void h2_output_send(struct h2_link *h2);
/** nghttp2_send_callback: a frame, or what is left of it, joins what is written next.
 * NGHTTP2_ERR_WOULDBLOCK: there is no room, nghttp2 keeps it. */
ssize_t h2_output_frame(nghttp2_session *session, const uint8_t *bytes, size_t length, int flags,
                        void *user);
/** nghttp2_send_data_callback: a DATA frame, whose bytes its errand has. No room: as above. */
int h2_output_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
                   size_t length, nghttp2_data_source *source, void *user);

/* ---- h2_errand.c ---- */

extern const struct errand_ops h2_errand_ops;
/** errand_ops.read and errand_ops.trailers (h2_errand_read.c). */
enum errand_read h2_errand_read(struct errand *errand, struct errand_news *news);
unsigned h2_errand_trailers(struct errand *errand, struct http_field *fields, unsigned room);

#endif
