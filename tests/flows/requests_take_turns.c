/* SPDX-License-Identifier: Apache-2.0 */
/* Round robin: exact per request, by weight, over one connection and over many workers. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/peer.h"
#include "tests/support/scene.h"
#include "tests/support/stub_backend.h"

struct stage {
    struct scene scene;
    struct stub_backend backends[3];
};

static void stage_begin(struct stage *stage, unsigned count, const char *workers, const char *pool)
{
    static const char *const names[] = {"rs-1", "rs-2", "rs-3"};
    struct text ini = {0};
    scene_begin(&stage->scene);
    for (unsigned i = 0; i < count; i++) {
        stub_start(&stage->backends[i], names[i], NULL);
        scene_set_port(&stage->scene, names[i], stage->backends[i].port);
    }
    text_add_format(
        &ini,
        "[lb]\nworkers = %s\naccess_log = off\n\n[listener web]\naddress = 127.0.0.1:@web\n"
        "protocol = http\n\n[rule all]\nlistener = web\npool = app\n\n[pool app]\nhealth_check = "
        "off\n%s",
        workers, pool);
    scene_start(&stage->scene, ini.bytes);
    text_done(&ini);
}

static void stage_end(struct stage *stage, unsigned count)
{
    scene_end(&stage->scene);
    for (unsigned i = 0; i < count; i++)
        stub_stop(&stage->backends[i]);
}

static const char two_equal[] = "backend = rs-1 127.0.0.1:@rs-1\nbackend = rs-2 127.0.0.1:@rs-2\n";

START_TEST(one_keep_alive_connection_alternates_between_rs_1_and_rs_2)
{
    struct stage stage;
    struct peer peer;
    char last[16] = "";
    char name[16] = "";
    stage_begin(&stage, 2, "2", two_equal);
    peer_connect(&peer, scene_port(&stage.scene, "web"));
    for (unsigned i = 0; i < 100; i++) {
        ck_assert_uint_eq(peer_get(&peer, "a", "/", name, sizeof name), 200);
        ck_assert_str_ne(name, last);
        snprintf(last, sizeof last, "%s", name);
    }
    peer_close(&peer);
    ck_assert_uint_eq(atomic_load(&stage.backends[0].requests), 50);
    ck_assert_uint_eq(atomic_load(&stage.backends[1].requests), 50);
    stage_end(&stage, 2);
}
END_TEST

START_TEST(requests_of_many_connections_alternate_whichever_worker_has_them)
{
    struct stage stage;
    char last[16] = "";
    char name[16] = "";
    stage_begin(&stage, 2, "4", two_equal);
    for (unsigned i = 0; i < 60; i++) {
        struct peer peer;
        peer_connect(&peer, scene_port(&stage.scene, "web"));
        ck_assert_uint_eq(peer_get(&peer, "a", "/", name, sizeof name), 200);
        ck_assert_str_ne(name, last);
        snprintf(last, sizeof last, "%s", name);
        peer_close(&peer);
    }
    stage_end(&stage, 2);
}
END_TEST

static void *ask_a_hundred_times(void *argument)
{
    struct stage *stage = argument;
    struct peer peer;
    peer_connect(&peer, scene_port(&stage->scene, "web"));
    for (unsigned i = 0; i < 100; i++)
        ck_assert_uint_eq(peer_get(&peer, "a", "/", NULL, 0), 200);
    peer_close(&peer);
    return NULL;
}

START_TEST(requests_at_the_same_time_are_divided_exactly)
{
    struct stage stage;
    pthread_t clients[8];
    stage_begin(&stage, 2, "4", two_equal);
    for (unsigned i = 0; i < 8; i++)
        ck_assert_int_eq(pthread_create(&clients[i], NULL, ask_a_hundred_times, &stage), 0);
    for (unsigned i = 0; i < 8; i++)
        pthread_join(clients[i], NULL);
    ck_assert_uint_eq(atomic_load(&stage.backends[0].requests), 400);
    ck_assert_uint_eq(atomic_load(&stage.backends[1].requests), 400);
    stage_end(&stage, 2);
}
END_TEST

START_TEST(weights_are_kept_exactly_and_smoothly)
{
    struct stage stage;
    struct peer peer;
    char name[16] = "";
    char turns[64] = "";
    stage_begin(&stage, 3, "2",
                "backend = rs-1 127.0.0.1:@rs-1 weight=5\nbackend = rs-2 127.0.0.1:@rs-2 weight=1\n"
                "backend = rs-3 127.0.0.1:@rs-3 weight=1\n");
    peer_connect(&peer, scene_port(&stage.scene, "web"));
    for (unsigned i = 0; i < 14; i++) {
        ck_assert_uint_eq(peer_get(&peer, "a", "/", name, sizeof name), 200);
        strcat(turns, &name[3]);
    }
    /* 5 : 1 : 1 without bursts: the classic smooth order, over and over. */
    ck_assert_msg(strstr(turns, "1121311") != NULL, "%s", turns);
    peer_close(&peer);
    ck_assert_uint_eq(atomic_load(&stage.backends[0].requests), 10);
    ck_assert_uint_eq(atomic_load(&stage.backends[1].requests), 2);
    ck_assert_uint_eq(atomic_load(&stage.backends[2].requests), 2);
    stage_end(&stage, 3);
}
END_TEST

START_TEST(a_backend_of_weight_0_gets_nothing)
{
    struct stage stage;
    struct peer peer;
    stage_begin(&stage, 2, "2",
                "backend = rs-1 127.0.0.1:@rs-1 weight=0\nbackend = rs-2 127.0.0.1:@rs-2\n");
    peer_connect(&peer, scene_port(&stage.scene, "web"));
    for (unsigned i = 0; i < 10; i++)
        ck_assert_uint_eq(peer_get(&peer, "a", "/", NULL, 0), 200);
    peer_close(&peer);
    ck_assert_uint_eq(atomic_load(&stage.backends[0].requests), 0);
    stage_end(&stage, 2);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, one_keep_alive_connection_alternates_between_rs_1_and_rs_2);
    tcase_add_test(tcase, requests_of_many_connections_alternate_whichever_worker_has_them);
    tcase_add_test(tcase, requests_at_the_same_time_are_divided_exactly);
    tcase_add_test(tcase, weights_are_kept_exactly_and_smoothly);
    tcase_add_test(tcase, a_backend_of_weight_0_gets_nothing);
}

CHECK_MAIN("requests take turns", add_tests)
