/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nginx as the backend, which many have: it closes kept links when it likes, reloads, dies and
 * comes back. No client sees anything of that.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/nginx_backend.h"
#include "tests/support/peer.h"
#include "tests/support/scene.h"

enum { BACKENDS = 2 };

struct stage {
    struct scene scene;
    struct nginx_backend backends[BACKENDS];
};

/* server: lines of nginx's server block; pool: lines of lb's pool */
static void stage_begin(struct stage *stage, const char *server, const char *pool)
{
    static const char *const names[BACKENDS] = {"rs-1", "rs-2"};
    struct text ini = {0};
    scene_begin(&stage->scene);
    for (unsigned i = 0; i < BACKENDS; i++) {
        nginx_start(&stage->backends[i], &(struct nginx_plan){.name = names[i], .server = server});
        scene_set_port(&stage->scene, names[i], stage->backends[i].port);
    }
    text_add_format(&ini,
                    "[lb]\nworkers = 2\naccess_log = access.log\n\n"
                    "[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\n\n"
                    "[rule all]\nlistener = web\npool = app\n\n"
                    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nbackend = rs-2 127.0.0.1:@rs-2\n"
                    "health_check = off\n%s\n",
                    pool);
    scene_start(&stage->scene, ini.bytes);
    text_done(&ini);
}

static void stage_end(struct stage *stage)
{
    scene_end(&stage->scene);
    for (unsigned i = 0; i < BACKENDS; i++)
        nginx_stop(&stage->backends[i]);
}

static void come(struct stage *stage, struct peer *peer)
{
    peer_connect(peer, scene_port(&stage->scene, "web"));
}

START_TEST(both_take_turns_exactly_on_kept_links)
{
    struct stage stage;
    struct peer peer;
    char last[16] = "";
    char name[16] = "";
    stage_begin(&stage, NULL, "");
    come(&stage, &peer);
    for (unsigned i = 0; i < 200; i++) {
        ck_assert_uint_eq(peer_get(&peer, "a", "/", name, sizeof name), 200);
        ck_assert_str_ne(name, last);
        snprintf(last, sizeof last, "%s", name);
    }
    peer_close(&peer);
    for (unsigned i = 0; i < BACKENDS; i++) {
        ck_assert_uint_eq(nginx_requests(&stage.backends[i], "GET / 200"), 100);
    }
    stage_end(&stage);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, both_take_turns_exactly_on_kept_links);
}

CHECK_MAIN_WHERE("nginx behind lb", add_tests, nginx_is_here)
