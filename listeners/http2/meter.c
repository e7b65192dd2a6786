/* SPDX-License-Identifier: Apache-2.0 */
/* Walks frame headers (RFC 9113, 4.1 and 6) and takes what each frame costs from its budget. */
#include "listeners/http2/meter.h"

#include <nghttp2/nghttp2.h>
#include <string.h>

#include "lb/base/limits.h"

enum {
    FRAME_PRIORITY_UPDATE = 0x10, /* RFC 9218, 7.1 */
    PRIORITY_BYTES = 5,           /* of a HEADERS frame with the flag; RFC 9113, 6.2 */
    MILLI = 1000,
    /* What a client may send besides for what is done for it. A window for the stream, one for the
       connection … */
    UPDATES_PER_FRAME = 2,
    /* … and more where what it received is given back in parts, the smallest that are usual. */
    BYTES_PER_UPDATE = 2048,
    /* PINGs in the same way: where a client opens windows for each frame by itself, there are
       smaller frames between the large ones, of what was left of a window. */
    BYTES_PER_PING = 4096,
    /* A frame so large is never one that was cut by a window of a few bytes. */
    FRAME_ENOUGH_BYTES = 1024,
    /* Its place among the others, when it is asked for and when that changes. */
    PRIORITIES_PER_REQUEST = 2,
};

struct budget {
    uint32_t at_once;
    uint32_t per_s;
};

// clang-format off
static const struct budget budgets[HTTP2_METER_BUDGETS] = {
    [HTTP2_FLOOD_RESETS] = {HTTP2_RESETS_AT_ONCE, HTTP2_RESETS_PER_S},
    [HTTP2_FLOOD_FAULTS] = {HTTP2_FAULTS_AT_ONCE, HTTP2_FAULTS_PER_S},
    [HTTP2_FLOOD_SETTINGS] = {HTTP2_SETTINGS_AT_ONCE, HTTP2_SETTINGS_PER_S},
    [HTTP2_FLOOD_PINGS] = {HTTP2_PINGS_AT_ONCE, HTTP2_PINGS_PER_S},
    [HTTP2_FLOOD_PRIORITIES] = {HTTP2_PRIORITIES_AT_ONCE, HTTP2_PRIORITIES_PER_S},
    [HTTP2_FLOOD_WINDOWS] = {HTTP2_WINDOWS_AT_ONCE, HTTP2_WINDOWS_PER_S},
    [HTTP2_FLOOD_EMPTY] = {HTTP2_EMPTY_AT_ONCE, HTTP2_EMPTY_PER_S},
    [HTTP2_FLOOD_OTHERS] = {HTTP2_OTHERS_AT_ONCE, HTTP2_OTHERS_PER_S},
};
// clang-format on

static void give(struct http2_meter *meter, enum http2_flood flood, uint64_t milli_tokens)
{
    uint64_t most = (uint64_t)budgets[flood].at_once * MILLI;
    uint64_t have = meter->milli_tokens[flood];
    meter->milli_tokens[flood] =
        (uint32_t)(milli_tokens < most - have ? have + milli_tokens : most);
}

static void spend(struct http2_meter *meter, enum http2_flood flood)
{
    if (meter->milli_tokens[flood] >= MILLI)
        meter->milli_tokens[flood] -= MILLI;
    else
        meter->flood = flood;
}

/* A token a second is a thousandth of it a millisecond. */
static void refill(struct http2_meter *meter, uint64_t now_ms)
{
    if (now_ms <= meter->refilled_ms)
        return;
    uint64_t elapsed_ms = now_ms - meter->refilled_ms;
    if (elapsed_ms > UINT32_MAX)
        elapsed_ms = UINT32_MAX;
    for (unsigned i = 0; i < HTTP2_METER_BUDGETS; i++)
        give(meter, (enum http2_flood)i, elapsed_ms * budgets[i].per_s);
    meter->refilled_ms = now_ms;
}

void http2_meter_begin(struct http2_meter *meter, size_t head_most, uint64_t now_ms)
{
    if (head_most > HEAD_MOST_BYTES)
        head_most = HEAD_MOST_BYTES;
    *meter = (struct http2_meter){
        .refilled_ms = now_ms,
        .rest = NGHTTP2_CLIENT_MAGIC_LEN,
        .head_most = (uint32_t)head_most * 2,
        .continuations_most =
            (uint16_t)(HTTP2_CONTINUATIONS_MOST + head_most * 2 / HTTP2_FRAME_BYTES),
        .at = HTTP2_METER_IN_PAYLOAD,
    };
    for (unsigned i = 0; i < HTTP2_METER_BUDGETS; i++)
        meter->milli_tokens[i] = budgets[i].at_once * MILLI;
}

static void add_head_bytes(struct http2_meter *meter, uint32_t carried)
{
    meter->head_bytes += carried;
    if (meter->head_bytes > meter->head_most)
        meter->flood = HTTP2_FLOOD_HEAD;
}

static void judge_headers(struct http2_meter *meter, uint8_t flags, uint32_t carried)
{
    uint32_t priority = (flags & NGHTTP2_FLAG_PRIORITY) != 0 ? PRIORITY_BYTES : 0;
    carried = carried > priority ? carried - priority : 0;
    give(meter, HTTP2_FLOOD_PRIORITIES, PRIORITIES_PER_REQUEST * MILLI);
    give(meter, HTTP2_FLOOD_OTHERS, MILLI);
    meter->head_bytes = 0;
    meter->continuations = 0;
    if (carried == 0 && (flags & NGHTTP2_FLAG_END_STREAM) == 0)
        spend(meter, HTTP2_FLOOD_EMPTY);
    add_head_bytes(meter, carried);
}

static void judge_continuation(struct http2_meter *meter, uint32_t carried)
{
    if (carried == 0)
        spend(meter, HTTP2_FLOOD_EMPTY);
    add_head_bytes(meter, carried);
    if (++meter->continuations > meter->continuations_most)
        meter->flood = HTTP2_FLOOD_CONTINUATIONS;
}

/* carried: bytes of the payload without padding. */
static void judge(struct http2_meter *meter, uint32_t carried)
{
    uint8_t type = meter->header[3], flags = meter->header[4];
    switch (type) {
    case NGHTTP2_DATA:
        if (carried == 0 && (flags & NGHTTP2_FLAG_END_STREAM) == 0)
            spend(meter, HTTP2_FLOOD_EMPTY);
        return;
    case NGHTTP2_HEADERS:
        judge_headers(meter, flags, carried);
        return;
    case NGHTTP2_CONTINUATION:
        judge_continuation(meter, carried);
        return;
    case NGHTTP2_RST_STREAM:
        spend(meter, HTTP2_FLOOD_RESETS);
        return;
    case NGHTTP2_SETTINGS:
        spend(meter, HTTP2_FLOOD_SETTINGS);
        return;
    case NGHTTP2_PING:
        spend(meter, HTTP2_FLOOD_PINGS);
        return;
    case NGHTTP2_PRIORITY:
    case FRAME_PRIORITY_UPDATE:
        spend(meter, HTTP2_FLOOD_PRIORITIES);
        return;
    case NGHTTP2_WINDOW_UPDATE:
        spend(meter, HTTP2_FLOOD_WINDOWS);
        return;
    default:
        spend(meter, HTTP2_FLOOD_OTHERS);
        return;
    }
}

static void enter_payload(struct http2_meter *meter, uint32_t carried)
{
    judge(meter, carried);
    meter->at = meter->rest > 0 ? HTTP2_METER_IN_PAYLOAD : HTTP2_METER_IN_HEADER;
}

static size_t take_header(struct http2_meter *meter, const char *bytes, size_t length)
{
    size_t used = HTTP2_METER_HEADER_BYTES - (size_t)meter->header_length;
    if (used > length)
        used = length;
    memcpy(meter->header + meter->header_length, bytes, used);
    meter->header_length = (uint8_t)(meter->header_length + used);
    if (meter->header_length < HTTP2_METER_HEADER_BYTES)
        return used;
    const uint8_t *header = meter->header;
    meter->header_length = 0;
    meter->rest = (uint32_t)header[0] << 16 | (uint32_t)header[1] << 8 | header[2];
    bool may_pad = header[3] == NGHTTP2_DATA || header[3] == NGHTTP2_HEADERS;
    if (may_pad && (header[4] & NGHTTP2_FLAG_PADDED) != 0 && meter->rest > 0)
        meter->at = HTTP2_METER_AT_PADDING;
    else
        enter_payload(meter, meter->rest);
    return used;
}

/* More padding than payload is an error that the session finds. */
static size_t take_padding(struct http2_meter *meter, const char *bytes)
{
    uint32_t padding = (unsigned char)*bytes;
    meter->rest--;
    enter_payload(meter, meter->rest > padding ? meter->rest - padding : 0);
    return 1;
}

static size_t take_payload(struct http2_meter *meter, size_t length)
{
    size_t used = meter->rest < length ? meter->rest : length;
    meter->rest -= (uint32_t)used;
    if (meter->rest == 0)
        meter->at = HTTP2_METER_IN_HEADER;
    return used;
}

static size_t take(struct http2_meter *meter, const char *bytes, size_t length)
{
    switch (meter->at) {
    case HTTP2_METER_IN_HEADER:
        return take_header(meter, bytes, length);
    case HTTP2_METER_AT_PADDING:
        return take_padding(meter, bytes);
    case HTTP2_METER_IN_PAYLOAD:
        return take_payload(meter, length);
    }
    return length;
}

enum http2_flood http2_meter_feed(struct http2_meter *meter, const char *bytes, size_t length,
                                  uint64_t now_ms)
{
    refill(meter, now_ms);
    for (size_t at = 0; at < length && meter->flood == HTTP2_FLOOD_NONE;)
        at += take(meter, bytes + at, length - at);
    return meter->flood;
}

void http2_meter_sent(struct http2_meter *meter, size_t length, size_t room)
{
    uint64_t updates = length / BYTES_PER_UPDATE;
    if (length > 0 && (length < room || length >= FRAME_ENOUGH_BYTES)) {
        updates += UPDATES_PER_FRAME;
        give(meter, HTTP2_FLOOD_PINGS, (1 + (uint64_t)length / BYTES_PER_PING) * MILLI);
    }
    give(meter, HTTP2_FLOOD_WINDOWS, updates * MILLI);
}

void http2_meter_answered(struct http2_meter *meter)
{
    give(meter, HTTP2_FLOOD_RESETS, MILLI);
    give(meter, HTTP2_FLOOD_PINGS, MILLI);
    give(meter, HTTP2_FLOOD_WINDOWS, UPDATES_PER_FRAME * MILLI);
}

enum http2_flood http2_meter_fault(struct http2_meter *meter, uint64_t now_ms)
{
    refill(meter, now_ms);
    if (meter->flood == HTTP2_FLOOD_NONE)
        spend(meter, HTTP2_FLOOD_FAULTS);
    return meter->flood;
}
