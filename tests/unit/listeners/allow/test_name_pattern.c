/* SPDX-License-Identifier: Apache-2.0 */
/* Which names a line of allow_client fits, and which lines are none. */
#include "listeners/allow/name_pattern.h"

#include <string.h>

#include "lb/base/arena.h"
#include "lb/base/error.h"
#include "lb/base/limits.h"
#include "tests/support/check_main.h"

static struct arena arena;

static void begin(void)
{
    arena = (struct arena){0};
}

static void end(void)
{
    arena_done(&arena);
}

/* Whether the line fits a name as it stands in a certificate. */
static bool fits(const char *line, const char *name, size_t length)
{
    char text[ALLOWED_NAME_BYTES];
    struct error err = {0};
    struct name_pattern pattern;
    ck_assert_msg(name_pattern_parse(&pattern, line, &arena, &err), "%s", err.text);
    if (!name_normalise(pattern.kind, (struct slice){name, length}, text))
        return false;
    struct slice normal = {text, length};
    ck_assert(pattern.has_star ||
              name_pattern_fits(&pattern, normal) == slice_equal(pattern.text, normal));
    return name_pattern_fits(&pattern, normal);
}

/* clang-format off */
static const struct {
    const char *line;
    const char *name;
    bool fits;
} cases[] = {
    {"cn:alice", "alice", true},
    {"cn:alice", "Alice", false},
    {"cn:alice", "alice2", false},
    {"cn: alice", "alice", true},
    {"cn:Ren\xc3\xa9*", "Ren\xc3\xa9 7", true},
    {"cn:*", "anybody", true},
    {"cn:device-*", "device-", true},
    {"cn:device-*", "device-7", true},
    {"cn:device-*", "my device-7", false},
    {"cn:*-7", "device-7", true},
    {"cn:*-7", "device-77", false},
    {"cn:a*b*c", "abc", true},
    {"cn:a*b*c", "a.b.b.c", true},
    {"cn:a*b*c", "acb", false},
    {"cn:aa*aa", "aaa", false},
    {"cn:aa*aa", "aaaa", true},
    {"cn:a**b", "ab", true},
    {"cn:**", "x", true},
    {"cn:a:b", "a:b", true},
    /* stars and backslashes that stand for themselves */
    {"cn:a\\*b", "a*b", true},
    {"cn:a\\*b", "axb", false},
    {"cn:a\\*b*", "a*bc", true},
    {"cn:CORP\\alice", "CORP\\alice", true},
    {"cn:CORP\\\\*", "CORP\\alice", true},
    {"cn:CORP\\\\*", "CORP*", false},
    {"ou:Sales*", "Sales EMEA", true},
    {"client-id:dev-*", "dev-0001", true},
    /* a label is a label */
    {"dns:www.example.com", "WWW.Example.COM", true},
    {"dns:WWW.Example.com", "www.example.com", true},
    {"dns:*.example.com", "a.example.com", true},
    {"dns:*.example.com", "a.b.example.com", false},
    {"dns:*.example.com", "example.com", false},
    {"dns:*.example.com", ".example.com", false},
    {"dns:*.*.example.com", "a.b.example.com", true},
    {"dns:web-*.example.com", "web-7.example.com", true},
    {"dns:web-*.example.com", "web-7.evil.example.com", false},
    {"dns:*.example.com", "a.example.com.evil.org", false},
    {"dns:a.*.example.com", "a.eu.example.com", true},
    {"dns:*", "localhost", true},
    {"dns:*", "a.b", false},
    {"dns:\\*.example.com", "*.example.com", true},
    {"dns:\\*.example.com", "a.example.com", false},
    {"dns:example.com", "example.com.", false},
    {"dns:example.com", "ex\xc3\xa4mple.com", false},
    /* the path of a URI, and what is in front of it */
    {"uri:spiffe://td/ns/web", "spiffe://td/ns/web", true},
    {"uri:spiffe://td/ns/web", "spiffe://TD/ns/web", false},
    {"uri:spiffe://td/ns/*", "spiffe://td/ns/web", true},
    {"uri:spiffe://td/ns/*", "spiffe://td/ns/web/sa/x", true},
    {"uri:spiffe://td/ns/*", "spiffe://td/ns", false},
    {"uri:spiffe://td/ns/*", "spiffe://td.evil/ns/web", false},
    {"uri:spiffe://td/ns/*/sa/web", "spiffe://td/ns/prod/sa/web", true},
    {"uri:spiffe://*/ns/web", "spiffe://td/ns/web", true},
    {"uri:spiffe://*/ns/web", "spiffe://evil/x/ns/web", false},
    {"uri:spiffe://*.td/ns/web", "spiffe://evil/.td/ns/web", false},
    {"uri:spiffe://td*", "spiffe://td", true},
    {"uri:spiffe://td*", "spiffe://td/x", false},
    {"uri:spiffe://*/*", "spiffe://td/x/y", true},
    {"uri:*://td/x", "https://td/x", true},
    {"uri:*://td/x", "https://evil/://td/x", false},
    {"uri:urn:uuid:*", "urn:uuid:6e8bc430", true},
    {"uri:*", "spiffe://td/x", true},
    /* the domain of an address in any case, who is there as written */
    {"email:alice@example.com", "alice@EXAMPLE.com", true},
    {"email:alice@EXAMPLE.com", "alice@example.com", true},
    {"email:alice@example.com", "Alice@example.com", false},
    {"email:*@example.com", "bob@example.com", true},
    {"email:*@example.com", "bob@evil.example.com", false},
    {"email:*@example.com", "\"x@evil.org\"@example.com", false},
    {"email:*@*", "bob@example.com", true},
    {"email:*@*.example.com", "bob@a.b.example.com", true},
    /* one attribute of a name is not another */
    {"issuer:CN=CA,O=Example", "CN=CA,O=Example", true},
    {"issuer:CN=CA,O=Example", "CN=CA,O=example", false},
    {"issuer:CN=CA *,O=Example", "CN=CA 3,O=Example", true},
    {"issuer:CN=CA *,O=Example", "CN=CA 3,OU=PKI,O=Example", false},
    {"issuer:*,O=Example", "CN=CA,O=Example", true},
    {"issuer:*,O=Example", "CN=evil\\,O=Example", false},
    {"issuer:*,O=Example", "CN=evil\\\\,O=Example", true},
    {"issuer:CN=*,O=Example", "CN=a+OU=b,O=Example", false},
    {"issuer:CN=*+OU=b,O=Example", "CN=a+OU=b,O=Example", true},
    {"issuer:CN=a\\,b*", "CN=a\\,b and more", true},
    {"issuer:CN=a\\\\b", "CN=a\\\\b", true},
    {"issuer:CN=a\\*b", "CN=a*b", true},
    {"issuer:CN=a\\*b", "CN=axb", false},
    /* as logs show it */
    {"issuer:CN=a\\x5c,b,O=Example", "CN=a\\,b,O=Example", true},
    {"issuer:CN=a\\u005c,b,O=Example", "CN=a\\,b,O=Example", true},
    {"issuer:CN=a\\x5c,b,O=*", "CN=a\\,b,O=Example", true},
    {"issuer:CN=*,O=Example", "CN=a\\,b,O=Example", true},
    {"issuer:CN=a\\x5c\\x22b\\x5c\\x22", "CN=a\\\"b\\\"", true},
    {"issuer:CN=a\\x5c\\x5cx5c,b", "CN=a\\\\x5c,b", true},
    {"issuer:CN=a\\\\x5c,b", "CN=a\\\\x5c,b", true},
    {"issuer:CN=a\\\\x5c,b", "CN=a\\\\\\,b", false},
    {"issuer:CN=caf\\xc3\\xa9", "CN=caf\xc3\xa9", true},
    {"cn:a\\x5cb", "a\\b", false},
    {"issuer:*", "CN=CA", true},
    {"issuer:*", "CN=CA,O=Example", false},
};
/* clang-format on */

START_TEST(a_line_fits_the_names_it_is_for)
{
    ck_assert_msg(fits(cases[_i].line, cases[_i].name, strlen(cases[_i].name)) == cases[_i].fits,
                  "%s and %s", cases[_i].line, cases[_i].name);
}
END_TEST

#define DIGEST "5f3c2b1a00112233445566778899aabbccddeeff00112233445566778899aabb"

START_TEST(a_blank_alone_begins_no_pattern)
{
    ck_assert(fits("cn: alice b: c", "alice b: c", 10));
    ck_assert(fits("cn:alice cnx:b", "alice cnx:b", 11));
    ck_assert(fits("cn: cn:alice", "cn:alice", 8));
    ck_assert(fits("cn:alice cn", "alice cn", 8));
}
END_TEST

START_TEST(digests_are_compared_without_case_and_colons)
{
    ck_assert(fits("sha256:" DIGEST, DIGEST, 64));
    ck_assert(fits("spki:5F:3C:2b1a00112233445566778899AABBccddeeff00112233445566778899aabb",
                   DIGEST, 64));
    ck_assert(!fits("sha256:" DIGEST, DIGEST, 63));
}
END_TEST

START_TEST(what_hides_in_a_name_fits_nothing)
{
    static const struct {
        const char *name;
        size_t length;
    } hidden[] = {{"alice\0", 6},
                  {"alice\0.evil", 11},
                  {"alice\n", 6},
                  {"alice\xff", 6},
                  {"alice\xc0\xaf", 7},
                  {"ali\xe2\x80\xae"
                   "ce",
                   8},
                  {"alice\xed\xa0\x80", 8},
                  {"", 0}};
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
        ck_assert_msg(!fits("cn:alice*", hidden[i].name, hidden[i].length), "%zu", i);
        ck_assert_msg(!fits("cn:*", hidden[i].name, hidden[i].length), "%zu", i);
    }
}
END_TEST

START_TEST(a_name_that_is_too_long_fits_nothing)
{
    char name[ALLOWED_NAME_BYTES + 1];
    memset(name, 'a', sizeof name);
    ck_assert(fits("cn:a*", name, ALLOWED_NAME_BYTES));
    ck_assert(!fits("cn:a*", name, ALLOWED_NAME_BYTES + 1));
}
END_TEST

START_TEST(many_stars_take_no_more_than_the_name_is_long)
{
    /* With backtracking this would not end before the test is killed. */
    char line[180] = "cn:", name[ALLOWED_NAME_BYTES];
    for (size_t i = 3; i + 3 < sizeof line; i += 2)
        memcpy(line + i, "*a", 3);
    strcat(line, "b");
    memset(name, 'a', sizeof name);
    for (int i = 0; i < 1000; i++)
        ck_assert(!fits(line, name, sizeof name));
}
END_TEST

/* clang-format off */
static const struct {
    const char *line;
    const char *says;
} mistakes[] = {
    {"alice", "write it behind one of cn:, ou:"},
    {"issure:CN=CA", "did you mean \"issuer:\"?"},
    {"cm:alice", "\"cm:\" is none of cn:"},
    {"CN:alice", "did you mean \"cn:\"?"},
    {"fingerprint-of-a-certificate:00", "is none of cn:"},
    {"cn:", "says nothing behind the colon"},
    {"cn:  ", "says nothing behind the colon"},
    {"sha256:5f3c", "has 4 hex digits: a SHA-256 has 64"},
    {"sha256:" DIGEST "00", "has 66 hex digits"},
    {"spki:5f*", "holds \"*\""},
    {"sha256:xyz", "holds \"x\""},
    {"dns:https://example.com", "holds \":\""},
    {"dns:b\xc3\xbc" "cher.example", "xn--"},
    {"dns:.example.com", "empty label"},
    {"dns:example.com.", "empty label"},
    {"uri:example.org/x", "has no scheme"},
    {"uri:https://b\xc3\xbc" "cher.example", "percent-encoded"},
    {"email:example.com", "has no \"@\""},
    {"issuer:CN = CA, O = Example", "is not how lb writes names"},
    {"issuer:CN=CA, O=Example", "is not how lb writes names"},
    {"issuer:Example CA", "is not how lb writes names"},
    {"issuer:/C=DE/O=Org/CN=CA", "write issuer:CN=CA,O=Org,C=DE (RFC 2253"},
    {"issuer:/O=Org, Inc./CN=a/b", "write issuer:CN=a/b,O=Org\\, Inc. ("},
    {"issuer:/CN=*", "write issuer:CN=* ("},
    {"issuer:/Example", "is not how lb writes names"},
    {"issuer:CN=a\\xff", "no UTF-8"},
    {"issuer:CN=a\\x0a", "control character"},
    {"cn:alice cn:bob", "write one a line, \"cn:bob\" on its own behind another allow_client ="},
    {"cn:alice, \tdns:b.example", "write one a line, \"dns:b.example\" on its own"},
    {"dns:a.example sha256:" DIGEST, "write one a line, \"sha256:"},
    {"sha256:" DIGEST " sha256:" DIGEST, "write one a line"},
    {"cn:\xff", "no UTF-8"},
};
/* clang-format on */

START_TEST(a_line_that_could_fit_nobody_is_an_error_that_says_why)
{
    struct error err = {0};
    struct name_pattern pattern;
    ck_assert(!name_pattern_parse(&pattern, mistakes[_i].line, &arena, &err));
    ck_assert_msg(strstr(err.text, mistakes[_i].says), "%s: %s", mistakes[_i].line, err.text);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_loop_test(tcase, a_line_fits_the_names_it_is_for, 0, sizeof cases / sizeof *cases);
    tcase_add_test(tcase, a_blank_alone_begins_no_pattern);
    tcase_add_test(tcase, digests_are_compared_without_case_and_colons);
    tcase_add_test(tcase, what_hides_in_a_name_fits_nothing);
    tcase_add_test(tcase, a_name_that_is_too_long_fits_nothing);
    tcase_add_test(tcase, many_stars_take_no_more_than_the_name_is_long);
    tcase_add_loop_test(tcase, a_line_that_could_fit_nobody_is_an_error_that_says_why, 0,
                        sizeof mistakes / sizeof *mistakes);
}

CHECK_MAIN("name_pattern", add_tests)
