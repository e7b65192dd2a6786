/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole files, good and bad: tests/cases/config/NAME.ini gives exactly the messages of
 * NAME.expected. The files name certificates that are made here, in the folder `certs` beside a
 * copy of the case.
 *
 * With LB_ACCEPT=1 the messages are written to NAME.expected instead: look at what changed.
 */
#include "lb/config.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lb/commands/check.h"
#include "listeners/router.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"

enum { CASES_MOST = 64 };

static struct folder folder;
static char *cases[CASES_MOST];
static int case_count;

static const char *source_file(const char *name)
{
    static char path[512];
    const char *root = getenv("LB_SOURCE");
    snprintf(path, sizeof path, "%s/%s", root ? root : ".", name);
    return path;
}

static char *source_read(const char *name)
{
    FILE *file = fopen(source_file(name), "r");
    ck_assert_msg(file, "%s is missing", name);
    char *text = NULL;
    size_t room = 0;
    ssize_t length = getdelim(&text, &room, '\0', file);
    fclose(file);
    if (length < 0)
        text[0] = '\0';
    return text;
}

/* Certificates. */

static void write_made(const struct certificate_wish *wish, const char *name)
{
    struct made *made = made_certificate(wish);
    made_write(made, folder_file(&folder, "certs"), name);
    made_free(made);
}

static void write_certificates(void)
{
    struct made *ca = made_ca("Example CA");
    struct made *partner = made_ca("Partner CA");
    struct made *intermediate = made_intermediate(ca, "Example Issuing CA");
    struct made *client = made_client(ca, "alice");
    const int64_t day = MADE_DAY_S;
    ck_assert_int_eq(mkdir(folder_file(&folder, "certs"), 0700), 0);
    made_write(ca, folder_file(&folder, "certs"), "ca");
    made_write(partner, folder_file(&folder, "certs"), "partner");
    made_write(intermediate, folder_file(&folder, "certs"), "intermediate");
    made_write(client, folder_file(&folder, "certs"), "client");
    write_made(&(struct certificate_wish){.name = "www.example.com", .issuer = ca}, "server");
    write_made(&(struct certificate_wish){.name = "other.example.com", .issuer = ca}, "other");
    write_made(&(struct certificate_wish){.name = "www.example.com",
                                          .issuer = ca,
                                          .key = MADE_KEY_RSA_2048},
               "server-rsa");
    write_made(
        &(struct certificate_wish){
            .name = "late.example.com", .issuer = ca, .from_s = -2 * day, .until_s = -day},
        "late");
    write_made(
        &(struct certificate_wish){
            .name = "early.example.com", .issuer = ca, .from_s = day, .until_s = 2 * day},
        "early");
    write_made(&(struct certificate_wish){.name = "www.example.com", .ca = true}, "namesake");
    write_made(
        &(struct certificate_wish){
            .name = "Old CA", .ca = true, .from_s = -2 * day, .until_s = -day},
        "old-ca");
    made_free(ca);
    made_free(partner);
    made_free(intermediate);
    made_free(client);
}

static void begin(void)
{
    folder_make(&folder);
    write_certificates();
}

static void end(void)
{
    folder_remove(&folder);
}

/* Cases. */

/* "/tmp/lb-test-x/certs/ca.crt" is shown as "certs/ca.crt". */
static void drop_folder(char *text)
{
    char prefix[80];
    int length = snprintf(prefix, sizeof prefix, "%s/", folder.path);
    for (char *at = strstr(text, prefix); at; at = strstr(at, prefix))
        memmove(at, at + length, strlen(at + length) + 1);
}

static struct config *load(const char *file, char **ret_messages)
{
    struct problems problems = {0};
    size_t length;
    FILE *out = open_memstream(ret_messages, &length);
    struct config *config = config_load(folder_file(&folder, file), &problems);
    check_write_problems(&problems, out);
    if (config)
        fprintf(out, "fine: listeners %u, rules %u, pools %u\n", config->listener_count,
                config->rule_count, config->pool_count);
    ck_assert(!config == (problems.error_count > 0));
    fclose(out);
    drop_folder(*ret_messages);
    problems_done(&problems);
    return config;
}

static struct config *load_text(const char *text)
{
    char *messages;
    folder_write(&folder, "text.ini", text);
    struct config *config = load("text.ini", &messages);
    ck_assert_msg(config, "%s", messages);
    free(messages);
    return config;
}

static void expect_from_now_on(const char *name, const char *messages)
{
    FILE *file = fopen(source_file(name), "w");
    ck_assert_ptr_nonnull(file);
    fputs(messages, file);
    fclose(file);
}

START_TEST(every_case_gives_its_messages)
{
    char ini[128], expected_name[128], path[192], *messages;
    snprintf(ini, sizeof ini, "%s.ini", cases[_i]);
    snprintf(path, sizeof path, "tests/cases/config/%s", ini);
    char *text = source_read(path);
    folder_write(&folder, ini, text);
    config_free(load(ini, &messages));
    snprintf(expected_name, sizeof expected_name, "tests/cases/config/%s.expected", cases[_i]);
    if (getenv("LB_ACCEPT"))
        expect_from_now_on(expected_name, messages);
    char *expected = source_read(expected_name);
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
    struct config *config =
        load_text(LISTENER_OFF
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
    struct config *config = load_text(
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
    struct config *config = load_text(
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
    struct config *config = load_text(
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
    struct config *config = load_text(
        LISTENER_OFF
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
        struct config *config = load_text(text);
        ck_assert_str_eq(router_default_domain(config->listeners[0].router)->pattern,
                         table[i].pattern);
        config_free(config);
    }
}
END_TEST

START_TEST(a_rule_leads_to_its_pool)
{
    struct config *config =
        load_text(LISTENER_OFF "[rule one]\nlistener = web\npool = two\n"
                               "[rule app]\nlistener = web\nurl = /app\npool = app\n" POOLS
                               "[pool two]\nbackend = rs-1 127.0.0.1:9001\n");
    ck_assert_str_eq(config->pools[rule_named(config, "one")->pool]->name, "two");
    ck_assert_str_eq(config->pools[rule_named(config, "app")->pool]->name, "app");
    ck_assert_int_eq(config->options->workers, -1);
    config_free(config);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_one_problem)
{
    char *messages;
    ck_assert_ptr_null(load("nowhere.ini", &messages));
    ck_assert_str_eq(messages, "nowhere.ini: error: cannot be opened: No such file or directory\n");
    free(messages);
}
END_TEST

/* etc/lb.ini. */

START_TEST(the_sample_file_is_fine_as_it_stands)
{
    char *messages, *text = source_read("etc/lb.ini");
    folder_write(&folder, "lb.ini", text);
    struct config *config = load("lb.ini", &messages);
    ck_assert_str_eq(messages, "fine: listeners 1, rules 1, pools 1\n");
    ck_assert_int_eq(config->listeners[0].rules[0].auth.mode, AUTH_REQUIRE);
    config_free(config);
    free(messages);
    free(text);
}
END_TEST

/* The default of mutual_auth stands beside the live line, which makes way. */
START_TEST(every_line_of_the_sample_file_may_be_uncommented)
{
    char *messages, *text = source_read("etc/lb.ini");
    char *live = strstr(text, "\nmutual_auth = require\n");
    ck_assert_ptr_nonnull(live);
    memset(live + 1, ';', strlen("mutual_auth = require"));
    for (char *at = text; (at = strstr(at, "\n;")); at++)
        if (at[2] >= 'a' && at[2] <= 'z')
            memmove(at + 1, at + 2, strlen(at + 2) + 1);
    folder_write(&folder, "lb.ini", text);
    struct config *config = load("lb.ini", &messages);
    ck_assert_msg(config, "%s", messages);
    ck_assert_int_eq(config->listeners[0].options->mutual_auth, AUTH_OFF);
    config_free(config);
    free(messages);
    free(text);
}
END_TEST

/* From the section's header to the next one. */
static char *sample_section(const char *text, const struct option_table *table)
{
    char header[64];
    snprintf(header, sizeof header, "\n[%s%s", table->section, table->named ? " " : "]");
    const char *from = strstr(text, header);
    ck_assert_msg(from, "etc/lb.ini has no [%s]", table->section);
    const char *to = strstr(from + 1, "\n[");
    return strndup(from, to ? (size_t)(to - from) + 1 : strlen(from));
}

START_TEST(the_sample_file_shows_every_key_with_its_default)
{
    char *text = source_read("etc/lb.ini");
    for (const struct option_table *const *table = option_tables; *table; table++) {
        char *section = sample_section(text, *table);
        for (const struct option *option = (*table)->options; option->key; option++) {
            char commented[128], live[128];
            snprintf(commented, sizeof commented, "\n;%s =%s%s\n", option->key,
                     option->standard ? " " : "", option->standard ? option->standard : "");
            snprintf(live, sizeof live, "\n%s = ", option->key);
            bool is_there =
                strstr(section, commented) || (!option->standard && strstr(section, live));
            ck_assert_msg(is_there, "etc/lb.ini, [%s]: no line \"%s\"", (*table)->section,
                          commented + 1);
        }
        free(section);
    }
    free(text);
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
    int count = scandir(source_file("tests/cases/config"), &entries, is_case, alphasort);
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
    tcase_add_test(tcase, a_file_that_is_not_there_is_one_problem);
    tcase_add_test(tcase, the_sample_file_is_fine_as_it_stands);
    tcase_add_test(tcase, every_line_of_the_sample_file_may_be_uncommented);
    tcase_add_test(tcase, the_sample_file_shows_every_key_with_its_default);
}

CHECK_MAIN("config", add_tests)
