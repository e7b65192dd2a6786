/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/http2/h2_fields.h"

#include <stdint.h>
#include <string.h>

#include "lb/base/http1.h"

void h2_fields_init(struct h2_fields *fields, char *names, size_t room)
{
    fields->names = names;
    fields->room = room;
    fields->count = 0;
}

/* nghttp2 copies what it is given; it only asks for bytes that might be written to. */
static uint8_t *bytes_of(struct slice text)
{
    return (uint8_t *)(uintptr_t)text.at;
}

static bool add(struct h2_fields *fields, struct slice name, struct slice value)
{
    if (fields->count == H2_FIELDS_MOST)
        return false;
    fields->fields[fields->count++] = (nghttp2_nv){.name = bytes_of(name),
                                                   .value = bytes_of(value),
                                                   .namelen = name.length,
                                                   .valuelen = value.length};
    return true;
}

/* length 0: there is no room. */
static struct slice lower_case(struct h2_fields *fields, struct slice name)
{
    char *to = fields->names;
    if (name.length > fields->room)
        return (struct slice){to, 0};
    for (size_t i = 0; i < name.length; i++)
        to[i] =
            (char)(name.at[i] >= 'A' && name.at[i] <= 'Z' ? name.at[i] + ('a' - 'A') : name.at[i]);
    fields->names += name.length;
    fields->room -= name.length;
    return (struct slice){to, name.length};
}

/* ---- lines ---- */

/* Take a line out of `text`, without its end. false: there is none, or the empty one. */
static bool next_line(struct slice *text, struct slice *line)
{
    const char *end = text->length > 0 ? memchr(text->at, '\r', text->length) : NULL;
    if (!end || end == text->at)
        return false;
    *line = (struct slice){text->at, (size_t)(end - text->at)};
    size_t taken = line->length + 2 < text->length ? line->length + 2 : text->length;
    *text = (struct slice){text->at + taken, text->length - taken};
    return true;
}

static bool split(struct slice line, struct slice *name, struct slice *value)
{
    const char *colon = memchr(line.at, ':', line.length);
    if (!colon || colon == line.at)
        return false;
    size_t length = (size_t)(colon - line.at);
    size_t skipped = length + 1;
    while (skipped < line.length && line.at[skipped] == ' ')
        skipped++;
    *name = (struct slice){line.at, length};
    *value = (struct slice){line.at + skipped, line.length - skipped};
    return true;
}

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

static bool add_line(struct h2_fields *fields, struct slice line)
{
    struct slice name, value;
    if (!split(line, &name, &value))
        return false;
    if (is_left_out(http_name_of(name), value))
        return true;
    name = lower_case(fields, name);
    return name.length > 0 && add(fields, name, value);
}

bool h2_fields_add_lines(struct h2_fields *fields, struct slice lines)
{
    struct slice line;
    while (next_line(&lines, &line))
        if (!add_line(fields, line))
            return false;
    return true;
}

/* ---- the request line ---- */

static bool add_request_line(struct h2_fields *fields, struct slice line, const char *scheme,
                             struct slice authority)
{
    const char *blank = memchr(line.at, ' ', line.length);
    const char *last = memrchr(line.at, ' ', line.length);
    if (!blank || last <= blank + 1)
        return false;
    return add(fields, slice_of(":method"), (struct slice){line.at, (size_t)(blank - line.at)}) &&
           add(fields, slice_of(":scheme"), slice_of(scheme)) &&
           (authority.length == 0 || add(fields, slice_of(":authority"), authority)) &&
           add(fields, slice_of(":path"), (struct slice){blank + 1, (size_t)(last - blank - 1)});
}

/* Host stands at the top of what lb writes; elsewhere it would be found, too. */
static struct slice host_of(struct slice lines)
{
    struct slice line, name, value;
    while (next_line(&lines, &line))
        if (split(line, &name, &value) && http_name_of(name) == HTTP_HOST)
            return value;
    return (struct slice){NULL, 0};
}

bool h2_fields_add_head(struct h2_fields *fields, struct slice head, const char *scheme)
{
    struct slice line;
    return next_line(&head, &line) && add_request_line(fields, line, scheme, host_of(head)) &&
           h2_fields_add_lines(fields, head);
}
