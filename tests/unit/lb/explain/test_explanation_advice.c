/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/explain/explanation_advice.h"

#include <string.h>

#include "lb/explain/explanation.h"
#include "listeners/access/access.h"
#include "listeners/listener.h"
#include "tests/support/check_main.h"

/* What OpenSSL finds by itself, and what no handshake refuses for. */
static bool is_of_verification(enum refusal refusal)
{
    return refusal != REFUSAL_NONE && refusal != REFUSAL_MISSING && refusal != REFUSAL_TOO_LARGE &&
           refusal != REFUSAL_OCSP_UNAVAILABLE && refusal < REFUSAL_BLOCKED;
}

START_TEST(equal_errors_have_equal_alerts)
{
    for (enum refusal one = 0; one < REFUSAL_COUNT; one++) {
        if (!is_of_verification(one))
            continue;
        ck_assert_ptr_nonnull(explanation_alert(one, true));
        ck_assert_str_eq(explanation_alert(one, true), explanation_alert(one, false));
        for (enum refusal other = 0; other < one; other++)
            if (is_of_verification(other) && refusal_x509_error(one) == refusal_x509_error(other))
                ck_assert_str_eq(explanation_alert(one, true), explanation_alert(other, true));
    }
}
END_TEST

START_TEST(a_missing_certificate_has_its_own_alert_since_tls_1_3)
{
    ck_assert_str_eq(explanation_alert(REFUSAL_MISSING, true), "certificate_required");
    ck_assert_str_eq(explanation_alert(REFUSAL_MISSING, false), "handshake_failure");
}
END_TEST

START_TEST(what_no_handshake_refuses_for_has_no_alert)
{
    ck_assert_ptr_null(explanation_alert(REFUSAL_NONE, true));
    ck_assert_ptr_null(explanation_alert(REFUSAL_OCSP_UNAVAILABLE, true));
    ck_assert_ptr_null(explanation_alert(REFUSAL_BLOCKED, true));
    ck_assert_ptr_null(explanation_alert(REFUSAL_HOST_MISMATCH, true));
    ck_assert_ptr_null(explanation_alert(REFUSAL_MAX_CLIENTS, true));
}
END_TEST

static struct listener listener = {.name = "web"};
static struct question question = {.listener = &listener, .name = "www.example.com"};

START_TEST(whatever_a_client_is_refused_for_there_is_something_to_do)
{
    char said[EXPLANATION_ADVICE_BYTES], small[24];
    for (enum refusal refusal = REFUSAL_NONE + 1; refusal < REFUSAL_PROXY_HEADER_MISSING;
         refusal++) {
        const struct explanation explanation = {
            .question = &question,
            .decision = {.outcome = DECISION_REFUSED, .refusal = refusal},
            .result = EXPLANATION_REFUSED};
        ck_assert_msg(explanation_advice(&explanation, said, sizeof said), "%s: nothing",
                      refusal_name(refusal));
        ck_assert_msg(strlen(said) > 15 && !strchr(said, '$') && !strchr(said, '\n'), "%s: %s",
                      refusal_name(refusal), said);
        ck_assert(explanation_advice(&explanation, small, sizeof small));
        ck_assert_uint_lt(strlen(small), sizeof small);
    }
}
END_TEST

START_TEST(names_are_filled_in)
{
    char said[EXPLANATION_ADVICE_BYTES];
    const struct rule rule = {.name = "api"};
    struct explanation explanation = {
        .question = &question,
        .decision = {.outcome = DECISION_REFUSED, .rule = &rule, .refusal = REFUSAL_CRL_MISSING},
        .result = EXPLANATION_REFUSED};
    ck_assert(explanation_advice(&explanation, said, sizeof said));
    ck_assert_ptr_nonnull(strstr(said, "in client_crl of rule api;"));
    explanation.decision.rule = NULL;
    explanation.handshake_refusal = REFUSAL_UNKNOWN_NAME;
    ck_assert(explanation_advice(&explanation, said, sizeof said));
    ck_assert_ptr_nonnull(strstr(said, "listener web has no rule"));
}
END_TEST

/* A client without a certificate passes the rule: no CA of it would help. */
START_TEST(what_a_section_refuses_is_changed_in_the_section)
{
    static const enum decision_outcome outcomes[] = {DECISION_BLOCKED, DECISION_SENT_AWAY};
    char said[EXPLANATION_ADVICE_BYTES];
    const struct rule rule = {.name = "open"};
    const struct access_rule access = {.name = "plain", .line = 44};
    for (unsigned i = 0; i < 2; i++) {
        const struct explanation explanation = {.question = &question,
                                                .decision = {.outcome = outcomes[i],
                                                             .rule = &rule,
                                                             .access = &access,
                                                             .refusal = REFUSAL_MISSING},
                                                .result = EXPLANATION_REFUSED};
        ck_assert(explanation_advice(&explanation, said, sizeof said));
        ck_assert_msg(strstr(said, "[access plain] (line 44) ") && !strstr(said, "rule open"), "%s",
                      said);
    }
}
END_TEST

START_TEST(who_passes_needs_no_advice)
{
    char said[EXPLANATION_ADVICE_BYTES];
    const struct explanation explanation = {.question = &question, .result = EXPLANATION_PASSES};
    ck_assert(!explanation_advice(&explanation, said, sizeof said));
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, equal_errors_have_equal_alerts);
    tcase_add_test(tcase, a_missing_certificate_has_its_own_alert_since_tls_1_3);
    tcase_add_test(tcase, what_no_handshake_refuses_for_has_no_alert);
    tcase_add_test(tcase, whatever_a_client_is_refused_for_there_is_something_to_do);
    tcase_add_test(tcase, names_are_filled_in);
    tcase_add_test(tcase, what_a_section_refuses_is_changed_in_the_section);
    tcase_add_test(tcase, who_passes_needs_no_advice);
}

CHECK_MAIN("explanation_advice", add_tests)
