/* SPDX-License-Identifier: Apache-2.0 */
/* Options structs filled through their tables: defaults first, then one entry of the INI file after
 * another. */
#include "lb/base/option.h"

#include <assert.h>
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/ini.h"
#include "lb/base/nearest.h"

enum {
    DESCRIPTION_BYTES = 512 /* of a key's values, within a message */
};

enum outcome { OUTCOME_GOOD, OUTCOME_BAD, OUTCOME_OUT_OF_RANGE };

/* Where values come from: what all readers below need besides the text. */
struct source {
    const char *folder; /* NULL: paths stay as they are */
    struct arena *arena;
    unsigned line;
};

static void *value_of(const struct option *option, void *values)
{
    return (char *)values + option->offset;
}

static unsigned *line_of(const struct option *option, void *values)
{
    return (unsigned *)(void *)((char *)values + option->line_offset);
}

static bool is_list_of_paths(const struct option *option)
{
    return option->kind == OPTION_PATHS || option->kind == OPTION_PATHS_OR_WORDS;
}

static bool is_repeatable(const struct option *option)
{
    return option->kind == OPTION_TEXTS || is_list_of_paths(option);
}

/* One reader per kind of value. */

static enum outcome range_check(const struct option *option, int64_t value)
{
    bool is_within = value >= option->least && (option->most == 0 || value <= option->most);
    return is_within ? OUTCOME_GOOD : OUTCOME_OUT_OF_RANGE;
}

static enum outcome number_read(const struct option *option, const char *text, int64_t *ret_value)
{
    int64_t number = -1;
    if (option->standard && strcmp(option->standard, "auto") == 0 && strcmp(text, "auto") == 0) {
        *ret_value = number;
        return OUTCOME_GOOD;
    }
    if (!option_parse_number(text, &number))
        return OUTCOME_BAD;
    enum outcome outcome = range_check(option, number);
    if (outcome == OUTCOME_GOOD)
        *ret_value = number;
    return outcome;
}

static enum outcome duration_read(const struct option *option, const char *text,
                                  uint32_t *ret_value)
{
    uint32_t ms;
    if (!option_parse_duration(text, &ms))
        return OUTCOME_BAD;
    enum outcome outcome = range_check(option, ms);
    if (outcome == OUTCOME_GOOD)
        *ret_value = ms;
    return outcome;
}

static enum outcome size_read(const struct option *option, const char *text, uint64_t *ret_value)
{
    uint64_t bytes;
    if (!option_parse_size(text, &bytes))
        return OUTCOME_BAD;
    enum outcome outcome = range_check(option, (int64_t)bytes);
    if (outcome == OUTCOME_GOOD)
        *ret_value = bytes;
    return outcome;
}

static enum outcome choice_read(const struct option *option, const char *text, int *ret_value)
{
    int index = option_choice_index(option, text);
    if (index < 0)
        return OUTCOME_BAD;
    *ret_value = index;
    return OUTCOME_GOOD;
}

static enum outcome text_read(const struct option *option, const char *text,
                              const struct source *source, const char **ret_value)
{
    int64_t length = (int64_t)strlen(text);
    if (option->most > 0 && range_check(option, length) != OUTCOME_GOOD)
        return OUTCOME_OUT_OF_RANGE;
    *ret_value = arena_copy(source->arena, text);
    return OUTCOME_GOOD;
}

/* Room is for the next power of two, so that it needs no member of its own. */
static void list_add(struct option_list *list, const char *item, const struct source *source)
{
    unsigned count = list->count;
    if ((count & (count - 1)) == 0) {
        size_t room = count == 0 ? 1 : 2 * (size_t)count;
        const char **items = arena_alloc(source->arena, room * sizeof *items);
        unsigned *lines = arena_alloc(source->arena, room * sizeof *lines);
        for (unsigned i = 0; i < count; i++) {
            items[i] = list->items[i];
            lines[i] = list->lines[i];
        }
        list->items = items;
        list->lines = lines;
    }
    list->items[count] = item;
    list->lines[count] = source->line;
    list->count = count + 1;
}

static void words_read(struct option_list *list, const char *text, const struct source *source)
{
    static const char blanks[] = " \t";
    for (text += strspn(text, blanks); *text; text += strspn(text, blanks)) {
        size_t length = strcspn(text, blanks);
        list_add(list, arena_copy_bytes(source->arena, text, length), source);
        text += length;
    }
}

static const char *path_or_word(const struct option *option, const char *text,
                                const struct source *source)
{
    return option_is_word(option, text) ? arena_copy(source->arena, text)
                                        : option_path(source->folder, text, source->arena);
}

static enum outcome value_read(const struct option *option, void *value, const char *text,
                               const struct source *source)
{
    switch (option->kind) {
    case OPTION_NUMBER:
        return number_read(option, text, value);
    case OPTION_DURATION:
        return duration_read(option, text, value);
    case OPTION_SIZE:
        return size_read(option, text, value);
    case OPTION_SWITCH:
        return option_parse_switch(text, value) ? OUTCOME_GOOD : OUTCOME_BAD;
    case OPTION_CHOICE:
        return choice_read(option, text, value);
    case OPTION_TEXT:
        return text_read(option, text, source, value);
    case OPTION_PATH:
        *(const char **)value = option_path(source->folder, text, source->arena);
        return OUTCOME_GOOD;
    case OPTION_TEXTS:
        list_add(value, arena_copy(source->arena, text), source);
        return OUTCOME_GOOD;
    case OPTION_PATHS:
        list_add(value, option_path(source->folder, text, source->arena), source);
        return OUTCOME_GOOD;
    case OPTION_PATHS_OR_WORDS:
        list_add(value, path_or_word(option, text, source), source);
        return OUTCOME_GOOD;
    case OPTION_WORDS:
        words_read(value, text, source);
        return OUTCOME_GOOD;
    }
    return OUTCOME_BAD;
}

/* Tables. */

void option_defaults(const struct option_table *table, void *values, struct arena *arena)
{
    const struct source source = {NULL, arena, 0};
    memset(values, 0, table->bytes);
    for (const struct option *option = table->options; option->key; option++) {
        if (option->kind == OPTION_CHOICE)
            *(int *)value_of(option, values) = -1;
        if (!option->standard)
            continue;
        enum outcome outcome =
            value_read(option, value_of(option, values), option->standard, &source);
        assert(outcome == OUTCOME_GOOD);
        (void)outcome;
    }
}

const char *option_folder(const char *file, struct arena *arena)
{
    char resolved[PATH_MAX];
    const char *slash = strrchr(file, '/');
    size_t length = slash ? (size_t)(slash - file) + (slash == file) : 0;
    const char *folder = slash ? arena_copy_bytes(arena, file, length) : ".";
    return realpath(folder, resolved) ? arena_copy(arena, resolved) : ".";
}

const char *option_path(const char *folder, const char *path, struct arena *arena)
{
    if (path[0] == '/' || !folder || folder[0] == '\0')
        return arena_copy(arena, path);
    bool has_slash = folder[strlen(folder) - 1] == '/';
    return arena_format(arena, "%s%s%s", folder, has_slash ? "" : "/", path);
}

void option_anchor(const struct option_table *table, void *values, const char *folder,
                   struct arena *arena)
{
    for (const struct option *option = table->options; option->key; option++) {
        if (*line_of(option, values) != 0)
            continue;
        void *value = value_of(option, values);
        const char **path = value;
        if (option->kind == OPTION_PATH && *path)
            *path = option_path(folder, *path, arena);
        struct option_list *list = value;
        for (unsigned i = 0; is_list_of_paths(option) && i < list->count; i++)
            if (option->kind == OPTION_PATHS || !option_is_word(option, list->items[i]))
                list->items[i] = option_path(folder, list->items[i], arena);
    }
}

bool option_lists_equal(const struct option_list *one, const struct option_list *other)
{
    if (one->count != other->count)
        return false;
    for (unsigned i = 0; i < one->count; i++)
        if (strcmp(one->items[i], other->items[i]) != 0)
            return false;
    return true;
}

const struct option *option_find(const struct option_table *table, const char *key)
{
    for (const struct option *option = table->options; option->key; option++)
        if (strcmp(option->key, key) == 0)
            return option;
    return NULL;
}

const char *option_nearest(const struct option_table *table, const char *key)
{
    struct nearest nearest = nearest_to(key);
    for (const struct option *option = table->options; option->key; option++)
        nearest_offer(&nearest, option->key);
    return nearest.best;
}

/* Entries. */

static void unknown_add(const struct option_table *table, const struct ini_entry *entry,
                        const char *file, struct problems *problems)
{
    const char *nearest = option_nearest(table, entry->key);
    if (nearest)
        problems_add(problems, file, entry->line, "unknown key \"%s\"; did you mean \"%s\"?",
                     entry->key, nearest);
    else
        problems_add(problems, file, entry->line,
                     "unknown key \"%s\" in [%s]; lb help %s lists all keys", entry->key,
                     table->section, table->section);
}

static void value_problem_add(const struct option *option, const struct ini_entry *entry,
                              enum outcome outcome, const char *file, struct problems *problems)
{
    char description[DESCRIPTION_BYTES];
    option_describe(option, description, sizeof description);
    const char *purpose = option_purpose(option);
    const char *colon = *purpose ? ": " : "";
    const char *hint =
        strstr(entry->value, " #") ? " (a comment behind a value begins with \" ;\")" : "";
    if (outcome == OUTCOME_OUT_OF_RANGE && option->kind == OPTION_TEXT)
        problems_add(problems, file, entry->line,
                     "%zu characters are out of range for %s (%s)%s%s%s", strlen(entry->value),
                     option->key, description, colon, purpose, hint);
    else
        problems_add(problems, file, entry->line, "\"%s\" is %s %s (%s)%s%s%s", entry->value,
                     outcome == OUTCOME_OUT_OF_RANGE ? "out of range for" : "no value for",
                     option->key, description, colon, purpose, hint);
}

static bool is_list(const struct option *option)
{
    return is_repeatable(option) || option->kind == OPTION_WORDS;
}

/* A list that somebody left empty may mean the opposite of what was meant: whoever knows the key
 * can tell by the line. */
static void empty_note(const struct option *option, void *value, unsigned line)
{
    struct option_list *list = value;
    if (is_list(option) && list->empty_line == 0)
        list->empty_line = line;
}

void option_set(const struct option_table *table, void *values, const struct ini_entry *entry,
                const char *file, const char *folder, struct arena *arena,
                struct problems *problems)
{
    if (!entry->key)
        return;
    const struct option *option = option_find(table, entry->key);
    if (!option) {
        unknown_add(table, entry, file, problems);
        return;
    }
    void *value = value_of(option, values);
    unsigned *line = line_of(option, values);
    if (*line != 0 && !is_repeatable(option)) {
        problems_add(problems, file, entry->line,
                     "%s is set already in line %u and takes one value: keep one of the two",
                     option->key, *line);
        return;
    }
    if (entry->value[0] == '\0') {
        empty_note(option, value, entry->line);
        return;
    }
    if (*line == 0 && is_list(option))
        ((struct option_list *)value)->count = 0;
    if (*line == 0)
        *line = entry->line;
    const struct source source = {folder, arena, entry->line};
    enum outcome outcome = value_read(option, value, entry->value, &source);
    if (outcome != OUTCOME_GOOD)
        value_problem_add(option, entry, outcome, file, problems);
}
