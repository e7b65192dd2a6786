/* SPDX-License-Identifier: Apache-2.0 */
/* Every timeout of a listener and of a pool: what the one who waited gets, and that it is in the
 * log. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/house.h"

/* Reads the request and never answers. */
static void never_answer(struct stub_link *link)
{
    struct stub_request request;
    stub_read(link, &request);
    stub_request_done(&request);
    stub_wait_for_end(link);
}

START_TEST(a_head_that_never_ends_gets_408)
{
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){.listener = "header_timeout = 200ms\n"});
    house_enter(&house, &peer);
    ck_assert_uint_eq(peer_ask(&peer, "GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "), 408);
    peer_receive_all(&peer);
    peer_close(&peer);
    eventually(scene_access_lines(&house.scene, "408") == 1);
    ck_assert_uint_eq(atomic_load(&house.backend.connections), 0);
    house_close(&house);
}
END_TEST

/* One byte at a time does not help: the head as a whole has its time. */
START_TEST(a_head_that_comes_byte_by_byte_gets_408)
{
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){.listener = "header_timeout = 300ms\n"});
    house_enter(&house, &peer);
    peer_say(&peer, "GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ");
    eventually(!peer_say(&peer, "x") ||
               (recv(peer.fd, &(char){0}, 1, MSG_PEEK | MSG_DONTWAIT) == 1));
    ck_assert(peer_receive_until(&peer, "\r\n"));
    ck_assert_ptr_nonnull(strstr(peer.inbox.bytes, "HTTP/1.1 408"));
    peer_close(&peer);
    house_close(&house);
}
END_TEST

START_TEST(an_idle_connection_is_closed_without_a_word)
{
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){.listener = "keepalive_timeout = 200ms\n"});
    house_enter(&house, &peer);
    ck_assert_uint_eq(peer_get(&peer, "a", "/", NULL, 0), 200);
    peer_receive_all(&peer);
    ck_assert_uint_eq(peer.inbox.length, 0);
    ck_assert(!peer.was_reset);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

START_TEST(a_body_that_stops_coming_gets_408)
{
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){.listener = "body_timeout = 200ms\n"});
    house_enter(&house, &peer);
    ck_assert_uint_eq(
        peer_ask(&peer, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf"), 408);
    ck_assert(peer_ends_here(&peer));
    peer_close(&peer);
    ck_assert_uint_eq(atomic_load(&house.backend.requests), 0);
    house_close(&house);
}
END_TEST

/* Pours until it is stopped. */
static void pour_forever(struct stub_link *link)
{
    static const char piece[16 * 1024];
    struct stub_request request;
    if (stub_read(link, &request)) {
        stub_say(link, "HTTP/1.1 200 OK\r\n\r\n");
        while (stub_send(link, piece, sizeof piece))
            ;
    }
    stub_request_done(&request);
    atomic_store((atomic_bool *)link->stub->story, true);
}

START_TEST(a_client_that_does_not_take_its_answer_is_given_up)
{
    struct house house;
    struct peer peer;
    atomic_bool given_up = false;
    house_open(&house, &(struct house_plan){.serve = pour_forever,
                                            .story = &given_up,
                                            .listener = "body_timeout = 300ms\n"});
    house_enter(&house, &peer);
    peer_say(&peer, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    eventually(atomic_load(&given_up));
    peer_close(&peer);
    house_close(&house);
}
END_TEST

START_TEST(a_backend_that_never_answers_gives_504_and_the_log_says_why)
{
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){.serve = never_answer,
                                            .pool = "answer_timeout = 200ms\nretries = 0\n"});
    house_enter(&house, &peer);
    ck_assert_uint_eq(peer_get(&peer, "a", "/", NULL, 0), 504);
    peer_close(&peer);
    eventually(scene_access_lines(&house.scene, "504") == 1);
    eventually(scene_log_has(&house.scene, "rs-1", "answer_timeout", NULL) ||
               scene_access_lines(&house.scene, "\"reason\"") == 1);
    house_close(&house);
}
END_TEST

static void stop_in_the_middle(struct stub_link *link)
{
    struct stub_request request;
    if (stub_read(link, &request))
        stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    stub_request_done(&request);
    stub_wait_for_end(link);
}

/* Reads the head, and says neither 100 nor anything else. */
static void never_invite(struct stub_link *link)
{
    struct stub_request request;
    stub_read_head(link, &request);
    stub_request_done(&request);
    stub_wait_for_end(link);
}

static void invite_and_wait(struct stub_link *link)
{
    struct stub_request request;
    if (stub_read_head(link, &request))
        stub_say(link, "HTTP/1.1 100 Continue\r\n\r\n");
    stub_request_done(&request);
    stub_wait_for_end(link);
}

static const char asks_first[] =
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";

START_TEST(while_a_client_waits_for_100_it_is_the_backend_that_is_late)
{
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){.serve = never_invite,
                                            .listener = "body_timeout = 200ms\n",
                                            .pool = "answer_timeout = 400ms\n"});
    house_enter(&house, &peer);
    ck_assert_uint_eq(peer_ask(&peer, asks_first), 504);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

START_TEST(an_invited_client_that_sends_nothing_gets_408)
{
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){.serve = invite_and_wait,
                                            .listener = "body_timeout = 200ms\n"});
    house_enter(&house, &peer);
    peer_say(&peer, asks_first);
    ck_assert(peer_receive_until(&peer, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 408"));
    peer_close(&peer);
    house_close(&house);
}
END_TEST

START_TEST(a_backend_that_stops_in_its_answer_leaves_a_client_that_sees_it)
{
    struct house house;
    struct peer peer;
    struct answer answer;
    house_open(&house,
               &(struct house_plan){.serve = stop_in_the_middle, .pool = "answer_timeout = 1s\n"});
    house_enter(&house, &peer);
    peer_say(&peer, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(peer_read_answer(&peer, "GET", &answer));
    ck_assert_uint_eq(answer.status, 200);
    ck_assert(!answer.is_complete);
    answer_done(&answer);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

/* A port that takes no connection: its queue is full, and nobody accepts. */
static int full_listener(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((in_port_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(listener, 0), 0);
    for (unsigned i = 0; i < 4; i++) {
        int filler = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        connect(filler, (struct sockaddr *)&address, sizeof address);
    }
    return listener;
}

START_TEST(a_backend_that_accepts_no_connection_gives_504)
{
    struct scene scene;
    struct peer peer;
    scene_begin(&scene);
    int listener = full_listener(scene_port(&scene, "full"));
    scene_start(&scene, "[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\n\n"
                        "[rule all]\nlistener = web\npool = app\n\n"
                        "[pool app]\nbackend = full 127.0.0.1:@full\nhealth_check = off\n"
                        "connect_timeout = 200ms\nretries = 0\n");
    peer_connect(&peer, scene_port(&scene, "web"));
    ck_assert_uint_eq(peer_get(&peer, "a", "/", NULL, 0), 504);
    peer_close(&peer);
    scene_end(&scene);
    close(listener);
}
END_TEST

START_TEST(a_handshake_that_never_ends_is_given_up)
{
    struct scene scene;
    struct peer peer;
    scene_begin(&scene);
    cast_write(&scene);
    scene_start(&scene, "[listener web]\naddress = 127.0.0.1:@web\nhandshake_timeout = 200ms\n"
                        "certificate = server.crt\ncertificate_key = server.key\n\n"
                        "[rule all]\nlistener = web\npool = app\n\n"
                        "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n");
    peer_connect(&peer, scene_port(&scene, "web"));
    peer_send(&peer, "\x16\x03\x01\x02", 4);
    peer_receive_all(&peer);
    peer_close(&peer);
    peer_connect(&peer, scene_port(&scene, "web"));
    peer_receive_all(&peer);
    peer_close(&peer);
    eventually(scene_log_has(&scene, "handshake-late", NULL));
    scene_end(&scene);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_http1_test(tcase, a_head_that_never_ends_gets_408);
    tcase_add_http1_test(tcase, a_head_that_comes_byte_by_byte_gets_408);
    tcase_add_test(tcase, an_idle_connection_is_closed_without_a_word);
    tcase_add_test(tcase, a_body_that_stops_coming_gets_408);
    tcase_add_test(tcase, a_client_that_does_not_take_its_answer_is_given_up);
    tcase_add_test(tcase, a_backend_that_never_answers_gives_504_and_the_log_says_why);
    tcase_add_test(tcase, while_a_client_waits_for_100_it_is_the_backend_that_is_late);
    tcase_add_test(tcase, an_invited_client_that_sends_nothing_gets_408);
    tcase_add_test(tcase, a_backend_that_stops_in_its_answer_leaves_a_client_that_sees_it);
    tcase_add_test(tcase, a_backend_that_accepts_no_connection_gives_504);
    tcase_add_test(tcase, a_handshake_that_never_ends_is_given_up);
}

CHECK_MAIN("nobody waits forever", add_tests)
