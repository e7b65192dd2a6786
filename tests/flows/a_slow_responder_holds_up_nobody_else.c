/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An OCSP responder that takes questions and does not answer. The requests of those it is asked
 * about wait; one worker serves everybody else meanwhile. That is shown by the order of events: the
 * responder still holds all questions when others have got their answers. Whoever leaves, reloads
 * or stops lb meanwhile does no harm.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/http2_wire.h"
#include "tests/support/process.h"
#include "tests/support/stub_responder.h"

enum { CLIENTS = 50 };

/* clang-format off */
#define INI(drain_timeout) \
    "[lb]\nworkers = 1\naccess_log = access.log\ndrain_timeout = " drain_timeout "\n\n" \
    "[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\ncertificate_key = server.key\n" \
    "mutual_auth = require\nclient_ca = fleet.crt\nrefuse_with = 403\nclient_ocsp_responder = http://127.0.0.1:@ocsp/\n\n" \
    "[rule hard]\nlistener = web\nurl = /hard\nclient_ocsp = hard\npool = app\n\n" \
    "[rule soft]\nlistener = web\nurl = /soft\nclient_ocsp = soft\npool = app\n\n" \
    "[rule free]\nlistener = web\npool = app\n\n" \
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n"
/* clang-format on */

struct story {
    struct scene scene;
    struct stub_backend backend;
    struct stub_responder responder;
    struct made *ca;
    struct peer peers[CLIENTS];
};

static void name_of(unsigned client, char name[32])
{
    snprintf(name, 32, "client-%02u", client);
}

static void story_begin(struct story *story, const char *ini)
{
    char name[32];
    scene_begin(&story->scene);
    cast_write(&story->scene);
    story->ca = made_ca("Fleet CA");
    made_write(story->ca, story->scene.folder.path, "fleet");
    for (unsigned i = 0; i < CLIENTS; i++) {
        name_of(i, name);
        struct made *client = made_client(story->ca, name);
        made_write(client, story->scene.folder.path, name);
        made_free(client);
    }
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

static void join(struct story *story, unsigned client)
{
    char name[32];
    name_of(client, name);
    ck_assert(peer_connect_tls(&story->peers[client], scene_port(&story->scene, "web"),
                               WISH(&story->scene, .who = name)));
}

static void say(struct peer *peer, const char *path)
{
    char request[256];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
    ck_assert(peer_say(peer, request));
}

static unsigned hear(struct peer *peer)
{
    struct answer answer = {0};
    unsigned status = peer_read_answer(peer, "GET", &answer) ? answer.status : 0;
    answer_done(&answer);
    return status;
}

/* All of them are asked about, and nobody answers. */
static void all_wait(struct story *story, unsigned first, unsigned last)
{
    responder_set(&story->responder, RESPONDER_HELD, NULL);
    /* Who waits does so no longer than OCSP_ASK_MS: what takes long comes before. */
    for (unsigned i = first; i <= last; i++)
        join(story, i);
    for (unsigned i = first; i <= last; i++)
        say(&story->peers[i], "/hard");
    eventually(responder_holding(&story->responder) == last - first + 1);
}

START_TEST(fifty_who_wait_keep_nobody_waiting)
{
    struct story story;
    story_begin(&story, INI("5s"));
    join(&story, 0);
    say(&story.peers[0], "/hard");
    ck_assert_uint_eq(hear(&story.peers[0]), 200); /* the responder has answered about this one */
    all_wait(&story, 1, CLIENTS - 1);
    for (int round = 0; round < 20; round++) {
        say(&story.peers[0], round % 2 ? "/hard" : "/free");
        ck_assert_uint_eq(hear(&story.peers[0]), 200);
    }
    /* One who is asked about himself is served, too, on another connection, where nobody asks. */
    struct peer other;
    ck_assert(peer_connect_tls(&other, scene_port(&story.scene, "web"),
                               WISH(&story.scene, .who = "client-01")));
    say(&other, "/free");
    ck_assert_uint_eq(hear(&other), 200);
    ck_assert_uint_eq(responder_holding(&story.responder), CLIENTS - 1);
    /* And joins the question that is under way. */
    say(&other, "/hard");
    say(&story.peers[0], "/hard");
    ck_assert_uint_eq(hear(&story.peers[0]), 200);
    ck_assert_uint_eq(responder_asked(&story.responder), CLIENTS);
    responder_set(&story.responder, RESPONDER_ANSWERS, NULL);
    ck_assert_uint_eq(hear(&other), 200);
    for (unsigned i = 1; i < CLIENTS; i++)
        ck_assert_uint_eq(hear(&story.peers[i]), 200);
    ck_assert_uint_eq(responder_asked(&story.responder), CLIENTS);
    for (unsigned i = 0; i < CLIENTS; i++)
        peer_close(&story.peers[i]);
    peer_close(&other);
    story_end(&story);
}
END_TEST

START_TEST(who_gets_no_answer_is_let_in_or_not_when_the_time_is_over)
{
    struct story story;
    story_begin(&story, INI("5s"));
    responder_set(&story.responder, RESPONDER_HELD, NULL);
    join(&story, 0);
    join(&story, 1);
    say(&story.peers[0], "/hard");
    say(&story.peers[1], "/soft");
    ck_assert_uint_eq(hear(&story.peers[0]), 403);
    ck_assert_uint_eq(hear(&story.peers[1]), 200);
    eventually(scene_log_has(&story.scene, "ocsp.failed", "no answer in time", NULL));
    eventually(scene_log_has(&story.scene, "request.refused", "ocsp-unavailable", NULL));
    peer_close(&story.peers[0]);
    peer_close(&story.peers[1]);
    story_end(&story);
}
END_TEST

START_TEST(what_is_sent_meanwhile_arrives_whole_and_in_order)
{
    struct story story;
    struct peer *peer = &story.peers[0];
    struct text sent = {0};
    story_begin(&story, INI("5s"));
    responder_set(&story.responder, RESPONDER_HELD, NULL);
    join(&story, 0);
    text_add_format(&sent, "POST /hard/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
    for (int i = 0; i < 100000; i++)
        text_add(&sent, "x", 1);
    text_add_format(&sent, "GET /hard/2 HTTP/1.1\r\nHost: a\r\n\r\n"
                           "GET /free/3 HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(peer_send(peer, sent.bytes, sent.length));
    eventually(responder_holding(&story.responder) == 1);
    /* Over HTTP/2 nobody stands before the third: nobody asks about it. */
    unsigned unasked = peer_http2_is_wanted() ? 1 : 0;
    eventually(atomic_load(&story.backend.requests) == unasked);
    responder_set(&story.responder, RESPONDER_ANSWERS, NULL);
    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(hear(peer), 200);
    ck_assert_uint_eq(atomic_load(&story.backend.requests), 3);
    ck_assert_uint_eq(responder_asked(&story.responder), 1);
    text_done(&sent);
    peer_close(peer);
    story_end(&story);
}
END_TEST

START_TEST(who_leaves_while_he_is_asked_about_does_no_harm)
{
    struct story story;
    story_begin(&story, INI("5s"));
    unsigned before = process_descriptors(story.scene.pid);
    join(&story, CLIENTS - 1);
    all_wait(&story, 0, CLIENTS - 2);
    for (unsigned i = 0; i < CLIENTS - 1; i++) {
        if (i % 3 == 0)
            peer_reset(&story.peers[i]);
        else if (i % 3 == 1)
            peer_close(&story.peers[i]);
        else
            peer_finish(&story.peers[i]);
    }
    say(&story.peers[CLIENTS - 1], "/free");
    ck_assert_uint_eq(hear(&story.peers[CLIENTS - 1]), 200);
    responder_set(&story.responder, RESPONDER_ANSWERS, NULL);
    for (unsigned i = 2; i < CLIENTS - 1; i += 3) {
        ck_assert_uint_eq(hear(&story.peers[i]), 200); /* it still wanted its answer */
        peer_close(&story.peers[i]);
    }
    peer_close(&story.peers[CLIENTS - 1]);
    /* Links to the backend may stay, one for each who was served at the same time. */
    eventually(process_descriptors(story.scene.pid) <= before + CLIENTS / 3 + 1);
    /* What the responder said of those who have left is not asked again. */
    unsigned asked = responder_asked(&story.responder);
    for (unsigned i = 0; i < 6; i++) {
        join(&story, i);
        say(&story.peers[i], "/hard");
        ck_assert_uint_eq(hear(&story.peers[i]), 200);
        peer_close(&story.peers[i]);
    }
    ck_assert_uint_eq(responder_asked(&story.responder), asked);
    story_end(&story);
}
END_TEST

static void ask_and_cancel(struct http2_wire *wire)
{
    enum { STREAMS = 100 };
    uint32_t streams[STREAMS];
    for (unsigned i = 0; i < STREAMS; i++)
        streams[i] = http2_wire_ask(wire, "GET", "/hard/left", NULL);
    for (unsigned i = 0; i < STREAMS; i++)
        http2_wire_cancel(wire, streams[i], NGHTTP2_CANCEL);
    ck_assert(http2_wire_ping(wire));
}

START_TEST(streams_that_are_reset_while_he_is_asked_about_leave_nothing)
{
    enum { CONNECTIONS = 5, ROUNDS = 4, GROWTH_MOST_KIB = 16 * 1024 };
    struct story story;
    struct http2_wire wires[CONNECTIONS];
    char name[32];
    process_measure();
    story_begin(&story, INI("5s"));
    responder_set(&story.responder, RESPONDER_HELD, NULL);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        name_of(i, name);
        http2_wire_enter(&wires[i], scene_port(&story.scene, "web"),
                         WISH(&story.scene, .who = name));
        ask_and_cancel(&wires[i]);
    }
    long before_kib = process_memory_kib(story.scene.pid);
    for (unsigned round = 1; round < ROUNDS; round++)
        for (unsigned i = 0; i < CONNECTIONS; i++)
            ask_and_cancel(&wires[i]);
    long grown_kib = process_memory_kib(story.scene.pid) - before_kib;
    ck_assert_msg(grown_kib < GROWTH_MOST_KIB, "lb grew by %ld KiB", grown_kib);
    ck_assert_uint_eq(responder_asked(&story.responder), CONNECTIONS);
    ck_assert_uint_eq(http2_wire_get(&wires[0], "/free"), 200);
    responder_set(&story.responder, RESPONDER_ANSWERS, NULL);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        eventually(http2_wire_get(&wires[i], "/hard/wanted") == 200);
        http2_wire_close(&wires[i]);
    }
    ck_assert(!stub_has_heard(&story.backend, "/hard/left"));
    story_end(&story);
}
END_TEST

START_TEST(a_reload_in_between_loses_nothing)
{
    struct story story;
    story_begin(&story, INI("5s"));
    all_wait(&story, 0, 9);
    ck_assert(scene_reload(&story.scene, INI("5s")));
    ck_assert_uint_eq(responder_holding(&story.responder), 10);
    responder_set(&story.responder, RESPONDER_ANSWERS, NULL);
    for (unsigned i = 0; i < 10; i++) {
        ck_assert_uint_eq(hear(&story.peers[i]), 200);
        peer_close(&story.peers[i]);
    }
    ck_assert_uint_eq(responder_asked(&story.responder), 10);
    story_end(&story);
}
END_TEST

START_TEST(a_reload_that_asks_no_more_lets_pass_who_waits)
{
    static const char relaxed[] =
        "[lb]\nworkers = 1\naccess_log = access.log\n\n"
        "[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\n"
        "certificate_key = server.key\nmutual_auth = require\nclient_ca = fleet.crt\n"
        "refuse_with = 403\n\n[rule free]\nlistener = web\npool = app\n\n"
        "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n";
    struct story story;
    story_begin(&story, INI("5s"));
    all_wait(&story, 0, 4);
    ck_assert(scene_reload(&story.scene, relaxed));
    responder_set(&story.responder, RESPONDER_LEAVING, NULL); /* nobody will ever know */
    for (unsigned i = 0; i < 5; i++) {
        ck_assert_uint_eq(hear(&story.peers[i]), 200);
        peer_close(&story.peers[i]);
    }
    story_end(&story);
}
END_TEST

START_TEST(who_waits_when_lb_is_told_to_end_gets_his_answer)
{
    struct story story;
    story_begin(&story, INI("20s"));
    all_wait(&story, 0, 9);
    scene_terminate(&story.scene);
    eventually(scene_log_has(&story.scene, "lb.draining", NULL));
    responder_set(&story.responder, RESPONDER_ANSWERS, NULL);
    for (unsigned i = 0; i < 10; i++) {
        ck_assert_uint_eq(hear(&story.peers[i]), 200);
        peer_close(&story.peers[i]);
    }
    scene_await_end(&story.scene);
    story_end(&story);
}
END_TEST

START_TEST(lb_ends_in_the_middle_of_its_questions)
{
    struct story story;
    story_begin(&story, INI("100ms"));
    all_wait(&story, 0, 9);
    scene_stop(&story.scene); /* and leaves nothing behind: a sanitizer's report would fail it */
    ck_assert_uint_eq(responder_holding(&story.responder), 10);
    for (unsigned i = 0; i < 10; i++)
        peer_close(&story.peers[i]);
    story_end(&story);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, fifty_who_wait_keep_nobody_waiting);
    tcase_add_test(tcase, who_gets_no_answer_is_let_in_or_not_when_the_time_is_over);
    tcase_add_test(tcase, what_is_sent_meanwhile_arrives_whole_and_in_order);
    /* Over HTTP/2 who closes has left nothing unread, so that it is no reset: lb serves it, too. */
    tcase_add_http1_test(tcase, who_leaves_while_he_is_asked_about_does_no_harm);
    tcase_add_http1_test(tcase, streams_that_are_reset_while_he_is_asked_about_leave_nothing);
    tcase_add_test(tcase, a_reload_in_between_loses_nothing);
    tcase_add_test(tcase, a_reload_that_asks_no_more_lets_pass_who_waits);
    tcase_add_test(tcase, who_waits_when_lb_is_told_to_end_gets_his_answer);
    tcase_add_test(tcase, lb_ends_in_the_middle_of_its_questions);
}

CHECK_MAIN("a slow responder holds up nobody else", add_tests)
