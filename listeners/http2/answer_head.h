/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head and the trailers of an answer as fields of HTTP/2 (RFC 9113 8.2, 8.3.2): what
 * http1_output.c writes as lines.
 */
#ifndef LB_LISTENERS_HTTP2_ANSWER_HEAD_H
#define LB_LISTENERS_HTTP2_ANSWER_HEAD_H

#include "lb/base/http2_nva.h"
#include "listeners/stream.h"

/**
 * Write a head, interim ones too, into an array that was begun.
 *
 * Left out: hop-by-hop fields, framing and the reason; a length is told as the head says, but not
 * with 1xx and 204. The 101 of a tunnel becomes 200 (RFC 8441 5.1), without Sec-WebSocket-Accept,
 * whose challenge the client has not made.
 *
 * head     lent; for how long its bytes must stay, see http2_nva_begin
 * returns  false: it does not fit the array or its room
 */
bool http2_answer_head(struct http2_nva *nva, const struct stream_head *head);

/** The same for trailers. */
bool http2_answer_trailers(struct http2_nva *nva, const struct http_field *fields, unsigned count);

#endif
