/* SPDX-License-Identifier: Apache-2.0 */
/* Where a redirect may lead, and what becomes of it with a request. */
#include "listeners/rules/redirect.h"

#include <stdio.h>
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

/* clang-format off */
static const struct {
    const char *text, *host, *uri, *location;
} good[] = {
    {"https://$host$uri", "www.example.com", "/a/b?c=d", "https://www.example.com/a/b?c=d"},
    {"https://$host$uri", "WWW.Example.COM.", "/", "https://WWW.Example.COM./"},
    {"https://$host:8443$uri", "[2001:db8::1]", "/x", "https://[2001:db8::1]:8443/x"},
    {"https://www.$host$uri", "example.com", "/x", "https://www.example.com/x"},
    {"HTTPS://example.com$uri", "h", "/x", "HTTPS://example.com/x"},
    {"http://example.com", "h", "/x", "http://example.com"},
    {"http://[::1]:8080/", "h", "/x", "http://[::1]:8080/"},
    {"https://$host", "h", "/x", "https://h"},
    {"https://login.example.com/?back=https://$host$uri", "h", "/x?y", "https://login.example.com/?back=https://h%2Fx%3Fy"},
    {"https://example.com?$uri", "h", "/x", "https://example.com?%2Fx"},
    /* no client adds a parameter, ends the query, or is read twice */
    {"/start?return_to=$uri&at=$host", "[::1]", "/x?a=b&at=evil.test#%41+~", "/start?return_to=%2Fx%3Fa%3Db%26at%3Devil.test%23%2541%2B~&at=%5B%3A%3A1%5D"},
    {"/a/$host:1?from=$host:1", "[::1]", "/x", "/a/[::1]:1?from=%5B%3A%3A1%5D:1"},
    {"https://example.com/#/login?back=$uri", "h", "/x&y", "https://example.com/#/login?back=%2Fx%26y"},
    {"/?price=$$5", "h", "/x", "/?price=$5"},
    {"https://example.com#top", "h", "/x", "https://example.com#top"},
    {"/elsewhere", "h", "/x", "/elsewhere"},
    {"/elsewhere$uri", "h", "/x?y", "/elsewhere/x?y"},
    {"/elsewhere$uri", "h", "//evil.test/x", "/elsewhere//evil.test/x"},
    {"/", "h", "/x", "/"},
    {"/$host/", "www.example.com", "/x", "/www.example.com/"},
    {"/a$$b$$", "h", "/x", "/a$b$"},
    {"/a%20b", "h", "/x", "/a%20b"},
    {"/a?price=$$5&host=$host", "h", "/x", "/a?price=$5&host=h"},
    {"/$$uri", "h", "/x", "/$uri"},
    /* OPTIONS * names no path */
    {"https://$host$uri", "h", "*", "https://h/"},
    /* the host that was written stays the host, whatever the path */
    {"https://example.com$uri", "h", "//evil.test/", "https://example.com//evil.test/"},
    {"https://example.com$uri", "h", "/@evil.test/", "https://example.com/@evil.test/"},
};
/* clang-format on */

START_TEST(a_location_is_the_text_with_the_request_in_it)
{
    struct error err = {0};
    char location[LOCATION_BYTES];
    const struct redirect *redirect = redirect_parse(good[_i].text, 307, &arena, &err);
    ck_assert_msg(redirect, "%s", err.text);
    ck_assert_uint_eq(redirect->status, 307);
    ck_assert_int_eq(redirect->needs_host, strstr(good[_i].text, "$host") != NULL);
    size_t length = redirect_write(redirect, slice_of(good[_i].host), slice_of(good[_i].uri),
                                   location, sizeof location);
    ck_assert_uint_eq(length, strlen(good[_i].location));
    ck_assert(memcmp(location, good[_i].location, length) == 0);
    ck_assert_uint_eq(redirect_write(redirect, slice_of(good[_i].host), slice_of(good[_i].uri),
                                     location, length - 1),
                      0);
}
END_TEST

/* clang-format off */
static const struct {
    const char *text, *says;
} bad[] = {
    {"https://$hostname$uri", "unknown placeholder \"$hostname\": there are $host, $uri and, for a dollar, $$"},
    {"https://$host$request_uri", "unknown placeholder \"$request_uri\""},
    {"https://$Host$uri", "unknown placeholder \"$Host\""},
    {"https://$host/$", "unknown placeholder \"$\""},
    {"https://$host/$/a", "unknown placeholder \"$/\""},
    {"https://$host/${uri}", "holds \"{\""},
    {"www.example.com", "begins neither with https://"},
    {"ftp://example.com/", "begins neither with https://"},
    {"javascript:alert(1)", "begins neither with https://"},
    {"$uri", "begins neither with https://"},
    {"$host$uri", "begins neither with https://"},
    {"//example.com/", "would begin with \"//\""},
    {"/$uri", "would begin with \"//\""},
    {"https://", "no good host"},
    {"https:///x", "no good host"},
    {"https://$uri", "no good host"},
    {"https://:8443$uri", "no good host"},
    {"https://$host:99999$uri", "no good host"},
    {"https://$host:$uri", "no good host"},
    {"https://user@example.com/", "no good host"},
    {"https://a b/", "holds \" \", which no URL does: write it percent-encoded, %20"},
    {"https://example.com/<x>", "holds \"<\""},
    {"https://example.com/\\x", "holds \"\\\""},
    {"https://exa_mple..com/", "no good host"},
    {"/a\"b", "holds \"\"\""},
    {"/a\tb", "holds a control character"},
    {"/a\r\nSet-Cookie: x", "holds a control character"},
    {"/gr\xc3\xb6sse", "holds a letter outside ASCII"},
    {"/a%2", "\"%\" without two hex digits"},
    {"/100%", "\"%\" without two hex digits"},
    {"/a%zz", "\"%\" without two hex digits"},
    {"/a#b#c", "two \"#\""},
    {"/?a=$uri&b=$uri", "say $uri once"},
    {"/a$uri$uri$uri$uri", "say $uri once"},
};
/* clang-format on */

START_TEST(a_bad_redirect_is_refused_with_what_would_be_right)
{
    struct error err = {0};
    ck_assert_msg(!redirect_parse(bad[_i].text, 301, &arena, &err), "%s is taken", bad[_i].text);
    ck_assert_msg(strstr(err.text, bad[_i].says), "%s: %s", bad[_i].text, err.text);
}
END_TEST

START_TEST(however_long_a_bad_redirect_is_what_would_be_right_is_told)
{
    struct error err = {0};
    char text[1001];
    snprintf(text, sizeof text, "/%0999d", 0);
    text[990] = '<';
    ck_assert(!redirect_parse(text, 301, &arena, &err));
    ck_assert_msg(strstr(err.text, "which no URL does: write it percent-encoded, %3C"), "%s",
                  err.text);
}
END_TEST

START_TEST(the_longest_request_fits)
{
    static char uri[TARGET_BYTES], location[LOCATION_BYTES];
    char host[DOMAIN_BYTES];
    struct error err = {0};
    memset(uri, 'x', sizeof uri);
    memset(host, 'h', sizeof host);
    uri[0] = '/';
    const struct redirect *redirect =
        redirect_parse("https://$host/$host/$host/$host$uri", 301, &arena, &err);
    ck_assert_msg(redirect, "%s", err.text);
    ck_assert_uint_eq(redirect_write(redirect, (struct slice){host, sizeof host},
                                     (struct slice){uri, sizeof uri}, location, sizeof location),
                      8 + 4 * sizeof host + 3 + sizeof uri);
}
END_TEST

START_TEST(the_longest_request_fits_percent_encoded)
{
    static char uri[TARGET_BYTES], location[LOCATION_BYTES];
    char host[DOMAIN_BYTES];
    struct error err = {0};
    memset(uri, '/', sizeof uri);
    memset(host, ':', sizeof host);
    const struct redirect *redirect =
        redirect_parse("https://$host/?to=$host&and=$uri", 301, &arena, &err);
    ck_assert_msg(redirect, "%s", err.text);
    ck_assert_uint_eq(redirect_write(redirect, (struct slice){host, sizeof host},
                                     (struct slice){uri, sizeof uri}, location, sizeof location),
                      8 + sizeof host + 5 + 3 * sizeof host + 5 + 3 * sizeof uri);
}
END_TEST

/* clang-format off */
static const struct {
    const char *path, *query, *location;
} slashes[] = {
    {"/abc", NULL, "/abc/"},
    {"/abc", "", "/abc/?"},
    {"/abc", "x=y?z", "/abc/?x=y?z"},
    {"/%61bc", NULL, "/%61bc/"},
    {"//evil.test", NULL, "/.//evil.test/"},
    {"/\\evil.test", NULL, "/./\\evil.test/"},
    {"//", NULL, "/.///"},
    {"/", NULL, "//"}, /* nobody asks for it: "/" has its slash */
};
/* clang-format on */

START_TEST(a_path_that_gets_its_slash_stays_on_its_host)
{
    char location[64];
    struct slice query = {NULL, 0};
    if (slashes[_i].query)
        query = slice_of(slashes[_i].query);
    size_t length =
        redirect_write_slash(slice_of(slashes[_i].path), query, location, sizeof location);
    ck_assert_uint_eq(length, strlen(slashes[_i].location));
    ck_assert(memcmp(location, slashes[_i].location, length) == 0);
    ck_assert_uint_eq(redirect_write_slash(slice_of(slashes[_i].path), query, location, length - 1),
                      0);
}
END_TEST

/* clang-format off */
static const struct {
    const char *text, *location;
} refused[] = {
    {"https://login.example.com/?why=$reason", "https://login.example.com/?why=not-yet-valid"},
    {"/denied/$reason", "/denied/not-yet-valid"},
    {"https://$host/$reason?from=$uri", "https://a.test/not-yet-valid?from=%2Fx%3Fy"},
    {"/start?to=$uri&why=$reason", "/start?to=%2Fx%3Fy&why=not-yet-valid"},
    {"/$$reason", "/$reason"},
};
/* clang-format on */

START_TEST(who_is_refused_is_sent_away_with_the_reason)
{
    struct error err = {0};
    char location[LOCATION_BYTES];
    const struct redirect *redirect = redirect_parse_refusal(refused[_i].text, &arena, &err);
    ck_assert_msg(redirect, "%s", err.text);
    ck_assert_uint_eq(redirect->status, 302);
    size_t length = redirect_write_refusal(redirect, slice_of("a.test"), slice_of("/x?y"),
                                           "not-yet-valid", location, sizeof location);
    ck_assert_msg(slice_is((struct slice){location, length}, refused[_i].location), "%.*s",
                  (int)length, location);
}
END_TEST

START_TEST(only_who_is_refused_has_a_reason)
{
    struct error err = {0};
    ck_assert_ptr_null(redirect_parse("/denied/$reason", 302, &arena, &err));
    ck_assert_msg(strstr(err.text, "\"$reason\": there are $host, $uri and"), "%s", err.text);
    ck_assert_ptr_null(redirect_parse_refusal("/denied/$why", &arena, &err));
    ck_assert_msg(strstr(err.text, "\"$why\": there are $host, $uri, $reason and"), "%s", err.text);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_loop_test(tcase, who_is_refused_is_sent_away_with_the_reason, 0,
                        sizeof refused / sizeof *refused);
    tcase_add_test(tcase, only_who_is_refused_has_a_reason);
    tcase_add_loop_test(tcase, a_location_is_the_text_with_the_request_in_it, 0,
                        sizeof good / sizeof *good);
    tcase_add_loop_test(tcase, a_bad_redirect_is_refused_with_what_would_be_right, 0,
                        sizeof bad / sizeof *bad);
    tcase_add_test(tcase, however_long_a_bad_redirect_is_what_would_be_right_is_told);
    tcase_add_test(tcase, the_longest_request_fits);
    tcase_add_test(tcase, the_longest_request_fits_percent_encoded);
    tcase_add_loop_test(tcase, a_path_that_gets_its_slash_stays_on_its_host, 0,
                        sizeof slashes / sizeof *slashes);
}

CHECK_MAIN("redirect", add_tests)
