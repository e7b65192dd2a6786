/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a chunked body. The first byte says in pieces of how many bytes it comes the second
 * time. Besides memory errors this finds: bodies that depend on how they were cut, and bodies that
 * do not survive being written and decoded again.
 */
#include "lb/base/http1.h"
#include "tests/fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

struct body {
    struct http_chunks chunks;
    enum http_chunk outcome;
    size_t used;
    char *data;
    size_t length;
};

/* Every data byte was an input byte, so that `room` input bytes are room enough. */
static struct body body_begin(size_t room)
{
    struct body body = {.outcome = HTTP_CHUNK_MORE, .data = malloc(room + 1)};
    EXPECT(body.data != NULL);
    return body;
}

static void body_end(struct body *body)
{
    free(body->data);
    http_chunks_done(&body->chunks);
}

static void decode_piece(struct body *body, const char *bytes, size_t length)
{
    size_t at = 0;
    do {
        size_t used;
        struct slice data;
        body->outcome = http_chunks_decode(&body->chunks, bytes + at, length - at, &used, &data);
        EXPECT(used <= length - at && expect_inside(data, bytes + at, used));
        EXPECT((body->outcome == HTTP_CHUNK_DATA) == (data.length > 0));
        if (data.length > 0)
            memcpy(body->data + body->length, data.at, data.length);
        body->length += data.length;
        at += used;
    } while (body->outcome == HTTP_CHUNK_DATA);
    EXPECT(body->outcome != HTTP_CHUNK_MORE || at == length);
    body->used += at;
}

static struct body decode(const char *bytes, size_t length, size_t piece)
{
    struct body body = body_begin(length);
    for (size_t at = 0; at < length && body.outcome == HTTP_CHUNK_MORE; at += piece) {
        size_t rest = length - at < piece ? length - at : piece;
        char *copy = expect_copy(bytes + at, rest);
        decode_piece(&body, copy, rest);
        free(copy);
    }
    return body;
}

static void expect_equal(const struct body *one, const struct body *other)
{
    EXPECT(one->outcome == other->outcome && one->chunks.fault == other->chunks.fault);
    EXPECT(one->length == other->length && memcmp(one->data, other->data, one->length) == 0);
    if (one->outcome == HTTP_CHUNK_BAD)
        return;
    EXPECT(one->used == other->used && one->chunks.state == other->chunks.state);
    EXPECT(one->chunks.trailer_length == other->chunks.trailer_length);
    EXPECT(one->chunks.trailer_length == 0 ||
           memcmp(one->chunks.trailer, other->chunks.trailer, one->chunks.trailer_length) == 0);
}

static void expect_trailers(const struct http_chunks *chunks)
{
    struct http_field fields[HEAD_FIELDS_MOST];
    unsigned count = http_chunks_trailers(chunks, fields, HEAD_FIELDS_MOST);
    EXPECT(count <= chunks->trailer_count && chunks->trailer_length <= TRAILER_BYTES);
    for (unsigned i = 0; i < count; i++) {
        EXPECT(http_is_token(fields[i].name) && expect_clean(fields[i].value));
        EXPECT(fields[i].known == HTTP_OTHER_FIELD && !fields[i].hop_by_hop);
    }
}

/* The body as one chunk, its trailers behind it: decoded it is the same body. */
static void expect_written_again(const struct body *body)
{
    size_t room = body->length + body->chunks.trailer_length + 64;
    char *bytes = malloc(room);
    EXPECT(bytes != NULL);
    size_t length = 0;
    if (body->length > 0) {
        length = http_chunk_line(bytes, body->length);
        memcpy(bytes + length, body->data, body->length);
        length += body->length;
        memcpy(bytes + length, "\r\n", 2);
        length += 2;
    }
    length += http_chunk_line(bytes + length, 0);
    if (body->chunks.trailer_length > 0)
        memcpy(bytes + length, body->chunks.trailer, body->chunks.trailer_length);
    length += body->chunks.trailer_length;
    memcpy(bytes + length, "\r\n", 2);
    length += 2;
    struct body again = decode(bytes, length, length);
    EXPECT(again.outcome == HTTP_CHUNK_END && again.used == length && again.length == body->length);
    EXPECT(memcmp(again.data, body->data, body->length) == 0);
    EXPECT(again.chunks.trailer_count == body->chunks.trailer_count);
    body_end(&again);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    if (length < 2)
        return 0;
    const char *bytes = (const char *)data + 1;
    struct body whole = decode(bytes, length - 1, length - 1);
    struct body pieces = decode(bytes, length - 1, (size_t)data[0] + 1);
    expect_equal(&whole, &pieces);
    if (whole.outcome == HTTP_CHUNK_END) {
        expect_trailers(&whole.chunks);
        expect_written_again(&whole);
    }
    body_end(&whole);
    body_end(&pieces);
    return 0;
}
