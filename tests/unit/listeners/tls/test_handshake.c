/* SPDX-License-Identifier: Apache-2.0 */
/* Names, certificates of the server, what is asked and settings, with real OpenSSL clients. */
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#include "lb/base/certificate.h"
#include "lb/base/error.h"
#include "tests/support/check_main.h"
#include "tests/support/tls_cast.h"

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
        ck_assert_int_eq(meeting.handshake.refusal, REFUSAL_NONE);
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
    ck_assert_str_eq(meeting.handshake.asked_name, "nobody.example");
    ck_assert_int_eq(meeting.refusal, REFUSAL_UNKNOWN_NAME);
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
    tcase_add_loop_test(tcase, versions_that_are_not_spoken_are_refused, 0, 2);
    tcase_add_test(tcase, tls_1_2_is_spoken_with_forward_secret_aead_ciphers_only);
    tcase_add_loop_test(tcase, what_openssl_refuses_is_named_with_its_key, 0, 3);
}

CHECK_MAIN("handshake", add_tests)
