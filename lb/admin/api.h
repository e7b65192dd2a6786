/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API as a table of routes: a method, a path, who handles it. A handler gets a request whose
 * body has come and was read as JSON, and answers it exactly once, at once or later.
 *
 *   begin ── may speak? ── route? ──> READING ── body is there ──> HANDLED ── api_answer ──>
 * ANSWERING
 *
 * A client that leaves ends READING and ANSWERING; what is HANDLED goes on until its answer, which
 * is then dropped.
 */
#ifndef LB_ADMIN_API_H
#define LB_ADMIN_API_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "lb/admin/api_peer.h"
#include "lb/admin/api_route.h"
#include "lb/admin/json_writer.h"
#include "lb/base/buffer.h"
#include "listeners/stream.h"

struct admin_host;
struct api_desk;
struct api_request;
struct log_line;

/** All requests of one admin. Embedded in it. */
struct api {
    struct admin_host *host;
    struct buffer_pool *buffers;
    uv_loop_t *loop;
    struct api_desk *desk;        /* where the registry answers; NULL until it is asked */
    void *admin;                  /* whose */
    void (*on_gone)(void *admin); /* a request or a client is over; the last thing in a wake-up */
    unsigned request_count;
    struct api_request *inside; /* in begin or advance: who answers now need not wake its stream */
};

enum api_state {
    API_READING,   /* waits for the rest of its body */
    API_HANDLED,   /* waits for its handler to answer */
    API_ANSWERING, /* waits for the client to take the answer */
};

struct api_request {
    struct api *api;
    struct stream *stream; /* NULL: the client is gone */
    const struct api_route *route;
    enum api_state state;
    struct api_peer peer;
    struct api_path path;
    const char *parts[API_PARTS_MOST]; /* what the {} of the route stand for */
    char *query;                       /* behind '?', as it came; owned; "" when there is none */
    struct buffer *body;
    json_t *json; /* the body; NULL: it has none. Owned */
    unsigned status;
    const char *allow;      /* 405: the methods there are; else NULL */
    const char *media_type; /* of the answer; NULL: JSON */
    unsigned retry_after_s; /* 429 and 503 may say so; 0: not said */
    struct json_writer answer;
    bool has_head;  /* the answer's head was written … */
    size_t written; /* … and so many bytes of its body */
};

/* For handlers. */

/** Answer with what was written; the writer is empty afterwards. The request is gone. */
void api_answer(struct api_request *request, unsigned status, struct json_writer *answer);

/** Answer {"error": {"reason": …, "text": …}}. reason: a short word for programs. The request is
 * gone. */
void api_refuse(struct api_request *request, unsigned status, const char *reason,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

/** Who asks, as the registry's audit log says it: "uid 0 (pid 4711)", or "certificate CN=ops,
 * serial 0A1B" over TCP. */
void api_who(const struct api_request *request, char ret_who[API_WHO_BYTES]);

/** Begin the log line of a change: who asked for it (uid and pid, or who). log_end is the caller's.
 */
void api_audit(const struct api_request *request, struct log_line *line, const char *event);

/* For the admin. */

/** What its clients call. The roof is a `struct api`. */
extern const struct stream_events api_events;

#endif
