/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client said of the urgency of requests that it had not made yet (RFC 9218 7.1): kept until
 * it makes them. Few at a time: who says more has what is of the lowest stream forgotten, which
 * harms its order only.
 */
#ifndef LB_LISTENERS_HTTP2_PRIORITY_SHELF_H
#define LB_LISTENERS_HTTP2_PRIORITY_SHELF_H

#include <stdbool.h>
#include <stdint.h>

#include "lb/base/limits.h"
#include "listeners/http2/priority.h"

/** Zeroed is empty. */
struct priority_shelf {
    struct priority_shelf_row {
        int32_t stream; /* 0: free */
        uint8_t urgency;
        bool is_incremental;
    } rows[HTTP2_PRIORITIES_KEPT_MOST];
    uint8_t count;
};

/** Keep it, in the place of what was said of the same stream before. stream: above 0 */
void priority_shelf_put(struct priority_shelf *shelf, int32_t stream, struct priority priority);

/**
 * The stream was opened: forget what was said of it, and of those before it, which can be opened no
 * more (RFC 9113 5.1.1).
 *
 * returns  false: nothing was said of it
 */
bool priority_shelf_take(struct priority_shelf *shelf, int32_t stream,
                         struct priority *ret_priority);

#endif
