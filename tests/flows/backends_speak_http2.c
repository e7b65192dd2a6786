/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pools with protocol = h2 and h2s: many requests share a link, streams go both ways at once, no
 * request is lost that need not be, and one that is slow or goes wrong holds up no other.
 */
#include <stdlib.h>
#include <string.h>

#include "lb/base/limits.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/h2_backend.h"
#include "tests/support/peer.h"
#include "tests/support/scene.h"
#include "tests/support/stub_tls.h"

enum { BACKENDS = 2 };

static const char *const names[BACKENDS] = {"rs-1", "rs-2"};

struct stage {
    struct scene scene;
    unsigned count;
    struct stub_backend stubs[BACKENDS];
    struct h2_script scripts[BACKENDS];
};

/* scripts are the caller's to fill before. One worker: a link serves all clients. */
static void stage_open(struct stage *stage, unsigned count, const char *pool)
{
    struct text ini = {0};
    scene_begin(&stage->scene);
    stage->count = count;
    text_add_format(&ini,
                    "[lb]\nworkers = 1\naccess_log = access.log\n\n"
                    "[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\n\n"
                    "[rule all]\nlistener = web\npool = app\n\n"
                    "[pool app]\nprotocol = h2\nhealth_check = off\n%s\n",
                    pool);
    for (unsigned i = 0; i < count; i++) {
        stub_start_with(&stage->stubs[i], names[i], h2_backend_serve, &stage->scripts[i]);
        scene_set_port(&stage->scene, names[i], stage->stubs[i].port);
        text_add_format(&ini, "backend = %s 127.0.0.1:@%s\n", names[i], names[i]);
    }
    scene_start(&stage->scene, ini.bytes);
    text_done(&ini);
}

static void stage_close(struct stage *stage)
{
    scene_end(&stage->scene);
    for (unsigned i = 0; i < stage->count; i++)
        stub_stop(&stage->stubs[i]);
}

static void ask(struct stage *stage, struct peer *peer, const char *text)
{
    peer_connect(peer, scene_port(&stage->scene, "web"));
    ck_assert(peer_say(peer, text));
}

/* One request on a connection of its own; the caller calls answer_done. */
static void fetch(struct stage *stage, const char *request, struct answer *answer)
{
    struct peer peer;
    ask(stage, &peer, request);
    ck_assert(peer_read_answer(&peer, "GET", answer));
    peer_close(&peer);
}

static void expect(struct stage *stage, const char *request, unsigned status, const char *body)
{
    struct answer answer;
    fetch(stage, request, &answer);
    ck_assert_msg(answer.status == status, "%s: %s", request, answer.head);
    if (body != NULL)
        ck_assert_str_eq(answer.body.bytes, body);
    answer_done(&answer);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST(path) "POST " path " HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"

/* ---- what is said ---- */

START_TEST(requests_take_turns_and_share_a_link)
{
    struct stage stage = {0};
    stage_open(&stage, 2, "");
    for (unsigned i = 0; i < 10; i++)
        expect(&stage, GET("/"), 200, names[i % 2]);
    ck_assert_uint_eq(atomic_load(&stage.scripts[0].connections), 1);
    ck_assert_uint_eq(atomic_load(&stage.scripts[1].connections), 1);
    ck_assert_uint_eq(atomic_load(&stage.scripts[0].requests), 5);
    stage_close(&stage);
}
END_TEST

START_TEST(the_head_becomes_fields_without_those_of_connections)
{
    struct stage stage = {0};
    struct answer answer;
    stage_open(&stage, 1, "");
    fetch(&stage,
          "GET /head HTTP/1.1\r\nHost: www.Example.com:81\r\nX-Own: Yes\r\nTE: trailers, gzip\r\n"
          "Connection: X-Hop, TE, close\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n\r\n",
          &answer);
    ck_assert_uint_eq(answer.status, 200);
    const char *said = answer.body.bytes;
    ck_assert_msg(strstr(said, ":method: GET\n:scheme: http\n:authority: www.Example.com:81\n"
                               ":path: /head\n") == said,
                  "%s", said);
    ck_assert_ptr_nonnull(strstr(said, "\nx-own: Yes\n"));
    ck_assert_ptr_nonnull(strstr(said, "\nte: trailers\n"));
    ck_assert_ptr_nonnull(strstr(said, "\nx-forwarded-for: 127.0.0.1\n"));
    ck_assert_ptr_null(strstr(said, "\nhost: "));
    ck_assert_ptr_null(strstr(said, "connection"));
    ck_assert_ptr_null(strstr(said, "keep-alive"));
    ck_assert_ptr_null(strstr(said, "x-hop"));
    ck_assert_ptr_null(strstr(said, "transfer-encoding"));
    answer_done(&answer);
    stage_close(&stage);
}
END_TEST

START_TEST(an_upgrade_is_ignored_and_old_clients_are_served)
{
    struct stage stage = {0};
    struct answer answer;
    stage_open(&stage, 1, "");
    fetch(&stage,
          "GET /head HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
          &answer);
    ck_assert_uint_eq(answer.status, 200);
    ck_assert_ptr_null(strstr(answer.body.bytes, "upgrade"));
    answer_done(&answer);
    fetch(&stage, "GET /head HTTP/1.0\r\n\r\n", &answer);
    ck_assert_uint_eq(answer.status, 200);
    ck_assert_ptr_nonnull(strstr(answer.body.bytes, ":authority: app\n"));
    answer_done(&answer);
    stage_close(&stage);
}
END_TEST

START_TEST(bodies_and_trailers_pass_both_ways)
{
    struct stage stage = {0};
    struct answer answer;
    stage_open(&stage, 1, "");
    fetch(&stage,
          "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n"
          "5\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 42\r\nX-Real-IP: 6.6.6.6\r\n\r\n",
          &answer);
    ck_assert_uint_eq(answer.status, 200);
    ck_assert_str_eq(answer.body.bytes, "hello world");
    ck_assert_ptr_nonnull(strstr(answer.trailers, "x-sum: 42"));
    ck_assert_ptr_null(strstr(answer.trailers, "6.6.6.6"));
    answer_done(&answer);
    fetch(&stage, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nbytes", &answer);
    ck_assert_str_eq(answer.body.bytes, "bytes");
    answer_done(&answer);
    fetch(&stage, GET("/trailers"), &answer);
    ck_assert_msg(strncmp(answer.head, "HTTP/1.1 200 OK\r\n", 17) == 0, "%s", answer.head);
    ck_assert_str_eq(answer.body.bytes, "body");
    ck_assert_ptr_nonnull(strstr(answer.trailers, "grpc-status: 0"));
    answer_done(&answer);
    fetch(&stage, GET("/status"), &answer);
    ck_assert_uint_eq(answer.status, 200);
    ck_assert_ptr_nonnull(strstr(answer.head, "grpc-status: 0"));
    answer_done(&answer);
    stage_close(&stage);
}
END_TEST

/* A backend may tell by a later frame what its status says already. */
START_TEST(an_answer_without_a_body_is_whole_with_its_head)
{
    struct stage stage = {0};
    struct peer peer;
    stage_open(&stage, 1, "");
    peer_connect(&peer, scene_port(&stage.scene, "web"));
    ck_assert_uint_eq(peer_ask(&peer, GET("/bare")), 204);
    ck_assert_uint_eq(peer_ask(&peer, GET("/")), 200);
    peer_close(&peer);
    eventually(scene_access_lines(&stage.scene, "\"status\":204") == 1);
    ck_assert_uint_eq(scene_access_lines(&stage.scene, "\"reason\""), 0);
    ck_assert_uint_eq(atomic_load(&stage.scripts[0].connections), 1);
    stage_close(&stage);
}
END_TEST

/* All that may be read can be passed on, though it grows by the blanks that lb writes: else one
 * client has every backend left out. */
START_TEST(the_longest_trailers_pass)
{
    enum { FIELDS = 100 };
    struct stage stage = {0};
    struct text request = {0};
    size_t used = 0;
    stage_open(&stage, 1, "passive_failures = 1\nall_down = 503\n");
    text_add_format(&request, "POST /head HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "1\r\nx\r\n0\r\n");
    for (size_t begin = request.length, i = 0; i < FIELDS; i++, used = request.length - begin)
        text_add_format(&request, "a%zu:b\r\n", i);
    text_add_format(&request, "z:%0*d\r\n\r\n", (int)(TRAILER_BYTES - used - 6), 0);
    expect(&stage, request.bytes, 200, NULL);
    text_done(&request);
    stage_close(&stage);
}
END_TEST

START_TEST(interim_answers_pass)
{
    struct stage stage = {0};
    struct peer peer;
    struct answer answer;
    stage_open(&stage, 1, "");
    ask(&stage, &peer, GET("/interim"));
    ck_assert(peer_read_answer(&peer, "GET", &answer));
    ck_assert_uint_eq(answer.status, 103);
    answer_done(&answer);
    ck_assert(peer_read_answer(&peer, "GET", &answer));
    ck_assert_uint_eq(answer.status, 200);
    ck_assert_str_eq(answer.body.bytes, "final");
    answer_done(&answer);
    peer_close(&peer);
    stage_close(&stage);
}
END_TEST

START_TEST(both_sides_talk_at_the_same_time)
{
    struct stage stage = {0};
    struct peer peer;
    stage_open(&stage, 1, "");
    ask(&stage, &peer, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    ck_assert(peer_receive_until(&peer, "\r\n\r\n"));
    for (unsigned i = 0; i < 20; i++) {
        char piece[32], chunk[48];
        snprintf(piece, sizeof piece, "piece-%02u;", i);
        snprintf(chunk, sizeof chunk, "9\r\n%s\r\n", piece);
        ck_assert(peer_say(&peer, chunk));
        ck_assert_msg(peer_receive_until(&peer, piece), "%s did not come back", piece);
    }
    ck_assert(peer_say(&peer, "0\r\n\r\n"));
    ck_assert(peer_receive_until(&peer, "\r\n0\r\n"));
    peer_close(&peer);
    stage_close(&stage);
}
END_TEST

START_TEST(large_bodies_come_whole)
{
    enum { BYTES = 3 * 1024 * 1024 };
    struct stage stage = {0};
    struct answer answer;
    struct peer peer;
    stage.scripts[0].large_bytes = BYTES;
    stage_open(&stage, 1, "");
    fetch(&stage, GET("/large"), &answer);
    ck_assert_uint_eq(answer.status, 200);
    ck_assert_uint_eq(answer.body.length, BYTES);
    answer_done(&answer);
    /* Both ways at once would need a client that reads while it sends. */
    char *body = malloc(BYTES);
    memset(body, 'y', BYTES);
    ask(&stage, &peer, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3145728\r\n\r\n");
    ck_assert(peer_send(&peer, body, BYTES));
    ck_assert(peer_read_answer(&peer, "POST", &answer));
    ck_assert_str_eq(answer.body.bytes, "rs-1");
    answer_done(&answer);
    peer_close(&peer);
    free(body);
    stage_close(&stage);
}
END_TEST

START_TEST(an_early_answer_is_passed_on)
{
    struct stage stage = {0};
    struct peer peer;
    struct answer answer;
    stage_open(&stage, 1, "");
    ask(&stage, &peer, "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nsome");
    ck_assert(peer_read_answer(&peer, "POST", &answer));
    ck_assert_uint_eq(answer.status, 403);
    answer_done(&answer);
    peer_close(&peer);
    expect(&stage, GET("/"), 200, "rs-1");
    stage_close(&stage);
}
END_TEST

/* ---- links ---- */

START_TEST(as_many_links_are_opened_as_streams_need)
{
    enum { CLIENTS = 10 };
    struct stage stage = {0};
    struct peer peers[CLIENTS];
    struct answer answer;
    stage.scripts[0].streams_most = 4;
    stage_open(&stage, 1, "");
    for (unsigned i = 0; i < CLIENTS; i++)
        ask(&stage, &peers[i], GET("/hang"));
    eventually(atomic_load(&stage.scripts[0].requests) == CLIENTS);
    ck_assert_uint_eq(atomic_load(&stage.scripts[0].open_most), 4);
    ck_assert_uint_ge(atomic_load(&stage.scripts[0].connections), 3);
    for (unsigned i = 0; i < CLIENTS; i++)
        peer_reset(&peers[i]);
    eventually(atomic_load(&stage.scripts[0].open) == 0);
    fetch(&stage, GET("/"), &answer);
    ck_assert_uint_eq(answer.status, 200);
    answer_done(&answer);
    stage_close(&stage);
}
END_TEST

START_TEST(who_goes_away_cancels_his_stream_alone)
{
    struct stage stage = {0};
    struct peer leaving, staying;
    stage_open(&stage, 1, "");
    ask(&stage, &staying, GET("/hang"));
    ask(&stage, &leaving, GET("/hang"));
    eventually(atomic_load(&stage.scripts[0].open) == 2);
    peer_reset(&leaving);
    eventually(atomic_load(&stage.scripts[0].cancelled) == 1);
    eventually(atomic_load(&stage.scripts[0].open) == 1);
    expect(&stage, GET("/"), 200, "rs-1");
    ck_assert_uint_eq(atomic_load(&stage.scripts[0].connections), 1);
    peer_reset(&staying);
    stage_close(&stage);
}
END_TEST

START_TEST(who_reads_nothing_holds_up_nobody)
{
    struct stage stage = {0};
    struct peer slow[3];
    struct answer answer;
    stage.scripts[0].large_bytes = 64 * 1024 * 1024;
    stage_open(&stage, 1, "");
    for (unsigned i = 0; i < 3; i++)
        ask(&stage, &slow[i], GET("/large"));
    for (unsigned i = 0; i < 3; i++)
        ck_assert(peer_receive_until(&slow[i], "xxxx"));
    for (unsigned i = 0; i < 50; i++)
        expect(&stage, GET("/"), 200, "rs-1");
    fetch(&stage, GET("/large"), &answer);
    ck_assert_uint_eq(answer.body.length, stage.scripts[0].large_bytes);
    answer_done(&answer);
    ck_assert_uint_eq(atomic_load(&stage.scripts[0].connections), 1);
    for (unsigned i = 0; i < 3; i++)
        peer_close(&slow[i]);
    stage_close(&stage);
}
END_TEST

START_TEST(a_backend_that_takes_no_body_holds_up_nobody)
{
    struct stage stage = {0};
    struct peer slow;
    static char body[256 * 1024];
    stage.scripts[0].is_deaf = true;
    stage_open(&stage, 1, "answer_timeout = 1s\n");
    ask(&stage, &slow, "POST /hang HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n");
    peer_send_without_waiting(&slow, body, sizeof body);
    eventually(atomic_load(&stage.scripts[0].open) == 1);
    for (unsigned i = 0; i < 20; i++)
        expect(&stage, GET("/"), 200, "rs-1");
    ck_assert_uint_eq(atomic_load(&stage.scripts[0].connections), 1);
    eventually(atomic_load(&stage.scripts[0].cancelled) == 1); /* 504, and RST_STREAM */
    peer_close(&slow);
    stage_close(&stage);
}
END_TEST

START_TEST(a_late_answer_is_a_504_and_the_link_lives_on)
{
    struct stage stage = {0};
    stage_open(&stage, 1, "answer_timeout = 1s\nretries = 0\n");
    expect(&stage, GET("/"), 200, "rs-1");
    expect(&stage, GET("/hang"), 504, NULL);
    expect(&stage, GET("/"), 200, "rs-1");
    ck_assert_uint_eq(atomic_load(&stage.scripts[0].connections), 1);
    stage_close(&stage);
}
END_TEST

/* ---- what goes wrong ---- */

static const struct {
    const char *request;
    bool at_once; /* what came behind the GOAWAY is not looked at, so that anything may go again */
} crowd[] = {
    {GET("/"), false},
    {POST("/"), true},
    {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nrs-1", true},
    {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
     "2\r\nrs\r\n2\r\n-1\r\n0\r\nX-Sum: 1\r\n\r\n",
     true},
};

START_TEST(a_goaway_loses_no_request)
{
    enum { CLIENTS = 8, ROUNDS = 25 };
    struct stage stage = {0};
    struct peer peers[CLIENTS];
    struct answer answer;
    stage.scripts[0].goaway_after = 7;
    stage.scripts[0].goaway_at_once = crowd[_i].at_once;
    stage.scripts[1].goaway_after = 5;
    stage.scripts[1].goaway_at_once = crowd[_i].at_once;
    stage_open(&stage, 2, "");
    for (unsigned i = 0; i < CLIENTS; i++)
        peer_connect(&peers[i], scene_port(&stage.scene, "web"));
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < CLIENTS; i++)
            ck_assert(peer_say(&peers[i], crowd[_i].request));
        for (unsigned i = 0; i < CLIENTS; i++) {
            ck_assert_msg(peer_read_answer(&peers[i], "GET", &answer), "round %u: %s", round,
                          scene_log(&stage.scene));
            ck_assert_msg(answer.status == 200, "round %u: %s", round, answer.head);
            ck_assert_msg(strncmp(answer.body.bytes, "rs-", 3) == 0 && answer.body.length == 4,
                          "%s", answer.body.bytes);
            answer_done(&answer);
        }
    }
    ck_assert_uint_ge(atomic_load(&stage.scripts[0].connections), 10);
    for (unsigned i = 0; i < CLIENTS; i++)
        peer_close(&peers[i]);
    stage_close(&stage);
}
END_TEST

START_TEST(what_was_refused_is_asked_elsewhere)
{
    struct stage stage = {0};
    stage_open(&stage, 2, "");
    atomic_store(&stage.scripts[0].refuse_first, 3);
    atomic_store(&stage.scripts[1].refuse_first, 0);
    for (unsigned i = 0; i < 6; i++)
        expect(&stage, POST("/"), 200, NULL); /* nothing was done: any method may go again */
    ck_assert_uint_eq(atomic_load(&stage.scripts[0].refuse_first), 0);
    stage_close(&stage);
}
END_TEST

START_TEST(a_lost_connection_is_judged_request_by_request)
{
    struct stage stage = {0};
    stage_open(&stage, 1, "");
    expect(&stage, GET("/"), 200, "rs-1");
    expect(&stage, POST("/die"), 502, NULL);
    ck_assert_uint_eq(atomic_load(&stage.scripts[0].requests), 2);
    expect(&stage, GET("/"), 200, "rs-1");
    expect(&stage, GET("/die"), 502, NULL); /* on a link that had served, then on a fresh one */
    ck_assert_uint_eq(atomic_load(&stage.scripts[0].requests), 5);
    stage_close(&stage);
}
END_TEST

START_TEST(a_reset_stream_ends_its_own_request)
{
    struct stage stage = {0};
    struct answer answer;
    stage_open(&stage, 1, "retries = 0\n");
    expect(&stage, GET("/"), 200, "rs-1");
    expect(&stage, POST("/reset"), 502, NULL);
    eventually(scene_log_has(&stage.scene, "backend.failed", "reset the stream", NULL));
    fetch(&stage, GET("/cut"), &answer);
    ck_assert_uint_eq(answer.status, 200);
    ck_assert(!answer.is_complete);
    answer_done(&answer);
    expect(&stage, GET("/"), 200, "rs-1");
    ck_assert_uint_eq(atomic_load(&stage.scripts[0].connections), 1);
    stage_close(&stage);
}
END_TEST

static const struct {
    const char *request;
    unsigned status; /* 200: an answer that is cut */
} wrong[] = {
    {POST("/upgrade"), 502},
    {POST("/long"), 502},
    {POST("/short"), 200},
    {POST("/badtrailer"), 200},
};

START_TEST(an_answer_that_breaks_the_rules_is_none)
{
    struct stage stage = {0};
    struct answer answer;
    stage_open(&stage, 1, "retries = 0\n");
    fetch(&stage, wrong[_i].request, &answer);
    ck_assert_msg(answer.status == wrong[_i].status || !answer.is_complete, "%s: %s",
                  wrong[_i].request, answer.head);
    ck_assert(answer.status == 502 || !answer.is_complete);
    answer_done(&answer);
    expect(&stage, GET("/"), 200, "rs-1");
    stage_close(&stage);
}
END_TEST

START_TEST(a_flood_of_pings_ends_the_link)
{
    struct stage stage = {0};
    stage_open(&stage, 1, "retries = 0\n");
    expect(&stage, POST("/pings"), 502, NULL);
    eventually(scene_log_has(&stage.scene, "backend.failed", "flood", NULL));
    expect(&stage, GET("/"), 200, "rs-1");
    stage_close(&stage);
}
END_TEST

static void greet_and_go(struct stub_link *link)
{
    static const unsigned char goodbye[] = {0, 0, 0, 4, 0, 0, 0, 0, 0, /* SETTINGS */
                                            0, 0, 8, 7, 0, 0, 0, 0, 0, /* GOAWAY */
                                            0, 0, 0, 0, 0, 0, 0, 0};
    stub_send(link, goodbye, sizeof goodbye);
    stub_wait_for_end(link);
}

/* It would be asked for ever: each link that is opened goes away before it carried anything. */
START_TEST(who_says_goodbye_at_once_has_failed)
{
    struct stage stage = {0};
    stage_open(&stage, 1, "");
    stub_stop(&stage.stubs[0]);
    stub_start_at(&stage.stubs[0], names[0], greet_and_go, scene_port(&stage.scene, names[0]));
    expect(&stage, GET("/"), 502, NULL);
    eventually(scene_log_has(&stage.scene, "backend.failed", "allows no streams", NULL));
    stage_close(&stage);
}
END_TEST

START_TEST(who_speaks_http1_only_is_told_apart)
{
    struct stage stage = {0};
    struct scene *scene = &stage.scene;
    struct stub_backend old;
    scene_begin(scene);
    stub_start(&old, "old", NULL);
    scene_set_port(scene, "old", old.port);
    scene_start(scene, "[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\n\n"
                       "[rule all]\nlistener = web\npool = app\n\n"
                       "[pool app]\nprotocol = h2\nhealth_check = off\nretries = 0\n"
                       "connect_timeout = 2s\nbackend = old 127.0.0.1:@old\n");
    expect(&stage, POST("/"), 502, NULL);
    eventually(scene_log_has(scene, "backend.failed", "backend=old", NULL));
    scene_end(scene);
    stub_stop(&old);
}
END_TEST

START_TEST(a_reload_lets_go_of_links_without_losing_requests)
{
    static const char ini[] = "[lb]\nworkers = 1\naccess_log = access.log\n\n"
                              "[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\n\n"
                              "[rule all]\nlistener = web\npool = app\n\n"
                              "[pool app]\nprotocol = h2\nhealth_check = off\n"
                              "backend = rs-2 127.0.0.1:@rs-2\n";
    struct stage stage = {0};
    struct peer waiting;
    struct answer answer;
    stage_open(&stage, 2, "");
    ask(&stage, &waiting, GET("/hold"));
    eventually(atomic_load(&stage.scripts[0].open) == 1);
    ck_assert(scene_reload(&stage.scene, ini));
    expect(&stage, GET("/"), 200, "rs-2");
    atomic_store(&stage.scripts[0].is_released, true);
    ck_assert(peer_receive_until(&waiting, "\r\n\r\n"));
    peer_reset(&waiting); /* its RST_STREAM is the last thing on that link */
    eventually(atomic_load(&stage.scripts[0].open) == 0);
    fetch(&stage, GET("/"), &answer);
    ck_assert_str_eq(answer.body.bytes, "rs-2");
    answer_done(&answer);
    stage_close(&stage);
}
END_TEST

/* ---- TLS ---- */

struct secure {
    struct stage stage;
    struct made *ca;
    struct made *rs;
};

static void secure_open(struct secure *secure, const char *pool, bool speaks_h2, bool asks)
{
    struct scene *scene = &secure->stage.scene;
    struct text ini = {0};
    scene_begin(scene);
    secure->ca = made_ca("Backend CA");
    secure->rs = made_certificate(&(struct certificate_wish){
        .name = "rs", .issuer = secure->ca, .usage = "serverAuth", .names = "DNS:example.com"});
    struct made *stranger = made_ca("Stranger");
    struct made *lb = made_client(secure->ca, "lb");
    made_write(secure->ca, scene->folder.path, "ca");
    made_write(stranger, scene->folder.path, "stranger");
    made_write(lb, scene->folder.path, "lb");
    made_free(stranger);
    made_free(lb);
    stub_tls_start(&secure->stage.stubs[0], "rs-1", h2_backend_serve,
                   &(struct stub_tls_plan){.certificate = secure->rs,
                                           .client_ca = asks ? secure->ca : NULL,
                                           .speaks_http2 = speaks_h2});
    secure->stage.stubs[0].story = &secure->stage.scripts[0];
    secure->stage.count = 1;
    scene_set_port(scene, "rs-1", secure->stage.stubs[0].port);
    text_add_format(&ini,
                    "[lb]\nworkers = 1\naccess_log = access.log\n\n"
                    "[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\n\n"
                    "[rule all]\nlistener = web\npool = app\n\n"
                    "[pool app]\nprotocol = h2s\nhealth_check = off\nretries = 0\n"
                    "backend = rs-1 127.0.0.1:@rs-1\n%s\n",
                    pool);
    scene_start(scene, ini.bytes);
    text_done(&ini);
}

static void secure_close(struct secure *secure)
{
    stage_close(&secure->stage);
    made_free(secure->ca);
    made_free(secure->rs);
}

START_TEST(h2s_verifies_and_shows_who_lb_is)
{
    struct secure secure = {0};
    secure_open(&secure,
                "backend_ca = ca.crt\nbackend_name = example.com\n"
                "certificate = lb.crt\ncertificate_key = lb.key\n",
                true, true);
    for (unsigned i = 0; i < 5; i++)
        expect(&secure.stage, GET("/"), 200, "rs-1");
    struct answer answer;
    fetch(&secure.stage, GET("/head"), &answer);
    ck_assert_ptr_nonnull(strstr(answer.body.bytes, ":scheme: https\n"));
    answer_done(&answer);
    char *asked = stub_tls_asked(&secure.stage.stubs[0]);
    ck_assert_str_eq(asked, "example.com h2 lb\n");
    free(asked);
    secure_close(&secure);
}
END_TEST

static const struct {
    const char *pool;
    bool speaks_h2;
    bool asks;
    const char *words;
} refused[] = {
    {"backend_ca = stranger.crt\nbackend_name = example.com\n", true, false, "unverified: "},
    {"backend_ca = ca.crt\nbackend_name = other.com\n", true, false, "unverified: "},
    {"backend_ca = ca.crt\nbackend_name = example.com\n", false, false, "declined: "},
    {"backend_ca = ca.crt\nbackend_name = example.com\n", true, true, "declined: "},
};

START_TEST(h2s_sends_nothing_to_whom_it_does_not_trust)
{
    struct secure secure = {0};
    secure_open(&secure, refused[_i].pool, refused[_i].speaks_h2, refused[_i].asks);
    expect(&secure.stage, POST("/"), 502, NULL);
    eventually(scene_log_has(&secure.stage.scene, "backend.failed", refused[_i].words, NULL));
    ck_assert_uint_eq(atomic_load(&secure.stage.scripts[0].requests), 0);
    secure_close(&secure);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, requests_take_turns_and_share_a_link);
    tcase_add_test(tcase, the_head_becomes_fields_without_those_of_connections);
    tcase_add_test(tcase, an_upgrade_is_ignored_and_old_clients_are_served);
    tcase_add_test(tcase, bodies_and_trailers_pass_both_ways);
    tcase_add_test(tcase, an_answer_without_a_body_is_whole_with_its_head);
    tcase_add_test(tcase, the_longest_trailers_pass);
    tcase_add_test(tcase, interim_answers_pass);
    tcase_add_test(tcase, both_sides_talk_at_the_same_time);
    tcase_add_test(tcase, large_bodies_come_whole);
    tcase_add_test(tcase, an_early_answer_is_passed_on);
    tcase_add_test(tcase, as_many_links_are_opened_as_streams_need);
    tcase_add_test(tcase, who_goes_away_cancels_his_stream_alone);
    tcase_add_test(tcase, who_reads_nothing_holds_up_nobody);
    tcase_add_test(tcase, a_backend_that_takes_no_body_holds_up_nobody);
    tcase_add_test(tcase, a_late_answer_is_a_504_and_the_link_lives_on);
    tcase_add_loop_test(tcase, a_goaway_loses_no_request, 0, (int)(sizeof crowd / sizeof *crowd));
    tcase_add_test(tcase, what_was_refused_is_asked_elsewhere);
    tcase_add_test(tcase, a_lost_connection_is_judged_request_by_request);
    tcase_add_test(tcase, a_reset_stream_ends_its_own_request);
    tcase_add_loop_test(tcase, an_answer_that_breaks_the_rules_is_none, 0,
                        (int)(sizeof wrong / sizeof *wrong));
    tcase_add_test(tcase, a_flood_of_pings_ends_the_link);
    tcase_add_test(tcase, who_says_goodbye_at_once_has_failed);
    tcase_add_test(tcase, who_speaks_http1_only_is_told_apart);
    tcase_add_test(tcase, a_reload_lets_go_of_links_without_losing_requests);
    tcase_add_test(tcase, h2s_verifies_and_shows_who_lb_is);
    tcase_add_loop_test(tcase, h2s_sends_nothing_to_whom_it_does_not_trust, 0,
                        (int)(sizeof refused / sizeof *refused));
}

CHECK_MAIN("backends speak HTTP/2", add_tests)
