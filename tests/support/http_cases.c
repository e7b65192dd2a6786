/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the text tables of tests/cases. */
#include "tests/support/http_cases.h"

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One escape behind its backslash; returns how many characters it took. */
static size_t decode_escape(const char *text, char *ret_byte)
{
    static const char letters[] = "rnt0";
    static const char bytes[] = "\r\n\t\0";
    if (*text == 'x') {
        char digits[3] = {text[1], text[1] ? text[2] : '\0', '\0'};
        *ret_byte = (char)strtoul(digits, NULL, 16);
        return 3;
    }
    const char *letter = *text ? strchr(letters, *text) : NULL;
    *ret_byte = letter ? bytes[letter - letters] : *text;
    return 1;
}

/* {N*text} behind its brace: decoded text, N times. */
static const char *decode_repeated(const char *text, char *into, size_t room, size_t *length)
{
    char piece[CASE_LINE_BYTES];
    char *star;
    unsigned long times = strtoul(text, &star, 10);
    const char *end = strchr(star, '}');
    ck_assert_msg(*star == '*' && end, "{N*text} is malformed: %s", text);
    ck_assert_uint_lt((size_t)(end - star), sizeof piece);
    memcpy(piece, star + 1, (size_t)(end - star - 1));
    piece[end - star - 1] = '\0';
    for (unsigned long i = 0; i < times; i++)
        *length += http_cases_decode(piece, into + *length, room - *length);
    return end + 1;
}

size_t http_cases_decode(const char *text, char *into, size_t room)
{
    size_t length = 0;
    while (*text && *text != '\n') {
        ck_assert_msg(length < room, "the input of a case is too long");
        if (*text == '\\')
            text += 1 + decode_escape(text + 1, &into[length++]);
        else if (*text == '{')
            text = decode_repeated(text + 1, into, room, &length);
        else
            into[length++] = *text++;
    }
    return length;
}

const char *http_cases_word(const char *words, char *word)
{
    words += strspn(words, " ");
    size_t length = strcspn(words, " ");
    memcpy(word, words, length);
    word[length] = '\0';
    return length > 0 ? words + length : NULL;
}

unsigned long http_cases_number(const char *words, const char *key, unsigned long otherwise)
{
    char word[CASE_LINE_BYTES];
    size_t length = strlen(key);
    while ((words = http_cases_word(words, word))) {
        if (strncmp(word, key, length) == 0 && word[length] == '=')
            return strtoul(word + length + 1, NULL, 10);
    }
    return otherwise;
}

static void copy_line(char *into, const char *from)
{
    size_t length = strcspn(from, "\n");
    memcpy(into, from, length);
    into[length] = '\0';
}

/* One line of the table; true: it was the last of its case. */
static bool take_line(struct text_case *text_case, const char *text, unsigned line)
{
    if (*text == '#' || *text == '\n')
        return false;
    if (strncmp(text, "case ", 5) == 0) {
        ck_assert_msg(text_case->name[0] == '\0', "line %u: the case before has no `is`", line);
        copy_line(text_case->name, text + 5);
        text_case->line = line;
    } else if (strncmp(text, "with ", 5) == 0) {
        copy_line(text_case->with, text + 5);
    } else if (strncmp(text, "| ", 2) == 0) {
        text_case->length += http_cases_decode(text + 2, text_case->input + text_case->length,
                                               sizeof text_case->input - text_case->length);
    } else if (strncmp(text, "is ", 3) == 0) {
        copy_line(text_case->expected, text + 3);
        return true;
    } else {
        ck_abort_msg("line %u is neither case, with, |, is nor #: %s", line, text);
    }
    return false;
}

unsigned http_cases_run(const char *file, void (*check)(const struct text_case *text_case))
{
    static struct text_case text_case;
    char text[CASE_LINE_BYTES];
    char path[CASE_LINE_BYTES];
    unsigned count = 0;
    unsigned line = 0;
    const char *source = getenv("LB_SOURCE");
    snprintf(path, sizeof path, "%.900s/tests/cases/%.100s", source ? source : ".", file);
    FILE *table = fopen(path, "r");
    ck_assert_msg(table != NULL, "%s cannot be read", path);
    memset(&text_case, 0, sizeof text_case);
    while (fgets(text, sizeof text, table)) {
        ck_assert_msg(strchr(text, '\n') != NULL, "line %u of %s is too long", line + 1, path);
        if (!take_line(&text_case, text, ++line))
            continue;
        check(&text_case);
        memset(&text_case, 0, sizeof text_case);
        count++;
    }
    fclose(table);
    ck_assert_msg(text_case.name[0] == '\0', "the last case of %s has no `is`", path);
    return count;
}
