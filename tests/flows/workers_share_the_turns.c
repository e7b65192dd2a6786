/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Four workers, many clients at the same time, unequal weights: however requests fall on workers,
 * listeners and rules, each pool's turns are counted once, and its backends get exactly their
 * shares.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
static const char ini[] =
    "[lb]\nworkers = 4\naccess_log = off\n\n"
    "[listener plain]\naddress = 127.0.0.1:@plain\nprotocol = http\n\n"
    "[listener tls]\naddress = 127.0.0.1:@tls\ncertificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = require\nclient_ca = ca.crt\n\n"
    "[rule app]\nlistener = plain\nlistener = tls\npool = app\n\n"
    "[rule also]\nlistener = plain\nlistener = tls\nurl = /also\npool = app\n\n"
    "[rule other]\nlistener = plain\nlistener = tls\nurl = /other\npool = other\n\n"
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1 weight=50\nbackend = rs-2 127.0.0.1:@rs-2 weight=30\n"
    "backend = rs-3 127.0.0.1:@rs-3 weight=20\n\n"
    "[pool other]\nbackend = rs-4 127.0.0.1:@rs-4 weight=1\nbackend = rs-5 127.0.0.1:@rs-5 weight=3\n";
/* clang-format on */

enum { BACKENDS = 5, VISITORS = 12, ROUNDS = 50 };

struct town {
    struct scene scene;
    struct stub_backend backends[BACKENDS];
};

struct visitor {
    pthread_t thread;
    struct town *town;
    unsigned number;
};

static void town_begin(struct town *town)
{
    static const char *const names[BACKENDS] = {"rs-1", "rs-2", "rs-3", "rs-4", "rs-5"};
    scene_begin(&town->scene);
    cast_write(&town->scene);
    for (unsigned i = 0; i < BACKENDS; i++) {
        stub_start(&town->backends[i], names[i], NULL);
        scene_set_port(&town->scene, names[i], town->backends[i].port);
    }
    scene_port(&town->scene, "plain");
    scene_port(&town->scene, "tls");
    scene_start(&town->scene, ini);
}

static void town_end(struct town *town)
{
    scene_end(&town->scene);
    for (unsigned i = 0; i < BACKENDS; i++)
        stub_stop(&town->backends[i]);
}

static void come(struct town *town, struct peer *peer, bool over_tls)
{
    peer_connect(peer, scene_port(&town->scene, over_tls ? "tls" : "plain"));
    if (over_tls)
        ck_assert(peer_handshake(peer, WISH(&town->scene, .who = "alice")));
}

/* Half of them over TLS; a third comes anew for each round. */
static void *visit(void *argument)
{
    struct visitor *visitor = argument;
    struct peer peer;
    bool over_tls = visitor->number % 2 == 0;
    come(visitor->town, &peer, over_tls);
    for (unsigned i = 0; i < ROUNDS; i++) {
        ck_assert_uint_eq(peer_get(&peer, "a", "/", NULL, 0), 200);
        ck_assert_uint_eq(peer_get(&peer, "a", "/other", NULL, 0), 200);
        ck_assert_uint_eq(peer_get(&peer, "a", "/also", NULL, 0), 200);
        if (visitor->number % 3 != 0)
            continue;
        peer_close(&peer);
        come(visitor->town, &peer, over_tls);
    }
    peer_close(&peer);
    return NULL;
}

START_TEST(shares_are_exact_whoever_asks_whichever_worker)
{
    static const unsigned shares[BACKENDS] = {600, 360, 240, 150, 450};
    struct town town;
    struct visitor visitors[VISITORS];
    town_begin(&town);
    for (unsigned i = 0; i < VISITORS; i++) {
        visitors[i] = (struct visitor){.town = &town, .number = i};
        ck_assert_int_eq(pthread_create(&visitors[i].thread, NULL, visit, &visitors[i]), 0);
    }
    for (unsigned i = 0; i < VISITORS; i++)
        pthread_join(visitors[i].thread, NULL);
    for (unsigned i = 0; i < BACKENDS; i++)
        ck_assert_uint_eq(atomic_load(&town.backends[i].requests), shares[i]);
    town_end(&town);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, shares_are_exact_whoever_asks_whichever_worker);
}

CHECK_MAIN("workers share the turns", add_tests)
