/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole files, good and bad: tests/cases/config/NAME.ini gives exactly the messages of
 * NAME.expected. The certificates they name are made by config_folder.c.
 *
 * With LB_ACCEPT=1 the messages are written to NAME.expected instead: look at what changed.
 */
#include "lb/config/config.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listeners/rules/router.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/config_folder.h"
#include "tests/support/made_crl.h"

enum { CASES_MOST = 64 };

static struct folder folder;
static char *cases[CASES_MOST];
static int case_count;

static void begin(void)
{
    config_folder_make(&folder);
}

static void end(void)
{
    folder_remove(&folder);
}

/* Cases. */

static void expect_from_now_on(const char *name, const char *messages)
{
    FILE *file = fopen(config_folder_source(name), "w");
    ck_assert_ptr_nonnull(file);
    fputs(messages, file);
    fclose(file);
}

START_TEST(every_case_gives_its_messages)
{
    char ini[128], expected_name[128], path[192], *messages;
    snprintf(ini, sizeof ini, "%s.ini", cases[_i]);
    snprintf(path, sizeof path, "tests/cases/config/%s", ini);
    char *text = config_folder_source_read(path);
    folder_write(&folder, ini, text);
    config_free(config_folder_load(&folder, ini, &messages));
    snprintf(expected_name, sizeof expected_name, "tests/cases/config/%s.expected", cases[_i]);
    if (getenv("LB_ACCEPT"))
        expect_from_now_on(expected_name, messages);
    char *expected = config_folder_source_read(expected_name);
    ck_assert_msg(strcmp(messages, expected) == 0, "%s gives\n%s\ninstead of\n%s", ini, messages,
                  expected);
    free(expected);
    free(text);
    free(messages);
}
END_TEST

/* What is built. */

#define POOLS "[pool app]\nbackend = rs-1 127.0.0.1:9001\n"
#define LISTENER_OFF                                                                               \
    "[listener web]\naddress = 127.0.0.1:8443\ncertificate = certs/server.crt\n"                   \
    "certificate_key = certs/server.key\n"
#define LISTENER_ON "[listener web]\naddress = 127.0.0.1:8443\nsni = on\n"
#define SERVER "certificate = certs/server.crt\ncertificate_key = certs/server.key\n"

static const struct rule *rule_named(const struct config *config, const char *name)
{
    const struct listener *listener = &config->listeners[0];
    for (unsigned i = 0; i < listener->rule_count; i++)
        if (strcmp(listener->rules[i].name, name) == 0)
            return &listener->rules[i];
    ck_abort_msg("no rule %s", name);
    return NULL;
}

START_TEST(a_rule_inherits_what_it_leaves_out)
{
    struct config *config = config_folder_load_text(
        &folder, LISTENER_OFF
        "mutual_auth = require\nclient_ca = certs/ca.crt\nrefuse_with = 403\n"
        "[rule all]\nlistener = web\npool = app\n"
        "[rule ca]\nlistener = web\nurl = /ca\nclient_ca = certs/partner.crt\n"
        "pool = app\n"
        "[rule mode]\nlistener = web\nurl = /mode\nmutual_auth = request\npool = app\n"
        "[rule off]\nlistener = web\nurl = /off\nmutual_auth = off\npool = app\n" POOLS);
    const struct rule *all = rule_named(config, "all"), *ca = rule_named(config, "ca");
    const struct rule *mode = rule_named(config, "mode"), *off = rule_named(config, "off");
    ck_assert_int_eq(all->auth.mode, AUTH_REQUIRE);
    ck_assert_int_eq(all->auth.refuse_with, REFUSE_403);
    ck_assert_int_eq(ca->auth.mode, AUTH_REQUIRE);
    ck_assert_ptr_ne(ca->auth.ca_set, all->auth.ca_set);
    ck_assert_int_eq(mode->auth.mode, AUTH_REQUEST);
    ck_assert_ptr_eq(mode->auth.ca_set, all->auth.ca_set);
    ck_assert_int_eq(off->auth.mode, AUTH_OFF);
    ck_assert_ptr_null(off->auth.ca_set);
    ck_assert_int_eq(off->auth.refuse_with, REFUSE_UNSET);
    config_free(config);
}
END_TEST

START_TEST(with_sni_on_the_listener_still_gives_the_defaults)
{
    struct config *config = config_folder_load_text(
        &folder,
        LISTENER_ON "mutual_auth = require\nclient_ca = certs/ca.crt\n"
                    "[rule all]\nlistener = web\npool = app\n" SERVER
                    "[rule own]\nlistener = web\ndomain = own.example.com\npool = app\n" SERVER
                    "mutual_auth = off\n" POOLS);
    ck_assert_int_eq(rule_named(config, "all")->auth.mode, AUTH_REQUIRE);
    ck_assert_ptr_nonnull(rule_named(config, "all")->auth.ca_set);
    ck_assert_int_eq(rule_named(config, "own")->auth.mode, AUTH_OFF);
    config_free(config);
}
END_TEST

START_TEST(with_sni_off_all_domains_share_one_policy_and_certificate)
{
    struct config *config = config_folder_load_text(
        &folder,
        LISTENER_OFF "[rule all]\nlistener = web\npool = app\n"
                     "[rule api]\nlistener = web\ndomain = api.example.com\nmutual_auth = require\n"
                     "client_ca = certs/ca.crt\npool = app\n" POOLS);
    const struct listener *listener = &config->listeners[0];
    ck_assert_uint_eq(listener->policy_count, 1);
    ck_assert_uint_eq(listener->domain_count, 2);
    ck_assert_uint_eq(listener->credential_count, 1);
    ck_assert_ptr_eq(listener->domains[0].policy, listener->domains[1].policy);
    ck_assert(listener->domains[0].policy->asks);
    ck_assert(!listener->domains[0].policy->alerts);
    ck_assert_ptr_eq(listener->domains[0].credentials[0], listener->domains[1].credentials[0]);
    ck_assert_ptr_nonnull(listener->sessions);
    config_free(config);
}
END_TEST

START_TEST(with_sni_on_each_domain_has_its_own_policy_and_certificate)
{
    struct config *config = config_folder_load_text(
        &folder,
        LISTENER_ON "[rule all]\nlistener = web\npool = app\n" SERVER
                    "[rule api]\nlistener = web\ndomain = api.example.com\nmutual_auth = require\n"
                    "client_ca = certs/ca.crt\npool = app\ncertificate = certs/other.crt\n"
                    "certificate_key = certs/other.key\n"
                    "[rule api-two]\nlistener = web\ndomain = API.example.com\nurl = /two\n"
                    "mutual_auth = require\nclient_ca = certs/ca.crt\npool = app\n" POOLS);
    const struct listener *listener = &config->listeners[0];
    ck_assert_uint_eq(listener->domain_count, 2);
    ck_assert_uint_eq(listener->policy_count, 2);
    ck_assert_uint_eq(listener->credential_count, 2);
    ck_assert(!listener->domains[0].policy->asks);
    ck_assert(listener->domains[1].policy->asks);
    ck_assert(listener->domains[1].policy->alerts);
    ck_assert_ptr_ne(listener->domains[0].credentials[0], listener->domains[1].credentials[0]);
    ck_assert_ptr_eq(rule_named(config, "api")->domain, rule_named(config, "api-two")->domain);
    config_free(config);
}
END_TEST

START_TEST(equal_ca_sets_are_one_however_they_are_named)
{
    struct config *config = config_folder_load_text(
        &folder, LISTENER_OFF
        "mutual_auth = require\nclient_ca = certs/ca.crt\nclient_ca = certs/partner.crt\n"
        "[rule all]\nlistener = web\npool = app\n"
        "[rule turned]\nlistener = web\nurl = /turned\nclient_ca = certs/partner.crt\n"
        "client_ca = certs/ca.crt\npool = app\n"
        "[rule one]\nlistener = web\nurl = /one\nclient_ca = certs/ca.crt\npool = app\n" POOLS);
    ck_assert_uint_eq(config->listeners[0].ca_set_count, 2);
    ck_assert_ptr_eq(rule_named(config, "all")->auth.ca_set,
                     rule_named(config, "turned")->auth.ca_set);
    ck_assert_ptr_ne(rule_named(config, "all")->auth.ca_set,
                     rule_named(config, "one")->auth.ca_set);
    config_free(config);
}
END_TEST

START_TEST(the_default_domain_is_the_one_that_says_so_or_the_first)
{
    static const struct {
        const char *rules;
        const char *pattern;
    } table[] = {
        {"[rule a]\nlistener = web\ndomain = a.example.com\npool = app\n"
         "[rule b]\nlistener = web\ndomain = b.example.com\npool = app\n",
         "a.example.com"},
        {"[rule a]\nlistener = web\ndomain = a.example.com\npool = app\n"
         "[rule b]\nlistener = web\ndomain = b.example.com\npool = app\ndefault = yes\n",
         "b.example.com"},
        {"[rule a]\nlistener = web\ndomain = a.example.com\npool = app\n"
         "[rule b]\nlistener = web\npool = app\n",
         ""},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char text[1024];
        snprintf(text, sizeof text, "%s%s%s", LISTENER_OFF, table[i].rules, POOLS);
        struct config *config = config_folder_load_text(&folder, text);
        ck_assert_str_eq(router_default_domain(config->listeners[0].router)->pattern,
                         table[i].pattern);
        config_free(config);
    }
}
END_TEST

START_TEST(a_rule_leads_to_its_pool)
{
    struct config *config = config_folder_load_text(
        &folder, LISTENER_OFF "[rule one]\nlistener = web\npool = two\n"
                              "[rule app]\nlistener = web\nurl = /app\npool = app\n" POOLS
                              "[pool two]\nbackend = rs-1 127.0.0.1:9001\n");
    ck_assert_str_eq(config->pools[rule_named(config, "one")->pool]->name, "two");
    ck_assert_str_eq(config->pools[rule_named(config, "app")->pool]->name, "app");
    ck_assert_int_eq(config->options->workers, -1);
    config_free(config);
}
END_TEST

START_TEST(log_files_are_relative_to_the_ini_file)
{
    struct config *config = config_folder_load_text(
        &folder, "[lb]\nlog = stdout\naccess_log = logs/access.log\n[listener web]\n"
                 "address = 127.0.0.1:8080\nprotocol = http\n[rule all]\nlistener = web\n"
                 "pool = app\n[pool app]\nbackend = rs-1 127.0.0.1:8081\n");
    char expected[256];
    snprintf(expected, sizeof expected, "%s/logs/access.log", config->folder);
    ck_assert_str_eq(config->options->access_log, expected);
    ck_assert_str_eq(config->options->log, "stdout");
    config_free(config);
}
END_TEST

START_TEST(what_lb_keeps_is_beside_the_ini_file_unless_said)
{
    char *messages;
    folder_write(&folder, "lb.ini",
                 "[listener web]\naddress = 127.0.0.1:9443\nprotocol = http\n"
                 "[rule www]\nlistener = web\npool = app\n"
                 "[pool app]\nbackend = rs-1 127.0.0.1:9081\n");
    struct config *config = config_folder_load(&folder, "lb.ini", &messages);
    ck_assert_msg(config, "%s", messages);
    ck_assert_str_eq(config->options->state_dir, folder_file(&folder, "var/"));
    config_free(config);
    free(messages);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_one_problem)
{
    char *messages;
    ck_assert_ptr_null(config_folder_load(&folder, "nowhere.ini", &messages));
    ck_assert_str_eq(messages, "nowhere.ini: error: cannot be opened: No such file or directory\n");
    free(messages);
}
END_TEST

/* The table of cases is the folder. */

static int is_case(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 4 && strcmp(entry->d_name + length - 4, ".ini") == 0;
}

static void find_cases(void)
{
    struct dirent **entries;
    int count = scandir(config_folder_source("tests/cases/config"), &entries, is_case, alphasort);
    for (int i = 0; i < count; i++) {
        if (case_count < CASES_MOST)
            cases[case_count++] = strndup(entries[i]->d_name, strlen(entries[i]->d_name) - 4);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
}

START_TEST(there_are_cases)
{
    ck_assert_int_ge(case_count, 15);
    ck_assert_int_lt(case_count, CASES_MOST);
}
END_TEST

/* --- at which line --------------------------------------------------------------------------- */

static void expect_lines(const char *text, const char *const *expected, unsigned count)
{
    char *messages = NULL;
    folder_write(&folder, "text.ini", text);
    config_free(config_folder_load(&folder, "text.ini", &messages));
    for (unsigned i = 0; i < count; i++)
        ck_assert_msg(strstr(messages, expected[i]), "%s instead of %s", messages, expected[i]);
    free(messages);
}

#define ASKS "mutual_auth = require\nclient_ca = certs/ca.crt\n"

START_TEST(of_a_list_each_rule_is_warned_where_it_names_it)
{
    static const char *const expected[] = {
        "text.ini:8: warning: client_crl certs/endless.crl: the list of CN=",
        "text.ini:14: warning: client_crl certs/endless.crl: the list of CN=",
    };
    char certs[256];
    struct made *ca = made_ca("Listing CA");
    snprintf(certs, sizeof certs, "%s", folder_file(&folder, "certs"));
    made_write(ca, certs, "listing");
    made_crl_write(&(struct crl_wish){.issuer = ca, .until_s = MADE_CRL_ENDLESS}, certs,
                   "endless.crl", MADE_CRL_PEM);
    made_free(ca);
    expect_lines(LISTENER_OFF
                 "mutual_auth = require\nclient_ca = certs/listing.crt\nclient_crl_policy = "
                 "soft\nclient_crl = certs/endless.crl\n"
                 "[rule all]\nlistener = web\npool = app\n"
                 "[rule own]\nlistener = web\nclient_crl = certs/endless.crl\n"
                 "url = /own\nclient_crl_policy = hard\npool = app\n" POOLS,
                 expected, 2);
}
END_TEST

/* So many CAs that their names take more than clients understand. */
static void write_many_cas(const char *file)
{
    enum { CA_COUNT = 70 };
    char sixty[61], name[32];
    struct made *first = NULL;
    FILE *out = fopen(folder_file(&folder, file), "w");
    memset(sixty, 'x', 60);
    sixty[60] = '\0';
    for (unsigned i = 0; i < CA_COUNT; i++) {
        snprintf(name, sizeof name, "CA %u", i);
        struct made *made =
            made_certificate(&(struct certificate_wish){.name = name,
                                                        .organization = sixty,
                                                        .units = {sixty, sixty},
                                                        .ca = true,
                                                        .reuse_key = first ? first->key : NULL});
        char *pem = made_certificate_pem(made);
        fputs(pem, out);
        free(pem);
        if (first)
            made_free(made);
        else
            first = made;
    }
    made_free(first);
    fclose(out);
}

START_TEST(too_many_names_are_told_where_most_of_them_are_named)
{
    static const char *const own[] = {"text.ini:13: warning: the names of the client CAs of "};
    static const char *const general[] = {"text.ini:6: warning: the names of the client CAs of "};
    write_many_cas("certs/many.crt");
    expect_lines(LISTENER_OFF ASKS "[rule all]\nlistener = web\npool = app\n"
                                   "[rule own]\nlistener = web\nurl = /own\n"
                                   "client_ca = certs/many.crt\npool = app\n" POOLS,
                 own, 1);
    expect_lines(LISTENER_OFF "mutual_auth = require\nclient_ca = certs/many.crt\n"
                              "[rule own]\nlistener = web\nurl = /own\n"
                              "client_ca = certs/ca.crt\npool = app\n"
                              "[rule all]\nlistener = web\npool = app\n" POOLS,
                 general, 1);
}
END_TEST

static void add_tests(TCase *tcase)
{
    find_cases();
    tcase_add_unchecked_fixture(tcase, begin, end);
    tcase_add_test(tcase, there_are_cases);
    tcase_add_loop_test(tcase, every_case_gives_its_messages, 0, case_count);
    tcase_add_test(tcase, a_rule_inherits_what_it_leaves_out);
    tcase_add_test(tcase, with_sni_on_the_listener_still_gives_the_defaults);
    tcase_add_test(tcase, with_sni_off_all_domains_share_one_policy_and_certificate);
    tcase_add_test(tcase, with_sni_on_each_domain_has_its_own_policy_and_certificate);
    tcase_add_test(tcase, equal_ca_sets_are_one_however_they_are_named);
    tcase_add_test(tcase, the_default_domain_is_the_one_that_says_so_or_the_first);
    tcase_add_test(tcase, a_rule_leads_to_its_pool);
    tcase_add_test(tcase, log_files_are_relative_to_the_ini_file);
    tcase_add_test(tcase, what_lb_keeps_is_beside_the_ini_file_unless_said);
    tcase_add_test(tcase, a_file_that_is_not_there_is_one_problem);
    tcase_add_test(tcase, of_a_list_each_rule_is_warned_where_it_names_it);
    tcase_add_test(tcase, too_many_names_are_told_where_most_of_them_are_named);
}

CHECK_MAIN("config", add_tests)
