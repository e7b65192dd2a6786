/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/ocsp/ocsp_check.h"

#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/ocsp_stage.h"

enum { NOW = 1000000 };

/* Judged at NOW: refusal, or that it must be asked. */
#define ck_judged(stage, refusal_, must_ask_)                                                      \
    do {                                                                                           \
        bool must_ask;                                                                             \
        ck_assert_int_eq(ocsp_stage_judge(stage, NOW, &must_ask), refusal_);                       \
        ck_assert(must_ask == (must_ask_));                                                        \
    } while (0)

START_TEST(who_nothing_is_known_of_must_be_asked_about)
{
    struct ocsp_stage stage;
    ocsp_stage_open(&stage, _i == 1, NULL);
    ck_judged(&stage, REFUSAL_NONE, true);
    ocsp_stage_close(&stage);
}
END_TEST

static const struct {
    enum ocsp_word word;
    bool is_hard;
    enum refusal refusal;
} words[] = {
    {OCSP_WORD_GOOD, false, REFUSAL_NONE},
    {OCSP_WORD_GOOD, true, REFUSAL_NONE},
    {OCSP_WORD_REVOKED, false, REFUSAL_OCSP_REVOKED},
    {OCSP_WORD_REVOKED, true, REFUSAL_OCSP_REVOKED},
    {OCSP_WORD_NONE, false, REFUSAL_NONE},
    {OCSP_WORD_NONE, true, REFUSAL_OCSP_UNAVAILABLE},
};

START_TEST(what_is_remembered_decides_until_it_ends)
{
    struct ocsp_stage stage;
    ocsp_stage_open(&stage, words[_i].is_hard, NULL);
    ocsp_stage_remember(&stage, words[_i].word, NOW + 1, NOW);
    for (int i = 0; i < 3; i++)
        ck_judged(&stage, words[_i].refusal, false);
    bool must_ask;
    ck_assert_int_eq(ocsp_stage_judge(&stage, NOW + 1, &must_ask), REFUSAL_NONE);
    ck_assert(must_ask);
    ck_assert_int_eq(ocsp_last(&stage.check, stage.identity), words[_i].refusal);
    ocsp_stage_close(&stage);
}
END_TEST

START_TEST(what_was_last_heard_of_who_was_never_asked_about_is_nothing)
{
    struct ocsp_stage stage;
    ocsp_stage_open(&stage, _i == 1, NULL);
    ck_assert_int_eq(ocsp_last(&stage.check, stage.identity),
                     _i == 1 ? REFUSAL_OCSP_UNAVAILABLE : REFUSAL_NONE);
    ocsp_stage_close(&stage);
}
END_TEST

START_TEST(a_revocation_is_seen_by_those_who_saw_a_good_answer)
{
    struct ocsp_stage stage;
    ocsp_stage_open(&stage, false, NULL);
    ocsp_stage_remember(&stage, OCSP_WORD_GOOD, NOW + 1000, NOW);
    ck_judged(&stage, REFUSAL_NONE, false);
    ocsp_stage_remember(&stage, OCSP_WORD_REVOKED, NOW + 1000, NOW);
    ck_judged(&stage, REFUSAL_OCSP_REVOKED, false);
    ocsp_stage_close(&stage);
}
END_TEST

START_TEST(answers_belong_to_the_certificate_whoever_shows_it)
{
    struct ocsp_stage stage;
    ocsp_stage_open(&stage, false, NULL);
    ocsp_stage_remember(&stage, OCSP_WORD_REVOKED, NOW + 10, NOW);
    struct identity *first = stage.identity;
    struct made *bob = made_client(stage.ca, "bob");
    stage.identity = ocsp_stage_identify(&stage, stage.client);
    ck_judged(&stage, REFUSAL_OCSP_REVOKED, false);
    identity_unref(stage.identity);
    stage.identity = ocsp_stage_identify(&stage, bob);
    ck_judged(&stage, REFUSAL_NONE, true);
    identity_unref(stage.identity);
    stage.identity = first;
    made_free(bob);
    ocsp_stage_close(&stage);
}
END_TEST

START_TEST(each_responder_speaks_for_its_own_rules)
{
    static const char *const responders[] = {"http://a/", "http://b/", "http://c/", "http://d/"};
    struct ocsp_stage stage;
    struct ocsp_check checks[4];
    ocsp_stage_open(&stage, false, NULL);
    for (unsigned i = 0; i < 4; i++) {
        ck_assert(ocsp_check_init(&checks[i], false, responders[i], NULL));
        ocsp_check_open(&checks[i], stage.ocsp);
    }
    /* More than an identity has words for, and each says something else. */
    for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 0; i < 4; i++) {
            stage.check = checks[i];
            if (round == 0)
                ck_judged(&stage, REFUSAL_NONE, true);
            if (round == 0)
                ocsp_stage_remember(&stage, i % 2 ? OCSP_WORD_REVOKED : OCSP_WORD_GOOD, NOW + 10,
                                    NOW);
            ck_judged(&stage, i % 2 ? REFUSAL_OCSP_REVOKED : REFUSAL_NONE, false);
        }
    ocsp_stage_close(&stage);
}
END_TEST

START_TEST(the_same_responder_means_the_same_after_a_reload)
{
    struct ocsp_stage stage;
    ocsp_stage_open(&stage, false, "http://ocsp.example.com/");
    ocsp_stage_remember(&stage, OCSP_WORD_REVOKED, NOW + 10, NOW);
    ck_judged(&stage, REFUSAL_OCSP_REVOKED, false);
    unsigned number = stage.check.number;
    ck_assert(ocsp_check_init(&stage.check, true, "http://ocsp.example.com/", NULL));
    ocsp_check_open(&stage.check, stage.ocsp);
    ck_assert_uint_eq(stage.check.number, number);
    ck_judged(&stage, REFUSAL_OCSP_REVOKED, false);
    ocsp_stage_close(&stage);
}
END_TEST

START_TEST(without_a_number_it_is_as_right)
{
    struct ocsp_stage stage;
    ocsp_stage_open(&stage, false, NULL);
    stage.check.number = 0;
    ck_judged(&stage, REFUSAL_NONE, true);
    ocsp_stage_remember(&stage, OCSP_WORD_REVOKED, NOW + 10, NOW);
    ck_judged(&stage, REFUSAL_OCSP_REVOKED, false);
    ck_assert_uint_eq(atomic_load(&stage.identity->ocsp_seen[0]), 0);
    ocsp_stage_close(&stage);
}
END_TEST

START_TEST(where_nothing_is_remembered_it_must_be_asked)
{
    struct ocsp_stage stage;
    ocsp_stage_open(&stage, true, NULL);
    ocsp_check_open(&stage.check, NULL); /* lb check, lb explain */
    ck_judged(&stage, REFUSAL_NONE, true);
    ck_assert_int_eq(ocsp_last(&stage.check, stage.identity), REFUSAL_OCSP_UNAVAILABLE);
    ocsp_stage_close(&stage);
}
END_TEST

START_TEST(checks_are_equal_that_ask_the_same_in_the_same_way)
{
    struct ocsp_check one, same, soft, other, named;
    ck_assert(ocsp_check_init(&one, true, "http://a/", NULL));
    ck_assert(ocsp_check_init(&same, true, "http://a/", NULL));
    ck_assert(ocsp_check_init(&soft, false, "http://a/", NULL));
    ck_assert(ocsp_check_init(&other, true, "http://b/", NULL));
    ck_assert(ocsp_check_init(&named, true, NULL, NULL));
    ck_assert(ocsp_check_equal(&one, &same));
    ck_assert(ocsp_check_equal(NULL, NULL));
    ck_assert(!ocsp_check_equal(&one, NULL));
    ck_assert(!ocsp_check_equal(NULL, &one));
    ck_assert(!ocsp_check_equal(&one, &soft));
    ck_assert(!ocsp_check_equal(&one, &other));
    ck_assert(!ocsp_check_equal(&one, &named));
}
END_TEST

/* --- what a rule makes of it -------------------------------------------------------------------
 */

START_TEST(a_rule_waits_for_the_answer_and_once_asked_no_more)
{
    struct ocsp_stage stage;
    bool is_hard = _i == 1;
    ocsp_stage_open(&stage, is_hard, NULL);
    struct visitor visitor = {.identity = stage.identity, .now = time(NULL)};
    struct judgement judgement = policy_judge(&stage.auth, NULL, &visitor);
    ck_assert(judgement.refusal == REFUSAL_NONE && judgement.must_ask_ocsp);
    visitor.was_ocsp_asked = true;
    judgement = policy_judge(&stage.auth, NULL, &visitor);
    ck_assert(!judgement.must_ask_ocsp);
    ck_assert_int_eq(judgement.refusal, is_hard ? REFUSAL_OCSP_UNAVAILABLE : REFUSAL_NONE);
    ocsp_stage_remember(&stage, OCSP_WORD_GOOD, visitor.now + 10, visitor.now);
    judgement = policy_judge(&stage.auth, NULL, &visitor);
    ck_assert(judgement.refusal == REFUSAL_NONE && !judgement.must_ask_ocsp);
    ocsp_stage_close(&stage);
}
END_TEST

START_TEST(who_need_not_be_verified_passes_as_somebody_who_is_not)
{
    struct ocsp_stage stage;
    ocsp_stage_open(&stage, true, NULL);
    stage.auth.mode = AUTH_REQUEST;
    const struct visitor visitor = {
        .identity = stage.identity, .now = time(NULL), .was_ocsp_asked = true};
    ck_assert_int_eq(policy_judge(&stage.auth, NULL, &visitor).refusal, REFUSAL_NONE);
    ck_assert_int_eq(policy_verdict(&stage.auth, stage.identity, visitor.now),
                     REFUSAL_OCSP_UNAVAILABLE);
    ocsp_stage_remember(&stage, OCSP_WORD_REVOKED, visitor.now + 10, visitor.now);
    ck_assert_int_eq(policy_judge(&stage.auth, NULL, &visitor).refusal, REFUSAL_NONE);
    ck_assert_int_eq(policy_verdict(&stage.auth, stage.identity, visitor.now),
                     REFUSAL_OCSP_REVOKED);
    /* The log is written later, when the answer has run out. */
    ck_assert_int_eq(policy_verdict(&stage.auth, stage.identity, visitor.now + 10),
                     REFUSAL_OCSP_REVOKED);
    ocsp_stage_close(&stage);
}
END_TEST

/* --- what a handshake makes of it ----------------------------------------------------------------
 */

static enum refusal alert_of(struct ocsp_stage *stage, time_t now)
{
    struct policy policy;
    const struct client_auth *rules[] = {&stage->auth};
    const struct visitor visitor = {.identity = stage->identity, .now = now};
    ck_assert_int_eq(policy_make(&policy, rules, 1), POLICY_FINE);
    enum refusal refusal = policy_alert(&policy, NULL, &visitor);
    policy_done(&policy);
    return refusal;
}

START_TEST(a_handshake_that_alerts_goes_by_what_is_remembered)
{
    struct ocsp_stage stage;
    time_t now = time(NULL);
    ocsp_stage_open(&stage, true, NULL);
    stage.auth.refuse_with = REFUSE_ALERT;
    ck_assert_int_eq(alert_of(&stage, now), REFUSAL_NONE);
    ocsp_stage_remember(&stage, OCSP_WORD_REVOKED, now + 10, now);
    ck_assert_int_eq(alert_of(&stage, now), REFUSAL_OCSP_REVOKED);
    stage.auth.refuse_with = REFUSE_403;
    ck_assert_int_eq(alert_of(&stage, now), REFUSAL_NONE);
    ocsp_stage_close(&stage);
}
END_TEST

START_TEST(a_failure_that_is_remembered_is_left_to_the_request)
{
    struct ocsp_stage stage;
    time_t now = time(NULL);
    ocsp_stage_open(&stage, true, NULL);
    stage.auth.refuse_with = REFUSE_ALERT;
    ocsp_stage_remember(&stage, OCSP_WORD_NONE, now + 10, now);
    const struct visitor visitor = {.identity = stage.identity, .now = now};
    ck_assert_int_eq(policy_judge(&stage.auth, NULL, &visitor).refusal, REFUSAL_OCSP_UNAVAILABLE);
    ck_assert_int_eq(alert_of(&stage, now), REFUSAL_NONE);
    /* What the registry says of it is told by alert, as before anybody was asked. */
    stage.auth.registration = REGISTRATION_MANUAL;
    ck_assert_int_eq(alert_of(&stage, now), REFUSAL_NOT_REGISTERED);
    ck_assert_int_eq(alert_of(&stage, now + 10), REFUSAL_NOT_REGISTERED);
    ocsp_stage_close(&stage);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, who_nothing_is_known_of_must_be_asked_about, 0, 2);
    tcase_add_loop_test(tcase, what_is_remembered_decides_until_it_ends, 0,
                        sizeof words / sizeof *words);
    tcase_add_loop_test(tcase, what_was_last_heard_of_who_was_never_asked_about_is_nothing, 0, 2);
    tcase_add_test(tcase, a_revocation_is_seen_by_those_who_saw_a_good_answer);
    tcase_add_test(tcase, answers_belong_to_the_certificate_whoever_shows_it);
    tcase_add_test(tcase, each_responder_speaks_for_its_own_rules);
    tcase_add_test(tcase, the_same_responder_means_the_same_after_a_reload);
    tcase_add_test(tcase, without_a_number_it_is_as_right);
    tcase_add_test(tcase, where_nothing_is_remembered_it_must_be_asked);
    tcase_add_test(tcase, checks_are_equal_that_ask_the_same_in_the_same_way);
    tcase_add_loop_test(tcase, a_rule_waits_for_the_answer_and_once_asked_no_more, 0, 2);
    tcase_add_test(tcase, who_need_not_be_verified_passes_as_somebody_who_is_not);
    tcase_add_test(tcase, a_handshake_that_alerts_goes_by_what_is_remembered);
    tcase_add_test(tcase, a_failure_that_is_remembered_is_left_to_the_request);
}

CHECK_MAIN("ocsp check", add_tests)
