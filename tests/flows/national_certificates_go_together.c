/* SPDX-License-Identifier: Apache-2.0 */
/*
 * National (SM2) certificates: an OpenSSL that has RFC 8998 serves them, an older one makes
 * `lb check` say what is missing; and the two sides of a domain are of one kind.
 */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "listeners/tls/sm2.h"
#include "tests/support/cast.h"
#include "tests/support/check_main.h"

/* clang-format off */
#define LISTENER(server, ca) \
    "[listener web]\naddress = 127.0.0.1:@web\ncertificate = " server ".crt\n" \
    "certificate_key = " server ".key\nmutual_auth = require\nclient_ca = " ca ".crt\n"
#define RULE "[rule all]\nlistener = web\nrespond = 200 seen\n"
/* clang-format on */

static struct scene scene;

/* --- making them ----------------------------------------------------------------------------- */

struct national {
    EVP_PKEY *key;
    X509 *certificate;
};

static EVP_PKEY *make_key(void)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);
    ck_assert(context && EVP_PKEY_keygen_init(context) == 1);
    ck_assert_int_eq(EVP_PKEY_keygen(context, &key), 1);
    EVP_PKEY_CTX_free(context);
    return key;
}

static X509_NAME *make_name(const char *common_name)
{
    X509_NAME *name = X509_NAME_new();
    ck_assert_int_eq(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                                (const unsigned char *)common_name, -1, -1, 0),
                     1);
    return name;
}

/* issuer NULL: a CA, signed by itself. */
static struct national make(const char *common_name, const struct national *issuer)
{
    struct national made = {make_key(), X509_new()};
    X509_NAME *name = make_name(common_name);
    X509_set_version(made.certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), issuer ? 2 : 1);
    X509_gmtime_adj(X509_getm_notBefore(made.certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(made.certificate), 86400);
    X509_set_subject_name(made.certificate, name);
    X509_set_issuer_name(made.certificate,
                         issuer ? X509_get_subject_name(issuer->certificate) : name);
    X509_set_pubkey(made.certificate, made.key);
    BASIC_CONSTRAINTS constraints = {.ca = issuer ? 0 : 1};
    X509_add1_ext_i2d(made.certificate, NID_basic_constraints, &constraints, 1, 0);
    ck_assert_int_gt(X509_sign(made.certificate, issuer ? issuer->key : made.key, EVP_sm3()), 0);
    X509_NAME_free(name);
    return made;
}

static void write_national(const char *name, const struct national *made)
{
    char file[64];
    snprintf(file, sizeof file, "%s.crt", name);
    FILE *out = fopen(folder_file(&scene.folder, file), "w");
    ck_assert(out && PEM_write_X509(out, made->certificate) == 1);
    fclose(out);
    snprintf(file, sizeof file, "%s.key", name);
    out = fopen(folder_file(&scene.folder, file), "w");
    ck_assert(out && PEM_write_PrivateKey(out, made->key, NULL, NULL, 0, NULL, NULL) == 1);
    fclose(out);
}

static void national_free(struct national *made)
{
    EVP_PKEY_free(made->key);
    X509_free(made->certificate);
}

static void begin(void)
{
    scene_begin(&scene);
    cast_write(&scene);
    struct national ca = make("National CA", NULL);
    struct national server = make("www.example.com", &ca), client = make("wei", &ca);
    write_national("sm-ca", &ca);
    write_national("sm-server", &server);
    write_national("wei", &client);
    national_free(&ca);
    national_free(&server);
    national_free(&client);
}

static void end(void)
{
    scene_end(&scene);
}

/* --- stories --------------------------------------------------------------------------------- */

/* The check's first line has all of these. */
static void must_be_refused(const char *ini, const char *what, const char *why)
{
    struct text said = {0};
    ck_assert_int_eq(scene_check(&scene, ini, &said), 1);
    ck_assert_msg(strstr(said.bytes, what) && strstr(said.bytes, why), "%s", said.bytes);
    text_done(&said);
}

START_TEST(an_openssl_without_them_says_what_is_missing)
{
    if (sm2_is_offered())
        return;
    must_be_refused(LISTENER("sm-server", "sm-ca") RULE, "sm-server.crt has an SM2 key",
                    "needs OpenSSL 4.0 or newer");
    must_be_refused(LISTENER("server", "sm-ca") RULE,
                    "client_ca of listener web: the CA CN=National CA has an SM2 key",
                    "needs OpenSSL 4.0 or newer");
}
END_TEST

START_TEST(of_several_client_cas_the_one_that_is_meant_is_named)
{
    if (sm2_is_offered())
        return;
    must_be_refused(LISTENER("server", "ca") "client_ca = sm-ca.crt\n" RULE, "lb.ini:11: error",
                    "client_ca of listener web: the CA CN=National CA");
    must_be_refused(LISTENER("server", "sm-ca") RULE "mutual_auth = require\nclient_ca = ca.crt\n"
                                                     "client_ca = sm-ca.crt\n",
                    "lb.ini:16: error", "client_ca of rule all (line 11): the CA CN=National CA");
}
END_TEST

START_TEST(a_national_server_certificate_wants_national_client_cas)
{
    if (!sm2_is_offered())
        return;
    must_be_refused(LISTENER("sm-server", "ca") RULE, "is no SM2 CA", "sm-server.crt of rule all");
    must_be_refused(LISTENER("sm-server", "sm-ca") "client_ca = ca.crt\n" RULE,
                    "client_ca of listener web: the CA ", "is no SM2 CA");
    must_be_refused(LISTENER("sm-server", "sm-ca") "tls_versions = 1.2\n" RULE, "TLS 1.3 only",
                    "add 1.3");
}
END_TEST

static void must_be_served(const char *ciphersuite)
{
    struct peer peer;
    struct answer answer;
    peer_connect(&peer, scene_port(&scene, "web"));
    ck_assert(
        peer_handshake(&peer, WISH(&scene, .who = "wei", .trust = "sm-ca", .groups = "curveSM2",
                                   .sigalgs = "sm2sig_sm3", .suites = ciphersuite)));
    ck_assert(peer_say(&peer, "GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n"));
    ck_assert(peer_read_answer(&peer, "GET", &answer));
    ck_assert_uint_eq(answer.status, 200);
    answer_done(&answer);
    peer_close(&peer);
}

START_TEST(an_openssl_with_them_serves_clients_of_rfc_8998)
{
    if (!sm2_is_offered())
        return;
    scene_start(&scene, LISTENER("sm-server", "sm-ca") RULE);
    must_be_served("TLS_SM4_GCM_SM3");
    must_be_served("TLS_AES_128_GCM_SHA256");
    scene_stop(&scene);
}
END_TEST

/* What clients of other kinds need comes from a second server certificate. */
START_TEST(beside_another_server_certificate_both_kinds_of_clients_come_in)
{
    if (!sm2_is_offered())
        return;
    scene_start(&scene, LISTENER("sm-server", "sm-ca") "client_ca = ca.crt\n"
                                                       "certificate = server.crt\n"
                                                       "certificate_key = server.key\n" RULE);
    must_be_served("TLS_SM4_GCM_SM3");
    struct peer peer;
    ck_assert(peer_connect_tls(&peer, scene_port(&scene, "web"),
                               WISH(&scene, .who = "alice", .trust = "ca")));
    peer_close(&peer);
    scene_stop(&scene);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, an_openssl_without_them_says_what_is_missing);
    tcase_add_test(tcase, of_several_client_cas_the_one_that_is_meant_is_named);
    tcase_add_test(tcase, a_national_server_certificate_wants_national_client_cas);
    tcase_add_test(tcase, an_openssl_with_them_serves_clients_of_rfc_8998);
    tcase_add_test(tcase, beside_another_server_certificate_both_kinds_of_clients_come_in);
}

CHECK_MAIN("national certificates go together", add_tests)
