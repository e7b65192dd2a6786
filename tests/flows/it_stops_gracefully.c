/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ending: what is under way is brought to its end, nothing new is begun, and the exit status says
 * how it went. The backend answers /held only when the story says so.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/process.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
static const char ini[] =
    "[listener plain]\naddress = 127.0.0.1:@plain\nprotocol = http\n\n"
    "[listener tls]\naddress = 127.0.0.1:@tls\ncertificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = require\nclient_ca = ca.crt\n\n"
    "[rule all]\nlistener = plain\nlistener = tls\npool = app\n\n"
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n";
/* clang-format on */

static const char *const listeners[] = {"plain", "tls"};

struct gate {
    sem_t arrived; /* a request, or its first half */
    sem_t open;
};

struct evening {
    struct scene scene;
    struct stub_backend backend;
    struct gate gate;
};

/* /held: waits. /halves: waits in the middle of its answer. */
static void answer_when_told(struct stub_link *link)
{
    struct gate *gate = link->stub->story;
    struct stub_request request;
    while (stub_read(link, &request)) {
        bool is_halved = strstr(request.head.bytes, " /halves ") != NULL;
        if (is_halved)
            stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
        if (is_halved || strstr(request.head.bytes, " /held ") != NULL) {
            sem_post(&gate->arrived);
            sem_wait(&gate->open);
        }
        stub_say(link, is_halved ? "other" : "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nrs-1");
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

static void evening_begin(struct evening *evening, const char *drain_timeout)
{
    struct text text = {0};
    scene_begin(&evening->scene);
    cast_write(&evening->scene);
    sem_init(&evening->gate.arrived, 0, 0);
    sem_init(&evening->gate.open, 0, 0);
    stub_start_with(&evening->backend, "rs-1", answer_when_told, &evening->gate);
    scene_set_port(&evening->scene, "rs-1", evening->backend.port);
    text_add_format(&text, "[lb]\nworkers = 2\naccess_log = access.log\ndrain_timeout = %s\n\n%s",
                    drain_timeout, ini);
    scene_start(&evening->scene, text.bytes);
    text_done(&text);
}

static void evening_end(struct evening *evening)
{
    for (unsigned i = 0; i < 8; i++)
        sem_post(&evening->gate.open);
    scene_end(&evening->scene);
    stub_stop(&evening->backend);
    sem_destroy(&evening->gate.arrived);
    sem_destroy(&evening->gate.open);
}

static void come(struct evening *evening, struct peer *peer, const char *listener)
{
    peer_connect(peer, scene_port(&evening->scene, listener));
    if (strcmp(listener, "tls") == 0)
        ck_assert(peer_handshake(peer, WISH(&evening->scene, .who = "alice")));
}

static void ask_and_wait_until_it_arrived(struct evening *evening, struct peer *peer,
                                          const char *path)
{
    struct text request = {0};
    text_add_format(&request, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
    ck_assert(peer_send(peer, request.bytes, request.length));
    text_done(&request);
    sem_wait(&evening->gate.arrived);
}

/* A proper one: no reset, and close_notify in TLS. */
static void expect_end(struct peer *peer)
{
    ck_assert(!peer_receive(peer));
    ck_assert(!peer->was_reset);
    ck_assert(peer->tls == NULL || (SSL_get_shutdown(peer->tls) & SSL_RECEIVED_SHUTDOWN) != 0);
}

static void expect_last_answer(struct peer *peer, const char *body, const char *connection)
{
    struct answer answer;
    char value[32] = "";
    ck_assert(peer_read_answer(peer, "GET", &answer));
    ck_assert_uint_eq(answer.status, 200);
    ck_assert(answer.is_complete);
    ck_assert_str_eq(answer.body.bytes, body);
    text_field(answer.head, "Connection", value, sizeof value);
    ck_assert_str_eq(value, connection);
    answer_done(&answer);
    expect_end(peer);
}

/* errno of an attempt to connect; 0: it was accepted. */
static int knock(unsigned port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((in_port_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result = connect(fd, (struct sockaddr *)&to, sizeof to) == 0 ? 0 : errno;
    close(fd);
    return result;
}

START_TEST(what_is_in_flight_completes_and_nothing_new_begins)
{
    const char *listener = listeners[_i % 2];
    struct evening evening;
    struct peer busy;
    struct peer idle;
    struct peer fresh;
    evening_begin(&evening, "1h");
    come(&evening, &busy, listener);
    come(&evening, &fresh, listener);
    come(&evening, &idle, listener);
    ck_assert_uint_eq(peer_get(&idle, "a", "/", NULL, 0), 200);
    ask_and_wait_until_it_arrived(&evening, &busy, "/held");
    ck_assert_int_eq(kill(evening.scene.pid, _i < 2 ? SIGTERM : SIGINT), 0);
    /* Those who rest are closed while the other one is still waiting for its answer. */
    expect_end(&idle);
    expect_end(&fresh);
    eventually(knock(scene_port(&evening.scene, listener)) == ECONNREFUSED);
    ck_assert(!process_has_ended(evening.scene.pid));
    sem_post(&evening.gate.open);
    expect_last_answer(&busy, "rs-1", "close");
    peer_close(&busy);
    peer_close(&idle);
    peer_close(&fresh);
    scene_await_end(&evening.scene);
    ck_assert(scene_log_has(&evening.scene, "lb.draining", NULL));
    ck_assert(scene_log_has(&evening.scene, "lb.ended", NULL));
    ck_assert_uint_eq(scene_access_lines(&evening.scene, "\"status\":200"), 2);
    evening_end(&evening);
}
END_TEST

START_TEST(an_answer_that_has_begun_goes_on_to_its_end)
{
    struct evening evening;
    struct peer peer;
    evening_begin(&evening, "1h");
    come(&evening, &peer, listeners[_i]);
    ask_and_wait_until_it_arrived(&evening, &peer, "/halves");
    ck_assert(peer_receive_until(&peer, "first"));
    scene_terminate(&evening.scene);
    eventually(scene_log_has(&evening.scene, "lb.draining", NULL));
    sem_post(&evening.gate.open);
    expect_last_answer(&peer, "firstother", "");
    peer_close(&peer);
    scene_await_end(&evening.scene);
    evening_end(&evening);
}
END_TEST

START_TEST(a_request_that_has_begun_is_taken_to_its_end)
{
    struct evening evening;
    struct peer peer;
    evening_begin(&evening, "1h");
    come(&evening, &peer, listeners[_i]);
    peer_say(&peer, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nfirst");
    eventually(atomic_load(&evening.backend.connections) == 1);
    scene_terminate(&evening.scene);
    /* A worker closes its sockets and begins to drain in the same turn. */
    eventually(knock(scene_port(&evening.scene, listeners[_i])) == ECONNREFUSED);
    peer_say(&peer, "other");
    expect_last_answer(&peer, "rs-1", "close");
    peer_close(&peer);
    scene_await_end(&evening.scene);
    evening_end(&evening);
}
END_TEST

/* Stopped, lb cannot take them: they wait in the kernel's queue when SIGTERM comes. */
START_TEST(clients_that_came_before_the_signal_are_still_served)
{
    enum { CLIENTS = 20 };
    struct evening evening;
    struct peer peers[CLIENTS];
    evening_begin(&evening, "1h");
    ck_assert_int_eq(kill(evening.scene.pid, SIGSTOP), 0);
    for (unsigned i = 0; i < CLIENTS; i++) {
        peer_connect(&peers[i], scene_port(&evening.scene, "plain"));
        peer_say(&peers[i], "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    scene_terminate(&evening.scene);
    ck_assert_int_eq(kill(evening.scene.pid, SIGCONT), 0);
    for (unsigned i = 0; i < CLIENTS; i++) {
        unsigned status = peer_ask(&peers[i], "");
        ck_assert_msg(status == 200, "client %u: status %u, reset %d", i, status,
                      peers[i].was_reset);
        ck_assert(!peer_receive(&peers[i]));
        peer_close(&peers[i]);
    }
    scene_await_end(&evening.scene);
    ck_assert_uint_eq(scene_access_lines(&evening.scene, "\"status\":200"), CLIENTS);
    evening_end(&evening);
}
END_TEST

/* drain_timeout is an hour: were it waited for, the story would not end. */
START_TEST(a_client_that_asks_for_nothing_holds_nobody_up)
{
    struct evening evening;
    struct peer silent;
    struct peer late;
    evening_begin(&evening, "1h");
    peer_connect(&late, scene_port(&evening.scene, "tls"));
    come(&evening, &silent, "tls");
    scene_terminate(&evening.scene);
    eventually(scene_log_has(&evening.scene, "lb.draining", NULL));
    ck_assert(peer_handshake(&late, WISH(&evening.scene, .who = "alice")));
    scene_await_end(&evening.scene);
    peer_close(&silent);
    peer_close(&late);
    evening_end(&evening);
}
END_TEST

START_TEST(a_second_signal_ends_it_at_once)
{
    struct evening evening;
    struct peer peer;
    struct answer answer;
    evening_begin(&evening, "1h");
    come(&evening, &peer, listeners[_i]);
    ask_and_wait_until_it_arrived(&evening, &peer, "/held");
    scene_terminate(&evening.scene);
    eventually(scene_log_has(&evening.scene, "lb.draining", NULL));
    scene_terminate(&evening.scene);
    scene_await_end(&evening.scene);
    ck_assert(!peer_read_answer(&peer, "GET", &answer));
    answer_done(&answer);
    ck_assert_uint_eq(scene_access_lines(&evening.scene, "/held"), 1);
    peer_close(&peer);
    evening_end(&evening);
}
END_TEST

START_TEST(drain_timeout_closes_what_hangs)
{
    struct evening evening;
    struct peer waiting;
    struct peer halved;
    struct peer half_shaken;
    struct answer answer;
    evening_begin(&evening, "200ms");
    come(&evening, &waiting, listeners[_i]);
    come(&evening, &halved, listeners[_i]);
    peer_connect(&half_shaken, scene_port(&evening.scene, "tls"));
    ck_assert(peer_send(&half_shaken, "\x16\x03\x01\x02", 4));
    ask_and_wait_until_it_arrived(&evening, &waiting, "/held");
    ask_and_wait_until_it_arrived(&evening, &halved, "/halves");
    ck_assert(peer_receive_until(&halved, "first"));
    scene_terminate(&evening.scene);
    scene_await_end(&evening.scene);
    ck_assert(scene_log_has(&evening.scene, "warn", "lb.drain-late", "3 clients", NULL));
    ck_assert(!peer_read_answer(&waiting, "GET", &answer));
    answer_done(&answer);
    ck_assert(peer_read_answer(&halved, "GET", &answer));
    ck_assert(!answer.is_complete);
    answer_done(&answer);
    peer_close(&waiting);
    peer_close(&halved);
    peer_close(&half_shaken);
    evening_end(&evening);
}
END_TEST

/* --- not starting -------------------------------------------------------------------------- */

static int run(struct scene *scene, const char *text, struct text *said)
{
    scene_write_ini(scene, "lb.ini", text);
    const char *argv[] = {process_lb(), "run", "-c", folder_file(&scene->folder, "lb.ini"), NULL};
    return process_run(argv, said);
}

START_TEST(a_taken_address_is_one_clear_line_and_status_1)
{
    struct scene scene;
    struct text said = {0};
    char address[32];
    scene_begin(&scene);
    cast_write(&scene);
    unsigned port = scene_port(&scene, "tls");
    struct sockaddr_in taken = {.sin_family = AF_INET,
                                .sin_port = htons((in_port_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&taken, sizeof taken), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    int status = run(&scene, ini, &said);
    ck_assert_int_eq(status, 1);
    snprintf(address, sizeof address, "127.0.0.1:%u", port);
    ck_assert_msg(text_count(said.bytes, "\n") == 1 && strstr(said.bytes, "error lb.not-started") &&
                      strstr(said.bytes, address) && strstr(said.bytes, "in use"),
                  "%s", said.bytes);
    /* What was bound before it is free again. */
    ck_assert_int_eq(knock(scene_port(&scene, "plain")), ECONNREFUSED);
    close(fd);
    text_done(&said);
    scene_end(&scene);
}
END_TEST

/* Both would listen with SO_REUSEPORT, and the kernel would deal clients out to both. */
START_TEST(a_second_lb_does_not_share_the_address_of_the_first)
{
    struct evening evening;
    struct peer peer;
    struct text said = {0};
    evening_begin(&evening, "1h");
    ck_assert_int_eq(run(&evening.scene, ini, &said), 1);
    ck_assert_msg(strstr(said.bytes, "lb.not-started") && strstr(said.bytes, "in use"), "%s",
                  said.bytes);
    come(&evening, &peer, "plain");
    ck_assert_uint_eq(peer_get(&peer, "a", "/", NULL, 0), 200);
    peer_close(&peer);
    text_done(&said);
    scene_terminate(&evening.scene);
    scene_await_end(&evening.scene);
    evening_end(&evening);
}
END_TEST

START_TEST(a_bad_config_is_told_and_status_1)
{
    struct scene scene;
    struct text said = {0};
    scene_begin(&scene);
    ck_assert_int_eq(run(&scene, "[listener web]\nadress = 127.0.0.1:1\n", &said), 1);
    ck_assert_msg(strstr(said.bytes, "lb.ini:2: error: ") && strstr(said.bytes, "address"), "%s",
                  said.bytes);
    ck_assert_ptr_null(strstr(said.bytes, "lb.ready"));
    text_done(&said);
    scene_end(&scene);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, what_is_in_flight_completes_and_nothing_new_begins, 0, 4);
    tcase_add_loop_test(tcase, an_answer_that_has_begun_goes_on_to_its_end, 0, 2);
    tcase_add_loop_test(tcase, a_request_that_has_begun_is_taken_to_its_end, 0, 2);
    tcase_add_http1_test(tcase, clients_that_came_before_the_signal_are_still_served);
    tcase_add_test(tcase, a_client_that_asks_for_nothing_holds_nobody_up);
    tcase_add_loop_test(tcase, a_second_signal_ends_it_at_once, 0, 2);
    tcase_add_loop_test(tcase, drain_timeout_closes_what_hangs, 0, 2);
    tcase_add_test(tcase, a_taken_address_is_one_clear_line_and_status_1);
    tcase_add_test(tcase, a_second_lb_does_not_share_the_address_of_the_first);
    tcase_add_test(tcase, a_bad_config_is_told_and_status_1);
}

CHECK_MAIN("it stops gracefully", add_tests)
