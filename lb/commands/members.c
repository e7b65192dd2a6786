/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/members.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

const char *member_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

const char *member_text_or_dash(const json_t *object, const char *key)
{
    const char *text = member_text(object, key);
    return text && *text ? text : "-";
}

long long member_number(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

bool member_is(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

int64_t member_time_s(const json_t *object, const char *key)
{
    struct tm when = {0};
    const char *text = member_text(object, key);
    return text && strptime(text, "%Y-%m-%dT%H:%M:%S", &when) ? (int64_t)timegm(&when) : 0;
}

const char *member_time_text(const json_t *object, const char *key, char into[TIME_TEXT_BYTES])
{
    const char *text = member_text(object, key);
    enum { SECONDS_END = 19 }; /* 2026-11-21T10:13:39 */
    if (!text || !member_time_s(object, key))
        return "-";
    snprintf(into, TIME_TEXT_BYTES, "%.*s", SECONDS_END, text);
    char *between = strchr(into, 'T');
    if (between)
        *between = ' ';
    return into;
}

/* "12 days", "5 hours", "1 minute": the largest unit of which there are two or more. */
static void span_text(int64_t span_s, char *into, size_t room)
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}};
    size_t i = 0;
    while (i < 2 && span_s < 2 * units[i].seconds)
        i++;
    long long count = (long long)(span_s / units[i].seconds);
    snprintf(into, room, "%lld %s%s", count, units[i].name, count == 1 ? "" : "s");
}

const char *member_day_text(const json_t *object, const char *key, int64_t now_s,
                            char into[TIME_TEXT_BYTES])
{
    const char *text = member_text(object, key);
    int64_t then_s = member_time_s(object, key);
    enum { DAY_END = 10 }; /* 2026-11-21 */
    char span[32];
    if (!text || !then_s)
        return "-";
    bool is_over = then_s <= now_s;
    span_text(is_over ? now_s - then_s : then_s - now_s, span, sizeof span);
    snprintf(into, TIME_TEXT_BYTES, "%.*s, %s%s%s", DAY_END, text, is_over ? "" : "in ", span,
             is_over ? " ago" : "");
    return into;
}
