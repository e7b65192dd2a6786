/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client that has to sign up is held with its first request until its certificate is in the
 * store. Here the store cannot be written for as long as the story likes: somebody else holds its
 * lock. What was sent meanwhile is neither lost nor mixed up, who leaves is forgotten, and others
 * do not wait.
 */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/api_call.h"
#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/http2_wire.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/scene.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
#define INI(header_timeout) INI_WITH(header_timeout, "yes")
#define INI_WITH(header_timeout, auto_activate) \
    "[lb]\nworkers = 1\naccess_log = access.log\ndrain_timeout = 5s\n\n[registry]\nauto_activate = " auto_activate "\nsignups_per_second = 1000\n\n" \
    "[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\ncertificate_key = server.key\n" \
    "mutual_auth = require\nclient_ca = partner-ca.crt\nclient_registration = auto\nheader_timeout = " header_timeout "\n\n" \
    "[rule all]\nlistener = web\npool = app\n\n[rule open]\nlistener = web\ndomain = open.example.com\nmutual_auth = off\npool = app\n\n" \
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n"
/* clang-format on */

struct stage {
    struct scene scene;
    struct stub_backend backend;
    sqlite3 *store; /* whose lock is held */
};

/* Says what it got: method, length of the body, and its last byte. */
static void answer(struct stub_link *link)
{
    struct stub_request request;
    while (stub_read(link, &request)) {
        char body[128];
        char text[256];
        size_t length = request.body.length;
        snprintf(body, sizeof body, "%.4s %zu %c", request.head.bytes, length,
                 length ? request.body.bytes[length - 1] : '-');
        snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
                 strlen(body), body);
        stub_say(link, text);
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

static void stage_begin(struct stage *stage, const char *ini)
{
    *stage = (struct stage){0};
    scene_begin(&stage->scene);
    cast_write(&stage->scene);
    stub_start(&stage->backend, "rs-1", answer);
    scene_set_port(&stage->scene, "rs-1", stage->backend.port);
    scene_start(&stage->scene, ini);
    ck_assert_uint_eq(api_call(&stage->scene, "POST", "/v1/cas",
                               json_pack("{s:s,s:o}", "name", "partner", "pem",
                                         api_pem(&stage->scene, "partner-ca.crt")),
                               NULL),
                      201);
    ck_assert_int_eq(
        sqlite3_open(folder_file(&stage->scene.folder, "var/registry.db"), &stage->store),
        SQLITE_OK);
}

static void stage_end(struct stage *stage)
{
    sqlite3_close(stage->store);
    scene_end(&stage->scene);
    stub_stop(&stage->backend);
}

static void take_lock(struct stage *stage)
{
    ck_assert_int_eq(sqlite3_exec(stage->store, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
}

static void leave_lock(struct stage *stage)
{
    ck_assert_int_eq(sqlite3_exec(stage->store, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
}

static void bob_connects(struct stage *stage, struct peer *bob)
{
    ck_assert(
        peer_connect_tls(bob, scene_port(&stage->scene, "web"), WISH(&stage->scene, .who = "bob")));
}

/* Somebody else is served: so all that bob sent before has been looked at. */
static void expect_others_are_served(struct stage *stage)
{
    struct peer guest;
    ck_assert(peer_connect_tls(&guest, scene_port(&stage->scene, "web"), WISH(&stage->scene, 0)));
    ck_assert_uint_eq(peer_ask(&guest, "GET / HTTP/1.1\r\nHost: open.example.com\r\n\r\n"), 200);
    peer_close(&guest);
}

static void expect_answer(struct peer *peer, const char *body)
{
    struct answer got = {0};
    ck_assert(peer_read_answer(peer, "GET", &got));
    ck_assert_uint_eq(got.status, 200);
    ck_assert_msg(got.body.length == strlen(body) &&
                      memcmp(got.body.bytes, body, got.body.length) == 0,
                  "expected \"%s\", got \"%.*s\"", body, (int)got.body.length, got.body.bytes);
    answer_done(&got);
}

static json_t *list(struct stage *stage)
{
    json_t *json = NULL;
    ck_assert_uint_eq(api_call(&stage->scene, "GET", "/v1/certificates", NULL, &json), 200);
    return json;
}

START_TEST(a_body_and_what_is_pipelined_behind_it_arrive_whole)
{
    enum { BODY_BYTES = 200000 };
    struct stage stage;
    struct peer bob;
    struct text sent = {0};
    stage_begin(&stage, INI("20s"));
    take_lock(&stage);
    bob_connects(&stage, &bob);
    text_add_format(&sent, "POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n",
                    BODY_BYTES);
    for (unsigned i = 0; i < BODY_BYTES; i++)
        text_add(&sent, i + 1 < BODY_BYTES ? "x" : "y", 1);
    text_add_format(&sent,
                    "PUT /second HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nGET /third HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(peer_send(&bob, sent.bytes, sent.length));
    expect_others_are_served(&stage);
    ck_assert(!stub_has_heard(&stage.backend, "/first"));
    leave_lock(&stage);
    expect_answer(&bob, "POST 200000 y");
    expect_answer(&bob, "PUT  5 e");
    expect_answer(&bob, "GET  0 -");
    peer_close(&bob);
    text_done(&sent);
    eventually(scene_access_lines(&stage.scene, "\"uri\":\"/first\"") == 1);
    stage_end(&stage);
}
END_TEST

START_TEST(who_waits_for_100_gets_it_when_the_time_has_come)
{
    struct stage stage;
    struct peer bob;
    stage_begin(&stage, INI("20s"));
    take_lock(&stage);
    bob_connects(&stage, &bob);
    ck_assert(peer_say(&bob, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                             "Content-Length: 3\r\n\r\n"));
    expect_others_are_served(&stage);
    leave_lock(&stage);
    ck_assert(peer_receive_until(&bob, "HTTP/1.1 100 "));
    ck_assert(peer_say(&bob, "abc"));
    ck_assert(peer_receive_until(&bob, "POST 3 c"));
    peer_close(&bob);
    stage_end(&stage);
}
END_TEST

START_TEST(clients_that_leave_while_they_are_held_are_forgotten)
{
    enum { VISITS = 40 };
    struct stage stage;
    stage_begin(&stage, INI("20s"));
    take_lock(&stage);
    for (unsigned i = 0; i < VISITS; i++) {
        struct peer bob;
        bob_connects(&stage, &bob);
        ck_assert(peer_say(&bob, "GET /left HTTP/1.1\r\nHost: a\r\n\r\n"));
        if (i % 2)
            peer_reset(&bob);
        else
            peer_close(&bob);
    }
    expect_others_are_served(&stage);
    leave_lock(&stage);
    struct peer bob;
    bob_connects(&stage, &bob);
    ck_assert_uint_eq(peer_ask(&bob, "GET /last HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    peer_close(&bob);
    json_t *listed = list(&stage);
    ck_assert_uint_eq(json_array_size(json_object_get(listed, "certificates")), 1);
    json_decref(listed);
    stage_end(&stage);
}
END_TEST

/* A hundred streams that are held, half of them with all of a body that its window takes, and then
 * are not wanted any more. Their windows come back, or there would soon be none to send in. */
static void ask_and_cancel(struct http2_wire *wire)
{
    enum { STREAMS = 100, BODY_BYTES = 48 * 1024 };
    static const char body[BODY_BYTES];
    uint32_t streams[STREAMS];
    for (unsigned i = 0; i < STREAMS; i++) {
        bool has_body = i % 2 == 0;
        streams[i] = has_body ? http2_wire_open(wire, "POST", "/left", NULL)
                              : http2_wire_ask(wire, "GET", "/left", NULL);
        if (has_body)
            ck_assert(http2_wire_data(wire, streams[i], body, sizeof body, false));
    }
    for (unsigned i = 0; i < STREAMS; i++)
        http2_wire_cancel(wire, streams[i], NGHTTP2_CANCEL);
    ck_assert(http2_wire_ping(wire));
}

START_TEST(streams_that_are_reset_while_they_are_held_leave_nothing)
{
    enum { CONNECTIONS = 5, ROUNDS = 4, GROWTH_MOST_KIB = 16 * 1024 };
    struct stage stage;
    struct http2_wire wires[CONNECTIONS];
    process_measure();
    stage_begin(&stage, INI("60s"));
    take_lock(&stage);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        http2_wire_enter(&wires[i], scene_port(&stage.scene, "web"),
                         WISH(&stage.scene, .who = "bob"));
        ask_and_cancel(&wires[i]);
    }
    long before_kib = process_memory_kib(stage.scene.pid);
    for (unsigned round = 1; round < ROUNDS; round++)
        for (unsigned i = 0; i < CONNECTIONS; i++)
            ask_and_cancel(&wires[i]);
    long grown_kib = process_memory_kib(stage.scene.pid) - before_kib;
    ck_assert_msg(grown_kib < GROWTH_MOST_KIB, "lb grew by %ld KiB", grown_kib);
    expect_others_are_served(&stage);
    leave_lock(&stage);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        ck_assert_uint_eq(http2_wire_get(&wires[i], "/wanted"), 200);
        http2_wire_close(&wires[i]);
    }
    ck_assert(!stub_has_heard(&stage.backend, "/left"));
    stage_end(&stage);
}
END_TEST

START_TEST(whoever_is_held_longer_than_header_timeout_is_told_so)
{
    struct stage stage;
    struct peer bob;
    stage_begin(&stage, INI("300ms"));
    take_lock(&stage);
    bob_connects(&stage, &bob);
    ck_assert_uint_eq(peer_ask(&bob, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 503);
    leave_lock(&stage);
    peer_close(&bob);
    bob_connects(&stage, &bob);
    eventually(scene_log_has(&stage.scene, "request.refused", "status=503", NULL));
    ck_assert_uint_eq(peer_ask(&bob, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    peer_close(&bob);
    stage_end(&stage);
}
END_TEST

START_TEST(who_is_not_activated_is_told_so_and_that_it_is_the_last_answer)
{
    enum { HELD = 8 };
    struct stage stage;
    struct peer held[HELD];
    stage_begin(&stage, INI_WITH("20s", "no"));
    take_lock(&stage);
    for (unsigned i = 0; i < HELD; i++) {
        bob_connects(&stage, &held[i]);
        ck_assert(peer_say(&held[i], "GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    }
    expect_others_are_served(&stage);
    leave_lock(&stage);
    for (unsigned i = 0; i < HELD; i++) {
        struct answer got = {0};
        ck_assert_msg(peer_read_answer(&held[i], "GET", &got), "client %u got no answer", i);
        ck_assert_uint_eq(got.status, 403);
        ck_assert_ptr_nonnull(strstr(got.body.bytes, "not-activated"));
        answer_done(&got);
        peer_receive_all(&held[i]);
        peer_close(&held[i]);
    }
    stage_end(&stage);
}
END_TEST

START_TEST(lb_ends_while_clients_are_held)
{
    struct stage stage;
    struct peer held[8];
    stage_begin(&stage, INI("20s"));
    take_lock(&stage);
    for (unsigned i = 0; i < 8; i++) {
        bob_connects(&stage, &held[i]);
        ck_assert(peer_say(&held[i], "GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    }
    expect_others_are_served(&stage);
    scene_terminate(&stage.scene);
    eventually(scene_log_has(&stage.scene, "lb.draining", NULL));
    leave_lock(&stage);
    for (unsigned i = 0; i < 8; i++) {
        expect_answer(&held[i], "GET  0 -");
        peer_close(&held[i]);
    }
    scene_await_end(&stage.scene);
    stage_end(&stage);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_body_and_what_is_pipelined_behind_it_arrive_whole);
    tcase_add_test(tcase, who_waits_for_100_gets_it_when_the_time_has_come);
    tcase_add_test(tcase, clients_that_leave_while_they_are_held_are_forgotten);
    tcase_add_http1_test(tcase, streams_that_are_reset_while_they_are_held_leave_nothing);
    tcase_add_test(tcase, whoever_is_held_longer_than_header_timeout_is_told_so);
    tcase_add_test(tcase, who_is_not_activated_is_told_so_and_that_it_is_the_last_answer);
    tcase_add_test(tcase, lb_ends_while_clients_are_held);
}

CHECK_MAIN("held requests", add_tests)
