/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request and its answer: the story that lb exists for.
 *
 *   begin ── decide ──> refused: lb's own answer
 *              │
 *              └──> choose a backend ──> borrow a link ──> relay ──> give the link back ──> log
 *                     ^     │    ^            │ failed        │ failed before any answer
 *                     │   queue ─┘            │               │
 *                     └───────── retry ───────┴───────────────┘
 *
 * The client's side is a stream (listeners/stream.h): an exchange does not know which HTTP it
 * speaks.
 */
#ifndef LB_EXCHANGE_EXCHANGE_H
#define LB_EXCHANGE_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/choice.h"
#include "backends/errand.h"
#include "backends/queue.h"
#include "lb/base/buffer.h"
#include "lb/base/connection.h"
#include "lb/base/http1.h"
#include "lb/exchange/grpc_outcome.h"
#include "lb/exchange/request_id.h"
#include "lb/server/edition.h"
#include "listeners/stream.h"

struct access_log;
struct access_rule;
struct client;

/** Everything the exchanges of one worker share. Embedded in the worker. */
struct exchanges {
    struct loop_context *context;
    struct links *links;
    struct access_log *access_log; /* NULL: off */
    struct request_ids ids;
    struct queue_desk desk; /* where those that wait for a backend are called */
    unsigned count;         /* in flight */
    unsigned lane;          /* the worker's number, for what all workers count */
    void *worker;           /* whose; for on_client_gone */
    void (*on_client_gone)(void *worker, struct client *client); /* NULL: nobody asks */
};

enum exchange_state {
    EXCHANGE_QUEUED,     /* waits for a place at a backend, or queue_timeout */
    EXCHANGE_CONNECTING, /* waits for a link */
    EXCHANGE_RELAYING,   /* waits for either side to take or give bytes */
    EXCHANGE_TUNNEL,     /* waits for either side, until both finished */
    EXCHANGE_OVER,       /* waits for nothing: about to be freed */
};

/** The client's direction. */
enum request_side {
    REQUEST_HELD, /* nothing was sent yet */
    REQUEST_BODY, /* the head is sent, the body is not complete */
    REQUEST_SENT,
    REQUEST_STUCK, /* the backend takes no more; it may still have an answer */
};

/** The backend's direction. */
enum answer_side {
    ANSWER_AWAITED, /* no byte of a final head yet */
    ANSWER_BODY,
    ANSWER_COMPLETE,
};

/** The strings of a request that the access log wants; slices into exchange.request_head. */
struct exchange_facts {
    struct slice method, uri, host, user_agent, referer, request_id;
    struct slice client_id; /* perhaps lent, see client_id.h; length 0: none */
};

struct exchange {
    struct exchanges *all;
    struct stream *stream;
    struct edition *edition; /* of the config that decided; held */
    const struct rule *rule;
    const struct access_rule *access; /* the [access] section that notes it; NULL: none */
    struct pool *pool;
    struct backend *backend;  /* the one tried now; its `active` counts this exchange. NULL: none */
    struct errand errand;     /* at it */
    struct waiter waiter;     /* while it is queued */
    struct deadline deadline; /* queue_timeout, answer_timeout, tunnel_timeout */
    enum exchange_state state;
    enum request_side request_side;
    enum answer_side answer_side;

    enum http_method method;
    enum http_framing request_framing;
    bool wants_upgrade;
    bool tells_client;           /* its answer says who the client is (client_headers_to) */
    size_t request_got;          /* by the last read from the client's body */
    struct buffer *request_head; /* as sent to the backend; kept for retries and the log */
    struct buffer *request_body; /* HTTP/2 towards the backend: all that was taken of it so far, for
                                    retries; NULL once the answer came or it is too much */

    struct choice choice;
    const struct backend *persistent; /* the client has a fresh cookie of this one: its answer sets
                                         none */
    unsigned attempts;                /* backends tried, the present one included */
    unsigned resent;                  /* to the same one again, on a fresh link */

    unsigned interim_count;
    bool
        client_objects; /* the answer is none for what this client asked; others may well have it */

    unsigned status; /* of the answer the client got; 0: none */
    struct grpc_outcome grpc;
    const char *trouble; /* why it failed, for the log; static, or as long as its errand lasts */
    uint64_t began_ms;   /* loop time */
    struct exchange_facts facts;
};

/** What a listener's clients call. The roof is a `struct exchanges`. */
extern const struct stream_events exchange_events;

/** For attempt.c: what its errands call. */
extern const struct errand_events exchange_errand_events;
/** For attempt.c: the errand is open, send the request. */
void exchange_start(struct exchange *exchange);

/** context, links, access_log: borrowed. Thread: the worker's. */
void exchanges_init(struct exchanges *all, struct loop_context *context, struct links *links,
                    struct access_log *access_log);
/** All exchanges are over: let go of the loop, which must run once more. Zeroed is fine. */
void exchanges_close(struct exchanges *all);

#endif
