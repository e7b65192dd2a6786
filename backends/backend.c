/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the value of a `backend` key: a name, an address, settings of the form key=value. */
#include "backends/backend.h"

#include <string.h>

#include "lb/base/arena.h"
#include "lb/base/option.h"
#include "lb/base/slice.h"

#define EXAMPLE "\"backend = rs-1 192.0.2.10:8080 weight=10\""

/* The next run of non-blanks; *text moves behind it. Empty at the end. */
static struct slice next_word(const char **text)
{
    static const char blanks[] = " \t";
    const char *start = *text + strspn(*text, blanks);
    struct slice word = {start, strcspn(start, blanks)};
    *text = start + word.length;
    return word;
}

/* Names appear in logs, metrics and header fields: letters, digits and ". _ -" need no escaping
 * anywhere. */
static bool name_is_fine(struct slice name)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    return name.length <= BACKEND_NAME_BYTES && strspn(name.at, allowed) >= name.length;
}

static bool weight_parse(struct slice value, struct arena *arena, unsigned *ret_weight,
                         struct error *err)
{
    const char *text = arena_copy_bytes(arena, value.at, value.length);
    int64_t number;
    if (!option_parse_number(text, &number) || number < 0 || number > BACKEND_WEIGHT_MOST)
        return error_set(err, "weight=%s is no weight: a whole number from 0 to %d", text,
                         BACKEND_WEIGHT_MOST);
    *ret_weight = (unsigned)number;
    return true;
}

static bool settings_parse(struct backend *backend, const char *text, struct arena *arena,
                           struct error *err)
{
    static const char key[] = "weight=";
    const size_t key_length = sizeof key - 1;
    bool seen = false;
    struct slice word;
    while ((word = next_word(&text)).length > 0) {
        if (word.length < key_length || memcmp(word.at, key, key_length) != 0)
            return error_set(err,
                             "unknown setting \"%.*s\" for a backend: weight=N is known, as in %s",
                             (int)word.length, word.at, EXAMPLE);
        if (seen)
            return error_set(err, "weight is given twice for one backend: leave one of them");
        seen = true;
        struct slice value = {word.at + key_length, word.length - key_length};
        if (!weight_parse(value, arena, &backend->weight, err))
            return false;
    }
    return true;
}

bool backend_parse(struct backend *backend, const char *text, struct arena *arena,
                   struct error *err)
{
    struct slice name = next_word(&text);
    struct slice address = next_word(&text);
    if (address.length == 0)
        return error_set(err, "a backend needs a name and an address, as in %s", EXAMPLE);
    if (!name_is_fine(name))
        return error_set(err,
                         "\"%.*s\" is no name for a backend: at most %d letters, digits, \".\", "
                         "\"_\" and \"-\", as in %s",
                         (int)name.length, name.at, BACKEND_NAME_BYTES, EXAMPLE);
    backend->name = arena_copy_bytes(arena, name.at, name.length);
    backend->weight = BACKEND_WEIGHT_STANDARD;
    const char *address_text = arena_copy_bytes(arena, address.at, address.length);
    if (!address_parse(&backend->address, address_text, err))
        return false;
    if (address_port(&backend->address) == 0)
        return error_set(err, "%s: port 0 cannot be connected to, as in %s", address_text, EXAMPLE);
    return settings_parse(backend, text, arena, err);
}
