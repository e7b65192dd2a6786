/* SPDX-License-Identifier: Apache-2.0 */
/* Which [access] section decides about a request. */
#include "listeners/access/access.h"

#include <string.h>

#include "lb/base/arena.h"
#include "lb/base/regex.h"
#include "listeners/listener.h"
#include "listeners/load/access_section.h"
#include "tests/support/check_main.h"
#include "tests/support/config_folder.h"
#include "tests/support/text.h"

static struct folder folder;
static struct config *config;

static void begin(void)
{
    config_folder_make(&folder);
    config = NULL;
}

static void end(void)
{
    config_free(config);
    folder_remove(&folder);
}

/* A listener with these rules and sections; "web" is its name. */
static void open_with(const char *sections)
{
    struct text ini = {0};
    text_add_format(&ini,
                    "[listener web]\naddress = 127.0.0.1:8080\nprotocol = http\n%s"
                    "[pool app]\nbackend = rs-1 127.0.0.1:9\n",
                    sections);
    config = config_folder_load_text(&folder, ini.bytes);
    text_done(&ini);
}

#define RULE(name, more) "[rule " name "]\nlistener = web\npool = app\n" more
#define ACCESS(name, more) "[access " name "]\n" more

static const struct access_rule *find(enum refusal verdict, const char *host, const char *path)
{
    const struct listener *listener = &config->listeners[0];
    const struct domain *domain = router_domain(listener->router, slice_of(host));
    const struct rule *rule = NULL;
    ck_assert_ptr_nonnull(domain);
    enum route route = router_rule(listener->router, domain, slice_of(path), &rule);
    ck_assert_msg(route == ROUTE_FOUND || route == ROUTE_SLASH, "%s%s: no rule", host, path);
    return access_find(listener, rule, verdict, slice_of(host), slice_of(path));
}

/* Its name, or "-". */
static const char *found(enum refusal verdict, const char *host, const char *path)
{
    const struct access_rule *access = find(verdict, host, path);
    return access ? access->name : "-";
}

/* --- conditions ------------------------------------------------------------------------------- */

static const struct {
    enum refusal verdict;
    const char *fits; /* of v, u, m and i */
} verdicts[] = {
    {REFUSAL_NONE, "v"},     {REFUSAL_MISSING, "um"},     {REFUSAL_UNTRUSTED, "ui"},
    {REFUSAL_EXPIRED, "ui"}, {REFUSAL_CRL_REVOKED, "ui"}, {REFUSAL_WRONG_PURPOSE, "ui"},
};

START_TEST(a_condition_holds_for_what_verification_found)
{
    static const char *const hosts[] = {"v.test", "u.test", "m.test", "i.test"};
    open_with(RULE("all", "") ACCESS("v", "domain = v.test\nclient_certificate = verified\n")
                  ACCESS("u", "domain = u.test\n")
                      ACCESS("m", "domain = m.test\nclient_certificate = missing\n")
                          ACCESS("i", "domain = i.test\nclient_certificate = invalid\n"));
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++)
        for (size_t k = 0; k < 4; k++)
            ck_assert_int_eq(find(verdicts[i].verdict, hosts[k], "/") != NULL,
                             strchr(verdicts[i].fits, hosts[k][0]) != NULL);
}
END_TEST

/* --- hosts ------------------------------------------------------------------------------------ */

static const char hosts_ini[] =
    RULE("www", "domain = www.example.com\n") RULE("below", "domain = *.example.com\n")
        RULE("begins", "domain = shop.*\n") RULE("like", "domain = ~^api[0-9]+\\.test$\n")
            ACCESS("regex", "domain = ~^(www|eu)\\.example\\.com$\nurl = /regex\n")
                ACCESS("name", "domain = www.example.com\nurl = /name\n")
                    ACCESS("suffix", "domain = *.example.com\nurl = /suffix\n")
                        ACCESS("prefix", "domain = shop.*\nurl = /prefix\n")
                            ACCESS("deep", "domain = a.b.example.com\nurl = /deep\n")
                                ACCESS("like", "domain = ~^api[0-9]+\\.test$\nurl = /like\n")
                                    ACCESS("nobody", "domain = nobody.test\nurl = /nobody\n")
                                        ACCESS("any", "url = /any\n");

static const struct {
    const char *host;
    const char *path;
    const char *name;
} host_cases[] = {
    {"www.example.com", "/name", "name"},
    {"WWW.Example.COM.", "/name", "name"},
    {"www.example.com", "/suffix", "suffix"},
    {"www.example.com", "/regex", "regex"},
    {"www.example.com", "/deep", "-"},
    {"www.example.com", "/prefix", "-"},
    {"eu.example.com", "/regex", "regex"},
    {"EU.example.com.", "/regex", "regex"},
    {"eu.example.com", "/name", "-"},
    {"a.b.example.com", "/deep", "deep"},
    {"a.b.example.com", "/suffix", "suffix"},
    {"b.example.com", "/deep", "-"},
    {"shop.example.org", "/prefix", "prefix"},
    {"shop.example.com", "/prefix", "prefix"},
    {"shop.example.com", "/suffix", "suffix"},
    {"api7.test", "/like", "like"},
    {"api7.test", "/any", "any"},
    {"www.example.com", "/any", "any"},
    /* nobody names these hosts: the first rule's domain answers, and its sections hold */
    {"", "/name", "name"},
    {"", "/suffix", "suffix"},
    {"", "/regex", "regex"},
    {"", "/any", "any"},
    {"evil.test", "/name", "name"},
    {"evil.test", "/regex", "regex"},
    {"evil.test", "/prefix", "-"},
    {"evil.test", "/nobody", "-"},
    {"nobody.test", "/nobody", "nobody"},
    {"192.0.2.7", "/name", "name"},
};

START_TEST(a_section_holds_for_its_host_and_for_the_rules_of_its_host)
{
    open_with(hosts_ini);
    ck_assert_msg(strcmp(found(REFUSAL_MISSING, host_cases[_i].host, host_cases[_i].path),
                         host_cases[_i].name) == 0,
                  "%s%s: %s instead of %s", host_cases[_i].host, host_cases[_i].path,
                  found(REFUSAL_MISSING, host_cases[_i].host, host_cases[_i].path),
                  host_cases[_i].name);
}
END_TEST

START_TEST(the_first_in_the_file_decides_however_it_names_its_host)
{
    static const char *const domains[] = {"", "domain = www.example.com\n",
                                          "domain = *.example.com\n", "domain = www.*\n",
                                          "domain = ~^www\\.example\n"};
    for (size_t first = 0; first < 5; first++) {
        struct text ini = {0};
        text_add_format(&ini, RULE("www", "domain = *.com\n"));
        for (size_t i = 0; i < 5; i++)
            text_add_format(&ini, "[access a%zu]\n%s", i, domains[(first + i) % 5]);
        open_with(ini.bytes);
        ck_assert_str_eq(found(REFUSAL_MISSING, "www.example.com", "/"), "a0");
        config_free(config);
        config = NULL;
        text_done(&ini);
    }
}
END_TEST

START_TEST(a_later_section_decides_where_earlier_ones_do_not_fit)
{
    open_with(RULE("all", "") ACCESS("one", "url = /one\nclient_certificate = verified\n")
                  ACCESS("two", "domain = two.test\n") ACCESS("three", "url = /one\n")
                      ACCESS("four", "domain = *.test\naction = log\n"));
    ck_assert_str_eq(found(REFUSAL_NONE, "one.test", "/one"), "one");
    ck_assert_str_eq(found(REFUSAL_MISSING, "one.test", "/one"), "three");
    ck_assert_str_eq(found(REFUSAL_MISSING, "two.test", "/one"), "two");
    ck_assert_str_eq(found(REFUSAL_MISSING, "one.test", "/"), "four");
    ck_assert_str_eq(found(REFUSAL_MISSING, "one.example", "/"), "-");
    ck_assert_str_eq(found(REFUSAL_NONE, "two.test", "/"), "-");
}
END_TEST

/* --- paths ------------------------------------------------------------------------------------ */

static const char *const urls[] = {"/",       "/abc",   "/abc/",          "=/abc",
                                   "=/",      "^~/abc", "~ ^/abc[0-9]",   "~* \\.PHP$",
                                   "/abc/de", "=/abc/", "~ /secret(/|$)", "/a.b"};
static const char *const paths[] = {
    "/",      "/abc",    "/abc/",    "/abcdef",   "/abc/x",    "/ABC",        "/abc7",
    "/x.php", "/x.PHP/", "/abc/de",  "/abc/de/f", "/abc/def",  "/x/secret/y", "/a",
    "/ab",    "/%61bc",  "/a%62c/x", "/./abc",    "/x/../abc", "/a.b/c",      "/abc/../def"};
enum { URLS = sizeof urls / sizeof *urls, PATHS = sizeof paths / sizeof *paths };

START_TEST(a_url_takes_the_paths_that_a_rule_with_it_takes)
{
    struct arena arena = {0};
    struct domain domain = {.pattern = ""};
    struct rule_options options = {.url = urls[_i]};
    struct rule rule = {.name = urls[_i], .options = &options, .domain = &domain};
    struct router *router = router_new(&domain, 1, &rule, 1, 0, &arena);
    struct text ini = {0};
    text_add_format(&ini, RULE("all", "") "[access one]\nurl = %s\n", urls[_i]);
    open_with(ini.bytes);
    for (size_t i = 0; i < PATHS; i++) {
        const struct rule *met = NULL;
        enum route route = router_rule(router, &domain, slice_of(paths[i]), &met);
        bool is_found = find(REFUSAL_MISSING, "x.test", paths[i]) != NULL;
        /* Where a rule would refuse the path as ambiguous, one reading fits, and that is enough. */
        ck_assert_msg(is_found == (route != ROUTE_NONE), "%s and %s", urls[_i], paths[i]);
    }
    text_done(&ini);
    router_done(router);
    arena_done(&arena);
}
END_TEST

/* All of them are the one rule's, so that the router does not refuse them. */
static const struct {
    const char *path;
    bool is_blocked;
} readings[] = {
    {"/admin", true},
    {"/admin/", true},
    {"/admin/x", true},
    {"/%61dmin", true},
    {"/%61%64%6d%69%6e/x", true},
    {"/./admin", true},
    {"/x/../admin", true},
    {"/x/%2e%2e/admin", true},
    {"//admin", true},
    {"///admin/x", true},
    {"/admin%2Fx", true},
    {"/%2Fadmin", true},
    {"/x%2F..%2Fadmin", true},
    {"/x%2f%2e%2e%2fadmin/y", true},
    {"/x\\..\\admin", true},
    {"/admin\\x", true},
    {"/admin%5Cx", true},
    {"/admin;x=1", true},
    {"/admin;x/y", true},
    {"/x;y/../admin", true},
    {"/x/..;/admin", true},
    {"/admin/../x", true}, /* who leaves dot segments alone sees /admin */
    {"/administrator", false},
    {"/x/admin", false},
    {"/ADMIN", false},
    {"/", false},
    {"/x;admin", false},
    {"/%2561dmin", false}, /* decoded once */
};

START_TEST(no_spelling_of_a_path_slips_by_a_block)
{
    open_with(RULE("all", "") ACCESS("admin", "domain = www.test\nurl = /admin\n"));
    ck_assert_msg((find(REFUSAL_MISSING, "www.test", readings[_i].path) != NULL) ==
                      readings[_i].is_blocked,
                  "%s", readings[_i].path);
}
END_TEST

START_TEST(where_readings_find_different_sections_the_strictest_holds)
{
    open_with(RULE("all", "") ACCESS("public", "url = /public\naction = log\n") ACCESS(
        "moved", "url = /moved\naction = redirect:/x\n") ACCESS("admin", "url = /admin\n"));
    ck_assert_str_eq(found(REFUSAL_MISSING, "x", "/public/x"), "public");
    ck_assert_str_eq(found(REFUSAL_MISSING, "x", "/public/..%2Fadmin"), "admin");
    ck_assert_str_eq(found(REFUSAL_MISSING, "x", "/public/../admin"), "admin");
    ck_assert_str_eq(found(REFUSAL_MISSING, "x", "/admin/../public"), "admin");
    ck_assert_str_eq(found(REFUSAL_MISSING, "x", "/public/..%2Fmoved"), "moved");
    ck_assert_str_eq(found(REFUSAL_MISSING, "x", "/public/..%2Fx"), "public");
}
END_TEST

START_TEST(an_expression_without_end_counts_as_fitting_unless_it_would_let_pass)
{
    char path[3000] = "/";
    memset(path + 1, 'a', sizeof path - 2);
    open_with(RULE("all", "") ACCESS("log", "url = ~ ^/(?:a|a)*[0-9]\naction = log\n")
                  ACCESS("block", "url = ~ ^/(?:a|a)*[1-9]\n"));
    ck_assert_str_eq(found(REFUSAL_MISSING, "x", path), "block");
    ck_assert_str_eq(found(REFUSAL_MISSING, "x", "/ab"), "-");
}
END_TEST

START_TEST(a_star_as_request_target_is_the_root)
{
    open_with(RULE("all", "") ACCESS("root", "url = =/\n"));
    ck_assert_str_eq(found(REFUSAL_MISSING, "x", "*"), "root");
}
END_TEST

/* --- listeners -------------------------------------------------------------------------------- */

START_TEST(a_section_holds_on_the_listeners_it_names_or_on_all)
{
    config = config_folder_load_text(
        &folder, "[listener one]\naddress = 127.0.0.1:8081\nprotocol = http\n"
                 "[listener two]\naddress = 127.0.0.1:8082\nprotocol = http\n"
                 "[rule all]\nlistener = one\nlistener = two\npool = app\n"
                 "[access only]\nlistener = two\nurl = /only\n[access both]\nurl = /both\n"
                 "[pool app]\nbackend = rs-1 127.0.0.1:9\n");
    for (unsigned i = 0; i < 2; i++) {
        const struct listener *listener = &config->listeners[i];
        const struct rule *rule = &listener->rules[0];
        ck_assert_int_eq(
            access_find(listener, rule, REFUSAL_MISSING, slice_of("x"), slice_of("/only")) != NULL,
            i == 1);
        ck_assert_ptr_nonnull(
            access_find(listener, rule, REFUSAL_MISSING, slice_of("x"), slice_of("/both")));
    }
}
END_TEST

START_TEST(a_listener_without_sections_finds_none)
{
    open_with(RULE("all", ""));
    ck_assert_ptr_null(find(REFUSAL_MISSING, "x", "/"));
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_condition_holds_for_what_verification_found);
    tcase_add_loop_test(tcase, a_section_holds_for_its_host_and_for_the_rules_of_its_host, 0,
                        sizeof host_cases / sizeof *host_cases);
    tcase_add_test(tcase, the_first_in_the_file_decides_however_it_names_its_host);
    tcase_add_test(tcase, a_later_section_decides_where_earlier_ones_do_not_fit);
    tcase_add_loop_test(tcase, a_url_takes_the_paths_that_a_rule_with_it_takes, 0, URLS);
    tcase_add_loop_test(tcase, no_spelling_of_a_path_slips_by_a_block, 0,
                        sizeof readings / sizeof *readings);
    tcase_add_test(tcase, where_readings_find_different_sections_the_strictest_holds);
    tcase_add_test(tcase, an_expression_without_end_counts_as_fitting_unless_it_would_let_pass);
    tcase_add_test(tcase, a_star_as_request_target_is_the_root);
    tcase_add_test(tcase, a_section_holds_on_the_listeners_it_names_or_on_all);
    tcase_add_test(tcase, a_listener_without_sections_finds_none);
}

CHECK_MAIN("access", add_tests)
