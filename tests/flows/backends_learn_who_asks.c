/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a backend is told about the client: forwarded fields, a request id, the client's
 * certificate; and that nobody but lb can say it.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/house.h"
#include "tests/support/secured.h"

/* Sends a request and gives back the head that the backend saw. */
static char *seen_by_backend(struct peer *peer, const char *request)
{
    struct answer answer;
    ck_assert(peer_say(peer, request));
    ck_assert(peer_read_answer(peer, "GET", &answer));
    ck_assert_msg(answer.status == 200, "%s", answer.head);
    char *head = strdup(answer.body.bytes);
    answer_done(&answer);
    return head;
}

static void expect_field(const char *head, const char *name, const char *value)
{
    char found[2048] = "(none)";
    text_field(head, name, found, sizeof found);
    ck_assert_msg(strcmp(found, value) == 0, "%s: %s instead of %s in %s", name, found, value,
                  head);
    ck_assert_uint_eq(text_field_count(head, name), 1);
}

START_TEST(the_forwarded_fields_say_address_protocol_host_and_port)
{
    struct house house;
    struct peer peer;
    char port[16];
    house_open(&house, &(struct house_plan){0});
    snprintf(port, sizeof port, "%u", scene_port(&house.scene, "web"));
    house_enter(&house, &peer);
    char *head =
        seen_by_backend(&peer, "GET /echo?a=b HTTP/1.1\r\nHost: www.example.com:8080\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(head, "GET /echo?a=b HTTP/1.1\r\n"));
    expect_field(head, "Host", "www.example.com:8080");
    expect_field(head, "X-Forwarded-For", "127.0.0.1");
    expect_field(head, "X-Forwarded-Proto", secured_scheme());
    expect_field(head, "X-Forwarded-Host", "www.example.com:8080");
    expect_field(head, "X-Forwarded-Port", port);
    expect_field(head, "X-Real-IP", "127.0.0.1");
    ck_assert_uint_eq(text_field_count(head, "X-Request-ID"), 1);
    ck_assert_uint_eq(text_field_count(head, "Forwarded"), 0);
    free(head);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

START_TEST(a_forwarded_for_that_came_is_added_to_and_the_rest_is_said_anew)
{
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){0});
    house_enter(&house, &peer);
    char *head =
        seen_by_backend(&peer, "GET /echo HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 10.1.2.3\r\n"
                               "X-Forwarded-For: 10.4.5.6\r\nX-Forwarded-Proto: gopher\r\n"
                               "X-Forwarded-Host: evil\r\nX-Real-IP: 6.6.6.6\r\n"
                               "X-Forwarded-Port: 1\r\nForwarded: for=evil\r\n\r\n");
    expect_field(head, "X-Forwarded-For", "10.1.2.3, 10.4.5.6, 127.0.0.1");
    expect_field(head, "X-Forwarded-Proto", secured_scheme());
    expect_field(head, "X-Forwarded-Host", "a");
    expect_field(head, "X-Real-IP", "127.0.0.1");
    ck_assert_ptr_null(strstr(head, "evil"));
    free(head);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

START_TEST(with_replace_a_client_cannot_invent_a_way_it_came)
{
    struct house house;
    struct peer peer;
    house_open(&house,
               &(struct house_plan){.listener = "forwarded_for = replace\nforwarded = on\n"});
    house_enter(&house, &peer);
    char *head =
        seen_by_backend(&peer, "GET /echo HTTP/1.1\r\nHost: www.example.com\r\n"
                               "X-Forwarded-For: 10.1.2.3\r\nForwarded: for=1.2.3.4\r\n\r\n");
    char forwarded[256] = "";
    expect_field(head, "X-Forwarded-For", "127.0.0.1");
    ck_assert(text_field(head, "Forwarded", forwarded, sizeof forwarded));
    ck_assert_ptr_nonnull(strstr(forwarded, "for=127.0.0.1"));
    ck_assert_ptr_nonnull(strstr(forwarded, "proto=http"));
    ck_assert_ptr_nonnull(strstr(forwarded, "host=\"www.example.com\"") != NULL
                              ? forwarded
                              : strstr(forwarded, "host=www.example.com"));
    ck_assert_ptr_null(strstr(forwarded, "1.2.3.4"));
    free(head);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

START_TEST(every_request_has_an_id_of_its_own_that_the_access_log_knows)
{
    struct house house;
    struct peer peer;
    char first[128] = "";
    char second[128] = "";
    house_open(&house, &(struct house_plan){0});
    house_enter(&house, &peer);
    char *head = seen_by_backend(&peer, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(text_field(head, "X-Request-ID", first, sizeof first));
    free(head);
    head = seen_by_backend(&peer, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(text_field(head, "X-Request-ID", second, sizeof second));
    free(head);
    ck_assert_str_ne(first, second);
    eventually(scene_access_lines(&house.scene, first) == 1);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

START_TEST(hop_by_hop_fields_and_those_that_connection_names_stay_here)
{
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){0});
    house_enter(&house, &peer);
    char *head = seen_by_backend(
        &peer,
        "GET /echo HTTP/1.1\r\nHost: a\r\nConnection: x-private, keep-alive\r\nX-Private: 1\r\n"
        "Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: gzip\r\nX-Public: 2\r\n\r\n");
    ck_assert_uint_eq(text_field_count(head, "X-Private"), 0);
    ck_assert_uint_eq(text_field_count(head, "Keep-Alive"), 0);
    ck_assert_uint_eq(text_field_count(head, "Proxy-Connection"), 0);
    ck_assert_uint_eq(text_field_count(head, "TE"), 0);
    expect_field(head, "X-Public", "2");
    free(head);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

static void answer_with_hop_fields(struct stub_link *link)
{
    struct stub_request request;
    while (stub_read(link, &request)) {
        stub_say(
            link,
            "HTTP/1.1 200 OK\r\nConnection: x-secret\r\nX-Secret: 1\r\nKeep-Alive: timeout=5\r\n"
            "X-Public: 2\r\nContent-Length: 2\r\n\r\nok");
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

START_TEST(a_backend_s_hop_by_hop_fields_stay_here_too)
{
    struct house house;
    struct peer peer;
    struct answer answer;
    house_open(&house, &(struct house_plan){.serve = answer_with_hop_fields});
    house_enter(&house, &peer);
    peer_say(&peer, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(peer_read_answer(&peer, "GET", &answer));
    ck_assert_uint_eq(text_field_count(answer.head, "X-Secret"), 0);
    ck_assert_uint_eq(text_field_count(answer.head, "Keep-Alive"), 0);
    ck_assert_uint_eq(text_field_count(answer.head, "X-Public"), 1);
    answer_done(&answer);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

/* Every name of every preset that lb knows, whichever this rule uses. */
static const char *const identity_names[] = {
    "Client-Cert",
    "Client-Cert-Chain",
    "Cf-Client-Cert-Der-Base64",
    "Cf-Client-Cert-Sha256",
    "X-CERT-ISSUER-DN",
    "X-CERT-SUBJECT-DN",
    "X-CERT-ISSUER-DN-L",
    "X-CERT-SUBJECT-DN-L",
    "X-CERT-SERIAL",
    "X-CERT-FINGER",
    "X-CERT-VERIFY",
    "X-CERT-NOTBE",
    "X-CERT-NOTAF",
    "X-SSL-Client-Verify",
    "X-SSL-Client-S-DN",
    "X-SSL-Client-I-DN",
    "X-SSL-Client-Serial",
    "X-SSL-Client-Fingerprint",
    "X-SSL-Client-Cert",
    "X-Amzn-Mtls-Clientcert-Serial-Number",
    "X-Amzn-Mtls-Clientcert-Issuer",
    "X-Amzn-Mtls-Clientcert-Subject",
    "X-Amzn-Mtls-Clientcert-Validity",
    "X-Amzn-Mtls-Clientcert-Leaf",
    "X-Forwarded-Client-Cert",
    "X-Forwarded-Tls-Client-Cert",
    "X-Forwarded-Tls-Client-Cert-Info",
    "X-Forwarded-Clientcert-Subjectdn",
    "X-Client-Cert",
    "X-ARR-ClientCert",
    "SSL-Client-Verify",
};
enum { NAME_COUNT = sizeof identity_names / sizeof identity_names[0] };

/* The name as a liar would write it: as it is, in capitals, with `_`, with both mixed. */
static void disguise(char *name, unsigned how)
{
    for (char *at = name; *at != '\0'; at++) {
        if (*at == '-' && (how == 2 || (how == 3 && at[1] == 'C')))
            *at = '_';
        if (*at >= 'a' && *at <= 'z' && (how == 1 || how == 3))
            *at = (char)(*at - 'a' + 'A');
    }
}

static void add_lies(struct text *into)
{
    for (unsigned i = 0; i < NAME_COUNT; i++)
        for (unsigned how = 0; how < 4; how++) {
            char name[64];
            snprintf(name, sizeof name, "%s", identity_names[i]);
            disguise(name, how);
            text_add_format(into, "%s: a-lie\r\n", name);
        }
}

START_TEST(nobody_but_lb_says_who_a_client_is)
{
    static const char *const rules[] = {
        "", "client_headers = nginx\n",
        ("client_headers = rfc9440 cloudflare x-cert nginx aws xfcc\n"
         "client_headers_to = both\nclient_headers_when = first\n")};
    struct house house;
    struct peer peer;
    struct text lies = {0};
    struct text request = {0};
    add_lies(&lies);
    house_open(&house, &(struct house_plan){.rule = rules[_i]});
    house_enter(&house, &peer);
    /* A head may have 128 fields: the lies come in portions. */
    for (char *at = lies.bytes, *end; *at != '\0'; at = end) {
        end = at;
        for (unsigned lines = 0; lines < 50 && *end != '\0'; lines++)
            end = strchr(end, '\n') + 1;
        text_drop(&request, request.length);
        text_add_format(&request, "GET /echo HTTP/1.1\r\nHost: a\r\n%.*s\r\n", (int)(end - at), at);
        char *head = seen_by_backend(&peer, request.bytes);
        ck_assert_msg(strstr(head, "a-lie") == NULL, "%s", head);
        free(head);
        text_drop(&request, request.length);
        text_add_format(
            &request,
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n%.*s\r\n",
            (int)(end - at), at);
        head = seen_by_backend(&peer, request.bytes);
        free(head);
    }
    char *heard = stub_heard(&house.backend);
    ck_assert_msg(strstr(heard, "a-lie") == NULL, "%s", heard);
    free(heard);
    peer_close(&peer);
    house_close(&house);
    text_done(&lies);
    text_done(&request);
}
END_TEST

/* clang-format off */
static const char mutual_ini[] =
    "[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = request\nclient_ca = ca.crt\nforwarded = on\n\n"
    "[rule told]\nlistener = web\npool = app\nclient_headers = nginx\n\n"
    "[rule silent]\nlistener = web\npool = app\nurl = /echo/silent\n\n"
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n";
/* clang-format on */

struct stage {
    struct scene scene;
    struct stub_backend backend;
};

static void stage_begin(struct stage *stage)
{
    scene_begin(&stage->scene);
    cast_write(&stage->scene);
    stub_start(&stage->backend, "rs-1", NULL);
    scene_set_port(&stage->scene, "rs-1", stage->backend.port);
    scene_start(&stage->scene, mutual_ini);
}

static void stage_end(struct stage *stage)
{
    scene_end(&stage->scene);
    stub_stop(&stage->backend);
}

static char *asked_by(struct stage *stage, const char *who, const char *path)
{
    struct peer peer;
    char request[128];
    ck_assert(peer_connect_tls(&peer, scene_port(&stage->scene, "web"),
                               WISH(&stage->scene, .sni = "www.example.com", .who = who)));
    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: www.example.com\r\n"
             "X-SSL-Client-Verify: SUCCESS\r\nX_SSL_CLIENT_VERIFY: SUCCESS\r\n\r\n",
             path);
    char *head = seen_by_backend(&peer, request);
    peer_close(&peer);
    return head;
}

START_TEST(a_verified_client_is_described_to_the_backend)
{
    struct stage stage;
    char value[8192] = "";
    stage_begin(&stage);
    char *head = asked_by(&stage, "alice", "/echo");
    expect_field(head, "X-SSL-Client-Verify", "SUCCESS");
    ck_assert(text_field(head, "X-SSL-Client-S-DN", value, sizeof value));
    ck_assert_ptr_nonnull(strstr(value, "CN=alice"));
    ck_assert(text_field(head, "X-SSL-Client-I-DN", value, sizeof value));
    ck_assert_ptr_nonnull(strstr(value, "CN=Story CA"));
    ck_assert(text_field(head, "X-SSL-Client-Serial", value, sizeof value));
    ck_assert_uint_eq(strspn(value, "0123456789ABCDEF"), strlen(value));
    ck_assert(text_field(head, "X-SSL-Client-Fingerprint", value, sizeof value));
    ck_assert_uint_ge(strlen(value), 40);
    ck_assert(text_field(head, "X-SSL-Client-Cert", value, sizeof value));
    ck_assert_ptr_nonnull(strstr(value, "BEGIN%20CERTIFICATE"));
    expect_field(head, "X-Forwarded-Proto", "https");
    free(head);
    stage_end(&stage);
}
END_TEST

START_TEST(where_a_certificate_is_only_requested_the_backend_learns_what_was_wrong)
{
    struct stage stage;
    stage_begin(&stage);
    char *head = asked_by(&stage, "bob", "/echo");
    expect_field(head, "X-SSL-Client-Verify", "FAILED:untrusted");
    free(head);
    head = asked_by(&stage, NULL, "/echo");
    expect_field(head, "X-SSL-Client-Verify", "NONE");
    ck_assert_uint_eq(text_field_count(head, "X-SSL-Client-Cert"), 0);
    free(head);
    eventually(scene_access_lines(&stage.scene,
                                  "\"verify\":\"FAILED\",\"verify_reason\":\"untrusted\"") == 1);
    stage_end(&stage);
}
END_TEST

START_TEST(a_rule_that_tells_nothing_tells_nothing)
{
    struct stage stage;
    stage_begin(&stage);
    char *head = asked_by(&stage, "alice", "/echo/silent");
    ck_assert_ptr_null(strcasestr(head, "ssl-client"));
    ck_assert_ptr_null(strcasestr(head, "ssl_client"));
    free(head);
    stage_end(&stage);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, the_forwarded_fields_say_address_protocol_host_and_port);
    tcase_add_test(tcase, a_forwarded_for_that_came_is_added_to_and_the_rest_is_said_anew);
    tcase_add_test(tcase, with_replace_a_client_cannot_invent_a_way_it_came);
    tcase_add_test(tcase, every_request_has_an_id_of_its_own_that_the_access_log_knows);
    tcase_add_http1_test(tcase, hop_by_hop_fields_and_those_that_connection_names_stay_here);
    tcase_add_test(tcase, a_backend_s_hop_by_hop_fields_stay_here_too);
    tcase_add_loop_test(tcase, nobody_but_lb_says_who_a_client_is, 0, 3);
    tcase_add_test(tcase, a_verified_client_is_described_to_the_backend);
    tcase_add_test(tcase, where_a_certificate_is_only_requested_the_backend_learns_what_was_wrong);
    tcase_add_test(tcase, a_rule_that_tells_nothing_tells_nothing);
}

CHECK_MAIN("backends learn who asks", add_tests)
