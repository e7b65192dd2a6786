/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random sections, hosts and paths: the section that decides must be the one that a plain walk over
 * all of them finds, one after the other, in the file's order.
 */
#include <stdio.h>
#include <string.h>

#include "lb/base/limits.h"
#include "lb/base/path.h"
#include "lb/base/regex.h"
#include "listeners/access/access.h"
#include "listeners/listener.h"
#include "listeners/load/access_section.h"
#include "listeners/load/rule_domain.h"
#include "listeners/rules/router.h"
#include "tests/support/check_main.h"
#include "tests/support/config_folder.h"
#include "tests/support/text.h"

enum { ROUNDS = 60, ASKED_EACH = 120, PATH_BYTES = 256 };

static struct folder folder;

static void begin(void)
{
    config_folder_make(&folder);
}

static void end(void)
{
    folder_remove(&folder);
}

/* --- chance ----------------------------------------------------------------------------------- */

static uint32_t seed;

static unsigned chance(unsigned most)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 16) % most;
}

#define ANY_OF(words) (words)[chance(sizeof(words) / sizeof *(words))]

/* --- the plain walk: one section -------------------------------------------------------------- */

/* One question. */
struct question {
    const struct domain *domain;
    enum refusal verdict;
    struct slice host; /* in the form that is compared */
    struct slice path; /* one reading; at NULL: it cannot be read */
    unsigned share;    /* of the expressions' patience */
};

static bool fits_client(enum access_condition condition, enum refusal verdict)
{
    switch (condition) {
    case ACCESS_VERIFIED:
        return verdict == REFUSAL_NONE;
    case ACCESS_UNVERIFIED:
        return verdict != REFUSAL_NONE;
    case ACCESS_MISSING:
        return verdict == REFUSAL_MISSING;
    case ACCESS_INVALID:
        return verdict != REFUSAL_NONE && verdict != REFUSAL_MISSING;
    }
    return false;
}

static enum regex_outcome match(const char *expression, enum regex_case letters, struct slice text,
                                unsigned share)
{
    struct regex_room room = {.share = share};
    struct regex *regex = regex_new(expression, letters, NULL);
    ck_assert_ptr_nonnull(regex);
    enum regex_outcome outcome = regex_match(regex, text, &room);
    regex_room_done(&room);
    regex_free(regex);
    return outcome;
}

static bool counts(const struct access_section *section, enum regex_outcome outcome)
{
    return outcome == REGEX_MATCHES ||
           (outcome == REGEX_UNDECIDED && section->rule.action != ACCESS_LOG);
}

static bool fits_path(const struct access_section *section, const struct question *question)
{
    const struct rule_url *url = &section->url;
    if (!question->path.at)
        return section->rule.action != ACCESS_LOG;
    if (!rule_url_is_regex(url->kind))
        return access_url_takes(url, question->path);
    enum regex_case letters = url->kind == RULE_URL_REGEX ? REGEX_AS_WRITTEN : REGEX_ANY_CASE;
    return counts(section, match(url->text.at, letters, question->path, question->share));
}

/* Names, "*.name" and "name.*"; a domain's pattern is taken like a name. */
static bool fits_name(const char *pattern, struct slice name)
{
    size_t length = strlen(pattern) - 1;
    switch (rule_domain_kind_of(pattern)) {
    case RULE_DOMAIN_NAME:
        return slice_is(name, pattern);
    case RULE_DOMAIN_SUFFIX:
        return name.length > length &&
               memcmp(name.at + name.length - length, pattern + 1, length) == 0;
    case RULE_DOMAIN_PREFIX:
        return name.length > length && memcmp(name.at, pattern, length) == 0;
    case RULE_DOMAIN_ANY:
    case RULE_DOMAIN_REGEX:
        break;
    }
    return false;
}

static bool holds_for_domain(const struct access_section *section, const struct domain *domain)
{
    enum rule_domain_kind kind = rule_domain_kind_of(domain->pattern);
    if (rule_domain_kind_of(section->pattern) == RULE_DOMAIN_REGEX)
        return strcmp(section->pattern, domain->pattern) == 0 ||
               (kind == RULE_DOMAIN_NAME && match(section->pattern + 1, REGEX_ANY_CASE,
                                                  slice_of(domain->pattern), 0) != REGEX_DIFFERS);
    return kind != RULE_DOMAIN_ANY && kind != RULE_DOMAIN_REGEX &&
           fits_name(section->pattern, slice_of(domain->pattern));
}

static bool holds_for_host(const struct access_section *section, const struct question *question)
{
    if (question->host.length == 0 || slice_is(question->host, question->domain->pattern))
        return false; /* what is for the domain holds */
    if (rule_domain_kind_of(section->pattern) != RULE_DOMAIN_REGEX)
        return fits_name(section->pattern, question->host);
    return counts(section,
                  match(section->pattern + 1, REGEX_ANY_CASE, question->host, question->share));
}

/* --- the plain walk: all of them -------------------------------------------------------------- */

static const struct access_section *walk(const struct listener *listener,
                                         const struct question *question)
{
    for (unsigned i = 0; i < listener->access_count; i++) {
        const struct access_section *section = listener->access_sections[i];
        bool is_for_host = section->pattern[0] == '\0' ||
                           holds_for_domain(section, question->domain) ||
                           holds_for_host(section, question);
        if (is_for_host && fits_client(section->rule.condition, question->verdict) &&
            fits_path(section, question))
            return section;
    }
    return NULL;
}

static int strictness(const struct access_section *section)
{
    static const int degrees[] = {[ACCESS_LOG] = 1, [ACCESS_REDIRECT] = 2, [ACCESS_BLOCK] = 3};
    return section ? degrees[section->rule.action] : 0;
}

static const struct access_section *walk_readings(const struct listener *listener,
                                                  struct question question, struct slice path)
{
    char bytes[PATH_READING_BYTES];
    const struct access_section *found = NULL;
    unsigned doubts = path_doubts(path);
    question.path = path;
    if (path_is_plain(path))
        return walk(listener, &question);
    question.share = 1U << (unsigned)__builtin_popcount(doubts);
    for (unsigned ways = doubts;; ways = (ways - 1) & doubts) {
        if (path_read(path, ways, bytes, sizeof bytes, &question.path) != PATH_FINE)
            question.path = (struct slice){NULL, 0};
        const struct access_section *other = walk(listener, &question);
        found = strictness(other) > strictness(found) ? other : found;
        if (ways == 0)
            return found;
    }
}

/* --- random configs --------------------------------------------------------------------------- */

static const char *const domains[] = {"www.example.com",
                                      "*.example.com",
                                      "*.com",
                                      "a.example.com",
                                      "*.eu.example.com",
                                      "b.eu.example.com",
                                      "www.*",
                                      "www.eu.*",
                                      "~^www",
                                      "~example\\.com$",
                                      "~^(?:[a-z]|[a-z])*[0-9]",
                                      "~^[ab]\\.example$",
                                      "192.0.2.1",
                                      "other.test"};
enum { DOMAINS = sizeof domains / sizeof *domains };
/* Expressions give up on the host and on the path. */
static const char long_domain[] = "~^(?:[a-z]|[a-z])*[0-9]";
static const char long_host[] = "abcdefghijklmnopqrstuvwxyzabcd.net";
static const char long_path[] = "/abcdefghijklmnopqrstuvwxyzabcd";

static void path_add(struct text *text, const char *const *segments, unsigned count)
{
    unsigned depth = 1 + chance(3);
    for (unsigned i = 0; i < depth; i++)
        text_add_format(text, "/%s", segments[chance(count)]);
    if (chance(3) == 0)
        text_add_format(text, "/");
}

static void url_add(struct text *text)
{
    static const char *const segments[] = {"a", "b", "ab"};
    static const char *const marks[] = {"", "", "", "^~", "=", "="};
    static const char *const expressions[] = {
        "~ ^/a", "~ b$", "~* AB", "~ /$", "~ a/b", "~* ^/A/B$", "~ ^/(?:[a-z]|[a-z])*[0-9]"};
    if (chance(5) == 0) {
        text_add_format(text, "url = %s\n", ANY_OF(expressions));
        return;
    }
    text_add_format(text, "url = %s", ANY_OF(marks));
    if (chance(8) == 0)
        text_add_format(text, "/");
    else
        path_add(text, segments, 3);
    text_add_format(text, "\n");
}

static void section_add(struct text *text, unsigned number)
{
    static const char *const conditions[] = {"verified", "unverified", "unverified", "missing",
                                             "invalid"};
    static const char *const actions[] = {"block", "block", "log", "log", "redirect:/elsewhere"};
    text_add_format(text, "[access a%u]\nclient_certificate = %s\naction = %s\n", number,
                    ANY_OF(conditions), ANY_OF(actions));
    if (chance(8) > 0)
        text_add_format(text, "domain = %s\n", chance(6) == 0 ? long_domain : ANY_OF(domains));
    url_add(text);
}

static struct config *config_any(unsigned section_count)
{
    struct text text = {0};
    unsigned first = chance(DOMAINS), rules = 1 + chance(4);
    text_add_format(&text, "[listener web]\naddress = 127.0.0.1:8080\nprotocol = http\n");
    for (unsigned i = 0; i < rules; i++)
        text_add_format(&text, "[rule r%u]\nlistener = web\npool = app\ndomain = %s\n", i,
                        domains[(first + 5 * i) % DOMAINS]);
    if (chance(2) == 0)
        text_add_format(&text, "[rule any]\nlistener = web\npool = app\n");
    for (unsigned i = 0; i < section_count; i++)
        section_add(&text, i);
    text_add_format(&text, "[pool app]\nbackend = rs-1 127.0.0.1:9\n");
    struct config *config = config_folder_load_text(&folder, text.bytes);
    text_done(&text);
    return config;
}

/* --- random questions ------------------------------------------------------------------------- */

static const char *const hosts[] = {"www.example.com",
                                    "WWW.Example.com.",
                                    "www.example.org",
                                    "www.eu.example.com",
                                    "www.eu.net",
                                    "a.example.com",
                                    "c.example.com",
                                    "b.eu.example.com",
                                    "c.eu.example.com",
                                    "example.com",
                                    "a.com",
                                    "a.example",
                                    "192.0.2.1",
                                    "198.51.100.7",
                                    "other.test",
                                    "Other.Test",
                                    "nobody.test",
                                    "",
                                    "*.example.com",
                                    "www.",
                                    ".example.com",
                                    "abcabcabc7.com",
                                    "~^(?:[a-z]|[a-z])*[0-9]",
                                    "~^www"};
static const char *const segments[] = {"a",  "b",     "ab", "a",  "b",   "A",      "%61",
                                       "c",  ".",     "..", "",   "a;x", "a%2Fb",  "a\\b",
                                       "a%", "a%00b", "7",  "a7", "ab",  "%2e%2e", "b"};
static const enum refusal verdicts[] = {REFUSAL_NONE, REFUSAL_MISSING, REFUSAL_EXPIRED};

static void path_any(char *into)
{
    static const char *const rare[] = {"*", "", "a/b", "/", "//", "/%", "/a;x%2Fb\\..//%"};
    struct text text = {0};
    if (chance(20) == 0)
        text_add_format(&text, "%s", ANY_OF(rare));
    else
        path_add(&text, segments, sizeof segments / sizeof *segments);
    if (chance(150) == 0)
        text_add_format(&text, "%s", long_path);
    snprintf(into, PATH_BYTES, "%s", text.bytes);
    text_done(&text);
}

static const struct rule *rule_of(const struct listener *listener, const struct domain *domain)
{
    for (unsigned i = 0; i < listener->rule_count; i++)
        if (listener->rules[i].domain == domain)
            return &listener->rules[i];
    ck_abort_msg("a domain without rules");
}

/* returns  was a section found? */
static bool compare(const struct listener *listener, const char *host, const char *path)
{
    char name[RULE_DOMAIN_BYTES];
    const struct domain *domain = router_domain(listener->router, slice_of(host));
    if (!domain)
        return false;
    struct question question = {.domain = domain, .verdict = ANY_OF(verdicts)};
    question.host = (struct slice){name, rule_domain_of_host(slice_of(host), name)};
    const struct access_section *expected =
        walk_readings(listener, question, slice_of(strcmp(path, "*") == 0 ? "/" : path));
    const struct access_rule *found = access_find(listener, rule_of(listener, domain),
                                                  question.verdict, slice_of(host), slice_of(path));
    ck_assert_msg(found == (expected ? &expected->rule : NULL),
                  "%s %s, verdict %d: %s instead of %s", host, path, (int)question.verdict,
                  found ? found->name : "-", expected ? expected->rule.name : "-");
    return found;
}

START_TEST(the_section_found_is_the_one_that_a_walk_over_all_finds)
{
    unsigned found_count = 0, missed_count = 0;
    seed = (uint32_t)_i + 1;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct config *config = config_any(1 + chance(round % 10 == 0 ? 120 : 16));
        for (unsigned i = 0; i < ASKED_EACH; i++) {
            char path[PATH_BYTES];
            path_any(path);
            bool is_found =
                compare(&config->listeners[0], chance(60) == 0 ? long_host : ANY_OF(hosts), path);
            found_count += is_found;
            missed_count += !is_found;
        }
        config_free(config);
    }
    ck_assert_uint_gt(found_count, ROUNDS * ASKED_EACH / 10);
    ck_assert_uint_gt(missed_count, ROUNDS * ASKED_EACH / 10);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_loop_test(tcase, the_section_found_is_the_one_that_a_walk_over_all_finds, 0, 4);
}

CHECK_MAIN("access_order", add_tests)
