/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection to the benchmark's backend, non-blocking and edge-triggered: requests come, their
 * bodies are skipped, and each is answered after its last byte.
 *
 * The answer's body has as many bytes as the path asks for (/bytes/N), or as all answers have.
 * Where the path is /hold, one byte of two comes, and the answer stays open until the other side
 * ends it.
 */
#ifndef LB_BENCH_BACKEND_LINK_H
#define LB_BENCH_BACKEND_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/bench/pattern.h"

enum {
    BACKEND_HEAD_BYTES = 8192, /* a request's head */
    BACKEND_ANSWER_HEAD_BYTES = 160,
    BACKEND_REQUIRED_MOST = 16,
    BACKEND_BODY_MOST = 1 << 30, /* of /bytes/N and --bytes */
};

/* What all links of a backend have in common. */
struct backend_manners {
    struct pattern pattern;
    uint64_t body_bytes;                         /* of an answer when the path asks for nothing */
    const char *required[BACKEND_REQUIRED_MOST]; /* fields without which a request is refused */
    unsigned required_count;
};

struct backend_link {
    int socket;
    bool owes;              /* an answer, once its request's body is skipped */
    bool holds;             /* … which does not end, so that nothing comes after it */
    uint64_t skipped_bytes; /* of that body, still to come */
    uint64_t asked_bytes;   /* of the answer's body */
    size_t unsent_head;     /* of the answer on its way: at the end of answer_head */
    uint64_t unsent_body;
    uint64_t told_bytes; /* what Content-Length in answer_head says … */
    bool told_held;      /* … of an answer without an end */
    size_t answer_head_bytes;
    size_t held_bytes; /* of a head that is not complete, or of what came behind it */
    char answer_head[BACKEND_ANSWER_HEAD_BYTES];
    char held[BACKEND_HEAD_BYTES + 1];
};

/** A link on this connected socket, which it owns from now on. NULL: out of memory; the socket is
 * closed. */
struct backend_link *backend_link_new(int socket);
void backend_link_free(struct backend_link *link);

/** Its socket has news: go on until it would block. false: the link must end. */
bool backend_link_serve(const struct backend_manners *manners, struct backend_link *link);

#endif
