/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions on a whole config: three listeners, rules that ask different things, identities that
 * were really verified. */
#include "lb/exchange/decision.h"

#include <string.h>

#include "lb/config/config.h"
#include "listeners/access/access.h"
#include "listeners/identity.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"
#include "tests/support/port.h"
#include "tests/support/text.h"

/* --- the config ---------------------------------------------------------------------------- */

/* @C stands for the server's certificate and key. */
static const char rules[] = "[rule one]\nlistener = on\ndomain = one.test\n@Cpool = app\n"
                            "mutual_auth = require\nclient_ca = a.crt\n"
                            "[rule one-shop]\nlistener = on\ndomain = one.test\nurl = /shop\n"
                            "pool = app\nmutual_auth = require\nclient_ca = a.crt\n"
                            "[rule same]\nlistener = on\ndomain = same.test\n@Cpool = app\n"
                            "mutual_auth = require\nclient_ca = a.crt\n"
                            "[rule two]\nlistener = on\ndomain = two.test\n@Cpool = app\n"
                            "mutual_auth = require\nclient_ca = b.crt\n"
                            "[rule open]\nlistener = on\ndomain = open.test\n@Cpool = app\n"
                            "[rule asked]\nlistener = on\ndomain = asked.test\n@Cpool = app\n"
                            "mutual_auth = request\nclient_ca = a.crt\n"
                            "[rule mixed]\nlistener = on\ndomain = mixed.test\nurl = /public\n"
                            "@Cpool = app\n"
                            "[rule mixed-a]\nlistener = on\ndomain = mixed.test\nurl = /a\n"
                            "pool = app\nmutual_auth = require\nclient_ca = a.crt\n"
                            "[rule mixed-b]\nlistener = on\ndomain = mixed.test\nurl = /b\n"
                            "pool = app\nmutual_auth = require\nclient_ca = b.crt\n"
                            "[rule off-a]\nlistener = off\ndomain = one.test\npool = app\n"
                            "mutual_auth = require\nclient_ca = a.crt\n"
                            "[rule off-b]\nlistener = off\ndomain = two.test\npool = app\n"
                            "mutual_auth = require\nclient_ca = b.crt\n"
                            "[rule off-open]\nlistener = off\ndomain = open.test\npool = app\n"
                            "[rule moved]\nlistener = on\ndomain = moved.test\n@C"
                            "redirect = https://$host:8443$uri\nredirect_status = 307\n"
                            "mutual_auth = require\nclient_ca = a.crt\n"
                            "[rule own]\nlistener = on\ndomain = moved.test\nurl = /own\n"
                            "respond = 410 It is gone\nmutual_auth = require\nclient_ca = a.crt\n"
                            "[rule folder]\nlistener = on\ndomain = moved.test\nurl = ^~/folder/\n"
                            "pool = app\nmutual_auth = require\nclient_ca = a.crt\n"
                            "[rule slow]\nlistener = on\ndomain = moved.test\n"
                            "url = ~ ^/(?:[a-z]|[a-z])*[0-9]\npool = app\n"
                            "mutual_auth = require\nclient_ca = a.crt\n"
                            "[rule slow-name]\nlistener = on\n"
                            "domain = ~^(?:[a-z]|[a-z])+[0-9]$\n@Cpool = app\n"
                            "[rule clear]\nlistener = clear\nurl = /app\npool = app\n"
                            "[rule up]\nlistener = clear\nurl = /up\nredirect = https://$host$uri\n"
                            "[rule listed]\nlistener = on\ndomain = listed.test\n@Cpool = app\n"
                            "mutual_auth = request\nclient_ca = a.crt\n"
                            "[rule listed-bob]\nlistener = on\ndomain = listed.test\n"
                            "url = /bob\npool = app\nmutual_auth = require\n"
                            "client_ca = a.crt\nallow_client = cn:bob\n"
                            "exempt_from = 10.0.0.0/8\n"
                            "[access noted]\nlistener = on\ndomain = listed.test\n"
                            "url = /noted\naction = log\n"
                            "[access away]\nlistener = on\ndomain = listed.test\nurl = /away\n"
                            "client_certificate = missing\naction = redirect:/help?why=$reason\n"
                            "[access closed]\nlistener = on\ndomain = listed.test\n"
                            "url = /closed\nclient_certificate = verified\n"
                            "[access blocked]\nlistener = on\ndomain = listed.test\n"
                            "url = /blocked\n"
                            "[access bob]\nlistener = on\ndomain = listed.test\nurl = /bob\n"
                            "client_certificate = invalid\n"
                            "[rule fixed]\nlistener = clear\nurl = /fixed\n"
                            "redirect = https://fixed.test/\n"
                            "[pool app]\nbackend = rs-1 127.0.0.1:9\nhealth_check = off\n";

static struct folder folder;
static struct config *config;
static struct made *ca_a, *ca_b, *server, *alice, *bob, *late;
static struct identity *alice_on_one, *alice_on_mixed, *bob_on_mixed, *late_on_mixed;

static const struct listener *listener_named(const char *name)
{
    for (unsigned i = 0; i < config->listener_count; i++) {
        if (strcmp(config->listeners[i].name, name) == 0) {
            return &config->listeners[i];
        }
    }
    ck_abort_msg("no listener %s", name);
}

static const struct policy *policy_of(const char *listener, const char *host)
{
    return router_domain(listener_named(listener)->router, slice_of(host))->policy;
}

static struct identity *identity_under(const struct policy *policy, const struct made *made)
{
    static const unsigned char hash[32];
    STACK_OF(X509) *chain = sk_X509_new_null();
    ck_assert(chain && X509_add_cert(chain, made->certificate, X509_ADD_FLAG_UP_REF));
    struct identity *identity = identity_new(policy, chain, hash, time(NULL));
    ck_assert_ptr_nonnull(identity);
    sk_X509_pop_free(chain, X509_free);
    return identity;
}

static void write_ini(void)
{
    struct text ini = {0};
    text_add_format(&ini,
                    "[listener on]\naddress = 127.0.0.1:%u\nsni = on\n"
                    "[listener off]\naddress = 127.0.0.1:%u\ncertificate = server.crt\n"
                    "certificate_key = server.key\n"
                    "[listener clear]\naddress = 127.0.0.1:%u\nprotocol = http\n",
                    port_reserve(), port_reserve(), port_reserve());
    const char *at = rules;
    for (const char *mark; (mark = strstr(at, "@C")); at = mark + 2) {
        text_add(&ini, at, (size_t)(mark - at));
        text_add_format(&ini, "certificate = server.crt\ncertificate_key = server.key\n");
    }
    text_add(&ini, at, strlen(at));
    folder_write(&folder, "lb.ini", ini.bytes);
    text_done(&ini);
}

static void open_config(void)
{
    struct problems problems = {0};
    folder_make(&folder);
    ca_a = made_ca("CA A");
    ca_b = made_ca("CA B");
    server = made_server(ca_a, "one.test");
    alice = made_client(ca_a, "alice");
    bob = made_client(ca_b, "bob");
    late = made_certificate(&(struct certificate_wish){.name = "late",
                                                       .issuer = ca_a,
                                                       .usage = "clientAuth",
                                                       .from_s = -2 * MADE_DAY_S,
                                                       .until_s = -MADE_DAY_S});
    made_write(ca_a, folder.path, "a");
    made_write(ca_b, folder.path, "b");
    made_write(server, folder.path, "server");
    write_ini();
    config = config_load(folder_file(&folder, "lb.ini"), &problems);
    ck_assert_msg(config != NULL, "%s", problems.count ? problems.items[0].text : "no config");
    problems_done(&problems);
    alice_on_one = identity_under(policy_of("on", "one.test"), alice);
    alice_on_mixed = identity_under(policy_of("on", "mixed.test"), alice);
    bob_on_mixed = identity_under(policy_of("on", "mixed.test"), bob);
    late_on_mixed = identity_under(policy_of("on", "mixed.test"), late);
}

static void close_config(void)
{
    identity_unref(alice_on_one);
    identity_unref(alice_on_mixed);
    identity_unref(bob_on_mixed);
    identity_unref(late_on_mixed);
    config_free(config);
    made_free(ca_a);
    made_free(ca_b);
    made_free(server);
    made_free(alice);
    made_free(bob);
    made_free(late);
    folder_remove(&folder);
}

/* --- what is asked ------------------------------------------------------------------------- */

/** Over a connection to listener `on`, settled for `settled` (a host name). */
static struct decision ask(const char *settled, struct identity *identity, const char *host,
                           const char *path)
{
    return decide(&(struct inquiry){.listener = listener_named("on"),
                                    .settled = policy_of("on", settled)->id,
                                    .visitor = {.identity = identity, .now = time(NULL)},
                                    .host = slice_of(host),
                                    .path = slice_of(path)});
}

static struct decision ask_off(struct identity *identity, const char *host)
{
    return decide(&(struct inquiry){.listener = listener_named("off"),
                                    .settled = policy_of("off", host)->id,
                                    .visitor = {.identity = identity, .now = time(NULL)},
                                    .host = slice_of(host),
                                    .path = slice_of("/")});
}

static struct decision ask_clear(const char *host, const char *path)
{
    return decide(&(struct inquiry){.listener = listener_named("clear"),
                                    .visitor = {.now = time(NULL)},
                                    .host = slice_of(host),
                                    .path = slice_of(path)});
}

static void must_pass(struct decision decision, const char *rule)
{
    ck_assert_int_eq(decision.outcome, DECISION_PASS);
    ck_assert_str_eq(decision.rule->name, rule);
}

static void must_refuse(struct decision decision, const char *why)
{
    ck_assert_int_eq(decision.outcome, DECISION_REFUSED);
    ck_assert_str_eq(refusal_name(decision.refusal), why);
}

/* --- which rule ---------------------------------------------------------------------------- */

START_TEST(host_chooses_the_domain_and_the_longest_prefix_the_rule)
{
    must_pass(ask("one.test", alice_on_one, "one.test", "/"), "one");
    must_pass(ask("one.test", alice_on_one, "ONE.test.", "/shopping"), "one");
    must_pass(ask("one.test", alice_on_one, "one.test", "/shop/cart"), "one-shop");
    must_pass(ask("one.test", alice_on_one, "one.test", "/%73hop"), "one-shop");
}
END_TEST

START_TEST(a_host_that_nobody_names_meets_the_default_domain)
{
    struct decision decision = ask("one.test", alice_on_one, "192.0.2.1", "/");
    must_pass(decision, "one");
    ck_assert_str_eq(decision.domain->pattern, "one.test");
    must_pass(ask("one.test", alice_on_one, "", "/"), "one");
}
END_TEST

START_TEST(an_http_listener_settles_nothing_and_judges_nobody)
{
    must_pass(ask_clear("any.test", "/app"), "clear");
    ck_assert_int_eq(ask_clear("any.test", "/other").outcome, DECISION_NO_RULE);
}
END_TEST

/* --- 421 ----------------------------------------------------------------------------------- */

START_TEST(a_host_that_asks_for_something_else_than_was_settled_is_misdirected)
{
    static const char *const others[] = {"two.test", "open.test", "asked.test", "mixed.test"};
    for (unsigned i = 0; i < sizeof others / sizeof *others; i++) {
        struct decision decision = ask("one.test", alice_on_one, others[i], "/");
        ck_assert_int_eq(decision.outcome, DECISION_MISDIRECTED);
        ck_assert_ptr_null(decision.rule);
        ck_assert_str_eq(decision.domain->pattern, others[i]);
        decision = ask(others[i], NULL, "one.test", "/");
        ck_assert_int_eq(decision.outcome, DECISION_MISDIRECTED);
    }
}
END_TEST

START_TEST(a_host_that_asks_for_the_same_is_served)
{
    must_pass(ask("one.test", alice_on_one, "same.test", "/"), "same");
}
END_TEST

START_TEST(with_sni_off_nothing_is_misdirected_and_every_rule_judges)
{
    const struct policy *settled = policy_of("off", "one.test");
    ck_assert_ptr_eq(settled, policy_of("off", "two.test"));
    struct identity *identity = identity_under(settled, alice);
    must_pass(ask_off(identity, "one.test"), "off-a");
    must_pass(ask_off(identity, "open.test"), "off-open");
    must_refuse(ask_off(identity, "two.test"), "untrusted");
    must_refuse(ask_off(NULL, "two.test"), "missing");
    must_pass(ask_off(NULL, "open.test"), "off-open");
    identity_unref(identity);
}
END_TEST

/* --- judgement ----------------------------------------------------------------------------- */

START_TEST(each_rule_of_a_host_judges_by_its_own_cas)
{
    must_pass(ask("mixed.test", alice_on_mixed, "mixed.test", "/a"), "mixed-a");
    must_refuse(ask("mixed.test", alice_on_mixed, "mixed.test", "/b"), "untrusted");
    must_pass(ask("mixed.test", bob_on_mixed, "mixed.test", "/b"), "mixed-b");
    must_refuse(ask("mixed.test", bob_on_mixed, "mixed.test", "/a"), "untrusted");
    must_pass(ask("mixed.test", NULL, "mixed.test", "/public"), "mixed");
    must_refuse(ask("mixed.test", NULL, "mixed.test", "/a"), "missing");
    must_refuse(ask("mixed.test", late_on_mixed, "mixed.test", "/a"), "expired");
    must_pass(ask("mixed.test", late_on_mixed, "mixed.test", "/public"), "mixed");
}
END_TEST

START_TEST(an_identity_that_was_never_verified_for_a_rule_does_not_pass_it)
{
    /* As if a connection had been carried over: the results name other sets. */
    must_refuse(ask("two.test", alice_on_one, "two.test", "/"), "untrusted");
}
END_TEST

START_TEST(a_certificate_that_expires_during_the_connection_passes_no_more)
{
    time_t later = time(NULL) + 31 * MADE_DAY_S;
    must_refuse(decide(&(struct inquiry){.listener = listener_named("on"),
                                         .settled = policy_of("on", "one.test")->id,
                                         .visitor = {.identity = alice_on_one, .now = later},
                                         .host = slice_of("one.test"),
                                         .path = slice_of("/")}),
                "expired");
}
END_TEST

START_TEST(a_rule_that_only_asks_lets_everyone_pass)
{
    must_pass(ask("asked.test", NULL, "asked.test", "/"), "asked");
    struct identity *stranger = identity_under(policy_of("on", "asked.test"), bob);
    must_pass(ask("asked.test", stranger, "asked.test", "/"), "asked");
    identity_unref(stranger);
}
END_TEST

/* --- [access] ------------------------------------------------------------------------------ */

static void must_meet(struct decision decision, enum decision_outcome outcome, unsigned status,
                      const char *access, const char *why)
{
    ck_assert_int_eq(decision.outcome, outcome);
    ck_assert_uint_eq(decision_status(&decision), status);
    ck_assert_ptr_nonnull(decision.access);
    ck_assert_str_eq(decision.access->name, access);
    ck_assert_str_eq(refusal_name(decision.refusal), why);
}

START_TEST(an_access_section_decides_after_the_rule)
{
    const char *host = "listed.test";
    struct identity *alice_here = identity_under(policy_of("on", host), alice);
    struct identity *bob_here = identity_under(policy_of("on", host), bob);
    must_pass(ask(host, NULL, host, "/"), "listed");
    must_meet(ask(host, NULL, host, "/noted/x"), DECISION_PASS, 0, "noted", "none");
    must_meet(ask(host, NULL, host, "/away"), DECISION_SENT_AWAY, 302, "away", "missing");
    must_pass(ask(host, bob_here, host, "/away"), "listed");
    must_meet(ask(host, NULL, host, "/blocked"), DECISION_BLOCKED, 403, "blocked", "missing");
    must_meet(ask(host, bob_here, host, "/blocked"), DECISION_BLOCKED, 403, "blocked", "untrusted");
    must_pass(ask(host, alice_here, host, "/blocked"), "listed");
    must_meet(ask(host, alice_here, host, "/closed"), DECISION_BLOCKED, 403, "closed", "blocked");
    must_pass(ask(host, NULL, host, "/closed"), "listed");
    identity_unref(alice_here);
    identity_unref(bob_here);
}
END_TEST

START_TEST(what_the_rule_refuses_never_gets_to_an_access_section)
{
    const char *host = "listed.test";
    struct identity *alice_here = identity_under(policy_of("on", host), alice);
    struct identity *bob_here = identity_under(policy_of("on", host), bob);
    struct decision decision = ask(host, bob_here, host, "/bob");
    must_refuse(decision, "untrusted"); /* of another CA, whatever its name */
    ck_assert_ptr_null(decision.access);
    decision = ask(host, alice_here, host, "/bob");
    must_refuse(decision, "not-allowed");
    ck_assert_ptr_null(decision.access);
    identity_unref(alice_here);
    identity_unref(bob_here);
}
END_TEST

START_TEST(who_is_exempt_passes_the_rule_and_meets_the_sections)
{
    const char *host = "listed.test";
    struct identity *bob_here = identity_under(policy_of("on", host), bob);
    struct inquiry inquiry = {.listener = listener_named("on"),
                              .settled = policy_of("on", host)->id,
                              .visitor = {.address = "10.1.2.3", .now = time(NULL)},
                              .host = slice_of(host),
                              .path = slice_of("/bob")};
    must_pass(decide(&inquiry), "listed-bob");
    inquiry.visitor.identity = bob_here;
    must_meet(decide(&inquiry), DECISION_BLOCKED, 403, "bob", "untrusted");
    inquiry.visitor.identity = NULL;
    inquiry.visitor.address = "192.0.2.1";
    must_refuse(decide(&inquiry), "missing");
    inquiry.visitor.address = NULL;
    must_refuse(decide(&inquiry), "missing");
    identity_unref(bob_here);
}
END_TEST

/* --- the order ----------------------------------------------------------------------------- */

START_TEST(misdirection_comes_before_the_path_and_the_path_before_the_judgement)
{
    static const char ambiguous[] = "/public%2F..%2Fa";
    struct decision decision = ask("one.test", alice_on_one, "mixed.test", ambiguous);
    ck_assert_int_eq(decision.outcome, DECISION_MISDIRECTED);
    decision = ask("mixed.test", NULL, "mixed.test", ambiguous);
    ck_assert_int_eq(decision.outcome, DECISION_AMBIGUOUS);
    ck_assert_ptr_null(decision.rule);
    decision = ask("mixed.test", NULL, "mixed.test", "/nowhere");
    ck_assert_int_eq(decision.outcome, DECISION_NO_RULE);
    ck_assert_ptr_null(decision.rule);
}
END_TEST

START_TEST(a_path_that_two_readers_take_to_different_rules_is_ambiguous)
{
    static const char *const paths[] = {"/public%2F..%2Fa", "/public/..%2fa", "/public\\..\\a",
                                        "/public/..;/a",    "/a%00",          "/a%zz"};
    for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct decision decision = ask("mixed.test", alice_on_mixed, "mixed.test", paths[i]);
        ck_assert_msg(decision.outcome == DECISION_AMBIGUOUS, "%s: %d", paths[i], decision.outcome);
    }
    /* Where all readings choose the same rule, they are nobody's business. */
    must_pass(ask("one.test", alice_on_one, "one.test", "/x%2Fy"), "one");
}
END_TEST

/* --- rules without a pool ------------------------------------------------------------------ */

static void must_become(struct decision decision, enum decision_outcome outcome, const char *rule,
                        unsigned status, const char *reason)
{
    ck_assert_int_eq(decision.outcome, outcome);
    ck_assert_str_eq(decision.rule ? decision.rule->name : "", rule);
    ck_assert_uint_eq(decision_status(&decision), status);
    ck_assert_str_eq(decision_reason(&decision), reason);
    ck_assert_int_eq(decision_is_refusal(&decision), decision_sentence(&decision) != NULL);
}

START_TEST(who_passes_is_sent_elsewhere_or_answered)
{
    must_become(ask("one.test", alice_on_one, "moved.test", "/x"), DECISION_REDIRECT, "moved", 307,
                "redirect");
    must_become(ask("one.test", alice_on_one, "moved.test", "/own"), DECISION_RESPOND, "own", 410,
                "respond");
    must_become(ask("one.test", alice_on_one, "moved.test", "/folder"), DECISION_SLASH, "folder",
                301, "slash");
    must_pass(ask("one.test", alice_on_one, "moved.test", "/folder/"), "folder");
}
END_TEST

START_TEST(who_may_not_pass_is_neither_sent_nor_answered)
{
    static const char *const paths[] = {"/x", "/own", "/folder"};
    for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++) {
        must_refuse(ask("one.test", NULL, "moved.test", paths[i]), "missing");
        must_refuse(ask("one.test", bob_on_mixed, "moved.test", paths[i]), "untrusted");
    }
}
END_TEST

START_TEST(a_redirect_to_the_host_needs_one)
{
    static const struct {
        const char *host, *path;
        enum decision_outcome outcome;
        const char *rule, *reason;
        unsigned status;
    } rows[] = {{"up.test", "/up", DECISION_REDIRECT, "up", "redirect", 301},
                {"", "/up", DECISION_NO_HOST, "up", "no-host", 400},
                {"", "/fixed", DECISION_REDIRECT, "fixed", "redirect", 301}};
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
        must_become(ask_clear(rows[i].host, rows[i].path), rows[i].outcome, rows[i].rule,
                    rows[i].status, rows[i].reason);
}
END_TEST

START_TEST(what_cannot_be_decided_is_refused_and_never_guessed)
{
    char path[64], name[64];
    memset(path, 'a', sizeof path);
    memset(name, 'a', sizeof name);
    path[0] = '/';
    path[sizeof path - 1] = name[sizeof name - 1] = '\0';
    must_become(ask("one.test", alice_on_one, "moved.test", path), DECISION_UNDECIDED, "slow", 400,
                "regex-limit");
    struct decision decision = ask("one.test", alice_on_one, name, "/");
    must_become(decision, DECISION_UNDECIDED, "", 400, "regex-limit");
    ck_assert_ptr_null(decision.domain);
}
END_TEST

/* --- words --------------------------------------------------------------------------------- */

START_TEST(every_outcome_has_a_status_a_word_and_a_sentence)
{
    static const struct rule rule;
    static const struct {
        struct decision decision;
        unsigned status;
        const char *reason;
    } rows[] = {
        {{.outcome = DECISION_MISDIRECTED, .refusal = REFUSAL_HOST_MISMATCH}, 421, "host-mismatch"},
        {{.outcome = DECISION_NO_RULE}, 404, "no-rule"},
        {{.outcome = DECISION_AMBIGUOUS}, 400, "ambiguous-path"},
        {{.outcome = DECISION_UNDECIDED}, 400, "regex-limit"},
        {{.outcome = DECISION_NO_HOST}, 400, "no-host"},
        {{.outcome = DECISION_BAD_CLIENT_ID}, 400, "bad-client-id"},
        {{.outcome = DECISION_REFUSED, .rule = &rule, .refusal = REFUSAL_EXPIRED}, 403, "expired"},
        {{.outcome = DECISION_BLOCKED, .refusal = REFUSAL_BLOCKED}, 403, "blocked"},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert_uint_eq(decision_status(&rows[i].decision), rows[i].status);
        ck_assert(decision_is_refusal(&rows[i].decision));
        ck_assert_str_eq(decision_reason(&rows[i].decision), rows[i].reason);
        ck_assert_uint_gt(strlen(decision_sentence(&rows[i].decision)), 10);
    }
    static const struct decision pass = {.outcome = DECISION_PASS};
    ck_assert_uint_eq(decision_status(&pass), 0);
    ck_assert(!decision_is_refusal(&pass));
    ck_assert_ptr_null(decision_reason(&pass));
    ck_assert_ptr_null(decision_sentence(&pass));
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, open_config, close_config);
    tcase_add_test(tcase, host_chooses_the_domain_and_the_longest_prefix_the_rule);
    tcase_add_test(tcase, a_host_that_nobody_names_meets_the_default_domain);
    tcase_add_test(tcase, an_http_listener_settles_nothing_and_judges_nobody);
    tcase_add_test(tcase, a_host_that_asks_for_something_else_than_was_settled_is_misdirected);
    tcase_add_test(tcase, a_host_that_asks_for_the_same_is_served);
    tcase_add_test(tcase, with_sni_off_nothing_is_misdirected_and_every_rule_judges);
    tcase_add_test(tcase, each_rule_of_a_host_judges_by_its_own_cas);
    tcase_add_test(tcase, an_identity_that_was_never_verified_for_a_rule_does_not_pass_it);
    tcase_add_test(tcase, a_certificate_that_expires_during_the_connection_passes_no_more);
    tcase_add_test(tcase, a_rule_that_only_asks_lets_everyone_pass);
    tcase_add_test(tcase, an_access_section_decides_after_the_rule);
    tcase_add_test(tcase, what_the_rule_refuses_never_gets_to_an_access_section);
    tcase_add_test(tcase, who_is_exempt_passes_the_rule_and_meets_the_sections);
    tcase_add_test(tcase, misdirection_comes_before_the_path_and_the_path_before_the_judgement);
    tcase_add_test(tcase, a_path_that_two_readers_take_to_different_rules_is_ambiguous);
    tcase_add_test(tcase, who_passes_is_sent_elsewhere_or_answered);
    tcase_add_test(tcase, who_may_not_pass_is_neither_sent_nor_answered);
    tcase_add_test(tcase, a_redirect_to_the_host_needs_one);
    tcase_add_test(tcase, what_cannot_be_decided_is_refused_and_never_guessed);
    tcase_add_test(tcase, every_outcome_has_a_status_a_word_and_a_sentence);
}

CHECK_MAIN("decision", add_tests)
