/* SPDX-License-Identifier: Apache-2.0 */
/* When a request may be sent again, and to whom. Pure. */
#ifndef LB_EXCHANGE_RETRY_H
#define LB_EXCHANGE_RETRY_H

#include <stdbool.h>

#include "lb/base/http1.h"

/** What is known of an attempt that failed. */
struct attempt {
    enum http_method method;
    bool connected;    /* the link was there: request bytes may have reached the backend */
    bool heard;        /* a byte of an answer came */
    bool was_reused;   /* the link had served before: it may have been closing all along */
    bool is_link_over; /* not connected as far as this request goes: its link ended before it was
                          looked at, another one to the same backend may do */
    unsigned resent;   /* times it was sent to the same backend again */
    bool late;         /* it did not close, it kept silent for answer_timeout */
    bool body_used;    /* body bytes of the client were taken that cannot be had again */
    unsigned attempts; /* backends tried so far, this one included */
    unsigned retries;  /* the pool's option */
};

enum retry {
    RETRY_NONE,
    RETRY_SAME,  /* the same backend, on a fresh link: the old one was stale */
    RETRY_OTHER, /* another backend */
};

/**
 * A request goes again only when no byte of an answer came, its body is still at hand, and it is
 * safe: the backend cannot have seen it (no connection), or the method is safe (RFC 9110 9.2.1); on
 * a reused link that closed, also when it is idempotent (9.2.2), as RFC 9112 9.3.1 has it for
 * exactly this race. HTTP/2 says it where a request was not looked at (RFC 9113 8.7).
 */
enum retry retry_decide(const struct attempt *attempt);

#endif
