/* SPDX-License-Identifier: Apache-2.0 */
/* SNI, policies and alerts, with real OpenSSL clients. Resumption has a file of its own. */
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#include "lb/base/certificate.h"
#include "lb/base/error.h"
#include "lb/base/log.h"
#include "listeners/chain_cache.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/tls_stage.h"

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* What every test here has: a CA that is trusted, one that is not, and a client of each. */
struct cast {
    struct stage stage;
    struct made *ca;
    struct made *other_ca;
    struct made *alice;
    struct made *mallory; /* of the other CA */
    const struct ca_set *set;
    const struct ca_set *other_set;
};

static void cast_open(struct cast *cast)
{
    stage_open(&cast->stage);
    cast->ca = made_ca("Client CA");
    cast->other_ca = made_ca("Other CA");
    cast->alice = made_client(cast->ca, "alice");
    cast->mallory = made_client(cast->other_ca, "mallory");
    cast->set = stage_ca_set(&cast->stage, cast->ca, NULL);
    cast->other_set = stage_ca_set(&cast->stage, cast->other_ca, NULL);
}

static void cast_close(struct cast *cast)
{
    made_free(cast->ca);
    made_free(cast->other_ca);
    made_free(cast->alice);
    made_free(cast->mallory);
    stage_close(&cast->stage);
}

/* Names */

START_TEST(the_name_chooses_the_domain_and_its_certificate)
{
    struct cast cast;
    struct meeting meeting;
    cast_open(&cast);
    cast.stage.options.sni = true;
    stage_rule(&cast.stage, "www.example.com", AUTH_OFF, NULL, REFUSE_UNSET);
    stage_rule(&cast.stage, "*.example.org", AUTH_OFF, NULL, REFUSE_UNSET);
    stage_start(&cast.stage);
    meet(&cast.stage, &(struct wish){.name = "a.example.org", .version = versions[_i]}, &meeting);
    ck_assert(meeting.let_in);
    ck_assert_str_eq(meeting.shown, "*.example.org");
    ck_assert_str_eq(meeting.handshake.domain->pattern, "*.example.org");
    part(&meeting);
    meet(&cast.stage, &(struct wish){.name = "WWW.Example.com", .version = versions[_i]}, &meeting);
    ck_assert(meeting.let_in);
    ck_assert_str_eq(meeting.shown, "www.example.com");
    part(&meeting);
    cast_close(&cast);
}
END_TEST

START_TEST(without_a_name_or_with_an_unknown_one_the_default_domain_answers)
{
    struct cast cast;
    struct meeting meeting;
    cast_open(&cast);
    cast.stage.options.sni = true;
    stage_rule(&cast.stage, "www.example.com", AUTH_OFF, NULL, REFUSE_UNSET);
    stage_rule(&cast.stage, "api.example.com", AUTH_OFF, NULL, REFUSE_UNSET);
    stage_start(&cast.stage);
    const char *const names[] = {NULL, "nobody.example.net", "127.0.0.1", "a..b"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        meet(&cast.stage, &(struct wish){.name = names[i], .version = versions[_i]}, &meeting);
        ck_assert(meeting.let_in);
        ck_assert_str_eq(meeting.shown, "www.example.com");
        ck_assert(!meeting.handshake.unknown_name);
        part(&meeting);
    }
    cast_close(&cast);
}
END_TEST

START_TEST(an_unknown_name_is_rejected_where_that_is_wanted)
{
    struct cast cast;
    struct meeting meeting;
    cast_open(&cast);
    cast.stage.options.sni = true;
    cast.stage.options.unknown_sni = UNKNOWN_SNI_REJECT;
    stage_rule(&cast.stage, "www.example.com", AUTH_OFF, NULL, REFUSE_UNSET);
    stage_start(&cast.stage);
    meet(&cast.stage, &(struct wish){.name = "nobody.example", .version = versions[_i]}, &meeting);
    ck_assert(!meeting.let_in);
    ck_assert_int_eq(meeting.alert, SSL_AD_UNRECOGNIZED_NAME);
    ck_assert(meeting.handshake.unknown_name);
    ck_assert_str_eq(meeting.handshake.asked_name, "nobody.example");
    ck_assert_int_eq(meeting.refusal, REFUSAL_NONE);
    part(&meeting);
    /* Who asks for no name asks for no unknown one. */
    meet(&cast.stage, &(struct wish){.version = versions[_i]}, &meeting);
    ck_assert(meeting.let_in);
    part(&meeting);
    cast_close(&cast);
}
END_TEST

START_TEST(names_are_ignored_when_sni_is_off)
{
    struct cast cast;
    struct meeting meeting;
    cast_open(&cast);
    cast.stage.options.unknown_sni = UNKNOWN_SNI_REJECT;
    stage_rule(&cast.stage, "www.example.com", AUTH_OFF, NULL, REFUSE_UNSET);
    stage_rule(&cast.stage, "api.example.com", AUTH_REQUIRE, cast.set, REFUSE_403);
    stage_start(&cast.stage);
    const char *const names[] = {NULL, "api.example.com", "www.example.com", "nobody.example"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        meet(&cast.stage,
             &(struct wish){.name = names[i], .certificate = cast.alice, .version = versions[_i]},
             &meeting);
        ck_assert(meeting.let_in);
        ck_assert_str_eq(meeting.shown, "stage.example");
        ck_assert_str_eq(meeting.handshake.domain->pattern, "www.example.com");
        /* The union of all rules is settled: whatever Host will be, the certificate is known. */
        ck_assert_ptr_nonnull(meeting.handshake.identity);
        part(&meeting);
    }
    cast_close(&cast);
}
END_TEST

START_TEST(a_second_hello_that_asks_for_another_name_is_refused)
{
    struct cast cast;
    struct meeting meeting;
    cast_open(&cast);
    cast.stage.options.sni = true;
    cast.stage.options.groups = "P-256";
    stage_rule(&cast.stage, "www.example.com", AUTH_OFF, NULL, REFUSE_UNSET);
    stage_rule(&cast.stage, "api.example.com", AUTH_REQUIRE, cast.set, REFUSE_ALERT);
    stage_start(&cast.stage);
    struct wish wish = {
        .name = "www.example.com", .groups = "X25519:P-256", .version = TLS1_3_VERSION};
    meet(&cast.stage, &wish, &meeting);
    ck_assert(meeting.let_in); /* after a HelloRetryRequest */
    part(&meeting);
    wish.second_name = "api.example.com";
    meet(&cast.stage, &wish, &meeting);
    ck_assert(!meeting.let_in);
    ck_assert_int_eq(meeting.alert, SSL_AD_ILLEGAL_PARAMETER);
    part(&meeting);
    cast_close(&cast);
}
END_TEST

START_TEST(an_acknowledged_name_is_acknowledged_and_no_other)
{
    struct cast cast;
    struct meeting meeting;
    cast_open(&cast);
    cast.stage.options.sni = true;
    stage_rule(&cast.stage, "www.example.com", AUTH_OFF, NULL, REFUSE_UNSET);
    stage_start(&cast.stage);
    meet(&cast.stage, &(struct wish){.name = "www.example.com", .version = TLS1_2_VERSION},
         &meeting);
    ck_assert_ptr_nonnull(SSL_SESSION_get0_hostname(SSL_get_session(meeting.server)));
    part(&meeting);
    meet(&cast.stage, &(struct wish){.name = "other.example.com", .version = TLS1_2_VERSION},
         &meeting);
    ck_assert_ptr_null(SSL_SESSION_get0_hostname(SSL_get_session(meeting.server)));
    part(&meeting);
    cast_close(&cast);
}
END_TEST

START_TEST(http_1_1_is_acknowledged_and_other_protocols_get_no_answer)
{
    struct cast cast;
    struct meeting meeting;
    const unsigned char *chosen = NULL;
    unsigned length = 0;
    cast_open(&cast);
    stage_rule(&cast.stage, "", AUTH_OFF, NULL, REFUSE_UNSET);
    stage_start(&cast.stage);
    meet(&cast.stage, &(struct wish){.protocols = "\x02h2\x08http/1.1"}, &meeting);
    ck_assert(meeting.let_in);
    SSL_get0_alpn_selected(meeting.client, &chosen, &length);
    ck_assert_uint_eq(length, 8);
    ck_assert_mem_eq(chosen, "http/1.1", 8);
    part(&meeting);
    meet(&cast.stage, &(struct wish){.protocols = "\x02h2"}, &meeting);
    ck_assert(meeting.let_in);
    SSL_get0_alpn_selected(meeting.client, &chosen, &length);
    ck_assert_uint_eq(length, 0);
    part(&meeting);
    cast_close(&cast);
}
END_TEST

/* Certificates of the server */

START_TEST(a_domain_shows_the_certificate_of_the_key_algorithm_a_client_wants)
{
    struct cast cast;
    struct meeting meeting;
    struct error err = {{0}};
    cast_open(&cast);
    cast.stage.options.sni = true;
    stage_rule(&cast.stage, "ec.example", AUTH_OFF, NULL, REFUSE_UNSET);
    stage_rule(&cast.stage, "both.example", AUTH_OFF, NULL, REFUSE_UNSET);
    struct made *rsa = made_certificate(&(struct certificate_wish){
        .name = "rsa.both.example", .issuer = cast.stage.server_ca, .key = MADE_KEY_RSA_2048});
    struct made *ec = made_server(cast.stage.server_ca, "ec.both.example");
    made_write(rsa, cast.stage.folder.path, "rsa");
    made_write(ec, cast.stage.folder.path, "ec");
    struct credential *two[2];
    two[0] = credential_load(folder_file(&cast.stage.folder, "rsa.crt"),
                             folder_file(&cast.stage.folder, "rsa.key"), &err);
    two[1] = credential_load(folder_file(&cast.stage.folder, "ec.crt"),
                             folder_file(&cast.stage.folder, "ec.key"), &err);
    ck_assert_msg(two[0] && two[1], "%s", err.text);
    /* Whichever comes first gives its certificates to the context both share. */
    unsigned both = (unsigned)_i / 2;
    cast.stage.domains[1 - both] = (struct domain){.pattern = "ec.example", .index = 1 - both};
    cast.stage.domains[both] = (struct domain){
        .pattern = "both.example", .index = both, .credential_count = 2, .credentials = two};
    cast.stage.listener.domain_count = 2;
    stage_start(&cast.stage);
    struct wish wish = {
        .name = "both.example", .version = versions[_i % 2], .signatures = "ECDSA+SHA256"};
    meet(&cast.stage, &wish, &meeting);
    ck_assert_str_eq(meeting.shown, "ec.both.example");
    part(&meeting);
    wish.signatures = "RSA-PSS+SHA256:RSA+SHA256";
    meet(&cast.stage, &wish, &meeting);
    ck_assert(meeting.let_in);
    ck_assert_str_eq(meeting.shown, "rsa.both.example");
    part(&meeting);
    /* The other domain has no RSA certificate, and must not borrow its neighbour's. */
    wish.name = "ec.example";
    meet(&cast.stage, &wish, &meeting);
    ck_assert(!meeting.let_in);
    ck_assert_int_eq(meeting.alert, SSL_AD_HANDSHAKE_FAILURE);
    part(&meeting);
    credential_free(two[0]);
    credential_free(two[1]);
    made_free(rsa);
    made_free(ec);
    cast_close(&cast);
}
END_TEST

START_TEST(the_servers_chain_is_sent_as_its_file_has_it)
{
    struct cast cast;
    struct meeting meeting;
    struct error err = {{0}};
    cast_open(&cast);
    stage_rule(&cast.stage, "", AUTH_OFF, NULL, REFUSE_UNSET);
    struct made *middle = made_intermediate(cast.stage.server_ca, "Server Intermediate");
    struct made *server = made_server(middle, "chain.example");
    made_write(server, cast.stage.folder.path, "chain");
    struct credential *one = credential_load(folder_file(&cast.stage.folder, "chain.crt"),
                                             folder_file(&cast.stage.folder, "chain.key"), &err);
    ck_assert_msg(one != NULL, "%s", err.text);
    cast.stage.domains[0] =
        (struct domain){.pattern = "", .credential_count = 1, .credentials = &one};
    cast.stage.listener.domain_count = 1;
    stage_start(&cast.stage);
    meet(&cast.stage, &(struct wish){.version = versions[_i]}, &meeting);
    ck_assert(meeting.let_in);
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(meeting.client);
    ck_assert_int_eq(sk_X509_num(chain), 2);
    ck_assert_int_eq(X509_cmp(sk_X509_value(chain, 1), middle->certificate), 0);
    part(&meeting);
    credential_free(one);
    made_free(server);
    made_free(middle);
    cast_close(&cast);
}
END_TEST

/* What is asked */

START_TEST(only_a_domain_that_wants_a_certificate_asks_for_one)
{
    struct cast cast;
    struct meeting meeting;
    cast_open(&cast);
    cast.stage.options.sni = true;
    stage_rule(&cast.stage, "open.example", AUTH_OFF, NULL, REFUSE_UNSET);
    stage_rule(&cast.stage, "asks.example", AUTH_REQUEST, cast.set, REFUSE_UNSET);
    stage_start(&cast.stage);
    struct wish wish = {.name = "open.example", .certificate = cast.alice, .version = versions[_i]};
    meet(&cast.stage, &wish, &meeting);
    ck_assert(meeting.let_in);
    ck_assert_ptr_null(meeting.handshake.identity);
    ck_assert_ptr_null(SSL_get0_peer_certificate(meeting.server));
    part(&meeting);
    wish.name = "asks.example";
    meet(&cast.stage, &wish, &meeting);
    ck_assert(meeting.let_in);
    ck_assert_str_eq(meeting.handshake.identity->subject, "CN=alice");
    part(&meeting);
    cast_close(&cast);
}
END_TEST

START_TEST(the_names_of_all_cas_of_a_domain_are_sent_and_no_others)
{
    struct cast cast;
    struct meeting meeting;
    cast_open(&cast);
    cast.stage.options.sni = true;
    stage_rule(&cast.stage, "one.example", AUTH_REQUIRE, cast.set, REFUSE_403);
    stage_rule(&cast.stage, "two.example", AUTH_REQUIRE, cast.set, REFUSE_403);
    stage_rule(&cast.stage, "two.example", AUTH_REQUEST, cast.other_set, REFUSE_403);
    stage_start(&cast.stage);
    meet(&cast.stage, &(struct wish){.name = "one.example", .version = versions[_i]}, &meeting);
    const STACK_OF(X509_NAME) *names = SSL_get0_peer_CA_list(meeting.client);
    ck_assert_int_eq(sk_X509_NAME_num(names), 1);
    ck_assert_int_eq(
        X509_NAME_cmp(sk_X509_NAME_value(names, 0), X509_get_subject_name(cast.ca->certificate)),
        0);
    part(&meeting);
    meet(&cast.stage, &(struct wish){.name = "two.example", .version = versions[_i]}, &meeting);
    ck_assert_int_eq(sk_X509_NAME_num(SSL_get0_peer_CA_list(meeting.client)), 2);
    part(&meeting);
    cast_close(&cast);
}
END_TEST

/* SSL_set_SSL_CTX leaves the verify mode as it was. */
START_TEST(a_domain_that_requires_certificates_never_lets_one_in_without_after_sni_switch)
{
    struct cast cast;
    struct meeting meeting;
    cast_open(&cast);
    cast.stage.options.sni = true;
    stage_rule(&cast.stage, "open.example", AUTH_OFF, NULL, REFUSE_UNSET);
    stage_rule(&cast.stage, "closed.example", AUTH_REQUIRE, cast.set, REFUSE_UNSET);
    stage_start(&cast.stage);
    meet(&cast.stage, &(struct wish){.name = "closed.example", .version = versions[_i]}, &meeting);
    ck_assert(!meeting.let_in);
    ck_assert_int_eq(meeting.refusal, REFUSAL_MISSING);
    part(&meeting);
    meet(&cast.stage,
         &(struct wish){
             .name = "closed.example", .certificate = cast.mallory, .version = versions[_i]},
         &meeting);
    ck_assert(!meeting.let_in);
    ck_assert_int_eq(meeting.refusal, REFUSAL_UNTRUSTED);
    part(&meeting);
    meet(&cast.stage,
         &(struct wish){
             .name = "closed.example", .certificate = cast.alice, .version = versions[_i]},
         &meeting);
    ck_assert(meeting.let_in);
    part(&meeting);
    cast_close(&cast);
}
END_TEST

START_TEST(an_open_domain_stays_open_when_the_default_domain_is_closed)
{
    struct cast cast;
    struct meeting meeting;
    cast_open(&cast);
    cast.stage.options.sni = true;
    stage_rule(&cast.stage, "closed.example", AUTH_REQUIRE, cast.set, REFUSE_UNSET);
    stage_rule(&cast.stage, "open.example", AUTH_OFF, NULL, REFUSE_UNSET);
    stage_start(&cast.stage);
    meet(&cast.stage, &(struct wish){.name = "open.example", .version = versions[_i]}, &meeting);
    ck_assert(meeting.let_in);
    part(&meeting);
    meet(&cast.stage, &(struct wish){.version = versions[_i]}, &meeting);
    ck_assert(!meeting.let_in);
    part(&meeting);
    cast_close(&cast);
}
END_TEST

START_TEST(a_handshake_that_is_not_as_planned_is_not_let_in)
{
    struct cast cast;
    struct meeting meeting;
    cast_open(&cast);
    stage_rule(&cast.stage, "", AUTH_REQUIRE, cast.set, REFUSE_UNSET);
    stage_start(&cast.stage);
    meet(&cast.stage, &(struct wish){.certificate = cast.alice, .version = versions[_i]}, &meeting);
    ck_assert(meeting.let_in);
    ck_assert(handshake_complete(&meeting.handshake, meeting.server));
    SSL_set_verify(meeting.server, SSL_VERIFY_NONE, NULL);
    ck_assert(!handshake_complete(&meeting.handshake, meeting.server));
    SSL_set_verify(meeting.server, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    ck_assert(handshake_complete(&meeting.handshake, meeting.server));
    SSL_clear_options(meeting.server, SSL_OP_NO_TICKET);
    ck_assert(!handshake_complete(&meeting.handshake, meeting.server));
    SSL_set_options(meeting.server, SSL_OP_NO_TICKET);
    struct identity *identity = meeting.handshake.identity;
    meeting.handshake.identity = NULL;
    ck_assert(!handshake_complete(&meeting.handshake, meeting.server));
    struct meeting other;
    struct made *bob = made_client(cast.ca, "bob");
    meet(&cast.stage, &(struct wish){.certificate = bob, .version = versions[_i]}, &other);
    meeting.handshake.identity = other.handshake.identity;
    ck_assert(!handshake_complete(&meeting.handshake, meeting.server));
    part(&other);
    made_free(bob);
    meeting.handshake.identity = identity;
    ck_assert(handshake_complete(&meeting.handshake, meeting.server));
    part(&meeting);
    cast_close(&cast);
}
END_TEST

/* Alerts and refusals: one defect after the other */

struct defect {
    const char *what;
    struct certificate_wish wish;
    enum refusal refusal;
    int alert;
};

// clang-format off
static const struct defect defects[] = {
    {"expired", {.name = "late", .usage = "clientAuth", .from_s = -9000, .until_s = -60},
     REFUSAL_EXPIRED, SSL_AD_CERTIFICATE_EXPIRED},
    {"not yet valid", {.name = "early", .usage = "clientAuth", .from_s = 3600},
     REFUSAL_NOT_YET_VALID, SSL_AD_BAD_CERTIFICATE},
    {"for servers only", {.name = "server", .usage = "serverAuth"},
     REFUSAL_WRONG_PURPOSE, SSL_AD_UNSUPPORTED_CERTIFICATE},
    {"RSA-1024", {.name = "weak", .usage = "clientAuth", .key = MADE_KEY_RSA_1024},
     REFUSAL_WEAK_KEY, SSL_AD_BAD_CERTIFICATE},
    {"SHA-1", {.name = "weak", .usage = "clientAuth", .sha1 = true},
     REFUSAL_WEAK_KEY, SSL_AD_BAD_CERTIFICATE},
    {"broken signature", {.name = "broken", .usage = "clientAuth", .broken_signature = true},
     REFUSAL_BAD_SIGNATURE, SSL_AD_BAD_CERTIFICATE},
};
// clang-format on
enum { DEFECT_COUNT = sizeof defects / sizeof *defects };

/* Meet with a certificate where the rule alerts, and where it only requests. */
static void check_refused(struct cast *cast, const struct made *made, int version,
                          enum refusal refusal, int alert)
{
    struct meeting meeting;
    struct wish wish = {.name = "alerts.example", .certificate = made, .version = version};
    meet(&cast->stage, &wish, &meeting);
    ck_assert(!meeting.let_in);
    ck_assert_str_eq(refusal_name(meeting.refusal), refusal_name(refusal));
    ck_assert_int_eq(meeting.alert, alert);
    part(&meeting);
    wish.name = "requests.example";
    meet(&cast->stage, &wish, &meeting);
    ck_assert(meeting.let_in);
    ck_assert_ptr_nonnull(meeting.handshake.identity);
    const struct client_auth rule = {AUTH_REQUIRE, cast->set, REFUSE_403};
    ck_assert_str_eq(refusal_name(policy_judge(&rule, meeting.handshake.identity, time(NULL))),
                     refusal_name(refusal));
    part(&meeting);
}

static void cast_open_for_alerts(struct cast *cast)
{
    cast_open(cast);
    cast->stage.options.sni = true;
    stage_rule(&cast->stage, "alerts.example", AUTH_REQUIRE, cast->set, REFUSE_ALERT);
    stage_rule(&cast->stage, "requests.example", AUTH_REQUEST, cast->set, REFUSE_UNSET);
    stage_start(&cast->stage);
}

START_TEST(each_defect_of_a_certificate_has_its_refusal_and_its_alert)
{
    const struct defect *defect = &defects[_i / 2];
    struct cast cast;
    cast_open_for_alerts(&cast);
    struct certificate_wish wish = defect->wish;
    wish.issuer = cast.ca;
    struct made *made = made_certificate(&wish);
    check_refused(&cast, made, versions[_i % 2], defect->refusal, defect->alert);
    made_free(made);
    cast_close(&cast);
}
END_TEST

START_TEST(a_certificate_of_an_unknown_ca_is_untrusted)
{
    struct cast cast;
    cast_open_for_alerts(&cast);
    check_refused(&cast, cast.mallory, versions[_i], REFUSAL_UNTRUSTED, SSL_AD_UNKNOWN_CA);
    /* A CA of the same name with another key is another CA. */
    struct made *namesake = made_ca("Client CA");
    struct made *fake = made_client(namesake, "alice");
    check_refused(&cast, fake, versions[_i], REFUSAL_UNTRUSTED, SSL_AD_UNKNOWN_CA);
    struct made *own = made_certificate(&(struct certificate_wish){.name = "alice"});
    check_refused(&cast, own, versions[_i], REFUSAL_UNTRUSTED, SSL_AD_UNKNOWN_CA);
    made_free(own);
    made_free(fake);
    made_free(namesake);
    cast_close(&cast);
}
END_TEST

START_TEST(no_certificate_is_refused_with_the_versions_own_alert)
{
    struct cast cast;
    struct meeting meeting;
    cast_open_for_alerts(&cast);
    meet(&cast.stage, &(struct wish){.name = "alerts.example", .version = versions[_i]}, &meeting);
    ck_assert(!meeting.let_in);
    ck_assert_int_eq(meeting.refusal, REFUSAL_MISSING);
    ck_assert_int_eq(meeting.alert, versions[_i] == TLS1_3_VERSION ? SSL_AD_CERTIFICATE_REQUIRED
                                                                   : SSL_AD_HANDSHAKE_FAILURE);
    part(&meeting);
    meet(&cast.stage, &(struct wish){.name = "requests.example", .version = versions[_i]},
         &meeting);
    ck_assert(meeting.let_in);
    ck_assert_ptr_null(meeting.handshake.identity);
    part(&meeting);
    cast_close(&cast);
}
END_TEST

START_TEST(a_chain_that_is_too_long_is_refused)
{
    struct cast cast;
    struct made *links[6] = {NULL};
    cast_open_for_alerts(&cast);
    /* Depth 4: the anchor and three intermediates are fine, a fourth one is not. */
    links[0] = cast.ca;
    for (int i = 1; i < 5; i++)
        links[i] = made_intermediate(links[i - 1], "Intermediate");
    struct made *good = made_client(links[3], "three between");
    struct made *bad = made_client(links[4], "four between");
    struct meeting meeting;
    meet(&cast.stage,
         &(struct wish){.name = "alerts.example", .certificate = good, .version = versions[_i]},
         &meeting);
    ck_assert(meeting.let_in);
    part(&meeting);
    check_refused(&cast, bad, versions[_i], REFUSAL_CHAIN_TOO_LONG, SSL_AD_UNKNOWN_CA);
    made_free(good);
    made_free(bad);
    for (int i = 1; i < 5; i++)
        made_free(links[i]);
    cast_close(&cast);
}
END_TEST

START_TEST(a_chain_that_is_too_large_ends_the_handshake_whatever_the_rule_says)
{
    struct cast cast;
    struct meeting meeting;
    cast_open_for_alerts(&cast);
    struct made *large = made_certificate(&(struct certificate_wish){
        .name = "large", .issuer = cast.ca, .usage = "clientAuth", .padding_bytes = 40000});
    const char *const names[] = {"alerts.example", "requests.example"};
    for (size_t i = 0; i < 2; i++) {
        meet(&cast.stage,
             &(struct wish){.name = names[i], .certificate = large, .version = versions[_i]},
             &meeting);
        ck_assert(!meeting.let_in);
        ck_assert_int_eq(meeting.refusal, REFUSAL_TOO_LARGE);
        ck_assert_int_eq(meeting.alert, SSL_AD_ILLEGAL_PARAMETER);
        part(&meeting);
    }
    made_free(large);
    cast_close(&cast);
}
END_TEST

START_TEST(a_client_without_the_key_of_its_certificate_is_refused_whatever_the_rule_says)
{
    struct cast cast;
    struct meeting meeting;
    cast_open_for_alerts(&cast);
    const char *const names[] = {"alerts.example", "requests.example"};
    for (size_t i = 0; i < 2; i++) {
        struct wish wish = {.name = names[i],
                            .certificate = cast.alice,
                            .wrong_key = cast.mallory->key,
                            .version = versions[_i]};
        meet(&cast.stage, &wish, &meeting);
        ck_assert(!meeting.let_in);
        ck_assert_int_eq(meeting.refusal, REFUSAL_BAD_SIGNATURE);
        ck_assert_int_eq(meeting.alert, SSL_AD_DECRYPT_ERROR);
        ck_assert_ptr_null(meeting.session);
        part(&meeting);
    }
    cast_close(&cast);
}
END_TEST

START_TEST(a_rule_that_answers_403_never_fails_the_handshake)
{
    struct cast cast;
    struct meeting meeting;
    cast_open(&cast);
    stage_rule(&cast.stage, "", AUTH_REQUIRE, cast.set, REFUSE_403);
    stage_start(&cast.stage);
    const struct made *const shown[] = {NULL, cast.mallory, cast.alice};
    const enum refusal refusals[] = {REFUSAL_MISSING, REFUSAL_UNTRUSTED, REFUSAL_NONE};
    for (size_t i = 0; i < 3; i++) {
        meet(&cast.stage, &(struct wish){.certificate = shown[i], .version = versions[_i]},
             &meeting);
        ck_assert(meeting.let_in);
        ck_assert_int_eq(
            policy_judge(&cast.stage.rules[0].auth, meeting.handshake.identity, time(NULL)),
            refusals[i]);
        part(&meeting);
    }
    cast_close(&cast);
}
END_TEST

/* Certificates as the seeds make them, and other good ones */

START_TEST(a_v1_ca_and_a_v1_certificate_without_any_extension_work)
{
    struct cast cast;
    struct meeting meeting;
    cast_open(&cast);
    struct made *ca = made_certificate(
        &(struct certificate_wish){.name = "Seed CA", .v1 = true, .key = MADE_KEY_RSA_2048});
    struct made *client = made_certificate(&(struct certificate_wish){
        .name = "client", .issuer = ca, .v1 = true, .key = MADE_KEY_RSA_2048});
    const struct ca_set *set = stage_ca_set(&cast.stage, ca, NULL);
    stage_rule(&cast.stage, "", AUTH_REQUIRE, set, REFUSE_ALERT);
    stage_start(&cast.stage);
    meet(&cast.stage, &(struct wish){.certificate = client, .version = versions[_i]}, &meeting);
    ck_assert_str_eq(refusal_name(meeting.refusal), "none");
    ck_assert(meeting.let_in);
    part(&meeting);
    made_free(client);
    made_free(ca);
    cast_close(&cast);
}
END_TEST

START_TEST(certificates_without_eku_and_of_every_usual_key_work)
{
    static const enum made_key keys[] = {MADE_KEY_P256, MADE_KEY_P384, MADE_KEY_RSA_2048,
                                         MADE_KEY_ED25519};
    struct cast cast;
    struct meeting meeting;
    cast_open(&cast);
    stage_rule(&cast.stage, "", AUTH_REQUIRE, cast.set, REFUSE_ALERT);
    stage_start(&cast.stage);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct made *client = made_certificate(
            &(struct certificate_wish){.name = "client", .issuer = cast.ca, .key = keys[i]});
        meet(&cast.stage, &(struct wish){.certificate = client, .version = versions[_i]}, &meeting);
        ck_assert_msg(meeting.let_in, "key %zu: %s", i, refusal_name(meeting.refusal));
        part(&meeting);
        made_free(client);
    }
    cast_close(&cast);
}
END_TEST

START_TEST(an_intermediate_may_come_from_the_client_or_from_the_ca_file)
{
    struct cast cast;
    struct meeting meeting;
    cast_open(&cast);
    struct made *middle = made_intermediate(cast.ca, "Intermediate");
    struct made *sends = made_client(middle, "sends it");
    struct made *keeps = made_client(middle, "keeps it");
    sk_X509_pop_free(keeps->chain, X509_free);
    keeps->chain = sk_X509_new_null();
    const struct ca_set *full = stage_ca_set(&cast.stage, cast.ca, middle, NULL);
    cast.stage.options.sni = true;
    stage_rule(&cast.stage, "root.example", AUTH_REQUIRE, cast.set, REFUSE_ALERT);
    stage_rule(&cast.stage, "full.example", AUTH_REQUIRE, full, REFUSE_ALERT);
    stage_start(&cast.stage);
    const char *const names[] = {"root.example", "root.example", "full.example", "full.example"};
    for (size_t i = 0; i < 4; i++) {
        const struct made *made = i % 2 ? keeps : sends;
        meet(&cast.stage,
             &(struct wish){.name = names[i], .certificate = made, .version = versions[_i]},
             &meeting);
        ck_assert_int_eq(meeting.let_in, i != 1);
        part(&meeting);
    }
    made_free(sends);
    made_free(keeps);
    made_free(middle);
    cast_close(&cast);
}
END_TEST

START_TEST(one_certificate_is_verified_once_for_each_distinct_set_with_one_result_each)
{
    struct cast cast;
    struct meeting meeting;
    cast_open(&cast);
    const struct ca_set *same = stage_ca_set(&cast.stage, cast.ca, NULL); /* equal content */
    stage_rule(&cast.stage, "", AUTH_REQUIRE, cast.set, REFUSE_403);
    stage_rule(&cast.stage, "", AUTH_REQUIRE, same, REFUSE_403);
    stage_rule(&cast.stage, "", AUTH_REQUIRE, cast.other_set, REFUSE_403);
    stage_start(&cast.stage);
    meet(&cast.stage, &(struct wish){.certificate = cast.alice, .version = versions[_i]}, &meeting);
    ck_assert(meeting.let_in);
    const struct identity *identity = meeting.handshake.identity;
    ck_assert_uint_eq(identity->result_count, 2);
    time_t now = time(NULL);
    ck_assert_int_eq(policy_judge(&cast.stage.rules[0].auth, identity, now), REFUSAL_NONE);
    ck_assert_int_eq(policy_judge(&cast.stage.rules[1].auth, identity, now), REFUSAL_NONE);
    ck_assert_int_eq(policy_judge(&cast.stage.rules[2].auth, identity, now), REFUSAL_UNTRUSTED);
    part(&meeting);
    cast_close(&cast);
}
END_TEST

/* Remembered chains */

START_TEST(a_verified_chain_is_remembered_for_the_next_full_handshake)
{
    struct cast cast;
    struct meeting first;
    struct meeting second;
    cast_open(&cast);
    stage_rule(&cast.stage, "", AUTH_REQUIRE, cast.set, REFUSE_403);
    stage_start(&cast.stage);
    struct wish wish = {.certificate = cast.alice, .version = versions[_i]};
    meet(&cast.stage, &wish, &first);
    wish.second_worker = true;
    meet(&cast.stage, &wish, &second);
    ck_assert(first.let_in && second.let_in && !second.resumed);
    ck_assert_ptr_eq(first.handshake.identity, second.handshake.identity);
    ck_assert_uint_eq(chain_cache_count(cast.stage.chains), 1);
    part(&first);
    part(&second);
    wish.certificate = cast.mallory;
    meet(&cast.stage, &wish, &first);
    ck_assert_uint_eq(chain_cache_count(cast.stage.chains), 1); /* refused ones are not */
    part(&first);
    cast_close(&cast);
}
END_TEST

START_TEST(a_remembered_chain_is_forgotten_at_its_not_after)
{
    struct cast cast;
    struct meeting meeting;
    cast_open(&cast);
    struct made *brief = made_certificate(&(struct certificate_wish){
        .name = "brief", .issuer = cast.ca, .usage = "clientAuth", .until_s = 1000});
    stage_rule(&cast.stage, "", AUTH_REQUIRE, cast.set, REFUSE_ALERT);
    stage_start(&cast.stage);
    struct wish wish = {.certificate = brief, .version = versions[_i]};
    meet(&cast.stage, &wish, &meeting);
    ck_assert(meeting.let_in);
    part(&meeting);
    cast.stage.later_s = 1001;
    meet(&cast.stage, &wish, &meeting);
    ck_assert(!meeting.let_in);
    ck_assert_int_eq(meeting.refusal, REFUSAL_EXPIRED);
    ck_assert_uint_eq(chain_cache_count(cast.stage.chains), 0);
    part(&meeting);
    made_free(brief);
    cast_close(&cast);
}
END_TEST

START_TEST(a_chain_verified_for_one_policy_is_not_taken_for_another)
{
    struct cast cast;
    struct meeting meeting;
    cast_open(&cast);
    cast.stage.options.sni = true;
    stage_rule(&cast.stage, "one.example", AUTH_REQUIRE, cast.set, REFUSE_ALERT);
    stage_rule(&cast.stage, "two.example", AUTH_REQUIRE, cast.other_set, REFUSE_ALERT);
    stage_start(&cast.stage);
    struct wish wish = {.name = "one.example", .certificate = cast.alice, .version = versions[_i]};
    meet(&cast.stage, &wish, &meeting);
    ck_assert(meeting.let_in);
    part(&meeting);
    wish.name = "two.example";
    meet(&cast.stage, &wish, &meeting);
    ck_assert(!meeting.let_in);
    ck_assert_int_eq(meeting.refusal, REFUSAL_UNTRUSTED);
    part(&meeting);
    cast_close(&cast);
}
END_TEST

/* Settings */

START_TEST(versions_that_are_not_spoken_are_refused)
{
    static const char *words[] = {"1.3"};
    struct cast cast;
    struct meeting meeting;
    cast_open(&cast);
    words[0] = _i ? "1.3" : "1.2";
    cast.stage.options.tls_versions = (struct option_list){.items = words, .count = 1};
    stage_rule(&cast.stage, "", AUTH_OFF, NULL, REFUSE_UNSET);
    stage_start(&cast.stage);
    for (int i = 0; i < 2; i++) {
        meet(&cast.stage, &(struct wish){.version = versions[i]}, &meeting);
        ck_assert_int_eq(meeting.let_in, i == _i);
        part(&meeting);
    }
    cast_close(&cast);
}
END_TEST

START_TEST(tls_1_2_is_spoken_with_forward_secret_aead_ciphers_only)
{
    struct cast cast;
    struct meeting meeting;
    cast_open(&cast);
    stage_rule(&cast.stage, "", AUTH_OFF, NULL, REFUSE_UNSET);
    stage_start(&cast.stage);
    meet(&cast.stage, &(struct wish){.version = TLS1_2_VERSION}, &meeting);
    ck_assert(meeting.let_in);
    STACK_OF(SSL_CIPHER) *ciphers = SSL_get1_supported_ciphers(meeting.server);
    ck_assert_int_gt(sk_SSL_CIPHER_num(ciphers), 0);
    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
        const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(ciphers, i);
        ck_assert(SSL_CIPHER_is_aead(cipher));
        int exchange = SSL_CIPHER_get_kx_nid(cipher);
        ck_assert(exchange == NID_kx_ecdhe || exchange == NID_kx_any);
    }
    sk_SSL_CIPHER_free(ciphers);
    part(&meeting);
    cast_close(&cast);
}
END_TEST

START_TEST(what_openssl_refuses_is_named_with_its_key)
{
    struct cast cast;
    struct error err = {{0}};
    cast_open(&cast);
    if (_i == 0)
        cast.stage.options.ciphers = "NONSENSE";
    else if (_i == 1)
        cast.stage.options.ciphersuites = "NONSENSE";
    else
        cast.stage.options.groups = "NONSENSE";
    stage_rule(&cast.stage, "", AUTH_OFF, NULL, REFUSE_UNSET);
    ck_assert(!stage_try(&cast.stage, &err));
    const char *const keys[] = {"ciphers = NONSENSE", "ciphersuites = NONSENSE",
                                "groups = NONSENSE"};
    ck_assert_msg(strncmp(err.text, keys[_i], strlen(keys[_i])) == 0, "%s", err.text);
    cast_close(&cast);
}
END_TEST

START_TEST(a_refusal_is_described_with_name_and_certificate)
{
    struct cast cast;
    struct meeting meeting;
    struct log_line line;
    cast_open_for_alerts(&cast);
    meet(&cast.stage,
         &(struct wish){
             .name = "alerts.example", .certificate = cast.mallory, .version = versions[_i]},
         &meeting);
    log_begin(&line, LOG_LEVEL_WARN, "test");
    handshake_describe(&meeting.handshake, meeting.server, &line);
    line.text[line.used] = '\0';
    const char *const words[] = {"sni=alerts.example", "CN=mallory", "CN=Other CA", "depth=0",
                                 "sha256="};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        ck_assert_msg(strstr(line.text, words[i]) != NULL, "%s is missing in: %s", words[i],
                      line.text);
    ck_assert_ptr_nonnull(strstr(line.text, meeting.handshake.identity->serial));
    part(&meeting);
    cast_close(&cast);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, the_name_chooses_the_domain_and_its_certificate, 0, 2);
    tcase_add_loop_test(tcase, without_a_name_or_with_an_unknown_one_the_default_domain_answers, 0,
                        2);
    tcase_add_loop_test(tcase, an_unknown_name_is_rejected_where_that_is_wanted, 0, 2);
    tcase_add_loop_test(tcase, names_are_ignored_when_sni_is_off, 0, 2);
    tcase_add_test(tcase, a_second_hello_that_asks_for_another_name_is_refused);
    tcase_add_test(tcase, an_acknowledged_name_is_acknowledged_and_no_other);
    tcase_add_test(tcase, http_1_1_is_acknowledged_and_other_protocols_get_no_answer);
    tcase_add_loop_test(tcase, a_domain_shows_the_certificate_of_the_key_algorithm_a_client_wants,
                        0, 4);
    tcase_add_loop_test(tcase, the_servers_chain_is_sent_as_its_file_has_it, 0, 2);
    tcase_add_loop_test(tcase, only_a_domain_that_wants_a_certificate_asks_for_one, 0, 2);
    tcase_add_loop_test(tcase, the_names_of_all_cas_of_a_domain_are_sent_and_no_others, 0, 2);
    tcase_add_loop_test(
        tcase, a_domain_that_requires_certificates_never_lets_one_in_without_after_sni_switch, 0,
        2);
    tcase_add_loop_test(tcase, an_open_domain_stays_open_when_the_default_domain_is_closed, 0, 2);
    tcase_add_loop_test(tcase, a_handshake_that_is_not_as_planned_is_not_let_in, 0, 2);
    tcase_add_loop_test(tcase, each_defect_of_a_certificate_has_its_refusal_and_its_alert, 0,
                        2 * DEFECT_COUNT);
    tcase_add_loop_test(tcase, a_certificate_of_an_unknown_ca_is_untrusted, 0, 2);
    tcase_add_loop_test(tcase, no_certificate_is_refused_with_the_versions_own_alert, 0, 2);
    tcase_add_loop_test(tcase, a_chain_that_is_too_long_is_refused, 0, 2);
    tcase_add_loop_test(tcase, a_chain_that_is_too_large_ends_the_handshake_whatever_the_rule_says,
                        0, 2);
    tcase_add_loop_test(
        tcase, a_client_without_the_key_of_its_certificate_is_refused_whatever_the_rule_says, 0, 2);
    tcase_add_loop_test(tcase, a_rule_that_answers_403_never_fails_the_handshake, 0, 2);
    tcase_add_loop_test(tcase, a_v1_ca_and_a_v1_certificate_without_any_extension_work, 0, 2);
    tcase_add_loop_test(tcase, certificates_without_eku_and_of_every_usual_key_work, 0, 2);
    tcase_add_loop_test(tcase, an_intermediate_may_come_from_the_client_or_from_the_ca_file, 0, 2);
    tcase_add_loop_test(
        tcase, one_certificate_is_verified_once_for_each_distinct_set_with_one_result_each, 0, 2);
    tcase_add_loop_test(tcase, a_verified_chain_is_remembered_for_the_next_full_handshake, 0, 2);
    tcase_add_loop_test(tcase, a_remembered_chain_is_forgotten_at_its_not_after, 0, 2);
    tcase_add_loop_test(tcase, a_chain_verified_for_one_policy_is_not_taken_for_another, 0, 2);
    tcase_add_loop_test(tcase, versions_that_are_not_spoken_are_refused, 0, 2);
    tcase_add_test(tcase, tls_1_2_is_spoken_with_forward_secret_aead_ciphers_only);
    tcase_add_loop_test(tcase, what_openssl_refuses_is_named_with_its_key, 0, 3);
    tcase_add_loop_test(tcase, a_refusal_is_described_with_name_and_certificate, 0, 2);
}

CHECK_MAIN("handshake", add_tests)
