/* SPDX-License-Identifier: Apache-2.0 */
/* An answer's head: its line, its fields, and where its body ends. */
#include "lb/base/http1_scan.h"

enum { SWITCHING_PROTOCOLS = 101, NO_CONTENT = 204, NOT_MODIFIED = 304 };

/* Three digits, 100 … 999. */
static bool scan_status(struct scan *scan, unsigned *ret_status)
{
    unsigned status = 0;
    for (int i = 0; i < 3; i++, scan->at++) {
        if (scan->at == scan->end)
            return false;
        if (!byte_is_digit(*scan->at) || (i == 0 && *scan->at == '0'))
            return scan_refuse_byte(scan, HTTP_BAD_STATUS_LINE);
        status = status * 10 + (unsigned)(*scan->at - '0');
    }
    *ret_status = status;
    return true;
}

/* The blank before an empty reason is often left out; that is read alike by everyone. */
static bool scan_reason(struct scan *scan, struct slice *ret_reason)
{
    if (scan->at < scan->end && *scan->at == ' ') {
        const char *start = scan->at + 1;
        scan->at = skip_class(start, scan->end, BYTE_VALUE);
        *ret_reason = slice_between(start, scan->at);
    }
    return scan_line_end(scan, HTTP_BAD_STATUS_LINE);
}

static bool scan_status_line(struct scan *scan, struct http_answer *answer)
{
    if (!http_scan_version(scan, &answer->minor, HTTP_BAD_STATUS_LINE))
        return false;
    if (scan->at == scan->end)
        return false;
    if (*scan->at != ' ')
        return scan_refuse_byte(scan, HTTP_BAD_STATUS_LINE);
    scan->at++;
    if (!scan_status(scan, &answer->status) || !scan_reason(scan, &answer->reason))
        return false;
    answer->is_upgrade = answer->status == SWITCHING_PROTOCOLS;
    return !answer->is_upgrade || answer->minor > 0 || scan_refuse(scan, HTTP_BAD_STATUS_LINE);
}

/* RFC 9112 6.3. 204 ends with its head whatever its fields say. Backends that announce a body there
 * are known to send one, too, so that the connection is good for nothing more. */
static void settle_no_content(struct http_answer *answer, const struct field_table *table)
{
    struct http_size size;
    enum http_fault fault = http_read_size(table, answer->minor, &size);
    answer->announces_body = fault != HTTP_FINE || size.framing == HTTP_CHUNKED || size.length > 0;
    answer->has_length = size.has_length && !answer->announces_body;
}

/* An interim answer that announces a body contradicts itself. */
static enum http_fault settle_size(struct http_answer *answer, const struct field_table *table,
                                   enum http_method asked)
{
    struct http_size size;
    if (answer->status == NO_CONTENT) {
        settle_no_content(answer, table);
        return HTTP_FINE;
    }
    enum http_fault fault = http_read_size(table, answer->minor, &size);
    if (fault != HTTP_FINE)
        return fault;
    answer->has_length = size.has_length;
    answer->length = size.length;
    if (answer->status < 200) {
        if (size.framing == HTTP_CHUNKED)
            return HTTP_BAD_TRANSFER_ENCODING;
        return size.length > 0 ? HTTP_BAD_LENGTH : HTTP_FINE;
    }
    bool tunnel = asked == HTTP_CONNECT && answer->status < 300;
    if (asked == HTTP_HEAD || answer->status == NOT_MODIFIED || tunnel)
        return HTTP_FINE;
    answer->framing = size.framing == HTTP_NO_BODY ? HTTP_UNTIL_CLOSE : size.framing;
    return HTTP_FINE;
}

static bool settle(struct scan *scan, struct http_answer *answer, const struct field_table *table,
                   enum http_method asked)
{
    struct http_wishes wishes;
    enum http_fault fault = settle_size(answer, table, asked);
    if (fault == HTTP_FINE)
        fault = http_read_connection(table, &wishes);
    if (fault != HTTP_FINE)
        return scan_refuse(scan, fault);
    answer->keep_alive = !wishes.close && (answer->minor > 0 || wishes.keep_alive) &&
                         answer->framing != HTTP_UNTIL_CLOSE && !answer->announces_body;
    return true;
}

enum http_parse http_parse_answer(struct http_answer *answer, const char *bytes, size_t length,
                                  size_t most, enum http_method asked, enum http_fault *fault)
{
    struct scan scan = scan_begin(bytes, length, most);
    struct field_table table = {.rows = answer->fields};
    memset(answer, 0, offsetof(struct http_answer, fields));
    if (!scan_status_line(&scan, answer) || !http_scan_fields(&scan, &table) ||
        !settle(&scan, answer, &table, asked))
        return http_scan_verdict(&scan, length >= most, fault);
    answer->field_count = table.count;
    answer->bytes = (size_t)(scan.at - bytes);
    *fault = HTTP_FINE;
    return HTTP_COMPLETE;
}
