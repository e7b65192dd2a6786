/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/registry/call_query.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "lb/admin/registry/registry_call.h"
#include "lb/base/option.h"

enum {
    DAY_S = 24 * 60 * 60,
    PERIOD_DAYS_MOST = 36500, /* a hundred years */
    CHOICES_BYTES = 256,
};

static bool refuse(struct registry_call *call, const char *key, const char *value,
                   const char *right)
{
    return registry_call_refuse(call, 400, "bad-input", "%s: \"%.60s\" is not possible: %s", key,
                                value ? value : "", right);
}

bool query_text(struct registry_call *call, const char *key, unsigned most, const char **ret)
{
    const char *value = api_query_value(&call->query, key);
    if (!api_query_has(&call->query, key))
        return true;
    if (!value || !*value)
        return registry_call_refuse(call, 400, "bad-input", "%s has no value", key);
    if (strlen(value) > most)
        return registry_call_refuse(call, 400, "bad-input", "%s has %zu bytes: at most %u", key,
                                    strlen(value), most);
    *ret = value;
    return true;
}

/* Any other star would stand for itself, and silently find nothing. */
static bool is_pattern(const char *text)
{
    size_t length = strlen(text);
    bool has_rest = length > 0 && text[length - 1] == '*';
    bool has_front = has_rest && length > 1 && text[0] == '*';
    return memchr(text + has_front, '*', length - has_rest - has_front) == NULL;
}

bool query_pattern(struct registry_call *call, const char *key, unsigned most, const char **ret)
{
    const char *text = NULL;
    if (!query_text(call, key, most, &text))
        return false;
    if (text && !is_pattern(text))
        return refuse(call, key, text,
                      "write \"x*\" for what begins with x, \"*x*\" for what has x in it, or \"x\" "
                      "for x itself");
    *ret = text ? text : *ret;
    return true;
}

bool query_number(struct registry_call *call, const char *key, int64_t least, int64_t most,
                  int64_t *ret)
{
    const char *value = api_query_value(&call->query, key);
    char right[96];
    int64_t number;
    if (!api_query_has(&call->query, key))
        return true;
    snprintf(right, sizeof right, "a number, %" PRId64 " to %" PRId64, least, most);
    if (!value || !option_parse_number(value, &number) || number < least || number > most)
        return refuse(call, key, value, right);
    *ret = number;
    return true;
}

bool query_switch(struct registry_call *call, const char *key, bool *ret_is_said, bool *ret)
{
    const char *value = api_query_value(&call->query, key);
    *ret_is_said = api_query_has(&call->query, key);
    if (!*ret_is_said || !value) {
        *ret = *ret_is_said;
        return true;
    }
    return option_parse_switch(value, ret) || refuse(call, key, value, "yes or no");
}

/* "one, two, three", of which `name_of` gives each. */
static void write_names(const char *(*name_of)(const void *arg, unsigned index), const void *arg,
                        unsigned count, char into[CHOICES_BYTES])
{
    size_t used = 0;
    into[0] = '\0';
    for (unsigned i = 0; i < count && used < CHOICES_BYTES; i++)
        used += (size_t)snprintf(into + used, CHOICES_BYTES - used, "%s%s", i ? ", " : "",
                                 name_of(arg, i));
}

static const char *word_at(const void *words, unsigned index)
{
    return ((const char *const *)words)[index];
}

bool query_choice(struct registry_call *call, const char *key, const char *const *words,
                  unsigned *ret)
{
    const char *value = api_query_value(&call->query, key);
    char right[CHOICES_BYTES];
    unsigned count = 0;
    if (!api_query_has(&call->query, key))
        return true;
    for (; words[count]; count++) {
        if (!value || strcasecmp(words[count], value) != 0)
            continue;
        *ret = count;
        return true;
    }
    write_names(word_at, words, count, right);
    return refuse(call, key, value, right);
}

/* A function pointer within an object that may be pointed to. */
struct namer {
    const char *(*name_of)(unsigned index);
};

static const char *name_at(const void *namer, unsigned index)
{
    return ((const struct namer *)namer)->name_of(index);
}

static bool add_bit(const char *word, size_t length, const struct namer *namer, unsigned count,
                    unsigned *bits)
{
    for (unsigned i = 0; i < count; i++) {
        const char *name = namer->name_of(i);
        if (strlen(name) != length || strncasecmp(name, word, length) != 0)
            continue;
        *bits |= 1U << i;
        return true;
    }
    return false;
}

bool query_set(struct registry_call *call, const char *key, const char *(*name_of)(unsigned index),
               unsigned count, unsigned *ret_bits)
{
    const struct namer namer = {name_of};
    const char *value = api_query_value(&call->query, key);
    char right[CHOICES_BYTES];
    unsigned bits = 0;
    if (!api_query_has(&call->query, key))
        return true;
    for (const char *word = value ? value : "";;) {
        size_t length = strcspn(word, ",");
        if (!add_bit(word, length, &namer, count, &bits)) {
            write_names(name_at, &namer, count, right);
            return refuse(call, key, value, right);
        }
        if (word[length] == '\0')
            break;
        word += length + 1;
    }
    *ret_bits = bits;
    return true;
}

/* --- times --------------------------------------------------------------------------------- */

/* Two digits (or four) within their range; *at moves behind them. */
static bool take_digits(const char **at, int digits, int least, int most, int *ret)
{
    int number = 0;
    for (int i = 0; i < digits; i++) {
        if (!isdigit((unsigned char)(*at)[i]))
            return false;
        number = number * 10 + ((*at)[i] - '0');
    }
    *at += digits;
    *ret = number;
    return number >= least && number <= most;
}

static bool take(const char **at, const char *one_of)
{
    if (**at == '\0' || !strchr(one_of, **at))
        return false;
    (*at)++;
    return true;
}

static bool take_day(const char **at, struct tm *time)
{
    int year, month;
    if (!take_digits(at, 4, 1970, 9999, &year) || !take(at, "-") ||
        !take_digits(at, 2, 1, 12, &month) || !take(at, "-") ||
        !take_digits(at, 2, 1, 31, &time->tm_mday))
        return false;
    time->tm_year = year - 1900;
    time->tm_mon = month - 1;
    return true;
}

/* "10:13:39" or "10:13:39.123": fractions are passed over. */
static bool take_clock(const char **at, struct tm *time)
{
    if (!take_digits(at, 2, 0, 23, &time->tm_hour) || !take(at, ":") ||
        !take_digits(at, 2, 0, 59, &time->tm_min) || !take(at, ":") ||
        !take_digits(at, 2, 0, 60, &time->tm_sec))
        return false;
    if (!take(at, "."))
        return true;
    size_t digits = strspn(*at, "0123456789");
    *at += digits;
    return digits > 0;
}

/* "Z" or "+02:00" */
static bool take_zone(const char **at, int *ret_east_s)
{
    int hours, minutes;
    *ret_east_s = 0;
    if (take(at, "Zz"))
        return true;
    char sign = **at;
    if (!take(at, "+-") || !take_digits(at, 2, 0, 23, &hours) || !take(at, ":") ||
        !take_digits(at, 2, 0, 59, &minutes))
        return false;
    *ret_east_s = (hours * 60 + minutes) * 60 * (sign == '-' ? -1 : 1);
    return true;
}

static bool parse_time(const char *text, int64_t *ret_s)
{
    struct tm time = {0};
    int east_s = 0;
    if (!take_day(&text, &time))
        return false;
    int day = time.tm_mday;
    if (*text != '\0' &&
        (!take(&text, "Tt ") || !take_clock(&text, &time) || !take_zone(&text, &east_s)))
        return false;
    *ret_s = (int64_t)timegm(&time) - east_s;
    return *text == '\0' && time.tm_mday == day && *ret_s > 0;
}

bool query_time(struct registry_call *call, const char *key, int64_t *ret_s)
{
    const char *value = api_query_value(&call->query, key);
    if (!api_query_has(&call->query, key))
        return true;
    return (value && parse_time(value, ret_s)) ||
           refuse(call, key, value,
                  "a time after 1970 as in 2026-11-21T10:13:39Z, or a day as in 2026-11-21");
}

static bool parse_period(const char *text, int64_t *ret_s)
{
    static const char units[] = "smhd";
    static const int64_t unit_s[] = {1, 60, 60 * 60, DAY_S};
    size_t digits = strspn(text, "0123456789");
    const char *unit = text[digits] ? strchr(units, tolower((unsigned char)text[digits])) : NULL;
    int64_t number = 0;
    if (digits == 0 || digits > 12 || !unit || text[digits + 1] != '\0')
        return false;
    for (size_t i = 0; i < digits; i++)
        number = number * 10 + (text[i] - '0');
    *ret_s = number * unit_s[unit - units];
    return *ret_s > 0 && *ret_s <= (int64_t)PERIOD_DAYS_MOST * DAY_S;
}

bool query_period(struct registry_call *call, const char *key, int64_t standard_s,
                  bool *ret_is_said, int64_t *ret_s)
{
    const char *value = api_query_value(&call->query, key);
    *ret_is_said = api_query_has(&call->query, key);
    if (!*ret_is_said || !value || !*value) {
        *ret_s = standard_s;
        return true;
    }
    return parse_period(value, ret_s) ||
           refuse(call, key, value, "a time as in 30d or 12h, a hundred years at most");
}
