/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of an HTTP/2 request, strictly translated (RFC 9113 8.2, 8.3; RFC 8441) into the text of
 * an HTTP/1.1 head, so that http_parse_request is the one grammar of targets, hosts and lengths.
 *
 * Pure: fields in, text out. What could mean anything else in the text than it did as a field is
 * refused here; what is merely a bad request is left to the parser. Nothing is taken for granted
 * that a library may have checked before.
 */
#ifndef LB_LISTENERS_HTTP2_HEAD_H
#define LB_LISTENERS_HTTP2_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lb/base/buffer.h"
#include "lb/base/slice.h"
#include "listeners/http2/websocket.h"

enum http2_head_outcome {
    HTTP2_HEAD_FINE,
    HTTP2_HEAD_MALFORMED,        /* RFC 9113 8.1.1: 400 and PROTOCOL_ERROR */
    HTTP2_HEAD_TOO_LARGE,        /* max_head, HEAD_FIELDS_MOST or COOKIE_CRUMBS_MOST: 431 */
    HTTP2_HEAD_UNKNOWN_PROTOCOL, /* extended CONNECT to something else than a WebSocket: 501 */
    HTTP2_HEAD_NO_MEMORY,        /* or no randomness: lb's own shortage, 503 */
};

/** A place in head->text, counted from the buffer's first unread byte. */
struct http2_span {
    uint32_t at;
    uint32_t length;
};

enum http2_pseudo {
    HTTP2_METHOD,
    HTTP2_SCHEME,
    HTTP2_PATH,
    HTTP2_AUTHORITY,
    HTTP2_PROTOCOL, /* RFC 8441 */
    HTTP2_PSEUDO_COUNT,
};

/** What a request line is made of; its kind is settled when it is written. */
enum http2_request_kind {
    HTTP2_KIND_UNKNOWN, /* pseudo fields may still come */
    HTTP2_KIND_PLAIN,
    HTTP2_KIND_CONNECT,
    HTTP2_KIND_WEBSOCKET, /* written as a GET that asks for an upgrade */
};

/** One block under construction. Zero-initialised is ready for http2_head_begin. */
struct http2_head {
    struct buffer_pool *pool;
    size_t most_bytes;
    struct buffer *text;   /* while the kind is unknown: the pseudo fields' values */
    struct buffer *crumbs; /* "; a=b" of cookies that came behind other fields than cookies */
    enum http2_head_outcome outcome;
    enum http2_request_kind kind;
    const char *why; /* set with an outcome that is not fine; static */
    struct http2_span pseudo[HTTP2_PSEUDO_COUNT];
    struct http2_span host;   /* value of the Host line */
    struct http2_span cookie; /* value of the Cookie line */
    unsigned pseudo_seen;     /* a bit each */
    unsigned field_count;     /* lines of the text so far */
    unsigned crumb_count;
    bool has_host_field; /* a Host came as a field */
    bool has_length;
    bool has_content; /* a content-length that is not 0 */
    bool has_websocket_version;
    char websocket_key[WEBSOCKET_KEY_BYTES]; /* of HTTP2_KIND_WEBSOCKET */
};

/**
 * Begin a block; what an unfinished one left is given back.
 *
 * pool        the worker's; outlives the block
 * most_bytes  max_head: a bound for the text, and for the pseudo fields before it
 */
void http2_head_begin(struct http2_head *head, struct buffer_pool *pool, size_t most_bytes);

/**
 * Add the next field, in the order of the block. `name` and `value` are copied.
 *
 * returns  false: the block is refused; http2_head_end will say how, and every later field of it is
 *          ignored (HPACK still needs them decoded, RFC 9113 10.3)
 */
bool http2_head_add(struct http2_head *head, struct slice name, struct slice value);

/**
 * The block is complete.
 *
 * has_body  the stream does not end with it (no END_STREAM). Without a content-length the body
 *           becomes a chunked one; a content-length above 0 and no body is malformed
 * ret_text  HTTP2_HEAD_FINE: a whole head, to be judged by http_parse_request; the caller gives it
 *           back to the pool. Else NULL
 * fails     the other outcomes; http2_head_fault says why
 */
enum http2_head_outcome http2_head_end(struct http2_head *head, bool has_body,
                                       struct buffer **ret_text);

/** Why the block was refused, for the log and lb's own answer. Static; "" if it was not. */
const char *http2_head_fault(const struct http2_head *head);

/** A head that was fine: does it ask for a WebSocket? head->websocket_key is its challenge then,
 * for websocket_is_accepted. */
static inline bool http2_head_is_websocket(const struct http2_head *head)
{
    return head->kind == HTTP2_KIND_WEBSOCKET;
}

/** Give back what a block that was not ended holds. Thread: the pool's, like everything here. */
void http2_head_done(struct http2_head *head);

#endif
