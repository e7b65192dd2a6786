/* SPDX-License-Identifier: Apache-2.0 */
/* The table of RFC 3629, section 4, as comparisons. */
#include "lb/base/utf8.h"

#include <string.h>

/* The second byte's bounds are narrower behind these first bytes. */
static bool is_second(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xE0:
        return second >= 0xA0; /* else overlong */
    case 0xED:
        return second <= 0x9F; /* else a surrogate */
    case 0xF0:
        return second >= 0x90; /* else overlong */
    case 0xF4:
        return second <= 0x8F; /* else beyond U+10FFFF */
    default:
        return true;
    }
}

size_t utf8_length(const char *at, size_t left)
{
    const unsigned char *bytes = (const unsigned char *)at;
    unsigned char first = bytes[0];
    if (first < 0x80)
        return 1;
    size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || length > left)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
    return is_second(first, bytes[1]) ? length : 0;
}

bool utf8_is_hidden(const char *at, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)at;
    if (length == 1)
        return bytes[0] < 0x20 || bytes[0] == 0x7F;
    if (length == 2)
        return bytes[0] == 0xC2 && bytes[1] < 0xA0;
    if (length != 3 || bytes[0] != 0xE2)
        return false;
    if (bytes[1] == 0x80)
        return bytes[2] == 0x8E || bytes[2] == 0x8F || (bytes[2] >= 0xAA && bytes[2] <= 0xAE);
    return bytes[1] == 0x81 && bytes[2] >= 0xA6 && bytes[2] <= 0xA9;
}

void utf8_cover_hidden(char *text)
{
    size_t left = strlen(text);
    char *to = text;
    for (const char *at = text; left > 0;) {
        size_t step = utf8_length(at, left);
        if (step == 0 || utf8_is_hidden(at, step)) {
            *to++ = '?';
            step = step ? step : 1;
        } else {
            memmove(to, at, step);
            to += step;
        }
        at += step;
        left -= step;
    }
    *to = '\0';
}
