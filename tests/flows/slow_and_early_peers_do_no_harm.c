/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Back-pressure in both directions, and answers that come while the body still does. However slow a
 * peer is and however large a body, lb holds a bounded piece of it.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/house.h"
#include "tests/support/process.h"

enum {
    PIECE_BYTES = 64 * 1024,
    BODY_BYTES = 96 * 1024 * 1024,
    /* Kernel buffers are not lb's; its own pieces, and what an allocator keeps, are far below this.
     */
    GROWTH_MOST_KIB = 24 * 1024,
};

static char piece[PIECE_BYTES];

static void expect_bounded(struct house *house, long before_kib)
{
    long grown_kib = process_memory_kib(house->scene.pid) - before_kib;
    ck_assert_msg(grown_kib < GROWTH_MOST_KIB, "lb grew by %ld KiB", grown_kib);
}

/* Answers with a body of many megabytes as fast as it is taken. */
static void pour(struct stub_link *link)
{
    struct stub_request request;
    if (stub_read(link, &request)) {
        struct text head = {0};
        text_add_format(&head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", BODY_BYTES);
        bool taken = stub_send(link, head.bytes, head.length);
        for (int sent = 0; taken && sent < BODY_BYTES; sent += PIECE_BYTES) {
            taken = stub_send(link, piece, PIECE_BYTES);
            atomic_fetch_add((atomic_int *)link->stub->story, PIECE_BYTES);
        }
        text_done(&head);
    }
    stub_request_done(&request);
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

START_TEST(a_client_that_does_not_read_stops_its_backend_not_the_process)
{
    struct house house;
    struct peer peer;
    atomic_int poured = 0;
    house_open(&house, &(struct house_plan){.serve = pour, .story = &poured});
    long before_kib = process_memory_kib(house.scene.pid);
    house_enter(&house, &peer);
    peer_say(&peer, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await_rest(&poured);
    ck_assert_int_lt(atomic_load(&poured), BODY_BYTES);
    expect_bounded(&house, before_kib);
    /* Others are served meanwhile. */
    struct peer other;
    house_enter(&house, &other);
    peer_say(&other, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(peer_receive_until(&other, "\r\n\r\n"));
    peer_close(&other);
    /* And when it reads, it gets all of it. */
    ck_assert(peer_receive_until(&peer, "\r\n\r\n"));
    text_drop(&peer.inbox, (size_t)(strstr(peer.inbox.bytes, "\r\n\r\n") - peer.inbox.bytes) + 4);
    size_t got = peer.inbox.length;
    while (got < BODY_BYTES) {
        text_drop(&peer.inbox, peer.inbox.length);
        ck_assert(peer_receive(&peer));
        got += peer.inbox.length;
    }
    ck_assert_uint_eq(got, BODY_BYTES);
    expect_bounded(&house, before_kib);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

/* Takes the head, then reads nothing until the story says so. */
static void wait_then_swallow(struct stub_link *link)
{
    struct stub_request request;
    atomic_bool *may_read = link->stub->story;
    if (stub_read_head(link, &request)) {
        while (!atomic_load(may_read) && !atomic_load(&link->stub->is_stopping))
            eventually_pause();
        size_t got = link->inbox.length;
        text_drop(&link->inbox, link->inbox.length);
        while (got < BODY_BYTES && stub_receive(link)) {
            got += link->inbox.length;
            text_drop(&link->inbox, link->inbox.length);
        }
        if (got == BODY_BYTES)
            stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone");
    }
    stub_request_done(&request);
}

/* Sends as much of the body as goes; returns how much of it has been taken so far. */
static size_t push(struct peer *peer, size_t sent)
{
    size_t went = 1;
    for (unsigned idle = 0; idle < 60 && sent < BODY_BYTES;) {
        size_t length = BODY_BYTES - sent < PIECE_BYTES ? BODY_BYTES - sent : PIECE_BYTES;
        went = peer_send_without_waiting(peer, piece, length);
        sent += went;
        idle = went > 0 ? 0 : idle + 1;
        if (went == 0)
            eventually_pause();
    }
    return sent;
}

START_TEST(a_backend_that_does_not_read_stops_its_client_not_the_process)
{
    struct house house;
    struct peer peer;
    atomic_bool may_read = false;
    char head[128];
    house_open(&house, &(struct house_plan){.serve = wait_then_swallow,
                                            .story = &may_read,
                                            .listener = "max_body = 0\n"});
    long before_kib = process_memory_kib(house.scene.pid);
    house_enter(&house, &peer);
    snprintf(head, sizeof head, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n",
             BODY_BYTES);
    ck_assert(peer_say(&peer, head));
    size_t sent = push(&peer, 0);
    ck_assert_uint_gt(sent, 0);
    ck_assert_uint_lt(sent, BODY_BYTES);
    expect_bounded(&house, before_kib);
    atomic_store(&may_read, true);
    while (sent < BODY_BYTES) {
        size_t length = BODY_BYTES - sent < PIECE_BYTES ? BODY_BYTES - sent : PIECE_BYTES;
        ck_assert(peer_send(&peer, piece, length));
        sent += length;
    }
    struct answer answer;
    ck_assert(peer_read_answer(&peer, "POST", &answer));
    ck_assert_uint_eq(answer.status, 200);
    ck_assert_str_eq(answer.body.bytes, "done");
    answer_done(&answer);
    expect_bounded(&house, before_kib);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

/* Says no as soon as it has the head, and reads no byte of the body. */
static void say_no_early(struct stub_link *link)
{
    struct stub_request request;
    if (stub_read_head(link, &request))
        stub_say(link, "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: "
                       "6\r\n\r\nno way");
    stub_request_done(&request);
}

START_TEST(an_early_answer_reaches_a_client_that_is_still_sending)
{
    struct house house;
    house_open(&house, &(struct house_plan){.serve = say_no_early, .listener = "max_body = 0\n"});
    for (unsigned tries = 0; tries < 20; tries++) {
        struct peer peer;
        struct answer answer;
        char head[128];
        house_enter(&house, &peer);
        snprintf(head, sizeof head, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n",
                 8 * PIECE_BYTES);
        ck_assert(peer_say(&peer, head));
        for (unsigned i = 0; i < 8; i++)
            if (!peer_send(&peer, piece, PIECE_BYTES))
                break;
        ck_assert(peer_read_answer(&peer, "POST", &answer));
        ck_assert_uint_eq(answer.status, 413);
        ck_assert_str_eq(answer.body.bytes, "no way");
        answer_done(&answer);
        peer_close(&peer);
    }
    house_close(&house);
}
END_TEST

/* Answers early but goes on reading, as a backend that keeps the connection must. */
static void answer_early_and_keep(struct stub_link *link)
{
    struct stub_request request;
    while (stub_read_head(link, &request)) {
        size_t left = 3 * PIECE_BYTES;
        stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly");
        while (link->inbox.length < left && stub_receive(link))
            ;
        if (link->inbox.length < left)
            break;
        text_drop(&link->inbox, left);
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

START_TEST(after_an_early_answer_nothing_of_the_body_is_taken_for_a_request)
{
    struct house house;
    house_open(&house, &(struct house_plan){.serve = answer_early_and_keep});
    for (unsigned tries = 0; tries < 10; tries++) {
        struct peer peer;
        char head[128];
        house_enter(&house, &peer);
        snprintf(head, sizeof head, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n",
                 3 * PIECE_BYTES);
        ck_assert(peer_say(&peer, head));
        struct answer answer;
        ck_assert(peer_read_answer(&peer, "POST", &answer));
        ck_assert_uint_eq(answer.status, 200);
        ck_assert_str_eq(answer.body.bytes, "early");
        answer_done(&answer);
        for (unsigned i = 0; i < 3; i++)
            if (!peer_send(&peer, piece, PIECE_BYTES))
                break;
        peer_say(&peer, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        peer_receive_all(&peer);
        ck_assert_ptr_null(strstr(peer.inbox.bytes, "HTTP/1.1 400"));
        peer_close(&peer);
    }
    house_close(&house);
}
END_TEST

START_TEST(a_client_that_goes_away_in_the_middle_frees_its_link)
{
    struct house house;
    atomic_int poured = 0;
    house_open(&house, &(struct house_plan){.serve = pour, .story = &poured});
    unsigned before = process_descriptors(house.scene.pid);
    for (unsigned i = 0; i < 10; i++) {
        struct peer peer;
        house_enter(&house, &peer);
        peer_say(&peer, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        ck_assert(peer_receive_until(&peer, "\r\n\r\n"));
        if (i % 2 == 0)
            peer_reset(&peer);
        else
            peer_close(&peer);
    }
    eventually(process_descriptors(house.scene.pid) <= before);
    house_close(&house);
}
END_TEST

static void add_tests(TCase *tcase)
{
    /* What a sanitizer keeps of freed memory is not lb's. */
    setenv("ASAN_OPTIONS", "quarantine_size_mb=1", false);
    tcase_add_test(tcase, a_client_that_does_not_read_stops_its_backend_not_the_process);
    tcase_add_test(tcase, a_backend_that_does_not_read_stops_its_client_not_the_process);
    tcase_add_test(tcase, an_early_answer_reaches_a_client_that_is_still_sending);
    tcase_add_http1_test(tcase, after_an_early_answer_nothing_of_the_body_is_taken_for_a_request);
    tcase_add_test(tcase, a_client_that_goes_away_in_the_middle_frees_its_link);
}

CHECK_MAIN("slow and early peers do no harm", add_tests)
