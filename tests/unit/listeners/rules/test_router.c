/* SPDX-License-Identifier: Apache-2.0 */
/* Which domain a host chooses, and which rule a path. */
#include "listeners/rules/router.h"

#include <stdio.h>
#include <string.h>

#include "listeners/load/rule_domain.h"
#include "tests/support/check_main.h"

enum { MANY = 2000 };

static struct arena arena;
static struct domain domains[MANY];
static struct rule_options options[MANY];
static struct rule rules[MANY];
static unsigned domain_count, rule_count;
static struct router *built;

static void begin(void)
{
    arena = (struct arena){0};
    memset(domains, 0, sizeof domains);
    memset(rules, 0, sizeof rules);
    memset(options, 0, sizeof options);
    domain_count = rule_count = 0;
    built = NULL;
}

static void end(void)
{
    router_done(built);
    arena_done(&arena);
}

static struct domain *add_domain(const char *pattern)
{
    struct domain *domain = &domains[domain_count];
    domain->index = domain_count++;
    domain->pattern = pattern;
    return domain;
}

static void add_rule(const struct domain *domain, const char *url)
{
    options[rule_count].url = url;
    rules[rule_count] =
        (struct rule){.name = url, .options = &options[rule_count], .domain = domain};
    rule_count++;
}

static struct router *build(unsigned default_domain)
{
    built = router_new(domains, domain_count, rules, rule_count, default_domain, &arena);
    return built;
}

/* The domain's pattern, or "(undecided)". */
static const char *domain_of(const struct router *router, const char *host)
{
    const struct domain *domain = router_domain(router, slice_of(host));
    return domain ? domain->pattern : "(undecided)";
}

/* The rule's url, "(slash)" with it, "(undecided)" with it, "(none)" or "(ambiguous)". */
static const char *route(const struct router *router, const struct domain *domain, const char *path)
{
    const struct rule *rule = NULL;
    switch (router_rule(router, domain, slice_of(path), &rule)) {
    case ROUTE_FOUND:
        return rule->name;
    case ROUTE_SLASH:
        return arena_format(&arena, "(slash) %s", rule->name);
    case ROUTE_UNDECIDED:
        return arena_format(&arena, "(undecided) %s", rule->name);
    case ROUTE_NONE:
        ck_assert_ptr_null(rule);
        return "(none)";
    case ROUTE_AMBIGUOUS:
        ck_assert_ptr_null(rule);
        return "(ambiguous)";
    }
    return "?";
}

/* Hosts. */

static struct router *hosts(void)
{
    static const char *const patterns[] = {
        "www.example.com", "*.example.com", "example.com",         "*.eu.example.com",
        "192.0.2.1",       "[2001:db8::1]", "default.example.org", "www.example.*",
        "www.*",           "10.0.*",        "~^www[0-9]+\\.",      "~^api\\.(?!example\\.org)",
        "~[A-F]{8}"};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        add_rule(add_domain(patterns[i]), "/");
    return build(6);
}

static const struct {
    const char *host;
    const char *pattern;
} host_cases[] = {
    {"www.example.com", "www.example.com"},
    {"WWW.Example.COM", "www.example.com"},
    {"www.example.com.", "www.example.com"},
    {"example.com", "example.com"},
    {"a.example.com", "*.example.com"},
    {"a.b.c.example.com", "*.example.com"},
    {"a.eu.example.com", "*.eu.example.com"},
    {"eu.example.com", "*.example.com"},
    {"a.www.example.com", "*.example.com"},
    {"notexample.com", "default.example.org"},
    {"example.com.evil.org", "default.example.org"},
    {".example.com", "default.example.org"},
    {"com", "default.example.org"},
    {"", "default.example.org"},
    /* names that begin with the longest; something must follow */
    {"www.example.org", "www.example.*"},
    {"WWW.Example.co.uk.", "www.example.*"},
    {"www.example.org.www.example.com", "*.example.com"},
    {"www.example", "www.*"},
    {"www.example.", "www.*"},
    {"www.other.org", "www.*"},
    {"www", "default.example.org"},
    {"www.", "default.example.org"},
    {"wwwx.example.org", "default.example.org"},
    {"10.0.1.2", "10.0.*"},
    {"10.01.1.2", "default.example.org"},
    /* expressions, in the file's order, after all of those */
    {"www7.example.org", "~^www[0-9]+\\."},
    {"WWW7.example.org:", "~^www[0-9]+\\."},
    {"www7.example.com", "*.example.com"},
    {"api.example.net", "~^api\\.(?!example\\.org)"},
    {"api.example.org", "default.example.org"},
    {"www8.deadbeef.org", "~^www[0-9]+\\."},
    {"deadBEEF.org", "~[A-F]{8}"},
    {".", "default.example.org"},
    {"*.example.com", "*.example.com"},
    {"192.0.2.1", "192.0.2.1"},
    {"192.0.2.10", "default.example.org"},
    {"[2001:db8::1]", "[2001:db8::1]"},
    {"[2001:DB8:0:0::1]", "[2001:db8::1]"},
    {"[2001:db8::2]", "default.example.org"},
    {"[", "default.example.org"},
    {"[]", "default.example.org"},
};

START_TEST(the_best_domain_of_a_host_is_found)
{
    const struct router *router = hosts();
    ck_assert_str_eq(domain_of(router, host_cases[_i].host), host_cases[_i].pattern);
}
END_TEST

START_TEST(a_name_no_rule_has_is_not_known)
{
    const struct router *router = hosts();
    ck_assert_ptr_null(router_known_domain(router, slice_of("other.org")));
    ck_assert_ptr_null(router_known_domain(router, slice_of("")));
    ck_assert_ptr_eq(router_known_domain(router, slice_of("x.EXAMPLE.com.")), &domains[1]);
    ck_assert_ptr_eq(router_known_domain(router, slice_of("WWW1.org")), &domains[10]);
    ck_assert_ptr_eq(router_default_domain(router), &domains[6]);
}
END_TEST

START_TEST(a_host_longer_than_any_name_gets_the_default_domain)
{
    char host[5000];
    memset(host, 'a', sizeof host);
    memcpy(host + sizeof host - 12, ".example.com", 12);
    const struct router *router = hosts();
    for (size_t length = 200; length <= sizeof host; length += 100) {
        struct slice tail = {host + sizeof host - length, length};
        const char *expected = length <= 253 ? "*.example.com" : "default.example.org";
        ck_assert_str_eq(router_domain(router, tail)->pattern, expected);
    }
}
END_TEST

START_TEST(a_name_whose_expression_takes_too_long_is_nobodys)
{
    char name[64];
    memset(name, 'a', sizeof name);
    memcpy(name + sizeof name - 5, ".org", 5);
    add_rule(add_domain("~^(?:[a-z]|[a-z])*[0-9]"), "/");
    add_rule(add_domain("~org$"), "/");
    add_rule(add_domain("*.net"), "/");
    const struct router *router = build(2);
    ck_assert_str_eq(domain_of(router, name), "(undecided)"); /* the first might have been it */
    ck_assert_ptr_null(router_known_domain(router, slice_of(name)));
    ck_assert_str_eq(domain_of(router, "short.org"), "~org$");
    ck_assert_str_eq(domain_of(router, "aaa7"), "~^(?:[a-z]|[a-z])*[0-9]");
    memcpy(name + sizeof name - 5, ".net", 5);
    ck_assert_str_eq(domain_of(router, name), "*.net");
}
END_TEST

START_TEST(rules_without_a_domain_serve_every_other_host)
{
    add_rule(add_domain("www.example.com"), "/");
    add_rule(add_domain(""), "/");
    const struct router *router = build(1);
    ck_assert_str_eq(domain_of(router, "www.example.com"), "www.example.com");
    ck_assert_str_eq(domain_of(router, "198.51.100.7"), "");
    ck_assert_str_eq(domain_of(router, ""), "");
    ck_assert_ptr_null(router_known_domain(router, slice_of("198.51.100.7")));
}
END_TEST

/* Paths. */

static struct router *paths(void)
{
    static const char *const urls[] = {"/",      "/abc",    "/abc/",  "=/abc",
                                       "/abc/d", "=/exact", "/a b/c", "/admin"};
    const struct domain *domain = add_domain("");
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
        add_rule(domain, urls[i]);
    return build(0);
}

static const struct {
    const char *path;
    const char *url;
} path_cases[] = {
    {"/", "/"},
    {"*", "/"},
    {"/x", "/"},
    {"/abc", "=/abc"},
    {"/abc/", "/abc/"},
    {"/abc/x", "/abc/"},
    {"/abc/d", "/abc/d"},
    {"/abc/d/", "/abc/d"},
    {"/abc/d/e/f", "/abc/d"},
    {"/abc/def", "/abc/"},
    {"/abcdef", "/"},
    {"/ABC", "/"},
    {"/exact", "=/exact"},
    {"/exact/", "/"},
    {"/a%20b/c", "/a b/c"},
    {"/%61bc", "=/abc"},
    {"/x/../abc/d", "(ambiguous)"},
    {"/abc/./d", "(ambiguous)"},
    {"/x/../y", "/"},
    {"/x%2Fy", "/"},
    {"/abc%2Fd", "(ambiguous)"},
    {"/abc%5Cd", "(ambiguous)"},
    {"/abc\\d", "(ambiguous)"},
    {"//abc", "(ambiguous)"},
    {"/abc//d", "(ambiguous)"},
    {"/admin;x", "(ambiguous)"},
    {"/x/..;/admin", "(ambiguous)"},
    {"/x/%2e%2e/admin", "(ambiguous)"},
    {"/public/..%2fadmin", "(ambiguous)"},
    {"/x%", "(ambiguous)"},
    {"/x%zz", "(ambiguous)"},
    {"/x%00", "(ambiguous)"},
    {"/%C0%AFabc", "(ambiguous)"},
    {"/%252e%252e/abc", "/"},
};

START_TEST(the_best_rule_of_a_path_is_found_or_the_path_refused)
{
    const struct router *router = paths();
    const char *found = route(router, &domains[0], path_cases[_i].path);
    ck_assert_msg(strcmp(found, path_cases[_i].url) == 0, "%s chose %s", path_cases[_i].path,
                  found);
}
END_TEST

START_TEST(a_path_no_rule_is_for_has_no_route)
{
    add_rule(add_domain(""), "/abc/");
    const struct router *router = build(0);
    ck_assert_str_eq(route(router, &domains[0], "/"), "(none)");
    ck_assert_str_eq(route(router, &domains[0], "/abc"), "(slash) /abc/");
    ck_assert_str_eq(route(router, &domains[0], "*"), "(none)");
    ck_assert_str_eq(route(router, &domains[0], ""), "(none)");
    ck_assert_str_eq(route(router, &domains[0], "/abc/x"), "/abc/");
    ck_assert_str_eq(route(router, &domains[0], "/abc%2Fx"), "(ambiguous)");
}
END_TEST

/* Every kind of url, in the file's order. */
static struct router *kinds(void)
{
    static const char *const urls[] = {"/",
                                       "/plain",
                                       "/plain/deep",
                                       "^~/final",
                                       "/final/open",
                                       "=/exact",
                                       "~ \\.php$",
                                       "~* ^/plain/[0-9]+",
                                       "~ ^/plain/[0-9]",
                                       "~^/Case$",
                                       "~*^/any$",
                                       "/slash/",
                                       "^~/firm/",
                                       "~^/firm$",
                                       "~ ^/bent$",
                                       "/bent/",
                                       "=/both",
                                       "/both/",
                                       "/deep/slash/",
                                       "/umlaut/",
                                       "~^/umlaut/\xc3\xbc$"};
    const struct domain *domain = add_domain("");
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
        add_rule(domain, urls[i]);
    return build(0);
}

static const struct {
    const char *path;
    const char *url;
} kind_cases[] = {
    {"/", "/"},
    {"*", "/"},
    {"/plain", "/plain"},
    {"/plain/deep/x", "/plain/deep"},
    {"/exact", "=/exact"},
    {"/exact/", "/"},
    /* an expression comes before a plain prefix */
    {"/x.php", "~ \\.php$"},
    {"/plain/x.php", "~ \\.php$"},
    {"/plain/deep/x.PHP", "/plain/deep"},
    {"/x.php/", "/"},
    {"/exact.php", "~ \\.php$"},
    /* the first in the file's order */
    {"/plain/7", "~* ^/plain/[0-9]+"},
    {"/PLAIN/7", "~* ^/plain/[0-9]+"},
    {"/plain/7.php", "~ \\.php$"},
    {"/PLAIN", "/"},
    {"/Case", "~^/Case$"},
    {"/case", "/"},
    {"/aNy", "~*^/any$"},
    /* no expression is asked behind ^~, if that is the longest prefix */
    {"/final", "^~/final"},
    {"/final/x.php", "^~/final"},
    {"/final/open/x.php", "~ \\.php$"},
    {"/final/open/x", "/final/open"},
    {"/finals.php", "~ \\.php$"},
    /* the last slash is missing */
    {"/slash", "(slash) /slash/"},
    {"/slash/", "/slash/"},
    {"/slash/x", "/slash/"},
    {"/slashes", "/"},
    {"/deep/slash", "(slash) /deep/slash/"},
    {"/deep", "/"},
    {"/firm", "(slash) ^~/firm/"},
    {"/firm/x.php", "^~/firm/"},
    {"/bent", "~ ^/bent$"},
    {"/both", "=/both"},
    {"/both/x", "/both/"},
    {"/%73lash", "(slash) /slash/"},
    {"/sl%61sh/", "/slash/"},
    /* expressions see the path decoded */
    {"/x%2Ephp", "~ \\.php$"},
    {"/umlaut/%C3%BC", "~^/umlaut/\xc3\xbc$"},
    /* two ways to read it: every one of them must choose the same */
    {"//slash", "(ambiguous)"},
    {"/slash;x", "(ambiguous)"},
    {"/slash%2F", "(ambiguous)"},
    {"/x/../slash", "(ambiguous)"},
    {"/./slash", "(ambiguous)"},
    {"/%5Cslash", "(ambiguous)"},
    {"/x.php;x", "(ambiguous)"},
    {"/a/..;/x.php", "~ \\.php$"},
    {"/a//x.php", "~ \\.php$"},
    {"/plain//7", "(ambiguous)"},
    {"/x%2Fy", "/"},
};

START_TEST(every_kind_of_url_has_its_place)
{
    const struct router *router = kinds();
    const char *found = route(router, &domains[0], kind_cases[_i].path);
    ck_assert_msg(strcmp(found, kind_cases[_i].url) == 0, "%s chose %s", kind_cases[_i].path,
                  found);
}
END_TEST

START_TEST(a_path_whose_expression_takes_too_long_chooses_nobody)
{
    char path[64];
    memset(path, 'a', sizeof path);
    path[0] = '/';
    path[sizeof path - 1] = '\0';
    add_rule(add_domain(""), "/");
    add_rule(&domains[0], "~ ^/(?:[a-z]|[a-z])*[0-9]");
    add_rule(&domains[0], "~ ^/a");
    add_rule(&domains[0], "^~/aaa");
    const struct router *router = build(0);
    ck_assert_str_eq(route(router, &domains[0], path), "(undecided) ~ ^/(?:[a-z]|[a-z])*[0-9]");
    memcpy(path, "/%61", 4);
    ck_assert_str_eq(route(router, &domains[0], path), "(undecided) ~ ^/(?:[a-z]|[a-z])*[0-9]");
    memcpy(path, "//a", 3);
    ck_assert_str_eq(route(router, &domains[0], path), "(ambiguous)");
    memcpy(path, "/aaa/", 5);
    ck_assert_str_eq(route(router, &domains[0], path), "^~/aaa");
    ck_assert_str_eq(route(router, &domains[0], "/abc"), "~ ^/a");
    ck_assert_str_eq(route(router, &domains[0], "/b"), "/");
}
END_TEST

START_TEST(where_one_rule_serves_all_no_reading_is_ambiguous)
{
    add_rule(add_domain(""), "/");
    const struct router *router = build(0);
    ck_assert_str_eq(route(router, &domains[0], "/a/..;/%2e%2e%2Fb//c"), "/");
    ck_assert_str_eq(route(router, &domains[0], "/a%"), "(ambiguous)");
    ck_assert_str_eq(route(router, &domains[0], "/a%00"), "(ambiguous)");
}
END_TEST

START_TEST(a_doubtful_path_that_is_too_long_to_judge_is_refused)
{
    static char path[3 * PATH_READING_BYTES];
    memset(path, 'x', sizeof path - 1);
    path[0] = '/';
    add_rule(add_domain(""), "/");
    add_rule(&domains[0], "/abc");
    const struct router *router = build(0);
    ck_assert_str_eq(route(router, &domains[0], path), "/");
    memcpy(path + sizeof path - 4, "%41", 3);
    ck_assert_str_eq(route(router, &domains[0], path), "(ambiguous)");
}
END_TEST

START_TEST(urls_of_one_domain_are_not_mixed_with_those_of_another)
{
    add_rule(add_domain("a.example.com"), "/only-a");
    add_rule(add_domain("*.example.com"), "/");
    const struct router *router = build(0);
    const struct domain *domain = router_domain(router, slice_of("a.example.com"));
    ck_assert_str_eq(route(router, domain, "/other"), "(none)");
    ck_assert_str_eq(route(router, domain, "/only-a"), "/only-a");
}
END_TEST

START_TEST(each_of_many_domains_and_urls_is_found)
{
    static char names[MANY][32], urls[MANY][32];
    const struct domain *shared = add_domain("");
    for (unsigned i = 0; i < MANY / 2; i++) {
        snprintf(urls[i], sizeof urls[i], "/a/%u", i);
        add_rule(shared, urls[i]);
    }
    for (unsigned i = 1; i < MANY / 2; i++) {
        snprintf(names[i], sizeof names[i], "%sh%u.example.com", i % 2 ? "*." : "", i);
        add_rule(add_domain(names[i]), "/");
    }
    const struct router *router = build(0);
    for (unsigned i = 0; i < MANY / 2; i++) {
        char path[64];
        snprintf(path, sizeof path, "/a/%u/b", i);
        ck_assert_str_eq(route(router, shared, path), urls[i]);
    }
    for (unsigned i = 1; i < MANY / 2; i++) {
        char host[64];
        snprintf(host, sizeof host, "%sh%u.example.com", i % 2 ? "x.y." : "", i);
        ck_assert_str_eq(domain_of(router, host), names[i]);
    }
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_loop_test(tcase, the_best_domain_of_a_host_is_found, 0,
                        sizeof host_cases / sizeof *host_cases);
    tcase_add_test(tcase, a_name_no_rule_has_is_not_known);
    tcase_add_test(tcase, a_name_whose_expression_takes_too_long_is_nobodys);
    tcase_add_loop_test(tcase, every_kind_of_url_has_its_place, 0,
                        sizeof kind_cases / sizeof *kind_cases);
    tcase_add_test(tcase, a_path_whose_expression_takes_too_long_chooses_nobody);
    tcase_add_test(tcase, a_host_longer_than_any_name_gets_the_default_domain);
    tcase_add_test(tcase, rules_without_a_domain_serve_every_other_host);
    tcase_add_loop_test(tcase, the_best_rule_of_a_path_is_found_or_the_path_refused, 0,
                        sizeof path_cases / sizeof *path_cases);
    tcase_add_test(tcase, a_path_no_rule_is_for_has_no_route);
    tcase_add_test(tcase, where_one_rule_serves_all_no_reading_is_ambiguous);
    tcase_add_test(tcase, a_doubtful_path_that_is_too_long_to_judge_is_refused);
    tcase_add_test(tcase, urls_of_one_domain_are_not_mixed_with_those_of_another);
    tcase_add_test(tcase, each_of_many_domains_and_urls_is_found);
}

CHECK_MAIN("router", add_tests)
