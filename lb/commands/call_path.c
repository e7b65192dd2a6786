/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/call_path.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/error.h"

static void add_bytes(struct call_path *path, const char *bytes, size_t length)
{
    if (path->length + length + 1 > path->room) {
        size_t room = 2 * (path->length + length) + 64;
        char *text = realloc(path->text, room);
        if (!text)
            error_out_of_memory();
        path->text = text;
        path->room = room;
    }
    memcpy(path->text + path->length, bytes, length);
    path->length += length;
    path->text[path->length] = '\0';
}

void call_path_add(struct call_path *path, const char *text)
{
    add_bytes(path, text, strlen(text));
}

/* RFC 3986 section 2.3: what needs no escape anywhere. */
static bool is_unreserved(char byte)
{
    return isascii(byte) && (isalnum((unsigned char)byte) || strchr("-._~", byte));
}

void call_path_part(struct call_path *path, const char *segment)
{
    for (; *segment; segment++) {
        char escaped[4];
        if (is_unreserved(*segment)) {
            add_bytes(path, segment, 1);
            continue;
        }
        snprintf(escaped, sizeof escaped, "%%%02X", (unsigned)(unsigned char)*segment);
        add_bytes(path, escaped, 3);
    }
}

void call_path_query(struct call_path *path, const char *key, const char *value)
{
    if (!value)
        return;
    call_path_add(path, path->has_query ? "&" : "?");
    path->has_query = true;
    call_path_add(path, key);
    call_path_add(path, "=");
    call_path_part(path, value);
}

void call_path_done(struct call_path *path)
{
    free(path->text);
    *path = (struct call_path){0};
}
