/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the value of a `backend` key: a name, an address, settings of the form key=value. */
#include "backends/backend.h"

#include <stdio.h>
#include <string.h>

#include "lb/base/arena.h"
#include "lb/base/nearest.h"
#include "lb/base/option.h"
#include "lb/base/slice.h"

#define EXAMPLE "\"backend = rs-1 192.0.2.10:8080 weight=10\""

/* A backend that is being read, and where its problems are told. */
struct reading {
    struct backend *backend;
    struct arena *arena;
    const char *file;
    unsigned line;
    struct problems *problems;
};

/* The next run of non-blanks; *text moves behind it. Empty at the end. */
static struct slice next_word(const char **text)
{
    static const char blanks[] = " \t";
    const char *start = *text + strspn(*text, blanks);
    struct slice word = {start, strcspn(start, blanks)};
    *text = start + word.length;
    return word;
}

/* --- name and address ---------------------------------------------------------------------- */

/* Names appear in logs, metrics and header fields: letters, digits and ". _ -" need no escaping
 * anywhere. */
static bool name_is_fine(struct slice name)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    return name.length <= BACKEND_NAME_BYTES && strspn(name.at, allowed) >= name.length;
}

static void read_name(const struct reading *reading, struct slice name)
{
    if (name_is_fine(name)) {
        reading->backend->name = arena_copy_bytes(reading->arena, name.at, name.length);
        return;
    }
    problems_add(reading->problems, reading->file, reading->line,
                 "\"%.*s\" is no name for a backend: at most %d letters, digits, \".\", \"_\" and "
                 "\"-\", as in %s",
                 (int)name.length, name.at, BACKEND_NAME_BYTES, EXAMPLE);
}

static void read_address(const struct reading *reading, struct slice address)
{
    struct error err = {0};
    const char *text = arena_copy_bytes(reading->arena, address.at, address.length);
    if (!address_parse(&reading->backend->address, text, &err))
        problems_add(reading->problems, reading->file, reading->line, "%s", err.text);
    else if (address_port(&reading->backend->address) == 0)
        problems_add(reading->problems, reading->file, reading->line,
                     "%s: port 0 cannot be connected to, as in %s", text, EXAMPLE);
}

/* --- settings ------------------------------------------------------------------------------ */

static bool number_parse(const char *text, int64_t most, int64_t *ret_number)
{
    int64_t number;
    if (!option_parse_number(text, &number) || number < 0 || number > most)
        return false;
    *ret_number = number;
    return true;
}

static bool set_weight(struct backend *backend, const char *text)
{
    int64_t weight;
    if (!number_parse(text, BACKEND_WEIGHT_MOST, &weight))
        return false;
    backend->weight = (unsigned)weight;
    return true;
}

static bool set_max_connections(struct backend *backend, const char *text)
{
    int64_t count;
    if (!number_parse(text, BACKEND_CONNECTIONS_MOST, &count))
        return false;
    backend->max_connections = (uint32_t)count;
    return true;
}

static bool set_slow_start(struct backend *backend, const char *text)
{
    uint32_t duration_ms;
    if (!option_parse_duration(text, &duration_ms) || duration_ms > BACKEND_SLOW_START_MOST_MS)
        return false;
    backend->slow_start_ms = duration_ms;
    return true;
}

// clang-format off
static const struct setting {
    const char *key;
    bool (*set)(struct backend *backend, const char *text);
    const char *right; /* what its value would be */
} settings[] = {
    {"weight",          set_weight,          "is no weight: a whole number from 0 to 100"},
    {"max_connections", set_max_connections, "is no number of requests: 0 (no limit) to 1000000"},
    {"slow_start",      set_slow_start,      "is no time to start in: 0 to 1h, such as 30s"},
};
// clang-format on
enum { SETTING_COUNT = sizeof settings / sizeof settings[0] };

const char *backend_setting(unsigned index)
{
    return index < SETTING_COUNT ? settings[index].key : NULL;
}

static void report_unknown(const struct reading *reading, struct slice word, struct slice key)
{
    struct nearest nearest = nearest_to(arena_copy_bytes(reading->arena, key.at, key.length));
    for (unsigned i = 0; i < SETTING_COUNT; i++)
        nearest_offer(&nearest, settings[i].key);
    problems_add(reading->problems, reading->file, reading->line,
                 "unknown setting \"%.*s\" for a backend: %s%s%s", (int)word.length, word.at,
                 nearest.best ? "did you mean " : "there are weight=N, max_connections=N and ",
                 nearest.best ? nearest.best : "slow_start=DURATION",
                 nearest.best ? "=?" : ", as in " EXAMPLE);
}

/* seen: a bit for each of `settings`. */
static void read_setting(const struct reading *reading, struct slice word, unsigned *seen)
{
    const char *equals = memchr(word.at, '=', word.length);
    struct slice key = {word.at, equals ? (size_t)(equals - word.at) : word.length};
    unsigned at = 0;
    while (at < SETTING_COUNT && !slice_is(key, settings[at].key))
        at++;
    if (at == SETTING_COUNT || !equals) {
        report_unknown(reading, word, key);
        return;
    }
    const struct setting *setting = &settings[at];
    const char *value = arena_copy_bytes(reading->arena, equals + 1, word.length - key.length - 1);
    if (*seen >> at & 1)
        problems_add(reading->problems, reading->file, reading->line,
                     "%s is given twice for one backend: leave one of them", setting->key);
    else if (!setting->set(reading->backend, value))
        problems_add(reading->problems, reading->file, reading->line, "%s=%s %s", setting->key,
                     value, setting->right);
    *seen |= 1u << at;
}

bool backend_parse(struct backend *backend, const char *text, struct arena *arena, const char *file,
                   unsigned line, struct problems *problems)
{
    const struct reading reading = {backend, arena, file, line, problems};
    size_t errors_before = problems->error_count;
    struct slice name = next_word(&text);
    struct slice address = next_word(&text);
    struct slice word;
    unsigned seen = 0;
    backend->weight = BACKEND_WEIGHT_STANDARD;
    if (address.length == 0) {
        problems_add(problems, file, line, "a backend needs a name and an address, as in %s",
                     EXAMPLE);
        return false;
    }
    read_name(&reading, name);
    read_address(&reading, address);
    while ((word = next_word(&text)).length > 0)
        read_setting(&reading, word, &seen);
    return problems->error_count == errors_before;
}
