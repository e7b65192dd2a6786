/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1 towards a backend (RFC 9112): the body of the request is framed, the answer's head parsed
 * and its body found. http1_errand.c writes and waits, http1_errand_read.c reads.
 */
#ifndef LB_BACKENDS_HTTP1_HTTP1_ERRAND_H
#define LB_BACKENDS_HTTP1_HTTP1_ERRAND_H

#include <stdbool.h>
#include <stdint.h>

#include "lb/base/http1.h"
#include "lb/base/slice.h"

struct buffer;
struct errand;

enum http1_errand_answer {
    HTTP1_ERRAND_AWAITED, /* no final head yet */
    HTTP1_ERRAND_BODY,
    HTTP1_ERRAND_TUNNEL,
};

struct http1_errand {
    struct slice input;  /* read and not used yet; in the worker's array, or in `kept` */
    struct buffer *kept; /* an unfinished head */
    enum http1_errand_answer answer;
    enum http_framing request_framing;
    enum http_framing answer_framing;
    uint64_t answer_left; /* HTTP_LENGTH */
    struct http_chunks chunks;
    bool is_finished; /* the client's side of the tunnel is over */
    bool is_reusable; /* the answer allows another exchange on its link */
    bool has_surplus; /* bytes behind the answer: the link cannot be used again */
};

/** The link is lent: the errand can be run. */
void http1_errand_open(struct errand *errand);

#endif
