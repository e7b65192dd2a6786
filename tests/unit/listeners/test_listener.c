/* SPDX-License-Identifier: Apache-2.0 */
/* Building listeners by themselves: many rules, shared certificates, and what is left half-built.
 */
#include "listeners/listener.h"

#include <stdio.h>
#include <string.h>

#include "listeners/load/rule_section.h"
#include "listeners/tls/session_cache.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"

enum { RULES_MOST = 5000 };

static struct folder folder;
static struct arena arena;
static struct problems problems;
static struct listener_options options;
static struct listener listener;
static struct rule_section sections[RULES_MOST];
static unsigned section_count;

static void begin(void)
{
    struct made *ca = made_ca("Example CA");
    struct made *server = made_server(ca, "www.example.com");
    folder_make(&folder);
    made_write(ca, folder.path, "ca");
    made_write(server, folder.path, "server");
    made_free(server);
    made_free(ca);
    option_defaults(&listener_option_table, &options, &arena);
    listener = (struct listener){.name = "web", .line = 1, .options = &options};
}

static void end(void)
{
    listener_done(&listener);
    problems_done(&problems);
    arena_done(&arena);
    folder_remove(&folder);
}

/* A list as option_set() makes it, of files in the folder or of plain texts. */
static void list_add(struct option_list *list, const char *text, unsigned line)
{
    const char **items = arena_alloc(&arena, (list->count + 1) * sizeof(char *));
    unsigned *lines = arena_alloc(&arena, (list->count + 1) * sizeof *lines);
    if (list->count > 0) {
        memcpy(items, list->items, list->count * sizeof(char *));
        memcpy(lines, list->lines, list->count * sizeof *lines);
    }
    items[list->count] = arena_copy(&arena, text);
    lines[list->count] = line;
    *list = (struct option_list){.items = items, .lines = lines, .count = list->count + 1};
}

static void list_add_file(struct option_list *list, const char *name, unsigned line)
{
    list_add(list, folder_file(&folder, name), line);
}

static struct rule_options *add_rule(const char *domain, const char *url)
{
    unsigned line = 10 * (section_count + 1);
    struct rule_options *rule = arena_alloc(&arena, sizeof *rule);
    option_defaults(&rule_option_table, rule, &arena);
    rule->domain = domain;
    rule->domain_line = domain ? line + 1 : 0;
    rule->url = url;
    sections[section_count] = (struct rule_section){
        .name = arena_format(&arena, "rule-%u", section_count), .line = line, .options = rule};
    section_count++;
    return rule;
}

static bool prepare(void)
{
    list_add(&options.address, "127.0.0.1:8443", 2);
    for (unsigned i = 0; i < section_count; i++)
        rule_section_read(&sections[i], &arena, "lb.ini", &problems);
    return listener_prepare(&listener, sections, section_count, NULL, &arena, "lb.ini", &problems);
}

static void use_certificates(struct option_list *certificates, struct option_list *keys)
{
    list_add_file(certificates, "server.crt", 3);
    list_add_file(keys, "server.key", 4);
}

START_TEST(a_listener_without_anything_is_reported_and_can_be_let_go)
{
    ck_assert(!listener_prepare(&listener, NULL, 0, NULL, &arena, "lb.ini", &problems));
    ck_assert_uint_eq(problems.error_count, 3); /* no address, no rule, no certificate */
    ck_assert_ptr_null(listener.router);
    ck_assert_ptr_null(listener.sessions);
}
END_TEST

START_TEST(an_http_listener_asks_nothing_and_keeps_no_sessions)
{
    options.protocol = LISTENER_HTTP;
    add_rule(NULL, "/");
    add_rule("www.example.com", "/");
    ck_assert(prepare());
    ck_assert_ptr_null(listener.sessions);
    ck_assert_uint_eq(listener.credential_count, 0);
    ck_assert_uint_eq(listener.domain_count, 2);
    ck_assert_ptr_nonnull(listener.domains[0].policy);
    ck_assert_ptr_eq(listener.domains[0].policy, listener.domains[1].policy);
    ck_assert(!listener.domains[0].policy->asks);
    ck_assert_str_eq(router_default_domain(listener.router)->pattern, "");
}
END_TEST

static const struct {
    uint32_t timeout_ms;
    int64_t sessions;
    unsigned lifetime_s;
} lifetimes[] = {{300000, 20000, 300}, {1500, 1, 2}, {1, 1, 1}, {0, 20000, 0}, {300000, 0, 0}};

START_TEST(sessions_live_as_long_as_both_keys_let_them)
{
    use_certificates(&options.certificate, &options.certificate_key);
    add_rule(NULL, "/");
    options.session_timeout = lifetimes[_i].timeout_ms;
    options.sessions = lifetimes[_i].sessions;
    ck_assert(prepare());
    ck_assert_uint_eq(session_cache_lifetime_s(listener.sessions), lifetimes[_i].lifetime_s);
}
END_TEST

START_TEST(thousands_of_domains_share_a_certificate_that_is_loaded_once)
{
    options.sni = true;
    for (unsigned i = 0; i < RULES_MOST; i++) {
        struct rule_options *rule =
            add_rule(arena_format(&arena, "h%u.example.com", i), i % 2 ? "/" : "/x");
        use_certificates(&rule->certificate, &rule->certificate_key);
        rule->mutual_auth = AUTH_REQUIRE;
        rule->mutual_auth_line = 5;
        list_add_file(&rule->client_ca, "ca.crt", 6);
    }
    ck_assert_msg(prepare(), "%s", problems.count ? problems.items[0].text : "");
    ck_assert_uint_eq(listener.credential_count, 1);
    ck_assert_uint_eq(listener.ca_set_count, 1);
    ck_assert_uint_eq(listener.domain_count, RULES_MOST);
    ck_assert_uint_eq(listener.policy_count, RULES_MOST);
    ck_assert(policy_equal(&listener.policies[0], &listener.policies[RULES_MOST - 1]));
    const struct domain *last = router_domain(listener.router, slice_of("h4999.example.com"));
    ck_assert_str_eq(last->pattern, "h4999.example.com");
    ck_assert_ptr_eq(last->credentials[0], listener.domains[0].credentials[0]);
}
END_TEST

START_TEST(too_many_sets_of_cas_are_refused)
{
    use_certificates(&options.certificate, &options.certificate_key);
    options.mutual_auth = AUTH_REQUIRE;
    options.mutual_auth_line = 5;
    for (unsigned i = 0; i <= CA_SETS_PER_DOMAIN; i++) {
        char name[32], file[40];
        snprintf(name, sizeof name, "ca-%u", i);
        snprintf(file, sizeof file, "%s.crt", name);
        struct made *ca = made_ca(name);
        made_write(ca, folder.path, name);
        made_free(ca);
        struct rule_options *rule = add_rule(NULL, arena_format(&arena, "/%u", i));
        list_add_file(&rule->client_ca, file, 6);
    }
    ck_assert(!prepare());
    ck_assert_uint_eq(problems.count, 1);
    ck_assert_ptr_nonnull(strstr(problems.items[0].text, "more than 16 different sets"));
    listener_done(&listener);
    listener = (struct listener){.name = "web", .line = 1, .options = &options};
    problems_done(&problems);
    section_count--;
    ck_assert_msg(prepare(), "%s", problems.count ? problems.items[0].text : "");
    ck_assert_uint_eq(listener.policies[0].set_count, CA_SETS_PER_DOMAIN);
}
END_TEST

START_TEST(a_rule_that_failed_spoils_only_its_own_domain)
{
    options.sni = true;
    struct rule_options *good = add_rule("good.example.com", "/");
    use_certificates(&good->certificate, &good->certificate_key);
    struct rule_options *bad = add_rule("bad.example.com", "/");
    use_certificates(&bad->certificate, &bad->certificate_key);
    bad->mutual_auth = AUTH_REQUIRE;
    bad->mutual_auth_line = 25;
    ck_assert(!prepare());
    ck_assert_uint_eq(problems.count, 1);
    ck_assert_uint_eq(problems.items[0].line, 25);
    ck_assert_ptr_nonnull(listener.domains[0].policy);
    ck_assert_ptr_null(listener.domains[1].policy);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_listener_without_anything_is_reported_and_can_be_let_go);
    tcase_add_test(tcase, an_http_listener_asks_nothing_and_keeps_no_sessions);
    tcase_add_loop_test(tcase, sessions_live_as_long_as_both_keys_let_them, 0,
                        sizeof lifetimes / sizeof *lifetimes);
    tcase_add_test(tcase, thousands_of_domains_share_a_certificate_that_is_loaded_once);
    tcase_add_test(tcase, too_many_sets_of_cas_are_refused);
    tcase_add_test(tcase, a_rule_that_failed_spoils_only_its_own_domain);
}

CHECK_MAIN("listener", add_tests)
