/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of JSON, read without mercy. */
#include "tests/support/json_line.h"

#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    const char *at;
    const char *end;
};

static bool take(struct reader *reader, char byte)
{
    bool is_there = reader->at < reader->end && *reader->at == byte;
    reader->at += is_there;
    return is_there;
}

static void add_utf8(struct text *value, unsigned long code)
{
    char bytes[3];
    size_t length = 0;
    if (code < 0x80) {
        bytes[length++] = (char)code;
    } else if (code < 0x800) {
        bytes[length++] = (char)(0xc0 | code >> 6);
        bytes[length++] = (char)(0x80 | (code & 0x3f));
    } else {
        bytes[length++] = (char)(0xe0 | code >> 12);
        bytes[length++] = (char)(0x80 | (code >> 6 & 0x3f));
        bytes[length++] = (char)(0x80 | (code & 0x3f));
    }
    text_add(value, bytes, length);
}

/* Four digits behind \u; surrogates have no place in a log that writes UTF-8 as it is. */
static bool read_code(struct reader *reader, struct text *value)
{
    char digits[5] = "";
    if (reader->end - reader->at < 4)
        return false;
    memcpy(digits, reader->at, 4);
    reader->at += 4;
    unsigned long code = strtoul(digits, NULL, 16);
    add_utf8(value, code);
    return strspn(digits, "0123456789abcdefABCDEF") == 4 && (code < 0xd800 || code > 0xdfff);
}

static bool read_escape(struct reader *reader, struct text *value)
{
    static const char escapes[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    if (reader->at == reader->end)
        return false;
    char kind = *reader->at++;
    if (kind == 'u')
        return read_code(reader, value);
    const char *found = kind != '\0' ? strchr(escapes, kind) : NULL;
    if (found != NULL)
        text_add(value, &meanings[found - escapes], 1);
    return found != NULL;
}

/* The length of the UTF-8 sequence that begins here; 0: it is none. */
static size_t sequence_length(const struct reader *reader)
{
    static const unsigned char least[][2] = {{0xc2, 0xdf}, {0xe0, 0xef}, {0xf0, 0xf4}};
    const unsigned char *at = (const unsigned char *)reader->at;
    size_t length = 0;
    for (size_t i = 0; i < 3; i++)
        if (*at >= least[i][0] && *at <= least[i][1])
            length = i + 2;
    if (length == 0 || (size_t)(reader->end - reader->at) < length)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    bool is_overlong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
    bool is_outside = (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf4 && at[1] > 0x8f);
    return is_overlong || is_outside ? 0 : length;
}

static bool read_string(struct reader *reader, struct text *value)
{
    text_add(value, "", 0);
    if (!take(reader, '"'))
        return false;
    while (reader->at < reader->end && *reader->at != '"') {
        unsigned char byte = (unsigned char)*reader->at;
        size_t length = byte < 0x80 ? byte >= 0x20 : sequence_length(reader);
        if (length == 0)
            return false;
        if (byte == '\\') {
            reader->at++;
            if (!read_escape(reader, value))
                return false;
            continue;
        }
        text_add(value, reader->at, length);
        reader->at += length;
    }
    return take(reader, '"');
}

static bool read_number(struct reader *reader, struct text *value)
{
    const char *start = reader->at;
    while (reader->at < reader->end && isdigit((unsigned char)*reader->at))
        reader->at++;
    size_t length = (size_t)(reader->at - start);
    text_add(value, start, length);
    return length > 0 && (length == 1 || *start != '0');
}

static bool read_member(struct reader *reader, struct json_line *object)
{
    struct text key = {0};
    if (object->count == JSON_MEMBERS_MOST)
        return false;
    struct json_member *member = &object->members[object->count];
    bool fine = read_string(reader, &key) && take(reader, ':') && key.length < sizeof member->key &&
                json_line_get(object, key.bytes) == NULL;
    snprintf(member->key, sizeof member->key, "%s", key.bytes);
    text_done(&key);
    member->is_number = reader->at < reader->end && *reader->at != '"';
    object->count++;
    return fine && (member->is_number ? read_number(reader, &member->value)
                                      : read_string(reader, &member->value));
}

bool json_line_read(struct json_line *object, const char *bytes, size_t length)
{
    struct reader reader = {bytes, bytes + length};
    *object = (struct json_line){0};
    if (!take(&reader, '{'))
        return false;
    do {
        if (!read_member(&reader, object))
            return false;
    } while (take(&reader, ','));
    return take(&reader, '}') && reader.at == reader.end;
}

void json_line_done(struct json_line *object)
{
    for (unsigned i = 0; i < object->count; i++)
        text_done(&object->members[i].value);
    object->count = 0;
}

const char *json_line_get(const struct json_line *object, const char *key)
{
    for (unsigned i = 0; i < object->count; i++)
        if (strcmp(object->members[i].key, key) == 0)
            return object->members[i].value.bytes;
    return NULL;
}

unsigned json_lines_visit(const char *log,
                          void (*visit)(const struct json_line *object, void *story), void *story)
{
    unsigned count = 0;
    for (const char *line = log; *line != '\0'; count++) {
        struct json_line object;
        size_t length = strcspn(line, "\n");
        ck_assert_msg(line[length] == '\n', "the last line is cut: %.200s", line);
        bool is_json = json_line_read(&object, line, length);
        ck_assert_msg(is_json, "no JSON: %.*s", (int)length, line);
        if (visit != NULL)
            visit(&object, story);
        json_line_done(&object);
        line += length + 1;
    }
    return count;
}
