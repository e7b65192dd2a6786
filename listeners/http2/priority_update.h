/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PRIORITY_UPDATE frames (RFC 9218 7.1); those of streams that are not open yet go to a shelf
 * (priority_shelf.h). nghttp2 has a way of its own to read them; when a stream that it has kept one
 * for is opened and a GOAWAY does not name it, nghttp2 (1.52) aborts on an assertion.
 */
#ifndef LB_LISTENERS_HTTP2_PRIORITY_UPDATE_H
#define LB_LISTENERS_HTTP2_PRIORITY_UPDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lb/base/slice.h"

enum { PRIORITY_UPDATE_BYTES = 4 + 28 }; /* a stream, and what a client needs to say ten times */

/** One frame's payload while it arrives. Zeroed is ready. */
struct priority_update {
    uint8_t length;
    bool is_too_long; /* it is ignored, as what cannot be read is */
    uint8_t bytes[PRIORITY_UPDATE_BYTES];
};

enum priority_update_outcome {
    PRIORITY_UPDATE_FINE,
    PRIORITY_UPDATE_IGNORED,
    PRIORITY_UPDATE_TOO_SHORT,  /* FRAME_SIZE_ERROR */
    PRIORITY_UPDATE_OF_NOTHING, /* of stream 0: PROTOCOL_ERROR */
};

/** More of the payload. */
void priority_update_add(struct priority_update *update, const uint8_t *bytes, size_t length);

/**
 * The frame is whole; it is ready for the next one.
 *
 * ret_stream  PRIORITY_UPDATE_FINE: whose
 * ret_value   … and the Priority field's value; lent until the next call
 */
enum priority_update_outcome priority_update_end(struct priority_update *update,
                                                 int32_t *ret_stream, struct slice *ret_value);

#endif
