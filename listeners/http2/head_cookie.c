/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/2 may cut a Cookie field into crumbs (RFC 9113 8.2.3); HTTP/1.1 must see one line. Crumbs
 * nearly always come one behind the other and are appended where they are. Those behind another
 * field are put aside and moved into the line once, at the end: however they are mixed, no byte is
 * moved more than once.
 */
#include "listeners/http2/head_parts.h"

#include "lb/base/http1.h"

static const struct slice line_end = SLICE("\r\n");
static const struct slice separator = SLICE("; ");

static struct slice separator_of(const struct http2_head *head)
{
    return head->cookie.length > 0 ? separator : (struct slice){"", 0};
}

static bool append_crumb(struct http2_head *head, struct slice value)
{
    struct slice between = separator_of(head);
    if (!http2_head_reserve(head, between.length + value.length))
        return false;
    head->text->end -= line_end.length;
    http2_head_put(head, between);
    http2_head_put(head, value);
    http2_head_put(head, line_end);
    head->cookie.length += (uint32_t)(between.length + value.length);
    return true;
}

static bool put_aside(struct http2_head *head, struct slice value)
{
    size_t most = head->most_bytes - buffer_length(head->text);
    if (separator.length + value.length > most - buffer_length(head->crumbs))
        return http2_head_refuse(head, HTTP2_HEAD_TOO_LARGE, http_fault_text(HTTP_HEAD_TOO_LARGE));
    if (!buffer_append(head->pool, &head->crumbs, separator.at, separator.length, most) ||
        !buffer_append(head->pool, &head->crumbs, value.at, value.length, most))
        return http2_head_refuse(head, HTTP2_HEAD_NO_MEMORY, "out of memory for a cookie");
    return true;
}

bool http2_head_add_cookie(struct http2_head *head, struct slice name, struct slice value)
{
    if (++head->crumb_count > COOKIE_CRUMBS_MOST)
        return http2_head_refuse(head, HTTP2_HEAD_TOO_LARGE, "a cookie is in too many pieces");
    if (head->crumb_count == 1)
        return http2_head_put_line(head, name, value, &head->cookie);
    if (value.length == 0)
        return true;
    bool is_last =
        head->cookie.at + head->cookie.length + line_end.length == buffer_length(head->text);
    return is_last ? append_crumb(head, value) : put_aside(head, value);
}

bool http2_head_put_crumbs(struct http2_head *head)
{
    if (!head->crumbs)
        return true;
    struct slice crumbs = {head->crumbs->data + head->crumbs->start, buffer_length(head->crumbs)};
    if (head->cookie.length == 0) { /* nothing to separate the first one from */
        crumbs.at += separator.length;
        crumbs.length -= separator.length;
    }
    if (!buffer_reserve(head->pool, &head->text, crumbs.length, head->most_bytes))
        return http2_head_refuse(head, HTTP2_HEAD_NO_MEMORY, "out of memory for a cookie");
    struct buffer *text = head->text;
    size_t at = text->start + head->cookie.at + head->cookie.length;
    char *to = text->data + at;
    memmove(to + crumbs.length, to, text->end - at);
    memcpy(to, crumbs.at, crumbs.length);
    text->end += crumbs.length;
    buffer_give(head->pool, &head->crumbs);
    return true;
}
