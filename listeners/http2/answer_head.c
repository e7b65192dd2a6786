/* SPDX-License-Identifier: Apache-2.0 */
/* See answer_head.h. */
#include "listeners/http2/answer_head.h"

#include "lb/base/http1_scan.h"
#include "listeners/http2/websocket.h"

static void put_fields(struct http2_nva *nva, const struct http_field *fields, unsigned count,
                       bool is_tunnel)
{
    for (unsigned i = 0; i < count; i++) {
        const struct http_field *field = &fields[i];
        bool is_proof = is_tunnel && slice_is_nocase(field->name, WEBSOCKET_ACCEPT);
        if (!stream_omits(field) && !is_proof)
            http2_nva_put(nva, field->name, field->value);
    }
}

/* lb's own lines; blanks around values, which HTTP/2 forbids, are gone as in HTTP/1. */
static void put_lines(struct http2_nva *nva, struct slice lines)
{
    struct scan scan = scan_begin(lines.at, lines.length, lines.length);
    struct http_field field;
    while (scan.at < scan.end && http_scan_field(&scan, &field))
        http2_nva_put(nva, field.name, field.value);
}

/* RFC 9110 8.6: none with 1xx and 204, and none with the 200 that a tunnel's 101 becomes. */
static bool tells_length(const struct stream_head *head)
{
    return head->has_length && head->status >= 200 && head->status != 204;
}

bool http2_answer_head(struct http2_nva *nva, const struct stream_head *head)
{
    struct slice status = SLICE(":status");
    struct slice length = SLICE("content-length");
    http2_nva_put_number(nva, status, head->is_tunnel ? 200 : head->status, 3);
    put_fields(nva, head->fields, head->field_count, head->is_tunnel);
    put_lines(nva, head->extra);
    if (tells_length(head))
        http2_nva_put_number(nva, length, head->length, 1);
    return http2_nva_fits(nva);
}

bool http2_answer_trailers(struct http2_nva *nva, const struct http_field *fields, unsigned count)
{
    put_fields(nva, fields, count, false);
    return http2_nva_fits(nva);
}
