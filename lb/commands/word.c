/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/word.h"

#include <stdio.h>
#include <string.h>

#include "lb/base/nearest.h"
#include "lb/base/option.h"
#include "lb/base/utf8.h"
#include "lb/commands/commands.h"
#include "listeners/registry/issuer.h"

bool word_is_one_of(const char *verb, const char *option, const char *word,
                    const char *const *words)
{
    struct nearest nearest = nearest_to(word);
    char all[256];
    size_t used = 0;
    all[0] = '\0';
    for (size_t i = 0; words[i]; i++) {
        if (strcmp(word, words[i]) == 0)
            return true;
        nearest_offer(&nearest, words[i]);
        if (used < sizeof all)
            used +=
                (size_t)snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", words[i]);
    }
    if (nearest.best)
        command_misused(verb, "%s \"%s\" is unknown: did you mean %s?", option, word, nearest.best);
    else
        command_misused(verb, "%s \"%s\" is unknown: it is one of %s", option, word, all);
    return false;
}

bool word_is_key_kind(const char *verb, const char *word)
{
    const char *names[KEY_KIND_COUNT + 1] = {0};
    for (int i = 0; i < KEY_KIND_COUNT; i++)
        names[i] = key_kind_name((enum key_kind)i);
    return word_is_one_of(verb, "--key", word, names);
}

bool word_is_number(const char *verb, const char *option, const char *word, unsigned least,
                    unsigned most, unsigned *ret_number)
{
    int64_t number;
    if (option_parse_number(word, &number) && number >= least && number <= most) {
        *ret_number = (unsigned)number;
        return true;
    }
    command_misused(verb, "%s \"%s\": write a whole number from %u to %u", option, word, least,
                    most);
    return false;
}

bool word_is_switch(const char *verb, const char *option, const char *word, bool *ret_on)
{
    if (option_parse_switch(word, ret_on))
        return true;
    command_misused(verb, "%s \"%s\": write yes or no", option, word);
    return false;
}

bool word_is_serial(const char *verb, const char *word)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    size_t length = strlen(word);
    if (strspn(word, "0123456789abcdefABCDEF:") == length && strpbrk(word, digits) && length <= 128)
        return true;
    command_misused(verb,
                    "\"%.200s\" is no serial number: write its hex digits, as lb cert list "
                    "shows them",
                    word);
    return false;
}

bool word_is_utf8(const char *text)
{
    for (size_t left = strlen(text); left > 0;) {
        size_t length = utf8_length(text, left);
        if (length == 0)
            return false;
        text += length;
        left -= length;
    }
    return true;
}

bool word_is_text(const char *verb, const char *option, const char *word)
{
    if (!word || word_is_utf8(word))
        return true;
    command_misused(verb, "what %s says is no UTF-8 text", option);
    return false;
}
