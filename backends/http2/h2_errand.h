/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/2 towards a backend (RFC 9113): an errand is a stream of a link that carries many
 * (h2_link.h). h2_errand.c writes, h2_errand_read.c reads; what came meanwhile waits here, in text
 * and bytes.
 */
#ifndef LB_BACKENDS_HTTP2_H2_ERRAND_H
#define LB_BACKENDS_HTTP2_H2_ERRAND_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/links/link.h"
#include "lb/base/http1.h"
#include "lb/base/list.h"

struct buffer;
struct errand;
struct h2_link;

/* "the backend's answer breaks HTTP/2: " and what nghttp2 says of one stream. */
enum { H2_ERRAND_WORDS_BYTES = 80 };

struct h2_errand {
    struct h2_link *on;                 /* the link that carries it, or that it waits for */
    struct list_node node;              /* among its errands, or those that wait for it */
    struct list_node news;              /* among those whom on_ready is due; list_is_linked */
    struct link_wish wish;              /* while it waits */
    int32_t stream;                     /* 0: not begun */
    uint32_t error_code;                /* it was closed with */
    int lib_error;                      /* of nghttp2's judgement of what came; 0: fine */
    size_t block_bytes;                 /* of the head or trailers that come now */
    unsigned heads_ready;               /* in `text`, complete and not read */
    struct buffer *text;                /* heads as they come, as HTTP/1.1 text */
    struct buffer *in;                  /* of the body that came */
    struct buffer *lent;                /* … what the last read gave out */
    struct buffer *out;                 /* of the request's body: not framed yet */
    struct buffer *trailers;            /* … and the lines behind it */
    struct http_chunks answer_trailers; /* kept as those of chunks are; decodes nothing */
    uint64_t out_since;                 /* h2_link.sends when `out` began */
    uint64_t sent_bytes;                /* of body, framed */
    uint64_t seen_sent_bytes;           /* … and of these, what was_taken saw last */
    uint64_t seen_taken_bytes;          /* the connection's, then */
    uint64_t link_reads;                /* of its link when it began */
    bool is_out_ended;                  /* nothing comes behind `out` and `trailers` */
    bool is_headers_sent;
    bool is_held;       /* the client is full: what comes is no news */
    bool in_interim;    /* the head that comes is a 1xx */
    bool has_final;     /* a final head came … */
    bool is_final_read; /* … and was read */
    bool is_bodiless;   /* … and says that nothing follows, whenever the stream ends */
    bool is_ended;      /* END_STREAM came … */
    bool is_all_read;   /* … and was read, with all before it */
    bool is_closed;     /* the stream is over, or its link is */
    bool is_reset_here; /* lb itself reset it: what came was wrong */
    const char *fault;  /* why, where nghttp2 has no word for it: static, or the link's own */
    char words[H2_ERRAND_WORDS_BYTES]; /* what it says of nghttp2's judgement */
};

/**
 * errand_begin() for a pool of protocol h2 or h2s: on an open link that has room, on one that is
 * being opened, or on a new one.
 */
bool h2_errand_begin(struct errand *errand, struct links *links, const struct link_wish *wish);

#endif
