/* SPDX-License-Identifier: Apache-2.0 */
/* Strings and heads of messages as tests look at them. */
#include "tests/support/text.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_add(struct text *text, const void *bytes, size_t length)
{
    if (text->length + length + 1 > text->capacity) {
        text->capacity = (text->length + length + 1) * 2;
        text->bytes = realloc(text->bytes, text->capacity);
        ck_assert_ptr_nonnull(text->bytes);
    }
    if (length > 0)
        memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

void text_add_format(struct text *text, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    char *made = NULL;
    int length = vasprintf(&made, format, values);
    va_end(values);
    ck_assert_int_ge(length, 0);
    text_add(text, made, (size_t)length);
    free(made);
}

void text_drop(struct text *text, size_t length)
{
    ck_assert_uint_le(length, text->length);
    if (length == 0)
        return;
    memmove(text->bytes, text->bytes + length, text->length - length + 1);
    text->length -= length;
}

void text_done(struct text *text)
{
    free(text->bytes);
    *text = (struct text){0};
}

/* The next line of a head that is a field of this name, or NULL. */
static const char *find_field(const char *from, const char *name)
{
    size_t length = strlen(name);
    for (const char *line = strstr(from, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, length) == 0 && line[length] == ':')
            return line;
    }
    return NULL;
}

bool text_field(const char *head, const char *name, char *value, size_t room)
{
    const char *line = find_field(head, name);
    if (line == NULL)
        return false;
    line += strlen(name) + 1;
    line += strspn(line, " \t");
    snprintf(value, room, "%.*s", (int)strcspn(line, "\r\n"), line);
    return true;
}

unsigned text_field_count(const char *head, const char *name)
{
    unsigned count = 0;
    for (const char *line = find_field(head, name); line != NULL; line = find_field(line, name))
        count++;
    return count;
}

unsigned text_count(const char *in, const char *what)
{
    unsigned count = 0;
    for (const char *at = strstr(in, what); at != NULL; at = strstr(at + 1, what))
        count++;
    return count;
}
