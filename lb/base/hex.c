/* SPDX-License-Identifier: Apache-2.0 */
/* See hex.h. */
#include "lb/base/hex.h"

#include <string.h>

const char hex_lower[] = "0123456789abcdef";
const char hex_upper[] = "0123456789ABCDEF";

char *hex_write(char *to, const unsigned char *bytes, size_t count, const char *digits)
{
    for (size_t i = 0; i < count; i++) {
        *to++ = digits[bytes[i] >> 4];
        *to++ = digits[bytes[i] & 0x0f];
    }
    return to;
}

/* Below 0: it is none. */
static int value_of(char digit)
{
    const char *found = digit ? strchr(hex_lower, digit) : NULL;
    return found ? (int)(found - hex_lower) : -1;
}

bool hex_read(const char *text, unsigned char *ret_bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int high = value_of(text[2 * i]);
        int low = high < 0 ? -1 : value_of(text[2 * i + 1]);
        if (low < 0)
            return false;
        ret_bytes[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}
