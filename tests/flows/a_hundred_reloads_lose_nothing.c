/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hundred reloads under load, each of a config that changes rules, pools, certificates and
 * listeners: not one request is lost, whether it comes on a kept connection, on a new one, through
 * a tunnel or with a body that takes longer than a reload.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/stub_backend.h"

enum { RELOADS = 100, BACKENDS = 3, EXTRA_PORTS = 4 };

struct town {
    struct scene scene;
    struct stub_backend stubs[BACKENDS];
    atomic_bool is_over;
};

struct visitor {
    pthread_t thread;
    struct town *town;
    void (*visit)(struct visitor *visitor);
    unsigned done; /* requests that were answered */
};

/* Upgrades echo, everything else is answered with the backend's name. */
static void serve(struct stub_link *link)
{
    struct stub_request request;
    while (stub_read(link, &request)) {
        bool upgrades = text_field_count(request.head.bytes, "Upgrade") == 1;
        if (upgrades)
            stub_switch(link, &request, "");
        stub_request_done(&request);
        if (!upgrades) {
            char answer[128];
            snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
                     strlen(link->stub->name), link->stub->name);
            stub_say(link, answer);
            continue;
        }
        do {
            stub_send(link, link->inbox.bytes, link->inbox.length);
            text_drop(&link->inbox, link->inbox.length);
        } while (stub_receive(link));
        return;
    }
    stub_request_done(&request);
}

/* The configs: what is in all of them is `web` and `plain`, their addresses and the names of pools.
 */

static void add_pool(struct text *ini, const char *name, unsigned round)
{
    text_add_format(ini, "[pool %s]\nhealth_check_interval = %us\n", name, 5 + round % 3);
    for (unsigned i = 0; i < BACKENDS; i++) {
        unsigned backend = (i + round) % BACKENDS + 1;
        if ((round + i) % 4 != 3 || i == 0)
            text_add_format(ini, "backend = rs-%u 127.0.0.1:@rs-%u weight=%u\n", backend, backend,
                            1 + (round + i) % 5);
    }
}

static char *config_of(unsigned round)
{
    struct text ini = {0};
    const char *certificate = round % 2 ? "renewed" : "server";
    text_add_format(&ini, "[lb]\nworkers = 2\naccess_log = access.log\nmax_clients = %u\n",
                    1000 + round);
    text_add_format(&ini,
                    "[listener web]\naddress = 127.0.0.1:@web\ncertificate = %s.crt\n"
                    "certificate_key = %s.key\nmutual_auth = require\nclient_ca = ca.crt\n"
                    "keepalive_timeout = %us\n",
                    certificate, certificate, 60 + round % 2);
    text_add_format(&ini, "[listener plain]\naddress = 127.0.0.1:@plain\nprotocol = http\n");
    if (round % 3 != 0)
        text_add_format(&ini,
                        "[listener extra-%u]\naddress = 127.0.0.1:@extra-%u\nprotocol = http\n"
                        "[rule extra]\nlistener = extra-%u\npool = one\n",
                        round, round % EXTRA_PORTS, round);
    text_add_format(&ini, "[rule www]\nlistener = web\nlistener = plain\npool = %s\n",
                    round % 2 ? "one" : "other");
    for (unsigned i = 0; i < round % 5; i++)
        text_add_format(&ini,
                        "[rule more-%u]\nlistener = web\nlistener = plain\nurl = /more/%u\n"
                        "pool = %s\n",
                        i, i, round % 3 ? "one" : "other");
    add_pool(&ini, "one", round);
    add_pool(&ini, "other", round + 1);
    return ini.bytes;
}

/* The visitors. */

static bool is_over(const struct visitor *visitor)
{
    return atomic_load(&visitor->town->is_over);
}

static void come(struct visitor *visitor, struct peer *peer, const char *listener)
{
    struct scene *scene = &visitor->town->scene;
    peer_connect(peer, scene_port(scene, listener));
    if (strcmp(listener, "web") == 0)
        ck_assert(peer_handshake(peer, WISH(scene, .who = "alice", .trust = "ca")));
}

static void ask(struct visitor *visitor, struct peer *peer)
{
    char path[16], body[64] = "";
    snprintf(path, sizeof path, "/more/%u", visitor->done % 7);
    unsigned status = peer_get(peer, "www.example.com", path, body, sizeof body);
    ck_assert_msg(status == 200, "request %u got %u", visitor->done, status);
    ck_assert_msg(strncmp(body, "rs-", 3) == 0, "request %u got %s", visitor->done, body);
    visitor->done++;
}

static void keep_asking(struct visitor *visitor, const char *listener)
{
    struct peer peer;
    come(visitor, &peer, listener);
    while (!is_over(visitor))
        ask(visitor, &peer);
    peer_close(&peer);
}

static void stay_on_tls(struct visitor *visitor)
{
    keep_asking(visitor, "web");
}

static void stay_on_plain(struct visitor *visitor)
{
    keep_asking(visitor, "plain");
}

static void come_anew(struct visitor *visitor)
{
    for (unsigned i = 0; !is_over(visitor); i++) {
        struct peer peer;
        come(visitor, &peer, i % 2 ? "plain" : "web");
        ask(visitor, &peer);
        ask(visitor, &peer);
        peer_close(&peer);
    }
}

static void echo_through_a_tunnel(struct visitor *visitor)
{
    struct peer peer;
    struct answer answer;
    come(visitor, &peer, "web");
    ck_assert(peer_say(&peer, "GET / HTTP/1.1\r\nHost: www.example.com\r\nConnection: Upgrade\r\n"
                              "Upgrade: websocket\r\n\r\n"));
    ck_assert(peer_read_answer(&peer, "GET", &answer));
    ck_assert_uint_eq(answer.status, 101);
    answer_done(&answer);
    while (!is_over(visitor)) {
        ck_assert(peer_say(&peer, "ping"));
        ck_assert(peer_receive_bytes(&peer, 4));
        ck_assert_mem_eq(peer.inbox.bytes, "ping", 4);
        text_drop(&peer.inbox, 4);
        visitor->done++;
        eventually_pause();
    }
    peer_close(&peer);
}

/* A chunk every few milliseconds: each body outlives a reload or several. */
static void send_long_bodies(struct visitor *visitor)
{
    struct peer peer;
    come(visitor, &peer, "web");
    while (!is_over(visitor)) {
        struct answer answer;
        ck_assert(peer_say(&peer, "POST / HTTP/1.1\r\nHost: www.example.com\r\n"
                                  "Transfer-Encoding: chunked\r\n\r\n"));
        for (int i = 0; i < 30; i++) {
            ck_assert(peer_say(&peer, "4\r\nbody\r\n"));
            eventually_pause();
        }
        ck_assert(peer_say(&peer, "0\r\n\r\n"));
        ck_assert(peer_read_answer(&peer, "POST", &answer));
        ck_assert_uint_eq(answer.status, 200);
        answer_done(&answer);
        visitor->done++;
    }
    peer_close(&peer);
}

static void *run(void *argument)
{
    struct visitor *visitor = argument;
    visitor->visit(visitor);
    return NULL;
}

/* The story. */

static void town_open(struct town *town)
{
    static const char *const names[BACKENDS] = {"rs-1", "rs-2", "rs-3"};
    char *ini = config_of(0);
    scene_begin(&town->scene);
    cast_write(&town->scene);
    atomic_init(&town->is_over, false);
    for (unsigned i = 0; i < BACKENDS; i++) {
        stub_start(&town->stubs[i], names[i], serve);
        scene_set_port(&town->scene, names[i], town->stubs[i].port);
    }
    for (unsigned i = 0; i < EXTRA_PORTS; i++) { /* before there are threads that ask for ports */
        char name[16];
        snprintf(name, sizeof name, "extra-%u", i);
        scene_port(&town->scene, name);
    }
    scene_start(&town->scene, ini);
    free(ini);
}

static void town_close(struct town *town)
{
    scene_end(&town->scene);
    for (unsigned i = 0; i < BACKENDS; i++)
        stub_stop(&town->stubs[i]);
}

START_TEST(every_request_is_answered_by_a_backend)
{
    static void (*const visits[])(struct visitor *) = {
        stay_on_tls, stay_on_tls,           stay_on_plain,    come_anew,
        come_anew,   echo_through_a_tunnel, send_long_bodies,
    };
    enum { VISITORS = sizeof visits / sizeof *visits };
    struct town town;
    struct visitor visitors[VISITORS];
    town_open(&town);
    for (unsigned i = 0; i < VISITORS; i++) {
        visitors[i] = (struct visitor){.town = &town, .visit = visits[i]};
        ck_assert_int_eq(pthread_create(&visitors[i].thread, NULL, run, &visitors[i]), 0);
    }
    for (unsigned round = 1; round <= RELOADS; round++) {
        char *ini = config_of(round);
        ck_assert_msg(scene_reload(&town.scene, ini), "reload %u: %s", round,
                      scene_log(&town.scene));
        free(ini);
    }
    atomic_store(&town.is_over, true);
    unsigned requests = 0;
    for (unsigned i = 0; i < VISITORS; i++) {
        pthread_join(visitors[i].thread, NULL);
        ck_assert_uint_gt(visitors[i].done, 0);
        requests += visitors[i].visit == echo_through_a_tunnel ? 1 : visitors[i].done;
    }
    eventually(scene_access_lines(&town.scene, "") == requests);
    ck_assert_uint_eq(scene_access_lines(&town.scene, "\"status\":200"), requests - 1);
    town_close(&town);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_set_timeout(tcase, 300);
    tcase_add_test(tcase, every_request_is_answered_by_a_backend);
}

CHECK_MAIN("a hundred reloads lose nothing", add_tests)
