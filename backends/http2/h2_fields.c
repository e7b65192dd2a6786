/* SPDX-License-Identifier: Apache-2.0 */
/* See h2_fields.h. */
#include "backends/http2/h2_fields.h"

#include <string.h>

#include "lb/base/http1_scan.h"

/* Of the connection, not of the message (RFC 9113 8.2.2). */
static bool is_left_out(enum http_name known, struct slice value)
{
    switch ((int)known) {
    case HTTP_HOST: /* it became :authority */
    case HTTP_CONNECTION:
    case HTTP_KEEP_ALIVE:
    case HTTP_PROXY_CONNECTION:
    case HTTP_TRANSFER_ENCODING:
    case HTTP_UPGRADE:
    case HTTP_HTTP2_SETTINGS:
        return true;
    case HTTP_TE:
        return !slice_is(value, "trailers");
    default:
        return false;
    }
}

static struct scan scan_of(struct slice lines)
{
    return scan_begin(lines.at, lines.length, lines.length);
}

static bool is_over(const struct scan *scan)
{
    return scan->at == scan->end || *scan->at == '\r';
}

bool h2_fields_put_lines(struct http2_nva *nva, struct slice lines)
{
    struct scan scan = scan_of(lines);
    struct http_field field;
    while (!is_over(&scan)) {
        if (!http_scan_field(&scan, &field))
            return false;
        if (!is_left_out(field.known, field.value))
            http2_nva_put(nva, field.name, field.value);
    }
    return http2_nva_fits(nva);
}

/* Host stands at the top of what lb writes; elsewhere it would be found, too. */
static struct slice host_of(struct slice lines)
{
    struct scan scan = scan_of(lines);
    struct http_field field;
    while (!is_over(&scan) && http_scan_field(&scan, &field)) {
        if (field.known == HTTP_HOST)
            return field.value;
    }
    return (struct slice){NULL, 0};
}

static bool put_request_line(struct http2_nva *nva, struct slice line, const char *scheme,
                             struct slice authority)
{
    const char *blank = memchr(line.at, ' ', line.length);
    const char *last = memrchr(line.at, ' ', line.length);
    if (!blank || last <= blank + 1)
        return false;
    http2_nva_put(nva, slice_of(":method"), slice_between(line.at, blank));
    http2_nva_put(nva, slice_of(":scheme"), slice_of(scheme));
    if (authority.length > 0)
        http2_nva_put(nva, slice_of(":authority"), authority);
    http2_nva_put(nva, slice_of(":path"), slice_between(blank + 1, last));
    return true;
}

bool h2_fields_put_head(struct http2_nva *nva, struct slice head, const char *scheme)
{
    const char *end = head.at + head.length;
    const char *line_end = memchr(head.at, '\r', head.length);
    if (!line_end || end - line_end < 2)
        return false;
    struct slice lines = slice_between(line_end + 2, end);
    return put_request_line(nva, slice_between(head.at, line_end), scheme, host_of(lines)) &&
           h2_fields_put_lines(nva, lines);
}
