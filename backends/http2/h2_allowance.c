/* SPDX-License-Identifier: Apache-2.0 */
/* See h2_allowance.h. */
#include "backends/http2/h2_allowance.h"

#include "lb/base/limits.h"

enum {
    /* RST_STREAM, a window, and the small end of a head and of trailers in CONTINUATION. */
    FRAMES_PER_REQUEST = 4,
    /* A window for the stream, one for the connection, PING … */
    FRAMES_PER_DATA = 3,
    /* … and windows where what came is given back in parts, the smallest that are usual. */
    BYTES_PER_FRAME = 2048,
    /* A frame so large is never one that was cut by a small window. */
    ENOUGH_BYTES = 1024,
    /* What a small window cut is answered with a window for the stream and one for the connection
       … */
    FRAMES_PER_CUT = 2,
    /* … where the cut has at least so much: windows that open by a few bytes, each of which costs a
       frame of lb's, have only what time gives. */
    CUT_LEAST_BYTES = 64,
    FRAMES_MOST = HTTP2_LINK_IDLE_FRAMES_MOST + HTTP2_LINK_CREDIT_FRAMES_MOST,
};

void h2_allowance_begin(struct h2_allowance *allowance, uint64_t now_ms)
{
    *allowance = (struct h2_allowance){.refilled_ms = now_ms, .left = HTTP2_LINK_IDLE_FRAMES_MOST};
}

/* Time alone fills it up to HTTP2_LINK_IDLE_FRAMES_MOST, in a second. */
static void refill(struct h2_allowance *allowance, uint64_t now_ms)
{
    uint64_t frames = (now_ms - allowance->refilled_ms) * HTTP2_LINK_IDLE_FRAMES_MOST / 1000;
    allowance->refilled_ms = now_ms;
    if (allowance->left >= HTTP2_LINK_IDLE_FRAMES_MOST)
        return;
    uint64_t room = HTTP2_LINK_IDLE_FRAMES_MOST - allowance->left;
    allowance->left += (unsigned)(frames < room ? frames : room);
}

bool h2_allowance_spend(struct h2_allowance *allowance, uint64_t now_ms)
{
    refill(allowance, now_ms);
    if (allowance->left == 0)
        return false;
    allowance->left--;
    return true;
}

static void add(struct h2_allowance *allowance, size_t frames)
{
    size_t room = FRAMES_MOST - allowance->left;
    allowance->left += (unsigned)(frames < room ? frames : room);
}

void h2_allowance_requested(struct h2_allowance *allowance)
{
    add(allowance, FRAMES_PER_REQUEST);
}

void h2_allowance_sent(struct h2_allowance *allowance, size_t length, bool is_whole)
{
    if (length > 0 && (is_whole || length >= ENOUGH_BYTES))
        add(allowance, FRAMES_PER_DATA + length / BYTES_PER_FRAME);
    else if (length >= CUT_LEAST_BYTES)
        add(allowance, FRAMES_PER_CUT);
}
