/* SPDX-License-Identifier: Apache-2.0 */
/* Accept = [ media-range *( OWS ";" OWS parameter ) *( OWS "," OWS … ) ], read strictly: what is
 * not understood counts for nothing. */
#include "listeners/answer/accept.h"

#include <ctype.h>

#include "listeners/answer/answer_grpc.h"

/* The best that was named so far. */
struct wish {
    enum answer_form form;
    unsigned weight;   /* thousandths */
    unsigned elements; /* looked at */
};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static struct slice trimmed(struct slice text)
{
    while (text.length > 0 && is_blank(text.at[0])) {
        text.at++;
        text.length--;
    }
    while (text.length > 0 && is_blank(text.at[text.length - 1]))
        text.length--;
    return text;
}

/* Where the first `mark` outside of quotes stands; the length when there is none. */
static size_t find_mark(struct slice text, char mark)
{
    bool is_quoted = false;
    for (size_t i = 0; i < text.length; i++) {
        if (is_quoted && text.at[i] == '\\')
            i++;
        else if (text.at[i] == '"')
            is_quoted = !is_quoted;
        else if (!is_quoted && text.at[i] == mark)
            return i;
    }
    return text.length;
}

/* What stands before the next mark; *rest begins behind it. */
static struct slice cut(struct slice *rest, char mark)
{
    size_t length = find_mark(*rest, mark);
    struct slice piece = {rest->at, length};
    size_t used = length < rest->length ? length + 1 : length;
    *rest = (struct slice){rest->at + used, rest->length - used};
    return trimmed(piece);
}

/* "0.75" gives 750. qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ) */
static bool read_weight(struct slice text, unsigned *ret_weight)
{
    if (text.length < 1 || text.length > 5 || (text.at[0] != '0' && text.at[0] != '1') ||
        (text.length > 1 && text.at[1] != '.'))
        return false;
    unsigned weight = (unsigned)(text.at[0] - '0') * 1000;
    unsigned unit = 100;
    for (size_t i = 2; i < text.length; i++, unit /= 10) {
        if (!isdigit((unsigned char)text.at[i]))
            return false;
        weight += (unsigned)(text.at[i] - '0') * unit;
    }
    *ret_weight = weight;
    return weight <= 1000;
}

static bool ends_with(struct slice text, const char *ending)
{
    struct slice end = slice_of(ending);
    return text.length > end.length &&
           strncasecmp(text.at + text.length - end.length, ending, end.length) == 0;
}

/* Is it a media type that lb can answer in? */
static bool find_form(struct slice type, enum answer_form *ret_form)
{
    if (slice_is_nocase(type, "text/html") || slice_is_nocase(type, "application/xhtml+xml"))
        *ret_form = ANSWER_HTML;
    else if (slice_is_nocase(type, "application/json") || ends_with(type, "+json"))
        *ret_form = ANSWER_JSON;
    else if (slice_is_nocase(type, "text/plain"))
        *ret_form = ANSWER_TEXT;
    else
        return false;
    return true;
}

static void weigh(struct wish *wish, struct slice element)
{
    enum answer_form form;
    unsigned weight = 1000;
    if (!find_form(cut(&element, ';'), &form))
        return;
    while (element.length > 0) {
        struct slice parameter = cut(&element, ';');
        bool is_weight = parameter.length > 2 && strncasecmp(parameter.at, "q=", 2) == 0;
        if (is_weight &&
            !read_weight((struct slice){parameter.at + 2, parameter.length - 2}, &weight))
            return;
    }
    if (weight > wish->weight) {
        wish->weight = weight;
        wish->form = form;
    }
}

/* Clients of gRPC do not say what they accept. */
static bool is_grpc(const struct http_request *request)
{
    for (unsigned i = 0; i < request->field_count; i++) {
        const struct http_field *field = &request->fields[i];
        if (field->known == HTTP_OTHER_FIELD && slice_is_nocase(field->name, "Content-Type") &&
            answer_grpc_is_type(field->value))
            return true;
    }
    return false;
}

enum answer_form accept_form(const struct http_request *request)
{
    if (is_grpc(request))
        return ANSWER_GRPC;
    struct wish wish = {.form = ANSWER_TEXT};
    for (unsigned i = 0; i < request->field_count; i++) {
        const struct http_field *field = &request->fields[i];
        if (field->known != HTTP_OTHER_FIELD || !slice_is_nocase(field->name, "Accept"))
            continue;
        struct slice rest = field->value;
        while (rest.length > 0 && wish.elements++ < ACCEPT_ELEMENTS_MOST)
            weigh(&wish, cut(&rest, ','));
    }
    return wish.form;
}
