/* SPDX-License-Identifier: Apache-2.0 */
/* What kinds of keys are called, and that the right ones are made. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "listeners/registry/issuer.h"
#include "tests/support/check_main.h"

static const struct {
    const char *name;
    enum key_kind kind;
} known[] = {
    {"p256", KEY_P256},        {"P-256", KEY_P256},       {"EC", KEY_P256},
    {"ecc", KEY_P256},         {"ec-p256", KEY_P256},     {"ECDSA_P256", KEY_P256},
    {"prime256v1", KEY_P256},  {"secp256r1", KEY_P256},   {"p384", KEY_P384},
    {"ec:p384", KEY_P384},     {"secp384r1", KEY_P384},   {"RSA", KEY_RSA2048},
    {"rsa:2048", KEY_RSA2048}, {"RSA-2048", KEY_RSA2048}, {"rsa2048", KEY_RSA2048},
    {"rsa 3072", KEY_RSA3072}, {"RSA_4096", KEY_RSA4096}, {"Ed25519", KEY_ED25519},
    {"ED-25519", KEY_ED25519},
};
static const char *const unknown[] = {
    "",          "rsa1024", "rsa:",  ":rsa",
    "rsa::2048", "p521",    "dsa",   "ed448",
    "rsa2048x",  "-p256",   "p256 ", "a name that is much longer than any kind of key",
};

START_TEST(a_kind_is_known_by_what_people_call_it)
{
    enum key_kind kind = KEY_KIND_COUNT;
    ck_assert_msg(key_kind_parse(known[_i].name, &kind), "%s", known[_i].name);
    ck_assert_int_eq(kind, known[_i].kind);
}
END_TEST

START_TEST(what_is_no_kind_is_none)
{
    enum key_kind kind = KEY_KIND_COUNT;
    ck_assert_msg(!key_kind_parse(unknown[_i], &kind), "%s", unknown[_i]);
    ck_assert_int_eq(kind, KEY_KIND_COUNT);
}
END_TEST

START_TEST(every_kind_is_made_known_again_and_written)
{
    enum key_kind kind = KEY_KIND_COUNT;
    EVP_PKEY *key = key_make((enum key_kind)_i);
    ck_assert_ptr_nonnull(key);
    ck_assert(key_kind_of(key, &kind));
    ck_assert_int_eq(kind, (enum key_kind)_i);
    ck_assert(key_kind_parse(key_kind_name(kind), &kind));
    ck_assert_int_eq(kind, (enum key_kind)_i);
    char *pem = key_pem_text(key);
    ck_assert_int_eq(strncmp(pem, "-----BEGIN PRIVATE KEY-----\n", 28), 0);
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *again = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    ck_assert_int_eq(EVP_PKEY_eq(key, again), 1);
    BIO_free(bio);
    free(pem);
    EVP_PKEY_free(again);
    EVP_PKEY_free(key);
}
END_TEST

START_TEST(a_key_of_another_kind_is_of_none)
{
    enum key_kind kind = KEY_KIND_COUNT;
    EVP_PKEY *key = EVP_EC_gen("P-521");
    ck_assert(!key_kind_of(key, &kind));
    EVP_PKEY_free(key);
    key = EVP_RSA_gen(1024);
    ck_assert(!key_kind_of(key, &kind));
    EVP_PKEY_free(key);
    key = EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
    ck_assert(!key_kind_of(key, &kind));
    EVP_PKEY_free(key);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, a_kind_is_known_by_what_people_call_it, 0,
                        sizeof known / sizeof *known);
    tcase_add_loop_test(tcase, what_is_no_kind_is_none, 0, sizeof unknown / sizeof *unknown);
    tcase_add_loop_test(tcase, every_kind_is_made_known_again_and_written, 0, KEY_KIND_COUNT);
    tcase_add_test(tcase, a_key_of_another_kind_is_of_none);
}

CHECK_MAIN("key kind", add_tests)
