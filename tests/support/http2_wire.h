/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of HTTP/2 that sends exactly the frames that a test says, allowed or not, and tells what
 * comes back: frame by frame, and put together for each stream.
 *
 *   struct http2_wire wire;
 *   http2_wire_enter(&wire, port, WISH(&scene, .who = "alice"));
 *   uint32_t stream = http2_wire_ask(&wire, "GET", "/", "te: trailers\n");
 *   const struct http2_answer *answer = http2_wire_answer(&wire, stream);
 *   ck_assert_uint_eq(answer->status, 200);
 *
 * Blocking, with a peer's patience. By itself it acknowledges SETTINGS and PING and gives windows
 * back, unless `by_hand`.
 */
#ifndef LB_TESTS_HTTP2_WIRE_H
#define LB_TESTS_HTTP2_WIRE_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/support/peer.h"

enum { HTTP2_WIRE_HEADER_BYTES = 9, HTTP2_WIRE_WINDOW_BYTES = 65535 };

struct http2_frame {
    uint8_t type, flags;
    uint32_t stream;
    size_t length;
    const unsigned char *payload; /* lent until the next frame is read */
};

/* What has come for one stream. */
struct http2_answer {
    uint32_t stream;
    unsigned status;    /* 0: no final head yet */
    struct text fields; /* of all heads, as lines "name: value\n" */
    struct text body;
    struct text trailers;   /* lines, too */
    unsigned interim_count; /* heads of 1xx */
    bool has_ended;         /* END_STREAM */
    bool was_reset;
    uint32_t code;  /* of the RST_STREAM */
    int64_t window; /* bytes that may be sent */
};

struct http2_wire {
    struct peer peer;
    nghttp2_hd_inflater *inflater;
    bool by_hand;        /* acknowledges nothing, opens no windows */
    uint32_t latest;     /* stream that was opened by ask or open */
    struct text block;   /* a head that CONTINUATION frames go on with */
    struct text payload; /* of the latest frame */
    struct http2_answer **answers;
    unsigned answer_count;
    int64_t window; /* of the connection: bytes that may be sent */
    /* What the other side's SETTINGS said. */
    bool has_settings;
    bool was_acknowledged; /* … and that ours arrived */
    uint32_t streams_most; /* UINT32_MAX: not told */
    uint32_t stream_window;
    uint32_t frame_most;
    bool has_connect;    /* RFC 8441 */
    unsigned pong_count; /* PINGs acknowledged */
    char pong[8];        /* the latest one's payload */
    bool was_sent_away;  /* GOAWAY came; the latest: */
    uint32_t goaway_code;
    uint32_t goaway_last;  /* stream */
    char goaway_text[256]; /* debug data */
};

/* Life. */
/* Connect, shake hands and choose h2 (else the test fails); nothing is sent. wish: NULL or as of
 * peer.h; its alpn is set here. */
void http2_wire_connect(struct http2_wire *wire, unsigned port, const struct tls_wish *wish);
/* The same, then preface and SETTINGS, until those of both sides are acknowledged. */
void http2_wire_enter(struct http2_wire *wire, unsigned port, const struct tls_wish *wish);
void http2_wire_close(struct http2_wire *wire);
/* The same so that the other side sees a reset. */
void http2_wire_reset(struct http2_wire *wire);

/* Frames. They tell whether the other side still takes them. */
bool http2_wire_preface(struct http2_wire *wire);
/* One frame; nothing is checked. */
bool http2_wire_frame(struct http2_wire *wire, unsigned type, unsigned flags, uint32_t stream,
                      const void *payload, size_t length);
/* A frame's header alone, before `length` bytes that may never come. */
bool http2_wire_header(struct http2_wire *wire, size_t length, unsigned type, unsigned flags,
                       uint32_t stream);
bool http2_wire_setting(struct http2_wire *wire, unsigned id, uint32_t value);
bool http2_wire_window(struct http2_wire *wire, uint32_t stream, uint32_t increment);
bool http2_wire_cancel(struct http2_wire *wire, uint32_t stream, uint32_t code);

/* Heads. A block says fields as literals that nobody remembers (RFC 7541, 6.2.2), so that
 * everything can be said. */
void http2_block_add(struct text *block, const char *name, size_t name_length, const char *value,
                     size_t value_length);
/* Lines "name: value\n"; a name may begin with a colon. */
void http2_block_add_lines(struct text *block, const char *lines);
/* HEADERS, and CONTINUATION where it does not fit one frame. The flag END_HEADERS is its own
 * business. */
bool http2_wire_block(struct http2_wire *wire, uint32_t stream, unsigned flags,
                      const struct text *block);
/* A whole request without body on the next stream, which is returned: https, www.example.com, and
 * these lines (NULL: none). */
uint32_t http2_wire_ask(struct http2_wire *wire, const char *method, const char *path,
                        const char *lines);
/* Only its head: its body follows. */
uint32_t http2_wire_open(struct http2_wire *wire, const char *method, const char *path,
                         const char *lines);
/* DATA as windows and the largest frame allow, reading where they have to be waited for. false: the
 * stream or the connection ended before it was all sent. */
bool http2_wire_data(struct http2_wire *wire, uint32_t stream, const void *bytes, size_t length,
                     bool is_last);

/* What comes. */
/* The next frame, which is noted in `wire`, too; false: the connection ended. */
bool http2_wire_receive(struct http2_wire *wire, struct http2_frame *frame);
/* Read until the stream's answer ended, or the connection; what has come. */
const struct http2_answer *http2_wire_answer(struct http2_wire *wire, uint32_t stream);
/* What has come so far; nothing is read. */
const struct http2_answer *http2_wire_so_far(struct http2_wire *wire, uint32_t stream);
/* Read until the stream's body has so many bytes; false: it ended before. */
bool http2_wire_await_body(struct http2_wire *wire, uint32_t stream, size_t length);
/* Send PING and read until it is acknowledged: all that was sent before has been understood.
 * false: the connection ended. */
bool http2_wire_ping(struct http2_wire *wire);
/* Read until the other side closes. */
void http2_wire_receive_all(struct http2_wire *wire);
/* The status of a whole request; 0: none came. */
unsigned http2_wire_get(struct http2_wire *wire, const char *path);

#endif
