/* SPDX-License-Identifier: Apache-2.0 */
/* Upgrade: a tunnel once the backend answers 101, and nothing of the kind otherwise. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/house.h"

static const char upgrade[] =
    "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Key: x\r\n\r\n";

/* 101, a greeting in the same write, then everything back as it came. */
static void switch_and_echo(struct stub_link *link)
{
    struct stub_request request;
    if (stub_read(link, &request) && text_field_count(request.head.bytes, "Upgrade") == 1) {
        stub_switch(link, &request, "welcome");
        do {
            stub_send(link, link->inbox.bytes, link->inbox.length);
            text_drop(&link->inbox, link->inbox.length);
        } while (stub_receive(link));
        stub_say(link, "bye");
    } else {
        stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno");
    }
    stub_request_done(&request);
}

static void expect_101(struct peer *peer)
{
    struct answer answer;
    char value[64] = "";
    ck_assert(peer_read_answer(peer, "GET", &answer));
    ck_assert_uint_eq(answer.status, 101);
    ck_assert(text_field(answer.head, "Upgrade", value, sizeof value));
    ck_assert_str_eq(value, "websocket");
    ck_assert(text_field(answer.head, "Connection", value, sizeof value));
    ck_assert(strcasecmp(value, "upgrade") == 0);
    /* Over HTTP/2 it is lb that asks for the proof, and the client has no use for it. */
    ck_assert(peer->http2 != NULL ||
              text_field(answer.head, "Sec-WebSocket-Accept", value, sizeof value));
    answer_done(&answer);
    ck_assert(peer_receive_bytes(peer, 7));
    ck_assert_mem_eq(peer->inbox.bytes, "welcome", 7);
    text_drop(&peer->inbox, 7);
}

/* Bytes that are no HTTP at all, through the tunnel and back. */
static void exchange_bytes(struct peer *peer, size_t length)
{
    char *sent = malloc(length);
    for (size_t i = 0; i < length; i++)
        sent[i] = (char)(i * 7 + i / 251);
    ck_assert(peer_send(peer, sent, length));
    ck_assert(peer_receive_bytes(peer, length));
    ck_assert_mem_eq(peer->inbox.bytes, sent, length);
    text_drop(&peer->inbox, length);
    free(sent);
}

START_TEST(after_101_any_bytes_pass_both_ways)
{
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){.serve = switch_and_echo});
    house_enter(&house, &peer);
    ck_assert(peer_say(&peer, upgrade));
    expect_101(&peer);
    exchange_bytes(&peer, 1);
    exchange_bytes(&peer, 60000);
    exchange_bytes(&peer, 13);
    peer_close(&peer);
    eventually(scene_access_lines(&house.scene, "101") == 1);
    house_close(&house);
}
END_TEST

START_TEST(when_the_client_has_finished_the_backend_may_still_speak)
{
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){.serve = switch_and_echo});
    house_enter(&house, &peer);
    ck_assert(peer_say(&peer, upgrade));
    expect_101(&peer);
    ck_assert(peer_say(&peer, "last"));
    peer_finish(&peer);
    peer_receive_all(&peer);
    ck_assert_str_eq(peer.inbox.bytes, "lastbye");
    ck_assert(!peer.was_reset);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

/* 101, a greeting, no more of its own; what the client says is in what it heard. */
static void switch_and_finish(struct stub_link *link)
{
    struct stub_request request;
    if (stub_read(link, &request)) {
        stub_switch(link, &request, "welcome");
        shutdown(link->fd, SHUT_WR);
        stub_wait_for_end(link);
    }
    stub_request_done(&request);
}

START_TEST(when_the_backend_has_finished_the_client_may_still_speak)
{
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){.serve = switch_and_finish});
    house_enter(&house, &peer);
    ck_assert(peer_say(&peer, upgrade));
    expect_101(&peer);
    peer_receive_all(&peer);
    ck_assert_uint_eq(peer.inbox.length, 0);
    ck_assert(!peer.was_reset);
    ck_assert(peer_say(&peer, "last "));
    eventually(stub_has_heard(&house.backend, "last "));
    ck_assert(peer_say(&peer, "words"));
    peer_finish(&peer);
    eventually(stub_has_heard(&house.backend, "last words"));
    eventually(scene_access_lines(&house.scene, "\"status\":101") == 1);
    ck_assert_uint_eq(scene_access_lines(&house.scene, "\"reason\""), 0);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

START_TEST(who_stays_behind_its_backend_s_end_is_let_go_after_body_timeout)
{
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){.serve = switch_and_finish,
                                            .listener = "body_timeout = 300ms\n"});
    house_enter(&house, &peer);
    ck_assert(peer_say(&peer, upgrade));
    expect_101(&peer);
    eventually(scene_access_lines(&house.scene, "silent longer than body_timeout") == 1);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

START_TEST(bytes_that_follow_the_request_at_once_belong_to_the_tunnel)
{
    struct house house;
    struct peer peer;
    struct text both = {0};
    house_open(&house, &(struct house_plan){.serve = switch_and_echo});
    house_enter(&house, &peer);
    text_add_format(&both, "%searly", upgrade);
    ck_assert(peer_send(&peer, both.bytes, both.length));
    expect_101(&peer);
    ck_assert(peer_receive_bytes(&peer, 5));
    ck_assert_mem_eq(peer.inbox.bytes, "early", 5);
    text_drop(&peer.inbox, 5);
    exchange_bytes(&peer, 100);
    text_done(&both);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

static void decline(struct stub_link *link)
{
    struct stub_request request;
    while (stub_read(link, &request)) {
        stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno");
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

START_TEST(a_backend_that_declines_answers_as_usual_and_the_connection_goes_on)
{
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){.serve = decline});
    house_enter(&house, &peer);
    ck_assert_uint_eq(peer_ask(&peer, upgrade), 200);
    ck_assert_uint_eq(peer_get(&peer, "a", "/", NULL, 0), 200);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

static void switch_unasked(struct stub_link *link)
{
    struct stub_request request;
    if (stub_read(link, &request))
        stub_say(
            link,
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    stub_wait_for_end(link);
    stub_request_done(&request);
}

START_TEST(a_backend_that_switches_unasked_gets_no_tunnel)
{
    struct house house;
    struct peer peer;
    char body[64] = "";
    house_open(&house, &(struct house_plan){.serve = switch_unasked});
    house_enter(&house, &peer);
    ck_assert_uint_eq(peer_get(&peer, "a", "/", body, sizeof body), 502);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

START_TEST(an_upgrade_that_connection_does_not_name_is_none)
{
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){.serve = switch_and_echo});
    house_enter(&house, &peer);
    ck_assert_uint_eq(peer_ask(&peer, "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n"),
                      200);
    peer_close(&peer);
    house_enter(&house, &peer);
    ck_assert_uint_eq(peer_ask(&peer, "GET / HTTP/1.0\r\nHost: a\r\nConnection: upgrade\r\n"
                                      "Upgrade: websocket\r\n\r\n"),
                      200);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

START_TEST(h2c_is_never_offered_to_a_backend)
{
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){.serve = switch_and_echo});
    house_enter(&house, &peer);
    peer_ask(&peer, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                    "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n");
    char *heard = stub_heard(&house.backend);
    ck_assert_ptr_null(strstr(heard, "h2c"));
    ck_assert_ptr_null(strcasestr(heard, "HTTP2-Settings"));
    free(heard);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

START_TEST(a_tunnel_passes_through_mutual_tls)
{
    struct scene scene;
    struct stub_backend backend;
    struct peer peer;
    scene_begin(&scene);
    cast_write(&scene);
    stub_start(&backend, "rs-1", switch_and_echo);
    scene_set_port(&scene, "rs-1", backend.port);
    scene_start(&scene,
                "[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\n"
                "certificate_key = server.key\nmutual_auth = require\nclient_ca = ca.crt\n\n"
                "[rule all]\nlistener = web\npool = app\n\n"
                "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n");
    ck_assert(peer_connect_tls(&peer, scene_port(&scene, "web"), WISH(&scene, .who = "alice")));
    ck_assert(peer_say(&peer, upgrade));
    expect_101(&peer);
    exchange_bytes(&peer, 50000);
    peer_finish(&peer);
    peer_receive_all(&peer);
    ck_assert_str_eq(peer.inbox.bytes, "bye");
    peer_close(&peer);
    scene_end(&scene);
    stub_stop(&backend);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, after_101_any_bytes_pass_both_ways);
    tcase_add_test(tcase, when_the_client_has_finished_the_backend_may_still_speak);
    tcase_add_http1_test(tcase, when_the_backend_has_finished_the_client_may_still_speak);
    tcase_add_test(tcase, who_stays_behind_its_backend_s_end_is_let_go_after_body_timeout);
    tcase_add_test(tcase, bytes_that_follow_the_request_at_once_belong_to_the_tunnel);
    tcase_add_http1_test(tcase,
                         a_backend_that_declines_answers_as_usual_and_the_connection_goes_on);
    tcase_add_test(tcase, a_backend_that_switches_unasked_gets_no_tunnel);
    tcase_add_http1_test(tcase, an_upgrade_that_connection_does_not_name_is_none);
    tcase_add_http1_test(tcase, h2c_is_never_offered_to_a_backend);
    tcase_add_test(tcase, a_tunnel_passes_through_mutual_tls);
}

CHECK_MAIN("upgrades become tunnels", add_tests)
