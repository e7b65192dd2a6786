/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The challenge of a WebSocket's opening handshake (RFC 6455 4.1), which HTTP/2 has not (RFC 8441
 * 5.1) and lb therefore makes and checks itself towards an HTTP/1.1 backend.
 */
#ifndef LB_LISTENERS_HTTP2_WEBSOCKET_H
#define LB_LISTENERS_HTTP2_WEBSOCKET_H

#include <stdbool.h>

#include "lb/base/http1.h"
#include "lb/base/slice.h"

enum {
    WEBSOCKET_KEY_BYTES = 24,    /* 16 random bytes in base64 */
    WEBSOCKET_ACCEPT_BYTES = 28, /* a SHA-1 in base64 */
};

/** The field that answers the challenge; meaningless to a client that made none. */
#define WEBSOCKET_ACCEPT "sec-websocket-accept"

/** Make a Sec-WebSocket-Key (not terminated). false: no randomness is to be had. Any thread. */
bool websocket_key_make(char ret_key[WEBSOCKET_KEY_BYTES]);

/**
 * Does Sec-WebSocket-Accept prove that the backend understood the handshake with that key? (RFC
 * 6455 4.1 demands to fail the connection otherwise.) Any thread.
 *
 * fields  of the backend's 101; exactly one Sec-WebSocket-Accept must be among them
 */
bool websocket_is_accepted(const char key[WEBSOCKET_KEY_BYTES], const struct http_field *fields,
                           unsigned field_count);

#endif
