/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/registry/registry_facts.h"

#include <stdio.h>
#include <string.h>

#include "lb/config/config.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"

static struct folder folder;
static struct config *config;
static struct registry_facts facts;

static void load(const char *registry, const char *client_ca)
{
    struct problems problems = {0};
    char ini[2048];
    struct made *server = made_server(NULL, "www.example.com");
    made_write(server, folder.path, "server");
    made_free(server);
    snprintf(ini, sizeof ini,
             "[lb]\nstate_dir = state\n[registry]\n%s"
             "[listener web]\naddress = 127.0.0.1:8443\ncertificate = server.crt\n"
             "certificate_key = server.key\n"
             "[rule www]\nlistener = web\ndomain = www.example.com\npool = app\n%s"
             "[pool app]\nbackend = rs-1 127.0.0.1:9001\n",
             registry, client_ca);
    folder_write(&folder, "lb.ini", ini);
    config = config_load(folder_file(&folder, "lb.ini"), &problems);
    ck_assert_msg(config, "%s", problems.count ? problems.items[0].text : "");
    problems_done(&problems);
    ck_assert(registry_facts_make(&facts, config));
}

static void begin(void)
{
    folder_make(&folder);
}

static void end(void)
{
    registry_facts_done(&facts);
    config_free(config);
    folder_remove(&folder);
}

START_TEST(facts_are_what_the_file_says)
{
    char wanted[256];
    load("max_cas = 5\nsignups_per_second = 40\nexpiring_within = 10d\nstore = sqlite:own.db\n",
         "");
    ck_assert_uint_eq(facts.max_cas, 5);
    ck_assert_uint_eq(facts.signups_per_second, 40);
    ck_assert_uint_eq(facts.expiring_within_s, 10 * 24 * 3600);
    snprintf(wanted, sizeof wanted, "sqlite:%s/own.db", folder.path);
    ck_assert_str_eq(facts.location, wanted);
    snprintf(wanted, sizeof wanted, "%s/state", folder.path);
    ck_assert_str_eq(facts.state_dir, wanted);
    ck_assert_ptr_null(facts.passphrase_file);
    ck_assert_uint_eq(facts.named_ca_count, 0);
}
END_TEST

START_TEST(hosts_are_asked_of_the_config)
{
    struct error why = {""};
    load("", "");
    ck_assert(facts.hosts.is_served(facts.hosts.arg, "WWW.example.com", &why));
    ck_assert(!facts.hosts.is_served(facts.hosts.arg, "www.exampel.com", &why));
    ck_assert_ptr_nonnull(strstr(why.text, "www.exampel.com"));
}
END_TEST

START_TEST(what_the_rules_of_a_host_ask_for_is_known)
{
    struct error advice = {""};
    json_t *words = json_array();
    load("", "mutual_auth = request\nclient_ca = builtin\nclient_ca = builtin\n");
    ck_assert(facts.asked_of(facts.hosts.arg, "WWW.example.com.", words, &advice));
    ck_assert_uint_eq(json_array_size(words), 1);
    ck_assert_str_eq(json_string_value(json_array_get(words, 0)), "builtin");
    ck_assert_msg(strstr(advice.text, "client_ca of rule www") != NULL, "%s", advice.text);
    json_decref(words);
}
END_TEST

START_TEST(a_host_whose_rules_are_off_asks_for_none)
{
    struct error advice = {""};
    json_t *words = json_array();
    load("", "");
    ck_assert(facts.asked_of(facts.hosts.arg, "www.example.com", words, &advice));
    ck_assert_uint_eq(json_array_size(words), 0);
    ck_assert_msg(strstr(advice.text, "mutual_auth of rule www (line ") != NULL, "%s", advice.text);
    ck_assert_msg(strstr(advice.text, "say mutual_auth = when-bound and client_ca = registry"),
                  "%s", advice.text);
    json_decref(words);
}
END_TEST

START_TEST(cas_that_the_file_names_are_known)
{
    load("", "mutual_auth = request\nclient_ca = builtin\n");
    ck_assert_uint_eq(facts.named_ca_count, 1);
    ck_assert_str_eq(facts.named_cas[0], "builtin");
}
END_TEST

START_TEST(who_asks_is_a_user_and_a_process)
{
    char who[REGISTRY_WHO_BYTES];
    registry_who(0, 4711, who);
    ck_assert_str_eq(who, "uid 0 (pid 4711)");
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, facts_are_what_the_file_says);
    tcase_add_test(tcase, hosts_are_asked_of_the_config);
    tcase_add_test(tcase, what_the_rules_of_a_host_ask_for_is_known);
    tcase_add_test(tcase, a_host_whose_rules_are_off_asks_for_none);
    tcase_add_test(tcase, cas_that_the_file_names_are_known);
    tcase_add_test(tcase, who_asks_is_a_user_and_a_process);
}

CHECK_MAIN("registry facts", add_tests)
