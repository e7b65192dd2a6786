/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/client_ids.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/commands/word.h"

enum { SERIAL_BYTES = 128 };

/* Upper case, without colons, blanks and leading zeros. false: it is no serial. */
static bool normalise(const char *text, size_t length, char into[SERIAL_BYTES])
{
    size_t used = 0;
    bool is_hex = false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == ':' || text[i] == ' ')
            continue;
        if (!isxdigit((unsigned char)text[i]) || used + 1 == SERIAL_BYTES)
            return false;
        is_hex = true;
        if (used > 0 || text[i] != '0')
            into[used++] = (char)toupper((unsigned char)text[i]);
    }
    into[used] = '\0';
    return is_hex;
}

/* What stands in quotes, in place. false: they do not end, or something follows. */
static bool unquote(char *text)
{
    char *to = text;
    if (*text != '"')
        return true;
    const char *at = text + 1;
    for (; *at && !(at[0] == '"' && at[1] != '"'); at++) {
        if (*at == '"')
            at++;
        *to++ = *at;
    }
    bool good = at[0] == '"' && at[1] == '\0';
    *to = '\0';
    return good;
}

static char *trim(char *text)
{
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

static void add(struct client_ids *ids, const char *serial, const char *id, unsigned long line)
{
    if (ids->count == ids->room) {
        size_t room = ids->room ? 2 * ids->room : 1024;
        struct client_id *items = realloc(ids->items, room * sizeof *items);
        if (!items)
            error_out_of_memory();
        ids->items = items;
        ids->room = room;
    }
    size_t serial_bytes = strlen(serial) + 1, id_bytes = strlen(id) + 1;
    char *both = malloc(serial_bytes + id_bytes);
    if (!both)
        error_out_of_memory();
    memcpy(both, serial, serial_bytes);
    memcpy(both + serial_bytes, id, id_bytes);
    ids->items[ids->count++] =
        (struct client_id){.serial = both, .id = both + serial_bytes, .line = line};
}

static bool take_line(struct client_ids *ids, char *raw, unsigned long line)
{
    char serial[SERIAL_BYTES];
    char *text = trim(strncmp(raw, "\xef\xbb\xbf", 3) == 0 ? raw + 3 : raw);
    char *comma = strchr(text, ',');
    if (*text == '\0')
        return true;
    if (!comma || !normalise(text, (size_t)(comma - text), serial))
        return line == 1 && comma;
    char *id = trim(comma + 1);
    if (!unquote(id) || *id == '\0' || !word_is_utf8(id))
        return false;
    add(ids, serial, id, line);
    return true;
}

static bool read_lines(struct client_ids *ids, FILE *file, const char *path, struct error *err)
{
    char raw[4096];
    for (unsigned long line = 1; fgets(raw, sizeof raw, file); line++)
        if (!take_line(ids, raw, line))
            return error_set(err, "%s:%lu: write SERIAL,CLIENT-ID, as in 0A1B2C,meter-7", path,
                             line);
    return !ferror(file) || error_set(err, "%s: %s", path, strerror(errno));
}

static int compare(const void *left, const void *right)
{
    const struct client_id *a = left, *b = right;
    return strcmp(a->serial, b->serial);
}

bool client_ids_read(struct client_ids *ids, const char *path, struct error *err)
{
    FILE *file = fopen(path, "re");
    *ids = (struct client_ids){0};
    if (!file)
        return error_set(err, "%s: %s", path, strerror(errno));
    bool good = read_lines(ids, file, path, err);
    fclose(file);
    if (good && ids->count > 0)
        qsort(ids->items, ids->count, sizeof *ids->items, compare);
    for (size_t i = 1; good && i < ids->count; i++)
        if (compare(&ids->items[i - 1], &ids->items[i]) == 0)
            good = error_set(err, "%s: lines %lu and %lu name the same serial number %s", path,
                             ids->items[i - 1].line, ids->items[i].line, ids->items[i].serial);
    return good;
}

void client_ids_done(struct client_ids *ids)
{
    for (size_t i = 0; i < ids->count; i++)
        free(ids->items[i].serial);
    free(ids->items);
    *ids = (struct client_ids){0};
}

const char *client_ids_take(struct client_ids *ids, const char *serial)
{
    char wanted[SERIAL_BYTES];
    if (ids->count == 0 || !normalise(serial, strlen(serial), wanted))
        return NULL;
    const struct client_id key = {.serial = wanted};
    struct client_id *found = bsearch(&key, ids->items, ids->count, sizeof *ids->items, compare);
    if (!found)
        return NULL;
    found->is_used = true;
    return found->id;
}

size_t client_ids_left(const struct client_ids *ids)
{
    size_t left = 0;
    for (size_t i = 0; i < ids->count; i++)
        left += !ids->items[i].is_used;
    return left;
}
