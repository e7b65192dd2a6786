/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/identity_headers/field_pen.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/hex.h"

/* Room for `count` more bytes; NULL: there is none, and never will be. */
static char *reserve(struct field_pen *pen, size_t count)
{
    if (pen->is_broken)
        return NULL;
    if (count > pen->room - pen->used) {
        size_t room = 2 * pen->room + count + 512;
        char *text = realloc(pen->text, room);
        if (!text) {
            pen->is_broken = true;
            return NULL;
        }
        pen->text = text;
        pen->room = room;
    }
    return pen->text + pen->used;
}

void field_pen_put(struct field_pen *pen, const char *bytes, size_t count)
{
    char *to = count > 0 ? reserve(pen, count) : NULL;
    if (!to)
        return;
    memcpy(to, bytes, count);
    pen->used += count;
}

void field_pen_text(struct field_pen *pen, const char *text)
{
    field_pen_put(pen, text, strlen(text));
}

void field_pen_hex(struct field_pen *pen, const unsigned char *bytes, size_t count, bool upper)
{
    char *to = reserve(pen, 2 * count);
    if (!to)
        return;
    hex_write(to, bytes, count, upper ? hex_upper : hex_lower);
    pen->used += 2 * count;
}

void field_pen_base64(struct field_pen *pen, const unsigned char *bytes, size_t count)
{
    char *to = reserve(pen, (count + 2) / 3 * 4 + 1); /* OpenSSL writes a NUL behind it */
    if (to)
        pen->used += (size_t)EVP_EncodeBlock((unsigned char *)to, bytes, (int)count);
}

static bool is_unreserved(unsigned char byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

void field_pen_url(struct field_pen *pen, const char *bytes, size_t count, const char *safe)
{
    char *to = reserve(pen, 3 * count);
    if (!to)
        return;
    for (size_t i = 0; i < count; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (is_unreserved(byte) || (byte && strchr(safe, byte))) {
            *to++ = bytes[i];
            continue;
        }
        *to++ = '%';
        to = hex_write(to, &byte, 1, hex_upper);
    }
    pen->used = (size_t)(to - pen->text);
}

void field_pen_begin(struct field_pen *pen, const char *name, size_t most)
{
    pen->name = name;
    pen->most = most;
    pen->is_spoiled = false;
    pen->field_at = pen->used;
    field_pen_text(pen, name);
    field_pen_text(pen, ": ");
    pen->value_at = pen->used;
}

void field_pen_spoil(struct field_pen *pen)
{
    pen->is_spoiled = true;
}

static bool is_good(const struct field_pen *pen)
{
    if (pen->is_spoiled || pen->used - pen->value_at > pen->most)
        return false;
    for (size_t at = pen->value_at; at < pen->used; at++)
        if (pen->text[at] < 0x20 || pen->text[at] > 0x7e)
            return false;
    return true;
}

void field_pen_end(struct field_pen *pen)
{
    if (pen->is_broken)
        return;
    if (!is_good(pen)) {
        pen->used = pen->field_at;
        field_pen_text(pen, pen->name);
        field_pen_text(pen, "-Too-Large: 1");
    }
    field_pen_text(pen, "\r\n");
}

void field_pen_drop(struct field_pen *pen)
{
    pen->used = pen->field_at;
}

void field_pen_field(struct field_pen *pen, const char *name, const char *text, size_t most)
{
    field_pen_begin(pen, name, most);
    field_pen_text(pen, text);
    field_pen_end(pen);
}
