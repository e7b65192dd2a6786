/* SPDX-License-Identifier: Apache-2.0 */
/* Collects a responder's answer as it comes: the head of an HTTP answer, then its body. Pure. */
#ifndef LB_LISTENERS_OCSP_HEARING_H
#define LB_LISTENERS_OCSP_HEARING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lb/base/buffer.h"
#include "lb/base/error.h"
#include "lb/base/http1.h"

enum ocsp_heard {
    OCSP_HEARD_SOME,  /* more has to come */
    OCSP_HEARD_WHOLE, /* the body is there */
    OCSP_HEARD_BAD,   /* hearing->fault says why; nothing more is taken */
};

struct ocsp_hearing {
    struct buffer_pool *pool; /* borrowed */
    struct buffer *head;      /* until it is whole */
    struct buffer *body;
    bool has_head;
    bool is_refused; /* with a 4xx: the responder is there, and does not like the question */
    enum http_framing framing; /* once it has one */
    uint64_t left;             /* HTTP_LENGTH */
    unsigned interim_count;
    struct http_chunks chunks;
    struct error fault;
};

/** Ready for an answer. Everything else gives back in ocsp_hearing_done. */
void ocsp_hearing_init(struct ocsp_hearing *hearing, struct buffer_pool *pool);
void ocsp_hearing_done(struct ocsp_hearing *hearing);
/** What came. bytes: lent for the call. */
enum ocsp_heard ocsp_hearing_take(struct ocsp_hearing *hearing, const char *bytes, size_t length);
/** Nothing more comes. WHOLE or BAD. */
enum ocsp_heard ocsp_hearing_end(struct ocsp_hearing *hearing);
/** The body. Lent until ocsp_hearing_done. */
struct slice ocsp_hearing_body(const struct ocsp_hearing *hearing);

#endif
