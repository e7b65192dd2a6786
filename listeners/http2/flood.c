/* SPDX-License-Identifier: Apache-2.0 */
/* Names and sentences of every flood, in one table. */
#include "listeners/http2/flood.h"

struct flood_words {
    const char *name;
    const char *text;
};

// clang-format off
static const struct flood_words words[HTTP2_FLOOD_COUNT] = {
    [HTTP2_FLOOD_NONE] = {"none", "Nothing is too much."},
    [HTTP2_FLOOD_RESETS] = {"reset-flood", "Too many requests were cancelled."},
    [HTTP2_FLOOD_FAULTS] = {"fault-flood", "Too many streams were in error."},
    [HTTP2_FLOOD_SETTINGS] = {"settings-flood", "Too many SETTINGS frames were sent."},
    [HTTP2_FLOOD_PINGS] = {"ping-flood", "Too many PING frames were sent."},
    [HTTP2_FLOOD_PRIORITIES] = {"priority-flood", "Priorities were changed too often."},
    [HTTP2_FLOOD_WINDOWS] = {"window-flood", "Too many WINDOW_UPDATE frames were sent for what was received."},
    [HTTP2_FLOOD_EMPTY] = {"empty-frame-flood", "Too many frames carried nothing."},
    [HTTP2_FLOOD_OTHERS] = {"other-frame-flood", "Too many frames of other types were sent."},
    [HTTP2_FLOOD_CONTINUATIONS] = {"continuation-flood", "A head came in too many CONTINUATION frames."},
    [HTTP2_FLOOD_HEAD] = {"head-flood", "A head is too large."},
};
// clang-format on

const char *http2_flood_name(enum http2_flood flood)
{
    return words[flood].name;
}

const char *http2_flood_text(enum http2_flood flood)
{
    return words[flood].text;
}
