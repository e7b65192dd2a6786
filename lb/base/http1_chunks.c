/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chunked coding (RFC 9112 7.1), one byte at a time but for data and trailers, so that a piece
 * may end anywhere.
 *
 *   ┌─> SIZE_FIRST ── SIZE ─┬─ ";" NAME ["=" VALUE or QUOTED] ─┬── LINE_LF
 *   │                        └───────────<── again ──<─────────┘      │
 *   └── DATA_LF <── DATA_CR <── DATA <──────── more than 0 ───────────┤
 *                                                                     0
 *   OVER <── LAST_LF <── CR ── TRAILER_FIRST <────────────────────────┘
 *                               └──> TRAILER_LINE ──> (back)
 *
 * Extensions are checked and dropped. Blanks around them, which RFC 9112 wants tolerated for old
 * senders' sake, are refused: nobody needs them, and parsers disagree about them.
 */
#include <stdlib.h>

#include "lb/base/http1_scan.h"

enum { SIZE_DIGITS_MOST = 16 };

static enum http_chunk_state refuse(struct http_chunks *chunks, enum http_fault fault)
{
    chunks->fault = fault;
    return HTTP_CHUNKS_REFUSED;
}

/* --- The line with the size ------------------------------------------------------------------- */

static int hex_value(char byte)
{
    if (byte_is_digit(byte))
        return byte - '0';
    char lower = byte_lower(byte);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* What may stand behind the size or an extension: the next extension or the end. */
static enum http_chunk_state after_part(struct http_chunks *chunks, char byte)
{
    if (byte == ';')
        return HTTP_CHUNKS_NAME_FIRST;
    return byte == '\r' ? HTTP_CHUNKS_LINE_LF : refuse(chunks, HTTP_BAD_CHUNK);
}

static enum http_chunk_state on_size(struct http_chunks *chunks, char byte)
{
    int value = hex_value(byte);
    bool first = chunks->state == HTTP_CHUNKS_SIZE_FIRST;
    if (value < 0)
        return first ? refuse(chunks, HTTP_BAD_CHUNK) : after_part(chunks, byte);
    if (chunks->line_bytes > SIZE_DIGITS_MOST || chunks->left > (INT64_MAX >> 4))
        return refuse(chunks, HTTP_BAD_CHUNK);
    chunks->left = chunks->left << 4 | (unsigned)value;
    return HTTP_CHUNKS_SIZE;
}

static enum http_chunk_state on_name(struct http_chunks *chunks, char byte)
{
    if (byte_is(byte, BYTE_TOKEN))
        return HTTP_CHUNKS_NAME;
    if (chunks->state == HTTP_CHUNKS_NAME_FIRST)
        return refuse(chunks, HTTP_BAD_CHUNK);
    return byte == '=' ? HTTP_CHUNKS_VALUE_FIRST : after_part(chunks, byte);
}

static enum http_chunk_state on_value(struct http_chunks *chunks, char byte)
{
    bool first = chunks->state == HTTP_CHUNKS_VALUE_FIRST;
    if (byte_is(byte, BYTE_TOKEN))
        return HTTP_CHUNKS_VALUE;
    if (first && byte == '"')
        return HTTP_CHUNKS_QUOTED;
    return first ? refuse(chunks, HTTP_BAD_CHUNK) : after_part(chunks, byte);
}

static enum http_chunk_state on_quoted(struct http_chunks *chunks, char byte)
{
    if (!byte_is(byte, BYTE_VALUE))
        return refuse(chunks, HTTP_BAD_CHUNK);
    if (chunks->state == HTTP_CHUNKS_ESCAPED)
        return HTTP_CHUNKS_QUOTED;
    if (byte == '\\')
        return HTTP_CHUNKS_ESCAPED;
    return byte == '"' ? HTTP_CHUNKS_QUOTED_END : HTTP_CHUNKS_QUOTED;
}

static enum http_chunk_state on_line_end(struct http_chunks *chunks, char byte)
{
    chunks->line_bytes = 0;
    if (byte != '\n')
        return refuse(chunks, HTTP_BAD_CHUNK);
    return chunks->left > 0 ? HTTP_CHUNKS_DATA : HTTP_CHUNKS_TRAILER_FIRST;
}

/* --- Trailers --------------------------------------------------------------------------------- */

static enum http_chunk_state on_trailer_first(struct http_chunks *chunks, char byte)
{
    if (byte == '\r')
        return HTTP_CHUNKS_LAST_LF;
    if (byte == '\n')
        return refuse(chunks, HTTP_BAD_TRAILER);
    if (chunks->trailer_count == HEAD_FIELDS_MOST || !http_trailer_append(chunks, &byte, 1))
        return refuse(chunks, HTTP_TRAILER_TOO_LARGE);
    chunks->line_bytes = 1;
    return HTTP_CHUNKS_TRAILER_LINE;
}

/* Up to the line's LF, or all there is; a line is judged when it is complete. Returns how many were
 * taken. */
static size_t take_trailer(struct http_chunks *chunks, const char *bytes, size_t length)
{
    const char *end = memchr(bytes, '\n', length);
    size_t taken = end ? (size_t)(end - bytes) + 1 : length;
    chunks->line_bytes += taken;
    if (!http_trailer_append(chunks, bytes, taken)) {
        chunks->state = refuse(chunks, HTTP_TRAILER_TOO_LARGE);
    } else if (end) {
        const char *line = chunks->trailer + chunks->trailer_length - chunks->line_bytes;
        bool fine = http_trailer_is_fine((struct slice){line, chunks->line_bytes});
        chunks->trailer_count++;
        chunks->state = fine ? HTTP_CHUNKS_TRAILER_FIRST : refuse(chunks, HTTP_BAD_TRAILER);
    }
    return taken;
}

/* --- Public ----------------------------------------------------------------------------------- */

/* The state behind one byte. Data and trailer lines are taken in larger pieces; the last two states
 * stay. */
static enum http_chunk_state next_state(struct http_chunks *chunks, char byte)
{
    bool in_size_line = chunks->state <= HTTP_CHUNKS_LINE_LF;
    if (in_size_line && ++chunks->line_bytes > CHUNK_LINE_BYTES)
        return refuse(chunks, HTTP_BAD_CHUNK);
    switch (chunks->state) {
    case HTTP_CHUNKS_SIZE_FIRST:
    case HTTP_CHUNKS_SIZE:
        return on_size(chunks, byte);
    case HTTP_CHUNKS_NAME_FIRST:
    case HTTP_CHUNKS_NAME:
        return on_name(chunks, byte);
    case HTTP_CHUNKS_VALUE_FIRST:
    case HTTP_CHUNKS_VALUE:
        return on_value(chunks, byte);
    case HTTP_CHUNKS_QUOTED:
    case HTTP_CHUNKS_ESCAPED:
        return on_quoted(chunks, byte);
    case HTTP_CHUNKS_QUOTED_END:
        return after_part(chunks, byte);
    case HTTP_CHUNKS_LINE_LF:
        return on_line_end(chunks, byte);
    case HTTP_CHUNKS_DATA_CR:
        return byte == '\r' ? HTTP_CHUNKS_DATA_LF : refuse(chunks, HTTP_BAD_CHUNK);
    case HTTP_CHUNKS_DATA_LF:
        return byte == '\n' ? HTTP_CHUNKS_SIZE_FIRST : refuse(chunks, HTTP_BAD_CHUNK);
    case HTTP_CHUNKS_TRAILER_FIRST:
        return on_trailer_first(chunks, byte);
    case HTTP_CHUNKS_LAST_LF:
        return byte == '\n' ? HTTP_CHUNKS_OVER : refuse(chunks, HTTP_BAD_TRAILER);
    case HTTP_CHUNKS_DATA:
    case HTTP_CHUNKS_TRAILER_LINE:
    case HTTP_CHUNKS_OVER:
    case HTTP_CHUNKS_REFUSED:
        break;
    }
    return chunks->state;
}

static void take_data(struct http_chunks *chunks, const char *bytes, size_t length,
                      struct slice *ret_data)
{
    *ret_data = (struct slice){bytes, chunks->left < length ? (size_t)chunks->left : length};
    chunks->left -= ret_data->length;
    if (chunks->left == 0)
        chunks->state = HTTP_CHUNKS_DATA_CR;
}

enum http_chunk http_chunks_decode(struct http_chunks *chunks, const char *bytes, size_t length,
                                   size_t *used, struct slice *data)
{
    *used = 0;
    *data = (struct slice){NULL, 0};
    while (chunks->state != HTTP_CHUNKS_OVER && chunks->state != HTTP_CHUNKS_REFUSED) {
        if (*used == length)
            return HTTP_CHUNK_MORE;
        if (chunks->state == HTTP_CHUNKS_DATA) {
            take_data(chunks, bytes + *used, length - *used, data);
            *used += data->length;
            return HTTP_CHUNK_DATA;
        }
        if (chunks->state == HTTP_CHUNKS_TRAILER_LINE)
            *used += take_trailer(chunks, bytes + *used, length - *used);
        else
            chunks->state = next_state(chunks, bytes[(*used)++]);
    }
    return chunks->state == HTTP_CHUNKS_OVER ? HTTP_CHUNK_END : HTTP_CHUNK_BAD;
}

void http_chunks_done(struct http_chunks *chunks)
{
    free(chunks->trailer);
    *chunks = (struct http_chunks){.state = HTTP_CHUNKS_SIZE_FIRST};
}

size_t http_chunk_line(char *into, size_t chunk_length)
{
    static const char digits[] = "0123456789abcdef";
    size_t count = 1;
    for (size_t rest = chunk_length >> 4; rest > 0; rest >>= 4)
        count++;
    for (size_t i = count; i > 0; i--, chunk_length >>= 4)
        into[i - 1] = digits[chunk_length & 0xf];
    into[count] = '\r';
    into[count + 1] = '\n';
    return count + 2;
}
