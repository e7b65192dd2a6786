/* SPDX-License-Identifier: Apache-2.0 */
/* See cursor.h. "2d.1f40.534e3031": order, direction, id and value; of characters that need no
 * escape in a URL. */
#include "listeners/registry/sqlite/cursor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/hex.h"

void cursor_write(const struct cursor *cursor, enum certificate_order order, bool descending,
                  char *into)
{
    int used = snprintf(into, STORE_CURSOR_BYTES, "%d%c.%llx.", (int)order, descending ? 'd' : 'a',
                        (unsigned long long)cursor->id);
    char *at = into + used;
    if (!cursor->is_text) {
        snprintf(at, STORE_CURSOR_BYTES - (size_t)used, "%lld", (long long)cursor->number);
        return;
    }
    *hex_write(at, (const unsigned char *)cursor->text, strlen(cursor->text), hex_lower) = '\0';
}

static bool read_number(const char **at, int base, char end, int64_t *ret_number)
{
    char *stop = NULL;
    if (!strchr("-0123456789abcdef", **at) || **at == '\0')
        return false;
    errno = 0;
    *ret_number = strtoll(*at, &stop, base);
    if (errno != 0 || stop == *at || *stop != end)
        return false;
    *at = stop + (end != '\0');
    return true;
}

static bool read_text(const char *at, char *into)
{
    size_t length = strlen(at);
    unsigned byte = 0;
    if (length % 2 != 0 || length / 2 > STORE_TEXT_BYTES ||
        strspn(at, "0123456789abcdef") != length)
        return false;
    for (; *at; at += 2) {
        if (sscanf(at, "%2x", &byte) != 1 || byte == 0)
            return false;
        *into++ = (char)byte;
    }
    *into = '\0';
    return true;
}

bool cursor_read(const char *text, enum certificate_order order, bool descending, bool is_text,
                 struct cursor *ret_cursor)
{
    ret_cursor->is_text = is_text;
    if (text[0] != '0' + (int)order || text[1] != (descending ? 'd' : 'a') || text[2] != '.')
        return false;
    text += 3;
    if (!read_number(&text, 16, '.', &ret_cursor->id))
        return false;
    return is_text ? read_text(text, ret_cursor->text)
                   : read_number(&text, 10, '\0', &ret_cursor->number);
}
