/* SPDX-License-Identifier: Apache-2.0 */
/* Clients with good and bad certificates: each refusal with its alert, and chains that are
 * remembered. */
#include <openssl/ssl.h>
#include <string.h>

#include "lb/base/log.h"
#include "listeners/tls/chain_cache.h"
#include "tests/support/check_main.h"
#include "tests/support/tls_cast.h"

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
    const struct client_auth rule = {.mode = AUTH_REQUIRE,
                                     .ca_set = cast->set,
                                     .refuse_with = REFUSE_403,
                                     .registration = REGISTRATION_OFF};
    ck_assert_str_eq(
        refusal_name(policy_judge(&rule, NULL,
                                  &(struct visitor){.identity = meeting.handshake.identity,
                                                    .now = time(NULL)})
                         .refusal),
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
        ck_assert_int_eq(policy_judge(&cast.stage.rules[0].auth, NULL,
                                      &(struct visitor){.identity = meeting.handshake.identity,
                                                        .now = time(NULL)})
                             .refusal,
                         refusals[i]);
        part(&meeting);
    }
    cast_close(&cast);
}
END_TEST

/* Certificates as the commands of the guide make them, and other good ones */

START_TEST(a_v1_ca_and_a_v1_certificate_without_any_extension_work)
{
    struct cast cast;
    struct meeting meeting;
    cast_open(&cast);
    struct made *ca = made_certificate(
        &(struct certificate_wish){.name = "Guide CA", .v1 = true, .key = MADE_KEY_RSA_2048});
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
    struct identity *identity = meeting.handshake.identity;
    ck_assert_uint_eq(identity->result_count, 2);
    time_t now = time(NULL);
    ck_assert_int_eq(policy_judge(&cast.stage.rules[0].auth, NULL,
                                  &(struct visitor){.identity = identity, .now = now})
                         .refusal,
                     REFUSAL_NONE);
    ck_assert_int_eq(policy_judge(&cast.stage.rules[1].auth, NULL,
                                  &(struct visitor){.identity = identity, .now = now})
                         .refusal,
                     REFUSAL_NONE);
    ck_assert_int_eq(policy_judge(&cast.stage.rules[2].auth, NULL,
                                  &(struct visitor){.identity = identity, .now = now})
                         .refusal,
                     REFUSAL_UNTRUSTED);
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

/* Whoever shows a certificate that is known to be good must hold its key all the same. */
START_TEST(a_remembered_chain_does_not_stand_for_its_key)
{
    struct cast cast;
    struct meeting meeting;
    cast_open_for_alerts(&cast);
    const char *const names[] = {"alerts.example", "requests.example"};
    for (size_t i = 0; i < 2; i++) {
        struct wish wish = {
            .name = names[i], .certificate = cast.alice, .version = versions[_i % 2]};
        meet(&cast.stage, &wish, &meeting);
        ck_assert(meeting.let_in);
        part(&meeting);
        wish.wrong_key = cast.mallory->key;
        wish.second_worker = _i >= 2;
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

/* OpenSSL decodes the certificates of every handshake and would keep them with each connection. */
START_TEST(all_connections_of_a_client_hold_one_copy_of_its_certificates)
{
    struct cast cast;
    struct meeting first;
    struct meeting second;
    struct meeting resumed;
    cast_open(&cast);
    struct made *middle = made_intermediate(cast.ca, "Intermediate");
    struct made *client = made_client(middle, "client");
    stage_rule(&cast.stage, "", AUTH_REQUIRE, cast.set, REFUSE_ALERT);
    stage_start(&cast.stage);
    struct wish wish = {.certificate = client, .version = versions[_i]};
    meet(&cast.stage, &wish, &first);
    meet(&cast.stage, &wish, &second);
    wish.session = second.session;
    meet(&cast.stage, &wish, &resumed);
    ck_assert(first.let_in && second.let_in && resumed.let_in && resumed.resumed);
    const struct identity *identity = first.handshake.identity;
    const struct meeting *const all[] = {&first, &second, &resumed};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const STACK_OF(X509) *chain = SSL_get_peer_cert_chain(all[i]->server);
        ck_assert_ptr_eq(SSL_get0_peer_certificate(all[i]->server), identity->leaf);
        ck_assert_int_eq(sk_X509_num(chain), 1); /* a server keeps the leaf apart from it */
        ck_assert_ptr_eq(sk_X509_value(chain, 0), sk_X509_value(identity->chain, 1));
    }
    part(&first);
    part(&second);
    part(&resumed);
    made_free(client);
    made_free(middle);
    cast_close(&cast);
}
END_TEST

START_TEST(clients_of_an_intermediate_hold_one_copy_of_it)
{
    struct cast cast;
    struct meeting one;
    struct meeting other;
    struct meeting refused;
    cast_open(&cast);
    struct made *middle = made_intermediate(cast.ca, "Intermediate");
    struct made *wrong_middle = made_intermediate(cast.other_ca, "Intermediate");
    struct made *bob = made_client(middle, "bob");
    struct made *carol = made_client(middle, "carol");
    struct made *mallory = made_client(wrong_middle, "mallory");
    stage_rule(&cast.stage, "", AUTH_REQUIRE, cast.set, REFUSE_403);
    stage_start(&cast.stage);
    struct wish wish = {.certificate = mallory, .version = versions[_i]};
    meet(&cast.stage, &wish, &refused);
    wish.certificate = bob;
    meet(&cast.stage, &wish, &one);
    wish.certificate = carol;
    wish.second_worker = true;
    meet(&cast.stage, &wish, &other);
    ck_assert(refused.let_in && one.let_in && other.let_in);
    const struct identity *first = one.handshake.identity;
    const struct identity *second = other.handshake.identity;
    ck_assert_ptr_ne(first->leaf, second->leaf);
    ck_assert_ptr_eq(sk_X509_value(first->chain, 1), sk_X509_value(second->chain, 1));
    ck_assert_ptr_ne(sk_X509_value(refused.handshake.identity->chain, 1),
                     sk_X509_value(first->chain, 1));
    part(&refused);
    part(&one);
    part(&other);
    made_free(mallory);
    made_free(carol);
    made_free(bob);
    made_free(wrong_middle);
    made_free(middle);
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

static void describe_for(const struct meeting *meeting, const struct ca_set *set,
                         struct log_line *line)
{
    log_begin(line, LOG_LEVEL_WARN, "test");
    handshake_describe_for(&meeting->handshake, meeting->server, set, line);
    line->text[line->used] = '\0';
}

START_TEST(the_depth_is_what_the_set_of_the_rule_found)
{
    struct cast cast;
    struct meeting meeting;
    struct log_line line;
    cast_open(&cast);
    struct made *middle = made_intermediate(cast.ca, "Middle");
    struct made *guest = made_client(middle, "guest");
    /* Whichever comes first in the identity. */
    stage_rule(&cast.stage, "", AUTH_REQUIRE, cast.set, REFUSE_403);
    stage_rule(&cast.stage, "", AUTH_REQUIRE, cast.other_set, REFUSE_403);
    stage_start(&cast.stage);
    meet(&cast.stage, &(struct wish){.certificate = guest, .version = versions[_i]}, &meeting);
    ck_assert(meeting.let_in);
    describe_for(&meeting, cast.other_set, &line);
    ck_assert_msg(strstr(line.text, " depth=1 "), "%s", line.text);
    describe_for(&meeting, cast.set, &line);
    ck_assert_msg(strstr(line.text, " depth=0 "), "%s", line.text);
    describe_for(&meeting, NULL, &line);
    ck_assert_msg(!strstr(line.text, "depth="), "%s", line.text);
    part(&meeting);
    made_free(guest);
    made_free(middle);
    cast_close(&cast);
}
END_TEST

static void add_tests(TCase *tcase)
{
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
    tcase_add_loop_test(tcase, a_remembered_chain_does_not_stand_for_its_key, 0, 4);
    tcase_add_loop_test(tcase, all_connections_of_a_client_hold_one_copy_of_its_certificates, 0, 2);
    tcase_add_loop_test(tcase, clients_of_an_intermediate_hold_one_copy_of_it, 0, 2);
    tcase_add_loop_test(tcase, a_remembered_chain_is_forgotten_at_its_not_after, 0, 2);
    tcase_add_loop_test(tcase, a_chain_verified_for_one_policy_is_not_taken_for_another, 0, 2);
    tcase_add_loop_test(tcase, a_refusal_is_described_with_name_and_certificate, 0, 2);
    tcase_add_loop_test(tcase, the_depth_is_what_the_set_of_the_rule_found, 0, 2);
}

CHECK_MAIN("handshake_clients", add_tests)
