/* SPDX-License-Identifier: Apache-2.0 */
/* The states of a certificate: every move from everywhere, and which certificate is meant. */
#include <stdlib.h>
#include <string.h>

#include "lb/base/certificate.h"
#include "listeners/registry/certificate_find.h"
#include "tests/support/check_main.h"
#include "tests/support/faulty_ledger.h"
#include "tests/support/registry_stage.h"

struct one {
    struct registry_stage stage;
    struct made *ca;
    struct made *made;
};

/* CA "devices" and a certificate of it that has this status. */
static void one_open(struct one *one, enum certificate_status status)
{
    registry_stage_open(&one->stage);
    one->ca = made_ca("Device CA");
    one->made = made_client(one->ca, "SN0001");
    registry_stage_upload(&one->stage, "devices", one->ca);
    struct registration registration = {.certificate = one->made->certificate,
                                        .activate = status != CERTIFICATE_REGISTERED,
                                        .source = SOURCE_MANUAL};
    ck_assert_int_eq(registry_stage_try(&one->stage, &registration), CHANGE_MADE);
    if (status == CERTIFICATE_DELETED)
        ck_assert_int_eq(registry_stage_change(&one->stage, one->made, CERTIFICATE_NOT_ACTIVATED),
                         CHANGE_MADE);
    ck_assert_int_eq(status == CERTIFICATE_REGISTERED
                         ? CHANGE_MADE
                         : registry_stage_change(&one->stage, one->made, status),
                     CHANGE_MADE);
}

static void one_close(struct one *one)
{
    made_free(one->made);
    made_free(one->ca);
    registry_stage_close(&one->stage);
}

/* What every move is to give. Same: made, but nothing changed. */
struct move {
    enum certificate_status from, to;
    enum change_refusal refusal;
    const char *words; /* of the refusal, or the action in the audit log; NULL: the same */
};

// clang-format off
static const struct move moves[] = {
    {CERTIFICATE_ACTIVATED, CERTIFICATE_ACTIVATED, CHANGE_MADE, NULL},
    {CERTIFICATE_ACTIVATED, CERTIFICATE_NOT_ACTIVATED, CHANGE_MADE, "certificate.deactivate"},
    {CERTIFICATE_ACTIVATED, CERTIFICATE_REVOKED, CHANGE_MADE, "certificate.revoke"},
    {CERTIFICATE_ACTIVATED, CERTIFICATE_DELETED, CHANGE_ILLEGAL, "it is ACTIVATED; deactivate or revoke it first"},
    {CERTIFICATE_NOT_ACTIVATED, CERTIFICATE_ACTIVATED, CHANGE_MADE, "certificate.activate"},
    {CERTIFICATE_NOT_ACTIVATED, CERTIFICATE_NOT_ACTIVATED, CHANGE_MADE, NULL},
    {CERTIFICATE_NOT_ACTIVATED, CERTIFICATE_REVOKED, CHANGE_MADE, "certificate.revoke"},
    {CERTIFICATE_NOT_ACTIVATED, CERTIFICATE_DELETED, CHANGE_MADE, "certificate.delete"},
    {CERTIFICATE_REGISTERED, CERTIFICATE_ACTIVATED, CHANGE_MADE, "certificate.activate"},
    {CERTIFICATE_REGISTERED, CERTIFICATE_NOT_ACTIVATED, CHANGE_ILLEGAL, "there is nothing to deactivate"},
    {CERTIFICATE_REGISTERED, CERTIFICATE_REVOKED, CHANGE_MADE, "certificate.revoke"},
    {CERTIFICATE_REGISTERED, CERTIFICATE_DELETED, CHANGE_ILLEGAL, "or revoke it first"},
    {CERTIFICATE_REVOKED, CERTIFICATE_ACTIVATED, CHANGE_ILLEGAL, "revoked for good; issue or register another"},
    {CERTIFICATE_REVOKED, CERTIFICATE_NOT_ACTIVATED, CHANGE_ILLEGAL, "revoked for good"},
    {CERTIFICATE_REVOKED, CERTIFICATE_REVOKED, CHANGE_MADE, NULL},
    {CERTIFICATE_REVOKED, CERTIFICATE_DELETED, CHANGE_MADE, "certificate.delete"},
    {CERTIFICATE_DELETED, CERTIFICATE_ACTIVATED, CHANGE_UNKNOWN, "it was deleted"},
    {CERTIFICATE_DELETED, CERTIFICATE_NOT_ACTIVATED, CHANGE_UNKNOWN, "it was deleted"},
    {CERTIFICATE_DELETED, CERTIFICATE_REVOKED, CHANGE_UNKNOWN, "it was deleted"},
    {CERTIFICATE_DELETED, CERTIFICATE_DELETED, CHANGE_UNKNOWN, "it was deleted"},
};
// clang-format on
enum { MOVE_COUNT = sizeof moves / sizeof *moves };

static void check_times(const struct certificate_record *record, const struct move *move,
                        int64_t begin_ms)
{
    int64_t now_ms = begin_ms + 1000;
    bool was_active = move->from != CERTIFICATE_REGISTERED;
    ck_assert_int_eq(record->created_ms, begin_ms);
    ck_assert_int_eq(record->updated_ms, now_ms);
    ck_assert_int_eq(record->activated_ms, move->to == CERTIFICATE_ACTIVATED ? now_ms
                                           : was_active                      ? begin_ms
                                                                             : 0);
    ck_assert_int_eq(record->deactivated_ms, move->to == CERTIFICATE_NOT_ACTIVATED     ? now_ms
                                             : move->from == CERTIFICATE_NOT_ACTIVATED ? begin_ms
                                                                                       : 0);
}

START_TEST(every_move_is_made_or_refused_as_the_table_says)
{
    const struct move *move = &moves[_i];
    struct one one;
    one_open(&one, move->from);
    struct registry_stage *stage = &one.stage;
    int64_t begin_ms = stage->actor.now_ms;
    unsigned changes = registry_stage_change_count(stage);
    stage->actor.now_ms += 1000;
    enum change_refusal refusal = registry_stage_change(stage, one.made, move->to);
    if (move->refusal != CHANGE_MADE) {
        registry_stage_expect(stage, refusal, move->refusal, move->words);
        ck_assert_uint_eq(registry_stage_change_count(stage), changes);
        ck_assert_ptr_null(stage->certificate.memory);
    } else {
        char line[2048];
        char expected[2048];
        ck_assert_msg(refusal == CHANGE_MADE, "%s", stage->err.text);
        ck_assert_int_eq(stage->certificate.record.status, move->to);
        ck_assert(stage->certificate.changed == (move->words != NULL));
        ck_assert_uint_eq(registry_stage_change_count(stage), changes + (move->words != NULL));
        registry_stage_last_change(stage, line);
        snprintf(expected, sizeof expected, "%s|%s|%s", move->words,
                 certificate_status_name(move->from), certificate_status_name(move->to));
        if (move->words) {
            ck_assert_str_eq(line, expected);
            check_times(&stage->certificate.record, move, begin_ms);
        }
        ck_assert_int_eq(stage->certificate.record.was_revoked,
                         move->from == CERTIFICATE_REVOKED && move->to == CERTIFICATE_DELETED);
    }
    one_close(&one);
}
END_TEST

START_TEST(an_expired_certificate_may_be_changed_and_is_warned_of)
{
    struct one one;
    one_open(&one, CERTIFICATE_REGISTERED);
    one.stage.actor.now_ms += 40LL * MADE_DAY_S * 1000;
    ck_assert_int_eq(registry_stage_change(&one.stage, one.made, CERTIFICATE_ACTIVATED),
                     CHANGE_MADE);
    ck_assert_msg(strstr(one.stage.certificate.warning, "it has expired on 2") != NULL, "%s",
                  one.stage.certificate.warning);
    one_close(&one);
}
END_TEST

START_TEST(a_client_id_is_set_and_taken_away)
{
    struct one one;
    char line[2048];
    one_open(&one, CERTIFICATE_ACTIVATED);
    struct registry_stage *stage = &one.stage;
    char *serial = certificate_serial_text(one.made->certificate);
    struct certificate_wanted wanted = {.serial = serial};
    static const char *const ids[] = {"meter-1", "meter-1", "", NULL};
    static const char *const lines[] = {
        "certificate.client-id||meter-1", "certificate.client-id||meter-1",
        "certificate.client-id|meter-1|", "certificate.client-id|meter-1|"};
    for (int i = 0; i < 4; i++) {
        certificate_result_done(&stage->certificate);
        ck_assert_int_eq(certificate_set_client_id(stage->ledger, &wanted, ids[i], &stage->actor,
                                                   &stage->certificate, &stage->err),
                         CHANGE_MADE);
        ck_assert_str_eq(stage->certificate.record.client_id, ids[i] ? ids[i] : "");
        ck_assert(stage->certificate.changed == (i % 2 == 0));
        registry_stage_last_change(stage, line);
        ck_assert_str_eq(line, lines[i]);
    }
    certificate_result_done(&stage->certificate);
    registry_stage_expect(stage,
                          certificate_set_client_id(stage->ledger, &wanted, "a\nb", &stage->actor,
                                                    &stage->certificate, &stage->err),
                          CHANGE_BAD_INPUT, "the client id holds a control character (byte 2)");
    free(serial);
    one_close(&one);
}
END_TEST

START_TEST(a_client_id_that_becomes_anothers_is_warned_of)
{
    struct one one;
    one_open(&one, CERTIFICATE_ACTIVATED);
    struct registry_stage *stage = &one.stage;
    struct made *other = made_client(one.ca, "other");
    registry_stage_register(stage, other);
    char *serial = certificate_serial_text(other->certificate);
    certificate_result_done(&stage->certificate);
    ck_assert_int_eq(
        certificate_set_client_id(stage->ledger, &(struct certificate_wanted){.serial = serial},
                                  "SN0001", &stage->actor, &stage->certificate, &stage->err),
        CHANGE_MADE);
    ck_assert_msg(strstr(stage->certificate.warning, "client id \"SN0001\" is that of serial") !=
                      NULL,
                  "%s", stage->certificate.warning);
    free(serial);
    made_free(other);
    one_close(&one);
}
END_TEST

struct serial_case {
    const char *text;
    const char *serial; /* NULL: refused */
};

static const struct serial_case serials[] = {
    {"0a1B", "0A1B"},  {"0x0a:1b", "0A1B"}, {" 0A 1B\t", "0A1B"}, {"0000a1b", "0A1B"},
    {"1", "01"},       {"0", "00"},         {"0x0", "00"},        {"-7f", "-7F"},
    {"-0x7f", "-7F"},  {"-0", "00"},        {"-00:7f", "-7F"},    {"", NULL},
    {"0x", NULL},      {"-", NULL},         {"12g4", NULL},       {"12*", NULL},
    {"CN=SN01", NULL}, {"1-2", NULL},       {"\xff", NULL},       {"--1", NULL},
};

START_TEST(serials_are_understood_as_people_write_them)
{
    struct error err = {{0}};
    char serial[SERIAL_TEXT_BYTES] = "";
    bool good = serial_normalise(serials[_i].text, serial, &err);
    ck_assert_msg(good == (serials[_i].serial != NULL), "%s: %s", serials[_i].text, err.text);
    if (good)
        ck_assert_str_eq(serial, serials[_i].serial);
    else
        ck_assert_msg(strstr(err.text, "serial number") != NULL, "%s", err.text);
}
END_TEST

START_TEST(a_serial_of_any_length_is_bounded)
{
    struct error err = {{0}};
    char text[1000];
    char serial[SERIAL_TEXT_BYTES];
    memset(text, '0', sizeof text);
    memset(text + sizeof text - 129, 'a', 128);
    text[sizeof text - 1] = '\0';
    ck_assert(serial_normalise(text, serial, &err));
    ck_assert_uint_eq(strlen(serial), 128);
    memset(text + 1, 'a', sizeof text - 2);
    ck_assert(!serial_normalise(text, serial, &err));
    ck_assert_str_eq(err.text, "a serial number has at most 128 hexadecimal digits");
}
END_TEST

static struct made *with_serial_of(const struct made *ca, const char *name,
                                   const struct made *other)
{
    struct made *made = made_client(ca, name);
    X509_set_serialNumber(made->certificate, X509_get_serialNumber(other->certificate));
    ck_assert_int_gt(X509_sign(made->certificate, ca->key, EVP_sha256()), 0);
    return made;
}

static enum change_refusal get(struct registry_stage *stage, const struct made *made,
                               const char *ca)
{
    char *serial = certificate_serial_text(made->certificate);
    certificate_result_done(&stage->certificate);
    enum change_refusal refusal =
        certificate_get(stage->ledger, &(struct certificate_wanted){.serial = serial, .ca = ca},
                        &stage->certificate, &stage->err);
    free(serial);
    return refusal;
}

START_TEST(a_serial_under_two_cas_is_told_apart_by_the_ca)
{
    struct one one;
    one_open(&one, CERTIFICATE_ACTIVATED);
    struct registry_stage *stage = &one.stage;
    struct made *other_ca = made_ca("Other CA");
    struct made *other = with_serial_of(other_ca, "other", one.made);
    registry_stage_upload(stage, "other", other_ca);
    registry_stage_register(stage, other);
    registry_stage_expect(stage, get(stage, one.made, NULL), CHANGE_AMBIGUOUS,
                          "exists more than once, under CAs: devices, other; say which CA");
    registry_stage_expect(stage, registry_stage_change(stage, one.made, CERTIFICATE_REVOKED),
                          CHANGE_AMBIGUOUS, "say which CA");
    ck_assert_int_eq(get(stage, one.made, "other"), CHANGE_MADE);
    ck_assert_str_eq(stage->certificate.record.common_name, "other");
    ck_assert_int_eq(get(stage, one.made, stage->ca.record.id), CHANGE_MADE);
    ck_assert_str_eq(stage->certificate.record.common_name, "other");
    registry_stage_expect(stage, get(stage, one.made, "third"), CHANGE_UNKNOWN,
                          "there is no CA \"third\"");
    /* Certificates of a CA that is gone are still found by its id. */
    char id[CA_ID_LENGTH + 1];
    memcpy(id, stage->ca.record.id, sizeof id);
    ca_result_done(&stage->ca);
    ck_assert_int_eq(ca_delete(stage->ledger, "other", &stage->actor, &stage->ca, &stage->err),
                     CHANGE_MADE);
    ck_assert_int_eq(get(stage, one.made, id), CHANGE_MADE);
    ck_assert_str_eq(stage->certificate.record.common_name, "other");
    registry_stage_expect(stage, get(stage, one.made, NULL), CHANGE_AMBIGUOUS, id);
    made_free(other);
    made_free(other_ca);
    one_close(&one);
}
END_TEST

START_TEST(a_serial_under_two_intermediates_is_told_apart_by_the_issuer)
{
    struct one one;
    one_open(&one, CERTIFICATE_ACTIVATED);
    struct registry_stage *stage = &one.stage;
    struct made *inner = made_intermediate(one.ca, "Inner CA");
    struct made *other = with_serial_of(inner, "other", one.made);
    registry_stage_register(stage, other);
    registry_stage_expect(stage, get(stage, one.made, "devices"), CHANGE_AMBIGUOUS,
                          "of one CA, by issuers: CN=Device CA, CN=Inner CA; say which issuer");
    ck_assert_int_eq(get(stage, one.made, "CN=Inner CA"), CHANGE_MADE);
    ck_assert_str_eq(stage->certificate.record.common_name, "other");
    registry_stage_expect(stage, get(stage, one.made, "CN=Nobody"), CHANGE_UNKNOWN,
                          " of CA CN=Nobody");
    made_free(other);
    made_free(inner);
    one_close(&one);
}
END_TEST

START_TEST(a_serial_nobody_has_is_unknown)
{
    struct one one;
    one_open(&one, CERTIFICATE_ACTIVATED);
    struct registry_stage *stage = &one.stage;
    struct certificate_wanted wanted = {.serial = "0xAbc"};
    certificate_result_done(&stage->certificate);
    registry_stage_expect(stage,
                          certificate_get(stage->ledger, &wanted, &stage->certificate, &stage->err),
                          CHANGE_UNKNOWN, "there is no certificate with serial 0ABC");
    wanted.serial = NULL;
    registry_stage_expect(stage,
                          certificate_get(stage->ledger, &wanted, &stage->certificate, &stage->err),
                          CHANGE_BAD_INPUT, "a serial number is needed");
    one_close(&one);
}
END_TEST

START_TEST(a_store_that_fails_anywhere_changes_nothing)
{
    struct one one;
    one_open(&one, CERTIFICATE_ACTIVATED);
    struct registry_stage *stage = &one.stage;
    unsigned changes = registry_stage_change_count(stage);
    unsigned calls = 0;
    for (;; calls++) {
        faulty_ledger_fail(stage->ledger, calls, STORE_READ_ONLY);
        enum change_refusal refusal =
            registry_stage_change(stage, one.made, CERTIFICATE_NOT_ACTIVATED);
        faulty_ledger_fail(stage->ledger, 0, STORE_DONE);
        if (refusal == CHANGE_MADE)
            break;
        registry_stage_expect(stage, refusal, CHANGE_STORE, "the store was told to fail");
        ck_assert_uint_eq(registry_stage_change_count(stage), changes);
        ck_assert_int_eq(registry_stage_certificate_count(stage, 1U << CERTIFICATE_ACTIVATED), 1);
    }
    ck_assert_uint_ge(calls, 5); /* begin, CAs, search, certificate, line, commit at least */
    ck_assert_int_eq(registry_stage_certificate_count(stage, 1U << CERTIFICATE_NOT_ACTIVATED), 1);
    one_close(&one);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, every_move_is_made_or_refused_as_the_table_says, 0, MOVE_COUNT);
    tcase_add_test(tcase, an_expired_certificate_may_be_changed_and_is_warned_of);
    tcase_add_test(tcase, a_client_id_is_set_and_taken_away);
    tcase_add_test(tcase, a_client_id_that_becomes_anothers_is_warned_of);
    tcase_add_loop_test(tcase, serials_are_understood_as_people_write_them, 0,
                        sizeof serials / sizeof *serials);
    tcase_add_test(tcase, a_serial_of_any_length_is_bounded);
    tcase_add_test(tcase, a_serial_under_two_cas_is_told_apart_by_the_ca);
    tcase_add_test(tcase, a_serial_under_two_intermediates_is_told_apart_by_the_issuer);
    tcase_add_test(tcase, a_serial_nobody_has_is_unknown);
    tcase_add_test(tcase, a_store_that_fails_anywhere_changes_nothing);
}

CHECK_MAIN("certificate_change", add_tests)
