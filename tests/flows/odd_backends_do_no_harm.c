/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backends that misbehave while others are served: every good answer is its own client's to the
 * last byte, every other one is 502 or can be seen to be cut, and the log says what it was.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/house.h"

/* What /odd/N gets. */
/* clang-format off */
static const struct oddity {
    const char *bytes;
    bool is_502; /* else the client sees an answer that is cut */
    bool resets; /* the connection ends with a reset, not with FIN */
} oddities[] = {
    {"", true, false},
    {"", true, true},
    {"HTTP/1.1 200 OK\r\nContent-Le", true, false},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nwrong", true, false},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwrong\r\n0\r\n\r\n", true, false},
    {"\r\n\r\nwrong", true, true},
    {"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nwrong", false, false},
    {"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nwrong", false, true},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwrong\r\n", false, false},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwrong\r\nFFFFFFFFFFFFFFFFF\r\n", true, false},
    {"HTTP/1.1 200 OK\r\n\r\nwrong, and its end is a reset", false, true},
};
/* clang-format on */
enum { ODDITY_COUNT = sizeof oddities / sizeof oddities[0] };

/* A good answer repeats its path many times, so that it does not come in one piece. */
enum { ECHOES = 3000 };

static void echo(struct stub_link *link, const char *path)
{
    struct text answer = {0};
    text_add_format(&answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
                    strlen(path) * ECHOES);
    for (unsigned i = 0; i < ECHOES; i++)
        text_add(&answer, path, strlen(path));
    stub_send(link, answer.bytes, answer.length);
    text_done(&answer);
}

static void answer_oddly(struct stub_link *link)
{
    struct stub_request request;
    bool goes_on = true;
    while (goes_on && stub_read(link, &request)) {
        char path[64] = "";
        sscanf(request.head.bytes, "%*s %63s", path);
        goes_on = strncmp(path, "/odd/", 5) != 0;
        if (goes_on) {
            echo(link, path);
        } else {
            const struct oddity *oddity = &oddities[strtoul(path + 5, NULL, 10)];
            stub_say(link, oddity->bytes);
            if (oddity->resets)
                stub_reset(link);
        }
        stub_request_done(&request);
    }
    if (goes_on)
        stub_request_done(&request);
}

static bool is_echo(const struct answer *answer, const char *path)
{
    size_t length = strlen(path);
    if (answer->body.length != length * ECHOES)
        return false;
    for (size_t i = 0; i < ECHOES; i++)
        if (memcmp(answer->body.bytes + i * length, path, length) != 0)
            return false;
    return true;
}

static void expect_echo(struct peer *peer, const char *path)
{
    struct text request = {0};
    struct answer answer;
    text_add_format(&request, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
    ck_assert(peer_send(peer, request.bytes, request.length));
    ck_assert(peer_read_answer(peer, "GET", &answer));
    ck_assert_uint_eq(answer.status, 200);
    ck_assert_msg(is_echo(&answer, path), "%s is answered by %zu bytes: %.80s", path,
                  answer.body.length, answer.body.bytes);
    answer_done(&answer);
    text_done(&request);
}

/* POST: no other attempt hides what happened. false: the connection is of no use any more. */
static bool ask_odd(struct peer *peer, unsigned which)
{
    struct text request = {0};
    struct answer answer = {0};
    text_add_format(&request, "POST /odd/%u HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
                    which);
    ck_assert(peer_send(peer, request.bytes, request.length));
    bool came = peer_read_answer(peer, "POST", &answer);
    if (oddities[which].is_502) {
        ck_assert_msg(came && answer.status == 502 && answer.is_complete, "oddity %u: status %u",
                      which, answer.status);
        ck_assert_ptr_null(strstr(answer.body.bytes, "wrong"));
    } else {
        bool is_cut = !came || !answer.is_complete || peer->was_reset;
        ck_assert_msg(is_cut, "oddity %u looks complete", which);
    }
    answer_done(&answer);
    text_done(&request);
    return oddities[which].is_502;
}

START_TEST(after_502_the_connection_goes_on_with_its_own_answers)
{
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){.serve = answer_oddly});
    house_enter(&house, &peer);
    for (unsigned i = 0; i < ODDITY_COUNT; i++) {
        expect_echo(&peer, "/before");
        if (!ask_odd(&peer, i)) {
            peer_close(&peer);
            house_enter(&house, &peer);
        }
        expect_echo(&peer, "/after/it");
    }
    peer_close(&peer);
    house_close(&house);
}
END_TEST

/* An HTTP/1.0 client knows an answer's end by the connection's end alone. */
START_TEST(an_answer_without_length_that_is_cut_reaches_old_clients_as_a_reset)
{
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){.serve = answer_oddly});
    house_enter(&house, &peer);
    peer_say(&peer, "POST /odd/10 HTTP/1.0\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    peer_receive_all(&peer);
    ck_assert(peer.was_reset);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

START_TEST(the_log_says_what_each_backend_did)
{
    struct house house;
    house_open(&house, &(struct house_plan){.serve = answer_oddly});
    for (unsigned i = 0; i < ODDITY_COUNT; i++) {
        struct peer peer;
        char *log = NULL;
        house_enter(&house, &peer);
        ask_odd(&peer, i);
        peer_close(&peer);
        eventually(
            (free(log), log = scene_log(&house.scene), text_count(log, "backend.failed") == i + 1));
        char *line = strrchr(log, ' ');
        while (line > log && strncmp(line, "backend.failed", 14) != 0)
            line--;
        ck_assert_msg(strstr(line, "pool=app backend=rs-1 ") && strstr(line, " reason=") &&
                          !strstr(line, "reason=\"\""),
                      "%u: %s", i, line);
        ck_assert_msg(strstr(line, oddities[i].is_502 ? "then=502" : "then=\"the answer is cut\""),
                      "%u: %s", i, line);
        free(log);
    }
    house_close(&house);
}
END_TEST

/* --- bodies where none may be -------------------------------------------------------------- */

/* Keeps the connection: only lb can throw it away. */
static void answer_with_too_much(struct stub_link *link)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil",
        "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n",
    };
    struct stub_request request;
    while (stub_read(link, &request)) {
        char path[64] = "";
        sscanf(request.head.bytes, "%*s %63s", path);
        if (strncmp(path, "/odd/", 5) == 0)
            stub_say(link, answers[strtoul(path + 5, NULL, 10)]);
        else
            echo(link, path);
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

/* The story's own head on /odd; keeps the connection. */
static void answer_with_a_head(struct stub_link *link)
{
    struct stub_request request;
    while (stub_read(link, &request)) {
        char path[64] = "";
        sscanf(request.head.bytes, "%*s %63s", path);
        if (strcmp(path, "/odd") == 0)
            stub_say(link, link->stub->story);
        else
            echo(link, path);
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

START_TEST(a_body_where_none_may_be_is_nobody_s)
{
    static const char *const requests[] = {
        "HEAD /odd/0 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /odd/1 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /odd/2 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /odd/3 HTTP/1.1\r\nHost: a\r\n\r\n",
    };
    static const unsigned statuses[] = {200, 204, 304, 304};
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){.serve = answer_with_too_much,
                                            .lb = "", /* two workers, links are shared */
                                            .pool = "retries = 0\n"});
    for (unsigned i = 0; i < 10; i++) {
        house_enter(&house, &peer);
        unsigned status = peer_ask(&peer, requests[_i]);
        ck_assert_uint_eq(status, statuses[_i]);
        expect_echo(&peer, "/mine");
        expect_echo(&peer, "/mine/too");
        peer_close(&peer);
    }
    house_close(&house);
}
END_TEST

/* 204 ends with its head, whatever is in it; what it announces reaches nobody, and nor does what
 * comes later. */
START_TEST(what_a_204_announces_is_left_out_and_its_link_is_not_used_again)
{
    static const char *const heads[] = {
        "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\nX-Kept: yes\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\nX-Kept: yes\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nContent-Length: four\r\nX-Kept: yes\r\n\r\n",
        ("HTTP/1.1 204 No Content\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n"
         "X-Kept: yes\r\n\r\n"),
    };
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){.serve = answer_with_a_head,
                                            .story = (void *)(uintptr_t)heads[_i]});
    house_enter(&house, &peer);
    for (unsigned i = 0; i < 5; i++) {
        struct answer answer;
        ck_assert(peer_say(&peer, "POST /odd HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"));
        ck_assert(peer_read_answer(&peer, "POST", &answer));
        ck_assert_uint_eq(answer.status, 204);
        ck_assert_uint_eq(text_field_count(answer.head, "Content-Length"), 0);
        ck_assert_uint_eq(text_field_count(answer.head, "Transfer-Encoding"), 0);
        ck_assert_uint_eq(text_field_count(answer.head, "X-Kept"), 1);
        answer_done(&answer);
        expect_echo(&peer, "/mine");
    }
    /* Five links were thrown away, so that each echo has one of its own. */
    ck_assert_uint_eq(atomic_load(&house.backend.connections), 6);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

/* --- all at once --------------------------------------------------------------------------- */

enum { VISITORS = 8, VISITS = 60 };

struct visitor {
    pthread_t thread;
    struct house *house;
    unsigned number;
};

static void *visit(void *argument)
{
    struct visitor *visitor = argument;
    struct peer peer;
    house_enter(visitor->house, &peer);
    for (unsigned i = 0; i < VISITS; i++) {
        char path[64];
        snprintf(path, sizeof path, "/visitor/%u/%u", visitor->number, i);
        expect_echo(&peer, path);
        if (i % 3 == 0 && !ask_odd(&peer, (visitor->number + i / 3) % ODDITY_COUNT)) {
            peer_close(&peer);
            house_enter(visitor->house, &peer);
        }
    }
    peer_close(&peer);
    return NULL;
}

START_TEST(among_odd_answers_everyone_gets_their_own_to_the_last_byte)
{
    struct house house;
    struct visitor visitors[VISITORS];
    house_open(&house, &(struct house_plan){.serve = answer_oddly});
    for (unsigned i = 0; i < VISITORS; i++) {
        visitors[i] = (struct visitor){.house = &house, .number = i};
        ck_assert_int_eq(pthread_create(&visitors[i].thread, NULL, visit, &visitors[i]), 0);
    }
    for (unsigned i = 0; i < VISITORS; i++)
        pthread_join(visitors[i].thread, NULL);
    house_close(&house);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, after_502_the_connection_goes_on_with_its_own_answers);
    tcase_add_http1_test(tcase,
                         an_answer_without_length_that_is_cut_reaches_old_clients_as_a_reset);
    tcase_add_test(tcase, the_log_says_what_each_backend_did);
    tcase_add_loop_test(tcase, a_body_where_none_may_be_is_nobody_s, 0, 4);
    tcase_add_loop_test(tcase, what_a_204_announces_is_left_out_and_its_link_is_not_used_again, 0,
                        4);
    tcase_add_test(tcase, among_odd_answers_everyone_gets_their_own_to_the_last_byte);
}

CHECK_MAIN("odd backends do no harm", add_tests)
