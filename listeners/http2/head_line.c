/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pseudo fields (RFC 9113 8.3; RFC 8441 4) and the request line they become. Bytes that would end a
 * word or a line are refused here; whether a target or a host is one is the parser's to say.
 */
#include "lb/base/draft.h"
#include "lb/base/http1_scan.h"
#include "lb/base/http1_wide.h"
#include "listeners/http2/head_parts.h"

static enum http2_pseudo pseudo_of(struct slice name)
{
    static const struct slice names[HTTP2_PSEUDO_COUNT] = {
        [HTTP2_METHOD] = SLICE(":method"),     [HTTP2_SCHEME] = SLICE(":scheme"),
        [HTTP2_PATH] = SLICE(":path"),         [HTTP2_AUTHORITY] = SLICE(":authority"),
        [HTTP2_PROTOCOL] = SLICE(":protocol"),
    };
    unsigned i = 0;
    while (i < HTTP2_PSEUDO_COUNT && !slice_equal(name, names[i]))
        i++;
    return (enum http2_pseudo)i;
}

bool http2_head_add_pseudo(struct http2_head *head, struct slice name, struct slice value)
{
    enum http2_pseudo pseudo = pseudo_of(name);
    if (head->kind != HTTP2_KIND_UNKNOWN)
        return http2_head_malformed(head, "a pseudo field stands behind other fields");
    if (pseudo == HTTP2_PSEUDO_COUNT)
        return http2_head_malformed(head, "a pseudo field is unknown");
    if (http2_head_has(head, pseudo))
        return http2_head_malformed(head, "a pseudo field stands twice");
    if (!http2_head_reserve(head, value.length))
        return false;
    head->pseudo_seen |= 1U << pseudo;
    head->pseudo[pseudo] =
        (struct http2_span){(uint32_t)buffer_length(head->text), (uint32_t)value.length};
    http2_head_put(head, value);
    return true;
}

/* --- Judging them together -------------------------------------------------------------------- */

static struct slice value_of(const struct http2_head *head, enum http2_pseudo pseudo)
{
    return http2_head_has(head, pseudo) ? http2_head_at(head, head->pseudo[pseudo])
                                        : (struct slice){"", 0};
}

static bool is_one_word(struct slice text)
{
    const char *end = text.at + text.length;
    return wide_is_target(text) ||
           (text.length > 0 && skip_class(text.at, end, BYTE_TARGET) == end);
}

/* RFC 9113 8.3.1: an absolute path, or "*"; no absolute form, which would bring a second host. */
static bool is_path(struct slice text)
{
    return is_one_word(text) && (text.at[0] == '/' || slice_is(text, "*"));
}

/* A plain CONNECT has no scheme and no path (RFC 9113 8.5), an extended one has all (RFC 8441 4).
 */
static bool are_complete(struct http2_head *head, bool is_connect)
{
    enum { TARGET = 1U << HTTP2_SCHEME | 1U << HTTP2_PATH, HOST = 1U << HTTP2_AUTHORITY };
    bool is_extended = http2_head_has(head, HTTP2_PROTOCOL);
    unsigned asked = head->pseudo_seen & (TARGET | HOST);
    if (is_extended && !is_connect)
        return http2_head_malformed(head, ":protocol without CONNECT");
    if (is_connect && (asked & HOST) == 0)
        return http2_head_malformed(head, "a CONNECT has no :authority");
    if (is_connect && !is_extended)
        return asked == HOST || http2_head_malformed(head, "a CONNECT has a :scheme or a :path");
    return (asked & TARGET) == TARGET || http2_head_malformed(head, ":scheme or :path is missing");
}

static bool are_words(struct http2_head *head)
{
    struct slice scheme = value_of(head, HTTP2_SCHEME);
    if (http2_head_has(head, HTTP2_SCHEME) && !slice_is(scheme, "https") &&
        !slice_is(scheme, "http"))
        return http2_head_malformed(head, ":scheme is neither http nor https");
    if (http2_head_has(head, HTTP2_PATH) && !is_path(value_of(head, HTTP2_PATH)))
        return http2_head_malformed(head, http_fault_text(HTTP_BAD_TARGET));
    if (http2_head_has(head, HTTP2_AUTHORITY) && !is_one_word(value_of(head, HTTP2_AUTHORITY)))
        return http2_head_malformed(head, ":authority is not a host");
    return true;
}

static bool judge(struct http2_head *head)
{
    struct slice method = value_of(head, HTTP2_METHOD);
    bool is_connect = slice_is(method, "CONNECT");
    if (!http_is_token(method))
        return http2_head_malformed(head, ":method is missing or no token");
    if (!are_complete(head, is_connect) || !are_words(head))
        return false;
    if (!is_connect)
        head->kind = HTTP2_KIND_PLAIN;
    else if (!http2_head_has(head, HTTP2_PROTOCOL))
        head->kind = HTTP2_KIND_CONNECT;
    else if (slice_is(value_of(head, HTTP2_PROTOCOL), "websocket"))
        head->kind = HTTP2_KIND_WEBSOCKET;
    else
        return http2_head_refuse(head, HTTP2_HEAD_UNKNOWN_PROTOCOL,
                                 "CONNECT asks for another protocol than websocket");
    return true;
}

/* --- Writing ---------------------------------------------------------------------------------- */

static const char upgrade_lines[] = "connection: Upgrade\r\n"
                                    "upgrade: websocket\r\n"
                                    "sec-websocket-key: ";

/* Besides the values: words and lines around them, method and version of a WebSocket's. */
enum { LINE_BYTES = 64 + sizeof upgrade_lines + WEBSOCKET_KEY_BYTES };

static void put_target(struct draft *draft, const struct http2_head *head)
{
    bool is_websocket = head->kind == HTTP2_KIND_WEBSOCKET;
    bool is_connect = head->kind == HTTP2_KIND_CONNECT;
    draft_put(draft, is_websocket ? slice_of("GET") : value_of(head, HTTP2_METHOD));
    draft_text(draft, " ");
    draft_put(draft, value_of(head, is_connect ? HTTP2_AUTHORITY : HTTP2_PATH));
    draft_text(draft, " HTTP/1.1\r\n");
}

/* Its place is counted from the draft, where the text will begin. */
static void put_host(struct draft *draft, struct http2_head *head)
{
    if (!http2_head_has(head, HTTP2_AUTHORITY))
        return;
    struct slice host = draft_field(draft, slice_of("host"), value_of(head, HTTP2_AUTHORITY));
    head->host = (struct http2_span){(uint32_t)(host.at - draft->at), (uint32_t)host.length};
    head->field_count++;
}

static void put_upgrade(struct draft *draft, struct http2_head *head)
{
    draft_text(draft, upgrade_lines);
    draft_put(draft, (struct slice){head->websocket_key, sizeof head->websocket_key});
    draft_text(draft, "\r\n");
    head->field_count += 3;
}

bool http2_head_put_request_line(struct http2_head *head)
{
    size_t values = buffer_length(head->text);
    size_t room = values + LINE_BYTES + head->pseudo[HTTP2_AUTHORITY].length;
    if (head->pseudo_seen == 0)
        return http2_head_malformed(head, "there are no pseudo fields");
    if (!judge(head))
        return false;
    if (head->kind == HTTP2_KIND_WEBSOCKET && !websocket_key_make(head->websocket_key))
        return http2_head_refuse(head, HTTP2_HEAD_NO_MEMORY, "no randomness for a WebSocket's key");
    if (!buffer_reserve(head->pool, &head->text, room, values + room))
        return http2_head_refuse(head, HTTP2_HEAD_NO_MEMORY, "out of memory for a head");
    struct buffer *text = head->text;
    struct draft draft = draft_in(text->data + text->end, room);
    put_target(&draft, head);
    put_host(&draft, head);
    if (head->kind == HTTP2_KIND_WEBSOCKET)
        put_upgrade(&draft, head);
    text->start = text->end;
    text->end += draft.used;
    return draft.used <= head->most_bytes ||
           http2_head_refuse(head, HTTP2_HEAD_TOO_LARGE, http_fault_text(HTTP_HEAD_TOO_LARGE));
}
