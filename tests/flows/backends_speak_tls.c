/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pools with protocol = https: backends are verified, asked for by name, shown lb's certificate and
 * resumed, and everything that works without TLS works with it.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/nginx_backend.h"
#include "tests/support/peer.h"
#include "tests/support/scene.h"
#include "tests/support/secured.h"
#include "tests/support/stub_tls.h"

enum { BACKENDS = 2 };

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
static const char *const names[BACKENDS] = {"rs-1", "rs-2"};

/*
 * The folder holds ca (which backends trust, too), stranger (another CA), rs (a backend of ca for
 * example.com, *.example.com and 127.0.0.1), lb (lb's own certificate, of ca).
 */
struct stage {
    struct scene scene;
    struct made *ca;
    struct made *stranger;
    struct made *rs;
    unsigned count;
    struct stub_backend backends[BACKENDS];
};

static void write_made(const struct stage *stage, const struct made *made, const char *name)
{
    made_write(made, stage->scene.folder.path, name);
}

static struct made *make_rs(const struct made *issuer)
{
    return made_certificate(
        &(struct certificate_wish){.name = "rs",
                                   .issuer = issuer,
                                   .usage = "serverAuth",
                                   .names = "DNS:example.com,DNS:*.example.com,IP:127.0.0.1"});
}

static void stage_begin(struct stage *stage)
{
    *stage = (struct stage){0};
    scene_begin(&stage->scene);
    stage->ca = made_ca("Backend CA");
    stage->stranger = made_ca("Stranger");
    stage->rs = make_rs(stage->ca);
    struct made *lb = made_client(stage->ca, "lb");
    write_made(stage, stage->ca, "ca");
    write_made(stage, stage->stranger, "stranger");
    write_made(stage, stage->rs, "rs");
    write_made(stage, lb, "lb");
    made_free(lb);
}

/* The next backend: rs-1, rs-2. */
static struct stub_backend *stage_add(struct stage *stage, stub_serve serve,
                                      const struct stub_tls_plan *plan)
{
    unsigned index = stage->count++;
    struct stub_backend *stub = &stage->backends[index];
    struct stub_tls_plan own = *plan;
    if (own.certificate == NULL)
        own.certificate = stage->rs;
    stub_tls_start(stub, names[index], serve, &own);
    scene_set_port(&stage->scene, names[index], stub->port);
    return stub;
}

/* One worker: what is kept is kept by the one that serves every client. */
static void add_ini(const struct stage *stage, struct text *ini, const char *pool)
{
    text_add_format(ini, "[lb]\nworkers = 1\naccess_log = access.log\n\n"
                         "[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\n\n"
                         "[rule all]\nlistener = web\npool = app\n\n"
                         "[pool app]\nprotocol = https\nhealth_check = off\n");
    for (unsigned i = 0; i < stage->count; i++)
        text_add_format(ini, "backend = %s 127.0.0.1:@%s\n", names[i], names[i]);
    text_add_format(ini, "%s\n", pool);
}

static void stage_open(struct stage *stage, const char *pool)
{
    struct text ini = {0};
    add_ini(stage, &ini, pool);
    scene_start(&stage->scene, ini.bytes);
    text_done(&ini);
}

static void stage_end(struct stage *stage)
{
    scene_end(&stage->scene);
    for (unsigned i = 0; i < stage->count; i++)
        stub_stop(&stage->backends[i]);
    made_free(stage->rs);
    made_free(stage->stranger);
    made_free(stage->ca);
}

static void come(struct stage *stage, struct peer *peer)
{
    peer_connect(peer, scene_port(&stage->scene, "web"));
}

static unsigned handshakes(const struct stub_backend *stub)
{
    return atomic_load(&stub->tls->handshakes);
}

static void expect_name(struct peer *peer, const char *host, const char *name)
{
    char body[16] = "";
    ck_assert_uint_eq(peer_get(peer, host, "/", body, sizeof body), 200);
    ck_assert_str_eq(body, name);
}

/* ---- the usual ---- */

START_TEST(backends_take_turns_on_kept_links)
{
    struct stage stage;
    struct peer peer;
    stage_begin(&stage);
    for (unsigned i = 0; i < BACKENDS; i++)
        stage_add(&stage, NULL, &(struct stub_tls_plan){.version = versions[_i]});
    stage_open(&stage, "backend_ca = ca.crt");
    come(&stage, &peer);
    for (unsigned i = 0; i < 100; i++)
        expect_name(&peer, "www.example.com", names[i % 2]);
    peer_close(&peer);
    for (unsigned i = 0; i < BACKENDS; i++) {
        char *asked = stub_tls_asked(&stage.backends[i]);
        ck_assert_str_eq(asked, "www.example.com http/1.1 -\n");
        ck_assert_uint_eq(atomic_load(&stage.backends[i].requests), 50);
        free(asked);
    }
    stage_end(&stage);
}
END_TEST

START_TEST(a_backend_is_told_the_same_as_without_tls)
{
    struct stage stage;
    struct peer peer;
    struct answer answer;
    char value[64] = "";
    stage_begin(&stage);
    stage_add(&stage, NULL, &(struct stub_tls_plan){0});
    stage_open(&stage, "backend_ca = ca.crt");
    come(&stage, &peer);
    ck_assert(peer_say(&peer, "GET /echo HTTP/1.1\r\nHost: WWW.Example.com:8080\r\n\r\n"));
    ck_assert(peer_read_answer(&peer, "GET", &answer));
    ck_assert(text_field(answer.body.bytes, "Host", value, sizeof value));
    ck_assert_str_eq(value, "WWW.Example.com:8080");
    ck_assert(text_field(answer.body.bytes, "X-Forwarded-Proto", value, sizeof value));
    ck_assert_str_eq(value, secured_scheme());
    ck_assert(text_field(answer.body.bytes, "X-Forwarded-Host", value, sizeof value));
    ck_assert_str_eq(value, "WWW.Example.com:8080");
    answer_done(&answer);
    peer_close(&peer);
    stage_end(&stage);
}
END_TEST

/* ---- names ---- */

START_TEST(every_host_is_asked_for_and_verified_by_itself)
{
    static const char *const hosts[] = {"a.example.com", "B.example.com:8080", "127.0.0.1"};
    struct stage stage;
    struct peer peer;
    stage_begin(&stage);
    struct stub_backend *stub = stage_add(&stage, NULL, &(struct stub_tls_plan){0});
    stage_open(&stage, "backend_ca = ca.crt");
    come(&stage, &peer);
    for (unsigned i = 0; i < 12; i++)
        expect_name(&peer, hosts[i % 3], "rs-1");
    char *asked = stub_tls_asked(stub);
    ck_assert_str_eq(asked, "a.example.com http/1.1 -\nb.example.com http/1.1 -\n- http/1.1 -\n");
    free(asked);
    ck_assert_uint_eq(peer_get(&peer, "example.org", "/", NULL, 0), 502);
    eventually(scene_log_has(&stage.scene, "backend.failed",
                             "unverified: the certificate is not for example.org but for CN=rs, "
                             "example.com, *.example.com: set backend_name",
                             NULL));
    ck_assert_uint_eq(atomic_load(&stub->requests), 12);
    peer_close(&peer);
    stage_end(&stage);
}
END_TEST

START_TEST(backend_name_stands_for_every_host)
{
    struct stage stage;
    struct peer peer;
    stage_begin(&stage);
    struct stub_backend *stub = stage_add(&stage, NULL, &(struct stub_tls_plan){0});
    stage_open(&stage, "backend_ca = ca.crt\nbackend_name = rs.example.com");
    come(&stage, &peer);
    expect_name(&peer, "example.org", "rs-1");
    expect_name(&peer, "elsewhere.example", "rs-1");
    char *asked = stub_tls_asked(stub);
    ck_assert_str_eq(asked, "rs.example.com http/1.1 -\n");
    free(asked);
    peer_close(&peer);
    stage_end(&stage);
}
END_TEST

/* ---- who is not trusted ---- */

START_TEST(a_backend_that_nobody_vouches_for_gets_no_request)
{
    struct stage stage;
    struct peer peer;
    stage_begin(&stage);
    struct made *own = make_rs(NULL);
    struct stub_tls_plan plan = {.certificate = own, .version = versions[_i]};
    struct stub_backend *stub = stage_add(&stage, NULL, &plan);
    stage_open(&stage, "backend_ca = ca.crt");
    come(&stage, &peer);
    ck_assert_uint_eq(peer_get(&peer, "www.example.com", "/", NULL, 0), 502);
    eventually(scene_log_has(
        &stage.scene, "backend.failed",
        "self-signed certificate (certificate of CN=rs): name it in backend_ca", NULL));
    ck_assert_uint_eq(atomic_load(&stub->connections), 0);
    peer_close(&peer);
    stage_end(&stage);
    made_free(own);
}
END_TEST

START_TEST(it_is_passed_over_whatever_the_method)
{
    struct stage stage;
    struct peer peer;
    stage_begin(&stage);
    struct made *forged = make_rs(stage.stranger);
    stage_add(&stage, NULL, &(struct stub_tls_plan){.certificate = forged});
    stage_add(&stage, NULL, &(struct stub_tls_plan){0});
    stage_open(&stage, "backend_ca = ca.crt\npassive_failures = 0");
    come(&stage, &peer);
    for (unsigned i = 0; i < 6; i++)
        ck_assert_uint_eq(peer_ask(&peer, "POST / HTTP/1.1\r\nHost: www.example.com\r\n"
                                          "Content-Length: 4\r\n\r\nbody"),
                          200);
    ck_assert_uint_eq(atomic_load(&stage.backends[0].connections), 0);
    ck_assert_uint_eq(atomic_load(&stage.backends[1].requests), 6);
    peer_close(&peer);
    stage_end(&stage);
    made_free(forged);
}
END_TEST

/* Otherwise anybody could have them blocked, by a Host that they know nothing of. */
START_TEST(hosts_that_backends_do_not_know_do_not_speak_against_them)
{
    struct stage stage;
    struct peer peer;
    stage_begin(&stage);
    for (unsigned i = 0; i < BACKENDS; i++)
        stage_add(&stage, NULL, &(struct stub_tls_plan){.version = versions[_i]});
    stage_open(&stage, "backend_ca = ca.crt\npassive_failures = 1\nall_down = 503");
    come(&stage, &peer);
    for (unsigned i = 0; i < 6; i++)
        ck_assert_uint_eq(peer_get(&peer, "example.org", "/", NULL, 0), 502);
    for (unsigned i = 0; i < 6; i++)
        ck_assert_uint_eq(peer_get(&peer, "www.example.com", "/", NULL, 0), 200);
    ck_assert(!scene_log_has(&stage.scene, "backend.blocked", NULL));
    peer_close(&peer);
    stage_end(&stage);
}
END_TEST

START_TEST(with_backend_name_a_bad_certificate_speaks_against_the_backend)
{
    struct stage stage;
    struct peer peer;
    stage_begin(&stage);
    struct made *forged = make_rs(stage.stranger);
    stage_add(&stage, NULL, &(struct stub_tls_plan){.certificate = forged});
    stage_open(&stage, "backend_ca = ca.crt\nbackend_name = rs.example.com\n"
                       "passive_failures = 1\nall_down = 503");
    come(&stage, &peer);
    ck_assert_uint_eq(peer_get(&peer, "www.example.com", "/", NULL, 0), 502);
    eventually(scene_log_has(&stage.scene, "backend.blocked", "rs-1", NULL));
    eventually(peer_get(&peer, "www.example.com", "/", NULL, 0) == 503);
    peer_close(&peer);
    stage_end(&stage);
    made_free(forged);
}
END_TEST

START_TEST(a_backend_that_comes_back_as_somebody_else_is_not_trusted)
{
    struct stage stage;
    struct peer peer;
    stage_begin(&stage);
    struct made *forged = make_rs(stage.stranger);
    struct stub_backend *stub =
        stage_add(&stage, NULL, &(struct stub_tls_plan){.version = versions[_i]});
    stage_open(&stage, "backend_ca = ca.crt");
    come(&stage, &peer);
    expect_name(&peer, "www.example.com", "rs-1");
    unsigned port = stub->port;
    stub_stop(stub);
    stub_tls_start_at(stub, "rs-1", NULL, &(struct stub_tls_plan){.certificate = forged}, port);
    ck_assert_uint_eq(peer_get(&peer, "www.example.com", "/", NULL, 0), 502);
    ck_assert_uint_eq(atomic_load(&stub->connections), 0);
    peer_close(&peer);
    stage_end(&stage);
    made_free(forged);
}
END_TEST

/* ---- whom backends trust ---- */

START_TEST(lb_shows_its_certificate)
{
    struct stage stage;
    struct peer peer;
    stage_begin(&stage);
    struct stub_tls_plan plan = {.client_ca = stage.ca, .version = versions[_i]};
    struct stub_backend *stub = stage_add(&stage, NULL, &plan);
    stage_open(&stage, "backend_ca = ca.crt\ncertificate = lb.crt\ncertificate_key = lb.key");
    come(&stage, &peer);
    expect_name(&peer, "www.example.com", "rs-1");
    char *asked = stub_tls_asked(stub);
    ck_assert_str_eq(asked, "www.example.com http/1.1 lb\n");
    free(asked);
    peer_close(&peer);
    stage_end(&stage);
}
END_TEST

START_TEST(a_backend_that_wants_a_certificate_is_understood)
{
    static const char *const reasons[] = {"wants a client certificate (certificate",
                                          "the backend wants a client certificate: set certificate "
                                          "and certificate_key"};
    struct stage stage;
    struct peer peer;
    stage_begin(&stage);
    struct stub_tls_plan plan = {.client_ca = stage.ca, .version = versions[_i]};
    struct stub_backend *stub = stage_add(&stage, NULL, &plan);
    stage_add(&stage, NULL, &(struct stub_tls_plan){0});
    stage_open(&stage, "backend_ca = ca.crt\npassive_failures = 0\nretries = 0");
    come(&stage, &peer);
    ck_assert_uint_eq(peer_get(&peer, "www.example.com", "/", NULL, 0), 502);
    eventually(scene_log_has(&stage.scene, "backend.failed", reasons[_i], NULL));
    ck_assert_uint_eq(atomic_load(&stub->requests), 0);
    expect_name(&peer, "www.example.com", "rs-2");
    peer_close(&peer);
    stage_end(&stage);
}
END_TEST

/* It takes the request, and goes. */
static void leave(struct stub_link *link)
{
    struct stub_request request;
    stub_read(link, &request);
    stub_request_done(&request);
}

START_TEST(a_backend_that_leaves_for_want_of_a_certificate_is_understood)
{
    static const char hint[] = "the backend closed before it answered (it asked for a client "
                               "certificate and got none: set certificate and certificate_key)";
    struct stage stage;
    struct peer peer;
    stage_begin(&stage);
    struct stub_tls_plan plan = {
        .client_ca = stage.ca, .is_lenient = true, .version = versions[_i]};
    stage_add(&stage, leave, &plan);
    stage_add(&stage, leave, &(struct stub_tls_plan){.version = versions[_i]});
    stage_open(&stage, "backend_ca = ca.crt\npassive_failures = 0\nretries = 0");
    come(&stage, &peer);
    ck_assert_uint_eq(peer_get(&peer, "www.example.com", "/", NULL, 0), 502);
    eventually(scene_log_has(&stage.scene, "backend.failed", "backend=rs-1", hint, NULL));
    ck_assert_uint_eq(peer_get(&peer, "www.example.com", "/", NULL, 0), 502);
    eventually(scene_log_has(&stage.scene, "backend.failed", "backend=rs-2",
                             "the backend closed before it answered\"", NULL));
    peer_close(&peer);
    stage_end(&stage);
}
END_TEST

START_TEST(a_backend_that_refuses_lb_is_passed_over_whatever_the_method)
{
    struct stage stage;
    struct peer peer;
    stage_begin(&stage);
    struct stub_tls_plan plan = {.client_ca = stage.stranger, .version = versions[_i]};
    stage_add(&stage, NULL, &plan);
    stage_add(&stage, NULL, &(struct stub_tls_plan){.client_ca = stage.ca});
    stage_open(&stage, "backend_ca = ca.crt\ncertificate = lb.crt\ncertificate_key = lb.key\n"
                       "passive_failures = 0");
    come(&stage, &peer);
    for (unsigned i = 0; i < 6; i++)
        ck_assert_uint_eq(peer_ask(&peer, "POST / HTTP/1.1\r\nHost: www.example.com\r\n"
                                          "Content-Length: 0\r\n\r\n"),
                          200);
    ck_assert_uint_eq(atomic_load(&stage.backends[1].requests), 6);
    eventually(
        scene_log_has(&stage.scene, "backend.failed", "rs-1", "refuses lb's certificate", NULL));
    peer_close(&peer);
    stage_end(&stage);
}
END_TEST

/* ---- silence ---- */

static void keep_silent(struct stub_link *link)
{
    stub_wait_for_end(link);
}

START_TEST(connect_timeout_counts_the_handshake)
{
    struct stage stage;
    struct stub_backend silent;
    struct peer peer;
    stage_begin(&stage);
    stub_start(&silent, "rs-1", keep_silent);
    scene_set_port(&stage.scene, "silent", silent.port);
    stage_open(&stage, "backend = silent 127.0.0.1:@silent\nconnect_timeout = 200ms");
    come(&stage, &peer);
    ck_assert_uint_eq(peer_get(&peer, "www.example.com", "/", NULL, 0), 504);
    eventually(
        scene_log_has(&stage.scene, "backend.failed", "late: no TLS handshake within 200ms", NULL));
    peer_close(&peer);
    stage_end(&stage);
    stub_stop(&silent);
}
END_TEST

/* ---- sessions ---- */

static void answer_and_close(struct stub_link *link)
{
    struct stub_request request;
    if (stub_read(link, &request))
        stub_say(link, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    stub_request_done(&request);
}

START_TEST(sessions_are_resumed_where_links_are_not_kept)
{
    struct stage stage;
    struct peer peer;
    stage_begin(&stage);
    struct stub_backend *stub =
        stage_add(&stage, answer_and_close, &(struct stub_tls_plan){.version = versions[_i]});
    stage_open(&stage, "backend_ca = ca.crt");
    come(&stage, &peer);
    for (unsigned i = 0; i < 10; i++)
        expect_name(&peer, "www.example.com", "ok");
    ck_assert_uint_eq(handshakes(stub), 10);
    ck_assert_uint_eq(atomic_load(&stub->tls->resumed), 9);
    peer_close(&peer);
    stage_end(&stage);
}
END_TEST

/* ---- links that end ---- */

/* The second request of a link is met by its end instead of an answer. */
static void answer_one_hear_two(struct stub_link *link)
{
    struct stub_request request;
    if (stub_read(link, &request))
        stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    stub_request_done(&request);
    stub_read(link, &request);
    stub_request_done(&request);
}

START_TEST(a_kept_link_that_turns_out_to_be_dead_costs_nobody_an_answer)
{
    struct stage stage;
    struct peer peer;
    stage_begin(&stage);
    struct stub_tls_plan plan = {.version = versions[_i % 2], .ends_rudely = _i >= 2};
    struct stub_backend *stub = stage_add(&stage, answer_one_hear_two, &plan);
    stage_open(&stage, "backend_ca = ca.crt\nretries = 0");
    come(&stage, &peer);
    for (unsigned i = 0; i < 10; i++)
        expect_name(&peer, "www.example.com", "ok");
    ck_assert_uint_eq(handshakes(stub), 10);
    peer_close(&peer);
    stage_end(&stage);
}
END_TEST

START_TEST(links_that_are_dropped_are_dropped_with_a_word)
{
    struct stage stage;
    struct peer peer;
    stage_begin(&stage);
    struct stub_backend *stub =
        stage_add(&stage, NULL, &(struct stub_tls_plan){.version = versions[_i]});
    stage_open(&stage, "backend_ca = ca.crt");
    come(&stage, &peer);
    expect_name(&peer, "www.example.com", "rs-1");
    peer_close(&peer);
    scene_stop(&stage.scene);
    eventually(atomic_load(&stub->tls->farewells) == 1);
    stage_end(&stage);
}
END_TEST

static void answer_until_close(struct stub_link *link)
{
    struct stub_request request;
    if (stub_read(link, &request))
        stub_say(link, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nwhole");
    stub_request_done(&request);
}

START_TEST(a_body_until_close_is_whole_only_with_close_notify)
{
    struct stage stage;
    struct peer peer;
    struct answer answer;
    bool is_rude = _i >= 2;
    stage_begin(&stage);
    stage_add(&stage, answer_until_close,
              &(struct stub_tls_plan){.version = versions[_i % 2], .ends_rudely = is_rude});
    stage_open(&stage, "backend_ca = ca.crt");
    come(&stage, &peer);
    ck_assert(peer_say(&peer, "GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n"));
    ck_assert(peer_read_answer(&peer, "GET", &answer));
    ck_assert_uint_eq(answer.status, 200);
    ck_assert_str_eq(answer.body.bytes, "whole");
    ck_assert_int_eq(answer.is_complete, !is_rude);
    answer_done(&answer);
    if (is_rude)
        eventually(scene_log_has(&stage.scene, "backend.failed",
                                 "the backend closed within its body", NULL));
    peer_close(&peer);
    stage_end(&stage);
}
END_TEST

/* ---- bodies ---- */

enum { LARGE_BYTES = 8 * 1024 * 1024 };

static void send_body_back(struct stub_link *link)
{
    struct stub_request request;
    while (stub_read(link, &request)) {
        struct text head = {0};
        text_add_format(&head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
                        request.body.length);
        stub_send(link, head.bytes, head.length);
        stub_send(link, request.body.bytes, request.body.length);
        text_done(&head);
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

/* Bytes that differ everywhere. */
static void add_pattern(struct text *into, size_t length)
{
    char *bytes = malloc(length);
    unsigned state = 1;
    for (size_t i = 0; i < length; i++) {
        state = state * 1103515245u + 12345u;
        bytes[i] = (char)(state >> 16);
    }
    text_add(into, bytes, length);
    free(bytes);
}

START_TEST(large_bodies_pass_both_ways)
{
    static const size_t lengths[] = {1, 16384, 16385, 70000, LARGE_BYTES};
    struct stage stage;
    struct peer peer;
    stage_begin(&stage);
    struct stub_backend *stub =
        stage_add(&stage, send_body_back, &(struct stub_tls_plan){.version = versions[_i]});
    stage_open(&stage, "backend_ca = ca.crt");
    come(&stage, &peer);
    for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct text request = {0};
        struct answer answer;
        text_add_format(&request,
                        "POST / HTTP/1.1\r\nHost: www.example.com\r\nContent-Length: %zu\r\n\r\n",
                        lengths[i]);
        size_t head = request.length;
        add_pattern(&request, lengths[i]);
        ck_assert(peer_send(&peer, request.bytes, request.length));
        ck_assert(peer_read_answer(&peer, "POST", &answer));
        ck_assert_uint_eq(answer.status, 200);
        ck_assert_uint_eq(answer.body.length, lengths[i]);
        ck_assert_mem_eq(answer.body.bytes, request.bytes + head, lengths[i]);
        answer_done(&answer);
        text_done(&request);
    }
    ck_assert_uint_eq(handshakes(stub), 1);
    peer_close(&peer);
    stage_end(&stage);
}
END_TEST

enum { FLOOD_BYTES = 48 * 1024 * 1024, HELD_MOST_BYTES = 24 * 1024 * 1024 };

static atomic_size_t poured;

static void pour(struct stub_link *link)
{
    static char piece[64 * 1024];
    struct stub_request request;
    if (stub_read(link, &request)) {
        struct text head = {0};
        text_add_format(&head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", FLOOD_BYTES);
        bool sent = stub_send(link, head.bytes, head.length);
        for (size_t i = 0; sent && i < FLOOD_BYTES / sizeof piece; i++) {
            sent = stub_send(link, piece, sizeof piece);
            atomic_fetch_add(&poured, sizeof piece);
        }
        text_done(&head);
    }
    stub_request_done(&request);
}

/* What is not taken by the client is not taken from the backend: only the sockets hold something.
 */
START_TEST(a_slow_client_slows_its_backend_down)
{
    struct stage stage;
    struct peer peer;
    struct answer answer;
    size_t before;
    atomic_store(&poured, 0);
    stage_begin(&stage);
    stage_add(&stage, pour, &(struct stub_tls_plan){.version = versions[_i]});
    stage_open(&stage, "backend_ca = ca.crt");
    come(&stage, &peer);
    ck_assert(peer_say(&peer, "GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n"));
    eventually(atomic_load(&poured) > 0);
    do { /* until the sockets are full and nothing moves for a while */
        before = atomic_load(&poured);
        for (unsigned i = 0; i < 50; i++)
            eventually_pause();
    } while (atomic_load(&poured) != before);
    ck_assert_uint_lt(before, HELD_MOST_BYTES);
    ck_assert(peer_read_answer(&peer, "GET", &answer));
    ck_assert_uint_eq(answer.body.length, FLOOD_BYTES);
    answer_done(&answer);
    peer_close(&peer);
    stage_end(&stage);
}
END_TEST

/* ---- tunnels ---- */

static void switch_and_echo(struct stub_link *link)
{
    struct stub_request request;
    bool asked = stub_read(link, &request) && text_field_count(request.head.bytes, "Upgrade") == 1;
    if (asked)
        stub_switch(link, &request, "welcome");
    stub_request_done(&request);
    if (!asked)
        return;
    while (stub_receive(link)) {
        bool over = memchr(link->inbox.bytes, '.', link->inbox.length) != NULL;
        stub_send(link, link->inbox.bytes, link->inbox.length);
        text_drop(&link->inbox, link->inbox.length);
        if (over)
            return;
    }
    stub_say(link, "bye");
}

static void open_tunnel(struct stage *stage, struct peer *peer)
{
    struct answer answer;
    come(stage, peer);
    ck_assert(peer_say(peer, "GET /chat HTTP/1.1\r\nHost: www.example.com\r\n"
                             "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"));
    ck_assert(peer_read_answer(peer, "GET", &answer));
    ck_assert_uint_eq(answer.status, 101);
    answer_done(&answer);
    ck_assert(peer_receive_bytes(peer, 7));
    ck_assert_mem_eq(peer->inbox.bytes, "welcome", 7);
    text_drop(&peer->inbox, 7);
}

static void expect_echo(struct peer *peer, size_t length)
{
    char *bytes = malloc(length);
    memset(bytes, 'x', length);
    ck_assert(peer_send(peer, bytes, length));
    ck_assert(peer_receive_bytes(peer, length));
    ck_assert_mem_eq(peer->inbox.bytes, bytes, length);
    text_drop(&peer->inbox, length);
    free(bytes);
}

START_TEST(a_tunnel_carries_bytes_both_ways_and_ends_as_either_side_says)
{
    struct stage stage;
    struct peer peer;
    stage_begin(&stage);
    stage_add(&stage, switch_and_echo, &(struct stub_tls_plan){.version = versions[_i]});
    stage_open(&stage, "backend_ca = ca.crt");
    open_tunnel(&stage, &peer);
    expect_echo(&peer, 1);
    expect_echo(&peer, 60000);
    peer_finish(&peer);
    peer_receive_all(&peer);
    ck_assert_str_eq(peer.inbox.bytes, "bye");
    ck_assert(!peer.was_reset);
    peer_close(&peer);
    open_tunnel(&stage, &peer);
    ck_assert(peer_say(&peer, "over."));
    peer_receive_all(&peer);
    ck_assert_str_eq(peer.inbox.bytes, "over.");
    ck_assert(!peer.was_reset);
    peer_close(&peer);
    stage_end(&stage);
}
END_TEST

START_TEST(a_tunnel_that_is_cut_does_not_look_finished)
{
    struct stage stage;
    struct peer peer;
    stage_begin(&stage);
    stage_add(&stage, switch_and_echo,
              &(struct stub_tls_plan){.version = versions[_i], .ends_rudely = true});
    stage_open(&stage, "backend_ca = ca.crt");
    open_tunnel(&stage, &peer);
    ck_assert(peer_say(&peer, "over."));
    peer_receive_all(&peer);
    ck_assert(peer.was_reset);
    eventually(
        scene_log_has(&stage.scene, "the backend left the tunnel without close_notify", NULL));
    peer_close(&peer);
    stage_end(&stage);
}
END_TEST

/* ---- reload ---- */

static void reload(struct stage *stage, const char *pool)
{
    struct text ini = {0};
    add_ini(stage, &ini, pool);
    ck_assert(scene_reload(&stage->scene, ini.bytes));
    text_done(&ini);
}

START_TEST(links_stay_over_a_reload_while_what_they_rest_on_stays)
{
    struct stage stage;
    struct peer peer;
    stage_begin(&stage);
    struct stub_backend *stub = stage_add(&stage, NULL, &(struct stub_tls_plan){0});
    stage_open(&stage, "backend_ca = ca.crt");
    come(&stage, &peer);
    expect_name(&peer, "www.example.com", "rs-1");
    reload(&stage, "backend_ca = ca.crt\nanswer_timeout = 30s");
    expect_name(&peer, "www.example.com", "rs-1");
    ck_assert_uint_eq(handshakes(stub), 1);
    reload(&stage, "backend_ca = ca.crt\nbackend_name = rs.example.com");
    expect_name(&peer, "www.example.com", "rs-1");
    ck_assert_uint_eq(handshakes(stub), 2);
    ck_assert_uint_eq(atomic_load(&stub->tls->resumed), 0);
    reload(&stage, "backend_ca = stranger.crt\nbackend_name = rs.example.com");
    ck_assert_uint_eq(peer_get(&peer, "www.example.com", "/", NULL, 0), 502);
    ck_assert_uint_eq(atomic_load(&stub->requests), 3);
    peer_close(&peer);
    stage_end(&stage);
}
END_TEST

/* ---- nginx ---- */

static void open_nginx(struct stage *stage, struct nginx_backend *nginx, const char *server,
                       const char *pool)
{
    stage_begin(stage);
    struct nginx_plan plan = {.name = "rs-1",
                              .certificate = strdup(folder_file(&stage->scene.folder, "rs.crt")),
                              .certificate_key =
                                  strdup(folder_file(&stage->scene.folder, "rs.key")),
                              .client_ca = strdup(folder_file(&stage->scene.folder, "ca.crt")),
                              .server = server};
    nginx_start(nginx, &plan);
    scene_set_port(&stage->scene, "nginx", nginx->port);
    struct text ini = {0};
    text_add_format(&ini, "backend = rs-1 127.0.0.1:@nginx\nbackend_ca = ca.crt\n%s", pool);
    stage_open(stage, ini.bytes);
    text_done(&ini);
}

static void close_nginx(struct stage *stage, struct nginx_backend *nginx)
{
    struct nginx_plan plan = nginx->plan;
    stage_end(stage);
    nginx_stop(nginx);
    free((char *)(uintptr_t)plan.certificate);
    free((char *)(uintptr_t)plan.certificate_key);
    free((char *)(uintptr_t)plan.client_ca);
}

static const char own_certificate[] = "certificate = lb.crt\ncertificate_key = lb.key\n";

START_TEST(nginx_knows_lb_by_its_certificate)
{
    struct stage stage;
    struct nginx_backend nginx;
    struct peer peer;
    open_nginx(&stage, &nginx, "keepalive_requests 10;", own_certificate);
    come(&stage, &peer);
    for (unsigned i = 0; i < 100; i++)
        expect_name(&peer, "www.example.com", "rs-1");
    peer_close(&peer);
    eventually(nginx_requests(&nginx, "GET / 200") == 100);
    ck_assert_uint_eq(nginx_requests(&nginx, "sni=www.example.com"), 100);
    ck_assert_uint_eq(nginx_requests(&nginx, "client=CN=lb"), 100);
    /* Ten links; all but the first resumed the session of the one before. */
    ck_assert_uint_eq(nginx_requests(&nginx, "reused=r"), 90);
    close_nginx(&stage, &nginx);
}
END_TEST

START_TEST(without_a_certificate_nginx_s_own_refusal_reaches_the_client)
{
    struct stage stage;
    struct nginx_backend nginx;
    struct peer peer;
    open_nginx(&stage, &nginx, NULL, "");
    come(&stage, &peer);
    ck_assert_uint_eq(peer_get(&peer, "www.example.com", "/", NULL, 0), 400);
    peer_close(&peer);
    close_nginx(&stage, &nginx);
}
END_TEST

START_TEST(nginx_reloads_and_dies_and_no_request_is_lost)
{
    struct stage stage;
    struct nginx_backend nginx;
    struct peer peer;
    open_nginx(&stage, &nginx, "keepalive_requests 7;", own_certificate);
    come(&stage, &peer);
    for (unsigned i = 0; i < 60; i++) {
        if (i == 20)
            nginx_reload(&nginx, NULL);
        if (i == 40) {
            nginx_kill(&nginx);
            nginx_restart(&nginx);
        }
        expect_name(&peer, "www.example.com", "rs-1");
    }
    peer_close(&peer);
    close_nginx(&stage, &nginx);
}
END_TEST

static void add_nginx_tests(TCase *tcase)
{
    tcase_add_test(tcase, nginx_knows_lb_by_its_certificate);
    tcase_add_test(tcase, without_a_certificate_nginx_s_own_refusal_reaches_the_client);
    tcase_add_test(tcase, nginx_reloads_and_dies_and_no_request_is_lost);
}

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, backends_take_turns_on_kept_links, 0, 2);
    tcase_add_test(tcase, a_backend_is_told_the_same_as_without_tls);
    tcase_add_test(tcase, every_host_is_asked_for_and_verified_by_itself);
    tcase_add_test(tcase, backend_name_stands_for_every_host);
    tcase_add_loop_test(tcase, a_backend_that_nobody_vouches_for_gets_no_request, 0, 2);
    tcase_add_test(tcase, it_is_passed_over_whatever_the_method);
    tcase_add_loop_test(tcase, hosts_that_backends_do_not_know_do_not_speak_against_them, 0, 2);
    tcase_add_test(tcase, with_backend_name_a_bad_certificate_speaks_against_the_backend);
    tcase_add_loop_test(tcase, a_backend_that_comes_back_as_somebody_else_is_not_trusted, 0, 2);
    tcase_add_loop_test(tcase, lb_shows_its_certificate, 0, 2);
    tcase_add_loop_test(tcase, a_backend_that_wants_a_certificate_is_understood, 0, 2);
    tcase_add_loop_test(tcase, a_backend_that_leaves_for_want_of_a_certificate_is_understood, 0, 2);
    tcase_add_loop_test(tcase, a_backend_that_refuses_lb_is_passed_over_whatever_the_method, 0, 2);
    tcase_add_test(tcase, connect_timeout_counts_the_handshake);
    tcase_add_loop_test(tcase, sessions_are_resumed_where_links_are_not_kept, 0, 2);
    tcase_add_loop_test(tcase, a_kept_link_that_turns_out_to_be_dead_costs_nobody_an_answer, 0, 4);
    tcase_add_loop_test(tcase, links_that_are_dropped_are_dropped_with_a_word, 0, 2);
    tcase_add_loop_test(tcase, a_body_until_close_is_whole_only_with_close_notify, 0, 4);
    tcase_add_loop_test(tcase, large_bodies_pass_both_ways, 0, 2);
    tcase_add_loop_test(tcase, a_slow_client_slows_its_backend_down, 0, 2);
    tcase_add_loop_test(tcase, a_tunnel_carries_bytes_both_ways_and_ends_as_either_side_says, 0, 2);
    tcase_add_loop_test(tcase, a_tunnel_that_is_cut_does_not_look_finished, 0, 2);
    tcase_add_test(tcase, links_stay_over_a_reload_while_what_they_rest_on_stays);
    if (nginx_is_here())
        add_nginx_tests(tcase);
}

CHECK_MAIN("backends speak TLS", add_tests)
