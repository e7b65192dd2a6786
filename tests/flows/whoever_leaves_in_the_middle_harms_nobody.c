/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many clients at the same time that go away wherever it hurts: in the handshake, in a head, in a
 * body, between pipelined requests, in the middle of an answer or tunnel. Those who stay get every
 * byte, and afterwards nothing is left of the others.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/process.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
static const char ini[] =
    "[listener plain]\naddress = 127.0.0.1:@plain\nprotocol = http\n\n"
    "[listener tls]\naddress = 127.0.0.1:@tls\ncertificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = require\nclient_ca = ca.crt\nsessions = 4\n\n"
    "[rule all]\nlistener = plain\nlistener = tls\npool = app\n\n"
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nbackend = rs-2 127.0.0.1:@rs-2\nidle_links = 4\nhealth_check = off\n";

#define HEAD " HTTP/1.1\r\nHost: a\r\n"
/* What a leaver says before it goes. */
static const char *const speeches[] = {
    "",
    "GET /",
    "GET /small" HEAD,
    "GET /small" HEAD "\r\n",
    "GET /large" HEAD "\r\n",
    "GET /small" HEAD "\r\nGET /large" HEAD "\r\nGET /small" HEAD "\r\nGET",
    "POST /small" HEAD "Content-Length: 100000\r\n\r\nhalf",
    "POST /large" HEAD "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    "POST /small" HEAD "Content-Length: 4\r\nExpect: 100-continue\r\n\r\n",
    "GET /tunnel" HEAD "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "garbage\r\n\r\n",
};
/* clang-format on */
enum { SPEECHES = sizeof speeches / sizeof speeches[0], LEAVERS = 50, ROUNDS = 6 };
enum { WAYS = 4 }; /* close, reset, finish first, stay until something came */
enum { LARGE_BYTES = 512 * 1024 };

struct square {
    struct scene scene;
    struct stub_backend backends[2];
    char *large;
};

static void answer_at_length(struct stub_link *link)
{
    const struct square *square = link->stub->story;
    struct stub_request request;
    bool goes_on = true;
    while (goes_on && stub_read(link, &request)) {
        if (strstr(request.head.bytes, " /tunnel ") != NULL) {
            stub_switch(link, &request, "hello");
            stub_wait_for_end(link);
            goes_on = false;
        } else if (strstr(request.head.bytes, " /large ") != NULL) {
            char head[64];
            snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n",
                     LARGE_BYTES);
            goes_on = stub_say(link, head) && stub_send(link, square->large, LARGE_BYTES);
        } else {
            goes_on = stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsmall");
        }
        stub_request_done(&request);
    }
    if (goes_on)
        stub_request_done(&request);
}

static void square_begin(struct square *square)
{
    static const char *const names[] = {"rs-1", "rs-2"};
    scene_begin(&square->scene);
    cast_write(&square->scene);
    square->large = malloc(LARGE_BYTES);
    for (unsigned i = 0; i < LARGE_BYTES; i++)
        square->large[i] = (char)('a' + i % 23);
    for (unsigned i = 0; i < 2; i++) {
        stub_start_with(&square->backends[i], names[i], answer_at_length, square);
        scene_set_port(&square->scene, names[i], square->backends[i].port);
    }
    scene_port(&square->scene, "plain");
    scene_port(&square->scene, "tls");
    scene_start(&square->scene, ini);
}

static void square_end(struct square *square)
{
    scene_end(&square->scene);
    for (unsigned i = 0; i < 2; i++)
        stub_stop(&square->backends[i]);
    free(square->large);
}

static void come(struct square *square, struct peer *peer, bool over_tls)
{
    peer_connect(peer, scene_port(&square->scene, over_tls ? "tls" : "plain"));
    if (over_tls)
        ck_assert(peer_handshake(peer, WISH(&square->scene, .who = "alice")));
}

static void leave(struct peer *peer, unsigned way)
{
    if (way == 3)
        peer_receive_bytes(peer, 1);
    if (way == 2)
        peer_finish(peer);
    if (way == 1)
        peer_reset(peer);
    else
        peer_close(peer);
}

struct leaver {
    pthread_t thread;
    struct square *square;
    unsigned number;
};

/* In the handshake: the first bytes of a hello, cut anywhere, or nothing. */
static void leave_in_the_handshake(struct leaver *leaver, unsigned round)
{
    static const char hello[] = "\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03";
    struct peer peer;
    peer_connect(&peer, scene_port(&leaver->square->scene, "tls"));
    peer_send(&peer, hello, (leaver->number + round) % sizeof hello);
    if (round % 2 == 0)
        peer_reset(&peer);
    else
        peer_close(&peer);
}

static void *come_and_leave(void *argument)
{
    struct leaver *leaver = argument;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct peer peer;
        unsigned turn = leaver->number * ROUNDS + round;
        const char *speech = speeches[turn % SPEECHES];
        unsigned way = turn / SPEECHES % WAYS;
        bool is_answered = strstr(speech, "\r\n\r\n") != NULL && strstr(speech, "half") == NULL;
        leave_in_the_handshake(leaver, round);
        come(leaver->square, &peer, turn % 2 == 0);
        peer_say(&peer, speech);
        leave(&peer, way == 3 && !is_answered ? 0 : way);
    }
    return NULL;
}

/* One that stays: every answer whole. */
static void *stay(void *argument)
{
    struct leaver *stayer = argument;
    struct peer peer;
    come(stayer->square, &peer, stayer->number % 2 == 0);
    for (unsigned i = 0; i < 20; i++) {
        struct answer answer;
        ck_assert(peer_say(&peer, "GET /large" HEAD "\r\n"));
        ck_assert(peer_read_answer(&peer, "GET", &answer));
        ck_assert_uint_eq(answer.status, 200);
        ck_assert_uint_eq(answer.body.length, LARGE_BYTES);
        ck_assert_mem_eq(answer.body.bytes, stayer->square->large, LARGE_BYTES);
        answer_done(&answer);
    }
    peer_close(&peer);
    return NULL;
}

START_TEST(those_who_stay_get_every_byte_and_nothing_is_left_of_the_others)
{
    enum { STAYERS = 4 };
    struct square square;
    struct leaver people[LEAVERS + STAYERS];
    struct peer peer;
    square_begin(&square);
    unsigned before = process_descriptors(square.scene.pid);
    for (unsigned i = 0; i < LEAVERS + STAYERS; i++) {
        people[i] = (struct leaver){.square = &square, .number = i};
        ck_assert_int_eq(pthread_create(&people[i].thread, NULL,
                                        i < LEAVERS ? come_and_leave : stay, &people[i]),
                         0);
    }
    for (unsigned i = 0; i < LEAVERS + STAYERS; i++)
        pthread_join(people[i].thread, NULL);
    /* Two workers may keep four idle links to each of two backends, and nothing else. */
    eventually(process_descriptors(square.scene.pid) <= before + 16);
    come(&square, &peer, true);
    ck_assert_uint_eq(peer_get(&peer, "a", "/small", NULL, 0), 200);
    peer_close(&peer);
    square_end(&square);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, those_who_stay_get_every_byte_and_nothing_is_left_of_the_others);
}

CHECK_MAIN("whoever leaves in the middle harms nobody", add_tests)
