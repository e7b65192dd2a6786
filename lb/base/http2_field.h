/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a field of HTTP/2 may be (RFC 9113 8.2), on whichever side it came: nothing that could be a
 * second line, or another connection's business, once it is written as a line of HTTP/1.1.
 */
#ifndef LB_BASE_HTTP2_FIELD_H
#define LB_BASE_HTTP2_FIELD_H

#include <stdbool.h>

#include "lb/base/http1.h"
#include "lb/base/slice.h"

/**
 * Judge a field that is no pseudo field (a name with ':' is refused here): its name is of
 * lower-case token characters, its value without controls but HTAB and without surrounding blanks;
 * none of Connection, Keep-Alive, Proxy-Connection, Transfer-Encoding and Upgrade, and TE only with
 * "trailers". Pure, any thread.
 *
 * ret_known  which of the names that lb acts on it is
 * returns    NULL: it is fine; else why it is not, static
 */
const char *http2_field_judge(struct slice name, struct slice value, enum http_name *ret_known);

/** The value of :status (RFC 9113 8.3.2) as a number; 0: it is not of three digits. Pure, any
 * thread. */
unsigned http2_field_status(struct slice value);

/**
 * Judge a field of a trailer section (RFC 9113 8.1: no pseudo fields) and keep it in `trailers`,
 * where http_chunks_trailers finds it. What no trailer may be is refused as in a chunked body.
 *
 * returns  NULL: it is kept; else why the message is malformed, static. trailers->fault tells
 *          HTTP_TRAILER_TOO_LARGE from HTTP_BAD_TRAILER
 */
const char *http2_trailer_add(struct http_chunks *trailers, struct slice name, struct slice value);

#endif
