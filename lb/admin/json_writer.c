/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/json_writer.h"

#include <assert.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/timestamp.h"
#include "lb/base/utf8.h"

enum { FIRST_BYTES = 1024 };

/* What realloc moves, it leaves behind as it was. */
static char *move(const struct json_writer *writer, size_t wanted)
{
    if (!writer->is_secret)
        return realloc(writer->bytes, wanted);
    char *bytes = malloc(wanted);
    if (!bytes)
        return NULL;
    if (writer->length > 0)
        memcpy(bytes, writer->bytes, writer->length);
    OPENSSL_cleanse(writer->bytes, writer->length);
    free(writer->bytes);
    return bytes;
}

static bool reserve(struct json_writer *writer, size_t more)
{
    size_t wanted = writer->capacity ? writer->capacity : FIRST_BYTES;
    while (wanted - writer->length < more)
        wanted *= 2;
    char *bytes = move(writer, wanted);
    if (!bytes) {
        writer->has_failed = true;
        return false;
    }
    writer->bytes = bytes;
    writer->capacity = wanted;
    return true;
}

static void put(struct json_writer *writer, const char *bytes, size_t length)
{
    if (length == 0 || writer->has_failed ||
        (writer->capacity - writer->length < length && !reserve(writer, length)))
        return;
    memcpy(writer->bytes + writer->length, bytes, length);
    writer->length += length;
}

static void put_text(struct json_writer *writer, const char *text)
{
    put(writer, text, strlen(text));
}

static void put_escaped(struct json_writer *writer, unsigned char byte)
{
    char escape[8];
    if (byte == '"' || byte == '\\')
        snprintf(escape, sizeof escape, "\\%c", byte);
    else if (byte == '\n') /* PEM has many */
        snprintf(escape, sizeof escape, "\\n");
    else
        snprintf(escape, sizeof escape, "\\u%04x", byte);
    put_text(writer, escape);
}

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

static void put_string(struct json_writer *writer, const char *value)
{
    static const char replacement[] = "\xef\xbf\xbd";
    size_t left = strlen(value);
    put(writer, "\"", 1);
    while (left > 0) {
        size_t plain = 0;
        while (plain < left && is_plain((unsigned char)value[plain]))
            plain++;
        put(writer, value, plain);
        value += plain;
        left -= plain;
        if (left == 0)
            break;
        size_t length = utf8_length(value, left);
        if (length == 1)
            put_escaped(writer, (unsigned char)*value);
        else if (length > 1)
            put(writer, value, length);
        else
            put_text(writer, replacement);
        length += length == 0;
        value += length;
        left -= length;
    }
    put(writer, "\"", 1);
}

/* The comma and the key that stand before a value. */
static void begin_value(struct json_writer *writer, const char *key)
{
    bool *has_members = &writer->has_members[writer->depth];
    if (*has_members)
        put(writer, ",", 1);
    *has_members = true;
    if (!key)
        return;
    put(writer, "\"", 1);
    put_text(writer, key);
    put(writer, "\":", 2);
}

static void open_value(struct json_writer *writer, const char *key, const char *begin, char end)
{
    assert(writer->depth < JSON_WRITER_DEPTH);
    begin_value(writer, key);
    put_text(writer, begin);
    writer->ends[writer->depth++] = end;
    writer->has_members[writer->depth] = false;
}

void writer_object(struct json_writer *writer, const char *key)
{
    open_value(writer, key, "{", '}');
}

void writer_array(struct json_writer *writer, const char *key)
{
    open_value(writer, key, "[", ']');
}

void writer_end(struct json_writer *writer)
{
    assert(writer->depth > 0);
    put(writer, &writer->ends[--writer->depth], 1);
    if (writer->depth == 0)
        put(writer, "\n", 1);
}

void writer_text(struct json_writer *writer, const char *key, const char *value)
{
    begin_value(writer, key);
    if (value)
        put_string(writer, value);
    else
        put_text(writer, "null");
}

void writer_number(struct json_writer *writer, const char *key, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    begin_value(writer, key);
    put_text(writer, text);
}

void writer_flag(struct json_writer *writer, const char *key, bool value)
{
    begin_value(writer, key);
    put_text(writer, value ? "true" : "false");
}

void writer_time(struct json_writer *writer, const char *key, int64_t ms)
{
    char text[TIMESTAMP_BYTES + 1] = "";
    if (ms != 0)
        timestamp_write(ms, text);
    writer_text(writer, key, ms != 0 ? text : NULL);
}

void writer_raw(struct json_writer *writer, const char *bytes, size_t length)
{
    put(writer, bytes, length);
}

void writer_done(struct json_writer *writer)
{
    if (writer->is_secret)
        OPENSSL_cleanse(writer->bytes, writer->length);
    free(writer->bytes);
    *writer = (struct json_writer){0};
}
