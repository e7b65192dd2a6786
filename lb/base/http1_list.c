/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens and comma-separated lists of them (RFC 9110 5.6.1, 5.6.2). */
#include "lb/base/http1_scan.h"

bool http_is_token(struct slice text)
{
    if (text.length == 0)
        return false;
    const char *end = text.at + text.length;
    return skip_class(text.at, end, BYTE_TOKEN) == end;
}

static struct slice trimmed(const char *start, const char *end)
{
    while (start < end && byte_is_blank(*start))
        start++;
    while (start < end && byte_is_blank(end[-1]))
        end--;
    return slice_between(start, end);
}

bool http_list_next(struct slice *rest, struct slice *ret_element)
{
    if (!rest->at)
        return false;
    const char *end = rest->at + rest->length;
    const char *comma = memchr(rest->at, ',', rest->length);
    *ret_element = trimmed(rest->at, comma ? comma : end);
    *rest = comma ? slice_between(comma + 1, end) : (struct slice){NULL, 0};
    return true;
}

bool http_list_has(struct slice list, const char *token)
{
    struct slice element;
    while (http_list_next(&list, &element)) {
        if (slice_is_nocase(element, token))
            return true;
    }
    return false;
}
