/* SPDX-License-Identifier: Apache-2.0 */
/* SIGTERM: nobody new comes in, exchanges in flight end properly, idle connections go, the program
 * ends with 0. */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/house.h"
#include "tests/support/process.h"

/* Answers when the story says so. */
static void answer_when_told(struct stub_link *link)
{
    struct stub_request request;
    atomic_bool *may_answer = link->stub->story;
    while (stub_read(link, &request)) {
        while (!atomic_load(may_answer) && !atomic_load(&link->stub->is_stopping))
            eventually_pause();
        stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate");
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

START_TEST(an_exchange_in_flight_is_finished_and_its_connection_closed)
{
    struct house house;
    struct peer peer;
    struct answer answer;
    char value[32] = "";
    atomic_bool may_answer = false;
    house_open(&house, &(struct house_plan){.serve = answer_when_told, .story = &may_answer});
    house_enter(&house, &peer);
    peer_say(&peer, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    eventually(atomic_load(&house.backend.requests) == 1);
    scene_terminate(&house.scene);
    eventually(scene_log_has(&house.scene, "lb.draining", NULL));
    ck_assert(!process_has_ended(house.scene.pid));
    atomic_store(&may_answer, true);
    ck_assert(peer_read_answer(&peer, "GET", &answer));
    ck_assert_uint_eq(answer.status, 200);
    ck_assert_str_eq(answer.body.bytes, "late");
    ck_assert(text_field(answer.head, "Connection", value, sizeof value));
    ck_assert_str_eq(value, "close");
    ck_assert(!peer_receive(&peer));
    answer_done(&answer);
    peer_close(&peer);
    scene_await_end(&house.scene);
    house_close(&house);
}
END_TEST

START_TEST(idle_clients_are_let_go_at_once)
{
    struct house house;
    struct peer idle[10];
    house_open(&house, &(struct house_plan){0});
    for (unsigned i = 0; i < 10; i++) {
        house_enter(&house, &idle[i]);
        if (i % 2 == 0)
            ck_assert_uint_eq(peer_get(&idle[i], "a", "/", NULL, 0), 200);
    }
    scene_terminate(&house.scene);
    for (unsigned i = 0; i < 10; i++) {
        peer_receive_all(&idle[i]);
        ck_assert(!idle[i].was_reset);
        peer_close(&idle[i]);
    }
    scene_await_end(&house.scene);
    house_close(&house);
}
END_TEST

static bool is_refused(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((in_port_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool refused =
        connect(fd, (struct sockaddr *)&address, sizeof address) != 0 && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

START_TEST(nobody_new_comes_in_while_lb_drains)
{
    struct house house;
    struct peer peer;
    atomic_bool may_answer = false;
    house_open(&house, &(struct house_plan){.serve = answer_when_told, .story = &may_answer});
    house_enter(&house, &peer);
    peer_say(&peer, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    eventually(atomic_load(&house.backend.requests) == 1);
    scene_terminate(&house.scene);
    eventually(is_refused(scene_port(&house.scene, "web")));
    atomic_store(&may_answer, true);
    ck_assert(peer_receive_until(&peer, "late"));
    peer_close(&peer);
    scene_await_end(&house.scene);
    house_close(&house);
}
END_TEST

START_TEST(after_drain_timeout_whoever_is_left_is_cut_and_lb_ends)
{
    struct house house;
    struct peer peer;
    atomic_bool may_answer = false;
    house_open(&house, &(struct house_plan){.serve = answer_when_told,
                                            .story = &may_answer,
                                            .lb = "drain_timeout = 300ms\n"});
    house_enter(&house, &peer);
    peer_say(&peer, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    eventually(atomic_load(&house.backend.requests) == 1);
    scene_stop(&house.scene);
    ck_assert(!peer_receive_until(&peer, "200"));
    peer_close(&peer);
    house_close(&house);
}
END_TEST

START_TEST(ctrl_c_ends_it_just_as_well)
{
    struct house house;
    house_open(&house, &(struct house_plan){0});
    ck_assert_int_eq(kill(house.scene.pid, SIGINT), 0);
    scene_await_end(&house.scene);
    house_close(&house);
}
END_TEST

START_TEST(mutual_tls_clients_are_drained_with_close_notify)
{
    struct scene scene;
    struct stub_backend backend;
    struct peer peer;
    scene_begin(&scene);
    cast_write(&scene);
    stub_start(&backend, "rs-1", NULL);
    scene_set_port(&scene, "rs-1", backend.port);
    scene_start(&scene,
                "[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\n"
                "certificate_key = server.key\nmutual_auth = require\nclient_ca = ca.crt\n\n"
                "[rule all]\nlistener = web\npool = app\n\n"
                "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n");
    ck_assert(peer_connect_tls(&peer, scene_port(&scene, "web"), WISH(&scene, .who = "alice")));
    ck_assert_uint_eq(peer_get(&peer, "a", "/", NULL, 0), 200);
    scene_terminate(&scene);
    ck_assert(!peer_receive(&peer));
    ck_assert_int_ne(SSL_get_shutdown(peer.tls) & SSL_RECEIVED_SHUTDOWN, 0);
    peer_close(&peer);
    scene_await_end(&scene);
    scene_end(&scene);
    stub_stop(&backend);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, an_exchange_in_flight_is_finished_and_its_connection_closed);
    tcase_add_test(tcase, idle_clients_are_let_go_at_once);
    tcase_add_test(tcase, nobody_new_comes_in_while_lb_drains);
    tcase_add_test(tcase, after_drain_timeout_whoever_is_left_is_cut_and_lb_ends);
    tcase_add_test(tcase, ctrl_c_ends_it_just_as_well);
    tcase_add_test(tcase, mutual_tls_clients_are_drained_with_close_notify);
}

CHECK_MAIN("a drain loses nothing", add_tests)
