/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP/1.1 answer as it arrives: status, length, and whether the connection stays. */
#ifndef LB_BENCH_ANSWER_H
#define LB_BENCH_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ANSWER_HEAD_BYTES = 4096 };

enum answer_outcome {
    ANSWER_MORE,    /* bytes are still missing */
    ANSWER_WHOLE,   /* 200, and every byte of its body came */
    ANSWER_REFUSED, /* a status other than 200 */
    ANSWER_WRONG,   /* no HTTP, no Content-Length, too large a head, or bytes after the body */
};

struct answer {
    char head[ANSWER_HEAD_BYTES + 1];
    size_t head_bytes;
    uint64_t body_bytes;    /* its length, once in_body */
    uint64_t missing_bytes; /* of these */
    unsigned status;
    bool in_body;
    bool closes; /* the peer said Connection: close */
};

/** Forget the last answer; the next byte begins a new one. */
void answer_begin(struct answer *answer);

/** Take the bytes that came. After any outcome but ANSWER_MORE, answer_begin() comes next. */
enum answer_outcome answer_take(struct answer *answer, const char *data, size_t bytes);

#endif
