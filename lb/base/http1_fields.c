/* SPDX-License-Identifier: Apache-2.0 */
/* Field lines (RFC 9112 5): name, colon at once, value without surrounding blanks, CRLF; never
 * folded. */
#include "lb/base/http1_scan.h"
#include "lb/base/http1_wide.h"

/* Fields that mean this connection only (RFC 9110 7.6.1). Trailer is not one of them: trailers are
 * passed on. */
static const bool hop_by_hop[HTTP_NAME_COUNT] = {
    [HTTP_CONNECTION] = true,        [HTTP_KEEP_ALIVE] = true,
    [HTTP_PROXY_CONNECTION] = true,  [HTTP_TE] = true,
    [HTTP_TRANSFER_ENCODING] = true, [HTTP_UPGRADE] = true,
    [HTTP_HTTP2_SETTINGS] = true,
};

/* Names are letters, digits and '-' nearly always; what else a token may have is seen one by one.
 */
static const char *skip_name(const char *at, const char *end)
{
    unsigned taken = WIDE_BYTES;
    while (taken == WIDE_BYTES && end - at >= WIDE_BYTES) {
        taken = wide_name_bytes(at);
        at += taken;
    }
    return skip_class(at, end, BYTE_TOKEN);
}

/* The first control character but HTAB ends a value. */
static const char *skip_value(const char *at, const char *end)
{
    while (end - at >= WIDE_BYTES) {
        unsigned taken = wide_value_bytes(at);
        at += taken;
        if (taken == WIDE_BYTES)
            continue;
        if (*at != '\t')
            return at;
        at++;
    }
    return skip_class(at, end, BYTE_VALUE);
}

bool http_scan_field(struct scan *scan, struct http_field *field)
{
    const char *start = scan->at;
    const char *colon = skip_name(start, scan->end);
    scan->at = colon;
    if (colon == scan->end)
        return false;
    if (*colon != ':' || colon == start)
        return scan_refuse_byte(scan, HTTP_BAD_FIELD);
    const char *value = colon + 1;
    while (value < scan->end && byte_is_blank(*value))
        value++;
    const char *value_end = skip_value(value, scan->end);
    scan->at = value_end;
    if (!scan_line_end(scan, HTTP_BAD_FIELD))
        return false;
    while (value_end > value && byte_is_blank(value_end[-1]))
        value_end--;
    field->name = slice_between(start, colon);
    field->value = slice_between(value, value_end);
    field->known = http_name_of(field->name);
    field->hop_by_hop = hop_by_hop[field->known];
    return true;
}

bool http_scan_fields(struct scan *scan, struct field_table *table)
{
    for (;;) {
        if (scan->at == scan->end)
            return false;
        if (*scan->at == '\r')
            return scan_line_end(scan, HTTP_BAD_LINE_END);
        if (byte_is_blank(*scan->at))
            return scan_refuse(scan, HTTP_FOLDED_FIELD);
        if (table->count == HEAD_FIELDS_MOST)
            return scan_refuse(scan, HTTP_TOO_MANY_FIELDS);
        struct http_field *field = &table->rows[table->count];
        if (!http_scan_field(scan, field))
            return false;
        if (field->known == HTTP_OTHER_FIELD && http_name_is_lookalike(field->name))
            return scan_refuse(scan, HTTP_BAD_FIELD);
        table->names |= UINT32_C(1) << field->known;
        table->seen[field->known]++;
        table->last[field->known] = (unsigned char)table->count++;
    }
}
