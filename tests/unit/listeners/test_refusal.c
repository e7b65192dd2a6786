/* SPDX-License-Identifier: Apache-2.0 */
/* Names are fixed for logs, pages and metrics; OpenSSL's results map to them and back to alerts. */
#include "listeners/refusal.h"

#include <openssl/x509_vfy.h>
#include <string.h>

#include "tests/support/check_main.h"

START_TEST(names_are_as_documented)
{
    static const char *const names[REFUSAL_COUNT] = {
        "none",
        "missing",
        "untrusted",
        "expired",
        "not-yet-valid",
        "bad-signature",
        "wrong-purpose",
        "chain-too-long",
        "too-large",
        "weak-key",
        "malformed",
        "unsupported-extension",
        "crl-revoked",
        "crl-expired",
        "crl-missing",
        "ocsp-revoked",
        "ocsp-unavailable",
        "not-registered",
        "not-activated",
        "revoked",
        "ca-disabled",
        "signup-limit",
        "not-allowed",
        "blocked",
        "host-mismatch",
        "unknown-name",
        "proxy-header-missing",
        "proxy-header-bad",
        "proxy-header-late",
        "max-clients",
    };
    for (int i = 0; i < REFUSAL_COUNT; i++)
        ck_assert_str_eq(refusal_name((enum refusal)i), names[i]);
}
END_TEST

/* Revoked is revoked, whichever way the CA says it. */
START_TEST(every_refusal_has_a_sentence_of_its_own)
{
    for (int i = 0; i < REFUSAL_COUNT; i++) {
        const char *sentence = refusal_sentence((enum refusal)i);
        ck_assert_int_eq(sentence[strlen(sentence) - 1], '.');
        for (int j = 0; j < i && i != REFUSAL_OCSP_REVOKED; j++)
            ck_assert_str_ne(sentence, refusal_sentence((enum refusal)j));
    }
}
END_TEST

START_TEST(only_ok_is_no_refusal)
{
    ck_assert_int_eq(refusal_of_x509(X509_V_OK), REFUSAL_NONE);
    for (int error = 1; error < 200; error++)
        ck_assert_int_ne(refusal_of_x509(error), REFUSAL_NONE);
    ck_assert_int_ne(refusal_of_x509(-1), REFUSAL_NONE);
}
END_TEST

START_TEST(no_refusal_is_told_to_openssl_as_ok)
{
    ck_assert_int_eq(refusal_x509_error(REFUSAL_NONE), X509_V_OK);
    for (int i = REFUSAL_NONE + 1; i < REFUSAL_COUNT; i++)
        ck_assert_int_ne(refusal_x509_error((enum refusal)i), X509_V_OK);
}
END_TEST

START_TEST(a_refusal_found_by_verification_survives_the_way_back)
{
    static const enum refusal found[] = {REFUSAL_UNTRUSTED,      REFUSAL_EXPIRED,
                                         REFUSAL_NOT_YET_VALID,  REFUSAL_WRONG_PURPOSE,
                                         REFUSAL_CHAIN_TOO_LONG, REFUSAL_WEAK_KEY};
    for (size_t i = 0; i < sizeof found / sizeof *found; i++)
        ck_assert_int_eq(refusal_of_x509(refusal_x509_error(found[i])), found[i]);
}
END_TEST

// clang-format off
static const struct {
    int x509_error;
    const char *name;
} findings[] = {
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "untrusted"},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "untrusted"},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "untrusted"},
    {X509_V_ERR_INVALID_CA, "untrusted"},
    {X509_V_ERR_KEYUSAGE_NO_CERTSIGN, "untrusted"},
    {X509_V_ERR_PERMITTED_VIOLATION, "untrusted"},
    {X509_V_ERR_EXCLUDED_VIOLATION, "untrusted"},
    {X509_V_ERR_UNSPECIFIED, "untrusted"},
    {X509_V_ERR_OUT_OF_MEM, "untrusted"},
    {X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, "unsupported-extension"},
    {X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE, "unsupported-extension"},
    {X509_V_ERR_PROXY_CERTIFICATES_NOT_ALLOWED, "unsupported-extension"},
    {X509_V_ERR_INVALID_EXTENSION, "malformed"},
    {X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD, "malformed"},
    {X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD, "malformed"},
    {X509_V_ERR_UNSUPPORTED_NAME_SYNTAX, "malformed"},
    {X509_V_ERR_EC_KEY_EXPLICIT_PARAMS, "malformed"},
    {X509_V_ERR_UNSUPPORTED_SIGNATURE_ALGORITHM, "weak-key"},
    {X509_V_ERR_CA_MD_TOO_WEAK, "weak-key"},
    {X509_V_ERR_CERT_REVOKED, "crl-revoked"},
};
// clang-format on

START_TEST(what_openssl_finds_has_its_name)
{
    ck_assert_str_eq(refusal_name(refusal_of_x509(findings[_i].x509_error)), findings[_i].name);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, names_are_as_documented);
    tcase_add_test(tcase, every_refusal_has_a_sentence_of_its_own);
    tcase_add_test(tcase, only_ok_is_no_refusal);
    tcase_add_test(tcase, no_refusal_is_told_to_openssl_as_ok);
    tcase_add_test(tcase, a_refusal_found_by_verification_survives_the_way_back);
    tcase_add_loop_test(tcase, what_openssl_finds_has_its_name, 0,
                        (int)(sizeof findings / sizeof *findings));
}

CHECK_MAIN("refusal", add_tests)
