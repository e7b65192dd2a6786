/* SPDX-License-Identifier: Apache-2.0 */
/* balance = least-connections: requests in progress divide exactly by weight, whichever worker has
 * them, and new ones go to whoever has become free. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/held_backend.h"
#include "tests/support/peer.h"
#include "tests/support/scene.h"

enum { BACKENDS = 3, CLIENTS_MOST = 60 };

struct stage {
    struct scene scene;
    struct held_backend backends[BACKENDS];
    struct peer clients[CLIENTS_MOST];
    unsigned client_count;
};

static void stage_begin(struct stage *stage, unsigned workers, const unsigned *weights)
{
    struct text ini = {0};
    stage->client_count = 0;
    scene_begin(&stage->scene);
    text_add_format(&ini,
                    "[lb]\nworkers = %u\naccess_log = off\n\n"
                    "[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\n\n"
                    "[rule all]\nlistener = web\npool = app\n\n"
                    "[pool app]\nbalance = least-connections\nhealth_check = off\n",
                    workers);
    for (unsigned i = 0; i < BACKENDS; i++) {
        static const char *const names[BACKENDS] = {"rs-1", "rs-2", "rs-3"};
        held_start(&stage->backends[i], names[i]);
        scene_set_port(&stage->scene, names[i], stage->backends[i].stub.port);
        text_add_format(&ini, "backend = %s 127.0.0.1:@%s weight=%u\n", names[i], names[i],
                        weights[i]);
    }
    scene_start(&stage->scene, ini.bytes);
    text_done(&ini);
}

static void stage_end(struct stage *stage)
{
    for (unsigned i = 0; i < stage->client_count; i++)
        peer_close(&stage->clients[i]);
    for (unsigned i = 0; i < BACKENDS; i++)
        held_open(&stage->backends[i]);
    scene_end(&stage->scene);
    for (unsigned i = 0; i < BACKENDS; i++)
        held_stop(&stage->backends[i]);
}

static const char get[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

static void ask(struct stage *stage, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct peer *client = &stage->clients[stage->client_count++];
        peer_connect(client, scene_port(&stage->scene, "web"));
        ck_assert(peer_say(client, get));
    }
}

static unsigned held_by_all(struct stage *stage)
{
    unsigned count = 0;
    for (unsigned i = 0; i < BACKENDS; i++)
        count += held_now(&stage->backends[i]);
    return count;
}

static void expect_answer(struct peer *client)
{
    struct answer answer;
    ck_assert(peer_read_answer(client, "GET", &answer));
    ck_assert_uint_eq(answer.status, 200);
    answer_done(&answer);
}

START_TEST(requests_in_progress_divide_exactly_by_weight_over_all_workers)
{
    static const unsigned weights[BACKENDS] = {30, 20, 10};
    struct stage stage;
    stage_begin(&stage, _i == 0 ? 1 : 4, weights);
    for (unsigned sixths = 1; sixths <= CLIENTS_MOST / 6; sixths++) {
        ask(&stage, 6);
        eventually(held_by_all(&stage) == 6 * sixths);
        for (unsigned i = 0; i < BACKENDS; i++)
            ck_assert_uint_eq(held_now(&stage.backends[i]), sixths * weights[i] / 10);
    }
    for (unsigned i = 0; i < BACKENDS; i++)
        held_open(&stage.backends[i]);
    for (unsigned i = 0; i < CLIENTS_MOST; i++)
        expect_answer(&stage.clients[i]);
    stage_end(&stage);
}
END_TEST

static unsigned answered(struct stage *stage)
{
    unsigned count = 0;
    for (unsigned i = 0; i < stage->client_count; i++)
        count += peer_has_more(&stage->clients[i]);
    return count;
}

/* One worker: what a client has got is over for lb, too, before it reads the next request. */
START_TEST(whoever_is_done_first_gets_the_next_requests)
{
    static const unsigned weights[BACKENDS] = {10, 10, 10};
    struct stage stage;
    stage_begin(&stage, 1, weights);
    ask(&stage, 12);
    eventually(held_by_all(&stage) == 12);
    held_release(&stage.backends[1], 3);
    eventually(answered(&stage) == 3);
    ask(&stage, 3);
    eventually(held_by_all(&stage) == 12);
    for (unsigned i = 0; i < BACKENDS; i++)
        ck_assert_uint_eq(held_now(&stage.backends[i]), 4);
    ck_assert_uint_eq(atomic_load(&stage.backends[1].stub.requests), 7);
    stage_end(&stage);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, requests_in_progress_divide_exactly_by_weight_over_all_workers, 0,
                        2);
    tcase_add_test(tcase, whoever_is_done_first_gets_the_next_requests);
}

CHECK_MAIN("least connections are exact", add_tests)
