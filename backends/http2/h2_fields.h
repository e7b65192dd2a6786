/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heads and trailers that lb has as HTTP/1.1 text, as the fields of HTTP/2 (RFC 9113 8.2, 8.3).
 * Pure. The text is lb's own (a written request head): every line is a whole "Name: value\r\n".
 */
#ifndef LB_BACKENDS_HTTP2_H2_FIELDS_H
#define LB_BACKENDS_HTTP2_H2_FIELDS_H

#include <stdbool.h>

#include "lb/base/http2_nva.h"
#include "lb/base/slice.h"

/**
 * Put the fields of a request head: :method, :scheme, :authority (of Host), :path, then the others
 * in their order. Left out: Connection, Keep-Alive, Proxy-Connection, Transfer-Encoding and Upgrade
 * (8.2.2; an upgrade may be ignored, RFC 9110 7.8), and all of TE but "trailers".
 *
 * nva      begun; names keep their capitals where nghttp2 lowers them (http2_nva_begin)
 * head     borrowed as long as the fields are used; with its request line and empty line
 * scheme   "http" or "https"; static
 * returns  false: more than HTTP2_NVA_MOST, or no such head
 */
bool h2_fields_put_head(struct http2_nva *nva, struct slice head, const char *scheme);

/** Put whole lines, of trailers: none of those names is among them. Results as above. */
bool h2_fields_put_lines(struct http2_nva *nva, struct slice lines);

#endif
