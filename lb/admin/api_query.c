/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/api_query.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lb/admin/api.h"
#include "lb/base/error.h"
#include "lb/base/option.h"

static int hex_value(char digit)
{
    if (!isxdigit((unsigned char)digit))
        return -1;
    return isdigit((unsigned char)digit) ? digit - '0' : tolower((unsigned char)digit) - 'a' + 10;
}

bool api_decode(char *text)
{
    char *to = text;
    for (const char *at = text; *at; at++) {
        if (*at != '%') {
            *to++ = *at;
            continue;
        }
        int high = hex_value(at[1]);
        int low = high < 0 ? -1 : hex_value(at[2]);
        if (low < 0 || (high == 0 && low == 0))
            return false;
        *to++ = (char)(high * 16 + low);
        at += 2;
    }
    *to = '\0';
    return true;
}

static bool add_pair(struct api_query *query, char *pair, struct error *err)
{
    char *equals = strchr(pair, '=');
    char *value = equals ? equals + 1 : NULL;
    if (equals)
        *equals = '\0';
    if (!api_decode(pair) || (value && !api_decode(value)))
        return error_set(err,
                         "the query has a %% that no two hex digits follow: write %%25 for it");
    if (api_query_has(query, pair))
        return error_set(err, "%.40s is said twice", pair);
    if (query->count == API_QUERY_PAIRS_MOST)
        return error_set(err, "the query has more than %d keys", API_QUERY_PAIRS_MOST);
    query->pairs[query->count].key = pair;
    query->pairs[query->count].value = value;
    query->count++;
    return true;
}

bool api_query_read(struct api_query *query, const char *text, struct error *err)
{
    *query = (struct api_query){.text = strdup(text)};
    if (!query->text)
        return error_set(err, "out of memory");
    for (char *rest = query->text; rest;) {
        char *pair = strsep(&rest, "&");
        if (*pair && !add_pair(query, pair, err))
            return false;
    }
    return true;
}

void api_query_done(struct api_query *query)
{
    free(query->text);
    *query = (struct api_query){0};
}

/* -1: it is not there. */
static int find(const struct api_query *query, const char *key)
{
    for (unsigned i = 0; i < query->count; i++)
        if (strcmp(query->pairs[i].key, key) == 0)
            return (int)i;
    return -1;
}

bool api_query_has(const struct api_query *query, const char *key)
{
    return find(query, key) >= 0;
}

const char *api_query_value(const struct api_query *query, const char *key)
{
    int at = find(query, key);
    return at < 0 ? NULL : query->pairs[at].value;
}

int64_t api_query_number(const struct api_request *request, const char *key, int64_t standard)
{
    struct api_query query;
    int64_t number = standard;
    bool is_read = api_query_read(&query, request->query, NULL);
    const char *value = is_read ? api_query_value(&query, key) : NULL;
    if (!value || !option_parse_number(value, &number))
        number = standard;
    api_query_done(&query);
    return number;
}
