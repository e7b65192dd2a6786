/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No descriptor is left for a client or for a link to a backend: whoever is being served goes on,
 * whoever cannot be is told or waits, and when others leave everything is as before.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/house.h"
#include "tests/support/process.h"

enum { CROWD = 40, ROOM = 10 };

struct crowd {
    struct house house;
    struct rlimit before;
    struct peer peers[CROWD];
    unsigned count;
};

static void limit_descriptors(struct crowd *crowd, const struct rlimit *limit)
{
    ck_assert_int_eq(prlimit(crowd->house.scene.pid, RLIMIT_NOFILE, limit, NULL), 0);
}

/* One worker, a client that is served, and room for few more. */
static void crowd_begin(struct crowd *crowd, struct peer *regular, const char *pool)
{
    struct text ini = {0};
    struct house *house = &crowd->house;
    scene_begin(&house->scene);
    stub_start(&house->backend, "rs-1", NULL);
    scene_set_port(&house->scene, "rs-1", house->backend.port);
    text_add_format(&ini,
                    "[lb]\nworkers = 1\naccess_log = access.log\n\n"
                    "[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\n"
                    "handshake_timeout = 60s\n\n" /* where it speaks TLS, the crowd is silent */
                    "[rule all]\nlistener = web\npool = app\n\n"
                    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n%s",
                    pool);
    scene_start(&house->scene, ini.bytes);
    text_done(&ini);
    house_enter(house, regular);
    ck_assert_uint_eq(peer_get(regular, "a", "/", NULL, 0), 200);
    ck_assert_int_eq(prlimit(house->scene.pid, RLIMIT_NOFILE, NULL, &crowd->before), 0);
    rlim_t most = process_descriptors(house->scene.pid) + ROOM;
    limit_descriptors(crowd, &(struct rlimit){most, crowd->before.rlim_max});
}

static void crowd_comes(struct crowd *crowd)
{
    unsigned port = scene_port(&crowd->house.scene, "web");
    for (crowd->count = 0; crowd->count < CROWD; crowd->count++)
        peer_reach(&crowd->peers[crowd->count], "127.0.0.1", port);
    eventually(scene_log_has(&crowd->house.scene, "listener.full", "Too many open files", NULL));
}

static void crowd_leaves(struct crowd *crowd)
{
    while (crowd->count > 0)
        peer_close(&crowd->peers[--crowd->count]);
}

static void crowd_end(struct crowd *crowd)
{
    limit_descriptors(crowd, &crowd->before); /* a sanitizer's report needs some, too */
    house_close(&crowd->house);
}

START_TEST(whoever_is_served_goes_on_and_the_others_follow)
{
    struct crowd crowd;
    struct peer regular;
    crowd_begin(&crowd, &regular, "");
    crowd_comes(&crowd);
    for (unsigned i = 0; i < 50; i++)
        ck_assert_uint_eq(peer_get(&regular, "a", "/", NULL, 0), 200);
    /* Each one is served as soon as those before it have left. */
    for (unsigned i = 0; i < CROWD; i++) {
        peer_greet(&crowd.peers[i], scene_port(&crowd.house.scene, "web"));
        ck_assert_uint_eq(peer_get(&crowd.peers[i], "a", "/", NULL, 0), 200);
        peer_close(&crowd.peers[i]);
    }
    crowd.count = 0;
    ck_assert_uint_eq(peer_get(&regular, "a", "/", NULL, 0), 200);
    peer_close(&regular);
    crowd_end(&crowd);
}
END_TEST

START_TEST(waiting_for_room_is_no_busy_loop)
{
    struct crowd crowd;
    struct peer regular;
    crowd_begin(&crowd, &regular, "");
    long long start_ms = eventually_now_ms();
    crowd_comes(&crowd);
    char *log = NULL;
    for (unsigned seen = 0; seen < 5;) {
        free(log);
        log = scene_log(&crowd.house.scene);
        seen = text_count(log, "listener.full");
        eventually_pause();
    }
    /* One try in 100 ms. */
    long long most = 2 + (eventually_now_ms() - start_ms) / 100;
    ck_assert_int_le(text_count(log, "listener.full"), most);
    free(log);
    crowd_leaves(&crowd);
    peer_close(&regular);
    crowd_end(&crowd);
}
END_TEST

/* Every request needs a new link, and its descriptor is not to be had. */
START_TEST(a_client_whose_link_cannot_be_opened_is_told)
{
    struct crowd crowd;
    struct peer regular;
    crowd_begin(&crowd, &regular, "idle_links = 0\n");
    crowd_comes(&crowd);
    for (unsigned i = 0; i < 5; i++)
        ck_assert_uint_eq(peer_get(&regular, "a", "/", NULL, 0), 502);
    eventually(scene_log_has(&crowd.house.scene, "backend.failed", "backend=rs-1",
                             "Too many open files", NULL));
    crowd_leaves(&crowd);
    eventually(peer_get(&regular, "a", "/", NULL, 0) == 200);
    peer_close(&regular);
    crowd_end(&crowd);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, whoever_is_served_goes_on_and_the_others_follow);
    tcase_add_test(tcase, waiting_for_room_is_no_busy_loop);
    tcase_add_test(tcase, a_client_whose_link_cannot_be_opened_is_told);
}

CHECK_MAIN("a shortage of descriptors passes", add_tests)
