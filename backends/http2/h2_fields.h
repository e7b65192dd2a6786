/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heads and trailers that lb has as HTTP/1.1 text, as the fields of HTTP/2 (RFC 9113 8.2, 8.3).
 * Pure. The text is lb's own (a written request head): every line is a whole "Name: value\r\n".
 */
#ifndef LB_BACKENDS_HTTP2_H2_FIELDS_H
#define LB_BACKENDS_HTTP2_H2_FIELDS_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>

#include "lb/base/limits.h"
#include "lb/base/slice.h"

/* Those of a client, and those that lb adds with every option there is. */
enum { H2_FIELDS_MOST = HEAD_FIELDS_MOST + 64 };

struct h2_fields {
    char *names; /* where lower-cased names are written … */
    size_t room; /* … and how many bytes are left there */
    size_t count;
    nghttp2_nv fields[H2_FIELDS_MOST];
};

/** names, room: borrowed as long as the fields are used; the head's own length is always enough. */
void h2_fields_init(struct h2_fields *fields, char *names, size_t room);

/**
 * Add the fields of a request head: :method, :scheme, :authority (of Host), :path, then the others
 * in their order. Left out: Connection, Keep-Alive, Proxy-Connection, Transfer-Encoding and Upgrade
 * (8.2.2; an upgrade may be ignored, RFC 9110 7.8), and all of TE but "trailers".
 *
 * head     borrowed as long as the fields are used; with its request line and empty line
 * scheme   "http" or "https"; static
 * returns  false: more than H2_FIELDS_MOST, or no such head
 */
bool h2_fields_add_head(struct h2_fields *fields, struct slice head, const char *scheme);

/** Add whole lines, of trailers: none of those names is among them. Results as above. */
bool h2_fields_add_lines(struct h2_fields *fields, struct slice lines);

#endif
