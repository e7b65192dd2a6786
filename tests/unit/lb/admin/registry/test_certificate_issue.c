/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in CA and what it signs, as a command has it done: in its own process. */
#include <openssl/pem.h>
#include <unistd.h>

#include "listeners/registry/issuer.h"
#include "tests/unit/lb/admin/registry/registry_stage.h"

static struct registry_stage stage;

static void begin(void)
{
    stage_begin(&stage);
}

static void end(void)
{
    stage_end(&stage);
}

static X509 *read_certificate(const char *way)
{
    BIO *bio = BIO_new_mem_buf(stage_text(&stage, way), -1);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    ck_assert_ptr_nonnull(certificate);
    return certificate;
}

static EVP_PKEY *read_key(const char *way)
{
    BIO *bio = BIO_new_mem_buf(stage_text(&stage, way), -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    ck_assert_ptr_nonnull(key);
    return key;
}

/* "pem" is signed by "chain_pem". */
static void expect_signed(void)
{
    X509 *certificate = read_certificate("pem"), *ca = read_certificate("chain_pem");
    ck_assert_int_eq(X509_verify(certificate, X509_get0_pubkey(ca)), 1);
    X509_free(certificate);
    X509_free(ca);
}

START_TEST(the_builtin_ca_is_made_once)
{
    stage_expect(&stage, 201, "POST", "/v1/cas/builtin",
                 json_pack("{s:s, s:s, s:i}", "common_name", "Our CA", "key", "p384", "days", 100));
    ck_assert_str_eq(stage_text(&stage, "ca.name"), "builtin");
    ck_assert(json_is_true(stage_at(&stage, "ca.builtin")));
    ck_assert_ptr_nonnull(strstr(stage_text(&stage, "ca.subject"), "CN=Our CA"));
    stage_refused(&stage, 409, "exists", "CN=Our CA", "POST", "/v1/cas/builtin", NULL);
    stage_expect(&stage, 200, "GET", "/v1/cas/builtin", NULL);
    stage_call(&stage, "DELETE", "/v1/cas/builtin", NULL);
    ck_assert_str_eq(stage_text(&stage, "error.reason"), "illegal-state");
}
END_TEST

START_TEST(a_certificate_is_issued_with_its_key)
{
    stage_expect(&stage, 201, "POST", "/v1/certificates",
                 json_pack("{s:s, s:s, s:[s], s:i, s:s, s:s}", "common_name", "alice", "unit",
                           "sales", "names", "dns:alice.example.com", "validity_days", 10,
                           "pkey_type", "ed25519", "client_id", "device-1"));
    X509 *certificate = read_certificate("pem");
    EVP_PKEY *key = read_key("private_key");
    ck_assert_int_eq(X509_check_private_key(certificate, key), 1);
    ck_assert_int_eq(EVP_PKEY_id(key), EVP_PKEY_ED25519);
    expect_signed();
    ck_assert_str_eq(stage_text(&stage, "certificate.common_name"), "alice");
    ck_assert_str_eq(stage_text(&stage, "certificate.unit"), "sales");
    ck_assert_str_eq(stage_text(&stage, "certificate.client_id"), "device-1");
    ck_assert_str_eq(stage_text(&stage, "certificate.source"), "issued");
    ck_assert_str_eq(stage_text(&stage, "certificate.ca_name"), "builtin");
    ck_assert_str_eq(stage_text(&stage, "certificate.status"), "ACTIVATED");
    ck_assert_str_eq(stage_text(&stage, "signature_algorithm"), "ecdsa-with-SHA256");
    stage_expect(&stage, 200, "GET", "/v1/certificates?source=issued", NULL);
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "certificates")), 1);
    ck_assert_ptr_null(stage_at(&stage, "certificates.0.private_key"));
    X509_free(certificate);
    EVP_PKEY_free(key);
}
END_TEST

START_TEST(a_csr_keeps_its_key_to_itself)
{
    struct error err = {""};
    const struct issue_wish wish = {.common_name = "bob"};
    EVP_PKEY *key = key_make(KEY_P256);
    X509_REQ *request = issue_request(key, &wish, &err);
    ck_assert_msg(request, "%s", err.text);
    BIO *bio = BIO_new(BIO_s_mem());
    char *pem;
    PEM_write_bio_X509_REQ(bio, request);
    BIO_write(bio, "", 1);
    BIO_get_mem_data(bio, &pem);
    stage_expect(&stage, 201, "POST", "/v1/certificates",
                 json_pack("{s:s, s:b}", "csr", pem, "activate", 0));
    ck_assert_ptr_null(stage_at(&stage, "private_key"));
    ck_assert_str_eq(stage_text(&stage, "certificate.common_name"), "bob");
    ck_assert_str_eq(stage_text(&stage, "certificate.status"), "REGISTERED");
    expect_signed();
    BIO_free(bio);
    X509_REQ_free(request);
    EVP_PKEY_free(key);
}
END_TEST

START_TEST(a_disabled_builtin_ca_issues_nothing)
{
    stage_expect(&stage, 201, "POST", "/v1/cas/builtin", NULL);
    stage_expect(&stage, 200, "POST", "/v1/cas/builtin/disable", NULL);
    stage_refused(&stage, 409, "ca-disabled", "builtin", "POST", "/v1/certificates",
                  json_pack("{s:s}", "common_name", "alice"));
    stage_expect(&stage, 200, "GET", "/v1/certificates?count", NULL);
    ck_assert_int_eq(stage_number(&stage, "count"), 0);
}
END_TEST

START_TEST(a_ca_that_cannot_be_used_is_told)
{
    stage_expect(&stage, 201, "POST", "/v1/cas/builtin", NULL);
    folder_write(&stage.folder, "ca.key", "no key\n");
    stage_call(&stage, "POST", "/v1/certificates", json_pack("{s:s}", "common_name", "alice"));
    ck_assert_str_eq(stage_text(&stage, "error.reason"), "not-issued");
    ck_assert_ptr_nonnull(strstr(stage_text(&stage, "error.text"), "ca.key"));
}
END_TEST

static void remove_file(const char *name)
{
    ck_assert_int_eq(unlink(folder_file(&stage.folder, name)), 0);
}

static void expect_audit(const char *action)
{
    stage_expect(&stage, 200, "GET", "/v1/audit?limit=1", NULL);
    ck_assert_str_eq(stage_text(&stage, "changes.0.action"), action);
}

static void expect_not_issued(unsigned status, const char *part)
{
    stage_refused(&stage, status, "not-issued", part, "POST", "/v1/certificates",
                  json_pack("{s:s}", "common_name", "alice"));
}

/* Only whoever says so takes over a CA of which nobody knows any more whom it was revoked. */
START_TEST(a_ca_without_its_registry_is_taken_over_only_if_that_is_said)
{
    stage_expect(&stage, 201, "POST", "/v1/cas/builtin", NULL);
    ck_assert_ptr_null(stage_at(&stage, "adopted"));
    expect_audit("ca.create");
    remove_file("registry.db");
    expect_not_issued(503, "of a registry that is not there any more");
    ck_assert_int_ne(access(folder_file(&stage.folder, "registry.db"), F_OK), 0);
    stage_expect(&stage, 201, "POST", "/v1/cas/builtin", NULL);
    ck_assert(json_is_true(stage_at(&stage, "adopted")));
    ck_assert_ptr_nonnull(strstr(stage_text(&stage, "warnings.0"), "revoked"));
    expect_audit("ca.adopt");
    stage_expect(&stage, 201, "POST", "/v1/certificates",
                 json_pack("{s:s}", "common_name", "alice"));
}
END_TEST

START_TEST(a_known_ca_without_its_files_is_replaced_only_if_that_is_said)
{
    stage_expect(&stage, 201, "POST", "/v1/cas/builtin", NULL);
    char id[CA_ID_LENGTH + 1];
    snprintf(id, sizeof id, "%s", stage_text(&stage, "ca.id"));
    remove_file("ca.crt");
    remove_file("ca.key");
    expect_not_issued(503, "is known, but ca.crt and ca.key are not in");
    stage_refused(&stage, 409, "not-issued", "lb ca create --replace", "POST", "/v1/cas/builtin",
                  NULL);
    ck_assert_int_ne(access(folder_file(&stage.folder, "ca.key"), F_OK), 0);
    stage_expect(&stage, 201, "POST", "/v1/cas/builtin", json_pack("{s:b}", "replace", 1));
    ck_assert(json_is_true(stage_at(&stage, "replaced")));
    ck_assert_ptr_nonnull(strstr(stage_text(&stage, "warnings.0"), id));
    ck_assert_str_ne(stage_text(&stage, "ca.id"), id);
    expect_audit("ca.replace");
    stage_expect(&stage, 201, "POST", "/v1/certificates",
                 json_pack("{s:s}", "common_name", "alice"));
    expect_signed();
}
END_TEST

/* As a kill leaves it that comes after the store was told. */
START_TEST(a_certificate_that_only_the_store_has_is_put_back)
{
    stage_expect(&stage, 201, "POST", "/v1/cas/builtin", NULL);
    char *before = folder_read(&stage.folder, "ca.crt");
    remove_file("ca.crt");
    stage_expect(&stage, 201, "POST", "/v1/certificates",
                 json_pack("{s:s}", "common_name", "alice"));
    expect_signed();
    char *after = folder_read(&stage.folder, "ca.crt");
    ck_assert_str_eq(before, after);
    free(before);
    free(after);
}
END_TEST

START_TEST(more_days_than_the_ca_has_are_refused)
{
    stage_expect(&stage, 201, "POST", "/v1/cas/builtin", json_pack("{s:i}", "days", 30));
    stage_refused(&stage, 422, "not-issued", "", "POST", "/v1/certificates",
                  json_pack("{s:s, s:i}", "common_name", "alice", "days", 31));
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, the_builtin_ca_is_made_once);
    tcase_add_test(tcase, a_certificate_is_issued_with_its_key);
    tcase_add_test(tcase, a_csr_keeps_its_key_to_itself);
    tcase_add_test(tcase, a_disabled_builtin_ca_issues_nothing);
    tcase_add_test(tcase, a_ca_that_cannot_be_used_is_told);
    tcase_add_test(tcase, a_ca_without_its_registry_is_taken_over_only_if_that_is_said);
    tcase_add_test(tcase, a_known_ca_without_its_files_is_replaced_only_if_that_is_said);
    tcase_add_test(tcase, a_certificate_that_only_the_store_has_is_put_back);
    tcase_add_test(tcase, more_days_than_the_ca_has_are_refused);
}

CHECK_MAIN("certificate issue", add_tests)
