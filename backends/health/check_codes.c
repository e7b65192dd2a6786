/* SPDX-License-Identifier: Apache-2.0 */
/* A set of status codes: one bit for each. */
#include "backends/health/check_codes.h"

#include "lb/base/error.h"

enum { CODE_CHARACTERS = 3 };

struct code_range {
    unsigned least;
    unsigned most;
};

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_x(char byte)
{
    return byte == 'x' || byte == 'X';
}

/* "204" or "2xx", at the beginning of `text`. */
static bool read_end(const char *text, struct code_range *ret_range)
{
    if (text[0] < '1' || text[0] > '5')
        return false;
    unsigned hundreds = (unsigned)(text[0] - '0') * 100;
    if (is_x(text[1]) && is_x(text[2])) {
        *ret_range = (struct code_range){hundreds, hundreds + 99};
        return true;
    }
    if (!is_digit(text[1]) || !is_digit(text[2]))
        return false;
    unsigned code = hundreds + (unsigned)(text[1] - '0') * 10 + (unsigned)(text[2] - '0');
    *ret_range = (struct code_range){code, code};
    return true;
}

static bool read_word(const char *word, struct code_range *ret_range)
{
    struct code_range last;
    if (!read_end(word, ret_range))
        return false;
    const char *rest = word + CODE_CHARACTERS;
    if (*rest == '\0')
        return true;
    if (*rest != '-' || !read_end(rest + 1, &last) || rest[1 + CODE_CHARACTERS] != '\0')
        return false;
    ret_range->most = last.most;
    return true;
}

bool check_codes_add(struct check_codes *codes, const char *word, struct error *err)
{
    struct code_range range;
    if (!read_word(word, &range))
        return error_set(err,
                         "\"%s\" names no status codes: write a code from %d to %d (204), a class "
                         "(2xx) or a range (200-299, 1xx-4xx)",
                         word, CHECK_CODE_LEAST, CHECK_CODE_MOST);
    if (range.least > range.most)
        return error_set(err, "\"%s\" runs backwards: write %.*s-%.*s", word, CODE_CHARACTERS,
                         word + CODE_CHARACTERS + 1, CODE_CHARACTERS, word);
    for (unsigned code = range.least; code <= range.most; code++)
        codes->bits[code / 64] |= UINT64_C(1) << code % 64;
    return true;
}

bool check_codes_has(const struct check_codes *codes, unsigned status)
{
    return status <= CHECK_CODE_MOST && (codes->bits[status / 64] >> status % 64 & 1) != 0;
}
