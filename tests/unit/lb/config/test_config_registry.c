/* SPDX-License-Identifier: Apache-2.0 */
/* Configs that ask the registry: which CAs their rules trust, and what changes when the CAs do.
 * Started with "sign", this program is the one that makes the built-in CA. */
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lb/commands/sign.h"
#include "lb/config/config.h"
#include "lb/config/config_cas.h"
#include "lb/keys/signer.h"
#include "listeners/registry/cas.h"
#include "listeners/registry/issuer.h"
#include "listeners/registry/registry_options.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/config_folder.h"
#include "tests/support/text.h"

static struct folder folder;
static struct problems problems;

static void begin(void)
{
    config_folder_make(&folder);
    ck_assert_int_eq(mkdir(folder_file(&folder, "var"), 0700), 0);
    problems = (struct problems){0};
}

static void end(void)
{
    problems_done(&problems);
    folder_remove(&folder);
}

/* --- the registry -------------------------------------------------------------------------- */

static struct ledger *open_store(void)
{
    char location[128];
    struct ledger *ledger;
    struct error err = {""};
    snprintf(location, sizeof location, "sqlite:%s", folder_file(&folder, "var/registry.db"));
    ck_assert_msg(ledger_open(&ledger, location, STORE_MAKE, &err) == STORE_DONE, "%s", err.text);
    return ledger;
}

static const struct actor tester = {"the test", 1700000000000};

static bool serves_all(void *arg, const char *host, struct error *why_not)
{
    (void)arg;
    (void)host;
    (void)why_not;
    return true;
}

/* certs/NAME.crt under this name; the id is lent. */
static const char *upload(const char *name)
{
    static char id[CA_ID_LENGTH + 1];
    char file[64];
    struct ca_result result = {0};
    struct error err = {""};
    struct ledger *ledger = open_store();
    snprintf(file, sizeof file, "certs/%s.crt", name);
    char *pem = folder_read(&folder, file);
    ck_assert_msg(ca_upload(ledger, name, pem, strlen(pem), 32, &tester, &result, &err) ==
                      CHANGE_MADE,
                  "%s", err.text);
    snprintf(id, sizeof id, "%s", result.record.id);
    ca_result_done(&result);
    ledger_close(ledger);
    free(pem);
    return id;
}

static void bind_host(const char *name, enum ca_binding how, const char *host)
{
    const struct ca_hosts_known known = {serves_all, NULL};
    struct ca_result result = {0};
    struct error err = {""};
    struct ledger *ledger = open_store();
    ck_assert_msg(ca_bind(ledger, name, how, &host, 1, &known, &tester, &result, &err) ==
                      CHANGE_MADE,
                  "%s", err.text);
    ca_result_done(&result);
    ledger_close(ledger);
}

static void enable(const char *name, bool is_enabled)
{
    struct ca_result result = {0};
    struct error err = {""};
    struct ledger *ledger = open_store();
    ck_assert_msg(ca_enable(ledger, name, is_enabled, &tester, &result, &err) == CHANGE_MADE, "%s",
                  err.text);
    ca_result_done(&result);
    ledger_close(ledger);
}

/* --- configs ------------------------------------------------------------------------------- */

#define POOL "[pool app]\nbackend = rs-1 127.0.0.1:9001\n"
#define SERVER "certificate = certs/server.crt\ncertificate_key = certs/server.key\n"
#define LISTENER(keys) "[listener web]\naddress = 127.0.0.1:8443\nsni = on\n" keys
#define RULE(name, keys) "[rule " name "]\nlistener = web\npool = app\n" SERVER keys

static const struct rule *rule_named(const struct config *config, const char *name)
{
    const struct listener *listener = &config->listeners[0];
    for (unsigned i = 0; i < listener->rule_count; i++)
        if (strcmp(listener->rules[i].name, name) == 0)
            return &listener->rules[i];
    ck_abort_msg("no rule %s", name);
    return NULL;
}

/* The common names of a rule's CAs, sorted, with commas. */
static const char *cas_of(const struct config *config, const char *name)
{
    static char said[256];
    const struct ca_set *set = rule_named(config, name)->auth.ca_set;
    const char *names[8];
    char texts[8][64];
    int count = set ? sk_X509_num(set->certificates) : 0;
    ck_assert_int_le(count, 8);
    for (int i = 0; i < count; i++) {
        made_common_name(sk_X509_value(set->certificates, i), texts[i], sizeof texts[i]);
        int at = i;
        for (; at > 0 && strcmp(names[at - 1], texts[i]) > 0; at--)
            names[at] = names[at - 1];
        names[at] = texts[i];
    }
    said[0] = '\0';
    for (int i = 0; i < count; i++)
        snprintf(said + strlen(said), sizeof said - strlen(said), "%s%s", i ? "," : "", names[i]);
    return said;
}

static struct config *load_as(const struct config_loading *loading)
{
    struct config *config = config_load_as(loading, &problems);
    ck_assert_msg(config, "%s", problems.count > 0 ? problems.items[0].text : "");
    return config;
}

static struct config *load(const char *text)
{
    folder_write(&folder, "lb.ini", text);
    return load_as(&(struct config_loading){.file = folder_file(&folder, "lb.ini")});
}

static struct config *load_again(const struct config *config)
{
    return load_as(&(struct config_loading){.file = config->file, .again = config});
}

static void expect_problem(unsigned line, const char *part)
{
    for (size_t i = 0; i < problems.count; i++)
        if (problems.items[i].line == line && strstr(problems.items[i].text, part))
            return;
    ck_abort_msg("no \"%s\" in line %u; the first of %zu is line %u: %s", part, line,
                 problems.count, problems.count ? problems.items[0].line : 0,
                 problems.count ? problems.items[0].text : "");
}

/* --- where it is --------------------------------------------------------------------------- */

START_TEST(the_store_is_in_state_dir_unless_said)
{
    static const struct {
        const char *sections, *store;
    } table[] = {
        {"", "var/registry.db"},
        {"[lb]\nstate_dir = keep\n", "keep/registry.db"},
        {"[lb]\nstate_dir = keep/\n", "keep/registry.db"},
        {"[lb]\nstate_dir = keep\n[registry]\nstore = sqlite:other/known.db\n", "other/known.db"},
        {"[registry]\nstore = sqlite:var/registry.db\n", "var/registry.db"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char text[512], expected[256];
        snprintf(text, sizeof text, "%s%s", table[i].sections, LISTENER("") RULE("all", "") POOL);
        struct config *config = load(text);
        snprintf(expected, sizeof expected, "sqlite:%s/%s", config->folder, table[i].store);
        ck_assert_str_eq(config->registry->store, expected);
        ck_assert_str_eq(config->asked_store, expected);
        ck_assert(!config->uses_registry);
        config_free(config);
    }
}
END_TEST

START_TEST(the_registry_is_not_touched_by_a_config_that_does_not_ask_it)
{
    folder_write(&folder, "var/registry.db", "this is no database, and long enough to be one");
    config_free(load(LISTENER("") RULE("all", "") POOL));
    ck_assert_uint_eq(problems.count, 0);
}
END_TEST

START_TEST(a_store_that_cannot_be_read_is_one_problem)
{
    folder_write(&folder, "var/registry.db", "this is no database, and long enough to be one");
    folder_write(&folder, "lb.ini",
                 "[registry]\nstore = sqlite:var/registry.db\n" LISTENER(
                     "mutual_auth = require\nclient_ca = registry:a\n") RULE("all", "")
                     RULE("two", "url = /two\nclient_ca = registry\n") POOL);
    ck_assert_ptr_null(config_load(folder_file(&folder, "lb.ini"), &problems));
    ck_assert_uint_eq(problems.count, 1);
    expect_problem(2, "registry.db");
    char *kept = folder_read(&folder, "var/registry.db");
    ck_assert_str_eq(kept, "this is no database, and long enough to be one");
    free(kept);
}
END_TEST

/* A running lb keeps its store and state_dir whatever a new file says. */
START_TEST(a_reload_goes_on_with_the_store_of_the_start)
{
    char store[128], state_dir[128];
    upload("partner");
    snprintf(store, sizeof store, "sqlite:%s", folder_file(&folder, "var/registry.db"));
    snprintf(state_dir, sizeof state_dir, "%s/", folder_file(&folder, "var"));
    folder_write(&folder, "lb.ini",
                 "[lb]\nstate_dir = elsewhere\n" LISTENER(
                     "mutual_auth = require\nclient_ca = registry:partner\n") RULE("all", "") POOL);
    struct config *config = load_as(&(struct config_loading){
        .file = folder_file(&folder, "lb.ini"), .store = store, .state_dir = state_dir});
    ck_assert_str_eq(cas_of(config, "all"), "Partner CA");
    ck_assert_str_eq(config->registry->store, store);
    ck_assert_str_eq(config->options->state_dir, state_dir);
    ck_assert_str_ne(config->asked_store, store);
    ck_assert_msg(strstr(config->asked_state_dir, "elsewhere"), "%s", config->asked_state_dir);
    config_free(config);
}
END_TEST

/* Hosts that were closed to whoever has no certificate must not open because a file is lost. */
START_TEST(a_store_that_is_gone_is_an_error_for_an_lb_that_had_it)
{
    upload("partner");
    bind_host("partner", CA_BIND_ADD, "www.example.com");
    static const char text[] =
        LISTENER("mutual_auth = when-bound\nclient_ca = registry\nclient_ca = certs/ca.crt\n")
            RULE("www", "domain = www.example.com\n") POOL;
    struct config *config = load(text);
    ck_assert_int_eq(rule_named(config, "www")->auth.mode, AUTH_REQUIRE);
    ck_assert(config->has_store);
    ck_assert_int_eq(unlink(folder_file(&folder, "var/registry.db")), 0);
    ck_assert(!config_cas_are_current(config));
    const struct config_loading loadings[] = {
        {.file = config->file, .has_store = config->has_store},
        {.file = config->file, .again = config, .has_store = config->has_store}};
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_ptr_null(config_load_as(&loadings[i], &problems));
        expect_problem(5, "is gone since lb has read it");
        problems_done(&problems);
        problems = (struct problems){0};
    }
    config_free(config);
}
END_TEST

START_TEST(a_store_that_was_never_there_is_fine)
{
    static const char text[] =
        LISTENER("mutual_auth = when-bound\nclient_ca = registry\nclient_ca = certs/ca.crt\n")
            RULE("www", "domain = www.example.com\n") POOL;
    struct config *config = load(text);
    ck_assert(!config->has_store);
    struct config *again = load_as(&(struct config_loading){
        .file = config->file, .again = config, .has_store = config->has_store});
    ck_assert_int_eq(rule_named(again, "www")->auth.mode, AUTH_OFF);
    config_free(again);
    config_free(config);
}
END_TEST

/* --- whom rules trust ---------------------------------------------------------------------- */

START_TEST(registry_stands_for_the_cas_that_are_bound_to_the_rules_domain)
{
    upload("ca");
    upload("partner");
    bind_host("ca", CA_BIND_ADD, "www.example.com");
    bind_host("partner", CA_BIND_ADD, "WWW.Example.com.");
    bind_host("partner", CA_BIND_ADD, "*");
    bind_host("ca", CA_BIND_ADD, "*.example.org");
    struct config *config = load(LISTENER("mutual_auth = require\nclient_ca = registry\n")
                                     RULE("www", "domain = www.example.com\n") RULE("rest", "")
                                         RULE("org", "domain = *.example.org\n")
                                             RULE("none", "domain = none.example.com\n") POOL);
    ck_assert(config->uses_registry);
    ck_assert_str_eq(cas_of(config, "www"), "Example CA,Partner CA");
    ck_assert_str_eq(cas_of(config, "rest"), "Partner CA");
    ck_assert_str_eq(cas_of(config, "org"), "Example CA");
    ck_assert_str_eq(cas_of(config, "none"), "");
    ck_assert_int_eq(rule_named(config, "none")->auth.mode, AUTH_REQUIRE);
    expect_problem(5, "nobody can pass rule none");
    ck_assert_uint_eq(problems.count, 1);
    config_free(config);
}
END_TEST

START_TEST(a_ca_is_trusted_by_name_or_id_whether_it_is_bound_or_not)
{
    char text[1024];
    const char *id = upload("partner");
    snprintf(text, sizeof text,
             LISTENER("mutual_auth = require\n") RULE("name", "client_ca = registry:partner\n")
                 RULE("id", "domain = id.example.com\nclient_ca = registry:%s\n")
                     RULE("both", "domain = both.example.com\nclient_ca = registry:partner\n"
                                  "client_ca = certs/ca.crt\n") POOL,
             id);
    struct config *config = load(text);
    ck_assert_str_eq(cas_of(config, "name"), "Partner CA");
    ck_assert_ptr_eq(rule_named(config, "name")->auth.ca_set,
                     rule_named(config, "id")->auth.ca_set);
    ck_assert_str_eq(cas_of(config, "both"), "Example CA,Partner CA");
    ck_assert_uint_eq(problems.count, 0);
    config_free(config);
}
END_TEST

START_TEST(an_intermediate_of_the_registry_is_an_anchor_by_itself)
{
    upload("intermediate");
    struct config *config = load(LISTENER(
        "mutual_auth = require\nclient_ca = registry:intermediate\n") RULE("all", "") POOL);
    ck_assert_str_eq(cas_of(config, "all"), "Example Issuing CA");
    config_free(config);
}
END_TEST

/* Who comes from it is verified, and then told that his CA is disabled. */
START_TEST(a_disabled_ca_stays_in_its_sets_and_lets_nobody_pass)
{
    upload("partner");
    bind_host("partner", CA_BIND_ADD, "*");
    enable("partner", false);
    struct config *config = load(LISTENER("mutual_auth = require\nclient_ca = registry\n") RULE(
        "all", "") RULE("name", "url = /name\nclient_ca = registry:partner\n") POOL);
    ck_assert_str_eq(cas_of(config, "all"), "Partner CA");
    ck_assert_str_eq(cas_of(config, "name"), "Partner CA");
    expect_problem(5, "nobody can pass rule all");
    config_free(config);
}
END_TEST

START_TEST(an_unknown_name_is_an_error_with_the_nearest_one)
{
    upload("partner");
    folder_write(&folder, "lb.ini",
                 LISTENER("mutual_auth = require\nclient_ca = registry:partnr\n") RULE("all", "")
                     RULE("two", "url = /two\n") POOL);
    ck_assert_ptr_null(config_load(folder_file(&folder, "lb.ini"), &problems));
    ck_assert_uint_eq(problems.count, 1);
    expect_problem(5, "did you mean registry:partner?");
}
END_TEST

/* --- when-bound ---------------------------------------------------------------------------- */

static const char bound_text[] = LISTENER("mutual_auth = when-bound\nclient_ca = registry\n"
                                          "client_ca = certs/ca.crt\nclient_registration = auto\n")
    RULE("www", "domain = www.example.com\n") RULE("api", "domain = api.example.com\n")
        RULE("named", "domain = named.example.com\nclient_ca = registry:partner\n") POOL;

START_TEST(an_unbound_host_asks_nobody_and_a_bound_one_requires)
{
    upload("partner");
    struct config *config = load(bound_text);
    ck_assert_int_eq(rule_named(config, "www")->auth.mode, AUTH_OFF);
    ck_assert_ptr_null(rule_named(config, "www")->auth.ca_set);
    ck_assert(!rule_named(config, "www")->domain->policy->asks);
    ck_assert_uint_eq(problems.count, 0);
    bind_host("partner", CA_BIND_ADD, "www.example.com");
    bind_host("partner", CA_BIND_ADD, "named.example.com");
    struct config *bound = load_again(config);
    ck_assert_int_eq(rule_named(bound, "www")->auth.mode, AUTH_REQUIRE);
    ck_assert_int_eq(rule_named(bound, "www")->auth.registration, REGISTRATION_AUTO);
    ck_assert_str_eq(cas_of(bound, "www"), "Example CA,Partner CA");
    ck_assert_str_eq(cas_of(bound, "named"), "Partner CA");
    ck_assert_int_eq(rule_named(bound, "api")->auth.mode, AUTH_OFF);
    ck_assert(!config_settles_alike(bound, config));
    bind_host("partner", CA_BIND_REMOVE, "www.example.com");
    struct config *unbound = load_again(bound);
    ck_assert_int_eq(rule_named(unbound, "www")->auth.mode, AUTH_OFF);
    config_free(unbound);
    config_free(bound);
    config_free(config);
}
END_TEST

START_TEST(a_host_stays_closed_when_its_ca_is_disabled)
{
    upload("partner");
    bind_host("partner", CA_BIND_ADD, "named.example.com");
    enable("partner", false);
    struct config *config = load(bound_text);
    ck_assert_int_eq(rule_named(config, "named")->auth.mode, AUTH_REQUIRE);
    ck_assert_str_eq(cas_of(config, "named"), "Partner CA");
    config_free(config);
}
END_TEST

/* --- registration -------------------------------------------------------------------------- */

START_TEST(a_rule_registers_as_it_says_or_as_its_listener_does)
{
    upload("ca");
    struct config *config =
        load(LISTENER("mutual_auth = require\nclient_ca = certs/ca.crt\n"
                      "client_registration = manual\n") RULE("all", "")
                 RULE("auto", "domain = auto.example.com\nclient_registration = auto\n")
                     RULE("none", "domain = none.example.com\nclient_registration = off\n")
                         RULE("open", "domain = open.example.com\nmutual_auth = off\n") POOL);
    ck_assert_int_eq(rule_named(config, "all")->auth.registration, REGISTRATION_MANUAL);
    ck_assert_int_eq(rule_named(config, "auto")->auth.registration, REGISTRATION_AUTO);
    ck_assert_int_eq(rule_named(config, "none")->auth.registration, REGISTRATION_OFF);
    ck_assert_int_eq(rule_named(config, "open")->auth.registration, REGISTRATION_OFF);
    ck_assert_uint_eq(problems.count, 0); /* certs/ca.crt is registered */
    config_free(config);
}
END_TEST

START_TEST(registration_without_a_registered_ca_is_warned_of)
{
    upload("partner");
    config_free(load(LISTENER("mutual_auth = require\nclient_ca = certs/ca.crt\n"
                              "client_registration = auto\n") RULE("all", "")
                         RULE("two", "url = /two\n") POOL));
    ck_assert_uint_eq(problems.count, 1);
    expect_problem(6, "no client of rule all");
}
END_TEST

START_TEST(a_registered_intermediate_of_a_trusted_root_is_enough)
{
    upload("intermediate");
    config_free(load(LISTENER("mutual_auth = require\nclient_ca = certs/ca.crt\n"
                              "client_registration = auto\n") RULE("all", "") POOL));
    ck_assert_uint_eq(problems.count, 0);
}
END_TEST

START_TEST(rules_that_register_differently_cannot_alert)
{
    upload("ca");
    folder_write(&folder, "lb.ini",
                 LISTENER("mutual_auth = require\nclient_ca = certs/ca.crt\nrefuse_with = alert\n")
                     RULE("all", "") RULE("two", "url = /two\nclient_registration = auto\n") POOL);
    ck_assert_ptr_null(config_load(folder_file(&folder, "lb.ini"), &problems));
    expect_problem(6, "client_registration");
}
END_TEST

/* --- the built-in CA ----------------------------------------------------------------------- */

static const char builtin_text[] =
    LISTENER("mutual_auth = require\nclient_ca = builtin\n") RULE("all", "") POOL;

static bool is_there(const char *name)
{
    return access(folder_file(&folder, name), F_OK) == 0;
}

START_TEST(a_check_goes_on_without_the_built_in_ca_and_makes_nothing)
{
    ck_assert_int_eq(rmdir(folder_file(&folder, "var")), 0);
    struct config *config = load(builtin_text);
    ck_assert(config->is_builtin_due);
    ck_assert_uint_eq(problems.count, 0);
    ck_assert_int_eq(sk_X509_num(rule_named(config, "all")->auth.ca_set->certificates), 1);
    ck_assert(!is_there("var"));
    config_free(config);
}
END_TEST

START_TEST(whoever_serves_makes_it_once)
{
    ck_assert_int_eq(rmdir(folder_file(&folder, "var")), 0);
    folder_write(&folder, "lb.ini", builtin_text);
    const struct config_loading loading = {.file = folder_file(&folder, "lb.ini"),
                                           .signer = signer_own_program};
    struct config *config = load_as(&loading);
    ck_assert(!config->is_builtin_due);
    ck_assert(is_there("var/ca.crt"));
    ck_assert(is_there("var/ca.key"));
    struct config *again = load_as(&loading);
    ck_assert_mem_eq(rule_named(again, "all")->auth.ca_set->id,
                     rule_named(config, "all")->auth.ca_set->id, CA_SET_ID_BYTES);
    struct cas *cas = cas_read(config->registry->store, NULL);
    ck_assert_ptr_nonnull(cas);
    const struct cas_item *item = cas_find(cas, BUILTIN_CA_NAME);
    ck_assert_ptr_nonnull(item);
    ck_assert(item->record.is_builtin && item->record.is_enabled);
    ck_assert_int_eq(
        X509_cmp(item->certificate,
                 sk_X509_value(rule_named(config, "all")->auth.ca_set->certificates, 0)),
        0);
    cas_free(cas);
    config_free(again);
    config_free(config);
}
END_TEST

/* A program that notes that it was started, with what, and goes on as `more` says. Lent. */
static const char *put_signer(const char *more)
{
    static char path[256];
    char text[1024];
    snprintf(path, sizeof path, "%s/signer", folder.path);
    snprintf(text, sizeof text, "#!/bin/sh\necho \"$@\" >> '%s/started'\n%s\n", folder.path, more);
    folder_write(&folder, "signer", text);
    ck_assert_int_eq(chmod(path, 0755), 0);
    return path;
}

static void expect_started(const char *what)
{
    char *started = folder_read(&folder, "started");
    ck_assert_str_eq(started, what);
    free(started);
}

START_TEST(another_process_makes_it)
{
    char own[256], more[300];
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
    ck_assert_int_gt(length, 0);
    own[length] = '\0';
    snprintf(more, sizeof more, "exec '%s' sign", own);
    folder_write(&folder, "lb.ini", builtin_text);
    const char *signer = put_signer(more);
    struct config_loading loading = {.file = folder_file(&folder, "lb.ini"), .signer = signer};
    config_free(load_as(&loading));
    expect_started("sign\n");
    ck_assert(is_there("var/ca.key"));
    loading.file = folder_file(&folder, "lb.ini");
    config_free(load_as(&loading));
    expect_started("sign\n"); /* it is there, and nobody needs its key */
}
END_TEST

/* What serves never makes it itself, whatever becomes of who should. */
START_TEST(it_is_not_made_where_the_other_process_fails)
{
    folder_write(&folder, "lb.ini", builtin_text);
    const char *signer = put_signer("cat > /dev/null");
    const struct config_loading loading = {.file = folder_file(&folder, "lb.ini"),
                                           .signer = signer};
    ck_assert_ptr_null(config_load_as(&loading, &problems));
    expect_started("sign\n");
    expect_problem(0, "the built-in CA cannot be made: the signing process ended");
    ck_assert(!is_there("var/ca.key"));
    ck_assert(!is_there("var/ca.crt"));
    ck_assert(!is_there("var/registry.db"));
}
END_TEST

START_TEST(a_file_that_is_no_good_leaves_no_ca_behind)
{
    folder_write(&folder, "lb.ini",
                 LISTENER("mutual_auth = require\nclient_ca = builtin\n") RULE("all", "")
                     RULE("bad", "url = bad\n") POOL);
    const struct config_loading loading = {.file = folder_file(&folder, "lb.ini"),
                                           .signer = signer_own_program};
    ck_assert_ptr_null(config_load_as(&loading, &problems));
    ck_assert(!is_there("var/ca.key"));
}
END_TEST

static void remove_store(void)
{
    ck_assert_int_eq(unlink(folder_file(&folder, "var/registry.db")), 0);
    unlink(folder_file(&folder, "var/registry.db-wal"));
    unlink(folder_file(&folder, "var/registry.db-shm"));
}

/* Whoever serves and whoever checks. */
static void expect_refused(unsigned line, const char *part)
{
    const char *const signers[] = {NULL, signer_own_program};
    for (unsigned i = 0; i < 2; i++) {
        const struct config_loading loading = {.file = folder_file(&folder, "lb.ini"),
                                               .signer = signers[i]};
        problems_done(&problems);
        problems = (struct problems){0};
        ck_assert_ptr_null(config_load_as(&loading, &problems));
        expect_problem(line, part);
    }
    problems_done(&problems);
    problems = (struct problems){0};
}

static void make_builtin(void)
{
    folder_write(&folder, "lb.ini", builtin_text);
    const struct config_loading loading = {.file = folder_file(&folder, "lb.ini"),
                                           .signer = signer_own_program};
    config_free(load_as(&loading));
}

/* Who was revoked would be let in again. */
START_TEST(a_built_in_ca_whose_store_is_lost_is_not_taken_over)
{
    make_builtin();
    remove_store();
    expect_refused(5, "is the built-in CA of a registry that is not there any more");
    ck_assert(!is_there("var/registry.db"));
    ledger_close(open_store());
    expect_refused(5, "`lb ca create -c FILE` takes this CA over");
}
END_TEST

/* There was a registry, and what it bound is not known any more. */
START_TEST(no_host_opens_where_a_built_in_ca_tells_of_a_lost_store)
{
    make_builtin();
    remove_store();
    folder_write(&folder, "lb.ini",
                 LISTENER("mutual_auth = when-bound\nclient_ca = registry\nclient_ca = "
                          "certs/ca.crt\n") RULE("www", "domain = www.example.com\n") POOL);
    expect_refused(5, "is the built-in CA of a registry that is not there any more");
    ledger_close(open_store());
    config_free(load_as(&(struct config_loading){.file = folder_file(&folder, "lb.ini")}));
}
END_TEST

/* Of two that share a store, one has made it: the other makes none. */
START_TEST(files_of_another_ca_are_an_error_and_nothing_is_replaced)
{
    struct error err = {""};
    X509 *ca = NULL;
    make_builtin();
    struct config *before =
        load_as(&(struct config_loading){.file = folder_file(&folder, "lb.ini")});
    ck_assert_int_eq(unlink(folder_file(&folder, "var/ca.crt")), 0);
    ck_assert_int_eq(unlink(folder_file(&folder, "var/ca.key")), 0);
    const struct issuer_place place = {.state_dir = before->options->state_dir};
    ck_assert_int_eq(issuer_make(&place, &(struct ca_wish){0}, &ca, &err), ISSUER_DONE);
    ck_assert_int_eq(issuer_put(&place, ca, &err), ISSUER_DONE);
    X509_free(ca);
    expect_refused(5, "are of another one");
    /* One that runs goes on to trust the store's. */
    const struct config_loading running = {.file = before->file,
                                           .again = before,
                                           .store = before->registry->store,
                                           .signer = signer_own_program};
    struct config *config = load_as(&running);
    expect_problem(5, "are of another one");
    ck_assert_mem_eq(rule_named(config, "all")->auth.ca_set->id,
                     rule_named(before, "all")->auth.ca_set->id, CA_SET_ID_BYTES);
    config_free(config);
    config_free(before);
}
END_TEST

START_TEST(a_passphrase_that_does_not_fit_is_warned_of)
{
    make_builtin();
    folder_write(&folder, "sesame", "sesame\n");
    ck_assert_int_eq(chmod(folder_file(&folder, "sesame"), 0600), 0);
    char text[2048];
    snprintf(text, sizeof text, "%s[registry]\nca_passphrase_file = sesame\n", builtin_text);
    folder_write(&folder, "lb.ini", text);
    const struct config_loading loading = {.file = folder_file(&folder, "lb.ini"),
                                           .signer = signer_own_program};
    struct config *config = load_as(&loading);
    expect_problem(config->registry->ca_passphrase_file_line, "ca.key is not encrypted");
    config_free(config);
}
END_TEST

START_TEST(a_disabled_built_in_ca_lets_nobody_pass)
{
    folder_write(&folder, "lb.ini", builtin_text);
    const struct config_loading loading = {.file = folder_file(&folder, "lb.ini"),
                                           .signer = signer_own_program};
    config_free(load_as(&loading));
    enable(BUILTIN_CA_NAME, false);
    struct config *config = load_as(&loading);
    ck_assert_str_ne(cas_of(config, "all"), "");
    expect_problem(5, "nobody can pass");
    config_free(config);
}
END_TEST

START_TEST(a_built_in_ca_without_its_files_is_still_trusted)
{
    folder_write(&folder, "lb.ini", builtin_text);
    const struct config_loading loading = {.file = folder_file(&folder, "lb.ini"),
                                           .signer = signer_own_program};
    struct config *before = load_as(&loading);
    ck_assert_int_eq(unlink(folder_file(&folder, "var/ca.crt")), 0);
    ck_assert_int_eq(unlink(folder_file(&folder, "var/ca.key")), 0);
    struct config *config = load_as(&loading);
    ck_assert(!is_there("var/ca.crt"));
    ck_assert_mem_eq(rule_named(config, "all")->auth.ca_set->id,
                     rule_named(before, "all")->auth.ca_set->id, CA_SET_ID_BYTES);
    expect_problem(5, "is known, but ca.crt and ca.key are not in");
    config_free(config);
    config_free(before);
}
END_TEST

/* --- the text in force --------------------------------------------------------------------- */

START_TEST(the_text_in_force_is_loaded_again_whatever_the_file_says_now)
{
    upload("partner");
    struct config *config = load(bound_text);
    folder_write(&folder, "lb.ini", "[listener half-edi");
    bind_host("partner", CA_BIND_ADD, "api.example.com");
    struct config *again = load_again(config);
    ck_assert_int_eq(rule_named(again, "api")->auth.mode, AUTH_REQUIRE);
    ck_assert_str_eq(again->folder, config->folder);
    ck_assert_uint_eq(again->text_bytes, strlen(bound_text));
    ck_assert_str_eq(again->text, bound_text);
    config_free(config);
    struct config *third = load_again(again);
    config_free(again);
    ck_assert_str_eq(third->text, bound_text);
    config_free(third);
}
END_TEST

START_TEST(the_text_again_without_a_file_it_names_is_an_error)
{
    upload("partner");
    struct config *config = load(bound_text);
    ck_assert_int_eq(unlink(folder_file(&folder, "certs/ca.crt")), 0);
    bind_host("partner", CA_BIND_ADD, "api.example.com");
    const struct config_loading loading = {.file = config->file, .again = config};
    ck_assert_ptr_null(config_load_as(&loading, &problems));
    expect_problem(6, "certs/ca.crt");
    config_free(config);
}
END_TEST

/* --- what changes of CAs are told ------------------------------------------------------------ */

static const char hosts_text[] = LISTENER("") RULE("www", "domain = www.example.com\n") RULE(
    "suffix", "domain = *.example.org\n") RULE("regex", "domain = ~^shop[0-9]+\\.example\\.net$\n")
    RULE("prefix", "domain = mail.*\n") RULE(
        "address",
        "domain = [2001:db8::1]\n") "[listener plain]\naddress = 127.0.0.1:8080\nprotocol = http\n"
                                    "[rule plain]\nlistener = plain\ndomain = "
                                    "plain.example.com\npool = app\n" POOL;

START_TEST(a_host_is_served_if_a_rule_writes_its_domain_so)
{
    static const char *const hosts[] = {
        "www.example.com", "WWW.EXAMPLE.com.", "*.example.org", "~^shop[0-9]+\\.example\\.net$",
        "mail.*",          "[2001:DB8::1]",
    };
    struct config *config = load(hosts_text);
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct error err = {""};
        ck_assert_msg(config_serves_host(config, hosts[i], &err), "%s: %s", hosts[i], err.text);
    }
    config_free(config);
}
END_TEST

START_TEST(a_host_that_is_not_served_is_told_what_would_be)
{
    static const struct {
        const char *host, *part;
    } table[] = {
        {"a.example.org", "served by the rules of domain *.example.org"},
        {"shop7.example.net", "served by the rules of domain ~^shop"},
        {"[2001:db8:0::1]", "is the domain [2001:db8::1] of rules: write it so"},
        {"mail.example.com", "served by the rules of domain mail.*"},
        {"ww.example.com", "did you mean www.example.com?"},
        {"plain.example.com", "no rule of an https listener"},
        {"utterly.different.test", "add one with \"domain = utterly.different.test\""},
        {"*", "without a domain"},
        {"not a host", "not a host"},
        {"", "no host name"},
    };
    struct config *config = load(hosts_text);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct error err = {""};
        ck_assert_msg(!config_serves_host(config, table[i].host, &err), "%s", table[i].host);
        ck_assert_msg(strstr(err.text, table[i].part), "%s: %s", table[i].host, err.text);
    }
    config_free(config);
}
END_TEST

START_TEST(a_star_stands_for_rules_without_domain)
{
    struct error err = {""};
    struct config *config =
        load(LISTENER("") RULE("all", "") RULE("www", "domain = www.example.com\n") POOL);
    ck_assert(config_serves_host(config, "*", &err));
    ck_assert(!config_serves_host(config, "other.test", &err));
    ck_assert_msg(strstr(err.text, "write *"), "%s", err.text);
    config_free(config);
}
END_TEST

static unsigned count_problems(const char *part)
{
    unsigned count = 0;
    for (size_t i = 0; i < problems.count; i++)
        count += strstr(problems.items[i].text, part) != NULL;
    return count;
}

START_TEST(hosts_that_are_bound_without_effect_are_warned_of_once_a_ca)
{
    upload("ca");
    upload("partner");
    bind_host("partner", CA_BIND_ADD, "*.example.com");
    bind_host("partner", CA_BIND_ADD, "other.example.com");
    bind_host("partner", CA_BIND_ADD, "www.example.com");
    bind_host("partner", CA_BIND_ADD, "gone.example.com");
    bind_host("ca", CA_BIND_ADD, "www.example.com");
    struct config *config = load(LISTENER("client_ca = registry\n")
                                     RULE("off", "domain = *.example.com\nmutual_auth = off\n")
                                         RULE("other", "domain = other.example.com\nmutual_auth = "
                                                       "require\nclient_ca = registry:ca\n")
                                             RULE("www", "domain = www.example.com\nmutual_auth = "
                                                         "when-bound\n") POOL);
    expect_problem(0, "CA partner is bound to hosts that do not ask for it: *.example.com "
                      "(mutual_auth of rule off is off), gone.example.com (no rule of an https "
                      "listener serves it), other.example.com (client_ca of rule other names "
                      "other CAs); say mutual_auth = when-bound");
    ck_assert_uint_eq(count_problems("is bound to hosts"), 1);
    ck_assert_uint_eq(problems.error_count, 0);
    config_free(config);
}
END_TEST

START_TEST(a_config_that_asks_nobody_is_warned_of_bound_hosts_too)
{
    char host[32];
    upload("partner");
    for (unsigned i = 0; i < 11; i++) {
        snprintf(host, sizeof host, "h%u.example.com", i);
        bind_host("partner", CA_BIND_ADD, host);
    }
    struct config *config = load(LISTENER("") RULE("all", "") POOL);
    ck_assert(!config->uses_registry);
    expect_problem(0, ", and 3 more; say");
    ck_assert_uint_eq(count_problems("CA partner is bound to hosts"), 1);
    config_free(config);
}
END_TEST

START_TEST(a_ca_that_rules_name_or_that_one_of_several_rules_asks_for_is_fine)
{
    upload("partner");
    bind_host("partner", CA_BIND_ADD, "*");
    bind_host("partner", CA_BIND_ADD, "www.example.com");
    struct config *config =
        load(LISTENER("") RULE("all", "mutual_auth = request\nclient_ca = registry:partner\n")
                 RULE("open", "domain = www.example.com\n")
                     RULE("shut", "domain = www.example.com\nurl = /in\nmutual_auth = "
                                  "when-bound\nclient_ca = registry\n") POOL);
    ck_assert_uint_eq(count_problems("is bound to hosts"), 0);
    config_free(config);
}
END_TEST

START_TEST(a_ca_is_in_use_where_a_rule_that_asks_names_it)
{
    upload("ca");
    const char *id = upload("partner");
    char text[1024];
    snprintf(text, sizeof text,
             LISTENER("mutual_auth = off\nclient_ca = registry:ca\n") RULE("all", "")
                 RULE("bound", "url = /bound\nmutual_auth = when-bound\nclient_ca = registry\n")
                     RULE("id", "url = /id\nmutual_auth = request\nclient_ca = registry:%s\n") POOL,
             id);
    struct config *config = load(text);
    const struct rule *rule = config_names_ca(config, id, "partner");
    ck_assert_ptr_nonnull(rule);
    ck_assert_str_eq(rule->name, "id");
    ck_assert_ptr_null(config_names_ca(config, "0011223344556677", "ca"));
    ck_assert_ptr_null(config_names_ca(config, "0011223344556677", BUILTIN_CA_NAME));
    config_free(config);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, the_store_is_in_state_dir_unless_said);
    tcase_add_test(tcase, the_registry_is_not_touched_by_a_config_that_does_not_ask_it);
    tcase_add_test(tcase, a_store_that_cannot_be_read_is_one_problem);
    tcase_add_test(tcase, a_reload_goes_on_with_the_store_of_the_start);
    tcase_add_test(tcase, a_store_that_is_gone_is_an_error_for_an_lb_that_had_it);
    tcase_add_test(tcase, a_store_that_was_never_there_is_fine);
    tcase_add_test(tcase, registry_stands_for_the_cas_that_are_bound_to_the_rules_domain);
    tcase_add_test(tcase, a_ca_is_trusted_by_name_or_id_whether_it_is_bound_or_not);
    tcase_add_test(tcase, an_intermediate_of_the_registry_is_an_anchor_by_itself);
    tcase_add_test(tcase, a_disabled_ca_stays_in_its_sets_and_lets_nobody_pass);
    tcase_add_test(tcase, an_unknown_name_is_an_error_with_the_nearest_one);
    tcase_add_test(tcase, an_unbound_host_asks_nobody_and_a_bound_one_requires);
    tcase_add_test(tcase, a_host_stays_closed_when_its_ca_is_disabled);
    tcase_add_test(tcase, a_rule_registers_as_it_says_or_as_its_listener_does);
    tcase_add_test(tcase, registration_without_a_registered_ca_is_warned_of);
    tcase_add_test(tcase, a_registered_intermediate_of_a_trusted_root_is_enough);
    tcase_add_test(tcase, rules_that_register_differently_cannot_alert);
    tcase_add_test(tcase, a_check_goes_on_without_the_built_in_ca_and_makes_nothing);
    tcase_add_test(tcase, whoever_serves_makes_it_once);
    tcase_add_test(tcase, another_process_makes_it);
    tcase_add_test(tcase, it_is_not_made_where_the_other_process_fails);
    tcase_add_test(tcase, a_file_that_is_no_good_leaves_no_ca_behind);
    tcase_add_test(tcase, a_built_in_ca_whose_store_is_lost_is_not_taken_over);
    tcase_add_test(tcase, no_host_opens_where_a_built_in_ca_tells_of_a_lost_store);
    tcase_add_test(tcase, files_of_another_ca_are_an_error_and_nothing_is_replaced);
    tcase_add_test(tcase, a_passphrase_that_does_not_fit_is_warned_of);
    tcase_add_test(tcase, a_disabled_built_in_ca_lets_nobody_pass);
    tcase_add_test(tcase, a_built_in_ca_without_its_files_is_still_trusted);
    tcase_add_test(tcase, the_text_in_force_is_loaded_again_whatever_the_file_says_now);
    tcase_add_test(tcase, the_text_again_without_a_file_it_names_is_an_error);
    tcase_add_test(tcase, a_host_is_served_if_a_rule_writes_its_domain_so);
    tcase_add_test(tcase, a_host_that_is_not_served_is_told_what_would_be);
    tcase_add_test(tcase, a_star_stands_for_rules_without_domain);
    tcase_add_test(tcase, hosts_that_are_bound_without_effect_are_warned_of_once_a_ca);
    tcase_add_test(tcase, a_config_that_asks_nobody_is_warned_of_bound_hosts_too);
    tcase_add_test(tcase, a_ca_that_rules_name_or_that_one_of_several_rules_asks_for_is_fine);
    tcase_add_test(tcase, a_ca_is_in_use_where_a_rule_that_asks_names_it);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "sign") == 0)
        return command_sign(argc - 1, argv + 1);
    return check_run("config_registry", add_tests, CHECK_TIMEOUT_S);
}
