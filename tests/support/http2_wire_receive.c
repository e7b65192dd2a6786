/* SPDX-License-Identifier: Apache-2.0 */
/* The frame-level client of HTTP/2: what comes back. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/http2_wire.h"

static uint32_t number_at(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static struct http2_answer *answer_of(struct http2_wire *wire, uint32_t stream)
{
    for (unsigned i = wire->answer_count; i > 0; i--)
        if (wire->answers[i - 1]->stream == stream)
            return wire->answers[i - 1];
    struct http2_answer *answer = calloc(1, sizeof *answer);
    wire->answers = realloc(wire->answers, (wire->answer_count + 1) * sizeof *wire->answers);
    ck_assert(answer != NULL && wire->answers != NULL);
    answer->stream = stream;
    answer->window = wire->stream_window;
    text_add(&answer->fields, "", 0);
    text_add(&answer->body, "", 0);
    text_add(&answer->trailers, "", 0);
    wire->answers[wire->answer_count++] = answer;
    return answer;
}

/* --- heads --------------------------------------------------------------------------------- */

static void take_field(struct http2_answer *answer, bool is_trailer, const nghttp2_nv *field)
{
    struct text *lines = is_trailer ? &answer->trailers : &answer->fields;
    text_add_format(lines, "%s: %s\n", (const char *)field->name, (const char *)field->value);
    if (strcmp((const char *)field->name, ":status") == 0)
        answer->status = (unsigned)strtoul((const char *)field->value, NULL, 10);
}

static void take_head(struct http2_wire *wire, struct http2_answer *answer)
{
    bool is_trailer = answer->status != 0;
    const uint8_t *at = (const uint8_t *)wire->block.bytes;
    size_t left = wire->block.length;
    for (int flags = 0; (flags & NGHTTP2_HD_INFLATE_FINAL) == 0;) {
        nghttp2_nv field;
        flags = 0;
        ssize_t used = nghttp2_hd_inflate_hd2(wire->inflater, &field, &flags, at, left, 1);
        ck_assert_msg(used >= 0, "a head cannot be decoded: %s", nghttp2_strerror((int)used));
        at += used;
        left -= (size_t)used;
        if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0)
            take_field(answer, is_trailer, &field);
    }
    nghttp2_hd_inflate_end_headers(wire->inflater);
    text_drop(&wire->block, wire->block.length);
    if (answer->status >= 100 && answer->status < 200) {
        answer->interim_count++;
        answer->status = 0;
    }
}

static void on_head(struct http2_wire *wire, const struct http2_frame *frame)
{
    struct http2_answer *answer = answer_of(wire, frame->stream);
    ck_assert_uint_eq(frame->flags & (NGHTTP2_FLAG_PADDED | NGHTTP2_FLAG_PRIORITY), 0);
    text_add(&wire->block, frame->payload, frame->length);
    if (frame->type == NGHTTP2_HEADERS && (frame->flags & NGHTTP2_FLAG_END_STREAM) != 0)
        answer->has_ended = true;
    if ((frame->flags & NGHTTP2_FLAG_END_HEADERS) != 0)
        take_head(wire, answer);
}

static void on_data(struct http2_wire *wire, const struct http2_frame *frame)
{
    struct http2_answer *answer = answer_of(wire, frame->stream);
    ck_assert_uint_eq(frame->flags & NGHTTP2_FLAG_PADDED, 0);
    text_add(&answer->body, frame->payload, frame->length);
    answer->has_ended = (frame->flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (wire->by_hand || frame->length == 0)
        return;
    http2_wire_window(wire, 0, (uint32_t)frame->length);
    if (!answer->has_ended)
        http2_wire_window(wire, frame->stream, (uint32_t)frame->length);
}

/* --- the connection ------------------------------------------------------------------------ */

static void take_setting(struct http2_wire *wire, unsigned id, uint32_t value)
{
    switch (id) {
    case NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS:
        wire->streams_most = value;
        return;
    case NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE:
        for (unsigned i = 0; i < wire->answer_count; i++)
            wire->answers[i]->window += (int64_t)value - wire->stream_window;
        wire->stream_window = value;
        return;
    case NGHTTP2_SETTINGS_MAX_FRAME_SIZE:
        wire->frame_most = value;
        return;
    case NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL:
        wire->has_connect = value == 1;
        return;
    default:
        return;
    }
}

static void on_settings(struct http2_wire *wire, const struct http2_frame *frame)
{
    if ((frame->flags & NGHTTP2_FLAG_ACK) != 0) {
        wire->was_acknowledged = true;
        return;
    }
    wire->has_settings = true;
    for (size_t at = 0; at + 6 <= frame->length; at += 6)
        take_setting(wire, (unsigned)frame->payload[at] << 8 | frame->payload[at + 1],
                     number_at(frame->payload + at + 2));
    if (!wire->by_hand)
        http2_wire_frame(wire, NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, NULL, 0);
}

static void on_ping(struct http2_wire *wire, const struct http2_frame *frame)
{
    ck_assert_uint_eq(frame->length, 8);
    if ((frame->flags & NGHTTP2_FLAG_ACK) == 0) {
        if (!wire->by_hand)
            http2_wire_frame(wire, NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, frame->payload, 8);
        return;
    }
    wire->pong_count++;
    memcpy(wire->pong, frame->payload, 8);
}

static void on_goaway(struct http2_wire *wire, const struct http2_frame *frame)
{
    ck_assert_uint_ge(frame->length, 8);
    wire->was_sent_away = true;
    wire->goaway_last = number_at(frame->payload);
    wire->goaway_code = number_at(frame->payload + 4);
    snprintf(wire->goaway_text, sizeof wire->goaway_text, "%.*s", (int)frame->length - 8,
             (const char *)frame->payload + 8);
}

static void on_window(struct http2_wire *wire, const struct http2_frame *frame)
{
    ck_assert_uint_eq(frame->length, 4);
    if (frame->stream == 0)
        wire->window += number_at(frame->payload);
    else
        answer_of(wire, frame->stream)->window += number_at(frame->payload);
}

static void on_reset(struct http2_wire *wire, const struct http2_frame *frame)
{
    struct http2_answer *answer = answer_of(wire, frame->stream);
    ck_assert_uint_eq(frame->length, 4);
    answer->was_reset = true;
    answer->code = number_at(frame->payload);
}

static void note(struct http2_wire *wire, const struct http2_frame *frame)
{
    switch (frame->type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_CONTINUATION:
        on_head(wire, frame);
        return;
    case NGHTTP2_DATA:
        on_data(wire, frame);
        return;
    case NGHTTP2_SETTINGS:
        on_settings(wire, frame);
        return;
    case NGHTTP2_PING:
        on_ping(wire, frame);
        return;
    case NGHTTP2_GOAWAY:
        on_goaway(wire, frame);
        return;
    case NGHTTP2_WINDOW_UPDATE:
        on_window(wire, frame);
        return;
    case NGHTTP2_RST_STREAM:
        on_reset(wire, frame);
        return;
    default:
        return;
    }
}

bool http2_wire_receive(struct http2_wire *wire, struct http2_frame *frame)
{
    if (!peer_receive_bytes(&wire->peer, HTTP2_WIRE_HEADER_BYTES))
        return false;
    const unsigned char *header = (const unsigned char *)wire->peer.inbox.bytes;
    *frame = (struct http2_frame){.length = number_at(header) >> 8,
                                  .type = header[3],
                                  .flags = header[4],
                                  .stream = number_at(header + 5)};
    if (!peer_receive_bytes(&wire->peer, HTTP2_WIRE_HEADER_BYTES + frame->length))
        return false;
    text_drop(&wire->payload, wire->payload.length);
    text_add(&wire->payload, wire->peer.inbox.bytes + HTTP2_WIRE_HEADER_BYTES, frame->length);
    text_drop(&wire->peer.inbox, HTTP2_WIRE_HEADER_BYTES + frame->length);
    frame->payload = (const unsigned char *)wire->payload.bytes;
    note(wire, frame);
    return true;
}

const struct http2_answer *http2_wire_so_far(struct http2_wire *wire, uint32_t stream)
{
    return answer_of(wire, stream);
}

const struct http2_answer *http2_wire_answer(struct http2_wire *wire, uint32_t stream)
{
    const struct http2_answer *answer = answer_of(wire, stream);
    struct http2_frame frame;
    while (!answer->has_ended && !answer->was_reset && http2_wire_receive(wire, &frame))
        ;
    return answer;
}

bool http2_wire_await_body(struct http2_wire *wire, uint32_t stream, size_t length)
{
    const struct http2_answer *answer = answer_of(wire, stream);
    struct http2_frame frame;
    while (answer->body.length < length)
        if (answer->has_ended || answer->was_reset || !http2_wire_receive(wire, &frame))
            return false;
    return true;
}

bool http2_wire_ping(struct http2_wire *wire)
{
    unsigned before = wire->pong_count;
    struct http2_frame frame;
    http2_wire_frame(wire, NGHTTP2_PING, 0, 0, "\0barrier", 8);
    while (wire->pong_count == before)
        if (!http2_wire_receive(wire, &frame))
            return false;
    return true;
}

void http2_wire_receive_all(struct http2_wire *wire)
{
    struct http2_frame frame;
    while (http2_wire_receive(wire, &frame))
        ;
}

unsigned http2_wire_get(struct http2_wire *wire, const char *path)
{
    return http2_wire_answer(wire, http2_wire_ask(wire, "GET", path, NULL))->status;
}
