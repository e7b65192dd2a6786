/* SPDX-License-Identifier: Apache-2.0 */
/* See http2_field.h. */
#include "lb/base/http2_field.h"

#include "lb/base/http1_scan.h"
#include "lb/base/http1_wide.h"

static bool is_name(struct slice name)
{
    const char *end = name.at + name.length;
    return wide_is_name(name) || (name.length > 0 && skip_class(name.at, end, BYTE_LOWER) == end);
}

/* RFC 9113 8.2.1: blanks around it would be lost in HTTP/1.1, and what two sides see differently
 * is refused. */
static bool is_value(struct slice value)
{
    if (value.length == 0)
        return true;
    const char *end = value.at + value.length;
    return !byte_is_blank(value.at[0]) && !byte_is_blank(end[-1]) &&
           (wide_is_value(value) || skip_class(value.at, end, BYTE_VALUE) == end);
}

/* RFC 9113 8.2.2. */
static bool is_of_connection(enum http_name known)
{
    return known == HTTP_CONNECTION || known == HTTP_KEEP_ALIVE || known == HTTP_PROXY_CONNECTION ||
           known == HTTP_TRANSFER_ENCODING || known == HTTP_UPGRADE;
}

const char *http2_field_judge(struct slice name, struct slice value, enum http_name *ret_known)
{
    *ret_known = HTTP_OTHER_FIELD;
    if (!is_name(name))
        return "the name of a field is not of lower-case token characters";
    if (!is_value(value))
        return "the value of a field has control characters or blanks around it";
    *ret_known = http_name_of(name);
    if (is_of_connection(*ret_known))
        return "a field is about a connection of HTTP/1.1";
    if (*ret_known == HTTP_TE && !slice_is_nocase(value, "trailers"))
        return "TE asks for something else than trailers";
    return NULL;
}

const char *http2_trailer_add(struct http_chunks *trailers, struct slice name, struct slice value)
{
    enum http_name known;
    const char *why = http2_field_judge(name, value, &known);
    if (why)
        trailers->fault = HTTP_BAD_TRAILER;
    else if (!http_chunks_add_trailer(trailers, name, value))
        why = http_fault_text(trailers->fault);
    return why;
}

unsigned http2_field_status(struct slice value)
{
    unsigned status = 0;
    if (value.length != 3)
        return 0;
    for (size_t i = 0; i < value.length; i++) {
        if (!byte_is_digit(value.at[i]))
            return 0;
        status = status * 10 + (unsigned)(value.at[i] - '0');
    }
    return status;
}
