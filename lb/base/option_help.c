/* SPDX-License-Identifier: Apache-2.0 */
/* Option tables in words: what a key takes, what it is for, and the commented etc/lb.ini. */
#include <inttypes.h>
#include <string.h>

#include "lb/base/option.h"
#include "lb/base/slice.h"

enum {
    VALUES_BYTES = 512, /* what a key takes, in words; the longest list of choices is far shorter */
    LIMIT_BYTES = 32,   /* a bound with its unit */
    COLUMNS = 98        /* of comments in a sample */
};

static const char purpose_mark[] = " - ";
static const char choice_mark[] = " | ";

/* Choices: the words before purpose_mark. */

static struct slice choices_of(const struct option *option)
{
    const char *end = strstr(option->help, purpose_mark);
    return (struct slice){option->help, end ? (size_t)(end - option->help) : strlen(option->help)};
}

/* Cut the first choice off `choices`; false when none is left. */
static bool choice_next(struct slice *choices, struct slice *ret_word)
{
    if (choices->length == 0)
        return false;
    const size_t mark = strlen(choice_mark);
    const char *end = memmem(choices->at, choices->length, choice_mark, mark);
    *ret_word = *choices;
    if (end)
        ret_word->length = (size_t)(end - choices->at);
    size_t taken = ret_word->length + (end ? mark : 0);
    *choices = (struct slice){choices->at + taken, choices->length - taken};
    return true;
}

int option_choice_index(const struct option *option, const char *word)
{
    struct slice choices = choices_of(option), choice;
    for (int index = 0; choice_next(&choices, &choice); index++)
        if (slice_is(choice, word))
            return index;
    return -1;
}

bool option_is_word(const struct option *option, const char *value)
{
    struct slice choices = choices_of(option), word;
    choice_next(&choices, &word); /* stands for a path */
    while (choice_next(&choices, &word)) {
        const char *colon = memchr(word.at, ':', word.length);
        size_t length = colon ? (size_t)(colon - word.at) + 1 : word.length;
        if (strncmp(value, word.at, length) == 0 && (colon || value[length] == '\0'))
            return true;
    }
    return false;
}

const char *option_choice_word(const struct option *option, int value, char *into, size_t room)
{
    struct slice choices = choices_of(option), choice;
    into[0] = '\0';
    for (int index = 0; choice_next(&choices, &choice); index++)
        if (index == value)
            snprintf(into, room, "%.*s", (int)choice.length, choice.at);
    return into;
}

/* Descriptions. */

static void write_limit(const struct option *option, int64_t limit, char *into)
{
    if (option->kind == OPTION_DURATION)
        option_write_duration((uint64_t)limit, into, LIMIT_BYTES);
    else if (option->kind == OPTION_SIZE)
        option_write_size((uint64_t)limit, into, LIMIT_BYTES);
    else
        snprintf(into, LIMIT_BYTES, "%" PRId64, limit);
}

static void write_range(const struct option *option, const char *what, char *into, size_t room)
{
    char least[LIMIT_BYTES], most[LIMIT_BYTES];
    write_limit(option, option->least, least);
    write_limit(option, option->most, most);
    if (option->most == 0)
        snprintf(into, room, "%s, %s or more", what, least);
    else
        snprintf(into, room, "%s, %s–%s", what, least, most);
}

static bool has_standard(const struct option *option, const char *word)
{
    return option->standard && strcmp(option->standard, word) == 0;
}

static void write_text_length(const struct option *option, char *into, size_t room)
{
    if (option->most > 0)
        snprintf(into, room, "text of %" PRId64 "–%" PRId64 " characters", option->least,
                 option->most);
    else
        snprintf(into, room, "text");
}

void option_describe_values(const struct option *option, char *into, size_t room)
{
    struct slice choices;
    switch (option->kind) {
    case OPTION_NUMBER:
        write_range(option, has_standard(option, "auto") ? "number or auto" : "number", into, room);
        return;
    case OPTION_DURATION:
        write_range(option, "duration", into, room);
        return;
    case OPTION_SIZE:
        write_range(option, "size", into, room);
        return;
    case OPTION_SWITCH:
        snprintf(into, room, "%s",
                 has_standard(option, "yes") || has_standard(option, "no") ? "yes or no"
                                                                           : "on or off");
        return;
    case OPTION_CHOICE:
        choices = choices_of(option);
        snprintf(into, room, "%.*s", (int)choices.length, choices.at);
        return;
    case OPTION_TEXT:
        write_text_length(option, into, room);
        return;
    case OPTION_PATH:
        snprintf(into, room, "path");
        return;
    case OPTION_TEXTS:
        snprintf(into, room, "text, repeatable");
        return;
    case OPTION_PATHS:
        snprintf(into, room, "path, repeatable");
        return;
    case OPTION_PATHS_OR_WORDS:
        choices = choices_of(option);
        snprintf(into, room, "%.*s, repeatable", (int)choices.length, choices.at);
        return;
    case OPTION_WORDS:
        snprintf(into, room, "words separated by blanks");
        return;
    }
}

void option_describe(const struct option *option, char *into, size_t room)
{
    char values[VALUES_BYTES];
    option_describe_values(option, values, sizeof values);
    snprintf(into, room, "%s%s%s", values, option->standard ? ", default " : "",
             option->standard ? option->standard : "");
}

const char *option_purpose(const struct option *option)
{
    if (option->kind != OPTION_CHOICE && option->kind != OPTION_PATHS_OR_WORDS)
        return option->help;
    const char *mark = strstr(option->help, purpose_mark);
    return mark ? mark + strlen(purpose_mark) : "";
}

/* Pages. */

/* `text` in lines of at most COLUMNS, each begun with `prefix`. */
static void write_wrapped(const char *prefix, const char *text, FILE *out)
{
    size_t column = 0;
    for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
        size_t length = strcspn(text, " ");
        if (column > 0 && column + 1 + length > COLUMNS) {
            fputc('\n', out);
            column = 0;
        }
        column += (size_t)fprintf(out, "%s%.*s", column == 0 ? prefix : " ", (int)length, text);
        text += length;
    }
    if (column > 0)
        fputc('\n', out);
}

void option_write_help(const struct option_table *table, const struct option *option, FILE *out)
{
    char description[VALUES_BYTES];
    option_describe(option, description, sizeof description);
    fprintf(out, "%s in [%s%s]\n", option->key, table->section, table->named ? " NAME" : "");
    write_wrapped("    ", description, out);
    write_wrapped("    ", option_purpose(option), out);
}

void option_write_sample(const struct option_table *table, FILE *out)
{
    char values[VALUES_BYTES];
    write_wrapped("; ", table->summary ? table->summary : "", out);
    fprintf(out, "[%s%s]\n", table->section, table->named ? " NAME" : "");
    for (const struct option *option = table->options; option->key; option++) {
        option_describe_values(option, values, sizeof values);
        fputc('\n', out);
        write_wrapped("; ", option_purpose(option), out);
        write_wrapped("; ", values, out);
        fprintf(out, ";%s =%s%s\n", option->key, option->standard ? " " : "",
                option->standard ? option->standard : "");
    }
}
