/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/api_query.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lb/admin/api.h"
#include "lb/base/error.h"
#include "lb/base/nearest.h"
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

static bool is_among(const char *const *keys, const char *key)
{
    for (; keys && *keys; keys++)
        if (strcmp(*keys, key) == 0)
            return true;
    return false;
}

static bool refuse_key(const char *const *keys, const char *key, struct error *err)
{
    struct nearest nearest = nearest_to(key);
    if (!keys || !*keys)
        return error_set(err, "this call takes no query: \"%.60s\"", key);
    for (; *keys; keys++)
        nearest_offer(&nearest, *keys);
    return error_set(err, "the query has no key \"%.60s\"%s%s%s", key,
                     nearest.best ? ": did you mean \"" : "", nearest.best ? nearest.best : "",
                     nearest.best ? "\"?" : "");
}

bool api_query_allows(const struct api_query *query, const char *const *keys, struct error *err)
{
    for (unsigned i = 0; i < query->count; i++)
        if (!is_among(keys, query->pairs[i].key))
            return refuse_key(keys, query->pairs[i].key, err);
    return true;
}

bool api_query_fits(const struct api_request *request, struct error *err)
{
    const char *const *keys = request->route->keys;
    struct api_query query;
    if (keys == api_keys_of_handler)
        return true;
    bool fits = api_query_read(&query, request->query, err) && api_query_allows(&query, keys, err);
    api_query_done(&query);
    return fits;
}

bool api_query_number(const struct api_request *request, const char *key, int64_t *ret,
                      struct error *err)
{
    struct api_query query;
    int64_t number;
    bool is_good = api_query_read(&query, request->query, err);
    const char *value = is_good ? api_query_value(&query, key) : NULL;
    if (value && option_parse_number(value, &number) && number >= 0)
        *ret = number;
    else if (is_good && api_query_has(&query, key))
        is_good = error_set(err, "%s=%.40s is no whole number from 0", key, value ? value : "");
    api_query_done(&query);
    return is_good;
}
