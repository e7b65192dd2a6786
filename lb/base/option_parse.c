/* SPDX-License-Identifier: Apache-2.0 */
/* Values with units, from text and back. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lb/base/option.h"

struct unit {
    const char *word;
    uint64_t worth;
};

// clang-format off
/* The largest first: that is how they are written. */
static const struct unit durations[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}, {NULL, 0},
};
static const struct unit sizes[] = {
    {"g", 1024 * 1024 * 1024}, {"m", 1024 * 1024}, {"k", 1024}, {"", 1}, {NULL, 0},
};
// clang-format on

/* The digits `text` begins with. Fails: none, or over INT64_MAX. */
static bool digits(const char *text, uint64_t *ret_value, const char **ret_rest)
{
    uint64_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (value > ((uint64_t)INT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (at == text)
        return false;
    *ret_value = value;
    *ret_rest = at;
    return true;
}

static bool times(uint64_t value, uint64_t worth, uint64_t most, uint64_t *ret_value)
{
    if (value > most / worth)
        return false;
    *ret_value = value * worth;
    return true;
}

bool option_parse_duration(const char *text, uint32_t *ret_ms)
{
    uint64_t value;
    const char *word;
    if (!digits(text, &value, &word))
        return false;
    if (value == 0 && *word == '\0') {
        *ret_ms = 0;
        return true;
    }
    for (const struct unit *unit = durations; unit->word; unit++) {
        if (strcmp(word, unit->word) != 0)
            continue;
        if (!times(value, unit->worth, UINT32_MAX, &value))
            return false;
        *ret_ms = (uint32_t)value;
        return true;
    }
    return false;
}

bool option_parse_size(const char *text, uint64_t *ret_bytes)
{
    uint64_t value;
    const char *word;
    if (!digits(text, &value, &word))
        return false;
    for (const struct unit *unit = sizes; unit->word; unit++)
        if (strcasecmp(word, unit->word) == 0)
            return times(value, unit->worth, INT64_MAX, ret_bytes);
    return false;
}

bool option_parse_number(const char *text, int64_t *ret_number)
{
    uint64_t value;
    const char *rest;
    bool is_negative = *text == '-';
    if (!digits(text + is_negative, &value, &rest) || *rest != '\0')
        return false;
    *ret_number = is_negative ? -(int64_t)value : (int64_t)value;
    return true;
}

bool option_parse_switch(const char *text, bool *ret_on)
{
    static const char *const words[] = {"off", "on", "no", "yes", "false", "true"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i]) == 0) {
            *ret_on = i % 2 == 1;
            return true;
        }
    return false;
}

static void write_unit(const struct unit *unit, uint64_t value, char *into, size_t room)
{
    while (unit->worth > 1 && value % unit->worth != 0)
        unit++;
    snprintf(into, room, "%" PRIu64 "%s", value / unit->worth, unit->word);
}

void option_write_duration(uint64_t ms, char *into, size_t room)
{
    if (ms == 0)
        snprintf(into, room, "0");
    else
        write_unit(durations, ms, into, room);
}

void option_write_size(uint64_t bytes, char *into, size_t room)
{
    if (bytes == 0)
        snprintf(into, room, "0");
    else
        write_unit(sizes, bytes, into, room);
}
