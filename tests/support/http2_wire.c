/* SPDX-License-Identifier: Apache-2.0 */
/* The frame-level client of HTTP/2: what it sends, and life. */
#include "tests/support/http2_wire.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static void put_number(char *into, uint32_t number)
{
    for (unsigned i = 0; i < 4; i++)
        into[i] = (char)(number >> (24 - 8 * i));
}

void http2_wire_connect(struct http2_wire *wire, unsigned port, const struct tls_wish *wish)
{
    struct tls_wish own = wish != NULL ? *wish : (struct tls_wish){0};
    const unsigned char *chosen;
    unsigned length;
    own.alpn = "h2";
    *wire = (struct http2_wire){.window = HTTP2_WIRE_WINDOW_BYTES,
                                .streams_most = UINT32_MAX,
                                .stream_window = HTTP2_WIRE_WINDOW_BYTES,
                                .frame_most = 16384};
    ck_assert_int_eq(nghttp2_hd_inflate_new(&wire->inflater), 0);
    ck_assert_msg(peer_connect_tls(&wire->peer, port, &own), "the handshake failed");
    SSL_get0_alpn_selected(wire->peer.tls, &chosen, &length);
    ck_assert_msg(length == 2 && memcmp(chosen, "h2", 2) == 0, "h2 was not chosen");
}

void http2_wire_enter(struct http2_wire *wire, unsigned port, const struct tls_wish *wish)
{
    struct http2_frame frame;
    http2_wire_connect(wire, port, wish);
    ck_assert(http2_wire_preface(wire));
    ck_assert(http2_wire_frame(wire, NGHTTP2_SETTINGS, 0, 0, NULL, 0));
    while (!wire->has_settings || !wire->was_acknowledged)
        ck_assert_msg(http2_wire_receive(wire, &frame), "the connection ended before SETTINGS");
}

static void forget(struct http2_wire *wire)
{
    for (unsigned i = 0; i < wire->answer_count; i++) {
        text_done(&wire->answers[i]->fields);
        text_done(&wire->answers[i]->body);
        text_done(&wire->answers[i]->trailers);
        free(wire->answers[i]);
    }
    free(wire->answers);
    nghttp2_hd_inflate_del(wire->inflater);
    text_done(&wire->block);
    text_done(&wire->payload);
}

void http2_wire_close(struct http2_wire *wire)
{
    forget(wire);
    peer_close(&wire->peer);
}

void http2_wire_reset(struct http2_wire *wire)
{
    forget(wire);
    peer_reset(&wire->peer);
}

bool http2_wire_preface(struct http2_wire *wire)
{
    return peer_send(&wire->peer, NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN);
}

static void write_header(char *into, size_t length, unsigned type, unsigned flags, uint32_t stream)
{
    put_number(into, (uint32_t)length << 8 | type);
    into[4] = (char)flags;
    put_number(into + 5, stream);
}

bool http2_wire_header(struct http2_wire *wire, size_t length, unsigned type, unsigned flags,
                       uint32_t stream)
{
    char header[HTTP2_WIRE_HEADER_BYTES];
    write_header(header, length, type, flags, stream);
    return peer_send(&wire->peer, header, sizeof header);
}

/* In one piece, so that small frames share their segment with nothing else's half. */
bool http2_wire_frame(struct http2_wire *wire, unsigned type, unsigned flags, uint32_t stream,
                      const void *payload, size_t length)
{
    struct text bytes = {0};
    char header[HTTP2_WIRE_HEADER_BYTES];
    write_header(header, length, type, flags, stream);
    text_add(&bytes, header, sizeof header);
    text_add(&bytes, payload, length);
    bool taken = peer_send(&wire->peer, bytes.bytes, bytes.length);
    text_done(&bytes);
    return taken;
}

bool http2_wire_setting(struct http2_wire *wire, unsigned id, uint32_t value)
{
    char payload[6] = {(char)(id >> 8), (char)id};
    put_number(payload + 2, value);
    return http2_wire_frame(wire, NGHTTP2_SETTINGS, 0, 0, payload, sizeof payload);
}

bool http2_wire_window(struct http2_wire *wire, uint32_t stream, uint32_t increment)
{
    char payload[4];
    put_number(payload, increment);
    return http2_wire_frame(wire, NGHTTP2_WINDOW_UPDATE, 0, stream, payload, sizeof payload);
}

bool http2_wire_cancel(struct http2_wire *wire, uint32_t stream, uint32_t code)
{
    char payload[4];
    put_number(payload, code);
    return http2_wire_frame(wire, NGHTTP2_RST_STREAM, 0, stream, payload, sizeof payload);
}

/* --- heads --------------------------------------------------------------------------------- */

/* An integer with a prefix of seven bits, whose eighth says: no Huffman code. RFC 7541, 5.1 */
static void add_length(struct text *block, size_t length)
{
    if (length < 127) {
        text_add(block, &(char){(char)length}, 1);
        return;
    }
    text_add(block, "\x7f", 1);
    for (length -= 127; length >= 128; length /= 128)
        text_add(block, &(char){(char)(length % 128 + 128)}, 1);
    text_add(block, &(char){(char)length}, 1);
}

void http2_block_add(struct text *block, const char *name, size_t name_length, const char *value,
                     size_t value_length)
{
    text_add(block, "\0", 1);
    add_length(block, name_length);
    text_add(block, name, name_length);
    add_length(block, value_length);
    text_add(block, value, value_length);
}

void http2_block_add_lines(struct text *block, const char *lines)
{
    while (*lines != '\0') {
        const char *end = strchr(lines, '\n');
        const char *colon = strstr(lines + 1, ": ");
        ck_assert_msg(end != NULL && colon != NULL && colon < end, "no field: %s", lines);
        http2_block_add(block, lines, (size_t)(colon - lines), colon + 2,
                        (size_t)(end - colon) - 2);
        lines = end + 1;
    }
}

bool http2_wire_block(struct http2_wire *wire, uint32_t stream, unsigned flags,
                      const struct text *block)
{
    unsigned type = NGHTTP2_HEADERS;
    size_t sent = 0;
    bool taken;
    do {
        size_t rest = block->length - sent;
        size_t length = rest < wire->frame_most ? rest : wire->frame_most;
        flags |= length == rest ? NGHTTP2_FLAG_END_HEADERS : 0u;
        taken = http2_wire_frame(wire, type, flags, stream, block->bytes + sent, length);
        type = NGHTTP2_CONTINUATION;
        flags = 0;
        sent += length;
    } while (taken && sent < block->length);
    return taken;
}

static uint32_t begin(struct http2_wire *wire, const char *method, const char *path,
                      const char *lines, unsigned flags)
{
    struct text block = {0}, pseudo = {0};
    wire->latest += wire->latest == 0 ? 1 : 2;
    text_add_format(&pseudo, ":method: %s\n:scheme: https\n:authority: www.example.com\n", method);
    text_add_format(&pseudo, ":path: %s\n", path);
    http2_block_add_lines(&block, pseudo.bytes);
    http2_block_add_lines(&block, lines != NULL ? lines : "");
    http2_wire_block(wire, wire->latest, flags, &block);
    text_done(&block);
    text_done(&pseudo);
    return wire->latest;
}

uint32_t http2_wire_ask(struct http2_wire *wire, const char *method, const char *path,
                        const char *lines)
{
    return begin(wire, method, path, lines, NGHTTP2_FLAG_END_STREAM);
}

uint32_t http2_wire_open(struct http2_wire *wire, const char *method, const char *path,
                         const char *lines)
{
    return begin(wire, method, path, lines, 0);
}

/* --- bodies -------------------------------------------------------------------------------- */

static size_t least(size_t length, int64_t bound)
{
    if (bound <= 0)
        return 0;
    return length < (size_t)bound ? length : (size_t)bound;
}

bool http2_wire_data(struct http2_wire *wire, uint32_t stream, const void *bytes, size_t length,
                     bool is_last)
{
    struct http2_answer *answer = (struct http2_answer *)http2_wire_so_far(wire, stream);
    struct http2_frame frame;
    const char *at = bytes;
    do {
        size_t piece = least(least(least(length, wire->frame_most), wire->window), answer->window);
        while (piece == 0 && length > 0) {
            if (answer->was_reset || !http2_wire_receive(wire, &frame))
                return false;
            piece = least(least(least(length, wire->frame_most), wire->window), answer->window);
        }
        unsigned flags = is_last && piece == length ? NGHTTP2_FLAG_END_STREAM : 0;
        if (!http2_wire_frame(wire, NGHTTP2_DATA, flags, stream, at, piece))
            return false;
        wire->window -= (int64_t)piece;
        answer->window -= (int64_t)piece;
        at += piece;
        length -= piece;
    } while (length > 0);
    return true;
}
