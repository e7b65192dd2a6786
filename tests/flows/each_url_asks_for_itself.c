/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One host whose urls ask for nothing, request, or require certificates of different CAs: the
 * handshake is the same for all, and every request is judged by its own rule, over fresh, kept and
 * resumed connections. A url that asks for nothing stays open, as /healthz has to.
 */
#include <string.h>

#include "tests/support/cast.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
#define RULE(url, more) \
    "[rule " url "]\nlistener = named\nlistener = plain\ndomain = www.example.com\nurl = /" url "\npool = app\n" more "\n"
static const char ini[] =
    "[listener named]\naddress = 127.0.0.1:@named\nsni = on\n\n"
    "[listener plain]\naddress = 127.0.0.1:@plain\ncertificate = server.crt\ncertificate_key = server.key\n\n"
    "[rule root]\nlistener = named\ndomain = www.example.com\npool = app\ncertificate = server.crt\ncertificate_key = server.key\n\n"
    "[rule root-plain]\nlistener = plain\ndomain = www.example.com\npool = app\n\n"
    RULE("healthz", "mutual_auth = off\n")
    RULE("asked", "mutual_auth = request\nclient_ca = ca.crt\n")
    RULE("ours", "mutual_auth = require\nclient_ca = ca.crt\n")
    RULE("theirs", "mutual_auth = require\nclient_ca = partner-ca.crt\n")
    RULE("both", "mutual_auth = require\nclient_ca = ca.crt\nclient_ca = partner-ca.crt\n")
    RULE("anna", "mutual_auth = require\nclient_ca = ca.crt\nallow_client = cn:anna\n")
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n";

static const char *const people[] = {NULL, "alice", "anna", "bob", "stranger"};
/* By url, what each of them gets. */
static const struct {
    const char *path;
    unsigned status[5];
} urls[] = {
    {"/", {200, 200, 200, 200, 200}},
    {"/healthz", {200, 200, 200, 200, 200}},
    {"/asked", {200, 200, 200, 200, 200}},
    {"/ours", {403, 200, 200, 403, 403}},
    {"/theirs", {403, 403, 403, 200, 403}},
    {"/both", {403, 200, 200, 200, 403}},
    {"/anna", {403, 403, 200, 403, 403}},
    {"/anna/../ours", {400, 400, 400, 400, 400}},
    {"/healthz%2F..%2Fours", {400, 400, 400, 400, 400}},
};
/* clang-format on */
enum {
    PEOPLE = sizeof people / sizeof *people,
    URLS = sizeof urls / sizeof *urls,
    KEPT = URLS - 2 /* after a 400 the connection is closed */
};

struct world {
    struct scene scene;
    struct stub_backend backend;
    const char *listener;
    int version;
};

static void write_stranger(struct world *world)
{
    struct made *ca = made_ca("Strange CA");
    struct made *client = made_client(ca, "stranger");
    made_write(client, world->scene.folder.path, "stranger");
    made_free(client);
    made_free(ca);
}

/* All pairs of a listener and a version. */
static void world_begin(struct world *world, int which)
{
    world->listener = which % 2 ? "named" : "plain";
    world->version = which / 2 ? TLS1_2_VERSION : TLS1_3_VERSION;
    scene_begin(&world->scene);
    cast_write(&world->scene);
    write_stranger(world);
    stub_start(&world->backend, "rs-1", NULL);
    scene_set_port(&world->scene, "rs-1", world->backend.port);
    scene_start(&world->scene, ini);
}

static void world_end(struct world *world)
{
    scene_end(&world->scene);
    stub_stop(&world->backend);
}

static void enter(struct world *world, struct peer *peer, const char *who, SSL_SESSION *session)
{
    const struct tls_wish *wish = WISH(&world->scene, .version = world->version,
                                       .sni = "www.example.com", .who = who, .session = session);
    ck_assert_msg(peer_connect_tls(peer, scene_port(&world->scene, world->listener), wish),
                  "%s: alert %d", who ? who : "nobody", peer->alert);
}

static void check(struct peer *peer, size_t url, size_t who)
{
    unsigned status = peer_get(peer, "www.example.com", urls[url].path, NULL, 0);
    ck_assert_msg(status == urls[url].status[who], "%s for %s: %u instead of %u", urls[url].path,
                  people[who] ? people[who] : "nobody", status, urls[url].status[who]);
}

/* From every url to every other over one connection. */
static void check_all(struct peer *peer, size_t who)
{
    for (size_t from = 0; from < KEPT; from++)
        for (size_t to = 0; to < KEPT; to++) {
            check(peer, from, who);
            check(peer, to, who);
        }
}

START_TEST(every_request_is_judged_by_its_own_rule)
{
    struct world world;
    world_begin(&world, _i);
    for (size_t who = 0; who < PEOPLE; who++) {
        struct peer peer;
        for (size_t url = 0; url < URLS; url++) {
            enter(&world, &peer, people[who], NULL);
            check(&peer, url, who);
            peer_close(&peer);
        }
        enter(&world, &peer, people[who], NULL);
        check_all(&peer, who);
        peer_close(&peer);
    }
    world_end(&world);
}
END_TEST

START_TEST(a_resumed_connection_is_judged_like_the_first)
{
    struct world world;
    world_begin(&world, _i);
    for (size_t who = 0; who < PEOPLE; who++) {
        struct peer peer;
        enter(&world, &peer, people[who], NULL);
        check(&peer, 0, who);
        SSL_SESSION *session = peer_take_session(&peer);
        peer_close(&peer);
        ck_assert_ptr_nonnull(session);
        for (size_t url = 0; url < URLS; url++) {
            enter(&world, &peer, NULL, session);
            bool was_resumed = peer_was_resumed(&peer);
            check(&peer, url, was_resumed ? who : 0);
            SSL_SESSION *next = peer_take_session(&peer);
            if (next) {
                SSL_SESSION_free(session);
                session = next;
            }
            peer_close(&peer);
            /* What no CA has verified is looked at anew each time. */
            ck_assert_msg(was_resumed || who == 0 || who == 4, "%s", people[who]);
        }
        SSL_SESSION_free(session);
    }
    world_end(&world);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, every_request_is_judged_by_its_own_rule, 0, 4);
    tcase_add_loop_test(tcase, a_resumed_connection_is_judged_like_the_first, 0, 4);
}

CHECK_MAIN("each url asks for itself", add_tests)
