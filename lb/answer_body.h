/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a backend's answer: where it ends, and what of the bytes read belongs to it. */
#ifndef LB_ANSWER_BODY_H
#define LB_ANSWER_BODY_H

#include <stdbool.h>

#include "lb/base/slice.h"
#include "listeners/stream.h"

struct exchange;

/**
 * Take the body's bytes out of exchange->input. Chunks are decoded in place and closed up, so that
 * one read gives one piece however many chunks it held.
 *
 * data   the bytes; in exchange->input's memory
 * last   the body is complete; what follows sets exchange->surplus
 * returns  false: not chunked as it says
 */
bool answer_body_take(struct exchange *exchange, struct slice *data, bool *last);

/** Write the body's last bytes and its trailers, less hop-by-hop ones. */
enum stream_write answer_body_end_with_trailers(struct exchange *exchange, struct slice data);

#endif
