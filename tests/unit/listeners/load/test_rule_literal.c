/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of an expression is true of every text, and what is plain to see is said. */
#include "listeners/load/rule_literal.h"

#include <stdio.h>
#include <string.h>

#include "lb/base/error.h"
#include "lb/base/regex.h"
#include "tests/support/check_main.h"

/* clang-format off */
static const struct {
    const char *pattern;
    bool any_case;
    const char *text;
    bool is_whole, takes_paths, takes_names;
} rows[] = {
    {"^/api", false, "/api", true, false, false},
    {"^/api.*", false, "/api", true, false, false},
    {"^/api.*$", false, "/api", true, false, false},
    {"^/api(.*)$", false, "/api", true, false, false},
    {"^/v1\\.0/", false, "/v1.0/", true, false, false},
    {"^/Api", true, "/api", true, false, false},
    {"^/api$", false, "/api", false, false, false},
    {"^/api/[0-9]+", false, "/api/", false, false, false},
    {"^/api(/x)?", false, "/api", false, false, false},
    {"^/apis?", false, "/api", false, false, false},
    {"^/apis*", false, "/api", false, false, false},
    {"^/apis{0,2}", false, "/api", false, false, false},
    {"^/apis+", false, "/apis", false, false, false},
    {"^/a\\d", false, "/a", false, false, false},
    {"^/a.c", false, "/a", false, false, false},
    {"/api", false, "", false, false, false},
    {"\\.php$", false, "", false, false, false},
    {"^/a|^/b", false, "", false, false, false},
    {"^/a|", false, "", false, false, false},
    {"(?i)^/a", false, "", false, false, false},
    {"^(?!/a)/", false, "", false, false, false},
    {"^\\Q/a.b\\E", false, "", false, false, false},
    {"(*NO_JIT)^/a", false, "", false, false, false},
    {"^(/a)", false, "", false, false, false},
    /* everything */
    {"^", false, "", true, true, true},
    {"$", false, "", false, true, true},
    {".", false, "", false, true, true},
    {".*", false, "", false, true, true},
    {".+", false, "", false, true, true},
    {"^.*", false, "", true, true, true},
    {"^.+$", false, "", false, true, true},
    {"^(.*)$", false, "", true, true, true},
    {"/", false, "", false, true, false},
    {"^/", false, "/", true, true, false},
    {"^/.*$", false, "/", true, true, false},
    {"\\/", false, "", false, true, false},
    {"^/(.*)", false, "/", true, true, false},
    /* nearly */
    {"^$", false, "", false, false, false},
    {"^/.", false, "/", false, false, false},
    {"^/?", false, "", false, false, false},
    {"a?.*", false, "", false, false, false},
    {"//", false, "", false, false, false},
};
/* clang-format on */

START_TEST(what_is_plain_to_see_is_said)
{
    struct rule_literal literal;
    rule_literal_read(&literal, rows[_i].pattern, rows[_i].any_case);
    ck_assert_str_eq(literal.text, rows[_i].text);
    ck_assert_uint_eq(literal.length, strlen(rows[_i].text));
    ck_assert_int_eq(literal.is_whole, rows[_i].is_whole);
    ck_assert_int_eq(literal.takes_paths, rows[_i].takes_paths);
    ck_assert_int_eq(literal.takes_names, rows[_i].takes_names);
}
END_TEST

static uint32_t seed = 7;

static void random_text(char *into, size_t room, const char *alphabet)
{
    size_t length = 1;
    for (size_t i = 0; i + 1 < room; i++) {
        seed = seed * 1664525 + 1013904223;
        into[i] = alphabet[(seed >> 16) % strlen(alphabet)];
        length = i;
        if ((seed >> 28) == 0)
            break;
    }
    into[length + 1] = '\0';
}

static void expect_true(const struct rule_literal *literal, const char *pattern,
                        enum regex_outcome outcome, const char *path)
{
    bool begins = strncmp(path, literal->text, literal->length) == 0;
    ck_assert_msg(outcome != REGEX_MATCHES || begins, "%s matches %s, not only %s", pattern, path,
                  literal->text);
    ck_assert_msg(outcome == REGEX_MATCHES || !(literal->is_whole && begins),
                  "%s does not match %s", pattern, path);
    ck_assert_msg(outcome == REGEX_MATCHES || !literal->takes_paths, "%s does not match %s",
                  pattern, path);
}

START_TEST(what_is_said_is_true)
{
    unsigned good = 0, known = 0;
    for (unsigned round = 0; round < 3000; round++) {
        char pattern[12], path[12] = "/";
        struct rule_literal literal;
        struct regex_room room = {0};
        random_text(pattern, sizeof pattern, "/ab^^$.*+?(){}[]|\\-1Q");
        if (round % 2)
            pattern[0] = '^';
        struct regex *regex = regex_new(pattern, REGEX_AS_WRITTEN, NULL);
        rule_literal_read(&literal, pattern, false);
        for (unsigned i = 0; regex && i < 60; i++) {
            random_text(path + 1, sizeof path - 1, "/ab1.");
            expect_true(&literal, pattern, regex_match(regex, slice_of(path), &room), path);
            path[1] = '\0'; /* once in a while, the shortest */
            if (i == 0)
                expect_true(&literal, pattern, regex_match(regex, slice_of(path), &room), path);
        }
        good += regex != NULL;
        known += regex && (literal.length > 0 || literal.takes_paths);
        regex_room_done(&room);
        regex_free(regex);
    }
    ck_assert_uint_gt(good, 500);
    ck_assert_uint_gt(known, 100);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, what_is_plain_to_see_is_said, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tcase, what_is_said_is_true);
}

CHECK_MAIN("rule literal", add_tests)
