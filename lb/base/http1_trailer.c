/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trailer section behind a chunked body (RFC 9110 6.5): collected whole, bounded, judged line
 * by line.
 *
 * Three kinds of names: those that shape the message or the connection are refused, they can only
 * be an attack; those that lb answers for or that decide before the body are dropped; all others
 * are passed on.
 */
#include <stdlib.h>

#include "lb/base/http1_scan.h"

static bool is_refused(const struct http_field *field)
{
    switch (field->known) {
    case HTTP_HOST:
    case HTTP_CONTENT_LENGTH:
    case HTTP_TRANSFER_ENCODING:
    case HTTP_CONNECTION:
    case HTTP_KEEP_ALIVE:
    case HTTP_PROXY_CONNECTION:
    case HTTP_UPGRADE:
    case HTTP_TE:
    case HTTP_TRAILER:
    case HTTP_EXPECT:
    case HTTP_HTTP2_SETTINGS:
        return true;
    case HTTP_OTHER_FIELD:
        return http_name_is_lookalike(field->name);
    case HTTP_X_FORWARDED_FOR:
    case HTTP_X_FORWARDED_PROTO:
    case HTTP_X_FORWARDED_HOST:
    case HTTP_X_FORWARDED_PORT:
    case HTTP_X_REAL_IP:
    case HTTP_FORWARDED:
    case HTTP_X_REQUEST_ID:
    case HTTP_DATE:
    case HTTP_SERVER:
    case HTTP_COOKIE:
    case HTTP_SET_COOKIE:
    case HTTP_USER_AGENT:
    case HTTP_REFERER:
        return false;
    }
    return true;
}

/* RFC 9110 6.5.1: what is needed before the body may not come behind it. */
static bool is_dropped(const struct http_field *field)
{
    static const char *const names[] = {
        "authorization",
        "proxy-authorization",
        "cache-control",
        "max-forwards",
        "range",
        "content-range",
        "content-encoding",
        "content-type",
        "if-match",
        "if-none-match",
        "if-unmodified-since",
        "if-modified-since",
        "if-range",
        "location",
        "vary",
        "www-authenticate",
        "proxy-authenticate",
        "retry-after",
        "age",
        "expires",
    };
    if (field->known != HTTP_OTHER_FIELD)
        return true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (slice_is_nocase(field->name, names[i]))
            return true;
    }
    return false;
}

bool http_trailer_is_fine(struct slice line)
{
    struct scan scan = scan_begin(line.at, line.length, line.length);
    struct http_field field;
    return http_scan_field(&scan, &field) && !is_refused(&field);
}

static bool grow(struct http_chunks *chunks)
{
    size_t capacity = chunks->trailer_capacity > 0 ? chunks->trailer_capacity * 2 : 512;
    char *trailer = realloc(chunks->trailer, capacity);
    if (!trailer)
        return false;
    chunks->trailer = trailer;
    chunks->trailer_capacity = capacity;
    return true;
}

bool http_trailer_append(struct http_chunks *chunks, const char *bytes, size_t length)
{
    if (length > TRAILER_BYTES - chunks->trailer_length)
        return false;
    while (length > chunks->trailer_capacity - chunks->trailer_length) {
        if (!grow(chunks))
            return false;
    }
    if (length > 0)
        memcpy(chunks->trailer + chunks->trailer_length, bytes, length);
    chunks->trailer_length += length;
    return true;
}

/* Never a part of a line: http_chunks_trailers relies on whole ones. */
static bool append_line(struct http_chunks *chunks, struct slice name, struct slice value)
{
    size_t before = chunks->trailer_length;
    if (chunks->trailer_count < HEAD_FIELDS_MOST &&
        http_trailer_append(chunks, name.at, name.length) && http_trailer_append(chunks, ": ", 2) &&
        http_trailer_append(chunks, value.at, value.length) &&
        http_trailer_append(chunks, "\r\n", 2))
        return true;
    chunks->trailer_length = before;
    return false;
}

bool http_chunks_add_trailer(struct http_chunks *chunks, struct slice name, struct slice value)
{
    const struct http_field field = {.name = name, .value = value, .known = http_name_of(name)};
    if (is_refused(&field)) {
        chunks->fault = HTTP_BAD_TRAILER;
        return false;
    }
    if (!append_line(chunks, name, value)) {
        chunks->fault = HTTP_TRAILER_TOO_LARGE;
        return false;
    }
    chunks->trailer_count++;
    return true;
}

unsigned http_chunks_trailers(const struct http_chunks *chunks, struct http_field *fields,
                              unsigned room)
{
    struct scan scan = scan_begin(chunks->trailer, chunks->trailer_length, chunks->trailer_length);
    struct http_field field;
    unsigned count = 0;
    while (count < room && scan.at < scan.end && http_scan_field(&scan, &field)) {
        if (!is_dropped(&field))
            fields[count++] = field;
    }
    return count;
}
