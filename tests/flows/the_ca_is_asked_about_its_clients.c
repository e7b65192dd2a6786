/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules that ask the CA's OCSP responder about a client before its first request passes: every
 * answer a responder can give, and every way of giving none, where the rule is hard and where it is
 * soft. What was said is remembered for all connections and workers: the responder counts.
 */
#include <openssl/ocsp.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/api_call.h"
#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/metrics_text.h"
#include "tests/support/port.h"
#include "tests/support/stub_responder.h"

/* clang-format off */
static const char ini[] =
    "[lb]\nworkers = 2\naccess_log = access.log\n\n[registry]\nauto_activate = yes\n\n"
    "[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = require\nclient_ca = fleet.crt\nrefuse_with = 403\n\n"
    "[rule hard]\nlistener = web\nurl = /hard\nclient_ocsp = hard\npool = app\nclient_headers = nginx\n\n"
    "[rule soft]\nlistener = web\nurl = /soft\nclient_ocsp = soft\npool = app\nclient_headers = nginx\n\n"
    "[rule asked]\nlistener = web\nurl = /asked\nmutual_auth = request\nclient_ocsp = hard\npool = app\nclient_headers = nginx\n\n"
    "[rule registered]\nlistener = web\nurl = /registered\nclient_ocsp = hard\nclient_registration = auto\npool = app\n\n"
    "[rule told]\nlistener = web\nurl = /told\nclient_ocsp = hard\nclient_ocsp_responder = http://127.0.0.1:@ocsp/told\npool = app\n\n"
    "[rule free]\nlistener = web\npool = app\n\n"
    "[listener strict]\naddress = 127.0.0.1:@strict\ncertificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = require\nclient_ca = fleet.crt\nclient_ocsp = soft\n\n"
    "[rule strict]\nlistener = strict\npool = app\n\n"
    "[listener sure]\naddress = 127.0.0.1:@sure\ncertificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = require\nclient_ca = fleet.crt\nclient_ocsp = hard\n\n"
    "[rule sure]\nlistener = sure\npool = app\n\n"
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n";
/* clang-format on */

struct story {
    struct scene scene;
    struct stub_backend backend;
    struct stub_responder responder;
    struct made *ca;
};

static void story_begin(struct story *story)
{
    scene_begin(&story->scene);
    cast_write(&story->scene);
    story->ca = made_ca("Fleet CA");
    made_write(story->ca, story->scene.folder.path, "fleet");
    stub_start(&story->backend, "rs-1", stub_answer_by_name);
    responder_start(&story->responder, story->ca);
    scene_set_port(&story->scene, "rs-1", story->backend.port);
    scene_set_port(&story->scene, "ocsp", story->responder.stub.port);
    scene_start(&story->scene, ini);
}

static void story_end(struct story *story)
{
    scene_end(&story->scene);
    responder_stop(&story->responder);
    stub_stop(&story->backend);
    made_free(story->ca);
}

/* A client whose certificate names the responder, each at a path of its own. */
static void make_client(struct story *story, const char *name)
{
    char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/%s", story->responder.stub.port, name);
    struct made *client = made_certificate(&(struct certificate_wish){
        .name = name, .issuer = story->ca, .usage = "clientAuth", .ocsp = url});
    made_write(client, story->scene.folder.path, name);
    made_free(client);
}

static void connect_as(struct story *story, struct peer *peer, const char *name)
{
    ck_assert(
        peer_connect_tls(peer, scene_port(&story->scene, "web"), WISH(&story->scene, .who = name)));
}

/* The status of a request on a connection; a refusal says this reason. */
static unsigned get(struct peer *peer, const char *path, const char *reason)
{
    char request[256];
    struct answer answer = {0};
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
    ck_assert(peer_say(peer, request));
    ck_assert(peer_read_answer(peer, "GET", &answer));
    if (reason && answer.status == 403)
        ck_assert_msg(strstr(answer.body.bytes, reason), "%s", answer.body.bytes);
    unsigned status = answer.status;
    answer_done(&answer);
    return status;
}

/* The same on a connection of its own. */
static unsigned come(struct story *story, const char *name, const char *path, const char *reason)
{
    struct peer peer;
    connect_as(story, &peer, name);
    unsigned status = get(&peer, path, reason);
    peer_close(&peer);
    return status;
}

static const struct {
    const char *name;
    enum responder_manner manner;
    struct ocsp_wish wish;
    unsigned hard;
    unsigned soft;
    const char *reason;
} answers[] = {
    {"good", RESPONDER_ANSWERS, {0}, 200, 200, NULL},
    {"chunked", RESPONDER_CHUNKED, {0}, 200, 200, NULL},
    {"until-close", RESPONDER_UNTIL_CLOSE, {0}, 200, 200, NULL},
    {"revoked", RESPONDER_ANSWERS, {.status = V_OCSP_CERTSTATUS_REVOKED}, 403, 403, "ocsp-revoked"},
    {"unknown",
     RESPONDER_ANSWERS,
     {.status = V_OCSP_CERTSTATUS_UNKNOWN},
     403,
     200,
     "ocsp-unavailable"},
    {"busy",
     RESPONDER_ANSWERS,
     {.refuses = OCSP_RESPONSE_STATUS_TRYLATER},
     403,
     200,
     "ocsp-unavailable"},
    {"stale",
     RESPONDER_ANSWERS,
     {.made_s = -2 * MADE_DAY_S, .next_s = -MADE_DAY_S},
     403,
     200,
     "ocsp-unavailable"},
    {"forged", RESPONDER_ANSWERS, {.is_bent = true}, 403, 200, "ocsp-unavailable"},
    {"other", RESPONDER_ANSWERS, {.is_of_another = true}, 403, 200, "ocsp-unavailable"},
    {"garbage", RESPONDER_GARBAGE, {0}, 403, 200, "ocsp-unavailable"},
    {"no-http", RESPONDER_NO_HTTP, {0}, 403, 200, "ocsp-unavailable"},
    {"huge", RESPONDER_HUGE, {0}, 403, 200, "ocsp-unavailable"},
    {"failing", RESPONDER_FAILING, {0}, 403, 200, "ocsp-unavailable"},
    {"leaving", RESPONDER_LEAVING, {0}, 403, 200, "ocsp-unavailable"},
};

/* What metrics and the status say, for all workers together. */
static void expect_counted(struct story *story, const char *result, unsigned times)
{
    char label[64];
    char type[128];
    double value = -1;
    json_t *status;
    char *text = api_text(&story->scene, "/metrics", type, sizeof type);
    snprintf(label, sizeof label, "result=\"%s\"", result);
    ck_assert(metrics_text_find(text, &value, "lb_ocsp_answers_total", label, NULL));
    ck_assert_msg(value == times, "%s: %g", result, value);
    free(text);
    ck_assert_uint_eq(api_call(&story->scene, "GET", "/v1/status", NULL, &status), 200);
    const json_t *ocsp = json_object_get(status, "ocsp");
    ck_assert_int_eq(json_integer_value(json_object_get(ocsp, result)), times);
    ck_assert_int_ge(json_integer_value(json_object_get(ocsp, "remembered")), 1);
    json_decref(status);
}

static unsigned of_reason(const char *reason)
{
    unsigned count = 0;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        count += !reason ? !answers[i].reason
                         : answers[i].reason && strcmp(answers[i].reason, reason) == 0;
    return count;
}

START_TEST(every_answer_has_its_consequence_and_is_asked_for_once)
{
    struct story story;
    struct peer peer;
    story_begin(&story);
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        make_client(&story, answers[i].name);
        responder_set(&story.responder, answers[i].manner, &answers[i].wish);
        connect_as(&story, &peer, answers[i].name);
        for (int round = 0; round < 3; round++) {
            unsigned hard = get(&peer, "/hard", answers[i].reason);
            ck_assert_msg(hard == answers[i].hard, "%s: %u", answers[i].name, hard);
            unsigned soft = get(&peer, "/soft", answers[i].reason);
            ck_assert_msg(soft == answers[i].soft, "%s: %u", answers[i].name, soft);
        }
        /* Where nobody asks, nobody is refused. */
        ck_assert_uint_eq(get(&peer, "/free", NULL), 200);
        peer_close(&peer);
        for (int round = 0; round < 4; round++) /* of both workers */
            ck_assert_uint_eq(come(&story, answers[i].name, "/hard", answers[i].reason),
                              answers[i].hard);
        ck_assert_msg(responder_asked(&story.responder) == i + 1, "%s was asked about %u times",
                      answers[i].name, responder_asked(&story.responder) - (unsigned)i);
    }
    /* The first failure is told by name; of others no more than one a second. */
    eventually(scene_log_has(&story.scene, "ocsp.failed", "CN=unknown", "does not know", NULL));
    expect_counted(&story, "good", of_reason(NULL));
    expect_counted(&story, "revoked", of_reason("ocsp-revoked"));
    expect_counted(&story, "unknown", 1);
    expect_counted(&story, "failed", of_reason("ocsp-unavailable") - 1);
    story_end(&story);
}
END_TEST

START_TEST(a_responder_that_is_down_lets_pass_or_not_as_the_rule_says)
{
    struct story story;
    struct made *client;
    char url[64];
    story_begin(&story);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", port_reserve());
    client = made_certificate(&(struct certificate_wish){
        .name = "lost", .issuer = story.ca, .usage = "clientAuth", .ocsp = url});
    made_write(client, story.scene.folder.path, "lost");
    made_free(client);
    client = made_client(story.ca, "silent"); /* names no responder at all */
    made_write(client, story.scene.folder.path, "silent");
    made_free(client);
    ck_assert_uint_eq(come(&story, "lost", "/hard", "ocsp-unavailable"), 403);
    ck_assert_uint_eq(come(&story, "lost", "/soft", NULL), 200);
    ck_assert_uint_eq(come(&story, "silent", "/soft", NULL), 200);
    ck_assert_uint_eq(come(&story, "silent", "/hard", "ocsp-unavailable"), 403);
    ck_assert_uint_eq(responder_asked(&story.responder), 0);
    /* A rule that names a responder asks that one. */
    ck_assert_uint_eq(come(&story, "silent", "/told", NULL), 200);
    ck_assert_uint_eq(come(&story, "lost", "/told", NULL), 200);
    ck_assert_uint_eq(responder_asked(&story.responder), 2);
    story_end(&story);
}
END_TEST

/* What the backend was told of the client of the last request. */
static void expect_verify(struct story *story, const char *verify)
{
    char *heard = stub_heard(&story->backend);
    char *last = NULL;
    char value[64] = "";
    for (char *at = heard; (at = strstr(at, "GET ")); at++)
        last = at;
    ck_assert_ptr_nonnull(last);
    ck_assert(text_field(last, "X-SSL-Client-Verify", value, sizeof value));
    ck_assert_str_eq(value, verify);
    free(heard);
}

START_TEST(backends_are_told_what_was_found)
{
    struct story story;
    story_begin(&story);
    make_client(&story, "alice");
    ck_assert_uint_eq(come(&story, "alice", "/hard", NULL), 200);
    expect_verify(&story, "SUCCESS");
    make_client(&story, "bob");
    responder_set(&story.responder, RESPONDER_ANSWERS,
                  &(struct ocsp_wish){.status = V_OCSP_CERTSTATUS_REVOKED});
    ck_assert_uint_eq(come(&story, "bob", "/asked", NULL), 200); /* needs no certificate there */
    expect_verify(&story, "FAILED:ocsp-revoked");
    make_client(&story, "carol");
    responder_set(&story.responder, RESPONDER_FAILING, NULL);
    ck_assert_uint_eq(come(&story, "carol", "/asked", NULL), 200);
    expect_verify(&story, "FAILED:ocsp-unavailable");
    ck_assert_uint_eq(come(&story, "carol", "/soft", NULL), 200);
    expect_verify(&story, "SUCCESS");
    story_end(&story);
}
END_TEST

START_TEST(a_known_revocation_is_told_in_the_handshake_where_that_alerts)
{
    struct story story;
    struct peer peer;
    story_begin(&story);
    make_client(&story, "alice");
    responder_set(&story.responder, RESPONDER_ANSWERS,
                  &(struct ocsp_wish){.status = V_OCSP_CERTSTATUS_REVOKED});
    /* Nobody knows yet: the handshake waits for nobody, but the request does. */
    ck_assert(peer_connect_tls(&peer, scene_port(&story.scene, "strict"),
                               WISH(&story.scene, .who = "alice")));
    ck_assert_uint_eq(get(&peer, "/", "ocsp-revoked"), 403);
    SSL_SESSION *session = peer_take_session(&peer);
    peer_close(&peer);
    for (int i = 0; i < 4; i++) {
        struct tls_wish *wish =
            WISH(&story.scene, .who = "alice", .session = i % 2 ? session : NULL);
        if (peer_connect_tls(&peer, scene_port(&story.scene, "strict"), wish))
            ck_assert(!peer_receive(&peer)); /* TLS 1.3: the alert comes after the client's part */
        ck_assert_int_eq(peer.alert, SSL_AD_CERTIFICATE_REVOKED);
        peer_close(&peer);
    }
    SSL_SESSION_free(session);
    ck_assert_uint_eq(responder_asked(&story.responder), 1);
    eventually(scene_log_has(&story.scene, "client.refused", "ocsp-revoked", "alice", NULL));
    story_end(&story);
}
END_TEST

START_TEST(a_known_failure_is_told_by_an_answer_where_the_handshake_alerts)
{
    struct story story;
    struct peer peer;
    SSL_SESSION *session = NULL;
    story_begin(&story);
    make_client(&story, "alice");
    responder_set(&story.responder, RESPONDER_FAILING, NULL);
    for (int i = 0; i < 5; i++) {
        struct tls_wish *wish =
            WISH(&story.scene, .who = "alice", .session = i % 2 ? session : NULL);
        ck_assert(peer_connect_tls(&peer, scene_port(&story.scene, "sure"), wish));
        ck_assert_uint_eq(get(&peer, "/", "ocsp-unavailable"), 403);
        if (!session)
            session = peer_take_session(&peer);
        peer_close(&peer);
    }
    SSL_SESSION_free(session);
    ck_assert_uint_eq(responder_asked(&story.responder), 1);
    eventually(scene_log_has(&story.scene, "request.refused", "ocsp-unavailable", "alice", NULL));
    ck_assert(!scene_log_has(&story.scene, "client.refused", NULL));
    story_end(&story);
}
END_TEST

START_TEST(who_is_revoked_while_connected_is_refused_when_the_answer_has_run_out)
{
    struct story story;
    struct peer peer;
    unsigned served = 0;
    story_begin(&story);
    make_client(&story, "alice");
    responder_set(&story.responder, RESPONDER_ANSWERS, &(struct ocsp_wish){.next_s = 1});
    connect_as(&story, &peer, "alice");
    ck_assert_uint_eq(get(&peer, "/hard", NULL), 200);
    responder_set(&story.responder, RESPONDER_ANSWERS,
                  &(struct ocsp_wish){.status = V_OCSP_CERTSTATUS_REVOKED});
    while (get(&peer, "/hard", "ocsp-revoked") == 200) {
        ck_assert_uint_eq(responder_asked(&story.responder),
                          1); /* it counts as long as it counts */
        ck_assert_uint_lt(++served, 100000);
        eventually_pause();
    }
    ck_assert_uint_eq(responder_asked(&story.responder), 2);
    peer_close(&peer);
    story_end(&story);
}
END_TEST

START_TEST(who_has_to_sign_up_is_asked_about_first)
{
    struct story story;
    struct peer peer;
    story_begin(&story);
    ck_assert_uint_eq(
        api_call(&story.scene, "POST", "/v1/cas",
                 json_pack("{s:s,s:o}", "name", "fleet", "pem", api_pem(&story.scene, "fleet.crt")),
                 NULL),
        201);
    make_client(&story, "alice");
    make_client(&story, "bob");
    connect_as(&story, &peer, "alice");
    ck_assert_uint_eq(get(&peer, "/registered", NULL), 200);
    ck_assert_uint_eq(get(&peer, "/registered", NULL), 200);
    peer_close(&peer);
    responder_set(&story.responder, RESPONDER_ANSWERS,
                  &(struct ocsp_wish){.status = V_OCSP_CERTSTATUS_REVOKED});
    ck_assert_uint_eq(come(&story, "bob", "/registered", "ocsp-revoked"), 403);
    json_t *json = NULL;
    ck_assert_uint_eq(api_call(&story.scene, "GET", "/v1/certificates", NULL, &json), 200);
    char *text = json_dumps(json, 0);
    ck_assert_ptr_nonnull(strstr(text, "CN=alice"));
    ck_assert_ptr_null(strstr(text, "CN=bob")); /* who may not pass registers nothing */
    free(text);
    json_decref(json);
    story_end(&story);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, every_answer_has_its_consequence_and_is_asked_for_once);
    tcase_add_test(tcase, a_responder_that_is_down_lets_pass_or_not_as_the_rule_says);
    tcase_add_test(tcase, backends_are_told_what_was_found);
    tcase_add_test(tcase, a_known_revocation_is_told_in_the_handshake_where_that_alerts);
    tcase_add_test(tcase, a_known_failure_is_told_by_an_answer_where_the_handshake_alerts);
    tcase_add_test(tcase, who_is_revoked_while_connected_is_refused_when_the_answer_has_run_out);
    tcase_add_test(tcase, who_has_to_sign_up_is_asked_about_first);
}

CHECK_MAIN("the ca is asked about its clients", add_tests)
