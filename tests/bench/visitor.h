/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One simulated client. A unit of its work begins with visitor_begin() and ends when an event of
 * its socket makes visitor_advance() say so:
 *
 *   keep-alive, idle:  [connect, handshake] once, then request, answer
 *   full, resumed:     connect, handshake, request, answer, close_notify, the peer's end
 *
 * With HTTP/2 it is one of those that share a connection: see bundle.h.
 */
#ifndef LB_BENCH_VISITOR_H
#define LB_BENCH_VISITOR_H

#include <openssl/ssl.h>

#include "tests/bench/answer.h"
#include "tests/bench/line.h"
#include "tests/bench/visitor_plan.h"

enum visitor_state {
    VISITOR_RESTING,    /* for the next unit; its connection, if it has one, stays open */
    VISITOR_CONNECTING, /* for TCP */
    VISITOR_SHAKING,    /* for the TLS handshake */
    VISITOR_SENDING,    /* for room in the socket for its request and the body of it */
    VISITOR_READING,    /* for the rest of the answer */
    VISITOR_LEAVING,    /* for the peer's end of the connection */
};

struct bundle;

struct visitor {
    enum visitor_state state;
    struct line line;
    SSL_SESSION *session; /* the newest; only in resumed mode */
    uint64_t due_ns;      /* its unit, or when it began if it had not been due before */
    uint64_t answered_ns;
    uint64_t sent_bytes; /* of head (only HTTP/1.1) and body of the request: given to TLS */
    bool reused;         /* the handshake of this unit resumed a session */
    bool fresh;          /* this unit opened its connection */
    struct answer answer;
    struct bundle *bundle;        /* HTTP/2: whose connection it uses; NULL: it has its own */
    int32_t stream;               /* of its unit there; negative: it could not begin */
    bool has_ended;               /* HTTP/2: the answer is whole */
    struct visitor *next_resting; /* for load.c */
};

/** Begin a unit that was due then, opening a connection if there is none. May end or fail at once.
 */
enum visitor_outcome visitor_begin(struct visitor_plan *plan, struct visitor *visitor,
                                   uint64_t due_ns);

/** Its socket has news. */
enum visitor_outcome visitor_advance(struct visitor_plan *plan, struct visitor *visitor);

/** Close its connection, politely where there is one, and forget its session. */
void visitor_end(struct visitor *visitor);

/** Nanoseconds of a clock that never goes back. */
uint64_t visitor_now_ns(void);

#endif
