/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scripted backend that speaks HTTP/2: nghttp2's server on a stub backend. What it does with a
 * request is said by the path, and by the script.
 *
 *   struct h2_script script = {0};
 *   stub_start_with(&stub, "rs-1", h2_backend_serve, &script);
 *
 *   /            200, the backend's name
 *   /head        200, the request's fields, a line each
 *   /echo        200, the body as it comes, piece by piece, and its trailers
 *   /trailers    200, "body", trailers grpc-status: 0 and te-st: yes
 *   /status      200 and grpc-status: 0 in one HEADERS frame that ends the stream
 *   /grpc        200, a message of gRPC, trailers grpc-status: 5
 *   /grpc-only   200, gRPC's type and grpc-status: 7 in one HEADERS frame that ends the stream
 *   /grpc-cut    200, a message of gRPC, RST_STREAM(INTERNAL_ERROR)
 *   /grpc-hang   200, a message of gRPC, nothing more
 *   /interim     103, then 200
 *   /interims    103 script.interims times, then 200, "body" and trailers
 *   /bare        204, whose stream does not end
 *   /large       200, script.large_bytes of 'x'
 *   /hold        200 once script.is_released and another frame came; HEADERS at once
 *   /hang        nothing
 *   /refuse      RST_STREAM(REFUSED_STREAM)
 *   /reset       RST_STREAM(INTERNAL_ERROR)
 *   /cut         200, some bytes, RST_STREAM(INTERNAL_ERROR)
 *   /die         the connection closes
 *   /early       403 with END_STREAM before the body is there, then RST_STREAM(NO_ERROR)
 *   /upgrade     a field of connections in the answer
 *   /long, /short   a Content-Length that is too small, too large for the body
 *   /badtrailer  a trailer that frames messages
 *   /pings       so many PINGs that nobody could mean them
 *   /flood       script.flood without end, on this stream where that fits its type
 */
#ifndef LB_TESTS_H2_BACKEND_H
#define LB_TESTS_H2_BACKEND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "tests/support/stub_backend.h"

struct h2_script {
    unsigned streams_most; /* SETTINGS_MAX_CONCURRENT_STREAMS; 0: 100 */
    bool is_shut;          /* … at first 0, until lb has acknowledged that … */
    bool stays_shut;       /* … or for ever */
    unsigned window;       /* SETTINGS_INITIAL_WINDOW_SIZE; 0: 65,535 */
    unsigned link_window;  /* the connection's; 0: 65,535 */
    unsigned goaway_after; /* requests of a connection, then GOAWAY; 0: never */
    bool goaway_at_once;   /* … and all that came behind them is not looked at */
    size_t large_bytes;
    unsigned interims;
    unsigned char flood;      /* type of a frame */
    bool is_deaf;             /* requests' bodies get no windows back */
    atomic_uint refuse_first; /* so many requests are refused, whatever the path */
    atomic_uint connections;  /* that sent the preface of HTTP/2 */
    atomic_uint requests;     /* heads */
    atomic_uint cancelled;    /* RST_STREAM received */
    atomic_uint open;         /* streams now … */
    atomic_uint open_most;    /* … and at most, of one connection */
    atomic_bool is_released;
};

/* A stub_serve; the stub's story is its struct h2_script. */
void h2_backend_serve(struct stub_link *link);

#endif
