/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peers that send much and read little: every pipelined request is understood, whoever stops
 * reading is given up, in whatever state, and whoever reads slowly is not.
 */
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/house.h"

enum {
    REQUESTS = 20000,
    ANSWER_BYTES = 256 * 1024,
    POUR_BYTES = 16 * 1024 * 1024,
    SLOW_BYTES = 3 * 512 * 1024,
    PACE_BYTES_PER_MS = 512,
};

static char piece[ANSWER_BYTES];

/* Has lb cut the connection? Asked without reading. */
static bool is_cut(const struct peer *peer)
{
    struct pollfd ask = {.fd = peer->fd};
    return poll(&ask, 1, 0) == 1 && (ask.revents & (POLLERR | POLLHUP)) != 0;
}

static void *send_all_requests(void *argument)
{
    struct peer *peer = argument;
    struct text all = {0};
    for (unsigned i = 0; i < REQUESTS; i++)
        text_add_format(&all, "GET /nowhere/%u HTTP/1.1\r\nHost: a\r\n\r\n", i);
    ck_assert(peer_send(peer, all.bytes, all.length));
    text_done(&all);
    return NULL;
}

/* Their heads lie across the ends of lb's reads at every place there is. */
START_TEST(a_megabyte_of_pipelined_requests_is_understood_one_by_one)
{
    struct house house;
    struct peer peer;
    pthread_t sender;
    house_open(&house, &(struct house_plan){.rule = "url = /here\n"});
    house_enter(&house, &peer);
    ck_assert_int_eq(pthread_create(&sender, NULL, send_all_requests, &peer), 0);
    for (unsigned i = 0; i < REQUESTS; i++) {
        ck_assert_msg(peer_receive_until(&peer, "404 Not Found: no-rule\n"),
                      "answer %u did not come", i);
        size_t end = (size_t)(strstr(peer.inbox.bytes, "no-rule\n") - peer.inbox.bytes);
        text_drop(&peer.inbox, end);
    }
    pthread_join(sender, NULL);
    peer_close(&peer);
    ck_assert_uint_eq(scene_access_lines(&house.scene, "\"status\":400"), 0);
    house_close(&house);
}
END_TEST

static void answer_much(struct stub_link *link)
{
    struct stub_request request;
    struct text head = {0};
    text_add_format(&head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", ANSWER_BYTES);
    while (stub_read(link, &request) && stub_send(link, head.bytes, head.length) &&
           stub_send(link, piece, sizeof piece))
        stub_request_done(&request);
    stub_request_done(&request);
    text_done(&head);
}

START_TEST(a_client_that_asks_on_but_takes_no_answer_is_given_up)
{
    struct house house;
    struct peer peer;
    struct text all = {0};
    house_open(&house,
               &(struct house_plan){.serve = answer_much, .listener = "body_timeout = 300ms\n"});
    for (unsigned i = 0; i < POUR_BYTES / ANSWER_BYTES; i++)
        text_add_format(&all, "GET /%u HTTP/1.1\r\nHost: a\r\n\r\n", i);
    house_enter(&house, &peer);
    ck_assert(peer_send(&peer, all.bytes, all.length));
    eventually(is_cut(&peer));
    peer_close(&peer);
    text_done(&all);
    house_close(&house);
}
END_TEST

/* Answers at once and with much, whatever of the body is still to come. */
static void answer_early_and_much(struct stub_link *link)
{
    struct stub_request request;
    atomic_int *poured = link->stub->story;
    if (stub_read_head(link, &request)) {
        struct text head = {0};
        text_add_format(&head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", POUR_BYTES);
        bool taken = stub_send(link, head.bytes, head.length);
        for (int sent = 0; taken && sent < POUR_BYTES; sent += ANSWER_BYTES) {
            taken = stub_send(link, piece, sizeof piece);
            atomic_fetch_add(poured, ANSWER_BYTES);
        }
        text_done(&head);
    }
    stub_request_done(&request);
    stub_wait_for_end(link);
}

/* Nothing moves any more: the same number twice, with a good while between. */
static bool has_come_to_rest(atomic_int *moved)
{
    int before = atomic_load(moved);
    for (unsigned i = 0; i < 60; i++)
        eventually_pause();
    return before > 0 && atomic_load(moved) == before;
}

/* What moves is bounded, however long it takes. */
static void await_rest(atomic_int *moved)
{
    while (!has_come_to_rest(moved))
        continue;
}

START_TEST(a_client_that_ends_its_body_but_takes_no_answer_is_given_up)
{
    struct house house;
    struct peer peer;
    atomic_int poured = 0;
    house_open(&house, &(struct house_plan){.serve = answer_early_and_much,
                                            .story = &poured,
                                            .listener = "body_timeout = 2s\n"});
    house_enter(&house, &peer);
    peer_say(&peer, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\no");
    await_rest(&poured);
    peer_say(&peer, "k");
    eventually(is_cut(&peer));
    peer_close(&peer);
    house_close(&house);
}
END_TEST

/* At first as many as are due by the clock, so that a busy machine makes up for its pauses; the
 * rest as it comes. returns how many came until there were enough, or no more. */
static size_t read_bytes_slowly(const struct peer *peer, size_t enough)
{
    char bytes[16 * 1024];
    size_t got = 0;
    long long began_ms = eventually_now_ms();
    while (got < enough) {
        ssize_t length = recv(peer->fd, bytes, sizeof bytes, 0);
        if (length <= 0)
            break;
        got += (size_t)length;
        while (got < SLOW_BYTES &&
               got > (size_t)(eventually_now_ms() - began_ms) * PACE_BYTES_PER_MS)
            eventually_pause();
    }
    return got;
}

static void answer_16_megabytes(struct stub_link *link)
{
    struct stub_request request;
    if (stub_read(link, &request)) {
        struct text head = {0};
        text_add_format(&head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", POUR_BYTES);
        bool taken = stub_send(link, head.bytes, head.length);
        for (int sent = 0; taken && sent < POUR_BYTES; sent += ANSWER_BYTES)
            taken = stub_send(link, piece, sizeof piece);
        text_done(&head);
    }
    stub_request_done(&request);
}

/* The kernel's buffers take megabytes at once: for longer than body_timeout lb itself sees no
 * progress. */
START_TEST(a_client_that_reads_all_the_time_gets_everything_however_slowly)
{
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){.serve = answer_16_megabytes,
                                            .listener = "body_timeout = 2s\n"});
    house_enter(&house, &peer);
    peer_say(&peer, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    ck_assert_uint_gt(read_bytes_slowly(&peer, SIZE_MAX), POUR_BYTES);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

static void read_slowly_then_answer(struct stub_link *link)
{
    struct stub_request request;
    if (stub_read_head(link, &request)) {
        size_t got = link->inbox.length;
        struct peer side = {.fd = link->fd};
        got += read_bytes_slowly(&side, POUR_BYTES - got);
        if (got == POUR_BYTES)
            stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone");
    }
    stub_request_done(&request);
}

START_TEST(a_backend_that_reads_all_the_time_gets_everything_however_slowly)
{
    struct house house;
    struct peer peer;
    struct text head = {0};
    house_open(&house, &(struct house_plan){.serve = read_slowly_then_answer,
                                            .pool = "answer_timeout = 2s\n"});
    text_add_format(&head, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", POUR_BYTES);
    house_enter(&house, &peer);
    ck_assert(peer_send(&peer, head.bytes, head.length));
    for (int sent = 0; sent < POUR_BYTES; sent += ANSWER_BYTES)
        ck_assert(peer_send(&peer, piece, sizeof piece));
    ck_assert_uint_eq(peer_ask(&peer, ""), 200);
    peer_close(&peer);
    text_done(&head);
    house_close(&house);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_megabyte_of_pipelined_requests_is_understood_one_by_one);
    tcase_add_test(tcase, a_client_that_asks_on_but_takes_no_answer_is_given_up);
    tcase_add_test(tcase, a_client_that_ends_its_body_but_takes_no_answer_is_given_up);
    tcase_add_test(tcase, a_client_that_reads_all_the_time_gets_everything_however_slowly);
    tcase_add_test(tcase, a_backend_that_reads_all_the_time_gets_everything_however_slowly);
}

CHECK_MAIN("who takes nothing gets nothing more", add_tests)
