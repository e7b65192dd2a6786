/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets into the registry, and what is said to whom does not. */
#include <stdlib.h>
#include <string.h>

#include "lb/base/certificate.h"
#include "tests/support/check_main.h"
#include "tests/support/faulty_ledger.h"
#include "tests/support/registry_stage.h"

/* Every test begins with CA "devices" and ends without leaks. */
struct devices {
    struct registry_stage stage;
    struct made *ca;
};

static void devices_open(struct devices *devices)
{
    registry_stage_open(&devices->stage);
    devices->ca = made_ca("Device CA");
    registry_stage_upload(&devices->stage, "devices", devices->ca);
}

static void devices_close(struct devices *devices)
{
    made_free(devices->ca);
    registry_stage_close(&devices->stage);
}

static enum change_refusal try_by_hand(struct registry_stage *stage, const struct made *made)
{
    return registry_stage_try(stage, &(struct registration){.certificate = made->certificate,
                                                            .chain = made->chain,
                                                            .activate = true,
                                                            .source = SOURCE_MANUAL});
}

/* Refused with these words, and neither certificate nor line came into the store. */
static void check_refused(struct registry_stage *stage, const struct registration *registration,
                          enum change_refusal expected, const char *words)
{
    int64_t certificates = registry_stage_certificate_count(stage, 0);
    unsigned changes = registry_stage_change_count(stage);
    registry_stage_expect(stage, registry_stage_try(stage, registration), expected, words);
    ck_assert_int_eq(registry_stage_certificate_count(stage, 0), certificates);
    ck_assert_uint_eq(registry_stage_change_count(stage), changes);
    ck_assert_ptr_null(stage->certificate.memory);
}

static void check_made_refused(struct registry_stage *stage, struct made *made,
                               enum change_refusal expected, const char *words)
{
    check_refused(stage,
                  &(struct registration){.certificate = made->certificate,
                                         .chain = made->chain,
                                         .activate = true,
                                         .source = SOURCE_MANUAL},
                  expected, words);
    made_free(made);
}

START_TEST(a_certificate_of_a_registered_ca_is_registered)
{
    struct devices devices;
    devices_open(&devices);
    struct registry_stage *stage = &devices.stage;
    struct made *made = made_certificate(&(struct certificate_wish){
        .name = "SN0001", .organization = "IoV", .issuer = devices.ca, .usage = "clientAuth"});
    struct registration registration = {.certificate = made->certificate,
                                        .ca = "devices",
                                        .client_id = "meter-1",
                                        .activate = true,
                                        .source = SOURCE_MANUAL};
    ck_assert_msg(registry_stage_try(stage, &registration) == CHANGE_MADE, "%s", stage->err.text);
    const struct certificate_record *record = &stage->certificate.record;
    char *serial = certificate_serial_text(made->certificate);
    char *sha256 = certificate_sha256_text(made->certificate);
    unsigned char ca_key[CA_KEY_BYTES];
    unsigned char key[CERTIFICATE_KEY_BYTES];
    ca_key_of(devices.ca->certificate, ca_key);
    certificate_key_of(ca_key, made->certificate, key);
    ck_assert_mem_eq(record->key, key, sizeof key);
    ck_assert_str_eq(record->ca, stage->ca.record.id);
    ck_assert_str_eq(record->serial, serial);
    ck_assert_str_eq(record->sha256, sha256);
    ck_assert_str_eq(record->common_name, "SN0001");
    ck_assert_str_eq(record->unit, "");
    ck_assert_str_eq(record->client_id, "meter-1");
    ck_assert_str_eq(record->issuer, "CN=Device CA");
    ck_assert_int_eq(record->status, CERTIFICATE_ACTIVATED);
    ck_assert_int_eq(record->source, SOURCE_MANUAL);
    ck_assert_int_eq(record->created_ms, stage->actor.now_ms);
    ck_assert_int_eq(record->activated_ms, stage->actor.now_ms);
    ck_assert_int_eq(record->deactivated_ms, 0);
    ck_assert(stage->certificate.changed);
    ck_assert_ptr_null(stage->certificate.warning);
    char line[2048];
    registry_stage_last_change(stage, line);
    ck_assert_str_eq(line, "certificate.register||{\"status\":\"ACTIVATED\",\"source\":\"manual\","
                           "\"client_id\":\"meter-1\"}");
    free(serial);
    free(sha256);
    made_free(made);
    devices_close(&devices);
}
END_TEST

START_TEST(without_activation_it_is_only_registered)
{
    struct devices devices;
    devices_open(&devices);
    struct made *made = made_client(devices.ca, "SN0001");
    struct registration registration = {.certificate = made->certificate, .source = SOURCE_AUTO};
    ck_assert_int_eq(registry_stage_try(&devices.stage, &registration), CHANGE_MADE);
    ck_assert_int_eq(devices.stage.certificate.record.status, CERTIFICATE_REGISTERED);
    ck_assert_int_eq(devices.stage.certificate.record.activated_ms, 0);
    char line[2048];
    registry_stage_last_change(&devices.stage, line);
    ck_assert_str_eq(line, "certificate.sign-up||{\"status\":\"REGISTERED\",\"source\":\"auto\"}");
    made_free(made);
    devices_close(&devices);
}
END_TEST

START_TEST(certificates_as_the_openssl_commands_make_them_are_registered)
{
    struct devices devices;
    devices_open(&devices);
    struct made *old = made_certificate(
        &(struct certificate_wish){.name = "Old CA", .v1 = true, .key = MADE_KEY_RSA_2048});
    registry_stage_upload(&devices.stage, "old", old);
    struct made *clients[] = {
        made_certificate(&(struct certificate_wish){.name = "v1", .issuer = old, .v1 = true}),
        made_certificate(&(struct certificate_wish){.name = "no EKU", .issuer = devices.ca}),
        made_certificate(&(struct certificate_wish){
            .name = "rsa", .issuer = devices.ca, .key = MADE_KEY_RSA_2048, .usage = "clientAuth"}),
        made_certificate(&(struct certificate_wish){
            .name = "ed", .issuer = devices.ca, .key = MADE_KEY_ED25519, .usage = "clientAuth"}),
    };
    for (size_t i = 0; i < sizeof clients / sizeof *clients; i++) {
        registry_stage_register(&devices.stage, clients[i]);
        made_free(clients[i]);
    }
    made_free(old);
    devices_close(&devices);
}
END_TEST

START_TEST(the_nearest_registered_ca_of_a_chain_is_kept)
{
    struct devices devices;
    devices_open(&devices);
    struct registry_stage *stage = &devices.stage;
    struct made *inner = made_intermediate(devices.ca, "Inner CA");
    struct made *one = made_client(inner, "one");
    struct made *two = made_client(inner, "two");
    unsigned char ca_key[CA_KEY_BYTES];
    unsigned char key[CERTIFICATE_KEY_BYTES];
    registry_stage_register(stage, one);
    char root[CA_ID_LENGTH + 1];
    memcpy(root, stage->ca.record.id, sizeof root);
    ck_assert_str_eq(stage->certificate.record.ca, root);
    ca_key_of(inner->certificate, ca_key);
    certificate_key_of(ca_key, one->certificate, key);
    ck_assert_mem_eq(stage->certificate.record.key, key, sizeof key);

    registry_stage_upload(stage, "inner", inner);
    registry_stage_register(stage, two);
    ck_assert_str_eq(stage->certificate.record.ca, stage->ca.record.id);
    ck_assert_str_ne(stage->certificate.record.ca, root);
    /* Known already, wherever in its chain the registry looked first. */
    registry_stage_expect(stage, try_by_hand(stage, one), CHANGE_EXISTS, "it is ACTIVATED");
    made_free(one);
    made_free(two);
    made_free(inner);
    devices_close(&devices);
}
END_TEST

START_TEST(a_ca_that_is_not_registered_is_named)
{
    struct devices devices;
    devices_open(&devices);
    struct made *other = made_ca("Other CA");
    struct made *inner = made_intermediate(other, "Inner CA");
    struct made *false_ca = made_ca("Device CA");
    struct made *missing = made_intermediate(devices.ca, "Missing CA");
    struct made *lonely = made_client(missing, "lonely");
    check_made_refused(&devices.stage, made_client(other, "x"), CHANGE_CA_UNREGISTERED,
                       "its CA CN=Other CA is not registered; upload it first (lb ca upload)");
    check_made_refused(&devices.stage, made_client(inner, "x"), CHANGE_CA_UNREGISTERED,
                       "its CA CN=Other CA is not registered");
    check_made_refused(&devices.stage, made_client(false_ca, "x"), CHANGE_CA_UNREGISTERED,
                       "its CA CN=Device CA has the name of CA devices, whose key did not sign it");
    check_refused(
        &devices.stage,
        &(struct registration){.certificate = lonely->certificate, .source = SOURCE_MANUAL},
        CHANGE_CA_UNREGISTERED, "its CA CN=Missing CA is not registered");
    registry_stage_register(&devices.stage, lonely);
    made_free(lonely);
    made_free(missing);
    made_free(false_ca);
    made_free(inner);
    made_free(other);
    devices_close(&devices);
}
END_TEST

START_TEST(the_ca_that_is_said_must_have_signed)
{
    struct devices devices;
    devices_open(&devices);
    struct registry_stage *stage = &devices.stage;
    struct made *other = made_ca("Other CA");
    struct made *made = made_client(devices.ca, "SN0001");
    struct made *strange_ca = made_ca("Strange CA");
    struct made *stranger = made_client(strange_ca, "x");
    struct made *false_ca = made_ca("Other CA");
    struct made *namesake = made_client(false_ca, "x");
    registry_stage_upload(stage, "other", other);
    struct registration registration = {
        .certificate = made->certificate, .ca = "other", .source = SOURCE_MANUAL};
    check_refused(stage, &registration, CHANGE_NOT_OF_CA,
                  "CA other did not sign this certificate; CA devices did");
    registration.certificate = stranger->certificate;
    check_refused(stage, &registration, CHANGE_NOT_OF_CA,
                  "CA other did not sign this certificate; its issuer is CN=Strange CA");
    registration.certificate = namesake->certificate;
    check_refused(stage, &registration, CHANGE_NOT_OF_CA, ", of that name, but with another key");
    registration.ca = "nobody";
    check_refused(stage, &registration, CHANGE_UNKNOWN, "there is no CA \"nobody\"");
    registration.ca = "builtin";
    check_refused(stage, &registration, CHANGE_UNKNOWN, "lb ca create makes it");
    registration.certificate = made->certificate;
    registration.ca = stage->ca.record.id;
    check_refused(stage, &registration, CHANGE_NOT_OF_CA, "CA other did not sign");
    made_free(namesake);
    made_free(false_ca);
    made_free(stranger);
    made_free(strange_ca);
    made_free(made);
    made_free(other);
    devices_close(&devices);
}
END_TEST

START_TEST(a_disabled_ca_takes_nobody)
{
    struct devices devices;
    devices_open(&devices);
    struct registry_stage *stage = &devices.stage;
    ck_assert_int_eq(
        ca_enable(stage->ledger, "devices", false, &stage->actor, &stage->ca, &stage->err),
        CHANGE_MADE);
    check_made_refused(stage, made_client(devices.ca, "x"), CHANGE_CA_DISABLED,
                       "its CA devices is disabled; enable it first (lb ca enable devices)");
    devices_close(&devices);
}
END_TEST

START_TEST(what_no_client_could_use_is_refused)
{
    struct devices devices;
    devices_open(&devices);
    struct registry_stage *stage = &devices.stage;
    struct made *ca = devices.ca;
    struct made *no_path = made_certificate(
        &(struct certificate_wish){.name = "No path", .issuer = ca, .ca = true, .no_path = true});
    struct made *deep = made_intermediate(no_path, "Deep CA");
    check_refused(stage,
                  &(struct registration){.certificate = ca->certificate, .source = SOURCE_MANUAL},
                  CHANGE_BAD_INPUT, "this is CA devices itself");
    check_made_refused(stage, made_intermediate(ca, "Inner CA"), CHANGE_BAD_INPUT,
                       "this is the certificate of a CA, not of a client");
    check_made_refused(
        stage,
        made_certificate(&(struct certificate_wish){
            .name = "late", .issuer = ca, .from_s = -2 * MADE_DAY_S, .until_s = -MADE_DAY_S}),
        CHANGE_BAD_INPUT, "the certificate has expired on 2");
    check_made_refused(stage, made_server(ca, "www.example.com"), CHANGE_BAD_INPUT,
                       "not meant for clients: its extendedKeyUsage");
    check_made_refused(stage,
                       made_certificate(&(struct certificate_wish){
                           .name = "weak", .issuer = ca, .key = MADE_KEY_RSA_1024}),
                       CHANGE_BAD_INPUT, "too weak (EE certificate key too weak)");
    check_made_refused(
        stage,
        made_certificate(&(struct certificate_wish){.name = "sha1", .issuer = ca, .sha1 = true}),
        CHANGE_BAD_INPUT, "too weak (CA signature digest algorithm too weak)");
    check_made_refused(stage,
                       made_certificate(&(struct certificate_wish){
                           .name = "forged", .issuer = ca, .broken_signature = true}),
                       CHANGE_CA_UNREGISTERED,
                       "has the name of CA devices, whose key did not sign it");
    check_made_refused(
        stage, made_client(deep, "deep"), CHANGE_BAD_INPUT,
        "the chain between the certificate and CA devices does not hold: path length");
    made_free(deep);
    made_free(no_path);
    devices_close(&devices);
}
END_TEST

START_TEST(a_certificate_signed_by_no_ca_is_refused)
{
    struct devices devices;
    devices_open(&devices);
    struct made *client = made_client(devices.ca, "client");
    struct made *below = made_client(client, "below");
    check_made_refused(&devices.stage, below, CHANGE_BAD_INPUT, "does not hold: invalid CA");
    made_free(client);
    devices_close(&devices);
}
END_TEST

START_TEST(an_expired_ca_takes_nobody)
{
    struct devices devices;
    devices_open(&devices);
    struct made *made = made_certificate(&(struct certificate_wish){
        .name = "long", .issuer = devices.ca, .until_s = 400LL * MADE_DAY_S});
    devices.stage.actor.now_ms += 200LL * MADE_DAY_S * 1000;
    check_made_refused(&devices.stage, made, CHANGE_BAD_INPUT,
                       "CA devices, or a CA between the certificate and it, has expired");
    devices_close(&devices);
}
END_TEST

START_TEST(a_certificate_may_be_registered_ahead_of_its_time)
{
    struct devices devices;
    devices_open(&devices);
    struct made *made = made_certificate(&(struct certificate_wish){
        .name = "early", .issuer = devices.ca, .from_s = MADE_DAY_S, .until_s = 2 * MADE_DAY_S});
    registry_stage_register(&devices.stage, made);
    const char *warning = devices.stage.certificate.warning;
    ck_assert_ptr_nonnull(warning);
    ck_assert_msg(strstr(warning, "it is not valid before 2") != NULL, "%s", warning);
    made_free(made);
    devices_close(&devices);
}
END_TEST

START_TEST(texts_that_would_hurt_later_are_refused)
{
    struct devices devices;
    devices_open(&devices);
    struct registry_stage *stage = &devices.stage;
    char long_name[CERTIFICATE_TEXT_BYTES + 2];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    check_made_refused(stage, made_client(devices.ca, "a\nb"), CHANGE_BAD_INPUT,
                       "the common name of the certificate holds a control character (byte 2)");
    check_made_refused(stage, made_client(devices.ca, "a\xc2\x85"), CHANGE_BAD_INPUT,
                       "control character (byte 2)");
    struct made *made = made_client(devices.ca, "SN0001");
    struct registration registration = {.certificate = made->certificate, .source = SOURCE_MANUAL};
    registration.client_id = long_name;
    check_refused(stage, &registration, CHANGE_BAD_INPUT,
                  "the client id has 257 bytes; at most 256 are possible");
    registration.client_id = "a\x7f";
    check_refused(stage, &registration, CHANGE_BAD_INPUT,
                  "the client id holds a control character");
    registration.client_id = "a\xff";
    check_refused(stage, &registration, CHANGE_BAD_INPUT, "the client id is no UTF-8 (byte 2)");
    registration.client_id = " a";
    check_refused(stage, &registration, CHANGE_BAD_INPUT, "begins or ends with a blank");
    long_name[CERTIFICATE_TEXT_BYTES] = '\0';
    registration.client_id = long_name;
    ck_assert_int_eq(registry_stage_try(stage, &registration), CHANGE_MADE);
    made_free(made);
    devices_close(&devices);
}
END_TEST

/* A certificate of `ca` whose common name has that many bytes, more than OpenSSL lets one ask for,
 * and an organizational unit. */
static struct made *with_long_name(const struct made *ca, size_t bytes)
{
    struct made *made = made_client(ca, "x");
    char *text = malloc(bytes);
    memset(text, 'n', bytes);
    X509_NAME *name = X509_NAME_new();
    X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_UTF8, (const unsigned char *)"Meters", -1, -1,
                               0);
    ck_assert_int_eq(X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_UTF8STRING,
                                                (unsigned char *)text, (int)bytes, -1, 0),
                     1);
    X509_set_subject_name(made->certificate, name);
    ck_assert_int_gt(X509_sign(made->certificate, ca->key, EVP_sha256()), 0);
    X509_NAME_free(name);
    free(text);
    return made;
}

START_TEST(a_common_name_of_ten_kilobytes_is_refused)
{
    struct devices devices;
    devices_open(&devices);
    struct made *most = with_long_name(devices.ca, CERTIFICATE_TEXT_BYTES);
    check_made_refused(&devices.stage, with_long_name(devices.ca, 10240), CHANGE_BAD_INPUT,
                       "the common name of the certificate has 10240 bytes; at most 256");
    registry_stage_register(&devices.stage, most);
    ck_assert_uint_eq(strlen(devices.stage.certificate.record.common_name), CERTIFICATE_TEXT_BYTES);
    ck_assert_str_eq(devices.stage.certificate.record.unit, "Meters");
    made_free(most);
    devices_close(&devices);
}
END_TEST

START_TEST(a_nul_in_a_common_name_does_not_end_it)
{
    struct devices devices;
    devices_open(&devices);
    struct made *made = made_client(devices.ca, "x");
    X509_NAME *name = X509_NAME_new();
    X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_UTF8STRING,
                               (const unsigned char *)"admin\0x", 7, -1, 0);
    X509_set_subject_name(made->certificate, name);
    X509_sign(made->certificate, devices.ca->key, EVP_sha256());
    X509_NAME_free(name);
    check_made_refused(&devices.stage, made, CHANGE_BAD_INPUT, "control character (byte 6)");
    devices_close(&devices);
}
END_TEST

START_TEST(a_certificate_is_registered_once)
{
    struct devices devices;
    devices_open(&devices);
    struct made *made = made_client(devices.ca, "SN0001");
    registry_stage_register(&devices.stage, made);
    unsigned changes = registry_stage_change_count(&devices.stage);
    devices.stage.actor.now_ms += 5000;
    registry_stage_expect(&devices.stage, try_by_hand(&devices.stage, made), CHANGE_EXISTS,
                          "this certificate is registered since 20");
    ck_assert_uint_eq(registry_stage_change_count(&devices.stage), changes);
    made_free(made);
    devices_close(&devices);
}
END_TEST

START_TEST(a_serial_given_twice_is_told_apart_by_what_was_signed)
{
    struct devices devices;
    devices_open(&devices);
    struct made *one = made_client(devices.ca, "one");
    struct made *two = made_client(devices.ca, "two");
    X509_set_serialNumber(two->certificate, X509_get_serialNumber(one->certificate));
    X509_sign(two->certificate, devices.ca->key, EVP_sha256());
    registry_stage_register(&devices.stage, one);
    check_made_refused(&devices.stage, two, CHANGE_EXISTS, "their TBSCertificates differ");
    registry_stage_expect(&devices.stage, CHANGE_EXISTS, CHANGE_EXISTS, "(CN=one)");
    made_free(one);
    devices_close(&devices);
}
END_TEST

START_TEST(a_tombstone_is_lifted_by_hand_only)
{
    struct devices devices;
    devices_open(&devices);
    struct registry_stage *stage = &devices.stage;
    struct made *made = made_client(devices.ca, "SN0001");
    registry_stage_register(stage, made);
    ck_assert_int_eq(registry_stage_change(stage, made, CERTIFICATE_NOT_ACTIVATED), CHANGE_MADE);
    ck_assert_int_eq(registry_stage_change(stage, made, CERTIFICATE_DELETED), CHANGE_MADE);
    ck_assert_int_eq(registry_stage_certificate_count(stage, 0), 0);
    stage->actor.now_ms += 1000;
    check_refused(stage,
                  &(struct registration){.certificate = made->certificate, .source = SOURCE_AUTO},
                  CHANGE_ILLEGAL, "it cannot sign up again; only registering it by hand");
    registry_stage_register(stage, made);
    const struct certificate_record *record = &stage->certificate.record;
    ck_assert_int_eq(record->created_ms, stage->actor.now_ms);
    ck_assert_int_eq(record->deactivated_ms, 0);
    char line[2048];
    registry_stage_last_change(stage, line);
    ck_assert_str_eq(line, "certificate.register|DELETED|{\"status\":\"ACTIVATED\",\"source\":"
                           "\"manual\"}");
    made_free(made);
    devices_close(&devices);
}
END_TEST

START_TEST(the_tombstone_of_a_revoked_one_stays)
{
    struct devices devices;
    devices_open(&devices);
    struct registry_stage *stage = &devices.stage;
    struct made *made = made_client(devices.ca, "SN0001");
    registry_stage_register(stage, made);
    ck_assert_int_eq(registry_stage_change(stage, made, CERTIFICATE_REVOKED), CHANGE_MADE);
    ck_assert_int_eq(registry_stage_change(stage, made, CERTIFICATE_DELETED), CHANGE_MADE);
    check_made_refused(stage, made, CHANGE_ILLEGAL,
                       "was revoked for good before it was deleted on 20");
    devices_close(&devices);
}
END_TEST

START_TEST(so_many_sign_up_in_a_second_and_no_more)
{
    struct devices devices;
    devices_open(&devices);
    struct registry_stage *stage = &devices.stage;
    int64_t begin_ms = stage->actor.now_ms;
    struct made *made[5];
    for (int i = 0; i < 5; i++)
        made[i] = made_client(devices.ca, "x");
    struct registration registration = {.per_second = 3, .activate = true};
    for (int i = 0; i < 3; i++) {
        registration.certificate = made[i]->certificate;
        registration.source = i % 2 ? SOURCE_MANUAL : SOURCE_AUTO;
        stage->actor.now_ms = begin_ms + 100 * i;
        ck_assert_int_eq(registry_stage_try(stage, &registration), CHANGE_MADE);
    }
    registration.certificate = made[3]->certificate;
    stage->actor.now_ms = begin_ms + 999;
    check_refused(stage, &registration, CHANGE_SIGNUP_LIMIT, "signups_per_second");
    /* The first one is a second old: the next try succeeds, and the one after it does not. */
    stage->actor.now_ms = begin_ms + 1000;
    ck_assert_int_eq(registry_stage_try(stage, &registration), CHANGE_MADE);
    registration.certificate = made[4]->certificate;
    check_refused(stage, &registration, CHANGE_SIGNUP_LIMIT, "signups_per_second");
    /* Fleets are not asked, and do not count. */
    registration.per_second = 0;
    registration.source = SOURCE_IMPORTED;
    ck_assert_int_eq(registry_stage_try(stage, &registration), CHANGE_MADE);
    for (int i = 0; i < 5; i++)
        made_free(made[i]);
    devices_close(&devices);
}
END_TEST

START_TEST(a_clock_that_was_set_back_stops_nobody)
{
    struct devices devices;
    devices_open(&devices);
    struct registry_stage *stage = &devices.stage;
    struct made *one = made_client(devices.ca, "one");
    struct made *two = made_client(devices.ca, "two");
    struct registration registration = {
        .certificate = one->certificate, .per_second = 1, .source = SOURCE_MANUAL};
    ck_assert_int_eq(registry_stage_try(stage, &registration), CHANGE_MADE);
    stage->actor.now_ms -= 3600 * 1000;
    registration.certificate = two->certificate;
    ck_assert_msg(registry_stage_try(stage, &registration) == CHANGE_MADE, "%s", stage->err.text);
    made_free(one);
    made_free(two);
    devices_close(&devices);
}
END_TEST

START_TEST(a_client_id_that_another_has_is_warned_of)
{
    struct devices devices;
    devices_open(&devices);
    struct registry_stage *stage = &devices.stage;
    struct made *one = made_client(devices.ca, "meter");
    struct made *two = made_client(devices.ca, "meter");
    struct made *three = made_client(devices.ca, "other");
    struct made *four = made_client(devices.ca, "met*");
    registry_stage_register(stage, one);
    char expected[128];
    snprintf(expected, sizeof expected, "client id \"meter\" is that of serial %s, too",
             stage->certificate.record.serial);
    registry_stage_register(stage, two); /* both are known by their common name */
    ck_assert_str_eq(stage->certificate.warning, expected);
    struct registration registration = {
        .certificate = three->certificate, .client_id = "meter", .source = SOURCE_MANUAL};
    ck_assert_int_eq(registry_stage_try(stage, &registration), CHANGE_MADE);
    ck_assert_ptr_nonnull(stage->certificate.warning);
    registry_stage_register(stage, four); /* not the same, though it would match as a pattern */
    ck_assert_ptr_null(stage->certificate.warning);
    made_free(one);
    made_free(two);
    made_free(three);
    made_free(four);
    devices_close(&devices);
}
END_TEST

START_TEST(who_has_neither_name_nor_id_is_warned_of)
{
    struct devices devices;
    devices_open(&devices);
    struct made *made =
        made_certificate(&(struct certificate_wish){.organization = "IoV", .issuer = devices.ca});
    registry_stage_register(&devices.stage, made);
    ck_assert_msg(strstr(devices.stage.certificate.warning, "neither a common name") != NULL, "%s",
                  devices.stage.certificate.warning);
    made_free(made);
    devices_close(&devices);
}
END_TEST

START_TEST(a_store_that_fails_anywhere_leaves_nothing_half_done)
{
    struct devices devices;
    devices_open(&devices);
    struct registry_stage *stage = &devices.stage;
    struct made *made = made_client(devices.ca, "SN0001");
    struct registration registration = {.certificate = made->certificate,
                                        .per_second = 15,
                                        .activate = true,
                                        .source = SOURCE_MANUAL};
    unsigned calls = 0;
    for (;; calls++) {
        faulty_ledger_fail(stage->ledger, calls, STORE_FULL);
        enum change_refusal refusal = registry_stage_try(stage, &registration);
        faulty_ledger_fail(stage->ledger, 0, STORE_DONE);
        if (refusal == CHANGE_MADE)
            break;
        registry_stage_expect(stage, refusal, CHANGE_STORE, "the store was told to fail");
        ck_assert_int_eq(registry_stage_certificate_count(stage, 0), 0);
        ck_assert_uint_eq(registry_stage_change_count(stage), 1); /* the CA's upload */
        ck_assert_ptr_null(stage->certificate.memory);
    }
    ck_assert_uint_ge(calls, 6); /* begin, CAs, key, limit, certificate, line, commit at least */
    ck_assert_int_eq(registry_stage_certificate_count(stage, 0), 1);
    ck_assert_uint_eq(registry_stage_change_count(stage), 2);
    made_free(made);
    devices_close(&devices);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_certificate_of_a_registered_ca_is_registered);
    tcase_add_test(tcase, without_activation_it_is_only_registered);
    tcase_add_test(tcase, certificates_as_the_openssl_commands_make_them_are_registered);
    tcase_add_test(tcase, the_nearest_registered_ca_of_a_chain_is_kept);
    tcase_add_test(tcase, a_ca_that_is_not_registered_is_named);
    tcase_add_test(tcase, the_ca_that_is_said_must_have_signed);
    tcase_add_test(tcase, a_disabled_ca_takes_nobody);
    tcase_add_test(tcase, what_no_client_could_use_is_refused);
    tcase_add_test(tcase, a_certificate_signed_by_no_ca_is_refused);
    tcase_add_test(tcase, an_expired_ca_takes_nobody);
    tcase_add_test(tcase, a_certificate_may_be_registered_ahead_of_its_time);
    tcase_add_test(tcase, texts_that_would_hurt_later_are_refused);
    tcase_add_test(tcase, a_common_name_of_ten_kilobytes_is_refused);
    tcase_add_test(tcase, a_nul_in_a_common_name_does_not_end_it);
    tcase_add_test(tcase, a_certificate_is_registered_once);
    tcase_add_test(tcase, a_serial_given_twice_is_told_apart_by_what_was_signed);
    tcase_add_test(tcase, a_tombstone_is_lifted_by_hand_only);
    tcase_add_test(tcase, the_tombstone_of_a_revoked_one_stays);
    tcase_add_test(tcase, so_many_sign_up_in_a_second_and_no_more);
    tcase_add_test(tcase, a_clock_that_was_set_back_stops_nobody);
    tcase_add_test(tcase, a_client_id_that_another_has_is_warned_of);
    tcase_add_test(tcase, who_has_neither_name_nor_id_is_warned_of);
    tcase_add_test(tcase, a_store_that_fails_anywhere_leaves_nothing_half_done);
}

CHECK_MAIN("certificate_register", add_tests)
