/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIGHUP: what the file says is in force for the next request and the next handshake, what it
 * leaves alone stays (connections, links, sessions, tunnels), and a file with a problem changes
 * nothing.
 */
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/port.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
#define LB "[lb]\nworkers = 2\naccess_log = access.log\n\n"
#define TLS_KEYS(server) \
    "certificate = " server ".crt\ncertificate_key = " server ".key\nmutual_auth = require\n"
#define WEB(server, ca) \
    "[listener web]\naddress = 127.0.0.1:@web\n" TLS_KEYS(server) "client_ca = " ca ".crt\n\n"
#define RULE(pool) "[rule www]\nlistener = web\npool = " pool "\n\n"
#define POOL(name, backend) \
    "[pool " name "]\nhealth_check = tcp\nbackend = " backend " 127.0.0.1:@" backend "\n\n"
#define POOLS POOL("one", "rs-1") POOL("other", "rs-2")
#define PLAIN(name) \
    "[listener " name "]\naddress = 127.0.0.1:@" name "\nprotocol = http\n\n" \
    "[rule on-" name "]\nlistener = " name "\npool = one\n\n"
/* clang-format on */

struct town {
    struct scene scene;
    struct stub_backend stubs[2];
};

static void town_open_with(struct town *town, const char *ini, stub_serve serve)
{
    static const char *const names[] = {"rs-1", "rs-2"};
    scene_begin(&town->scene);
    cast_write(&town->scene);
    for (unsigned i = 0; i < 2; i++) {
        stub_start(&town->stubs[i], names[i], serve);
        scene_set_port(&town->scene, names[i], town->stubs[i].port);
    }
    scene_start(&town->scene, ini);
}

static void town_open(struct town *town, const char *ini)
{
    town_open_with(town, ini, NULL);
}

static void town_close(struct town *town)
{
    scene_end(&town->scene);
    for (unsigned i = 0; i < 2; i++)
        stub_stop(&town->stubs[i]);
}

static bool come_as(struct town *town, struct peer *peer, const char *who)
{
    return peer_connect_tls(peer, scene_port(&town->scene, "web"),
                            WISH(&town->scene, .who = who, .trust = "ca"));
}

static void expect_from(struct peer *peer, const char *backend)
{
    char body[64];
    ck_assert_uint_eq(peer_get(peer, "www.example.com", "/", body, sizeof body), 200);
    ck_assert_str_eq(body, backend);
}

/* The common name of the certificate that the server showed. */
static void expect_server(const struct peer *peer, const char *name)
{
    char text[256];
    X509 *shown = SSL_get0_peer_certificate(peer->tls);
    X509_NAME_oneline(X509_get_subject_name(shown), text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, name));
}

START_TEST(an_open_connection_meets_the_new_rules_with_its_next_request)
{
    struct town town;
    struct peer peer;
    town_open(&town, LB WEB("server", "ca") RULE("one") POOLS);
    ck_assert(come_as(&town, &peer, "alice"));
    expect_from(&peer, "rs-1");
    ck_assert(scene_reload(&town.scene, LB WEB("server", "ca") RULE("other") POOLS));
    expect_from(&peer, "rs-2");
    ck_assert(scene_reload(&town.scene, LB WEB("server", "ca") RULE("one") POOLS));
    expect_from(&peer, "rs-1");
    peer_close(&peer);
    town_close(&town);
}
END_TEST

START_TEST(a_new_certificate_serves_the_next_handshake)
{
    struct town town;
    struct peer before, after;
    town_open(&town, LB WEB("server", "ca") RULE("one") POOLS);
    ck_assert(come_as(&town, &before, "alice"));
    expect_server(&before, "www.example.com");
    ck_assert(scene_reload(&town.scene, LB WEB("renewed", "ca") RULE("one") POOLS));
    ck_assert(come_as(&town, &after, "alice"));
    expect_server(&after, "renewed.example.com");
    expect_from(&after, "rs-1");
    expect_from(&before, "rs-1");
    peer_close(&before);
    peer_close(&after);
    town_close(&town);
}
END_TEST

static int listen_on(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    const int yes = 1; /* former connections of the port may still be in TIME_WAIT */
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes), 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    return fd;
}

static const char *const bad_files[][2] = {
    {"[listener web]\nadress = 127.0.0.1:1\n", "adress"},
    {LB WEB("nowhere", "ca") RULE("one") POOLS, "nowhere.crt"},
    {LB WEB("server", "ca") RULE("nobody") POOLS, "there is no pool nobody"},
    {LB WEB("server", "ca") RULE("one") POOLS
     "[listener busy]\naddress = 127.0.0.1:@busy\nprotocol = http\n[rule b]\nlistener = busy\n"
     "pool = one\n",
     "in use"},
};

START_TEST(a_file_with_a_problem_changes_nothing_and_says_why)
{
    struct town town;
    struct peer peer;
    unsigned busy_port = port_reserve();
    int busy = listen_on(busy_port);
    town_open(&town, LB WEB("server", "ca") RULE("one") POOLS);
    scene_set_port(&town.scene, "busy", busy_port);
    ck_assert(come_as(&town, &peer, "alice"));
    ck_assert(!scene_reload(&town.scene, bad_files[_i][0]));
    ck_assert(scene_log_has(&town.scene, "config.problem", "lb.ini", bad_files[_i][1], NULL));
    expect_from(&peer, "rs-1");
    peer_close(&peer);
    ck_assert(come_as(&town, &peer, "alice"));
    expect_from(&peer, "rs-1");
    peer_close(&peer);
    close(busy);
    ck_assert(scene_reload(&town.scene, LB WEB("server", "ca") RULE("other") POOLS));
    town_close(&town);
}
END_TEST

/* -1: nobody listens there. */
static int knock(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int result = connect(fd, (struct sockaddr *)&address, sizeof address);
    close(fd);
    return result;
}

START_TEST(listeners_come_and_go)
{
    struct town town;
    struct peer idle, peer;
    town_open(&town, LB WEB("server", "ca") RULE("one") PLAIN("left") POOLS);
    peer_connect(&idle, scene_port(&town.scene, "left"));
    expect_from(&idle, "rs-1");
    ck_assert(scene_reload(&town.scene, LB WEB("server", "ca") RULE("one") PLAIN("come") POOLS));
    peer_receive_all(&idle);
    ck_assert(idle.ended && !idle.was_reset);
    peer_close(&idle);
    eventually(knock(scene_port(&town.scene, "left")) != 0);
    peer_connect(&peer, scene_port(&town.scene, "come"));
    expect_from(&peer, "rs-1");
    peer_close(&peer);
    ck_assert(scene_log_has(&town.scene, "listener.open", "listener=come", NULL));
    town_close(&town);
}
END_TEST

START_TEST(an_address_may_move_from_one_listener_to_another)
{
    struct town town;
    struct peer idle, peer;
    town_open(&town, LB PLAIN("door") POOLS);
    peer_connect(&idle, scene_port(&town.scene, "door"));
    expect_from(&idle, "rs-1");
    scene_set_port(&town.scene, "web", scene_port(&town.scene, "door"));
    ck_assert(scene_reload(&town.scene, LB WEB("server", "ca") RULE("other") POOLS));
    peer_receive_all(&idle);
    ck_assert(!idle.was_reset);
    peer_close(&idle);
    ck_assert(come_as(&town, &peer, "alice"));
    expect_from(&peer, "rs-2");
    peer_close(&peer);
    town_close(&town);
}
END_TEST

START_TEST(links_and_verdicts_stay_where_the_backend_is_the_same)
{
    struct town town;
    struct peer peer;
    town_open(&town, "[lb]\nworkers = 1\n" WEB("server", "ca") RULE("one") POOLS);
    ck_assert(come_as(&town, &peer, "alice"));
    eventually(scene_log_has(&town.scene, "backend.up", "backend=rs-1", NULL));
    for (int i = 0; i < 5; i++) {
        expect_from(&peer, "rs-1");
        ck_assert(scene_reload(&town.scene, i % 2 ? "[lb]\nworkers = 1\n" WEB("server", "ca")
                                                        RULE("one") POOLS
                                                  : "[lb]\nworkers = 1\n" WEB("renewed", "ca")
                                                        RULE("one") POOL("one", "rs-1")));
    }
    ck_assert_uint_eq(atomic_load(&town.stubs[0].connections), 1);
    char *log = scene_log(&town.scene);
    char *first = strstr(log, "backend.up pool=one backend=rs-1");
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_null(strstr(first + 1, "backend.up pool=one backend=rs-1"));
    free(log);
    peer_close(&peer);
    town_close(&town);
}
END_TEST

START_TEST(turns_go_on_where_they_were)
{
    static const char both[] = "[pool one]\nhealth_check = off\nbackend = rs-1 127.0.0.1:@rs-1\n"
                               "backend = rs-2 127.0.0.1:@rs-2\n";
    struct text ini = {0};
    struct town town;
    struct peer peer;
    text_add_format(&ini, "%s%s", LB WEB("server", "ca") RULE("one"), both);
    town_open(&town, ini.bytes);
    ck_assert(come_as(&town, &peer, "alice"));
    for (int i = 0; i < 6; i++) {
        expect_from(&peer, i % 2 == 0 ? "rs-1" : "rs-2");
        ck_assert(scene_reload(&town.scene, ini.bytes));
    }
    peer_close(&peer);
    text_done(&ini);
    town_close(&town);
}
END_TEST

START_TEST(sessions_are_resumed_across_a_reload)
{
    struct town town;
    struct peer first, second;
    town_open(&town, LB WEB("server", "ca") RULE("one") POOLS);
    ck_assert(come_as(&town, &first, "alice"));
    expect_from(&first, "rs-1");
    SSL_SESSION *session = peer_take_session(&first);
    peer_close(&first);
    ck_assert(scene_reload(&town.scene, LB WEB("server", "ca") RULE("other") POOLS));
    ck_assert(
        peer_connect_tls(&second, scene_port(&town.scene, "web"),
                         WISH(&town.scene, .who = "alice", .trust = "ca", .session = session)));
    ck_assert(peer_was_resumed(&second));
    expect_from(&second, "rs-2");
    SSL_SESSION_free(session);
    peer_close(&second);
    town_close(&town);
}
END_TEST

START_TEST(a_session_of_other_client_authentication_is_not_resumed)
{
    struct town town;
    struct peer first, second;
    town_open(&town, LB WEB("server", "ca") RULE("one") POOLS);
    ck_assert(come_as(&town, &first, "alice"));
    expect_from(&first, "rs-1");
    SSL_SESSION *session = peer_take_session(&first);
    peer_close(&first);
    ck_assert(scene_reload(&town.scene, LB WEB("server", "partner-ca") RULE("one") POOLS));
    bool came = peer_connect_tls(&second, scene_port(&town.scene, "web"),
                                 WISH(&town.scene, .who = "alice", .session = session));
    ck_assert(!came || peer_ask(&second, "GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n") == 0);
    ck_assert(!peer_was_resumed(&second));
    peer_close(&second);
    ck_assert(come_as(&town, &second, "bob"));
    expect_from(&second, "rs-1");
    SSL_SESSION_free(session);
    peer_close(&second);
    town_close(&town);
}
END_TEST

START_TEST(who_settled_something_else_is_sent_away)
{
    struct town town;
    struct peer idle;
    town_open(&town, LB WEB("server", "ca") RULE("one") POOLS);
    ck_assert(come_as(&town, &idle, "alice"));
    expect_from(&idle, "rs-1");
    ck_assert(scene_reload(&town.scene, LB WEB("server", "partner-ca") RULE("one") POOLS));
    peer_receive_all(&idle);
    ck_assert(idle.ended && !idle.was_reset);
    peer_close(&idle);
    town_close(&town);
}
END_TEST

/* The answer is held until the story says "go on". */
static void answer_when_told(struct stub_link *link)
{
    struct stub_request request;
    while (stub_read(link, &request)) {
        while (atomic_load((atomic_bool *)link->stub->story) == false)
            eventually_pause();
        stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate");
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

START_TEST(a_request_in_flight_is_answered_whatever_its_listener_and_pool_become)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n";
    struct town town;
    struct peer kept, left;
    atomic_bool go_on = false;
    town_open_with(&town, LB WEB("server", "ca") RULE("one") PLAIN("left") POOLS, answer_when_told);
    town.stubs[0].story = &go_on;
    ck_assert(come_as(&town, &kept, "alice"));
    peer_connect(&left, scene_port(&town.scene, "left"));
    ck_assert(peer_say(&kept, request) && peer_say(&left, request));
    eventually(atomic_load(&town.stubs[0].requests) == 2);
    ck_assert(scene_reload(&town.scene,
                           LB WEB("server", "partner-ca") RULE("other") POOL("other", "rs-2")));
    atomic_store(&go_on, true);
    struct answer answer;
    ck_assert(peer_read_answer(&left, "GET", &answer));
    ck_assert_str_eq(answer.body.bytes, "late");
    ck_assert_ptr_nonnull(strcasestr(answer.head, "Connection: close"));
    answer_done(&answer);
    ck_assert(peer_read_answer(&kept, "GET", &answer));
    ck_assert_str_eq(answer.body.bytes, "late");
    ck_assert_ptr_nonnull(strcasestr(answer.head, "Connection: close"));
    answer_done(&answer);
    peer_close(&kept);
    peer_close(&left);
    town_close(&town);
}
END_TEST

START_TEST(busy_clients_of_a_listener_that_goes_are_told_with_an_answer)
{
    static const char both[] = LB PLAIN("stays") PLAIN("left") POOLS;
    struct town town;
    struct peer busy[8];
    town_open(&town, both);
    for (int i = 0; i < 8; i++) {
        peer_connect(&busy[i], scene_port(&town.scene, "left"));
        expect_from(&busy[i], "rs-1");
    }
    ck_assert(scene_reload(&town.scene, LB PLAIN("stays") POOLS));
    for (int i = 0; i < 8; i++) {
        struct answer answer;
        ck_assert(peer_say(&busy[i], "GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
        ck_assert(peer_read_answer(&busy[i], "GET", &answer));
        ck_assert_uint_eq(answer.status, 200);
        ck_assert_ptr_nonnull(strcasestr(answer.head, "Connection: close"));
        answer_done(&answer);
        peer_close(&busy[i]);
    }
    town_close(&town);
}
END_TEST

START_TEST(keys_that_only_a_start_reads_are_named)
{
    struct town town;
    town_open(&town, LB WEB("server", "ca") RULE("one") POOLS);
    ck_assert(scene_reload(&town.scene, "[lb]\nworkers = 3\naccess_log = other.log\n" WEB(
                                            "server", "ca") RULE("one") POOLS));
    ck_assert(scene_log_has(&town.scene, "config.problem", "line=2", "workers has changed", NULL));
    ck_assert(scene_reload(&town.scene, LB WEB("server", "ca") RULE("one") POOLS));
    char *log = scene_log(&town.scene);
    ck_assert_ptr_null(strstr(strstr(log, "lb.reloaded") + 1, "workers has changed"));
    free(log);
    ck_assert(
        scene_log_has(&town.scene, "config.problem", "line=3", "access_log has changed", NULL));
    town_close(&town);
}
END_TEST

START_TEST(many_hangups_at_once_end_with_the_last_file)
{
    struct town town;
    struct peer peer;
    town_open(&town, LB WEB("server", "ca") RULE("one") POOLS);
    ck_assert(come_as(&town, &peer, "alice"));
    scene_write_ini(&town.scene, "lb.ini", LB WEB("server", "ca") RULE("other") POOLS);
    for (int i = 0; i < 50; i++)
        kill(town.scene.pid, SIGHUP);
    char body[16] = "";
    eventually(peer_get(&peer, "www.example.com", "/", body, sizeof body) == 200 &&
               strcmp(body, "rs-2") == 0);
    peer_close(&peer);
    town_close(&town);
}
END_TEST

START_TEST(ending_in_the_middle_of_a_reload_ends)
{
    struct town town;
    town_open(&town, LB WEB("server", "ca") RULE("one") POOLS);
    kill(town.scene.pid, SIGHUP);
    scene_stop(&town.scene);
    town_close(&town);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, an_open_connection_meets_the_new_rules_with_its_next_request);
    tcase_add_test(tcase, a_new_certificate_serves_the_next_handshake);
    tcase_add_loop_test(tcase, a_file_with_a_problem_changes_nothing_and_says_why, 0,
                        sizeof bad_files / sizeof *bad_files);
    tcase_add_test(tcase, listeners_come_and_go);
    tcase_add_test(tcase, an_address_may_move_from_one_listener_to_another);
    tcase_add_test(tcase, links_and_verdicts_stay_where_the_backend_is_the_same);
    tcase_add_test(tcase, turns_go_on_where_they_were);
    tcase_add_test(tcase, sessions_are_resumed_across_a_reload);
    tcase_add_test(tcase, a_session_of_other_client_authentication_is_not_resumed);
    tcase_add_test(tcase, who_settled_something_else_is_sent_away);
    tcase_add_test(tcase, a_request_in_flight_is_answered_whatever_its_listener_and_pool_become);
    tcase_add_test(tcase, busy_clients_of_a_listener_that_goes_are_told_with_an_answer);
    tcase_add_test(tcase, keys_that_only_a_start_reads_are_named);
    tcase_add_test(tcase, many_hangups_at_once_end_with_the_last_file);
    tcase_add_test(tcase, ending_in_the_middle_of_a_reload_ends);
}

CHECK_MAIN("a reload takes effect at once", add_tests)
