/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts what a client of HTTP/2 sends, before anybody acts on it: walks the frame headers of the
 * bytes that arrived, skips what the frames carry, and says when the client floods (flood.h).
 *
 * Budgets are token buckets: so many at once, so many a second. What honest clients do often, they
 * do because something is done for them: windows are opened for what they received, probes of the
 * path go with it, requests are cancelled among others that were answered. So progress gives
 * credit (http2_meter_sent, http2_meter_answered), and a busy client never meets its budgets,
 * however busy.
 *
 *   bytes from the connection ── http2_meter_feed ── HTTP2_FLOOD_NONE: the session may have them
 *                                                 └─ a flood: GOAWAY (ENHANCE_YOUR_CALM)
 *
 * No I/O, no clock, no memory of its own. One thread: the worker's whose client it is.
 */
#ifndef LB_LISTENERS_HTTP2_METER_H
#define LB_LISTENERS_HTTP2_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "listeners/http2/flood.h"

enum {
    HTTP2_METER_HEADER_BYTES = 9,                 /* of a frame; RFC 9113, 4.1 */
    HTTP2_METER_BUDGETS = HTTP2_FLOOD_OTHERS + 1, /* floods that are a matter of rate */
};

/** Where in a frame the next byte is. */
enum http2_meter_at {
    HTTP2_METER_IN_HEADER,
    HTTP2_METER_AT_PADDING, /* how much of the payload is padding; RFC 9113, 6.1 */
    HTTP2_METER_IN_PAYLOAD,
};

struct http2_meter {
    uint64_t refilled_ms;
    uint32_t milli_tokens[HTTP2_METER_BUDGETS]; /* thousandths, so that a millisecond refills */
    uint32_t rest;       /* IN_PAYLOAD, AT_PADDING: bytes of the payload that are to come */
    uint32_t head_most;  /* bytes of a head's frames */
    uint32_t head_bytes; /* of the head that is being received */
    uint16_t continuations_most;
    uint16_t continuations; /* of that head */
    enum http2_meter_at at;
    enum http2_flood flood; /* once it is one it stays */
    uint8_t header_length;  /* bytes of `header` that are there */
    uint8_t header[HTTP2_METER_HEADER_BYTES];
};

/**
 * Begin with the client's first byte, the connection preface (RFC 9113, 3.4).
 *
 * meter     overwritten
 * head_most bytes that a request's head may have as text (max_head); compressed, its frames may
 *           have twice that
 * now_ms    of a clock that never goes back
 */
void http2_meter_begin(struct http2_meter *meter, size_t head_most, uint64_t now_ms);

/**
 * Count these bytes, which follow those before; they may end anywhere in a frame.
 *
 * bytes    lent for the call
 * now_ms   of the same clock
 * returns  HTTP2_FLOOD_NONE, or what the client floods with; then the same ever after
 */
enum http2_flood http2_meter_feed(struct http2_meter *meter, const char *bytes, size_t length,
                                  uint64_t now_ms);

/**
 * A DATA frame goes to the client, which may answer with WINDOW_UPDATEs and a PING.
 *
 * length  bytes of body in it
 * room    bytes that it could have had at this moment, windows and frame size considered: a client
 *         that opens its windows byte by byte gets frames of a byte, and no credit for them
 */
void http2_meter_sent(struct http2_meter *meter, size_t length, size_t room);

/** A request was answered to its end; the client has cancelled others for it, perhaps. */
void http2_meter_answered(struct http2_meter *meter);

/**
 * The client made lb reset a stream, or refuse its head.
 *
 * returns  as http2_meter_feed
 */
enum http2_flood http2_meter_fault(struct http2_meter *meter, uint64_t now_ms);

#endif
