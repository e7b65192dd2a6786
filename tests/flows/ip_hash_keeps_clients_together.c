/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same client, the same backend, without a cookie: by its address (balance = ip-hash) or by its
 * certificate (session_persistence = client-certificate), on every worker and every connection.
 * When a backend is lost only its clients move, and they are back when it is.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/support/cast.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/stub_backend.h"

enum { BACKENDS = 4, ADDRESSES = 60, CERTIFICATES = 16 };

static const char *const names[BACKENDS] = {"rs-1", "rs-2", "rs-3", "rs-4"};

struct stage {
    struct scene scene;
    struct stub_backend backends[BACKENDS];
};

/* clients.crt, and c0, c1, … that it issued. */
static void write_clients(const struct scene *scene)
{
    struct made *ca = made_ca("Clients");
    made_write(ca, scene->folder.path, "clients");
    for (unsigned i = 0; i < CERTIFICATES; i++) {
        char name[16];
        snprintf(name, sizeof name, "c%u", i);
        struct made *client = made_client(ca, name);
        made_write(client, scene->folder.path, name);
        made_free(client);
    }
    made_free(ca);
}

static void stage_begin(struct stage *stage, const char *listener, const char *pool)
{
    struct text ini = {0};
    scene_begin(&stage->scene);
    cast_write(&stage->scene);
    write_clients(&stage->scene);
    text_add_format(
        &ini,
        "[lb]\nworkers = 2\naccess_log = off\n\n[listener web]\naddress = 127.0.0.1:@web\n"
        "%s\n[rule all]\nlistener = web\npool = app\n\n[pool app]\n%s\n"
        "health_check = tcp\nhealth_check_interval = 1s\n"
        "health_check_timeout = 900ms\nhealthy_threshold = 1\nunhealthy_threshold = 1\n",
        listener, pool);
    for (unsigned i = 0; i < BACKENDS; i++) {
        stub_start(&stage->backends[i], names[i], NULL);
        scene_set_port(&stage->scene, names[i], stage->backends[i].port);
        text_add_format(&ini, "backend = %s 127.0.0.1:@%s weight=%u\n", names[i], names[i],
                        i == 0 ? 20 : 10);
    }
    scene_start(&stage->scene, ini.bytes);
    text_done(&ini);
}

static void stage_end(struct stage *stage)
{
    scene_end(&stage->scene);
    for (unsigned i = 0; i < BACKENDS; i++)
        stub_stop(&stage->backends[i]);
}

static unsigned log_count(const struct stage *stage, const char *event, unsigned backend)
{
    char word[64];
    char *log = scene_log(&stage->scene);
    unsigned count = 0;
    for (char *line = log, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        snprintf(word, sizeof word, "backend=%s ", names[backend]);
        count += strstr(line, event) != NULL && strstr(line, word) != NULL;
    }
    free(log);
    return count;
}

static void lose(struct stage *stage, unsigned backend)
{
    unsigned before = log_count(stage, "backend.down", backend);
    stub_stop(&stage->backends[backend]);
    eventually(log_count(stage, "backend.down", backend) > before);
}

static void bring_back(struct stage *stage, unsigned backend)
{
    unsigned before = log_count(stage, "backend.up", backend);
    stub_start_at(&stage->backends[backend], names[backend], NULL,
                  scene_port(&stage->scene, names[backend]));
    eventually(log_count(stage, "backend.up", backend) > before);
}

static unsigned number_of(const char *name)
{
    unsigned backend = 0;
    while (backend < BACKENDS && strcmp(names[backend], name) != 0)
        backend++;
    ck_assert_msg(backend < BACKENDS, "\"%s\"", name);
    return backend;
}

/* --- by address ---------------------------------------------------------------------------- */

/* A connection from 127.0.x.y: all of 127/8 is this machine. */
static void connect_from(struct peer *peer, unsigned address, unsigned port)
{
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK + address)};
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((in_port_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = PEER_PATIENCE_S};
    *peer = (struct peer){.alert = PEER_NO_ALERT};
    peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(peer->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ck_assert_int_eq(bind(peer->fd, (struct sockaddr *)&from, sizeof from), 0);
    ck_assert_int_eq(connect(peer->fd, (struct sockaddr *)&to, sizeof to), 0);
    peer_greet(peer, port);
}

static unsigned backend_of_address(struct stage *stage, unsigned address)
{
    struct peer peer;
    char name[16] = "";
    connect_from(&peer, address, scene_port(&stage->scene, "web"));
    ck_assert_uint_eq(peer_get(&peer, "a", "/", name, sizeof name), 200);
    peer_close(&peer);
    return number_of(name);
}

static void ask_all_addresses(struct stage *stage, unsigned *found)
{
    for (unsigned address = 0; address < ADDRESSES; address++)
        found[address] = backend_of_address(stage, address);
}

static const char plain[] = "protocol = http\n";

START_TEST(an_address_has_its_backend_on_every_connection_and_all_backends_have_some)
{
    struct stage stage;
    unsigned found[ADDRESSES], had[BACKENDS] = {0};
    stage_begin(&stage, plain, "balance = ip-hash");
    ask_all_addresses(&stage, found);
    for (unsigned address = 0; address < ADDRESSES; address++)
        had[found[address]]++;
    for (unsigned i = 0; i < BACKENDS; i++)
        ck_assert_uint_gt(had[i], 0);
    for (unsigned round = 0; round < 5; round++)
        for (unsigned address = 0; address < ADDRESSES; address += 3)
            ck_assert_uint_eq(backend_of_address(&stage, address), found[address]);
    stage_end(&stage);
}
END_TEST

START_TEST(only_the_clients_of_a_lost_backend_move_and_they_come_back)
{
    struct stage stage;
    unsigned before[ADDRESSES], without[ADDRESSES], again[ADDRESSES], had[BACKENDS] = {0};
    stage_begin(&stage, plain, "balance = ip-hash");
    ask_all_addresses(&stage, before);
    lose(&stage, 0);
    ask_all_addresses(&stage, without);
    for (unsigned address = 0; address < ADDRESSES; address++) {
        ck_assert_uint_ne(without[address], 0);
        if (before[address] != 0)
            ck_assert_uint_eq(without[address], before[address]);
        else
            had[without[address]]++;
    }
    ck_assert_uint_gt(had[1], 0);
    ck_assert_uint_gt(had[2], 0);
    ck_assert_uint_gt(had[3], 0);
    bring_back(&stage, 0);
    ask_all_addresses(&stage, again);
    ck_assert_mem_eq(again, before, sizeof again);
    stage_end(&stage);
}
END_TEST

/* --- by certificate ------------------------------------------------------------------------ */

static const char mutual[] = "certificate = server.crt\ncertificate_key = server.key\n"
                             "mutual_auth = request\nclient_ca = clients.crt\n";

/* who NULL: without a certificate. */
static unsigned backend_of_client(struct stage *stage, const char *who)
{
    struct peer peer;
    char name[16] = "";
    ck_assert(
        peer_connect_tls(&peer, scene_port(&stage->scene, "web"), WISH(&stage->scene, .who = who)));
    ck_assert_uint_eq(peer_get(&peer, "a", "/", name, sizeof name), 200);
    peer_close(&peer);
    return number_of(name);
}

static void ask_all_clients(struct stage *stage, unsigned *found)
{
    for (unsigned client = 0; client < CERTIFICATES; client++) {
        char who[16];
        snprintf(who, sizeof who, "c%u", client);
        found[client] = backend_of_client(stage, who);
    }
}

START_TEST(a_certificate_has_its_backend_whatever_the_balancer)
{
    static const char *const balances[] = {"round-robin", "least-connections", "ip-hash"};
    struct stage stage;
    struct text pool = {0};
    unsigned found[CERTIFICATES], again[CERTIFICATES], had[BACKENDS] = {0};
    text_add_format(&pool, "balance = %s\nsession_persistence = client-certificate", balances[_i]);
    stage_begin(&stage, mutual, pool.bytes);
    ask_all_clients(&stage, found);
    for (unsigned round = 0; round < 4; round++) {
        ask_all_clients(&stage, again);
        ck_assert_mem_eq(again, found, sizeof again);
    }
    for (unsigned client = 0; client < CERTIFICATES; client++)
        had[found[client]]++;
    for (unsigned i = 0; i < BACKENDS; i++)
        ck_assert_uint_lt(had[i], CERTIFICATES);
    stage_end(&stage);
    text_done(&pool);
}
END_TEST

START_TEST(clients_without_a_verified_certificate_take_turns)
{
    struct stage stage;
    unsigned had[BACKENDS] = {0};
    stage_begin(&stage, mutual, "session_persistence = client-certificate");
    for (unsigned i = 0; i < 20; i++) /* bob's CA is another one */
        had[backend_of_client(&stage, i % 2 ? "bob" : NULL)]++;
    ck_assert_uint_eq(had[0], 8);
    for (unsigned i = 1; i < BACKENDS; i++)
        ck_assert_uint_eq(had[i], 4);
    stage_end(&stage);
}
END_TEST

START_TEST(a_certificate_moves_while_its_backend_is_down_and_comes_back)
{
    struct stage stage;
    unsigned before[CERTIFICATES], without[CERTIFICATES], again[CERTIFICATES];
    stage_begin(&stage, mutual, "session_persistence = client-certificate");
    ask_all_clients(&stage, before);
    unsigned lost = before[0];
    lose(&stage, lost);
    ask_all_clients(&stage, without);
    for (unsigned client = 0; client < CERTIFICATES; client++) {
        ck_assert_uint_ne(without[client], lost);
        if (before[client] != lost)
            ck_assert_uint_eq(without[client], before[client]);
    }
    ask_all_clients(&stage, again);
    ck_assert_mem_eq(again, without, sizeof again);
    bring_back(&stage, lost);
    ask_all_clients(&stage, again);
    ck_assert_mem_eq(again, before, sizeof again);
    stage_end(&stage);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase,
                   an_address_has_its_backend_on_every_connection_and_all_backends_have_some);
    tcase_add_test(tcase, only_the_clients_of_a_lost_backend_move_and_they_come_back);
    tcase_add_loop_test(tcase, a_certificate_has_its_backend_whatever_the_balancer, 0, 3);
    tcase_add_test(tcase, clients_without_a_verified_certificate_take_turns);
    tcase_add_test(tcase, a_certificate_moves_while_its_backend_is_down_and_comes_back);
}

CHECK_MAIN("ip-hash keeps clients together", add_tests)
