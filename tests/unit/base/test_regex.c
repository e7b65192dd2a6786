/* SPDX-License-Identifier: Apache-2.0 */
/* What matches, what is refused at load, and what takes too long to be decided. */
#include "lb/base/regex.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "lb/base/error.h"
#include "lb/base/limits.h"
#include "tests/support/check_main.h"

static enum regex_outcome match_bytes(const char *pattern, enum regex_case letters,
                                      struct slice text)
{
    struct error err = {0};
    struct regex_room room = {0};
    struct regex *regex = regex_new(pattern, letters, &err);
    ck_assert_msg(regex, "%s", err.text);
    enum regex_outcome outcome = regex_match(regex, text, &room);
    ck_assert_int_eq(regex_match(regex, text, &room), outcome); /* the room may be used again */
    regex_room_done(&room);
    regex_free(regex);
    return outcome;
}

/* clang-format off */
static const struct {
    const char *pattern;
    enum regex_case letters;
    const char *text;
    enum regex_outcome outcome;
} matches[] = {
    {"^/abc", REGEX_AS_WRITTEN, "/abcdef", REGEX_MATCHES},
    {"^/abc$", REGEX_AS_WRITTEN, "/abcdef", REGEX_DIFFERS},
    {"bcd", REGEX_AS_WRITTEN, "/abcdef", REGEX_MATCHES},
    {"BCD", REGEX_AS_WRITTEN, "/abcdef", REGEX_DIFFERS},
    {"BCD", REGEX_ANY_CASE, "/abcdef", REGEX_MATCHES},
    {"\\.(?:php|cgi)$", REGEX_AS_WRITTEN, "/x/index.php", REGEX_MATCHES},
    {"\\.(?:php|cgi)$", REGEX_AS_WRITTEN, "/x/index.phps", REGEX_DIFFERS},
    {"(a)(b)(c)(d)\\4\\3", REGEX_AS_WRITTEN, "abcddc", REGEX_MATCHES}, /* more groups than room */
    {"^(?=.*x)(?!.*y)", REGEX_AS_WRITTEN, "abx", REGEX_MATCHES},
    {"(?<!/private)/x$", REGEX_AS_WRITTEN, "/private/x", REGEX_DIFFERS},
    {"$", REGEX_AS_WRITTEN, "", REGEX_MATCHES},
    {"x$", REGEX_AS_WRITTEN, "x\n", REGEX_DIFFERS}, /* the very end, not before a line's */
    {"^a", REGEX_AS_WRITTEN, "b\na", REGEX_DIFFERS},
    {"^..$", REGEX_AS_WRITTEN, "\xc3\xbc", REGEX_MATCHES}, /* bytes, not letters */
    {"\xc3\x9c", REGEX_ANY_CASE, "\xc3\xbc", REGEX_DIFFERS},
};
/* clang-format on */

START_TEST(an_expression_matches_bytes_anywhere)
{
    ck_assert_int_eq(
        match_bytes(matches[_i].pattern, matches[_i].letters, slice_of(matches[_i].text)),
        matches[_i].outcome);
}
END_TEST

START_TEST(a_text_may_hold_any_byte)
{
    char text[256];
    for (unsigned i = 0; i < sizeof text; i++)
        text[i] = (char)i;
    ck_assert_int_eq(
        match_bytes("^\\x00\\x01.*\\xff$(?#)", REGEX_AS_WRITTEN, (struct slice){text, sizeof text}),
        REGEX_DIFFERS); /* "." is no newline */
    ck_assert_int_eq(
        match_bytes("(?s)^\\x00\\x01.*\\xff$", REGEX_AS_WRITTEN, (struct slice){text, sizeof text}),
        REGEX_MATCHES);
    ck_assert_int_eq(match_bytes("^$", REGEX_AS_WRITTEN, (struct slice){NULL, 0}), REGEX_MATCHES);
}
END_TEST

/* clang-format off */
static const struct {
    const char *pattern;
    const char *says;
} faults[] = {
    {"^/(abc", "\"^/(abc\" is wrong at its byte 7: missing closing parenthesis"},
    {"abc)", ": unmatched closing parenthesis"},
    {"[a-", "is wrong at its byte 4: missing terminating ]"},
    {"*", ": quantifier does not follow a repeatable item"},
    {"a\\", "is wrong at its byte 3"},
    {"(?<n>a)(?<n>b)", "is wrong at its byte"},
    {"(*UTF)\xc3\xbc", "is wrong at its byte"},
    {"(*UCP)a", "is wrong at its byte"},
    {"\\C", "is wrong at its byte"},
    {"(((((((a{0,999}){0,999}){0,999}){0,999})))))", "is wrong at its byte"},
    {"(?<=a*)b", "is wrong at its byte"},
};
/* clang-format on */

START_TEST(a_wrong_expression_is_refused_with_the_place)
{
    struct error err = {0}, again = {0};
    ck_assert_ptr_null(regex_new(faults[_i].pattern, REGEX_AS_WRITTEN, &err));
    ck_assert_msg(strstr(err.text, faults[_i].says), "%s", err.text);
    ck_assert_ptr_nonnull(strstr(err.text, "\" is wrong at its byte "));
    ck_assert(!regex_check(faults[_i].pattern, REGEX_AS_WRITTEN, &again));
    ck_assert_str_eq(again.text, err.text);
    ck_assert_ptr_null(regex_new(faults[_i].pattern, REGEX_ANY_CASE, NULL));
}
END_TEST

/* What must not stand where it stands: PCRE2 names its place, newer versions the one behind it. */
START_TEST(the_place_is_of_what_is_wrong)
{
    struct error err = {0};
    ck_assert(!regex_check("abc)", REGEX_AS_WRITTEN, &err));
    ck_assert_msg(strstr(err.text, "byte 4:") || strstr(err.text, "byte 5:"), "%s", err.text);
    ck_assert(!regex_check("ab|*c", REGEX_AS_WRITTEN, &err));
    ck_assert_msg(strstr(err.text, "byte 4:") || strstr(err.text, "byte 5:"), "%s", err.text);
}
END_TEST

/* Odd patterns of every kind: each is taken or refused with words, none does harm. */
START_TEST(no_pattern_does_harm)
{
    static const char alphabet[] = "ab/.^$*+?()[]{}|\\-,0129<>=!:#'&(?*PRUE";
    uint32_t seed = 4711;
    unsigned good = 0, bad = 0;
    for (unsigned round = 0; round < 4000; round++) {
        char pattern[24] = "";
        size_t length = 1 + round % (sizeof pattern - 1);
        for (size_t i = 0; i < length; i++) {
            seed = seed * 1664525 + 1013904223;
            pattern[i] = alphabet[(seed >> 16) % (sizeof alphabet - 1)];
        }
        struct error err = {0};
        struct regex_room room = {0};
        struct regex *regex = regex_new(pattern, REGEX_ANY_CASE, &err);
        ck_assert_int_eq(regex_check(pattern, REGEX_ANY_CASE, NULL), regex != NULL);
        if (regex)
            (void)regex_match(regex, slice_of("/ab/a.b/0129aaaaaaaaaaaaaaaaaaaaaaaaaaab"), &room);
        else
            ck_assert_msg(strstr(err.text, "is wrong at its byte"), "%s: %s", pattern, err.text);
        good += regex != NULL;
        bad += regex == NULL;
        regex_room_done(&room);
        regex_free(regex);
    }
    ck_assert_uint_gt(good, 100);
    ck_assert_uint_gt(bad, 100);
}
END_TEST

/* clang-format off */
static const struct {
    const char *pattern;
    char fill;
    const char *tail;
    size_t length;
    enum regex_outcome outcome;
} efforts[] = {
    /* exponential, or of a high power: nobody waits for them */
    {"^(?:[a-z]|[a-z])*[0-9]", 'a', "!", 100, REGEX_UNDECIDED},
    {"^(?:.*a){8}[0-9]", 'a', "!", 100, REGEX_UNDECIDED},
    {"[a-z]*[a-z]*[a-z]*[0-9]", 'a', "!", 8000, REGEX_UNDECIDED},
    {"(*NO_JIT)^(?:[a-z]|[a-z])*[0-9]", 'a', "!", 100, REGEX_UNDECIDED},
    {"(*NO_JIT)^(?:(?:(?:(?:a|b)|c)|d)|e)*[0-9]", 'a', "!", 8000, REGEX_UNDECIDED},
    {"(*LIMIT_MATCH=3)^a*a*a*[bx]", 'a', "c", 60, REGEX_UNDECIDED},
    /* the same on a text that is soon decided */
    {"^(?:[a-z]|[a-z])*[0-9]", 'a', "7", 100, REGEX_MATCHES},
    {"[a-z]*[a-z]*[a-z]*[0-9]", 'a', "!", 40, REGEX_DIFFERS},
    /* honest ones, on the longest path */
    {"\\.(?:php|cgi)$", '.', ".php", 8000, REGEX_MATCHES},
    {"\\.(?:php|cgi)$", '.', ".pht", 8000, REGEX_DIFFERS},
    {"/.*[0-9]$", 'a', "7", 8000, REGEX_MATCHES},
    {"^/.*/[0-9]+$", '/', "!", 8000, REGEX_DIFFERS},
    {"^(?:a|b)*$", 'a', "b", 8000, REGEX_MATCHES}, /* more than the stack of machine code */
    {"(*NO_JIT)^(?:a|b)*$", 'a', "b", 8000, REGEX_MATCHES},
    {"(*NO_JIT)/.*[0-9]$", 'a', "7", 8000, REGEX_MATCHES},
};
/* clang-format on */

START_TEST(what_takes_too_long_is_undecided_and_what_is_honest_is_decided)
{
    static char text[8192];
    size_t length = efforts[_i].length, tail = strlen(efforts[_i].tail);
    memset(text, efforts[_i].fill, length);
    memcpy(text + length - tail, efforts[_i].tail, tail);
    if (strchr(efforts[_i].pattern, '/') && efforts[_i].fill != '.')
        text[0] = '/';
    ck_assert_int_eq(
        match_bytes(efforts[_i].pattern, REGEX_AS_WRITTEN, (struct slice){text, length}),
        efforts[_i].outcome);
}
END_TEST

START_TEST(who_asks_many_times_has_a_share_of_the_patience)
{
    static char text[8000];
    struct regex_room room = {.share = 32};
    struct regex *honest = regex_new("/.*[0-9]$", REGEX_AS_WRITTEN, NULL);
    struct regex *anchored = regex_new("^/.*[0-9]$", REGEX_AS_WRITTEN, NULL);
    memset(text, '/', sizeof text);
    ck_assert_int_eq(regex_match(anchored, (struct slice){text, sizeof text}, &room),
                     REGEX_DIFFERS);
    ck_assert_int_eq(regex_match(honest, (struct slice){text, 100}, &room), REGEX_DIFFERS);
    ck_assert_int_eq(regex_match(honest, (struct slice){text, sizeof text}, &room),
                     REGEX_UNDECIDED);
    room.share = 0;
    ck_assert_int_eq(regex_match(honest, (struct slice){text, sizeof text}, &room), REGEX_DIFFERS);
    regex_room_done(&room);
    regex_free(honest);
    regex_free(anchored);
}
END_TEST

/* --- threads -------------------------------------------------------------------------------- */

static void *match_often(void *argument)
{
    const struct regex *regex = argument;
    struct regex_room room = {0};
    uintptr_t wrong = 0;
    for (unsigned i = 0; i < 2000; i++) {
        wrong += regex_match(regex, slice_of("/app/aaaaaaaaaa/7"), &room) != REGEX_MATCHES;
        wrong += regex_match(regex, slice_of("/app/aaaaaaaaaa/x"), &room) != REGEX_DIFFERS;
    }
    regex_room_done(&room);
    return (void *)wrong;
}

START_TEST(threads_share_an_expression)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    struct regex *regex = regex_new("^/(app|x)/([a-z]+)/[0-9]$", REGEX_AS_WRITTEN, NULL);
    for (unsigned i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, match_often, regex), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        void *wrong;
        ck_assert_int_eq(pthread_join(threads[i], &wrong), 0);
        ck_assert_ptr_null(wrong);
    }
    regex_free(regex);
}
END_TEST

START_TEST(nothing_is_freed_without_harm)
{
    regex_free(NULL);
    regex_room_done(&(struct regex_room){0});
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, an_expression_matches_bytes_anywhere, 0,
                        sizeof matches / sizeof *matches);
    tcase_add_test(tcase, a_text_may_hold_any_byte);
    tcase_add_loop_test(tcase, a_wrong_expression_is_refused_with_the_place, 0,
                        sizeof faults / sizeof *faults);
    tcase_add_test(tcase, the_place_is_of_what_is_wrong);
    tcase_add_test(tcase, no_pattern_does_harm);
    tcase_add_loop_test(tcase, what_takes_too_long_is_undecided_and_what_is_honest_is_decided, 0,
                        sizeof efforts / sizeof *efforts);
    tcase_add_test(tcase, who_asks_many_times_has_a_share_of_the_patience);
    tcase_add_test(tcase, threads_share_an_expression);
    tcase_add_test(tcase, nothing_is_freed_without_harm);
}

CHECK_MAIN("regex", add_tests)
