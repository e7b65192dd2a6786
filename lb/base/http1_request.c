/* SPDX-License-Identifier: Apache-2.0 */
/* A request's head: its line, its fields, and then what the fields mean together. */
#include "lb/base/http1_scan.h"

static const struct {
    const char *text;
    enum http_method method;
} methods[] = {
    {"GET", HTTP_GET},     {"POST", HTTP_POST},     {"HEAD", HTTP_HEAD},
    {"PUT", HTTP_PUT},     {"DELETE", HTTP_DELETE}, {"OPTIONS", HTTP_OPTIONS},
    {"PATCH", HTTP_PATCH}, {"TRACE", HTTP_TRACE},   {"CONNECT", HTTP_CONNECT},
};

static enum http_method method_of(struct slice text)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (slice_is(text, methods[i].text))
            return methods[i].method;
    }
    return HTTP_OTHER_METHOD;
}

/* --- The request line ------------------------------------------------------------------------- */

/* RFC 9112 2.2: one empty line may be left over from a body that came before. */
static bool scan_empty_line(struct scan *scan)
{
    if (scan->at < scan->end && *scan->at == '\r')
        return scan_line_end(scan, HTTP_BAD_LINE_END);
    return true;
}

static bool scan_method(struct scan *scan, struct http_request *request)
{
    const char *start = scan->at;
    scan->at = skip_class(start, scan->end, BYTE_TOKEN);
    if (scan->at == scan->end)
        return false;
    if (*scan->at != ' ' || scan->at == start)
        return scan_refuse_byte(scan, HTTP_BAD_REQUEST_LINE);
    request->method_text = slice_between(start, scan->at++);
    request->method = method_of(request->method_text);
    return true;
}

static bool scan_target(struct scan *scan, struct http_request *request)
{
    const char *start = scan->at;
    scan->at = skip_class(start, scan->end, BYTE_TARGET);
    if (scan->at - start > TARGET_BYTES)
        return scan_refuse(scan, HTTP_TARGET_TOO_LONG);
    if (scan->at == scan->end)
        return false;
    if (*scan->at == '\r' || (*scan->at == ' ' && scan->at == start))
        return scan_refuse(scan, HTTP_BAD_REQUEST_LINE);
    if (*scan->at != ' ')
        return scan_refuse_byte(scan, HTTP_BAD_TARGET);
    request->target = slice_between(start, scan->at++);
    return true;
}

/* The form of the target is judged behind the version: "PRI * HTTP/2.0" is of another version, not
 * malformed. */
static bool scan_request_line(struct scan *scan, struct http_request *request,
                              struct http_authority *ret_authority)
{
    if (!scan_empty_line(scan) || !scan_method(scan, request) || !scan_target(scan, request) ||
        !http_scan_version(scan, &request->minor, HTTP_BAD_VERSION) ||
        !scan_line_end(scan, HTTP_BAD_VERSION))
        return false;
    enum http_fault fault = http_read_target(request, ret_authority);
    return fault == HTTP_FINE || scan_refuse(scan, fault);
}

/* --- What the fields mean --------------------------------------------------------------------- */

/* Host, or the authority of the target where an HTTP/1.0 client gave no Host; both must agree. */
static enum http_fault settle_host(struct http_request *request, const struct field_table *table,
                                   const struct http_authority *of_target)
{
    struct http_authority authority = *of_target;
    if (table->seen[HTTP_HOST] > 1)
        return HTTP_MANY_HOSTS;
    if (table->seen[HTTP_HOST] == 1) {
        if (!http_read_authority(field_value(table, HTTP_HOST), &authority))
            return HTTP_BAD_HOST;
        if (of_target->text.length > 0 && !http_is_same_authority(&authority, of_target))
            return HTTP_HOST_DIFFERS;
    } else if (request->minor > 0) {
        return HTTP_NO_HOST;
    }
    if (authority.text.length > 0) {
        request->authority = authority.text;
        request->host = authority.host;
        request->port = authority.port;
    }
    return HTTP_FINE;
}

static enum http_fault settle_size(struct http_request *request, const struct field_table *table)
{
    struct http_size size;
    enum http_fault fault = http_read_size(table, request->minor, &size);
    request->framing = size.framing;
    request->length = size.length;
    return fault;
}

static enum http_fault settle_connection(struct http_request *request,
                                         const struct field_table *table)
{
    struct http_wishes wishes;
    enum http_fault fault = http_read_connection(table, &wishes);
    if (fault != HTTP_FINE)
        return fault;
    request->keep_alive = !wishes.close && (request->minor > 0 || wishes.keep_alive);
    if (wishes.upgrade && request->minor > 0 && table->seen[HTTP_UPGRADE] == 1) {
        request->upgrade = field_value(table, HTTP_UPGRADE);
        request->wants_upgrade = request->upgrade.length > 0;
    }
    return HTTP_FINE;
}

/* RFC 9110 10.1.1: HTTP/1.0 clients and requests without a body wait for no 100 (Continue). */
static enum http_fault settle_expect(struct http_request *request, const struct field_table *table)
{
    unsigned left = table->seen[HTTP_EXPECT];
    if (left == 0)
        return HTTP_FINE;
    for (unsigned i = 0; left > 0; i++) {
        if (table->rows[i].known != HTTP_EXPECT)
            continue;
        left--;
        if (!slice_is_nocase(table->rows[i].value, "100-continue"))
            return HTTP_BAD_EXPECT;
    }
    bool has_body = request->framing == HTTP_CHUNKED || request->length > 0;
    request->expects_continue = has_body && request->minor > 0;
    return HTTP_FINE;
}

static bool settle(struct scan *scan, struct http_request *request, const struct field_table *table,
                   const struct http_authority *of_target)
{
    enum http_fault fault = settle_host(request, table, of_target);
    if (fault == HTTP_FINE)
        fault = settle_size(request, table);
    if (fault == HTTP_FINE)
        fault = settle_connection(request, table);
    if (fault == HTTP_FINE)
        fault = settle_expect(request, table);
    return fault == HTTP_FINE || scan_refuse(scan, fault);
}

enum http_parse http_parse_request(struct http_request *request, const char *bytes, size_t length,
                                   size_t most, enum http_fault *fault)
{
    struct scan scan = scan_begin(bytes, length, most);
    struct field_table table = {.rows = request->fields};
    struct http_authority of_target;
    memset(request, 0, offsetof(struct http_request, fields));
    if (!scan_request_line(&scan, request, &of_target) || !http_scan_fields(&scan, &table) ||
        !settle(&scan, request, &table, &of_target))
        return http_scan_verdict(&scan, length >= most, fault);
    request->field_count = table.count;
    request->names = table.names;
    request->bytes = (size_t)(scan.at - bytes);
    *fault = HTTP_FINE;
    return HTTP_COMPLETE;
}
