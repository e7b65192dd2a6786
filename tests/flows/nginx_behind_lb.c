/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nginx as the backend, which many have: it closes kept links when it likes, reloads, dies and
 * comes back, sends and takes bodies of every framing. No client sees anything of that, whether it
 * is spoken to in HTTP/1.1 or in HTTP/2 (tests that are run over both say so by their _i).
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/nginx_backend.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/scene.h"
#include "tests/support/stub_backend.h"

enum { BACKENDS = 2 };

struct stage {
    struct scene scene;
    struct nginx_backend backends[BACKENDS];
};

/* server: lines of nginx's server block; pool: lines of lb's pool */
static void stage_begin_over(struct stage *stage, bool is_http2, const char *server,
                             const char *pool)
{
    static const char *const names[BACKENDS] = {"rs-1", "rs-2"};
    struct text ini = {0};
    scene_begin(&stage->scene);
    for (unsigned i = 0; i < BACKENDS; i++) {
        nginx_start(&stage->backends[i], &(struct nginx_plan){
                                             .name = names[i],
                                             .server = server,
                                             .speaks_http2 = is_http2,
                                         });
        scene_set_port(&stage->scene, names[i], stage->backends[i].port);
    }
    text_add_format(&ini,
                    "[lb]\nworkers = 2\naccess_log = access.log\n\n"
                    "[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\n\n"
                    "[rule all]\nlistener = web\npool = app\n\n"
                    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nbackend = rs-2 127.0.0.1:@rs-2\n"
                    "health_check = off\nprotocol = %s\n%s\n",
                    is_http2 ? "h2" : "http", pool);
    scene_start(&stage->scene, ini.bytes);
    text_done(&ini);
}

static void stage_begin(struct stage *stage, const char *server, const char *pool)
{
    stage_begin_over(stage, false, server, pool);
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

static unsigned requests_of(const struct stage *stage, unsigned backend)
{
    return nginx_requests(&stage->backends[backend], "GET /");
}

/* --- a crowd ------------------------------------------------------------------------------- */

enum { VISITORS = 4 };

struct crowd {
    struct stage *stage;
    atomic_bool is_over;
    atomic_uint asked;
    atomic_uint cut; /* answers that ended within: only of nginx over HTTP/2, see is_cut() */
    unsigned visits; /* of each; 0: until it is over */
    pthread_t visitors[VISITORS];
};

/* Over HTTP/2 nginx sends the head of an answer by itself: killed between it and the body, it has
 * cut the answer, and whoever got the head hears that. */
static bool is_cut(const struct crowd *crowd, const char *body)
{
    return crowd->stage->backends[0].plan.speaks_http2 && body[0] == '\0';
}

static void *visit(void *given)
{
    struct crowd *crowd = given;
    struct peer peer;
    come(crowd->stage, &peer);
    for (unsigned i = 0; crowd->visits > 0 ? i < crowd->visits : !atomic_load(&crowd->is_over);
         i++) {
        char name[16] = "";
        ck_assert_uint_eq(peer_get(&peer, "a", "/", name, sizeof name), 200);
        if (is_cut(crowd, name)) {
            atomic_fetch_add(&crowd->cut, 1);
            peer_close(&peer);
            come(crowd->stage, &peer);
            continue;
        }
        ck_assert_msg(strcmp(name, "rs-1") == 0 || strcmp(name, "rs-2") == 0, "%s", name);
        atomic_fetch_add(&crowd->asked, 1);
    }
    peer_close(&peer);
    return NULL;
}

static void crowd_begin(struct crowd *crowd, struct stage *stage, unsigned visits)
{
    *crowd = (struct crowd){.stage = stage, .visits = visits};
    for (unsigned i = 0; i < VISITORS; i++)
        ck_assert_int_eq(pthread_create(&crowd->visitors[i], NULL, visit, crowd), 0);
}

/* As many more are answered. */
static void crowd_goes_on(struct crowd *crowd, unsigned more)
{
    unsigned before = atomic_load(&crowd->asked);
    eventually(atomic_load(&crowd->asked) >= before + more);
}

static void crowd_end(struct crowd *crowd, unsigned cut_most)
{
    atomic_store(&crowd->is_over, true);
    for (unsigned i = 0; i < VISITORS; i++)
        pthread_join(crowd->visitors[i], NULL);
    ck_assert_uint_le(atomic_load(&crowd->cut), cut_most);
}

START_TEST(both_take_turns_exactly_on_kept_links)
{
    struct stage stage;
    struct peer peer;
    char last[16] = "";
    char name[16] = "";
    stage_begin_over(&stage, _i == 1, NULL, "");
    come(&stage, &peer);
    for (unsigned i = 0; i < 200; i++) {
        ck_assert_uint_eq(peer_get(&peer, "a", "/", name, sizeof name), 200);
        ck_assert_str_ne(name, last);
        snprintf(last, sizeof last, "%s", name);
    }
    peer_close(&peer);
    for (unsigned i = 0; i < BACKENDS; i++) {
        char link[32] = "";
        eventually(requests_of(&stage, i) == 100);
        char *log = folder_read(&stage.backends[i].folder, "requests.log");
        sscanf(strstr(log, " link="), " %31s", link);
        ck_assert_uint_eq(nginx_requests(&stage.backends[i], link), 100);
        free(log);
    }
    stage_end(&stage);
}
END_TEST

START_TEST(links_that_nginx_closes_after_some_requests_cost_nobody_anything)
{
    enum { VISITS = 250 };
    struct stage stage;
    struct crowd crowd;
    stage_begin_over(&stage, _i == 1, "keepalive_requests 7;", "");
    crowd_begin(&crowd, &stage, VISITS);
    crowd_end(&crowd, 0);
    eventually(requests_of(&stage, 0) == VISITORS * VISITS / 2);
    eventually(requests_of(&stage, 1) == VISITORS * VISITS / 2);
    stage_end(&stage);
}
END_TEST

START_TEST(reloads_of_nginx_under_load_cost_nobody_anything)
{
    struct stage stage;
    struct crowd crowd;
    stage_begin_over(&stage, _i == 1, NULL, "");
    crowd_begin(&crowd, &stage, 0);
    for (unsigned i = 0; i < 6; i++) {
        nginx_reload(&stage.backends[i % BACKENDS], NULL);
        crowd_goes_on(&crowd, 20);
    }
    crowd_end(&crowd, 0);
    stage_end(&stage);
}
END_TEST

START_TEST(one_that_is_killed_under_load_costs_nobody_anything_and_may_come_back)
{
    static const char *const pools[] = {"passive_failures = 0\n", "passive_block = 1s\n"};
    struct stage stage;
    struct crowd crowd;
    stage_begin_over(&stage, _i / 2 == 1, NULL, pools[_i % 2]);
    crowd_begin(&crowd, &stage, 0);
    enum { KILLS = 3 };
    for (unsigned round = 0; round < KILLS; round++) {
        struct nginx_backend *victim = &stage.backends[round % BACKENDS];
        crowd_goes_on(&crowd, 50);
        nginx_kill(victim);
        crowd_goes_on(&crowd, 50);
        unsigned before = nginx_requests(victim, "GET /");
        nginx_restart(victim);
        eventually(nginx_requests(victim, "GET /") > before);
    }
    crowd_end(&crowd, KILLS * VISITORS);
    ck_assert_uint_eq(scene_access_lines(&stage.scene, "\"status\":502"), 0);
    stage_end(&stage);
}
END_TEST

/* --- bodies -------------------------------------------------------------------------------- */

/* /files/NAME can be put and got; /chunked is a file that nginx changes while it sends it, and so
 * does not know how long it gets. */
static const char files[] = "location /files/ { root files; dav_methods PUT; "
                            "create_full_put_path on; client_max_body_size 0; }\n"
                            "location /nothing { return 204; }\n"
                            "location /chunked/ { root files; sub_filter_types *; "
                            "sub_filter_once off; sub_filter lead gold; }\n";

enum { LARGE_BYTES = 8 * 1024 * 1024 };

/* No two pieces of it are alike. */
static void make_large(struct text *large)
{
    for (unsigned i = 0; large->length < LARGE_BYTES; i++)
        text_add_format(large, "%08x is a word of many\n", i);
}

struct sender {
    struct peer *peer;
    const struct text *body;
    bool is_chunked;
};

static void send_body(const struct sender *sender)
{
    enum { PIECE_BYTES = 100 * 1000 };
    for (size_t at = 0; at < sender->body->length;) {
        size_t left = sender->body->length - at;
        size_t length = left < PIECE_BYTES ? left : PIECE_BYTES;
        char size[32];
        snprintf(size, sizeof size, "%zx\r\n", length);
        if (sender->is_chunked)
            ck_assert(peer_say(sender->peer, size));
        ck_assert(peer_send(sender->peer, sender->body->bytes + at, length));
        if (sender->is_chunked)
            ck_assert(peer_say(sender->peer, "\r\n"));
        at += length;
    }
    if (sender->is_chunked)
        ck_assert(peer_say(sender->peer, "0\r\n\r\n"));
}

static void put_large(struct stage *stage, const struct text *large, bool is_chunked)
{
    struct peer peer;
    struct answer answer;
    struct text head = {0};
    come(stage, &peer);
    text_add_format(&head, "PUT /files/large HTTP/1.1\r\nHost: a\r\n");
    if (is_chunked)
        text_add_format(&head, "Transfer-Encoding: chunked\r\n\r\n");
    else
        text_add_format(&head, "Content-Length: %zu\r\n\r\n", large->length);
    ck_assert(peer_say(&peer, head.bytes));
    send_body(&(struct sender){&peer, large, is_chunked});
    ck_assert(peer_read_answer(&peer, "PUT", &answer));
    ck_assert_msg(answer.status == 201 || answer.status == 204, "%u", answer.status);
    answer_done(&answer);
    peer_close(&peer);
    text_done(&head);
}

static void get(struct stage *stage, const char *request, struct answer *answer)
{
    struct peer peer;
    char method[8] = "";
    sscanf(request, "%7s", method);
    come(stage, &peer);
    ck_assert(peer_say(&peer, request));
    ck_assert(peer_read_answer(&peer, method, answer));
    ck_assert_msg(answer->is_complete, "%s is cut", request);
    peer_close(&peer);
}

START_TEST(large_bodies_pass_both_ways_unchanged)
{
    struct stage stage;
    struct text large = {0};
    make_large(&large);
    stage_begin_over(&stage, _i / 2 == 1, files, "");
    for (unsigned i = 0; i < BACKENDS; i++) /* takes turns: each gets it once */
        put_large(&stage, &large, _i % 2 == 1);
    for (unsigned i = 0; i < BACKENDS; i++) {
        struct answer answer;
        get(&stage, "GET /files/large HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
        ck_assert_uint_eq(answer.status, 200);
        ck_assert(!answer.is_chunked);
        ck_assert_uint_eq(answer.body.length, large.length);
        ck_assert_int_eq(memcmp(answer.body.bytes, large.bytes, large.length), 0);
        answer_done(&answer);
    }
    text_done(&large);
    stage_end(&stage);
}
END_TEST

/* As old on one as on the other. */
static void write_everywhere(struct stage *stage, const char *path, const char *text)
{
    for (unsigned i = 0; i < BACKENDS; i++) {
        struct text age = {0};
        process_shell(stage->backends[i].folder.path, "mkdir -p files/files files/chunked");
        folder_write(&stage->backends[i].folder, path, text);
        text_add_format(&age, "touch -d 2020-01-01 '%s'", path);
        process_shell(stage->backends[i].folder.path, age.bytes);
        text_done(&age);
    }
}

START_TEST(chunked_answers_pass_with_all_their_chunks)
{
    enum { LINES = 20000 };
    struct stage stage;
    struct text lead = {0};
    struct text gold = {0};
    struct answer answer;
    for (unsigned i = 0; i < LINES; i++) {
        text_add_format(&lead, "%u: lead becomes lead\n", i);
        text_add_format(&gold, "%u: gold becomes gold\n", i);
    }
    stage_begin_over(&stage, _i == 1, files, "");
    write_everywhere(&stage, "files/chunked/metal", lead.bytes);
    get(&stage, "GET /chunked/metal HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    ck_assert_uint_eq(answer.status, 200);
    ck_assert(answer.is_chunked);
    ck_assert_uint_eq(answer.body.length, gold.length);
    ck_assert_str_eq(answer.body.bytes, gold.bytes);
    answer_done(&answer);
    text_done(&lead);
    text_done(&gold);
    stage_end(&stage);
}
END_TEST

/* Answers without a body leave the client's connection and the link where the next one begins. */
START_TEST(answers_without_a_body_are_followed_by_the_next_one)
{
    struct stage stage;
    struct peer peer;
    struct answer answer;
    struct text again = {0};
    char tag[64] = "";
    stage_begin_over(&stage, _i == 1, files, "");
    write_everywhere(&stage, "files/files/page", "a page\n");
    get(&stage, "GET /files/page HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    ck_assert(text_field(answer.head, "Last-Modified", tag, sizeof tag));
    answer_done(&answer);
    text_add_format(&again, "GET /files/page HTTP/1.1\r\nHost: a\r\nIf-Modified-Since: %s\r\n\r\n",
                    tag);
    come(&stage, &peer);
    for (unsigned i = 0; i < 10; i++) {
        char body[32] = "";
        ck_assert_uint_eq(peer_ask(&peer, "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n"), 204);
        ck_assert_uint_eq(peer_ask(&peer, "HEAD /files/page HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
        ck_assert_uint_eq(peer_ask(&peer, "HEAD /chunked/none HTTP/1.1\r\nHost: a\r\n\r\n"), 404);
        ck_assert_uint_eq(peer_ask(&peer, again.bytes), 304);
        ck_assert_uint_eq(peer_get(&peer, "a", "/files/page", body, sizeof body), 200);
        ck_assert_str_eq(body, "a page");
    }
    ck_assert(peer_say(&peer, "GET /files/page HTTP/1.1\r\nHost: a\r\nRange: bytes=2-5\r\n\r\n"));
    ck_assert(peer_read_answer(&peer, "GET", &answer));
    ck_assert_uint_eq(answer.status, 206);
    ck_assert_str_eq(answer.body.bytes, "page");
    answer_done(&answer);
    peer_close(&peer);
    text_done(&again);
    stage_end(&stage);
}
END_TEST

/* --- tunnels ------------------------------------------------------------------------------- */

static void echo_after_upgrade(struct stub_link *link)
{
    struct stub_request request;
    if (stub_read_head(link, &request) && strstr(request.head.bytes, "Upgrade: websocket")) {
        stub_switch(link, &request, "");
        do {
            stub_send(link, link->inbox.bytes, link->inbox.length);
            text_drop(&link->inbox, link->inbox.length);
        } while (stub_receive(link));
    }
    stub_request_done(&request);
}

START_TEST(a_tunnel_through_nginx_carries_bytes_both_ways)
{
    struct stage stage;
    struct stub_backend echo;
    struct peer peer;
    struct text server = {0};
    stub_start(&echo, "echo", echo_after_upgrade);
    text_add_format(&server,
                    "location /chat { proxy_pass http://127.0.0.1:%u; proxy_http_version 1.1; "
                    "proxy_set_header Upgrade $http_upgrade; "
                    "proxy_set_header Connection upgrade; }\n",
                    echo.port);
    stage_begin(&stage, server.bytes, "");
    come(&stage, &peer);
    ck_assert(peer_say(&peer, "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
                              "Upgrade: websocket\r\n\r\n"));
    ck_assert(peer_receive_until(&peer, "\r\n\r\n"));
    ck_assert_msg(strncmp(peer.inbox.bytes, "HTTP/1.1 101 ", 13) == 0, "%s", peer.inbox.bytes);
    text_drop(&peer.inbox, peer.inbox.length);
    for (unsigned i = 0; i < 100; i++) {
        char words[64];
        snprintf(words, sizeof words, "word %u of many;", i);
        ck_assert(peer_say(&peer, words));
        ck_assert(peer_receive_until(&peer, words));
    }
    peer_close(&peer);
    stage_end(&stage);
    stub_stop(&echo);
    text_done(&server);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, both_take_turns_exactly_on_kept_links, 0, 2);
    tcase_add_loop_test(tcase, links_that_nginx_closes_after_some_requests_cost_nobody_anything, 0,
                        2);
    tcase_add_loop_test(tcase, reloads_of_nginx_under_load_cost_nobody_anything, 0, 2);
    tcase_add_loop_test(
        tcase, one_that_is_killed_under_load_costs_nobody_anything_and_may_come_back, 0, 4);
    tcase_add_loop_test(tcase, large_bodies_pass_both_ways_unchanged, 0, 4);
    tcase_add_loop_test(tcase, chunked_answers_pass_with_all_their_chunks, 0, 2);
    tcase_add_loop_test(tcase, answers_without_a_body_are_followed_by_the_next_one, 0, 2);
    tcase_add_test(tcase, a_tunnel_through_nginx_carries_bytes_both_ways);
}

CHECK_MAIN_WHERE("nginx behind lb", add_tests, nginx_is_here)
