/* SPDX-License-Identifier: Apache-2.0 */
/* Status codes as operators write them, with and without slips. */
#include "backends/health/check_codes.h"

#include <string.h>

#include "lb/base/error.h"
#include "tests/support/check_main.h"

/* What a word lets pass: the first and the last code, and all between them. */
static const struct {
    const char *word;
    unsigned least;
    unsigned most;
} words[] = {
    {"200", 200, 200},     {"100", 100, 100},     {"599", 599, 599},     {"2xx", 200, 299},
    {"2XX", 200, 299},     {"5xx", 500, 599},     {"1xx-4xx", 100, 499}, {"200-299", 200, 299},
    {"200-200", 200, 200}, {"200-3xx", 200, 399}, {"2xx-404", 200, 404}, {"4xx-4xx", 400, 499},
};

START_TEST(a_word_names_these_codes_and_no_others)
{
    struct check_codes codes = {0};
    ck_assert(check_codes_add(&codes, words[_i].word, NULL));
    for (unsigned code = 0; code < 1000; code++) {
        bool is_named = code >= words[_i].least && code <= words[_i].most;
        ck_assert_msg(check_codes_has(&codes, code) == is_named, "%s: %u", words[_i].word, code);
    }
}
END_TEST

START_TEST(words_add_up)
{
    struct check_codes codes = {0};
    ck_assert(check_codes_add(&codes, "204", NULL));
    ck_assert(check_codes_add(&codes, "3xx", NULL));
    ck_assert(check_codes_has(&codes, 204));
    ck_assert(check_codes_has(&codes, 301));
    ck_assert(!check_codes_has(&codes, 200));
}
END_TEST

static const struct {
    const char *word;
    const char *told;
} slips[] = {
    {"", "names no status codes"},
    {"20", "names no status codes"},
    {"2000", "names no status codes"},
    {"099", "from 100 to 599"},
    {"600", "from 100 to 599"},
    {"6xx", "from 100 to 599"},
    {"2x0", "names no status codes"},
    {"20x", "names no status codes"},
    {"xxx", "names no status codes"},
    {"ok", "a class (2xx)"},
    {"200,204", "names no status codes"},
    {"200-", "names no status codes"},
    {"-200", "names no status codes"},
    {"200-2", "names no status codes"},
    {"200-299-", "names no status codes"},
    {"200--299", "names no status codes"},
    {"299-200", "\"299-200\" runs backwards: write 200-299"},
    {"4xx-1xx", "\"4xx-1xx\" runs backwards: write 1xx-4xx"},
};

START_TEST(a_slip_is_told_with_what_would_be_right_and_adds_nothing)
{
    struct check_codes codes = {0};
    struct error err = {""};
    ck_assert(!check_codes_add(&codes, slips[_i].word, &err));
    ck_assert_msg(strstr(err.text, slips[_i].told), "%s", err.text);
    for (unsigned code = 0; code < 1000; code++)
        ck_assert(!check_codes_has(&codes, code));
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, a_word_names_these_codes_and_no_others, 0,
                        sizeof words / sizeof *words);
    tcase_add_test(tcase, words_add_up);
    tcase_add_loop_test(tcase, a_slip_is_told_with_what_would_be_right_and_adds_nothing, 0,
                        sizeof slips / sizeof *slips);
}

CHECK_MAIN("check codes", add_tests)
