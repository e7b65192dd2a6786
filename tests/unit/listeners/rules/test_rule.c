/* SPDX-License-Identifier: Apache-2.0 */
/* What a rule's domain, url and client_headers may say, and in which words the rest is refused. */
#include "listeners/rules/rule.h"

#include <string.h>

#include "listeners/identity_headers/identity_preset.h"
#include "listeners/load/rule_domain.h"
#include "listeners/load/rule_url.h"
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

#define LABEL_63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
    const char *text;
    const char *pattern;
} good_domains[] = {
    {"www.example.com", "www.example.com"},
    {"WWW.Example.Com.", "www.example.com"},
    {"*.Example.com", "*.example.com"},
    {"localhost", "localhost"},
    {"xn--mnchen-3ya.de", "xn--mnchen-3ya.de"},
    {"my_app.example.com", "my_app.example.com"},
    {"1.example.com", "1.example.com"},
    {"192.0.2.10", "192.0.2.10"},
    {"[2001:DB8:0:0::10]", "[2001:db8::10]"},
    {"WWW.Example.*", "www.example.*"},
    {"www.*.", "www.*"},
    {"192.168.*", "192.168.*"},
    {"~^WWW\\d+\\.Example\\.com$", "~^WWW\\d+\\.Example\\.com$"},
    {"~  ^www", "~^www"},
    {LABEL_63 ".example.com", LABEL_63 ".example.com"},
};

START_TEST(a_good_domain_is_brought_into_one_form)
{
    struct error err = {0};
    const char *pattern = NULL;
    ck_assert_msg(rule_domain_parse(good_domains[_i].text, &pattern, &arena, &err), "%s", err.text);
    ck_assert_str_eq(pattern, good_domains[_i].pattern);
}
END_TEST

static const struct {
    const char *text;
    const char *says;
} bad_domains[] = {
    {"", "1 to 253 bytes"},
    {".", "1 to 253 bytes"},
    {"*", "leave domain out"},
    {"*.", "leave domain out"},
    {"www.*.com", "as in *.example.com or www.example.*"},
    {"*example.com", "as in *.example.com or www.example.*"},
    {"www.example*", "as in *.example.com or www.example.*"},
    {"*.*.com", "\"*\" stands once"},
    {"*.example.*", "\"*\" stands once"},
    {"**", "\"*\" stands once"},
    {".*", "\"*\" stands once"},
    {"_x.*", "begins with \"_\""},
    {"www..*", "empty label"},
    {"www-.*", "begins or ends with \"-\""},
    {"~", "has no regular expression"},
    {"~ ", "has no regular expression"},
    {"~^www(", "\"^www(\" is wrong at its byte 6: missing closing parenthesis"},
    {"https://www.example.com/", "is a URL"},
    {"www.example.com/a", "is a URL"},
    {"www.example.com:8443", "has a port: write the name alone, www.example.com;"},
    {"münchen.de", "punycode"},
    {"_dmarc.example.com", "begins with \"_\""},
    {"www..com", "empty label"},
    {".example.com", "empty label"},
    {"-www.example.com", "begins or ends with \"-\""},
    {"www-.example.com", "begins or ends with \"-\""},
    {"www example.com", "holds \" \""},
    {"a" LABEL_63 ".com", "longer than 63"},
    {"192.0.2", "no IPv4 address"},
    {"192.0.2.256", "no IPv4 address"},
    {"2001:db8::1", "in brackets, [2001:db8::1]"},
    {"[2001:db8::1", "no IPv6 address"},
    {"[2001:db8::1]:443", "no IPv6 address"},
    {"[]", "no IPv6 address"},
    {"[", "no IPv6 address"},
};

START_TEST(a_bad_domain_is_refused_with_what_would_be_right)
{
    struct error err = {0};
    const char *pattern = NULL;
    ck_assert_msg(!rule_domain_parse(bad_domains[_i].text, &pattern, &arena, &err), "%s is taken",
                  bad_domains[_i].text);
    ck_assert_ptr_null(pattern);
    ck_assert_msg(strstr(err.text, bad_domains[_i].says), "%s: %s", bad_domains[_i].text, err.text);
}
END_TEST

static const struct {
    const char *text;
    enum rule_url_kind kind;
    const char *path;
} good_urls[] = {
    {"/", RULE_URL_PREFIX, "/"},
    {"/abc", RULE_URL_PREFIX, "/abc"},
    {"/abc/", RULE_URL_PREFIX, "/abc/"},
    {"=/abc", RULE_URL_EXACT, "/abc"},
    {"= /abc", RULE_URL_EXACT, "/abc"},
    {"/größe/a b", RULE_URL_PREFIX, "/größe/a b"},
    {"/.well-known/..a", RULE_URL_PREFIX, "/.well-known/..a"},
    {"^~/abc", RULE_URL_FINAL, "/abc"},
    {"^~ /", RULE_URL_FINAL, "/"},
    {"~ ^/abc", RULE_URL_REGEX, "^/abc"},
    {"~\\.php$", RULE_URL_REGEX, "\\.php$"},
    {"~*\\.php$", RULE_URL_REGEX_ANY_CASE, "\\.php$"},
    {"~* \\.PHP", RULE_URL_REGEX_ANY_CASE, "\\.PHP"},
    {"~ ://", RULE_URL_REGEX, "://"},
};

START_TEST(a_good_url_is_a_prefix_exact_or_an_expression)
{
    struct error err = {0};
    struct rule_url url;
    ck_assert_msg(rule_url_parse(&url, good_urls[_i].text, &err), "%s", err.text);
    ck_assert_int_eq(url.kind, good_urls[_i].kind);
    ck_assert(slice_is(url.text, good_urls[_i].path));
    struct rule_url split = rule_url_split(good_urls[_i].text);
    ck_assert(split.kind == url.kind && split.text.at == url.text.at);
    ck_assert(
        strncmp(good_urls[_i].text, rule_url_mark(url.kind), strlen(rule_url_mark(url.kind))) == 0);
}
END_TEST

static const struct {
    const char *text;
    const char *says;
} bad_urls[] = {
    {"abc", "does not begin with \"/\""},
    {"=abc", "does not begin with \"/\""},
    {"=", "does not begin with \"/\""},
    {"^~", "does not begin with \"/\""},
    {"^~abc", "does not begin with \"/\""},
    {"^~^/abc", "does not begin with \"/\""},
    {"^~//", "empty or a dot segment"},
    {"~", "has no regular expression"},
    {"~*", "has no regular expression"},
    {"~ ", "has no regular expression"},
    {"~**.php", "quantifier does not follow a repeatable item"},
    {"~ ^/(a", "\"^/(a\" is wrong at its byte 5: missing closing parenthesis"},
    {"^/abc", "does not begin with \"/\""},
    {"https://www.example.com/abc", "only the path"},
    {"/abc%20d", "write the character itself"},
    {"/abc?d", "holds \"?\""},
    {"/abc#d", "holds \"#\""},
    {"/abc;d", "holds \";\""},
    {"/abc\\d", "holds \"\\\""},
    {"/abc/*", "leave it out"},
    {"//abc", "empty or a dot segment"},
    {"/abc/../d", "empty or a dot segment"},
    {"/abc/.", "empty or a dot segment"},
    {"/..", "empty or a dot segment"},
};

START_TEST(a_bad_url_is_refused_with_what_would_be_right)
{
    struct error err = {0};
    struct rule_url url;
    ck_assert_msg(!rule_url_parse(&url, bad_urls[_i].text, &err), "%s is taken", bad_urls[_i].text);
    ck_assert_msg(strstr(err.text, bad_urls[_i].says), "%s: %s", bad_urls[_i].text, err.text);
}
END_TEST

static bool headers(unsigned count, const char **words, unsigned *presets, struct error *err)
{
    struct rule_options options = {0};
    options.client_headers = (struct option_list){.items = words, .count = count};
    return rule_client_headers(&options, presets, err);
}

static unsigned bit(const char *preset)
{
    ck_assert_int_ge(identity_preset_index(preset), 0);
    return 1U << identity_preset_index(preset);
}

START_TEST(client_headers_are_off_or_known_presets)
{
    struct error err = {0};
    unsigned presets = 99;
    ck_assert(headers(1, (const char *[]){"off"}, &presets, &err));
    ck_assert_uint_eq(presets, 0);
    ck_assert(headers(1, (const char *[]){"nginx"}, &presets, &err));
    ck_assert_uint_eq(presets, bit("nginx"));
    ck_assert(headers(3, (const char *[]){"x-cert", "rfc9440", "xfcc"}, &presets, &err));
    ck_assert_uint_eq(presets, bit("x-cert") | bit("rfc9440") | bit("xfcc"));
    ck_assert(!headers(1, (const char *[]){"apache"}, &presets, &err));
    ck_assert_str_eq(err.text, "\"apache\" is no value for client_headers: write off, or one or "
                               "more of aws, cloudflare, nginx, rfc9440, x-cert, xfcc, with blanks "
                               "between");
    ck_assert(!headers(1, (const char *[]){"rfc9404"}, &presets, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "(did you mean rfc9440?): write off, or"));
    ck_assert(!headers(2, (const char *[]){"nginx", "off"}, &presets, &err));
    ck_assert_uint_eq(presets, bit("x-cert") | bit("rfc9440") | bit("xfcc"));
}
END_TEST

START_TEST(client_headers_go_where_they_are_wanted)
{
    struct error err = {0};
    struct client_headers wanted = {0};
    struct rule_options options = {.client_headers_to = CLIENT_HEADERS_TO_BACKEND};
    ck_assert(rule_client_headers_to(&options, bit("rfc9440"), &wanted, &err));
    ck_assert_uint_eq(wanted.to_backend, bit("rfc9440"));
    ck_assert_uint_eq(wanted.to_client, 0);
    ck_assert(!wanted.guards_answers && !wanted.first_only);

    options.client_headers_to = CLIENT_HEADERS_TO_BOTH;
    options.client_headers_when = CLIENT_HEADERS_FIRST;
    ck_assert(rule_client_headers_to(&options, bit("rfc9440") | bit("aws"), &wanted, &err));
    ck_assert_uint_eq(wanted.to_backend, bit("rfc9440") | bit("aws"));
    ck_assert_uint_eq(wanted.to_client, bit("aws")); /* RFC 9440 2.2 */
    ck_assert(wanted.guards_answers && wanted.first_only);

    options.client_headers_to = CLIENT_HEADERS_TO_CLIENT;
    ck_assert(rule_client_headers_to(&options, bit("x-cert"), &wanted, &err));
    ck_assert_uint_eq(wanted.to_backend, 0);
    ck_assert_uint_eq(wanted.to_client, bit("x-cert"));
    ck_assert(rule_client_headers_to(&options, 0, &wanted, &err));
    ck_assert(!wanted.guards_answers);
}
END_TEST

START_TEST(fields_that_must_not_stand_in_answers_are_not_sent_to_clients)
{
    struct error err = {0};
    struct client_headers wanted = {.to_backend = 99};
    struct rule_options options = {.client_headers_to = CLIENT_HEADERS_TO_CLIENT};
    ck_assert(!rule_client_headers_to(&options, bit("rfc9440") | bit("aws"), &wanted, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "client_headers_to = client: the fields of preset "
                                           "rfc9440 may stand in requests only; write"));
    options.client_headers_to = CLIENT_HEADERS_TO_BOTH;
    ck_assert(!rule_client_headers_to(&options, bit("rfc9440"), &wanted, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "client_headers_to = both: "));
    ck_assert_uint_eq(wanted.to_backend, 99);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_loop_test(tcase, a_good_domain_is_brought_into_one_form, 0,
                        sizeof good_domains / sizeof *good_domains);
    tcase_add_loop_test(tcase, a_bad_domain_is_refused_with_what_would_be_right, 0,
                        sizeof bad_domains / sizeof *bad_domains);
    tcase_add_loop_test(tcase, a_good_url_is_a_prefix_exact_or_an_expression, 0,
                        sizeof good_urls / sizeof *good_urls);
    tcase_add_loop_test(tcase, a_bad_url_is_refused_with_what_would_be_right, 0,
                        sizeof bad_urls / sizeof *bad_urls);
    tcase_add_test(tcase, client_headers_are_off_or_known_presets);
    tcase_add_test(tcase, client_headers_go_where_they_are_wanted);
    tcase_add_test(tcase, fields_that_must_not_stand_in_answers_are_not_sent_to_clients);
}

CHECK_MAIN("rule", add_tests)
