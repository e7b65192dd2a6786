/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random rules, names and paths: the router must choose what a plain list of the priorities
 * chooses, which walks over all rules and matches expressions with the C library's regexec().
 */
#include "listeners/rules/router.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/limits.h"
#include "lb/base/path.h"
#include "listeners/load/rule_url.h"
#include "tests/support/check_main.h"

enum { ROUNDS = 80, RULES_MOST = 14, ASKED_EACH = 60, TEXT_BYTES = 128 };

struct town {
    struct arena arena;
    struct domain domains[RULES_MOST];
    struct rule_options options[RULES_MOST];
    struct rule rules[RULES_MOST];
    unsigned count;
    struct router *router;
};

/* --- chance --------------------------------------------------------------------------------- */

static uint32_t seed;

static unsigned chance(unsigned most)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 16) % most;
}

#define ANY_OF(words) (words)[chance(sizeof(words) / sizeof *(words))]

/* --- expressions, as the C library sees them -------------------------------------------------- */

static bool expression_matches(const char *pattern, bool any_case, const char *text)
{
    regex_t compiled;
    ck_assert_int_eq(
        regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB | (any_case ? REG_ICASE : 0)), 0);
    bool matches = regexec(&compiled, text, 0, NULL, 0) == 0;
    regfree(&compiled);
    return matches;
}

/* --- the plain list: paths -------------------------------------------------------------------- */

static bool is_below(const char *url, const char *path)
{
    size_t length = strlen(url);
    if (strncmp(path, url, length) != 0)
        return false;
    return path[length] == '\0' || path[length] == '/' || url[length - 1] == '/';
}

/* "/abc/" for "/abc" */
static bool lacks_slash(const char *url, const char *path)
{
    size_t length = strlen(path);
    return length > 1 && strncmp(url, path, length) == 0 && strcmp(url + length, "/") == 0;
}

struct choice {
    enum route route;
    const struct rule *rule;
};

static struct choice longest_prefix(const struct town *town, const char *path)
{
    struct choice choice = {ROUTE_NONE, NULL};
    size_t longest = 0;
    bool is_there = false;
    for (unsigned i = 0; i < town->count; i++) {
        struct rule_url url = rule_url_split(town->options[i].url);
        if (!rule_url_is_prefix(url.kind))
            continue;
        is_there |= strcmp(url.text.at, path) == 0;
        if (!is_below(url.text.at, path) || url.text.length <= longest)
            continue;
        longest = url.text.length;
        choice = (struct choice){ROUTE_FOUND, &town->rules[i]};
    }
    for (unsigned i = 0; i < town->count && !is_there; i++) {
        struct rule_url url = rule_url_split(town->options[i].url);
        if (rule_url_is_prefix(url.kind) && lacks_slash(url.text.at, path))
            choice = (struct choice){ROUTE_SLASH, &town->rules[i]};
    }
    return choice;
}

static struct choice list_choice(const struct town *town, const char *path)
{
    for (unsigned i = 0; i < town->count; i++) {
        struct rule_url url = rule_url_split(town->options[i].url);
        if (url.kind == RULE_URL_EXACT && strcmp(url.text.at, path) == 0)
            return (struct choice){ROUTE_FOUND, &town->rules[i]};
    }
    struct choice prefix = longest_prefix(town, path);
    if (prefix.rule && rule_url_split(prefix.rule->options->url).kind == RULE_URL_FINAL)
        return prefix;
    for (unsigned i = 0; i < town->count; i++) {
        struct rule_url url = rule_url_split(town->options[i].url);
        if (rule_url_is_regex(url.kind) &&
            expression_matches(url.text.at, url.kind == RULE_URL_REGEX_ANY_CASE, path))
            return (struct choice){ROUTE_FOUND, &town->rules[i]};
    }
    return prefix;
}

/* Every way to read it, whether or not it is a doubt here. */
static struct choice list_choice_of_all(const struct town *town, const char *path)
{
    enum { ALL_WAYS = PATH_EAGER | PATH_DOTS };
    struct choice first = {ROUTE_NONE, NULL};
    for (unsigned ways = 0; ways <= ALL_WAYS; ways++) {
        char bytes[TEXT_BYTES];
        struct slice reading;
        if (path_read(slice_of(path), ways, bytes, sizeof bytes - 1, &reading) != PATH_FINE)
            return (struct choice){ROUTE_AMBIGUOUS, NULL};
        bytes[reading.length] = '\0';
        struct choice choice = list_choice(town, bytes);
        if (ways == 0)
            first = choice;
        if (choice.route != first.route || choice.rule != first.rule)
            return (struct choice){ROUTE_AMBIGUOUS, NULL};
    }
    return first;
}

/* --- random rules and paths ------------------------------------------------------------------- */

static void path_make(char *into, const char *const *segments, unsigned count)
{
    size_t used = 0;
    unsigned depth = 1 + chance(4);
    for (unsigned i = 0; i < depth; i++)
        used += (size_t)snprintf(into + used, TEXT_BYTES - used, "/%s", segments[chance(count)]);
    if (chance(3) == 0)
        snprintf(into + used, TEXT_BYTES - used, "/");
}

static void url_make(char *into)
{
    static const char *const segments[] = {"a", "b", "ab"};
    static const char *const marks[] = {"", "", "", "^~", "="};
    static const char *const expressions[] = {"~ ^/a",       "~ b$",   "~* AB",
                                              "~ ^/[ab]+/b", "~ /$",   "~ a/b",
                                              "~ ^/b(/|$)",  "~ .{9}", "~* ^/A/B$"};
    char path[TEXT_BYTES] = "/";
    if (chance(4) == 0) {
        snprintf(into, TEXT_BYTES, "%s", ANY_OF(expressions));
        return;
    }
    if (chance(6) > 0)
        path_make(path, segments, 3);
    if (strcmp(path, "//") == 0)
        path[1] = '\0';
    snprintf(into, TEXT_BYTES, "%s%s", ANY_OF(marks), path);
}

static bool is_same_url(const char *one, const char *other)
{
    struct rule_url a = rule_url_split(one), b = rule_url_split(other);
    bool same_kind = a.kind == b.kind || (rule_url_is_prefix(a.kind) && rule_url_is_prefix(b.kind));
    return same_kind && strcmp(a.text.at, b.text.at) == 0;
}

static void add_rule(struct town *town, const char *url)
{
    for (unsigned i = 0; i < town->count; i++)
        if (is_same_url(town->options[i].url, url))
            return;
    town->options[town->count].url = arena_copy(&town->arena, url);
    town->rules[town->count] = (struct rule){.options = &town->options[town->count],
                                             .domain = &town->domains[0],
                                             .name = town->options[town->count].url};
    town->count++;
}

static const char *const asked_segments[] = {"a",   "b",    "ab",     "a",       "b",   "A",
                                             "%61", "c",    ".",      "..",      "a;x", "a%2Fb",
                                             "",    "a\\b", "%2e%2e", "aaaaaaaa"};

START_TEST(every_path_chooses_what_the_list_of_priorities_chooses)
{
    unsigned seen[ROUTE_UNDECIDED + 1] = {0};
    seed = 1;
    for (unsigned round = 0; round < ROUNDS; round++) {
        static struct town town;
        memset(&town, 0, sizeof town);
        town.domains[0].pattern = "";
        unsigned wanted = 1 + chance(RULES_MOST - 1);
        for (unsigned i = 0; i < wanted; i++) {
            char url[TEXT_BYTES];
            url_make(url);
            add_rule(&town, url);
        }
        town.router = router_new(town.domains, 1, town.rules, town.count, 0, &town.arena);
        for (unsigned i = 0; i < ASKED_EACH; i++) {
            char path[TEXT_BYTES];
            const struct rule *rule = NULL;
            path_make(path, asked_segments, i % 2 ? 6 : 16);
            struct choice expected = list_choice_of_all(&town, path);
            enum route route = router_rule(town.router, &town.domains[0], slice_of(path), &rule);
            ck_assert_msg(route == expected.route && rule == expected.rule,
                          "round %u, %s: %d %s instead of %d %s", round, path, route,
                          rule ? rule->name : "-", expected.route,
                          expected.rule ? expected.rule->name : "-");
            seen[route]++;
        }
        router_done(town.router);
        arena_done(&town.arena);
    }
    ck_assert_uint_gt(seen[ROUTE_FOUND], ROUNDS);
    ck_assert_uint_gt(seen[ROUTE_SLASH], ROUNDS / 4);
    ck_assert_uint_gt(seen[ROUTE_NONE], ROUNDS);
    ck_assert_uint_gt(seen[ROUTE_AMBIGUOUS], ROUNDS);
    ck_assert_uint_eq(seen[ROUTE_UNDECIDED], 0);
}
END_TEST

/* --- the plain list: names -------------------------------------------------------------------- */

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool ends(const char *text, const char *with)
{
    size_t length = strlen(text), tail = strlen(with);
    return length > tail && strcmp(text + length - tail, with) == 0;
}

/* How good a pattern is for a name: 0 does not match, more is better. Exact 4000, *.x 3000, x.*
 * 2000, each with the length of what it says, and expressions 1000 less their place. */
static int fitness(const char *pattern, unsigned place, const char *name)
{
    int length = (int)strlen(pattern);
    if (*pattern == '~')
        return expression_matches(pattern + 1, true, name) ? 1000 - (int)place : 0;
    if (*pattern == '*')
        return ends(name, pattern + 1) ? 3000 + length : 0;
    if (pattern[length - 1] != '*')
        return strcmp(pattern, name) == 0 ? 4000 : 0;
    char head[TEXT_BYTES];
    snprintf(head, sizeof head, "%.*s", length - 1, pattern);
    return begins(name, head) && strlen(name) > strlen(head) ? 2000 + length : 0;
}

static const struct domain *list_domain(const struct town *town, const char *name)
{
    const struct domain *best = &town->domains[0]; /* the default */
    int fittest = 0;
    for (unsigned i = 0; i < town->count; i++) {
        int fits = fitness(town->domains[i].pattern, i, name);
        if (fits > fittest) {
            fittest = fits;
            best = &town->domains[i];
        }
    }
    return best;
}

static void name_make(char *into)
{
    static const char *const labels[] = {"www", "a", "b", "com", "org"};
    size_t used = 0;
    unsigned count = 1 + chance(4);
    for (unsigned i = 0; i < count; i++)
        used += (size_t)snprintf(into + used, TEXT_BYTES - used, "%s%s", i > 0 ? "." : "",
                                 ANY_OF(labels));
}

static void pattern_make(char *into)
{
    static const char *const expressions[] = {"~^www", "~com$", "~A\\.b", "~^[ab.]+$", "~org"};
    char name[TEXT_BYTES];
    name_make(name);
    unsigned kind = chance(5);
    if (kind == 0)
        snprintf(into, TEXT_BYTES, "%s", ANY_OF(expressions));
    else
        snprintf(into, TEXT_BYTES, "%s%.100s%s", kind == 1 ? "*." : "", name,
                 kind == 2 ? ".*" : "");
}

static void add_domain(struct town *town, const char *pattern)
{
    for (unsigned i = 0; i < town->count; i++)
        if (strcmp(town->domains[i].pattern, pattern) == 0)
            return;
    town->domains[town->count] =
        (struct domain){.pattern = arena_copy(&town->arena, pattern), .index = town->count};
    town->options[town->count].url = "/";
    town->rules[town->count] = (struct rule){.options = &town->options[town->count],
                                             .domain = &town->domains[town->count]};
    town->count++;
}

START_TEST(every_name_chooses_what_the_list_of_priorities_chooses)
{
    unsigned defaults = 0;
    seed = 2;
    for (unsigned round = 0; round < ROUNDS; round++) {
        static struct town town;
        memset(&town, 0, sizeof town);
        unsigned wanted = 1 + chance(RULES_MOST - 1);
        for (unsigned i = 0; i < wanted; i++) {
            char pattern[TEXT_BYTES];
            pattern_make(pattern);
            add_domain(&town, pattern);
        }
        town.router = router_new(town.domains, town.count, town.rules, town.count, 0, &town.arena);
        for (unsigned i = 0; i < ASKED_EACH; i++) {
            char name[TEXT_BYTES];
            name_make(name);
            const struct domain *expected = list_domain(&town, name);
            const struct domain *found = router_domain(town.router, slice_of(name));
            ck_assert_msg(found == expected, "round %u, %s: %s instead of %s", round, name,
                          found->pattern, expected->pattern);
            defaults += found == &town.domains[0];
        }
        router_done(town.router);
        arena_done(&town.arena);
    }
    ck_assert_uint_gt(defaults, ROUNDS);
    ck_assert_uint_lt(defaults, ROUNDS * ASKED_EACH * 4 / 5);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, every_path_chooses_what_the_list_of_priorities_chooses);
    tcase_add_test(tcase, every_name_chooses_what_the_list_of_priorities_chooses);
}

CHECK_MAIN("router priorities", add_tests)
