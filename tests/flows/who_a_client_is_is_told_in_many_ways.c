/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_headers as operators use it: all presets at once, only with the first request, towards the
 * client; and that neither clients nor backends can say it in lb's place.
 */
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cast.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/made_crl.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
#define LISTENER \
    "[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\ncertificate_key = server.key\n"
#define POOL "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n"
#define ALL "rfc9440 cloudflare x-cert nginx aws xfcc"
/* clang-format on */

struct stage {
    struct scene scene;
    struct stub_backend backend;
};

static void stage_begin(struct stage *stage, stub_serve serve)
{
    scene_begin(&stage->scene);
    cast_write(&stage->scene);
    stub_start(&stage->backend, "rs-1", serve);
    scene_set_port(&stage->scene, "rs-1", stage->backend.port);
}

static void stage_end(struct stage *stage)
{
    scene_end(&stage->scene);
    stub_stop(&stage->backend);
}

static void enter(struct stage *stage, struct peer *peer, const char *who)
{
    ck_assert(peer_connect_tls(peer, scene_port(&stage->scene, "web"),
                               WISH(&stage->scene, .sni = "www.example.com", .who = who)));
}

/* The next final answer. */
static void ask(struct peer *peer, const char *path, struct answer *answer)
{
    char request[128];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: www.example.com\r\n\r\n", path);
    ck_assert(peer_say(peer, request));
    ck_assert(peer_read_answer(peer, "GET", answer));
}

static bool has(const char *head, const char *name)
{
    return text_field_count(head, name) > 0;
}

static const char *value(const char *head, const char *name)
{
    static char found[64 * 1024];
    found[0] = '\0';
    ck_assert_msg(text_field(head, name, found, sizeof found), "%s is missing in %s", name, head);
    ck_assert_uint_eq(text_field_count(head, name), 1);
    return found;
}

/* --- all of it ----------------------------------------------------------------------------- */

/* RSA-4096 throughout; one key for all, which takes seconds enough to make. */
static void write_large_chain(struct scene *scene)
{
    EVP_PKEY *key = EVP_RSA_gen(4096);
    ck_assert_ptr_nonnull(key);
    struct made *root = made_certificate(
        &(struct certificate_wish){.name = "Large CA", .ca = true, .reuse_key = key});
    struct made *middle = made_certificate(&(struct certificate_wish){
        .name = "Large intermediate", .issuer = root, .ca = true, .reuse_key = key});
    struct made *large = made_certificate(
        &(struct certificate_wish){.name = "large",
                                   .organization = "A \"large\", one; really",
                                   .issuer = middle,
                                   .usage = "clientAuth",
                                   .names = "URI:spiffe://td.test/large,DNS:large.test",
                                   .reuse_key = key});
    made_write(root, scene->folder.path, "large-ca");
    made_write(large, scene->folder.path, "large");
    made_free(large);
    made_free(middle);
    made_free(root);
    EVP_PKEY_free(key);
}

static const char all_ini[] =
    LISTENER "mutual_auth = require\nclient_ca = large-ca.crt\n\n"
             "[rule all]\nlistener = web\npool = app\nclient_headers = " ALL "\n\n" POOL;

static void check_large(const char *head)
{
    static const char *const fields[] = {"Client-Cert", "Cf-Client-Cert-Der-Base64",
                                         "X-SSL-Client-Cert", "X-Amzn-Mtls-Clientcert-Leaf"};
    ck_assert_ptr_null(strstr(head, "-Too-Large"));
    ck_assert_str_eq(value(head, "X-CERT-VERIFY"), "SUCCESS");
    ck_assert_str_eq(value(head, "X-SSL-Client-Verify"), "SUCCESS");
    ck_assert_ptr_nonnull(strstr(value(head, "X-SSL-Client-S-DN"), "O=A \\\"large\\\"\\, one\\;"));
    ck_assert_ptr_nonnull(strstr(value(head, "X-CERT-ISSUER-DN-L"), "/CN=Large intermediate"));
    ck_assert_ptr_nonnull(strstr(value(head, "X-Amzn-Mtls-Clientcert-Issuer"), "CN=Large inter"));
    ck_assert_uint_eq(strlen(value(head, "Cf-Client-Cert-Sha256")), 64);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        ck_assert_uint_gt(strlen(value(head, fields[i])), 1600); /* 4096 bits twice, at least */
    /* The intermediate and its root. */
    ck_assert_uint_eq(text_count(value(head, "Client-Cert-Chain"), ":, :"), 1);
    const char *xfcc = value(head, "X-Forwarded-Client-Cert");
    ck_assert_uint_eq(text_count(xfcc, "BEGIN%20CERTIFICATE"), 4);
    ck_assert_ptr_nonnull(strstr(xfcc, ";URI=spiffe://td.test/large;DNS=large.test"));
    ck_assert_ptr_nonnull(strstr(xfcc, "O=A \\22large\\22\\2C one\\3B really"));
}

START_TEST(a_large_chain_is_told_by_all_presets_at_once)
{
    struct stage stage;
    struct peer peer;
    struct answer answer;
    stage_begin(&stage, NULL);
    write_large_chain(&stage.scene);
    scene_start(&stage.scene, all_ini);
    enter(&stage, &peer, "large");
    for (int i = 0; i < 2; i++) {
        ask(&peer, "/echo", &answer);
        ck_assert_uint_eq(answer.status, 200);
        check_large(answer.body.bytes);
        ck_assert_ptr_null(strcasestr(answer.head, "cert"));
        answer_done(&answer);
    }
    peer_close(&peer);
    stage_end(&stage);
}
END_TEST

/* --- of whom a list says that he is not to be believed ------------------------------------- */

static const char revoked_ini[] =
    LISTENER "mutual_auth = request\nclient_ca = own-ca.crt\nclient_crl = own.crl\n\n"
             "[rule all]\nlistener = web\npool = app\nclient_headers = " ALL "\n\n" POOL;

START_TEST(who_is_on_a_revocation_list_is_not_told_as_verified)
{
    struct stage stage;
    struct peer peer;
    struct answer answer;
    stage_begin(&stage, NULL);
    struct made *ca = made_ca("Own CA");
    struct made *mallory = made_client(ca, "mallory");
    struct made *carol = made_client(ca, "carol");
    made_write(ca, stage.scene.folder.path, "own-ca");
    made_write(mallory, stage.scene.folder.path, "mallory");
    made_write(carol, stage.scene.folder.path, "carol");
    made_crl_write(&(struct crl_wish){.issuer = ca, .revoked = {mallory}, .number = 1},
                   stage.scene.folder.path, "own.crl", MADE_CRL_PEM);
    scene_start(&stage.scene, revoked_ini);
    enter(&stage, &peer, "mallory");
    ask(&peer, "/echo", &answer);
    ck_assert_str_eq(value(answer.body.bytes, "X-CERT-VERIFY"), "FAILED:crl-revoked");
    ck_assert_str_eq(value(answer.body.bytes, "X-SSL-Client-Verify"), "FAILED:crl-revoked");
    ck_assert_ptr_null(strstr(answer.body.bytes, "mallory"));
    ck_assert(!has(answer.body.bytes, "Client-Cert"));
    answer_done(&answer);
    peer_close(&peer);
    enter(&stage, &peer, "carol");
    ask(&peer, "/echo", &answer);
    ck_assert_str_eq(value(answer.body.bytes, "X-CERT-VERIFY"), "SUCCESS");
    ck_assert(has(answer.body.bytes, "Client-Cert"));
    answer_done(&answer);
    peer_close(&peer);
    made_free(carol);
    made_free(mallory);
    made_free(ca);
    stage_end(&stage);
}
END_TEST

/* --- the first request --------------------------------------------------------------------- */

static const char first_ini[] =
    LISTENER "mutual_auth = request\nclient_ca = ca.crt\n\n"
             "[rule told]\nlistener = web\npool = app\nclient_headers = cloudflare x-cert\n"
             "client_headers_when = first\n\n" POOL;

START_TEST(with_first_each_connection_tells_once)
{
    struct stage stage;
    stage_begin(&stage, NULL);
    scene_start(&stage.scene, first_ini);
    for (int connection = 0; connection < 2; connection++) {
        struct peer peer;
        enter(&stage, &peer, "alice");
        for (int request = 0; request < 3; request++) {
            struct answer answer;
            ask(&peer, "/echo", &answer);
            bool is_told = request == 0;
            ck_assert(has(answer.body.bytes, "Cf-Client-Cert-Sha256") == is_told);
            ck_assert(has(answer.body.bytes, "X-CERT-VERIFY") == is_told);
            answer_done(&answer);
        }
        peer_close(&peer);
    }
    stage_end(&stage);
}
END_TEST

/* --- towards the client -------------------------------------------------------------------- */

static const char client_ini[] =
    LISTENER "mutual_auth = request\nclient_ca = ca.crt\n\n"
             "[rule told]\nlistener = web\npool = app\nclient_headers = x-cert nginx\n"
             "client_headers_to = client\n\n"
             "[rule both]\nlistener = web\npool = app\nurl = /echo/both\n"
             "client_headers = " ALL "\nclient_headers_to = both\n\n"
             "[rule first]\nlistener = web\npool = app\nurl = /echo/first\n"
             "client_headers = x-cert\nclient_headers_to = client\nclient_headers_when = first\n\n"
             "[rule closed]\nlistener = web\npool = app\nurl = /closed\nmutual_auth = require\n"
             "client_headers = x-cert\nclient_headers_to = client\nrefuse_with = 403\n\n" POOL;

START_TEST(the_client_is_told_who_lb_knows_it_to_be)
{
    struct stage stage;
    struct peer peer;
    struct answer answer;
    stage_begin(&stage, NULL);
    scene_start(&stage.scene, client_ini);
    enter(&stage, &peer, "alice");
    ask(&peer, "/echo", &answer);
    ck_assert_str_eq(value(answer.head, "X-CERT-VERIFY"), "SUCCESS");
    ck_assert_ptr_nonnull(strstr(value(answer.head, "X-SSL-Client-S-DN"), "CN=alice"));
    ck_assert_str_eq(value(answer.head, "Cache-Control"), "private");
    ck_assert(!has(answer.body.bytes, "X-CERT-VERIFY"));
    answer_done(&answer);
    /* RFC 9440: Client-Cert has no place in an answer. */
    ask(&peer, "/echo/both", &answer);
    ck_assert(!has(answer.head, "Client-Cert") && !has(answer.head, "Client-Cert-Chain"));
    ck_assert(has(answer.head, "Cf-Client-Cert-Sha256") && has(answer.head, "X-CERT-SERIAL"));
    ck_assert(has(answer.body.bytes, "Client-Cert") && has(answer.body.bytes, "X-CERT-SERIAL"));
    answer_done(&answer);
    peer_close(&peer);
    stage_end(&stage);
}
END_TEST

START_TEST(who_is_not_verified_hears_that_and_nothing_else)
{
    static const char *const who[] = {NULL, "bob"};
    static const char *const verify[] = {"NONE", "FAILED:untrusted"};
    struct stage stage;
    stage_begin(&stage, NULL);
    scene_start(&stage.scene, client_ini);
    for (int i = 0; i < 2; i++) {
        struct peer peer;
        struct answer answer;
        enter(&stage, &peer, who[i]);
        ask(&peer, "/echo", &answer);
        ck_assert_str_eq(value(answer.head, "X-CERT-VERIFY"), verify[i]);
        ck_assert(!has(answer.head, "X-CERT-SUBJECT-DN"));
        ck_assert_str_eq(value(answer.head, "Cache-Control"), "private");
        answer_done(&answer);
        peer_close(&peer);
    }
    stage_end(&stage);
}
END_TEST

START_TEST(with_first_only_the_first_answer_tells)
{
    struct stage stage;
    struct peer peer;
    struct answer answer;
    stage_begin(&stage, NULL);
    scene_start(&stage.scene, client_ini);
    enter(&stage, &peer, "alice");
    for (int request = 0; request < 2; request++) {
        ask(&peer, "/echo/first", &answer);
        ck_assert(has(answer.head, "X-CERT-VERIFY") == (request == 0));
        ck_assert(has(answer.head, "Cache-Control") == (request == 0));
        answer_done(&answer);
    }
    peer_close(&peer);
    stage_end(&stage);
}
END_TEST

START_TEST(answers_of_lb_itself_do_not_tell)
{
    struct stage stage;
    struct peer peer;
    struct answer answer;
    stage_begin(&stage, NULL);
    scene_start(&stage.scene, client_ini);
    enter(&stage, &peer, NULL);
    ask(&peer, "/closed", &answer);
    ck_assert_uint_eq(answer.status, 403);
    ck_assert(!has(answer.head, "X-CERT-VERIFY"));
    answer_done(&answer);
    peer_close(&peer);
    stage_end(&stage);
}
END_TEST

enum { LARGE_VALUE_BYTES = 60 * 1024 };

static void answer_at_length(struct stub_link *link)
{
    struct stub_request request;
    while (stub_read(link, &request)) {
        struct text answer = {0};
        text_add_format(&answer, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Long: %0*d\r\n\r\nok",
                        LARGE_VALUE_BYTES, 0);
        stub_say(link, answer.bytes);
        text_done(&answer);
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

static const char long_ini[] =
    LISTENER "mutual_auth = require\nclient_ca = long-ca.crt\n\n"
             "[rule told]\nlistener = web\npool = app\nclient_headers = " ALL "\n"
             "client_headers_to = both\n\n" POOL;

START_TEST(long_answers_have_room_for_long_fields)
{
    static const char *const fields[] = {"Cf-Client-Cert-Der-Base64", "X-SSL-Client-Cert",
                                         "X-Amzn-Mtls-Clientcert-Leaf", "X-Forwarded-Client-Cert"};
    struct stage stage;
    struct peer peer;
    struct answer answer;
    stage_begin(&stage, answer_at_length);
    struct made *ca = made_ca("Long CA");
    struct made *made = made_certificate(&(struct certificate_wish){
        .name = "long", .issuer = ca, .usage = "clientAuth", .padding_bytes = 6500});
    made_write(ca, stage.scene.folder.path, "long-ca");
    made_write(made, stage.scene.folder.path, "long");
    scene_start(&stage.scene, long_ini);
    enter(&stage, &peer, "long");
    ask(&peer, "/", &answer);
    ck_assert_uint_eq(answer.status, 200);
    ck_assert_uint_eq(strlen(value(answer.head, "X-Long")), LARGE_VALUE_BYTES);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        ck_assert_uint_gt(strlen(value(answer.head, fields[i])), 8000);
    /* More than an answer's head had room for if lb's own part were as large as a cookie. */
    ck_assert_uint_gt(strlen(answer.head), LARGE_VALUE_BYTES + 40 * 1024);
    answer_done(&answer);
    peer_close(&peer);
    made_free(made);
    made_free(ca);
    stage_end(&stage);
}
END_TEST

/* --- lies of a backend --------------------------------------------------------------------- */

static void answer_with_lies(struct stub_link *link)
{
    struct stub_request request;
    while (stub_read(link, &request)) {
        stub_say(link, "HTTP/1.1 103 Early Hints\r\nX-CERT-VERIFY: a-lie\r\nLink: </a.css>\r\n\r\n"
                       "HTTP/1.1 200 OK\r\nx_cert_subject_dn: a-lie\r\nX-SSL-Client-S-DN: a-lie\r\n"
                       "X-Forwarded-Client-Cert: a-lie\r\nX-Public: 1\r\n"
                       "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"
                       "0\r\nX-CERT-VERIFY: a-lie\r\nX-Sum: 1\r\n\r\n");
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

static const char lies_ini[] = LISTENER
    "mutual_auth = request\nclient_ca = ca.crt\n\n"
    "[rule told]\nlistener = web\npool = app\nclient_headers = x-cert\n"
    "client_headers_to = both\nclient_headers_when = first\n\n"
    "[rule open]\nlistener = web\npool = app\nurl = /open\nclient_headers = x-cert\n\n" POOL;

START_TEST(a_backend_cannot_tell_a_client_who_it_is)
{
    struct stage stage;
    struct peer peer;
    struct answer answer;
    stage_begin(&stage, answer_with_lies);
    scene_start(&stage.scene, lies_ini);
    enter(&stage, &peer, "alice");
    /* Where lb tells it, and where only the first answer would have told it. */
    for (int request = 0; request < 2; request++) {
        ask(&peer, "/", &answer);
        ck_assert_uint_eq(answer.status, 103);
        ck_assert_ptr_null(strstr(answer.head, "a-lie"));
        ck_assert(has(answer.head, "Link"));
        answer_done(&answer);
        ck_assert(peer_read_answer(&peer, "GET", &answer));
        ck_assert_ptr_null(strstr(answer.head, "a-lie"));
        ck_assert_ptr_null(strstr(answer.trailers, "a-lie"));
        ck_assert(has(answer.head, "X-Public"));
        ck_assert_ptr_nonnull(strstr(answer.trailers, "X-Sum: 1"));
        ck_assert(has(answer.head, "X-CERT-VERIFY") == (request == 0));
        answer_done(&answer);
    }
    /* Where clients are told nothing, a backend's fields are its own. */
    ask(&peer, "/open", &answer);
    answer_done(&answer);
    ck_assert(peer_read_answer(&peer, "GET", &answer));
    ck_assert_str_eq(value(answer.head, "X-SSL-Client-S-DN"), "a-lie");
    answer_done(&answer);
    peer_close(&peer);
    stage_end(&stage);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_large_chain_is_told_by_all_presets_at_once);
    tcase_add_test(tcase, who_is_on_a_revocation_list_is_not_told_as_verified);
    tcase_add_test(tcase, with_first_each_connection_tells_once);
    tcase_add_test(tcase, the_client_is_told_who_lb_knows_it_to_be);
    tcase_add_test(tcase, who_is_not_verified_hears_that_and_nothing_else);
    tcase_add_test(tcase, with_first_only_the_first_answer_tells);
    tcase_add_test(tcase, answers_of_lb_itself_do_not_tell);
    tcase_add_test(tcase, long_answers_have_room_for_long_fields);
    tcase_add_test(tcase, a_backend_cannot_tell_a_client_who_it_is);
}

CHECK_MAIN("who a client is, is told in many ways", add_tests)
