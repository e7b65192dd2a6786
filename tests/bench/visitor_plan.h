/* SPDX-License-Identifier: Apache-2.0 */
/* What all visitors have in common: where they go, what they say and ask for, and what the last of
 * them met. */
#ifndef LB_BENCH_VISITOR_PLAN_H
#define LB_BENCH_VISITOR_PLAN_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/faces.h"
#include "tests/bench/load_options.h"
#include "tests/bench/pattern.h"

struct visitor_plan {
    const struct load_options *options;
    SSL_CTX *context;
    struct faces faces;
    int epoll;
    unsigned next_source;
    char request[512]; /* its head */
    int request_bytes;
    uint64_t body_bytes; /* behind it: of `pattern` */
    struct pattern pattern;
    uint64_t moved_bytes; /* of bodies, of all units so far: while it grows, nothing stalls */
    char tls_version[16]; /* of the last handshake */
    char cipher[64];
    char failure[256]; /* why the last unit failed */
};

/** Make TLS context, epoll and request. false: the reason is in plan->failure. */
bool visitor_plan_init(struct visitor_plan *plan, const struct load_options *options);
void visitor_plan_done(struct visitor_plan *plan);

#endif
