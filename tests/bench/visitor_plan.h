/* SPDX-License-Identifier: Apache-2.0 */
/* What all visitors have in common: where they go, what they say and ask for, and what the last of
 * them met. */
#ifndef LB_BENCH_VISITOR_PLAN_H
#define LB_BENCH_VISITOR_PLAN_H

#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/faces.h"
#include "tests/bench/load_options.h"
#include "tests/bench/pattern.h"

enum { VISITOR_FIELDS_MOST = 8 };

struct bundle;
struct visitor;

enum visitor_outcome {
    VISITOR_BUSY,   /* its unit goes on */
    VISITOR_DONE,   /* its unit ended well */
    VISITOR_FAILED, /* its unit failed; without HTTP/2 its connection is gone; plan->failure says
                       why */
    VISITOR_QUIET,  /* it had no unit, and has none */
    VISITOR_CLOSED, /* it had no unit, and the peer closed its connection, or its held stream */
};

struct visitor_plan {
    const struct load_options *options;
    SSL_CTX *context;
    struct faces faces;
    int epoll;
    unsigned next_source;
    char request[512]; /* its head */
    int request_bytes;
    nghttp2_nv fields[VISITOR_FIELDS_MOST]; /* the same for HTTP/2 */
    size_t field_count;
    char length[24];     /* content-length */
    uint64_t body_bytes; /* behind it: of `pattern` */
    struct pattern pattern;
    uint64_t moved_bytes; /* of bodies, of all units so far: while it grows, nothing stalls */
    char tls_version[16]; /* of the last handshake */
    char cipher[64];
    char failure[256];            /* why the last unit failed */
    bool holds;                   /* units are done when their answer begins; their streams stay */
    struct bundle *first_talking; /* for bundle.c */
    void (*on_end)(void *listener, struct visitor *visitor, enum visitor_outcome outcome);
    void *listener; /* on_end: of a unit, or of what should have stayed; HTTP/2 only */
};

/** From now on HTTP/2 requests ask for this path, which must stay. */
void visitor_plan_ask(struct visitor_plan *plan, const char *path);

/** Make TLS context, epoll and request. false: the reason is in plan->failure. */
bool visitor_plan_init(struct visitor_plan *plan, const struct load_options *options);
void visitor_plan_done(struct visitor_plan *plan);

#endif
