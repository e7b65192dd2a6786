/* SPDX-License-Identifier: Apache-2.0 */
/* What OpenSSL's verification finds, and under which name clients are refused for it. */
#include <openssl/x509_vfy.h>

#include "listeners/refusal.h"
#include "tests/support/check_main.h"

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
    tcase_add_loop_test(tcase, what_openssl_finds_has_its_name, 0,
                        (int)(sizeof findings / sizeof *findings));
}

CHECK_MAIN("refusal findings", add_tests)
