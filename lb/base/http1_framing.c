/* SPDX-License-Identifier: Apache-2.0 */
/* What fields say about the connection and the body's size: where smuggling begins, so nothing is
 * guessed. */
#include "lb/base/http1_scan.h"

/* --- Connection (RFC 9110 7.6.1) -------------------------------------------------------------- */

static void mark_hop_by_hop(const struct field_table *table, struct slice name)
{
    for (unsigned i = 0; i < table->count; i++) {
        struct http_field *field = &table->rows[i];
        if (field->name.length == name.length &&
            strncasecmp(field->name.at, name.at, name.length) == 0)
            field->hop_by_hop = true;
    }
}

/* One option. Without Host or the body's size a request would mean something else behind lb. */
static bool take_option(const struct field_table *table, struct slice option,
                        struct http_wishes *wishes)
{
    if (slice_is_nocase(option, "close")) {
        wishes->close = true;
    } else if (slice_is_nocase(option, "keep-alive")) {
        wishes->keep_alive = true;
    } else if (slice_is_nocase(option, "upgrade")) {
        wishes->upgrade = true;
    } else {
        enum http_name known = http_name_of(option);
        if (known == HTTP_HOST || known == HTTP_CONTENT_LENGTH || known == HTTP_TRANSFER_ENCODING)
            return false;
        mark_hop_by_hop(table, option);
    }
    return true;
}

enum http_fault http_read_connection(const struct field_table *table,
                                     struct http_wishes *ret_wishes)
{
    struct http_wishes wishes = {false, false, false};
    unsigned options = 0;
    unsigned left = table->seen[HTTP_CONNECTION];
    for (unsigned i = 0; left > 0; i++) {
        if (table->rows[i].known != HTTP_CONNECTION)
            continue;
        left--;
        struct slice list = table->rows[i].value;
        for (struct slice option; http_list_next(&list, &option);) {
            if (++options > CONNECTION_OPTIONS_MOST)
                return HTTP_BAD_CONNECTION;
            if (option.length == 0)
                continue; /* RFC 9110 5.6.1.2: empty elements are ignored */
            if (!http_is_token(option) || !take_option(table, option, &wishes))
                return HTTP_BAD_CONNECTION;
        }
    }
    *ret_wishes = wishes;
    return HTTP_FINE;
}

/* --- Size (RFC 9112 6) ------------------------------------------------------------------------ */

/* Digits only. A leading zero is refused: there are parsers that read octal. Nobody sends one. */
static bool read_length(struct slice text, uint64_t *ret_length)
{
    enum { DIGITS_MOST = 19 }; /* INT64_MAX; any 19 digits fit an uint64_t */
    uint64_t length = 0;
    if (text.length == 0 || text.length > DIGITS_MOST || (text.at[0] == '0' && text.length > 1))
        return false;
    for (size_t i = 0; i < text.length; i++) {
        if (!byte_is_digit(text.at[i]))
            return false;
        length = length * 10 + (uint64_t)(text.at[i] - '0');
    }
    *ret_length = length;
    return length <= INT64_MAX;
}

/* Codings in front of one final `chunked` are honest but not understood; all else has no certain
 * end. */
static enum http_fault judge_codings(struct slice list)
{
    bool chunked = false;
    for (struct slice coding; http_list_next(&list, &coding);) {
        if (chunked || !http_is_token(coding))
            return HTTP_BAD_TRANSFER_ENCODING;
        chunked = slice_is_nocase(coding, "chunked");
    }
    return chunked ? HTTP_TRANSFER_ENCODING_UNKNOWN : HTTP_BAD_TRANSFER_ENCODING;
}

static enum http_fault read_coding(const struct field_table *table, unsigned minor)
{
    if (minor == 0 || table->seen[HTTP_TRANSFER_ENCODING] > 1)
        return HTTP_BAD_TRANSFER_ENCODING;
    struct slice value = field_value(table, HTTP_TRANSFER_ENCODING);
    return slice_is_nocase(value, "chunked") ? HTTP_FINE : judge_codings(value);
}

enum http_fault http_read_size(const struct field_table *table, unsigned minor,
                               struct http_size *ret_size)
{
    unsigned lengths = table->seen[HTTP_CONTENT_LENGTH];
    *ret_size = (struct http_size){.framing = HTTP_NO_BODY};
    if (table->seen[HTTP_TRANSFER_ENCODING] > 0) {
        ret_size->framing = HTTP_CHUNKED;
        return lengths > 0 ? HTTP_BOTH_LENGTHS : read_coding(table, minor);
    }
    if (lengths == 0)
        return HTTP_FINE;
    ret_size->framing = HTTP_LENGTH;
    ret_size->has_length = true;
    if (lengths > 1 || !read_length(field_value(table, HTTP_CONTENT_LENGTH), &ret_size->length))
        return HTTP_BAD_LENGTH;
    return HTTP_FINE;
}
