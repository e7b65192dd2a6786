/* SPDX-License-Identifier: Apache-2.0 */
/* Reads an expression from its beginning up to the first byte that is not simply itself. */
#include "listeners/load/rule_literal.h"

#include <ctype.h>
#include <string.h>

/* Alternatives, options and quotes could mean that a literal beginning is none. */
static bool is_plain_to_see(const char *pattern)
{
    return !strchr(pattern, '|') && !strstr(pattern, "(?") && !strstr(pattern, "(*") &&
           !strstr(pattern, "\\Q");
}

/* The byte that stands for itself at `at`; returns how many bytes spell it, 0: none does. */
static size_t read_byte(const char *at, char *ret_byte)
{
    bool is_escaped = at[0] == '\\';
    *ret_byte = is_escaped ? at[1] : at[0];
    if (*ret_byte == '\0' || (is_escaped && isalnum((unsigned char)at[1])))
        return 0;
    if (!is_escaped && strchr("^$.[(?*+{\\", at[0]))
        return 0;
    return is_escaped ? 2 : 1;
}

/* returns what stands behind the literal text */
static const char *read_text(struct rule_literal *literal, const char *at)
{
    char byte;
    size_t width;
    while ((width = read_byte(at, &byte)) > 0 && literal->length + 1 < sizeof literal->text) {
        literal->text[literal->length++] = byte;
        at += width;
    }
    if (literal->length > 0 && (*at == '?' || *at == '*' || *at == '{'))
        literal->length--; /* it may be missing */
    literal->text[literal->length] = '\0';
    return at;
}

static bool is_one_of(const char *text, const char *const *words)
{
    while (*words && strcmp(*words, text) != 0)
        words++;
    return *words != NULL;
}

static void lower(char *text)
{
    for (; *text; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text + ('a' - 'A'));
}

void rule_literal_read(struct rule_literal *literal, const char *pattern, bool any_case)
{
    static const char *const anything[] = {"", ".*", ".*$", "(.*)", "(.*)$", NULL};
    static const char *const something[] = {".", ".+", ".+$", "(.+)", "(.+)$", NULL};
    *literal = (struct rule_literal){.length = 0};
    if (!is_plain_to_see(pattern))
        return;
    bool is_anchored = *pattern == '^';
    const char *rest = read_text(literal, pattern + is_anchored);
    bool goes_on = is_one_of(rest, anything);
    bool is_empty = literal->length == 0 && rest == pattern + is_anchored;
    literal->takes_names = is_empty && (goes_on || is_one_of(rest, something) ||
                                        (!is_anchored && strcmp(rest, "$") == 0));
    literal->takes_paths = literal->takes_names ||
                           (goes_on && strcmp(literal->text, "/") == 0 && literal->length == 1);
    literal->is_whole = is_anchored && goes_on;
    if (!is_anchored)
        literal->length = 0;
    literal->text[literal->length] = '\0';
    if (any_case)
        lower(literal->text);
}
