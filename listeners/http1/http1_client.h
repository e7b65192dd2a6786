/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1 towards a client: takes request heads from the connection, lends the stream to an exchange
 * for the body and the answer, frames the answer. http1_input.c reads, http1_output.c writes,
 * http1_protocol.c is what the client knows of it (client_protocol.h).
 */
#ifndef LB_LISTENERS_HTTP1_HTTP1_CLIENT_H
#define LB_LISTENERS_HTTP1_HTTP1_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "lb/base/buffer.h"
#include "lb/base/connection.h"
#include "lb/base/http1.h"
#include "listeners/stream.h"

struct client;

enum http1_state {
    HTTP1_IDLE,     /* waits for the first byte of a request (keepalive_timeout); while `untaken`,
                       for the client to take the last answer */
    HTTP1_HEAD,     /* waits for the rest of a head (header_timeout) */
    HTTP1_HELD,     /* waits, with a whole head, for what the client waits for (client_wait.c);
                       client_wait_most_ms */
    HTTP1_EXCHANGE, /* waits for its exchange; body_timeout while the client is the slow one */
    HTTP1_ENDING,   /* waits for the connection to end; no request is taken any more */
};

/** How the bytes of the request's body are found. */
enum http1_body {
    HTTP1_BODY_COMPLETE,
    HTTP1_BODY_LENGTH,
    HTTP1_BODY_CHUNKED,
    HTTP1_BODY_TUNNEL, /* everything, until the client finishes */
    HTTP1_BODY_BAD,
};

/** How the answer's body is framed. */
enum http1_answer {
    HTTP1_ANSWER_AWAITED, /* no final head was written yet */
    HTTP1_ANSWER_NONE,    /* no body follows */
    HTTP1_ANSWER_LENGTH,
    HTTP1_ANSWER_CHUNKED,
    HTTP1_ANSWER_CLOSE, /* until close: HTTP/1.0 clients and tunnels */
};

struct http1_client {
    struct stream stream; /* first: operations get it and mean this */
    enum http1_state state;
    enum http1_body body;
    enum http1_answer answer;
    unsigned minor;     /* of the request */
    bool keep_alive;    /* the connection may live on after this answer */
    bool asked_head;    /* HEAD: answers carry no body */
    bool peer_finished; /* the client sends nothing more (half-closed) */
    bool starved;       /* the last read gave nothing: on_ready comes when there is more */
    bool untaken;       /* HTTP1_IDLE: the last answer still waits for the client (body_timeout) */
    unsigned fills;     /* reads of this wake-up; a large one counts as several */
    uint64_t body_left; /* HTTP1_BODY_LENGTH */
    uint64_t answer_left; /* HTTP1_ANSWER_LENGTH */
    struct slice
        input; /* read and not used yet; in the loop's bytes, or in `kept` between wake-ups */
    struct buffer *kept;
    struct http_chunks chunks;
};

/* Between http1_protocol.c, http1_input.c, http1_body.c and http1_output.c; what a protocol does is
 * told in client_protocol.h. */
bool http1_begin(struct client *client);
void http1_advance(struct client *client, int events);
void http1_resume(struct client *client);
extern const struct stream_ops http1_stream_ops;
enum stream_read http1_read(struct stream *stream, struct slice *data);
unsigned http1_trailers(struct stream *stream, const struct http_field **fields);
void http1_settle(struct stream *stream);
/** One read of up to `room` bytes from the connection, behind what is there already. Ends the loan
 * of a head in the loop's array. */
enum io http1_fill(struct http1_client *http1, size_t room);
/** How this request's body will be found. */
void http1_begin_body(struct http1_client *http1, const struct http_request *request);
/** Would `more` bytes make the body larger than max_body? */
bool http1_over_max_body(const struct http1_client *http1, size_t more);
/** Arm body_timeout: from now on the client is the one who is waited for. */
void http1_expect_client(struct client *client);
/** The client has taken all that was written: body_timeout is over. */
void http1_answer_taken(struct client *client);
/** The answer of lb's own for a bad head; the connection ends behind it. */
void http1_refuse(struct client *client, unsigned status, const char *why);

#endif
