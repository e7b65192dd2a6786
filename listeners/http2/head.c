/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See head.h. The buffer holds the values of the pseudo fields until the first other field (or the
 * end) settles that there are no more; then the request line is written behind them, and the text
 * begins there.
 */
#include "listeners/http2/head.h"

#include "lb/base/draft.h"
#include "lb/base/http1_scan.h"
#include "lb/base/http2_field.h"
#include "listeners/http2/head_parts.h"

bool http2_head_refuse(struct http2_head *head, enum http2_head_outcome outcome, const char *why)
{
    head->outcome = outcome;
    head->why = why;
    http2_head_done(head);
    return false;
}

bool http2_head_malformed(struct http2_head *head, const char *why)
{
    return http2_head_refuse(head, HTTP2_HEAD_MALFORMED, why);
}

bool http2_head_grow(struct http2_head *head, size_t room)
{
    size_t used = buffer_length(head->text) + buffer_length(head->crumbs);
    if (room > head->most_bytes - used)
        return http2_head_refuse(head, HTTP2_HEAD_TOO_LARGE, http_fault_text(HTTP_HEAD_TOO_LARGE));
    if (!buffer_reserve(head->pool, &head->text, room, head->most_bytes))
        return http2_head_refuse(head, HTTP2_HEAD_NO_MEMORY, "out of memory for a head");
    return true;
}

bool http2_head_put_line(struct http2_head *head, struct slice name, struct slice value,
                         struct http2_span *ret_value)
{
    size_t whole = name.length + 2 + value.length + 2;
    if (head->field_count == HEAD_FIELDS_MOST)
        return http2_head_refuse(head, HTTP2_HEAD_TOO_LARGE, http_fault_text(HTTP_TOO_MANY_FIELDS));
    if (!http2_head_reserve(head, whole))
        return false;
    struct buffer *text = head->text;
    struct draft draft = draft_in(text->data + text->end, whole);
    size_t at = buffer_length(text) + name.length + 2;
    draft_field(&draft, name, value);
    text->end += whole;
    head->field_count++;
    *ret_value = (struct http2_span){(uint32_t)at, (uint32_t)value.length};
    return true;
}

/* --- Other fields ----------------------------------------------------------------------------- */

/* RFC 9113 8.3.1: Host and :authority must agree, and :authority is what goes on. */
static bool add_host(struct http2_head *head, struct slice name, struct slice value)
{
    struct http_authority one, other;
    if (head->has_host_field)
        return http2_head_malformed(head, http_fault_text(HTTP_MANY_HOSTS));
    head->has_host_field = true;
    if (!http2_head_has(head, HTTP2_AUTHORITY))
        return http2_head_put_line(head, name, value, &head->host);
    struct slice authority = http2_head_at(head, head->host);
    if (slice_equal(authority, value) ||
        (http_read_authority(authority, &one) && http_read_authority(value, &other) &&
         http_is_same_authority(&one, &other)))
        return true;
    return http2_head_malformed(head, "Host differs from :authority");
}

/* The body of a CONNECT is what goes through the tunnel; it has no length (RFC 9110 9.3.6). */
static bool add_length(struct http2_head *head, struct slice name, struct slice value)
{
    struct http2_span span;
    if (head->kind != HTTP2_KIND_PLAIN)
        return http2_head_malformed(head, "a CONNECT has a Content-Length");
    head->has_length = true;
    head->has_content = head->has_content || !slice_is(value, "0");
    return http2_head_put_line(head, name, value, &span);
}

/* The challenge is lb's own, as the answer to it will be read by lb. */
static bool is_replaced_in_websocket(struct http2_head *head, struct slice name)
{
    if (slice_is(name, "sec-websocket-version"))
        head->has_websocket_version = true;
    return slice_is(name, "sec-websocket-key");
}

static bool add_field(struct http2_head *head, struct slice name, struct slice value)
{
    enum http_name known;
    struct http2_span span;
    const char *why = http2_field_judge(name, value, &known);
    if (why)
        return http2_head_malformed(head, why);
    if (known == HTTP_COOKIE)
        return http2_head_add_cookie(head, name, value);
    if (known == HTTP_HOST)
        return add_host(head, name, value);
    if (known == HTTP_CONTENT_LENGTH)
        return add_length(head, name, value);
    if (head->kind == HTTP2_KIND_WEBSOCKET && is_replaced_in_websocket(head, name))
        return true;
    return http2_head_put_line(head, name, value, &span);
}

/* --- A block ---------------------------------------------------------------------------------- */

void http2_head_begin(struct http2_head *head, struct buffer_pool *pool, size_t most_bytes)
{
    http2_head_done(head);
    *head = (struct http2_head){.pool = pool, .most_bytes = most_bytes};
}

bool http2_head_add(struct http2_head *head, struct slice name, struct slice value)
{
    if (head->outcome != HTTP2_HEAD_FINE)
        return false;
    if (name.length > 0 && name.at[0] == ':')
        return http2_head_add_pseudo(head, name, value);
    if (head->kind == HTTP2_KIND_UNKNOWN && !http2_head_put_request_line(head))
        return false;
    return add_field(head, name, value);
}

/* Fields that HTTP/1.1 needs and HTTP/2 has not. */
static bool put_own_fields(struct http2_head *head, bool has_body)
{
    struct http2_span span;
    if (head->kind == HTTP2_KIND_WEBSOCKET && !head->has_websocket_version) {
        return http2_head_put_line(head, slice_of("sec-websocket-version"), slice_of("13"), &span);
    }
    if (head->kind != HTTP2_KIND_PLAIN || has_body == head->has_length)
        return true;
    if (has_body)
        return http2_head_put_line(head, slice_of("transfer-encoding"), slice_of("chunked"), &span);
    return !head->has_content || http2_head_malformed(head, "a Content-Length, but no body");
}

static bool end(struct http2_head *head, bool has_body)
{
    struct slice empty_line = SLICE("\r\n");
    if (head->outcome != HTTP2_HEAD_FINE ||
        (head->kind == HTTP2_KIND_UNKNOWN && !http2_head_put_request_line(head)) ||
        !http2_head_put_crumbs(head) || !put_own_fields(head, has_body) ||
        !http2_head_reserve(head, empty_line.length))
        return false;
    http2_head_put(head, empty_line);
    return true;
}

enum http2_head_outcome http2_head_end(struct http2_head *head, bool has_body,
                                       struct buffer **ret_text)
{
    *ret_text = NULL;
    if (end(head, has_body)) {
        *ret_text = head->text;
        head->text = NULL;
    }
    return head->outcome;
}

const char *http2_head_fault(const struct http2_head *head)
{
    return head->why ? head->why : "";
}

void http2_head_done(struct http2_head *head)
{
    if (head->text)
        buffer_give(head->pool, &head->text);
    if (head->crumbs)
        buffer_give(head->pool, &head->crumbs);
}
