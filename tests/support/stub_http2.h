/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scripted backend that speaks HTTP/2: the story's function hears of every request once it is
 * whole, and says what becomes of its stream. It runs in the thread of the connection.
 *
 *   static void hear(struct stub_http2 *talk, const struct stub_http2_request *request)
 *   {
 *       stub_http2_answer(talk, request->stream, 200, 5, true);
 *   }
 *   static void serve(struct stub_link *link)
 *   {
 *       stub_http2_serve(link, hear);
 *   }
 *   … stub_tls_start(&stub, "rs-1", serve, &(struct stub_tls_plan){…, .speaks_http2 = true});
 */
#ifndef LB_TESTS_STUB_HTTP2_H
#define LB_TESTS_STUB_HTTP2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/stub_backend.h"

struct stub_http2;

struct stub_http2_request {
    struct stub_http2_request *next;
    int32_t stream;
    char method[16];
    char path[128];
    char authority[128];
    char length[32]; /* content-length; "": none */
    struct text body;
    size_t answer_bytes; /* of the body of its answer, still to be sent */
    bool answer_ends;
};

typedef void (*stub_http2_hear)(struct stub_http2 *talk, const struct stub_http2_request *request);

/* Serve one connection until it ends; at most 100 streams at a time. */
void stub_http2_serve(struct stub_link *link, stub_http2_hear hear);

/* The link of this conversation, for what a story keeps there. */
struct stub_link *stub_http2_link(struct stub_http2 *talk);

/* Answer with a body of so many bytes; ends: false: and keep the stream open behind them. */
void stub_http2_answer(struct stub_http2 *talk, int32_t stream, unsigned status, size_t bytes,
                       bool ends);
/* RST_STREAM with this error. */
void stub_http2_reset(struct stub_http2 *talk, int32_t stream, uint32_t error);
/* GOAWAY with this error, after which the connection ends. */
void stub_http2_go_away(struct stub_http2 *talk, uint32_t error);

#endif
