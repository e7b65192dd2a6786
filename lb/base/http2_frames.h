/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of HTTP/2 on their way out, towards either side: what nghttp2 makes is gathered in one
 * array, of all streams of a connection, and written with as few calls as that array allows.
 *
 *   nghttp2 ── frame, DATA head ──> http2_frames ── connection_write ──> connection
 *                                       ^
 *   whoever has the body ── its bytes ──┘
 *
 * One per worker and side is enough: it holds bytes within a call of http2_frames_send only.
 * Thread: the loop's.
 */
#ifndef LB_BASE_HTTP2_FRAMES_H
#define LB_BASE_HTTP2_FRAMES_H

#include <nghttp2/nghttp2.h>
#include <stddef.h>
#include <stdint.h>

#include "lb/base/connection.h"

struct http2_frames {
    char *bytes; /* borrowed; never NULL */
    size_t room; /* at least a frame of 16 KiB and its head, better a read's worth of them */
    size_t used;
};

/**
 * For nghttp2_send_callback: a frame, or what is left of it, joins the others.
 *
 * returns  length, or NGHTTP2_ERR_WOULDBLOCK: there is no room now, nghttp2 keeps it
 */
ssize_t http2_frames_put(struct http2_frames *frames, const uint8_t *frame, size_t length);

/**
 * For nghttp2_send_data_callback: the head of a DATA frame joins the others (RFC 9113 4.1), and
 * room for what it carries.
 *
 * head     its 9 bytes, as nghttp2 gives them
 * length   bytes that it carries: the caller has to write so many
 * returns  where to write them, or NULL: there is no room now (NGHTTP2_ERR_WOULDBLOCK)
 */
char *http2_frames_put_data(struct http2_frames *frames, const uint8_t *head, size_t length);

enum http2_frames_outcome {
    HTTP2_FRAMES_SENT,      /* what could be sent was; connection_pending() > 0: some of it waits */
    HTTP2_FRAMES_FAILED,    /* nothing can be written on the connection any more */
    HTTP2_FRAMES_NO_MEMORY, /* nghttp2 has none: the session is of no use any more */
};

/**
 * Send what the session has, until it has no more or the connection takes no more. The session's
 * callbacks run, and put what they have into `frames`.
 *
 * connection  on which nothing is pending
 */
enum http2_frames_outcome http2_frames_send(struct http2_frames *frames, nghttp2_session *session,
                                            struct connection *connection);

#endif
