/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/allow/issuer_pattern.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* --- out of a log ----------------------------------------------------------------------------- */

/* Where an escape ends, and the byte it stands for; NULL: there is none. */
static const char *logged_byte(const char *at, char *ret_byte)
{
    const char *digits = strncmp(at, "\\x", 2) == 0     ? at + 2
                         : strncmp(at, "\\u00", 4) == 0 ? at + 4
                                                        : NULL;
    if (!digits || !isxdigit((unsigned char)digits[0]) || !isxdigit((unsigned char)digits[1]))
        return NULL;
    const char pair[] = {digits[0], digits[1], '\0'};
    *ret_byte = (char)strtoul(pair, NULL, 16);
    return *ret_byte ? digits + 2 : NULL;
}

const char *issuer_pattern_unlog(const char *value, struct arena *arena)
{
    char *plain = arena_copy(arena, value);
    char *to = plain;
    for (const char *at = value; *at;) {
        const char *end = logged_byte(at, to);
        if (end) {
            to++;
            at = end;
            continue;
        }
        if (*at == '\\' && at[1]) /* of "\\x5c" the second backslash begins nothing */
            *to++ = *at++;
        *to++ = *at++;
    }
    *to = '\0';
    return plain;
}

/* --- its form --------------------------------------------------------------------------------- */

/* "/CN=", the beginning of a part of the form that OpenSSL once wrote. */
static bool begins_part(const char *at)
{
    size_t length = *at == '/'
                        ? strspn(at + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                         "0123456789.-")
                        : 0;
    return length > 0 && at[1 + length] == '=';
}

/* What of a part RFC 2253 escapes. */
static const char *part_text(const char *part, size_t length, struct arena *arena)
{
    char *text = arena_alloc(arena, 2 * length + 1);
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        if (strchr(",+\"<>;", part[i]))
            text[used++] = '\\';
        text[used++] = part[i];
    }
    return text;
}

/* "/C=DE/O=Org/CN=CA" as "CN=CA,O=Org,C=DE". */
static const char *turned_round(const char *value, struct arena *arena)
{
    const char *text = NULL;
    for (const char *at = value; *at;) {
        const char *end = at + 1;
        while (*end && !begins_part(end))
            end++;
        const char *part = part_text(at + 1, (size_t)(end - at - 1), arena);
        text = text ? arena_format(arena, "%s,%s", part, text) : part;
        at = end;
    }
    return text;
}

/* "CN = x, O = y", as other programs write it. */
static bool has_blank(const char *value)
{
    for (const char *at = value; *at; at++) {
        if (strncmp(at, " =", 2) == 0 || strncmp(at, ", ", 2) == 0)
            return true;
        at += *at == '\\' && at[1];
    }
    return false;
}

bool issuer_pattern_check(const char *value, struct arena *arena, struct error *err)
{
    if (begins_part(value))
        return error_set(err,
                         "allow_client issuer: \"%s\" is not how lb writes names, and no CA would "
                         "fit it: write issuer:%s (RFC 2253: the last part first)",
                         value, turned_round(value, arena));
    if (!has_blank(value) && *value != '/' && (strchr(value, '=') || strchr(value, '*')))
        return true;
    return error_set(err,
                     "allow_client issuer: \"%s\" is not how lb writes names: the log line of a "
                     "client has it, as in CN=Example CA,O=Example (RFC 2253: the last part "
                     "first, no blanks around \"=\" or behind a comma)",
                     value);
}
