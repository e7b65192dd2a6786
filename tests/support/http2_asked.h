/* SPDX-License-Identifier: Apache-2.0 */
/* One request of a peer that speaks HTTP/2, with what is left to send of it and what came back. */
#ifndef LB_TESTS_HTTP2_ASKED_H
#define LB_TESTS_HTTP2_ASKED_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/text.h"

struct http2_field_at {
    size_t name;
    size_t name_length;
    size_t value;
    size_t value_length;
};

/* Fields to send, names in lower case. */
struct http2_fields {
    struct text text; /* names and values, one behind the other */
    struct http2_field_at *at;
    unsigned count;
};

struct http2_asked {
    struct http2_asked *next; /* the one that was asked after it */
    int32_t id;
    bool is_head;     /* HEAD */
    bool is_tunnel;   /* an extended CONNECT */
    bool says_close;  /* Connection: close */
    bool has_body;    /* DATA follow the head, maybe none */
    struct text body; /* said, not yet sent */
    size_t body_at;   /* what is before was sent */
    bool is_whole;    /* nothing comes behind what `body` holds */
    struct http2_fields trailers;
    bool is_closed; /* its stream is */

    unsigned status;
    struct text fields; /* of the head or the trailers that are coming, as lines with CRLF before */
    bool has_head;      /* the final one */
    bool has_length;
    bool has_ended;     /* the answer is whole */
    bool was_cut;       /* it never will be */
    struct text answer; /* as HTTP/1.1 text, not yet in the inbox */
};

/* Fields. */
void http2_fields_add(struct http2_fields *fields, const char *name, size_t name_length,
                      const char *value, size_t value_length);
void http2_fields_done(struct http2_fields *fields);
/* As nghttp2 wants them: a new array that points into fields; freed by the caller. */
nghttp2_nv *http2_fields_list(const struct http2_fields *fields);

/* Read a head ("GET / HTTP/1.1\r\n…\r\n\r\n") into the fields of a request and into what the head
 * says of it. ret_length: of its body; chunked: UINT64_MAX. */
void http2_asked_read_head(struct http2_asked *asked, const char *head, struct http2_fields *fields,
                           uint64_t *ret_length);

/* What comes back. */
void http2_asked_on_field(struct http2_asked *asked, const char *name, const char *value);
/* All fields are there. is_leaving: the other side will serve no request after this one. */
void http2_asked_on_fields_end(struct http2_asked *asked, bool is_leaving);
void http2_asked_on_data(struct http2_asked *asked, const void *bytes, size_t length);
void http2_asked_on_end(struct http2_asked *asked);

void http2_asked_free(struct http2_asked *asked);

#endif
