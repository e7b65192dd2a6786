/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer is worth: answers are made by OpenSSL, as a CA makes them. */
#include "listeners/ocsp/ocsp_subject.h"

#include <stdlib.h>
#include <string.h>

#include "lb/base/error.h"
#include "tests/support/check_main.h"
#include "tests/support/ocsp_stage.h"
#include "tests/support/stub_responder.h"

struct asking {
    struct ocsp_stage stage;
    struct ocsp_subject subject;
    unsigned char *question;
    size_t length;
    time_t now;
    struct ocsp_note note;
    struct error err;
};

static void asking_open(struct asking *asking)
{
    *asking = (struct asking){.now = time(NULL)};
    ocsp_stage_open(&asking->stage, true, NULL);
    const struct identity *identity = asking->stage.identity;
    const struct ca_set *set = asking->stage.auth.ca_set;
    ck_assert(ocsp_subject_init(&asking->subject, identity, set, identity_result(identity, set),
                                &asking->err));
    asking->length = ocsp_subject_write(&asking->subject, &asking->question);
    ck_assert_uint_gt(asking->length, 0);
}

static void asking_close(struct asking *asking)
{
    free(asking->question);
    ocsp_subject_done(&asking->subject);
    ocsp_stage_close(&asking->stage);
}

static bool hear(struct asking *asking, const struct ocsp_wish *wish)
{
    struct text answer = ocsp_answer(asking->stage.ca, wish, asking->question, asking->length);
    bool good = ocsp_subject_read(&asking->subject, (struct slice){answer.bytes, answer.length},
                                  asking->now, &asking->note, &asking->err);
    text_done(&answer);
    return good;
}

#define ck_heard(asking, word_, after_s, ...)                                                      \
    do {                                                                                           \
        ck_assert_msg(hear(asking, &(struct ocsp_wish){__VA_ARGS__}), "%s", (asking)->err.text);   \
        ck_assert_int_eq((asking)->note.word, word_);                                              \
        ck_assert_int_ge((asking)->note.until, (asking)->now + (after_s));                         \
        ck_assert_int_le((asking)->note.until, (asking)->now + (after_s) + 5);                     \
    } while (0)

#define ck_not_heard(asking, says, ...)                                                            \
    do {                                                                                           \
        ck_assert(!hear(asking, &(struct ocsp_wish){__VA_ARGS__}));                                \
        ck_assert_msg(strstr((asking)->err.text, says), "%s", (asking)->err.text);                 \
    } while (0)

START_TEST(the_ca_says_good_revoked_or_unknown)
{
    struct asking asking;
    asking_open(&asking);
    ck_heard(&asking, OCSP_WORD_GOOD, 600, .status = V_OCSP_CERTSTATUS_GOOD, .next_s = 600);
    ck_heard(&asking, OCSP_WORD_REVOKED, 600, .status = V_OCSP_CERTSTATUS_REVOKED, .next_s = 600);
    ck_heard(&asking, OCSP_WORD_NONE, OCSP_BRIEF_S, .status = V_OCSP_CERTSTATUS_UNKNOWN);
    asking_close(&asking);
}
END_TEST

START_TEST(answers_count_as_long_as_they_say_within_bounds)
{
    struct asking asking;
    asking_open(&asking);
    ck_heard(&asking, OCSP_WORD_GOOD, OCSP_KEPT_S, .next_s = 100 * MADE_DAY_S);
    ck_heard(&asking, OCSP_WORD_GOOD, OCSP_BRIEF_S, .has_no_next = true);
    ck_heard(&asking, OCSP_WORD_GOOD, OCSP_FAILURE_S, .next_s = 1);
    /* Clocks differ a little. */
    ck_heard(&asking, OCSP_WORD_GOOD, 600, .made_s = OCSP_SKEW_S - 60, .next_s = 600);
    ck_heard(&asking, OCSP_WORD_GOOD, OCSP_FAILURE_S, .made_s = -600, .next_s = 60 - OCSP_SKEW_S);
    asking_close(&asking);
}
END_TEST

START_TEST(answers_of_another_time_do_not_count)
{
    struct asking asking;
    asking_open(&asking);
    ck_not_heard(&asking, "out of date", .made_s = -2 * MADE_DAY_S, .next_s = -OCSP_SKEW_S - 60);
    ck_not_heard(&asking, "of the future", .made_s = OCSP_SKEW_S + 60, .next_s = 2 * MADE_DAY_S);
    ck_not_heard(&asking, "out of date", .made_s = 60, .next_s = -60);
    ck_not_heard(&asking, "names no nextUpdate", .made_s = -OCSP_AGE_S - 60, .has_no_next = true);
    ck_not_heard(&asking, "out of date", .status = V_OCSP_CERTSTATUS_REVOKED,
                 .made_s = -2 * MADE_DAY_S, .next_s = -MADE_DAY_S);
    asking_close(&asking);
}
END_TEST

START_TEST(a_responder_of_the_ca_may_sign)
{
    struct asking asking;
    asking_open(&asking);
    struct made *delegate = made_certificate(&(struct certificate_wish){
        .name = "OCSP", .issuer = asking.stage.ca, .usage = "OCSPSigning"});
    ck_heard(&asking, OCSP_WORD_REVOKED, 600, .signer = delegate, .next_s = 600,
             .status = V_OCSP_CERTSTATUS_REVOKED);
    made_free(delegate);
    asking_close(&asking);
}
END_TEST

/* Who signs without the right to. */
static struct made *make_impostor(struct ocsp_stage *stage, int which)
{
    struct made *other = made_ca("Client CA");
    struct made *impostor = NULL;
    switch (which) {
    case 0: /* a client of the CA is no responder */
        impostor = made_client(stage->ca, "mallory");
        break;
    case 1: /* another CA of the same name */
        impostor = made_ca("Client CA");
        break;
    case 2: /* a responder of another CA of the same name */
        impostor = made_certificate(
            &(struct certificate_wish){.name = "OCSP", .issuer = other, .usage = "OCSPSigning"});
        break;
    case 3: /* one whose time is over */
        impostor = made_certificate(&(struct certificate_wish){.name = "OCSP",
                                                               .issuer = stage->ca,
                                                               .usage = "OCSPSigning",
                                                               .from_s = -2 * MADE_DAY_S,
                                                               .until_s = -MADE_DAY_S});
        break;
    default: /* the client itself */
        impostor =
            made_certificate(&(struct certificate_wish){.name = "alice", .usage = "OCSPSigning"});
        break;
    }
    made_free(other);
    return impostor;
}

START_TEST(nobody_else_may)
{
    struct asking asking;
    asking_open(&asking);
    struct made *impostor = make_impostor(&asking.stage, _i);
    ck_not_heard(&asking, "not signed by the CA", .signer = impostor);
    made_free(impostor);
    asking_close(&asking);
}
END_TEST

START_TEST(a_responder_has_its_right_until_its_certificate_ends)
{
    struct asking asking;
    asking_open(&asking);
    struct made *delegate = made_certificate(&(struct certificate_wish){
        .name = "OCSP", .issuer = asking.stage.ca, .usage = "OCSPSigning", .until_s = 1000});
    const struct ocsp_wish wish = {.signer = delegate, .made_s = 500, .next_s = 5000};
    asking.now += 900;
    ck_assert_msg(hear(&asking, &wish), "%s", asking.err.text);
    asking.now += 200;
    ck_assert(!hear(&asking, &wish));
    made_free(delegate);
    asking_close(&asking);
}
END_TEST

START_TEST(a_responder_of_an_intermediate_speaks_for_no_other)
{
    struct asking asking;
    asking_open(&asking);
    struct made *intermediate = made_intermediate(asking.stage.ca, "Intermediate");
    struct made *delegate = made_certificate(
        &(struct certificate_wish){.name = "OCSP", .issuer = intermediate, .usage = "OCSPSigning"});
    ck_not_heard(&asking, "not signed by the CA", .signer = intermediate);
    ck_not_heard(&asking, "not signed by the CA", .signer = delegate);
    made_free(delegate);
    made_free(intermediate);
    asking_close(&asking);
}
END_TEST

START_TEST(a_bent_signature_is_none)
{
    struct asking asking;
    asking_open(&asking);
    ck_not_heard(&asking, "not signed by the CA", .is_bent = true);
    asking_close(&asking);
}
END_TEST

START_TEST(an_answer_about_somebody_else_is_none)
{
    struct asking asking;
    asking_open(&asking);
    ck_not_heard(&asking, "another certificate", .is_of_another = true);
    asking_close(&asking);
}
END_TEST

START_TEST(a_responder_may_refuse_to_answer)
{
    struct asking asking;
    asking_open(&asking);
    ck_not_heard(&asking, "trylater", .refuses = OCSP_RESPONSE_STATUS_TRYLATER);
    ck_not_heard(&asking, "unauthorized", .refuses = OCSP_RESPONSE_STATUS_UNAUTHORIZED);
    asking_close(&asking);
}
END_TEST

START_TEST(a_byte_more_or_less_is_no_answer)
{
    struct asking asking;
    asking_open(&asking);
    struct text answer =
        ocsp_answer(asking.stage.ca, &(struct ocsp_wish){0}, asking.question, asking.length);
    for (size_t length = 0; length < answer.length; length++)
        ck_assert(!ocsp_subject_read(&asking.subject, (struct slice){answer.bytes, length},
                                     asking.now, &asking.note, &asking.err));
    text_add(&answer, "x", 1);
    ck_assert(!ocsp_subject_read(&asking.subject, (struct slice){answer.bytes, answer.length},
                                 asking.now, &asking.note, &asking.err));
    text_done(&answer);
    asking_close(&asking);
}
END_TEST

START_TEST(a_bent_byte_anywhere_never_lets_anybody_in)
{
    struct asking asking;
    asking_open(&asking);
    struct text answer =
        ocsp_answer(asking.stage.ca, &(struct ocsp_wish){.status = V_OCSP_CERTSTATUS_REVOKED},
                    asking.question, asking.length);
    for (size_t at = 0; at < answer.length; at++) {
        answer.bytes[at] = (char)(answer.bytes[at] ^ (1 << at % 8));
        bool good = ocsp_subject_read(&asking.subject, (struct slice){answer.bytes, answer.length},
                                      asking.now, &asking.note, &asking.err);
        ck_assert(!good || asking.note.word == OCSP_WORD_REVOKED);
        answer.bytes[at] = (char)(answer.bytes[at] ^ (1 << at % 8));
    }
    text_done(&answer);
    asking_close(&asking);
}
END_TEST

/* --- whom it is about --------------------------------------------------------------------------
 */

START_TEST(the_issuer_may_be_an_intermediate_that_the_client_sends)
{
    struct asking asking;
    asking_open(&asking);
    struct made *intermediate = made_intermediate(asking.stage.ca, "Intermediate");
    struct made *client = made_client(intermediate, "bob");
    struct identity *identity = ocsp_stage_identify(&asking.stage, client);
    const struct ca_set *set = asking.stage.auth.ca_set;
    struct ocsp_subject subject;
    ck_assert(
        ocsp_subject_init(&subject, identity, set, identity_result(identity, set), &asking.err));
    ck_assert_int_eq(X509_cmp(subject.issuer, intermediate->certificate), 0);
    ocsp_subject_done(&subject);
    identity_unref(identity);
    made_free(client);
    made_free(intermediate);
    asking_close(&asking);
}
END_TEST

START_TEST(a_ca_without_extensions_is_asked_and_believed)
{
    struct asking asking;
    asking_open(&asking);
    struct made *old = made_certificate(&(struct certificate_wish){.name = "V1 CA", .v1 = true});
    struct made *client = made_client(old, "carol");
    struct client_auth auth = asking.stage.auth;
    auth.ca_set = stage_ca_set(&asking.stage.stage, old, NULL);
    const struct client_auth *rules[] = {&auth};
    policy_done(&asking.stage.policy);
    ck_assert_int_eq(policy_make(&asking.stage.policy, rules, 1), POLICY_FINE);
    struct identity *identity = ocsp_stage_identify(&asking.stage, client);
    ocsp_subject_done(&asking.subject);
    ck_assert_msg(ocsp_subject_init(&asking.subject, identity, auth.ca_set,
                                    identity_result(identity, auth.ca_set), &asking.err),
                  "%s", asking.err.text);
    free(asking.question);
    asking.length = ocsp_subject_write(&asking.subject, &asking.question);
    ck_heard(&asking, OCSP_WORD_GOOD, 600, .signer = old, .next_s = 600);
    identity_unref(identity);
    made_free(client);
    made_free(old);
    asking_close(&asking);
}
END_TEST

START_TEST(who_is_not_verified_is_nobody_to_ask_about)
{
    struct asking asking;
    asking_open(&asking);
    struct made *other = made_ca("Other CA");
    struct made *client = made_client(other, "mallory");
    struct identity *identity = ocsp_stage_identify(&asking.stage, client);
    const struct ca_set *set = asking.stage.auth.ca_set;
    struct ocsp_subject subject;
    ck_assert(
        !ocsp_subject_init(&subject, identity, set, identity_result(identity, set), &asking.err));
    ck_assert(!ocsp_subject_init(&subject, identity, set, NULL, &asking.err));
    identity_unref(identity);
    made_free(client);
    made_free(other);
    asking_close(&asking);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, the_ca_says_good_revoked_or_unknown);
    tcase_add_test(tcase, answers_count_as_long_as_they_say_within_bounds);
    tcase_add_test(tcase, answers_of_another_time_do_not_count);
    tcase_add_test(tcase, a_responder_of_the_ca_may_sign);
    tcase_add_loop_test(tcase, nobody_else_may, 0, 5);
    tcase_add_test(tcase, a_responder_has_its_right_until_its_certificate_ends);
    tcase_add_test(tcase, a_responder_of_an_intermediate_speaks_for_no_other);
    tcase_add_test(tcase, a_bent_signature_is_none);
    tcase_add_test(tcase, an_answer_about_somebody_else_is_none);
    tcase_add_test(tcase, a_responder_may_refuse_to_answer);
    tcase_add_test(tcase, a_byte_more_or_less_is_no_answer);
    tcase_add_test(tcase, a_bent_byte_anywhere_never_lets_anybody_in);
    tcase_add_test(tcase, the_issuer_may_be_an_intermediate_that_the_client_sends);
    tcase_add_test(tcase, a_ca_without_extensions_is_asked_and_believed);
    tcase_add_test(tcase, who_is_not_verified_is_nobody_to_ask_about);
}

CHECK_MAIN("ocsp subject", add_tests)
