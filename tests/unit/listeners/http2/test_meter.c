/* SPDX-License-Identifier: Apache-2.0 */
/* Every flood, what honest clients do, and that it does not matter how the bytes were cut. */
#include "listeners/http2/meter.h"

#include <nghttp2/nghttp2.h>
#include <string.h>

#include "lb/base/limits.h"
#include "tests/support/check_main.h"
#include "tests/support/text.h"

enum { NOW_MS = 1000000, HEAD_MOST = 32 * 1024, UNKNOWN_TYPE = 0xfe, PRIORITY_UPDATE = 0x10 };

static void add_frame(struct text *bytes, unsigned type, unsigned flags, size_t length)
{
    static const char payload[1024 * 1024];
    const char header[] = {(char)(length >> 16),
                           (char)(length >> 8),
                           (char)length,
                           (char)type,
                           (char)flags,
                           0,
                           0,
                           0,
                           1};
    text_add(bytes, header, sizeof header);
    text_add(bytes, payload, length);
}

/* A frame with padding: `carried` bytes, then `padding`. */
static void add_padded(struct text *bytes, unsigned type, unsigned flags, size_t carried,
                       unsigned padding)
{
    size_t at = bytes->length;
    add_frame(bytes, type, flags | NGHTTP2_FLAG_PADDED, 1 + carried + padding);
    bytes->bytes[at + 9] = (char)padding;
}

static void begin(struct http2_meter *meter)
{
    http2_meter_begin(meter, HEAD_MOST, NOW_MS);
    ck_assert_int_eq(
        http2_meter_feed(meter, NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN, NOW_MS),
        HTTP2_FLOOD_NONE);
}

/* Feed what is in `bytes` so often; stops at a flood and returns how often it went well. */
static unsigned feed_often(struct http2_meter *meter, const struct text *bytes, unsigned often,
                           uint64_t now_ms)
{
    for (unsigned i = 0; i < often; i++)
        if (http2_meter_feed(meter, bytes->bytes, bytes->length, now_ms) != HTTP2_FLOOD_NONE)
            return i;
    return often;
}

static enum http2_flood feed_once(struct http2_meter *meter, struct text *bytes, uint64_t now_ms)
{
    enum http2_flood flood = http2_meter_feed(meter, bytes->bytes, bytes->length, now_ms);
    text_done(bytes);
    return flood;
}

/* clang-format off */
static const struct rate {
    unsigned type, flags, length;
    enum http2_flood flood;
    unsigned at_once, per_s;
} rates[] = {
    {NGHTTP2_RST_STREAM, 0, 4, HTTP2_FLOOD_RESETS, HTTP2_RESETS_AT_ONCE, HTTP2_RESETS_PER_S},
    {NGHTTP2_SETTINGS, 0, 0, HTTP2_FLOOD_SETTINGS, HTTP2_SETTINGS_AT_ONCE, HTTP2_SETTINGS_PER_S},
    {NGHTTP2_SETTINGS, 0, 36, HTTP2_FLOOD_SETTINGS, HTTP2_SETTINGS_AT_ONCE, HTTP2_SETTINGS_PER_S},
    {NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, HTTP2_FLOOD_SETTINGS, HTTP2_SETTINGS_AT_ONCE, HTTP2_SETTINGS_PER_S},
    {NGHTTP2_PING, 0, 8, HTTP2_FLOOD_PINGS, HTTP2_PINGS_AT_ONCE, HTTP2_PINGS_PER_S},
    {NGHTTP2_PING, NGHTTP2_FLAG_ACK, 8, HTTP2_FLOOD_PINGS, HTTP2_PINGS_AT_ONCE, HTTP2_PINGS_PER_S},
    {NGHTTP2_PRIORITY, 0, 5, HTTP2_FLOOD_PRIORITIES, HTTP2_PRIORITIES_AT_ONCE, HTTP2_PRIORITIES_PER_S},
    {PRIORITY_UPDATE, 0, 7, HTTP2_FLOOD_PRIORITIES, HTTP2_PRIORITIES_AT_ONCE, HTTP2_PRIORITIES_PER_S},
    {NGHTTP2_WINDOW_UPDATE, 0, 4, HTTP2_FLOOD_WINDOWS, HTTP2_WINDOWS_AT_ONCE, HTTP2_WINDOWS_PER_S},
    {NGHTTP2_DATA, 0, 0, HTTP2_FLOOD_EMPTY, HTTP2_EMPTY_AT_ONCE, HTTP2_EMPTY_PER_S},
    {NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, 1, HTTP2_FLOOD_EMPTY, HTTP2_EMPTY_AT_ONCE, HTTP2_EMPTY_PER_S},
    {NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, 0, HTTP2_FLOOD_EMPTY, HTTP2_EMPTY_AT_ONCE, HTTP2_EMPTY_PER_S},
    {NGHTTP2_HEADERS, 0, 0, HTTP2_FLOOD_EMPTY, HTTP2_EMPTY_AT_ONCE, HTTP2_EMPTY_PER_S},
    {NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 0, HTTP2_FLOOD_EMPTY, HTTP2_EMPTY_AT_ONCE, HTTP2_EMPTY_PER_S},
    {NGHTTP2_HEADERS, NGHTTP2_FLAG_PRIORITY, 5, HTTP2_FLOOD_EMPTY, HTTP2_EMPTY_AT_ONCE, HTTP2_EMPTY_PER_S},
    {NGHTTP2_HEADERS, NGHTTP2_FLAG_PRIORITY | NGHTTP2_FLAG_PADDED, 6, HTTP2_FLOOD_EMPTY, HTTP2_EMPTY_AT_ONCE, HTTP2_EMPTY_PER_S},
    {NGHTTP2_HEADERS, NGHTTP2_FLAG_PRIORITY, 2, HTTP2_FLOOD_EMPTY, HTTP2_EMPTY_AT_ONCE, HTTP2_EMPTY_PER_S},
    {NGHTTP2_GOAWAY, 0, 8, HTTP2_FLOOD_OTHERS, HTTP2_OTHERS_AT_ONCE, HTTP2_OTHERS_PER_S},
    {NGHTTP2_PUSH_PROMISE, 0, 4, HTTP2_FLOOD_OTHERS, HTTP2_OTHERS_AT_ONCE, HTTP2_OTHERS_PER_S},
    {UNKNOWN_TYPE, 0xff, 3, HTTP2_FLOOD_OTHERS, HTTP2_OTHERS_AT_ONCE, HTTP2_OTHERS_PER_S},
};
/* clang-format on */
enum { RATE_COUNT = sizeof rates / sizeof rates[0] };

START_TEST(so_many_at_once_are_fine_and_one_more_is_a_flood)
{
    const struct rate *rate = &rates[_i];
    struct http2_meter meter;
    struct text frame = {0};
    begin(&meter);
    add_frame(&frame, rate->type, rate->flags, rate->length);
    ck_assert_uint_eq(feed_often(&meter, &frame, UINT16_MAX, NOW_MS), rate->at_once);
    ck_assert_int_eq(meter.flood, rate->flood);
    text_done(&frame);
}
END_TEST

START_TEST(after_a_second_there_may_be_some_more)
{
    const struct rate *rate = &rates[_i];
    struct http2_meter meter;
    struct text frame = {0};
    begin(&meter);
    add_frame(&frame, rate->type, rate->flags, rate->length);
    ck_assert_uint_eq(feed_often(&meter, &frame, rate->at_once, NOW_MS), rate->at_once);
    unsigned more = feed_often(&meter, &frame, UINT16_MAX, NOW_MS + 1000);
    ck_assert_uint_eq(more, rate->per_s);
    ck_assert_int_eq(meter.flood, rate->flood);
    text_done(&frame);
}
END_TEST

START_TEST(who_keeps_to_the_rate_never_floods)
{
    const struct rate *rate = &rates[_i];
    struct http2_meter meter;
    struct text frame = {0};
    begin(&meter);
    add_frame(&frame, rate->type, rate->flags, rate->length);
    for (uint64_t s = 0; s < 3600; s++)
        ck_assert_uint_eq(feed_often(&meter, &frame, rate->per_s, NOW_MS + s * 1000), rate->per_s);
    text_done(&frame);
}
END_TEST

/* A thousand years of silence save no more than the first burst. */
START_TEST(silence_is_not_saved_up)
{
    const struct rate *rate = &rates[_i];
    struct http2_meter meter;
    struct text frame = {0};
    begin(&meter);
    add_frame(&frame, rate->type, rate->flags, rate->length);
    uint64_t later_ms = NOW_MS + 1000ULL * 365 * 24 * 3600 * 1000;
    ck_assert_uint_eq(feed_often(&meter, &frame, UINT16_MAX, later_ms), rate->at_once);
    text_done(&frame);
}
END_TEST

START_TEST(a_flood_stays_a_flood)
{
    struct http2_meter meter;
    struct text ping = {0};
    begin(&meter);
    add_frame(&ping, NGHTTP2_PING, 0, 8);
    feed_often(&meter, &ping, UINT16_MAX, NOW_MS);
    ck_assert_int_eq(http2_meter_feed(&meter, "", 0, NOW_MS + 100000), HTTP2_FLOOD_PINGS);
    ck_assert_int_eq(http2_meter_fault(&meter, NOW_MS + 100000), HTTP2_FLOOD_PINGS);
    ck_assert_int_eq(feed_once(&meter, &ping, NOW_MS + 100000), HTTP2_FLOOD_PINGS);
}
END_TEST

START_TEST(a_clock_that_stands_or_goes_back_gives_nothing)
{
    struct http2_meter meter;
    struct text ping = {0};
    begin(&meter);
    add_frame(&ping, NGHTTP2_PING, 0, 8);
    ck_assert_uint_eq(feed_often(&meter, &ping, 60, NOW_MS), 60);
    ck_assert_uint_eq(feed_often(&meter, &ping, 30, NOW_MS - 5000), 30);
    ck_assert_uint_eq(feed_often(&meter, &ping, 30, NOW_MS), 10);
    text_done(&ping);
}
END_TEST

/* MadeYouReset: what lb had to reset counts as if the client had. */
START_TEST(streams_in_error_are_counted)
{
    struct http2_meter meter;
    begin(&meter);
    for (unsigned i = 0; i < HTTP2_FAULTS_AT_ONCE; i++)
        ck_assert_int_eq(http2_meter_fault(&meter, NOW_MS), HTTP2_FLOOD_NONE);
    ck_assert_int_eq(http2_meter_fault(&meter, NOW_MS), HTTP2_FLOOD_FAULTS);
    begin(&meter);
    for (unsigned i = 0; i < HTTP2_FAULTS_AT_ONCE; i++)
        http2_meter_fault(&meter, NOW_MS);
    for (unsigned i = 0; i < HTTP2_FAULTS_PER_S; i++)
        ck_assert_int_eq(http2_meter_fault(&meter, NOW_MS + 1000), HTTP2_FLOOD_NONE);
    ck_assert_int_eq(http2_meter_fault(&meter, NOW_MS + 1000), HTTP2_FLOOD_FAULTS);
}
END_TEST

START_TEST(padding_is_no_content)
{
    struct http2_meter meter;
    struct text hollow = {0}, full = {0};
    begin(&meter);
    add_padded(&full, NGHTTP2_DATA, 0, 1, 255);
    ck_assert_uint_eq(feed_often(&meter, &full, 10000, NOW_MS), 10000);
    add_padded(&hollow, NGHTTP2_DATA, 0, 0, 255);
    ck_assert_uint_eq(feed_often(&meter, &hollow, 10000, NOW_MS), HTTP2_EMPTY_AT_ONCE);
    ck_assert_int_eq(meter.flood, HTTP2_FLOOD_EMPTY);
    text_done(&hollow);
    begin(&meter);
    add_padded(&hollow, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 0, 200);
    ck_assert_uint_eq(feed_often(&meter, &hollow, 10000, NOW_MS), HTTP2_EMPTY_AT_ONCE);
    ck_assert_int_eq(meter.flood, HTTP2_FLOOD_EMPTY);
    text_done(&hollow);
    text_done(&full);
}
END_TEST

/* An error of the protocol, which is the session's to find; here nothing may get out of step. */
START_TEST(more_padding_than_payload_is_no_content)
{
    struct http2_meter meter;
    struct text frames = {0};
    begin(&meter);
    add_padded(&frames, NGHTTP2_DATA, 0, 3, 4);
    frames.bytes[9] = 100;
    ck_assert_uint_eq(feed_often(&meter, &frames, 10000, NOW_MS), HTTP2_EMPTY_AT_ONCE);
    text_done(&frames);
}
END_TEST

START_TEST(a_head_may_come_in_some_pieces)
{
    struct http2_meter meter;
    struct text head = {0};
    unsigned most = HTTP2_CONTINUATIONS_MOST + 2 * HEAD_MOST / HTTP2_FRAME_BYTES;
    begin(&meter);
    add_frame(&head, NGHTTP2_HEADERS, 0, 10);
    for (unsigned i = 0; i < most; i++)
        add_frame(&head, NGHTTP2_CONTINUATION, i + 1 == most ? NGHTTP2_FLAG_END_HEADERS : 0, 10);
    ck_assert_uint_eq(feed_often(&meter, &head, 1000, NOW_MS), 1000);
    text_done(&head);
    add_frame(&head, NGHTTP2_HEADERS, 0, 10);
    for (unsigned i = 0; i < most; i++)
        add_frame(&head, NGHTTP2_CONTINUATION, 0, 10);
    ck_assert_int_eq(feed_once(&meter, &head, NOW_MS), HTTP2_FLOOD_NONE);
    add_frame(&head, NGHTTP2_CONTINUATION, 0, 10);
    ck_assert_int_eq(feed_once(&meter, &head, NOW_MS), HTTP2_FLOOD_CONTINUATIONS);
}
END_TEST

START_TEST(a_head_may_have_twice_max_head_and_no_more)
{
    struct http2_meter meter;
    struct text head = {0};
    begin(&meter);
    add_frame(&head, NGHTTP2_HEADERS, 0, HTTP2_FRAME_BYTES);
    for (size_t sent = HTTP2_FRAME_BYTES; sent < 2 * (size_t)HEAD_MOST; sent += HTTP2_FRAME_BYTES)
        add_frame(&head, NGHTTP2_CONTINUATION, 0, HTTP2_FRAME_BYTES);
    ck_assert_int_eq(feed_once(&meter, &head, NOW_MS), HTTP2_FLOOD_NONE);
    add_frame(&head, NGHTTP2_CONTINUATION, 0, 1);
    ck_assert_int_eq(feed_once(&meter, &head, NOW_MS), HTTP2_FLOOD_HEAD);
}
END_TEST

START_TEST(the_largest_max_head_can_be_used)
{
    struct http2_meter meter;
    struct text head = {0};
    http2_meter_begin(&meter, HEAD_MOST_BYTES, NOW_MS);
    text_add(&head, NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN);
    add_frame(&head, NGHTTP2_HEADERS, 0, HTTP2_FRAME_BYTES);
    for (size_t sent = HTTP2_FRAME_BYTES; sent < HEAD_MOST_BYTES; sent += HTTP2_FRAME_BYTES)
        add_frame(&head, NGHTTP2_CONTINUATION, 0, HTTP2_FRAME_BYTES);
    ck_assert_int_eq(feed_once(&meter, &head, NOW_MS), HTTP2_FLOOD_NONE);
}
END_TEST

/* A payload full of PING frames is only a payload, however large its frame says it is. */
START_TEST(what_frames_carry_is_not_looked_at)
{
    struct http2_meter meter;
    struct text frames = {0}, ping = {0};
    const size_t lengths[] = {HTTP2_FRAME_BYTES, HTTP2_FRAME_BYTES + 1, 1024 * 1024};
    begin(&meter);
    add_frame(&ping, NGHTTP2_PING, 0, 8);
    for (unsigned i = 0; i < 3; i++) {
        size_t at = frames.length + 9;
        add_frame(&frames, NGHTTP2_DATA, 0, lengths[i]);
        for (; at + ping.length < frames.length; at += ping.length)
            memcpy(frames.bytes + at, ping.bytes, ping.length);
    }
    ck_assert_int_eq(feed_once(&meter, &frames, NOW_MS), HTTP2_FLOOD_NONE);
    ck_assert_uint_eq(feed_often(&meter, &ping, UINT16_MAX, NOW_MS), HTTP2_PINGS_AT_ONCE);
    text_done(&ping);
}
END_TEST

/* Frames of every kind, then a flood; the last byte is the one that makes it a flood. */
static void add_mixed_flood(struct text *bytes)
{
    text_add(bytes, NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN);
    add_frame(bytes, NGHTTP2_SETTINGS, 0, 12);
    add_frame(bytes, NGHTTP2_HEADERS, NGHTTP2_FLAG_PRIORITY, 40);
    add_frame(bytes, NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, 3);
    add_padded(bytes, NGHTTP2_DATA, 0, 7, 9);
    add_padded(bytes, NGHTTP2_DATA, 0, 0, 3);
    add_frame(bytes, NGHTTP2_WINDOW_UPDATE, 0, 4);
    add_frame(bytes, UNKNOWN_TYPE, 0, 300);
    for (unsigned i = 0; i <= HTTP2_PINGS_AT_ONCE; i++)
        add_frame(bytes, NGHTTP2_PING, 0, 8);
    text_drop(bytes, 0);
    bytes->length -= 8; /* it is decided with the last frame's header */
}

START_TEST(the_verdict_does_not_depend_on_the_cut)
{
    struct http2_meter meter;
    struct text bytes = {0};
    add_mixed_flood(&bytes);
    size_t most = bytes.length - 1;
    for (size_t cut = 0; cut <= most; cut++) {
        http2_meter_begin(&meter, HEAD_MOST, NOW_MS);
        ck_assert_int_eq(http2_meter_feed(&meter, bytes.bytes, cut, NOW_MS), HTTP2_FLOOD_NONE);
        ck_assert_int_eq(http2_meter_feed(&meter, bytes.bytes + cut, most - cut, NOW_MS),
                         HTTP2_FLOOD_NONE);
        ck_assert_int_eq(http2_meter_feed(&meter, bytes.bytes + most, 1, NOW_MS),
                         HTTP2_FLOOD_PINGS);
    }
    text_done(&bytes);
}
END_TEST

START_TEST(pieces_of_any_size_give_the_same_verdict)
{
    struct text bytes = {0};
    add_mixed_flood(&bytes);
    for (size_t piece = 1; piece < 40; piece++) {
        struct http2_meter meter;
        enum http2_flood flood = HTTP2_FLOOD_NONE;
        http2_meter_begin(&meter, HEAD_MOST, NOW_MS);
        for (size_t at = 0; at < bytes.length; at += piece) {
            ck_assert_int_eq(flood, HTTP2_FLOOD_NONE);
            size_t rest = bytes.length - at < piece ? bytes.length - at : piece;
            flood = http2_meter_feed(&meter, bytes.bytes + at, rest, NOW_MS);
        }
        ck_assert_int_eq(flood, HTTP2_FLOOD_PINGS);
    }
    text_done(&bytes);
}
END_TEST

/* What honest clients do. */

enum {
    WHOLE_HEAD = NGHTTP2_FLAG_END_HEADERS,
    WHOLE_REQUEST = WHOLE_HEAD | NGHTTP2_FLAG_END_STREAM
};

/* clang-format off */
static const struct habit {
    const char *what;
    struct { unsigned type, flags, length, times; } frames[4]; /* of one turn */
    unsigned turns;
    unsigned turns_per_s;            /* 0: all in one moment */
    unsigned sent_bytes, sent_most;  /* a DATA frame of lb's, before each turn */
    bool is_answered;                /* … and one request, behind it */
} habits[] = {
    {"a hedging client ends the later one of two requests",
     {{NGHTTP2_HEADERS, WHOLE_REQUEST, 20, 2}, {NGHTTP2_RST_STREAM, 0, 4, 1}}, 100000, 0, 0, 0, true},
    {"10 Gbit/s, with both windows given back for every 4 KiB, and a PING with every frame",
     {{NGHTTP2_WINDOW_UPDATE, 0, 4, 8}, {NGHTTP2_PING, 0, 8, 1}}, 100000, 76000, HTTP2_FRAME_BYTES, HTTP2_FRAME_BYTES, false},
    {"gRPC: messages of some bytes both ways, each acknowledged, on streams that never end",
     {{NGHTTP2_DATA, 0, 12, 1}, {NGHTTP2_WINDOW_UPDATE, 0, 4, 2}, {NGHTTP2_PING, 0, 8, 1}}, 200000, 0, 12, HTTP2_FRAME_BYTES, false},
    {"an upload in frames of a byte",
     {{NGHTTP2_DATA, 0, 1, 1}}, 1000000, 0, 0, 0, false},
    {"an idle connection that is kept alive for a day",
     {{NGHTTP2_PING, 0, 8, 1}}, 24 * 3600, 1, 0, 0, false},
    {"requests with a word on their priority, and what nobody may forget to ignore",
     {{NGHTTP2_HEADERS, WHOLE_REQUEST, 8, 1}, {NGHTTP2_PRIORITY, 0, 5, 1}, {UNKNOWN_TYPE, 0, 5, 1}}, 100000, 0, 0, 0, false},
    {"streams that end with an empty DATA frame",
     {{NGHTTP2_HEADERS, WHOLE_HEAD, 30, 1}, {NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 0, 1}}, 10000, 0, 0, 0, false},
    {"streams that end with empty trailers",
     {{NGHTTP2_HEADERS, WHOLE_HEAD, 30, 1}, {NGHTTP2_HEADERS, WHOLE_REQUEST, 0, 1}}, 10000, 0, 0, 0, false},
    {"heads of two frames, each counted from its own beginning",
     {{NGHTTP2_HEADERS, 0, HTTP2_FRAME_BYTES, 1}, {NGHTTP2_CONTINUATION, WHOLE_HEAD, HTTP2_FRAME_BYTES, 1}}, 1000, 0, 0, 0, false},
};
/* clang-format on */
enum { HABIT_COUNT = sizeof habits / sizeof habits[0] };

static void add_turn(struct text *turn, const struct habit *habit)
{
    for (unsigned i = 0; i < 4; i++)
        for (unsigned times = 0; times < habit->frames[i].times; times++)
            add_frame(turn, habit->frames[i].type, habit->frames[i].flags, habit->frames[i].length);
}

START_TEST(what_honest_clients_do_is_no_flood_however_long)
{
    const struct habit *habit = &habits[_i];
    struct http2_meter meter;
    struct text turn = {0};
    begin(&meter);
    add_turn(&turn, habit);
    for (uint64_t i = 0; i < habit->turns; i++) {
        uint64_t since_ms = habit->turns_per_s ? i * 1000 / habit->turns_per_s : 0;
        if (habit->sent_bytes)
            http2_meter_sent(&meter, habit->sent_bytes, habit->sent_most);
        enum http2_flood flood =
            http2_meter_feed(&meter, turn.bytes, turn.length, NOW_MS + since_ms);
        ck_assert_msg(flood == HTTP2_FLOOD_NONE, "%s: turn %llu, %s", habit->what,
                      (unsigned long long)i, http2_flood_name(flood));
        if (habit->is_answered)
            http2_meter_answered(&meter);
    }
    text_done(&turn);
}
END_TEST

START_TEST(a_browser_may_leave_page_after_page)
{
    struct http2_meter meter;
    struct text page = {0};
    begin(&meter);
    add_frame(&page, NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0);
    for (unsigned i = 0; i < 100; i++) {
        add_frame(&page, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 80);
        add_frame(&page, PRIORITY_UPDATE, 0, 9);
    }
    for (unsigned i = 0; i < 100; i++)
        add_frame(&page, NGHTTP2_RST_STREAM, 0, 4);
    for (uint64_t s = 0; s < 600; s++)
        ck_assert_int_eq(http2_meter_feed(&meter, page.bytes, page.length, NOW_MS + s * 1000),
                         HTTP2_FLOOD_NONE);
    text_done(&page);
}
END_TEST

START_TEST(who_cancels_more_than_is_answered_does)
{
    struct http2_meter meter;
    struct text cancelled = {0};
    begin(&meter);
    add_frame(&cancelled, NGHTTP2_RST_STREAM, 0, 4);
    unsigned i = 0;
    for (; i < 100000 && meter.flood == HTTP2_FLOOD_NONE; i++) {
        feed_often(&meter, &cancelled, 2, NOW_MS);
        http2_meter_answered(&meter);
    }
    ck_assert_int_eq(meter.flood, HTTP2_FLOOD_RESETS);
    ck_assert_uint_le(i, HTTP2_RESETS_AT_ONCE);
    text_done(&cancelled);
}
END_TEST

/* What is left of windows that are given back frame by frame are frames of some bytes, never joined
 * again; each has its acknowledgements and its PING, too. */
START_TEST(a_fast_download_may_be_in_fragments)
{
    static const size_t fragments[] = {16384, 1, 42, 2};
    struct http2_meter meter;
    struct text updates = {0};
    begin(&meter);
    add_frame(&updates, NGHTTP2_WINDOW_UPDATE, 0, 4);
    add_frame(&updates, NGHTTP2_WINDOW_UPDATE, 0, 4);
    add_frame(&updates, NGHTTP2_PING, 0, 8);
    for (unsigned i = 0; i < 400000; i++) {
        http2_meter_sent(&meter, fragments[i % 4], fragments[i % 4]);
        ck_assert_int_eq(http2_meter_feed(&meter, updates.bytes, updates.length, NOW_MS),
                         HTTP2_FLOOD_NONE);
    }
    text_done(&updates);
}
END_TEST

/* 16 MiB are under way before the first of it is acknowledged. */
START_TEST(acknowledgements_may_come_late)
{
    struct http2_meter meter;
    struct text update = {0};
    begin(&meter);
    add_frame(&update, NGHTTP2_WINDOW_UPDATE, 0, 4);
    for (unsigned i = 0; i < 1024; i++)
        http2_meter_sent(&meter, HTTP2_FRAME_BYTES, HTTP2_FRAME_BYTES);
    ck_assert_uint_eq(feed_often(&meter, &update, 16 * 1024, NOW_MS), 16 * 1024);
    text_done(&update);
}
END_TEST

/* Data dribble: a window of a byte is answered by a frame of a byte, and earns nothing. */
START_TEST(windows_opened_byte_by_byte_are_a_flood)
{
    struct http2_meter meter;
    struct text update = {0};
    begin(&meter);
    add_frame(&update, NGHTTP2_WINDOW_UPDATE, 0, 4);
    unsigned i = 0;
    for (; i < 100000 && meter.flood == HTTP2_FLOOD_NONE; i++) {
        http2_meter_feed(&meter, update.bytes, update.length, NOW_MS);
        http2_meter_sent(&meter, 1, 1);
    }
    ck_assert_int_eq(meter.flood, HTTP2_FLOOD_WINDOWS);
    ck_assert_uint_eq(i, HTTP2_WINDOWS_AT_ONCE + 1);
    text_done(&update);
}
END_TEST

START_TEST(every_flood_has_a_name_and_a_sentence_of_its_own)
{
    for (int i = 0; i < HTTP2_FLOOD_COUNT; i++) {
        const char *name = http2_flood_name((enum http2_flood)i);
        const char *text = http2_flood_text((enum http2_flood)i);
        ck_assert_uint_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name));
        ck_assert_int_eq(text[strlen(text) - 1], '.');
        for (int j = 0; j < i; j++) {
            ck_assert_str_ne(name, http2_flood_name((enum http2_flood)j));
            ck_assert_str_ne(text, http2_flood_text((enum http2_flood)j));
        }
    }
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, so_many_at_once_are_fine_and_one_more_is_a_flood, 0, RATE_COUNT);
    tcase_add_loop_test(tcase, after_a_second_there_may_be_some_more, 0, RATE_COUNT);
    tcase_add_loop_test(tcase, who_keeps_to_the_rate_never_floods, 0, RATE_COUNT);
    tcase_add_loop_test(tcase, silence_is_not_saved_up, 0, RATE_COUNT);
    tcase_add_test(tcase, a_flood_stays_a_flood);
    tcase_add_test(tcase, a_clock_that_stands_or_goes_back_gives_nothing);
    tcase_add_test(tcase, streams_in_error_are_counted);
    tcase_add_test(tcase, padding_is_no_content);
    tcase_add_test(tcase, more_padding_than_payload_is_no_content);
    tcase_add_test(tcase, a_head_may_come_in_some_pieces);
    tcase_add_test(tcase, a_head_may_have_twice_max_head_and_no_more);
    tcase_add_test(tcase, the_largest_max_head_can_be_used);
    tcase_add_test(tcase, what_frames_carry_is_not_looked_at);
    tcase_add_test(tcase, the_verdict_does_not_depend_on_the_cut);
    tcase_add_test(tcase, pieces_of_any_size_give_the_same_verdict);
    tcase_add_loop_test(tcase, what_honest_clients_do_is_no_flood_however_long, 0, HABIT_COUNT);
    tcase_add_test(tcase, a_browser_may_leave_page_after_page);
    tcase_add_test(tcase, who_cancels_more_than_is_answered_does);
    tcase_add_test(tcase, a_fast_download_may_be_in_fragments);
    tcase_add_test(tcase, acknowledgements_may_come_late);
    tcase_add_test(tcase, windows_opened_byte_by_byte_are_a_flood);
    tcase_add_test(tcase, every_flood_has_a_name_and_a_sentence_of_its_own);
}

CHECK_MAIN("http2 meter", add_tests)
