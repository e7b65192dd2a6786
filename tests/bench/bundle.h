/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Visitors that share one HTTP/2 connection: each has at most one stream at a time. What a bundle
 * has to say is collected until bundle_flush_all(), so that requests that begin together leave
 * together.
 *
 *   bundle_begin(&bundle, visitor, due_ns);  … for each visitor that has a unit
 *   bundle_flush_all(&plan);                 … and whenever nothing more is to be begun for now
 *   bundle_advance(&bundle);                 … its socket has news
 *
 * How units end is told by plan->on_end, from within any of these.
 */
#ifndef LB_BENCH_BUNDLE_H
#define LB_BENCH_BUNDLE_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>

#include "tests/bench/line.h"
#include "tests/bench/visitor.h"

enum bundle_state {
    BUNDLE_CLOSED,     /* the next unit opens a connection */
    BUNDLE_CONNECTING, /* for TCP */
    BUNDLE_SHAKING,    /* for the TLS handshake */
    BUNDLE_OPEN,
};

struct bundle {
    enum bundle_state state;
    struct visitor_plan *plan;
    struct line line;
    nghttp2_session *session;
    struct visitor *visitors; /* `count` of them in a row */
    unsigned count;
    unsigned busy; /* of these have a unit */
    char *out;     /* what TLS has not taken yet; NULL: nothing */
    size_t out_bytes;
    size_t out_sent;
    const char *refusal; /* the error of the peer's GOAWAY */
    bool is_talking;     /* it is in the plan's list of those with something to say */
    struct bundle *next_talking;
};

/** A bundle of these visitors, without a connection. */
void bundle_init(struct bundle *bundle, struct visitor_plan *plan, struct visitor *visitors,
                 unsigned count);

/** Begin the unit of a visitor of this bundle, which was due then. */
void bundle_begin(struct bundle *bundle, struct visitor *visitor, uint64_t due_ns);

/** Its socket has news. */
void bundle_advance(struct bundle *bundle);

/** Send what all bundles of this plan have to say, as far as their sockets take it. */
void bundle_flush_all(struct visitor_plan *plan);

/** Close its connection, politely where there is one; no unit's end is told. */
void bundle_end(struct bundle *bundle);

#endif
