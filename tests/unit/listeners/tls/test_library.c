/* SPDX-License-Identifier: Apache-2.0 */
/* Library contexts with less in them: nothing that TLS or certificates of clients need may be
 * missing, and what the operator has configured goes first. */
#include "listeners/tls/library.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/tls_cast.h"

/* What is offered */

static SSL_CTX *context_in(OSSL_LIB_CTX *library)
{
    SSL_CTX *tls = SSL_CTX_new_ex(library, NULL, TLS_server_method());
    ck_assert_ptr_nonnull(tls);
    SSL_CTX_set_security_level(tls, 0);
    return tls;
}

START_TEST(every_cipher_of_openssl_can_be_chosen)
{
    SSL_CTX *whole = context_in(NULL);
    SSL_CTX *narrow = context_in(tls_library_for_handshakes());
    ck_assert_int_eq(SSL_CTX_set_cipher_list(whole, "ALL:COMPLEMENTOFALL"), 1);
    ck_assert_int_eq(SSL_CTX_set_cipher_list(narrow, "ALL:COMPLEMENTOFALL"), 1);
    STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(whole);
    STACK_OF(SSL_CIPHER) *found = SSL_CTX_get_ciphers(narrow);
    ck_assert_int_gt(sk_SSL_CIPHER_num(all), 30);
    ck_assert_int_eq(sk_SSL_CIPHER_num(found), sk_SSL_CIPHER_num(all));
    for (int i = 0; i < sk_SSL_CIPHER_num(all); i++)
        ck_assert_str_eq(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(found, i)),
                         SSL_CIPHER_get_name(sk_SSL_CIPHER_value(all, i)));
    SSL_CTX_free(whole);
    SSL_CTX_free(narrow);
}
END_TEST

/* clang-format off */
static const char *const groups[] = {"X25519", "X448", "P-256", "P-384", "P-521", "brainpoolP256r1",
                                     "ffdhe2048", "ffdhe8192"};
/* clang-format on */

START_TEST(every_group_can_be_chosen_and_has_a_key)
{
    SSL_CTX *narrow = context_in(tls_library_for_handshakes());
    ck_assert_msg(SSL_CTX_set1_groups_list(narrow, groups[_i]) == 1, "%s", groups[_i]);
    SSL_CTX_free(narrow);
}
END_TEST

static const char *const signatures[] = {
    "ecdsa_secp256r1_sha256",
    "ecdsa_secp384r1_sha384",
    "ecdsa_secp521r1_sha512",
    "ed25519",
    "ed448",
    "rsa_pss_rsae_sha256",
    "rsa_pss_pss_sha512",
    "rsa_pkcs1_sha384",
    "RSA+SHA1",
};

START_TEST(every_signature_can_be_chosen)
{
    SSL_CTX *narrow = context_in(tls_library_for_handshakes());
    ck_assert_msg(SSL_CTX_set1_sigalgs_list(narrow, signatures[_i]) == 1, "%s", signatures[_i]);
    SSL_CTX_free(narrow);
}
END_TEST

START_TEST(what_openssl_itself_does_quickly_is_left_to_it)
{
    bool is_slow = OpenSSL_version_num() < 0x30200000;
    ck_assert_int_eq(tls_library_for_handshakes() != NULL, is_slow);
    ck_assert_int_eq(tls_library_for_certificates() != NULL, is_slow);
}
END_TEST

/* Certificates */

static const char *const kinds[] = {"RSA", "RSA-PSS", "EC", "ED25519", "ED448", "SM2", "X25519"};

static EVP_PKEY *key_of_kind(const char *kind)
{
    if (strcmp(kind, "EC") == 0)
        return EVP_EC_gen("P-521");
    if (strcmp(kind, "RSA") == 0)
        return EVP_RSA_gen(2048);
    EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
    EVP_PKEY *key = NULL;
    ck_assert_ptr_nonnull(maker);
    ck_assert_int_eq(EVP_PKEY_keygen_init(maker), 1);
    ck_assert_int_eq(EVP_PKEY_keygen(maker, &key), 1);
    EVP_PKEY_CTX_free(maker);
    return key;
}

/* As TLS reads them. */
static X509 *received(const X509 *certificate)
{
    unsigned char *der = NULL;
    int length = i2d_X509((X509 *)certificate, &der);
    const unsigned char *at = der;
    X509 *bare = X509_new_ex(tls_library_for_handshakes(), NULL);
    ck_assert_ptr_nonnull(d2i_X509(&bare, &at, length));
    OPENSSL_free(der);
    return bare;
}

START_TEST(a_certificate_of_any_kind_of_key_is_read_with_its_key)
{
    EVP_PKEY *key = key_of_kind(kinds[_i]);
    struct made *ca = made_ca("CA");
    struct made *made = made_certificate(
        &(struct certificate_wish){.name = kinds[_i], .issuer = ca, .reuse_key = key});
    STACK_OF(X509) *chain = sk_X509_new_null();
    sk_X509_push(chain, received(made->certificate));
    sk_X509_push(chain, received(ca->certificate));
    STACK_OF(X509) *whole = tls_library_read_chain(chain);
    ck_assert_ptr_nonnull(whole);
    ck_assert_int_eq(sk_X509_num(whole), 2);
    X509 *leaf = sk_X509_value(whole, 0);
    ck_assert_int_eq(X509_cmp(leaf, made->certificate), 0);
    ck_assert_ptr_nonnull(X509_get0_pubkey(leaf));
    ck_assert_int_eq(EVP_PKEY_eq(X509_get0_pubkey(leaf), key), 1);
    ck_assert_int_eq(X509_verify(leaf, X509_get0_pubkey(sk_X509_value(whole, 1))), 1);
    ck_assert_int_eq(X509_verify(leaf, ca->key), 1);
    sk_X509_pop_free(chain, X509_free);
    sk_X509_pop_free(whole, X509_free);
    made_free(made);
    made_free(ca);
    EVP_PKEY_free(key);
}
END_TEST

START_TEST(a_certificate_arrives_without_its_key_where_decoding_it_is_slow)
{
    struct made *ca = made_ca("CA");
    X509 *bare = received(ca->certificate);
    ck_assert_int_eq(X509_get0_pubkey(bare) == NULL, tls_library_for_handshakes() != NULL);
    X509_free(bare);
    made_free(ca);
}
END_TEST

/* Handshakes: twice, so that the second client is known */

enum { SIGNING_KINDS = 5 }; /* of kinds[], what a client can sign with under TLS */

START_TEST(a_client_of_any_kind_of_key_is_let_in)
{
    const char *kind = kinds[_i % SIGNING_KINDS];
    int version = versions[_i / SIGNING_KINDS];
    struct cast cast;
    cast_open(&cast);
    EVP_PKEY *key = key_of_kind(kind);
    struct made *client = made_certificate(&(struct certificate_wish){
        .name = "client", .issuer = cast.ca, .usage = "clientAuth", .reuse_key = key});
    cast.stage.options.groups = "X25519:P-256:P-521"; /* TLS 1.2 holds EC keys to them */
    stage_rule(&cast.stage, "", AUTH_REQUIRE, cast.set, REFUSE_ALERT);
    stage_start(&cast.stage);
    for (int i = 0; i < 2; i++) {
        struct meeting meeting;
        meet(&cast.stage, &(struct wish){.certificate = client, .version = version}, &meeting);
        ck_assert_msg(meeting.let_in, "%s: %s", kind, refusal_name(meeting.refusal));
        part(&meeting);
    }
    made_free(client);
    EVP_PKEY_free(key);
    cast_close(&cast);
}
END_TEST

static const char *const suites[] = {
    "ECDHE-ECDSA-CHACHA20-POLY1305",  "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-ECDSA-AES256-SHA384",      "ECDHE-ECDSA-AES256-CCM8",
    "ECDHE-ECDSA-CAMELLIA128-SHA256", "ECDHE-ECDSA-ARIA256-GCM-SHA384"};

START_TEST(a_handshake_works_with_each_form_of_cipher)
{
    struct cast cast;
    char ciphers[64];
    cast_open(&cast);
    snprintf(ciphers, sizeof ciphers, "%s:@SECLEVEL=0", suites[_i]);
    cast.stage.options.ciphers = ciphers;
    stage_rule(&cast.stage, "", AUTH_REQUIRE, cast.set, REFUSE_ALERT);
    stage_start(&cast.stage);
    ck_assert_ptr_nonnull(cast.stage.context);
    struct handshake handshake;
    SSL *server = handshake_begin(cast.stage.context, &handshake);
    ck_assert_str_eq(SSL_get_cipher_list(server, 3), suites[_i]); /* behind those of TLS 1.3 */
    SSL_CTX *other = SSL_CTX_new(TLS_client_method());
    SSL *client = SSL_new(other);
    SSL_set_security_level(client, 0);
    SSL_set_max_proto_version(client, TLS1_2_VERSION);
    ck_assert_int_eq(SSL_set_cipher_list(client, suites[_i]), 1);
    ck_assert_int_eq(
        SSL_use_cert_and_key(client, cast.alice->certificate, cast.alice->key, NULL, 1), 1);
    BIO *near = NULL;
    BIO *far = NULL;
    ck_assert_int_eq(BIO_new_bio_pair(&near, 0, &far, 0), 1);
    SSL_set_bio(server, near, near);
    SSL_set_bio(client, far, far);
    SSL_set_connect_state(client);
    for (int i = 0; i < 8; i++) {
        SSL_do_handshake(client);
        SSL_do_handshake(server);
    }
    ck_assert(SSL_is_init_finished(client) && SSL_is_init_finished(server));
    ck_assert_str_eq(SSL_get_cipher(server), suites[_i]);
    char bytes[8] = "";
    ck_assert_int_eq(SSL_write(client, "hello", 5), 5);
    ck_assert_int_eq(SSL_read(server, bytes, sizeof bytes), 5);
    ck_assert_str_eq(bytes, "hello");
    SSL_free(server);
    handshake_done(&handshake);
    SSL_free(client);
    SSL_CTX_free(other);
    cast_close(&cast);
}
END_TEST

/* The operator's openssl.cnf */

struct said {
    const char *section; /* of what openssl_conf names */
    bool leaves_room;    /* for contexts of our own */
};

static const struct said said[] = {
    {"ssl_conf = ssl\n[ssl]\nsystem_default = d\n[d]\nMinProtocol = TLSv1.2\n", true},
    {"providers = p\n[p]\ndefault = d\n[d]\nactivate = 1\n", true},
    {"providers = p\n[p]\ndefault = d\nlegacy = d\n[d]\nactivate = 1\n", false},
    {"providers = p\n[p]\nbase = d\ndefault = d\n[d]\nactivate = 1\n", false},
    {"alg_section = a\n[a]\ndefault_properties = ?provider=default\n", false},
    {"random = r\n[r]\nrandom = HASH-DRBG\n", false},
};

/* Each test is a process of its own: OpenSSL reads the file when it is first used in it. */
START_TEST(what_the_operator_has_configured_goes_first)
{
    struct folder folder;
    char text[512];
    folder_make(&folder);
    snprintf(text, sizeof text, "openssl_conf = init\n[init]\n%s", said[_i].section);
    folder_write(&folder, "openssl.cnf", text);
    setenv("OPENSSL_CONF", folder_file(&folder, "openssl.cnf"), 1);
    bool may_be = said[_i].leaves_room && OpenSSL_version_num() < 0x30200000;
    ck_assert_int_eq(tls_library_for_handshakes() != NULL, may_be);
    ck_assert_int_eq(tls_library_for_certificates() != NULL, may_be);
    folder_remove(&folder);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, what_the_operator_has_configured_goes_first, 0, COUNT(said));
    tcase_add_test(tcase, every_cipher_of_openssl_can_be_chosen);
    tcase_add_loop_test(tcase, every_group_can_be_chosen_and_has_a_key, 0, COUNT(groups));
    tcase_add_loop_test(tcase, every_signature_can_be_chosen, 0, COUNT(signatures));
    tcase_add_test(tcase, what_openssl_itself_does_quickly_is_left_to_it);
    tcase_add_loop_test(tcase, a_certificate_of_any_kind_of_key_is_read_with_its_key, 0,
                        COUNT(kinds));
    tcase_add_test(tcase, a_certificate_arrives_without_its_key_where_decoding_it_is_slow);
    tcase_add_loop_test(tcase, a_client_of_any_kind_of_key_is_let_in, 0, 2 * SIGNING_KINDS);
    tcase_add_loop_test(tcase, a_handshake_works_with_each_form_of_cipher, 0, COUNT(suites));
}

CHECK_MAIN("library", add_tests)
