/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operators elsewhere: the admin over TCP, with curl and with lb's own commands. Bob, of the
 * partner's CA, may steer; alice, whom every listener knows, may not.
 */
#include <curl/curl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lb/base/limits.h"
#include "tests/support/api_call.h"
#include "tests/support/cast.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/process.h"
#include "tests/support/stub_backend.h"

enum { ALERT_REVOKED = 44, ALERT_UNKNOWN_CA = 48, ALERT_REQUIRED = 116, ALERT_HANDSHAKE = 40 };

/* clang-format off */
#define LB "[lb]\nworkers = 1\naccess_log = off\n\n"
#define ADMIN(ca) "[admin]\naddress = unix:var/admin.sock\naddress = 127.0.0.1:@admin\n" \
    "certificate = server.crt\ncertificate_key = server.key\nclient_ca = " ca "\n\n"
#define REST "[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\n\n[rule all]\nlistener = web\npool = app\n\n" \
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n"
static const char status[] = "GET /v1/status HTTP/1.1\r\nHost: lb\r\n\r\n";
/* clang-format on */

struct outpost {
    struct scene scene;
    struct stub_backend backend;
    struct text said;
};

static void outpost_open(struct outpost *outpost)
{
    *outpost = (struct outpost){0};
    scene_begin(&outpost->scene);
    cast_write(&outpost->scene);
    stub_start(&outpost->backend, "rs-1", NULL);
    scene_set_port(&outpost->scene, "rs-1", outpost->backend.port);
    scene_start(&outpost->scene, LB ADMIN("partner-ca.crt") REST);
}

static void outpost_close(struct outpost *outpost)
{
    scene_end(&outpost->scene);
    stub_stop(&outpost->backend);
    text_done(&outpost->said);
}

/* --- curl ---------------------------------------------------------------------------------- */

static size_t on_body(char *bytes, size_t size, size_t count, void *to)
{
    text_add(to, bytes, size * count);
    return size * count;
}

struct call {
    const char *who; /* NULL: without a certificate */
    const char *method;
    const char *path;
    const char *body;
    const char *field; /* one more */
};

/* The status; 0: there was no answer. */
static long call(struct outpost *outpost, const struct call *call)
{
    char url[160], file[32];
    long code = 0;
    CURL *curl = curl_easy_init();
    struct curl_slist *fields = curl_slist_append(NULL, "X-Nothing: 1");
    text_done(&outpost->said);
    text_add(&outpost->said, "", 0);
    snprintf(url, sizeof url, "https://127.0.0.1:%u%s", scene_port(&outpost->scene, "admin"),
             call->path);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 20L);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
    if (call->body)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body);
    if (call->field)
        fields = curl_slist_append(fields, call->field);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &outpost->said);
    curl_easy_setopt(curl, CURLOPT_CAINFO, folder_file(&outpost->scene.folder, "ca.crt"));
    if (call->who) {
        snprintf(file, sizeof file, "%s.crt", call->who);
        curl_easy_setopt(curl, CURLOPT_SSLCERT, folder_file(&outpost->scene.folder, file));
        snprintf(file, sizeof file, "%s.key", call->who);
        curl_easy_setopt(curl, CURLOPT_SSLKEY, folder_file(&outpost->scene.folder, file));
    }
    curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    curl_slist_free_all(fields);
    curl_easy_cleanup(curl);
    return code;
}

START_TEST(who_has_a_certificate_of_the_ca_steers_with_curl)
{
    struct outpost outpost;
    outpost_open(&outpost);
    ck_assert_int_eq(call(&outpost, &(struct call){"bob", "GET", "/v1/status", NULL, NULL}), 200);
    ck_assert_ptr_nonnull(strstr(outpost.said.bytes, "rs-1"));
    ck_assert_int_eq(
        call(&outpost, &(struct call){"bob", "POST", "/v1/backends/app/rs-1/drain", NULL, NULL}),
        200);
    eventually(scene_log_has(&outpost.scene, "who=\"certificate CN=bob, serial ", "rs-1", NULL));
    ck_assert_int_eq(call(&outpost, &(struct call){"alice", "GET", "/v1/status", NULL, NULL}), 0);
    ck_assert_int_eq(call(&outpost, &(struct call){NULL, "GET", "/v1/status", NULL, NULL}), 0);
    outpost_close(&outpost);
}
END_TEST

START_TEST(the_audit_log_names_the_certificate)
{
    struct outpost outpost;
    outpost_open(&outpost);
    json_t *ca = json_pack("{s:s, s:o}", "name", "story", "pem", api_pem(&outpost.scene, "ca.crt"));
    char *body = json_dumps(ca, 0);
    ck_assert_int_eq(call(&outpost, &(struct call){"bob", "POST", "/v1/cas", body, NULL}), 201);
    ck_assert_int_eq(call(&outpost, &(struct call){"bob", "GET", "/v1/audit", NULL, NULL}), 200);
    ck_assert_msg(strstr(outpost.said.bytes, "\"certificate CN=bob, serial "), "%s",
                  outpost.said.bytes);
    free(body);
    json_decref(ca);
    outpost_close(&outpost);
}
END_TEST

START_TEST(a_page_may_not_steer_with_its_readers_certificate)
{
    struct outpost outpost;
    outpost_open(&outpost);
    ck_assert_int_eq(call(&outpost, &(struct call){"bob", "POST", "/v1/backends/app/rs-1/drain",
                                                   "{}", "Origin: https://evil.example"}),
                     403);
    outpost_close(&outpost);
}
END_TEST

/* --- byte by byte -------------------------------------------------------------------------- */

static unsigned knock(struct outpost *outpost, struct peer *peer, const char *who, int version)
{
    if (!peer_connect_tls(peer, scene_port(&outpost->scene, "admin"),
                          WISH(&outpost->scene, .who = who, .trust = "ca", .version = version)))
        return 0;
    return peer_ask(peer, status);
}

static void expect_alert(struct outpost *outpost, const char *who, int version, int alert)
{
    struct peer peer;
    ck_assert_uint_eq(knock(outpost, &peer, who, version), 0);
    ck_assert_int_eq(peer.alert, alert);
    peer_close(&peer);
}

START_TEST(others_are_told_by_an_alert)
{
    struct outpost outpost;
    outpost_open(&outpost);
    expect_alert(&outpost, "alice", TLS1_2_VERSION, ALERT_UNKNOWN_CA);
    expect_alert(&outpost, "alice", TLS1_3_VERSION, ALERT_UNKNOWN_CA);
    expect_alert(&outpost, NULL, TLS1_2_VERSION, ALERT_HANDSHAKE);
    expect_alert(&outpost, NULL, TLS1_3_VERSION, ALERT_REQUIRED);
    outpost_close(&outpost);
}
END_TEST

START_TEST(a_revoked_operator_is_sent_away)
{
    struct outpost outpost;
    struct peer bob;
    char path[128];
    json_t *json;
    outpost_open(&outpost);
    ck_assert_uint_eq(api_call(&outpost.scene, "POST", "/v1/cas",
                               json_pack("{s:s, s:o}", "name", "partner", "pem",
                                         api_pem(&outpost.scene, "partner-ca.crt")),
                               NULL),
                      201);
    ck_assert_uint_eq(api_call(&outpost.scene, "POST", "/v1/certificates/register",
                               json_pack("{s:o}", "pem", api_pem(&outpost.scene, "bob.crt")),
                               &json),
                      201);
    snprintf(path, sizeof path, "/v1/certificates/%s/revoke",
             json_string_value(json_object_get(json_object_get(json, "certificate"), "serial")));
    json_decref(json);
    ck_assert_uint_eq(knock(&outpost, &bob, "bob", 0), 200);
    ck_assert_uint_eq(
        api_call(&outpost.scene, "POST", path, json_pack("{s:b}", "confirm", 1), NULL), 200);
    peer_receive_all(&bob);
    peer_close(&bob);
    expect_alert(&outpost, "bob", TLS1_2_VERSION, ALERT_REVOKED);
    expect_alert(&outpost, "bob", TLS1_3_VERSION, ALERT_REVOKED);
    outpost_close(&outpost);
}
END_TEST

START_TEST(a_reload_changes_who_may)
{
    struct outpost outpost;
    struct peer bob, alice;
    outpost_open(&outpost);
    ck_assert_uint_eq(knock(&outpost, &bob, "bob", 0), 200);
    ck_assert(scene_reload(&outpost.scene, LB ADMIN("ca.crt") REST));
    peer_receive_all(&bob);
    peer_close(&bob);
    expect_alert(&outpost, "bob", TLS1_3_VERSION, ALERT_UNKNOWN_CA);
    ck_assert_uint_eq(knock(&outpost, &alice, "alice", 0), 200);
    ck_assert(scene_reload(&outpost.scene, LB ADMIN("ca.crt") REST));
    ck_assert_uint_eq(peer_ask(&alice, status), 200); /* nothing changed for her */
    ck_assert(!scene_reload(&outpost.scene, LB ADMIN("none.crt") REST));
    ck_assert_uint_eq(peer_ask(&alice, status), 200);
    peer_close(&alice);
    outpost_close(&outpost);
}
END_TEST

START_TEST(strangers_at_the_port_keep_nobody_from_the_socket_file)
{
    struct outpost outpost;
    struct peer strangers[ADMIN_CLIENTS_MOST + 4];
    outpost_open(&outpost);
    for (unsigned i = 0; i < ADMIN_CLIENTS_MOST + 4; i++)
        peer_connect(&strangers[i], scene_port(&outpost.scene, "admin"));
    eventually(scene_log_has(&outpost.scene, "admin.full", NULL));
    ck_assert_uint_eq(api_call(&outpost.scene, "GET", "/v1/status", NULL, NULL), 200);
    for (unsigned i = 0; i < ADMIN_CLIENTS_MOST + 4; i++)
        peer_close(&strangers[i]);
    outpost_close(&outpost);
}
END_TEST

/* --- lb's own commands --------------------------------------------------------------------- */

static int tell(struct outpost *outpost, const char *who, const char *ca)
{
    struct scene *scene = &outpost->scene;
    char address[64], certificate[32], key[32];
    snprintf(address, sizeof address, "https://127.0.0.1:%u", scene_port(scene, "admin"));
    snprintf(certificate, sizeof certificate, "%s.crt", who);
    snprintf(key, sizeof key, "%s.key", who);
    const char *argv[] = {process_lb(),
                          "status",
                          "--admin",
                          address,
                          "--admin-cert",
                          folder_file(&scene->folder, certificate),
                          "--admin-key",
                          folder_file(&scene->folder, key),
                          "--admin-ca",
                          folder_file(&scene->folder, ca),
                          NULL};
    text_done(&outpost->said);
    text_add(&outpost->said, "", 0);
    return process_run(argv, &outpost->said);
}

static void expect_told(struct outpost *outpost, const char *words)
{
    ck_assert_msg(strstr(outpost->said.bytes, words), "\"%s\" is not in\n%s", words,
                  outpost->said.bytes);
}

START_TEST(lb_status_asks_over_tls)
{
    struct outpost outpost;
    outpost_open(&outpost);
    ck_assert_int_eq(tell(&outpost, "bob", "ca.crt"), 0);
    expect_told(&outpost, "rs-1");
    ck_assert_int_eq(tell(&outpost, "alice", "ca.crt"), 1);
    expect_told(&outpost, "unknown ca");
    ck_assert_int_eq(tell(&outpost, "bob", "partner-ca.crt"), 1);
    expect_told(&outpost, "does not come from --admin-ca");
    ck_assert_int_eq(tell(&outpost, "bob", "bob.key"), 1);
    expect_told(&outpost, "--admin-ca ");
    outpost_close(&outpost);
}
END_TEST

START_TEST(what_is_missing_is_told_before_anything_is_started)
{
    struct outpost outpost;
    outpost_open(&outpost);
    text_add(&outpost.said, "", 0);
    ck_assert_int_eq(scene_check(&outpost.scene, LB "[admin]\naddress = 127.0.0.1:@admin\n\n" REST,
                                 &outpost.said),
                     1);
    expect_told(&outpost, "[admin] needs certificate, ");
    expect_told(&outpost, "[admin] needs certificate_key, ");
    expect_told(&outpost, "[admin] needs client_ca, ");
    text_done(&outpost.said);
    ck_assert_int_eq(scene_check(&outpost.scene, LB ADMIN("server.crt") REST, &outpost.said), 1);
    expect_told(&outpost, "server.crt");
    outpost_close(&outpost);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, who_has_a_certificate_of_the_ca_steers_with_curl);
    tcase_add_test(tcase, the_audit_log_names_the_certificate);
    tcase_add_test(tcase, a_page_may_not_steer_with_its_readers_certificate);
    tcase_add_test(tcase, others_are_told_by_an_alert);
    tcase_add_test(tcase, a_revoked_operator_is_sent_away);
    tcase_add_test(tcase, a_reload_changes_who_may);
    tcase_add_test(tcase, strangers_at_the_port_keep_nobody_from_the_socket_file);
    tcase_add_test(tcase, lb_status_asks_over_tls);
    tcase_add_test(tcase, what_is_missing_is_told_before_anything_is_started);
}

CHECK_MAIN("the admin is reached over TLS", add_tests)
