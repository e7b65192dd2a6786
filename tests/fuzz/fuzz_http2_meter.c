/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as what a client of HTTP/2 sends behind its preface. The first byte says in pieces of
 * how many bytes they come the second time, the second one how large a head may be. Besides memory
 * errors this finds: verdicts that depend on how the bytes were cut, budgets that grow, frames
 * that are miscounted (a second walk over the whole bytes counts them, too).
 */
#include "listeners/http2/meter.h"

#include "lb/base/limits.h"
#include "tests/fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

enum { NOW_MS = 5000, PREFACE_BYTES = 24, PING = 6, HEADER_BYTES = 9 };

static void begin(struct http2_meter *meter, size_t head_most)
{
    static const char preface[PREFACE_BYTES];
    memset(meter, 0xa5, sizeof *meter);
    http2_meter_begin(meter, head_most, NOW_MS);
    EXPECT(http2_meter_feed(meter, preface, sizeof preface, NOW_MS) == HTTP2_FLOOD_NONE);
}

static void expect_bounded(const struct http2_meter *meter, const struct http2_meter *fresh)
{
    for (unsigned i = 0; i < HTTP2_METER_BUDGETS; i++)
        EXPECT(meter->milli_tokens[i] <= fresh->milli_tokens[i]);
    EXPECT(meter->flood >= HTTP2_FLOOD_NONE && meter->flood < HTTP2_FLOOD_COUNT);
    EXPECT(meter->header_length < HTTP2_METER_HEADER_BYTES);
    EXPECT(meter->at != HTTP2_METER_IN_HEADER || meter->rest == 0);
    EXPECT(meter->flood != HTTP2_FLOOD_NONE || meter->head_bytes <= meter->head_most);
    EXPECT(meter->flood != HTTP2_FLOOD_NONE || meter->continuations <= meter->continuations_most);
}

static void feed_pieces(struct http2_meter *meter, const uint8_t *data, size_t length, size_t piece)
{
    for (size_t at = 0; at < length; at += piece) {
        size_t rest = length - at < piece ? length - at : piece;
        enum http2_flood before = meter->flood;
        char *copy = expect_copy(data + at, rest);
        enum http2_flood after = http2_meter_feed(meter, copy, rest, NOW_MS);
        EXPECT(after == meter->flood && (before == HTTP2_FLOOD_NONE || before == after));
        free(copy);
    }
}

static void expect_same(const struct http2_meter *one, const struct http2_meter *other)
{
    EXPECT(one->flood == other->flood && one->at == other->at && one->rest == other->rest);
    EXPECT(one->head_bytes == other->head_bytes && one->continuations == other->continuations);
    EXPECT(one->header_length == other->header_length);
    EXPECT(memcmp(one->milli_tokens, other->milli_tokens, sizeof one->milli_tokens) == 0);
}

/* PINGs cost nothing else and have no credit while nothing is sent. */
static uint32_t count_pings(const uint8_t *data, size_t length)
{
    uint32_t count = 0;
    for (size_t at = 0; length - at >= HEADER_BYTES;) {
        size_t payload = (size_t)data[at] << 16 | (size_t)data[at + 1] << 8 | data[at + 2];
        count += data[at + 3] == PING;
        if (payload > length - at - HEADER_BYTES)
            break;
        at += HEADER_BYTES + payload;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    if (length < 2)
        return 0;
    size_t piece = (size_t)data[0] + 1, head_most = (size_t)data[1] * 256;
    struct http2_meter fresh, whole, pieces;
    begin(&fresh, head_most);
    begin(&whole, head_most);
    begin(&pieces, head_most);
    feed_pieces(&whole, data + 2, length - 2, length);
    feed_pieces(&pieces, data + 2, length - 2, piece);
    expect_bounded(&whole, &fresh);
    expect_same(&whole, &pieces);
    if (whole.flood != HTTP2_FLOOD_NONE)
        return 0;
    uint32_t left = fresh.milli_tokens[HTTP2_FLOOD_PINGS] - whole.milli_tokens[HTTP2_FLOOD_PINGS];
    EXPECT(left == 1000 * count_pings(data + 2, length - 2));
    return 0;
}
