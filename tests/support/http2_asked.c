/* SPDX-License-Identifier: Apache-2.0 */
/* From HTTP/1.1 text to fields of HTTP/2, and back. */
#include "tests/support/http2_asked.h"

#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/http1.h"

/* --- fields -------------------------------------------------------------------------------- */

void http2_fields_add(struct http2_fields *fields, const char *name, size_t name_length,
                      const char *value, size_t value_length)
{
    struct text *text = &fields->text;
    struct http2_field_at at = {.name = text->length,
                                .name_length = name_length,
                                .value = text->length + name_length,
                                .value_length = value_length};
    text_add(text, name, name_length);
    for (size_t i = at.name; i < text->length; i++)
        text->bytes[i] = (char)tolower((unsigned char)text->bytes[i]);
    text_add(text, value, value_length);
    fields->at = realloc(fields->at, (fields->count + 1) * sizeof at);
    ck_assert_ptr_nonnull(fields->at);
    fields->at[fields->count++] = at;
}

static void add(struct http2_fields *fields, const char *name, const char *value)
{
    http2_fields_add(fields, name, strlen(name), value, strlen(value));
}

void http2_fields_done(struct http2_fields *fields)
{
    text_done(&fields->text);
    free(fields->at);
    *fields = (struct http2_fields){0};
}

nghttp2_nv *http2_fields_list(const struct http2_fields *fields)
{
    nghttp2_nv *list = calloc(fields->count + 1, sizeof *list);
    ck_assert_ptr_nonnull(list);
    for (unsigned i = 0; i < fields->count; i++)
        list[i] = (nghttp2_nv){
            .name = (uint8_t *)fields->text.bytes + fields->at[i].name,
            .namelen = fields->at[i].name_length,
            .value = (uint8_t *)fields->text.bytes + fields->at[i].value,
            .valuelen = fields->at[i].value_length,
        };
    return list;
}

/* --- a head that is said ------------------------------------------------------------------- */

struct line {
    const char *name;
    size_t name_length;
    const char *value;
    size_t value_length;
    const char *next; /* NULL: the head is over */
};

/* A line that is no field goes as it is, with an empty value: it is lb that must not like it. */
static struct line read_line(const char *at)
{
    size_t length = (size_t)(strstr(at, "\r\n") - at);
    const char *colon = memchr(at, ':', length);
    struct line line = {.name = at, .name_length = colon != NULL ? (size_t)(colon - at) : length};
    line.value = colon != NULL ? colon + 1 : at + length;
    while (line.value < at + length && (*line.value == ' ' || *line.value == '\t'))
        line.value++;
    line.value_length = (size_t)(at + length - line.value);
    while (line.value_length > 0 && strchr(" \t", line.value[line.value_length - 1]) != NULL)
        line.value_length--;
    line.next = strstr(at, "\r\n") + 2;
    if (strncmp(line.next, "\r\n", 2) == 0)
        line.next = NULL;
    return line;
}

static bool is_named(const struct line *line, const char *name)
{
    return line->name_length == strlen(name) &&
           strncasecmp(line->name, name, line->name_length) == 0;
}

static bool has_word(const struct line *line, const char *word)
{
    char value[1024];
    snprintf(value, sizeof value, "%.*s", (int)line->value_length, line->value);
    return strcasestr(value, word) != NULL;
}

/* One field for each cookie, as browsers send them. */
static void add_cookies(struct http2_fields *fields, const struct line *line)
{
    const char *end = line->value + line->value_length;
    for (const char *at = line->value; at <= end;) {
        const char *mark = memmem(at, (size_t)(end - at), "; ", 2);
        const char *stop = mark != NULL ? mark : end;
        http2_fields_add(fields, "cookie", 6, at, (size_t)(stop - at));
        at = mark != NULL ? mark + 2 : end + 1;
    }
}

/* Fields that speak of the connection have no place in HTTP/2 (RFC 9113 section 8.2.2). */
static bool is_of_connection(const struct line *line)
{
    static const char *const names[] = {"Connection", "Keep-Alive", "Proxy-Connection", "Upgrade",
                                        "Transfer-Encoding"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is_named(line, names[i]))
            return true;
    return false;
}

static void learn(struct http2_asked *asked, const struct line *line, uint64_t *length)
{
    if (is_named(line, "Connection"))
        asked->says_close = asked->says_close || has_word(line, "close");
    if (is_named(line, "Upgrade"))
        asked->is_tunnel = asked->is_tunnel || has_word(line, "websocket");
    if (is_named(line, "Content-Length"))
        *length = strtoull(line->value, NULL, 10);
    if (is_named(line, "Transfer-Encoding"))
        *length = UINT64_MAX;
    asked->has_body = asked->has_body || *length > 0;
}

static void add_line(struct http2_fields *fields, const struct line *line, bool is_tunnel)
{
    bool is_key = is_tunnel && is_named(line, "Sec-WebSocket-Key");
    if (is_named(line, "Cookie"))
        add_cookies(fields, line);
    else if (!is_of_connection(line) && !is_key)
        http2_fields_add(fields, line->name, line->name_length, line->value, line->value_length);
}

/* "GET http://a/b HTTP/1.1" names the host in its target. */
static void add_target(struct http2_fields *fields, char *target)
{
    char *scheme_end = strstr(target, "://");
    if (target[0] == '/' || scheme_end == NULL) {
        add(fields, ":scheme", "https");
        add(fields, ":path", target);
        return;
    }
    char *authority = scheme_end + 3;
    size_t length = strcspn(authority, "/?");
    http2_fields_add(fields, ":scheme", 7, target, (size_t)(scheme_end - target));
    http2_fields_add(fields, ":authority", 10, authority, length);
    add(fields, ":path", authority[length] != '\0' ? authority + length : "/");
}

static void add_request_line(struct http2_asked *asked, struct http2_fields *fields,
                             const char *head)
{
    size_t method_length = strcspn(head, " ");
    const char *target = head + method_length + strspn(head + method_length, " ");
    char *copy = strndup(target, strcspn(target, " \r\n"));
    asked->is_head = method_length == 4 && strncmp(head, "HEAD", 4) == 0;
    http2_fields_add(fields, ":method", 7, asked->is_tunnel ? "CONNECT" : head,
                     asked->is_tunnel ? 7 : method_length);
    if (asked->is_tunnel)
        add(fields, ":protocol", "websocket");
    add_target(fields, copy);
    free(copy);
}

static bool has_field(const struct http2_fields *fields, const char *name)
{
    for (unsigned i = 0; i < fields->count; i++)
        if (strncmp(fields->text.bytes + fields->at[i].name, name, strlen(name)) == 0)
            return true;
    return false;
}

void http2_asked_read_head(struct http2_asked *asked, const char *head, struct http2_fields *fields,
                           uint64_t *ret_length)
{
    const char *first = strstr(head, "\r\n") + 2;
    if (strcmp(first, "\r\n") == 0)
        first = NULL;
    *ret_length = 0;
    for (const char *at = first; at != NULL;) {
        struct line line = read_line(at);
        learn(asked, &line, ret_length);
        at = line.next;
    }
    asked->has_body = asked->has_body || asked->is_tunnel;
    asked->is_whole = !asked->has_body;
    add_request_line(asked, fields, head);
    bool host_is_said = false;
    for (const char *at = first; at != NULL;) {
        struct line line = read_line(at);
        if (is_named(&line, "Host") && !has_field(fields, ":authority")) {
            http2_fields_add(fields, ":authority", 10, line.value, line.value_length);
            host_is_said = true;
        }
        at = line.next;
    }
    for (const char *at = first; at != NULL;) {
        struct line line = read_line(at);
        bool is_authority = host_is_said && is_named(&line, "Host");
        /* The first one is :authority, unless the target was; every other is said as it stands. */
        if (!is_authority)
            add_line(fields, &line, asked->is_tunnel);
        host_is_said = host_is_said && !is_authority;
        at = line.next;
    }
}

/* --- what comes back ----------------------------------------------------------------------- */

/* "x-request-id" is written "X-Request-Id", as a backend of HTTP/1.1 would. */
static void add_name(struct text *into, const char *name)
{
    bool begins = true;
    for (; *name != '\0'; name++) {
        text_add(into, &(char){begins ? (char)toupper((unsigned char)*name) : *name}, 1);
        begins = *name == '-';
    }
}

void http2_asked_on_field(struct http2_asked *asked, const char *name, const char *value)
{
    if (strcmp(name, ":status") == 0) {
        asked->status = (unsigned)strtoul(value, NULL, 10);
        return;
    }
    asked->has_length = asked->has_length || strcmp(name, "content-length") == 0;
    text_add_format(&asked->fields, "\r\n");
    add_name(&asked->fields, name);
    text_add_format(&asked->fields, ": %s", value);
}

static bool is_chunked(const struct http2_asked *asked)
{
    bool has_none = asked->status == 204 || asked->status == 304 || asked->is_head;
    return !asked->has_length && !has_none && !asked->is_tunnel;
}

static void write_head(struct http2_asked *asked, bool is_leaving)
{
    bool is_interim = asked->status < 200;
    asked->is_tunnel = asked->is_tunnel && (is_interim || asked->status < 300);
    unsigned status = asked->is_tunnel && !is_interim ? 101 : asked->status;
    text_add_format(&asked->answer, "HTTP/1.1 %u %s", status, http_status_text(status));
    text_add(&asked->answer, asked->fields.bytes, asked->fields.length);
    if (status == 101)
        text_add_format(&asked->answer, "\r\nConnection: Upgrade\r\nUpgrade: websocket");
    else if (!is_interim && (is_leaving || asked->says_close))
        text_add_format(&asked->answer, "\r\nConnection: close");
    if (!is_interim && is_chunked(asked))
        text_add_format(&asked->answer, "\r\nTransfer-Encoding: chunked");
    text_add_format(&asked->answer, "\r\n\r\n");
    text_drop(&asked->fields, asked->fields.length);
    asked->has_head = !is_interim;
}

void http2_asked_on_fields_end(struct http2_asked *asked, bool is_leaving)
{
    text_add(&asked->fields, "", 0);
    if (!asked->has_head)
        write_head(asked, is_leaving);
}

void http2_asked_on_data(struct http2_asked *asked, const void *bytes, size_t length)
{
    if (length == 0)
        return;
    bool in_chunks = is_chunked(asked);
    if (in_chunks)
        text_add_format(&asked->answer, "%zx\r\n", length);
    text_add(&asked->answer, bytes, length);
    if (in_chunks)
        text_add(&asked->answer, "\r\n", 2);
}

void http2_asked_on_end(struct http2_asked *asked)
{
    text_add(&asked->fields, "", 0);
    bool has_trailers = asked->fields.length > 0;
    ck_assert_msg(is_chunked(asked) || !has_trailers,
                  "trailers behind a body of known length cannot be written: %s",
                  asked->fields.bytes);
    if (is_chunked(asked))
        text_add_format(&asked->answer, "0%s\r\n\r\n", asked->fields.bytes);
    asked->has_ended = true;
}

void http2_asked_free(struct http2_asked *asked)
{
    text_done(&asked->body);
    text_done(&asked->fields);
    text_done(&asked->answer);
    http2_fields_done(&asked->trailers);
    free(asked);
}
