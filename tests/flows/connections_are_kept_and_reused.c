/* SPDX-License-Identifier: Apache-2.0 */
/* Keep-alive and pipelining in front, reuse of links behind, and who closes when. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/house.h"

START_TEST(many_requests_of_one_client_use_one_link)
{
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){0});
    house_enter(&house, &peer);
    for (unsigned i = 0; i < 50; i++)
        ck_assert_uint_eq(peer_get(&peer, "a.example", "/", NULL, 0), 200);
    peer_close(&peer);
    ck_assert_uint_eq(atomic_load(&house.backend.requests), 50);
    ck_assert_uint_eq(atomic_load(&house.backend.connections), 1);
    house_close(&house);
}
END_TEST

START_TEST(clients_that_come_one_after_the_other_share_links)
{
    struct house house;
    house_open(&house, &(struct house_plan){.lb = "", .pool = "idle_links = 64\n"});
    for (unsigned i = 0; i < 40; i++) {
        struct peer peer;
        house_enter(&house, &peer);
        ck_assert_uint_eq(peer_get(&peer, "a.example", "/", NULL, 0), 200);
        peer_close(&peer);
    }
    /* Two workers, each with links of its own. */
    ck_assert_uint_le(atomic_load(&house.backend.connections), 2);
    house_close(&house);
}
END_TEST

START_TEST(without_idle_links_every_request_gets_its_own)
{
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){.pool = "idle_links = 0\n"});
    house_enter(&house, &peer);
    for (unsigned i = 0; i < 5; i++)
        ck_assert_uint_eq(peer_get(&peer, "a.example", "/", NULL, 0), 200);
    peer_close(&peer);
    ck_assert_uint_eq(atomic_load(&house.backend.connections), 5);
    house_close(&house);
}
END_TEST

/* Answers with the path, so that each answer says whose it is. */
static void answer_path(struct stub_link *link)
{
    struct stub_request request;
    while (stub_read(link, &request)) {
        char path[128];
        struct text answer = {0};
        sscanf(request.head.bytes, "%*s %127s", path);
        text_add_format(&answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", strlen(path));
        if (strncmp(request.head.bytes, "HEAD", 4) != 0)
            text_add(&answer, path, strlen(path));
        stub_send(link, answer.bytes, answer.length);
        text_done(&answer);
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

START_TEST(pipelined_requests_are_answered_in_their_order)
{
    struct house house;
    struct peer peer;
    struct text all = {0};
    house_open(&house, &(struct house_plan){.serve = answer_path});
    for (unsigned i = 0; i < 100; i++)
        text_add_format(&all,
                        i % 3 == 1 ? "POST /%u HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok"
                                   : "GET /%u HTTP/1.1\r\nHost: a\r\n\r\n",
                        i);
    house_enter(&house, &peer);
    ck_assert(peer_send(&peer, all.bytes, all.length));
    for (unsigned i = 0; i < 100; i++) {
        struct answer answer;
        char path[16];
        snprintf(path, sizeof path, "/%u", i);
        ck_assert(peer_read_answer(&peer, "GET", &answer));
        ck_assert_uint_eq(answer.status, 200);
        ck_assert_str_eq(answer.body.bytes, path);
        answer_done(&answer);
    }
    peer_close(&peer);
    text_done(&all);
    house_close(&house);
}
END_TEST

START_TEST(pipelined_requests_cut_at_any_byte_are_answered_the_same)
{
    static const char three[] = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
                                "POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                                "1\r\nx\r\n0\r\n\r\n"
                                "HEAD /c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    struct house house;
    house_open(&house, &(struct house_plan){.serve = answer_path});
    for (size_t cut = 1; cut < sizeof three - 1; cut++) {
        struct peer peer;
        house_enter(&house, &peer);
        ck_assert(peer_send(&peer, three, cut));
        ck_assert(peer_send(&peer, three + cut, sizeof three - 1 - cut));
        peer_receive_all(&peer);
        ck_assert_uint_eq(text_count(peer.inbox.bytes, "HTTP/1.1 200"), 3);
        ck_assert_ptr_nonnull(strstr(peer.inbox.bytes, "\r\n\r\n/a"));
        ck_assert_ptr_nonnull(strstr(peer.inbox.bytes, "\r\n\r\n/b"));
        ck_assert_ptr_null(strstr(peer.inbox.bytes, "\r\n\r\n/c"));
        peer_close(&peer);
    }
    house_close(&house);
}
END_TEST

START_TEST(a_client_that_says_close_is_closed_after_its_answer)
{
    struct house house;
    struct peer peer;
    struct answer answer;
    char value[32] = "";
    house_open(&house, &(struct house_plan){0});
    house_enter(&house, &peer);
    peer_say(&peer, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    ck_assert(peer_read_answer(&peer, "GET", &answer));
    ck_assert(text_field(answer.head, "Connection", value, sizeof value));
    ck_assert_str_eq(value, "close");
    ck_assert(!peer_receive(&peer));
    ck_assert(!peer.was_reset);
    answer_done(&answer);
    peer_close(&peer);
    /* The client's wish is not the link's. */
    house_enter(&house, &peer);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_eq(peer_get(&peer, "a", "/", NULL, 0), 200);
    peer_close(&peer);
    ck_assert_uint_le(atomic_load(&house.backend.connections), 2);
    house_close(&house);
}
END_TEST

START_TEST(an_http_1_0_client_gets_a_body_that_it_can_read_and_a_closed_connection)
{
    struct house house;
    struct peer peer;
    struct answer answer;
    house_open(&house, &(struct house_plan){0});
    house_enter(&house, &peer);
    peer_say(&peer, "GET / HTTP/1.0\r\n\r\n");
    ck_assert(peer_read_answer(&peer, "GET", &answer));
    ck_assert_uint_eq(answer.status, 200);
    ck_assert_str_eq(answer.body.bytes, "rs-1");
    ck_assert(!peer_receive(&peer));
    answer_done(&answer);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

START_TEST(an_http_1_0_client_that_asks_for_keep_alive_gets_it)
{
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){0});
    house_enter(&house, &peer);
    for (unsigned i = 0; i < 3; i++) {
        struct answer answer;
        char value[32] = "";
        peer_say(&peer, "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
        ck_assert(peer_read_answer(&peer, "GET", &answer));
        ck_assert_uint_eq(answer.status, 200);
        ck_assert(text_field(answer.head, "Connection", value, sizeof value));
        ck_assert_str_eq(value, "keep-alive");
        answer_done(&answer);
    }
    peer_close(&peer);
    house_close(&house);
}
END_TEST

static void answer_chunked(struct stub_link *link)
{
    struct stub_request request;
    while (stub_read(link, &request)) {
        stub_say(link, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n");
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

START_TEST(an_http_1_0_client_never_sees_chunks)
{
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){.serve = answer_chunked});
    house_enter(&house, &peer);
    peer_say(&peer, "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
    peer_receive_all(&peer);
    ck_assert_ptr_nonnull(strstr(peer.inbox.bytes, "\r\n\r\nhello world"));
    ck_assert_ptr_null(strstr(peer.inbox.bytes, "chunked"));
    peer_close(&peer);
    house_close(&house);
}
END_TEST

/* The oldest kind: HTTP/1.0, its body ends with the connection. */
static void answer_as_of_old(struct stub_link *link)
{
    struct stub_request request;
    if (stub_read(link, &request))
        stub_say(link, "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end");
    stub_request_done(&request);
}

START_TEST(a_backend_of_http_1_0_is_understood_and_its_link_not_reused)
{
    struct house house;
    struct peer peer;
    char body[32];
    house_open(&house, &(struct house_plan){.serve = answer_as_of_old});
    house_enter(&house, &peer);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(peer_get(&peer, "a", "/", body, sizeof body), 200);
        ck_assert_str_eq(body, "until the end");
    }
    peer_close(&peer);
    ck_assert_uint_eq(atomic_load(&house.backend.connections), 3);
    house_close(&house);
}
END_TEST

static void answer_and_close(struct stub_link *link)
{
    struct stub_request request;
    if (stub_read(link, &request))
        stub_say(link, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    stub_request_done(&request);
}

START_TEST(a_backend_that_says_close_does_not_close_the_client)
{
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){.serve = answer_and_close});
    house_enter(&house, &peer);
    for (unsigned i = 0; i < 5; i++)
        ck_assert_uint_eq(peer_get(&peer, "a", "/", NULL, 0), 200);
    peer_close(&peer);
    ck_assert_uint_eq(atomic_load(&house.backend.connections), 5);
    house_close(&house);
}
END_TEST

/* Says that it keeps the connection, but closes it after the first answer. */
static void answer_once(struct stub_link *link)
{
    struct stub_request request;
    if (stub_read(link, &request))
        stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    stub_request_done(&request);
}

START_TEST(a_link_that_died_while_idle_is_replaced_unseen)
{
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){.serve = answer_once});
    house_enter(&house, &peer);
    for (unsigned i = 0; i < 20; i++)
        ck_assert_uint_eq(peer_get(&peer, "a", "/", NULL, 0), 200);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

START_TEST(a_half_closed_client_still_gets_its_answer)
{
    struct house house;
    struct peer peer;
    struct answer answer;
    house_open(&house, &(struct house_plan){0});
    house_enter(&house, &peer);
    peer_say(&peer, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    peer_finish(&peer);
    ck_assert(peer_read_answer(&peer, "GET", &answer));
    ck_assert_uint_eq(answer.status, 200);
    ck_assert_str_eq(answer.body.bytes, "rs-1");
    ck_assert(!peer_receive(&peer));
    answer_done(&answer);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

START_TEST(whatever_was_asked_before_a_half_close_is_answered)
{
    struct house house;
    struct peer peer;
    struct text all = {0};
    house_open(&house, &(struct house_plan){.serve = answer_path});
    for (unsigned i = 0; i < 100; i++)
        text_add_format(&all, "GET /%u HTTP/1.1\r\nHost: a\r\n\r\n", i);
    text_add_format(&all, "GET /cut HTTP/1.1\r\nHo");
    house_enter(&house, &peer);
    ck_assert(peer_send(&peer, all.bytes, all.length));
    peer_finish(&peer);
    peer_receive_all(&peer);
    ck_assert_uint_eq(text_count(peer.inbox.bytes, "HTTP/1.1 200 OK"), 100);
    ck_assert_ptr_nonnull(strstr(peer.inbox.bytes, "\r\n\r\n/99"));
    ck_assert(!peer.was_reset);
    peer_close(&peer);
    text_done(&all);
    ck_assert_uint_eq(atomic_load(&house.backend.requests), 100);
    house_close(&house);
}
END_TEST

START_TEST(with_keepalive_timeout_0_every_connection_serves_one_request)
{
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){.listener = "keepalive_timeout = 0\n"});
    house_enter(&house, &peer);
    ck_assert_uint_eq(peer_get(&peer, "a", "/", NULL, 0), 200);
    ck_assert(!peer_receive(&peer));
    peer_close(&peer);
    house_close(&house);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, many_requests_of_one_client_use_one_link);
    tcase_add_test(tcase, clients_that_come_one_after_the_other_share_links);
    tcase_add_test(tcase, without_idle_links_every_request_gets_its_own);
    tcase_add_test(tcase, pipelined_requests_are_answered_in_their_order);
    tcase_add_test(tcase, pipelined_requests_cut_at_any_byte_are_answered_the_same);
    tcase_add_test(tcase, a_client_that_says_close_is_closed_after_its_answer);
    tcase_add_http1_test(tcase,
                         an_http_1_0_client_gets_a_body_that_it_can_read_and_a_closed_connection);
    tcase_add_http1_test(tcase, an_http_1_0_client_that_asks_for_keep_alive_gets_it);
    tcase_add_http1_test(tcase, an_http_1_0_client_never_sees_chunks);
    tcase_add_test(tcase, a_backend_of_http_1_0_is_understood_and_its_link_not_reused);
    tcase_add_test(tcase, a_backend_that_says_close_does_not_close_the_client);
    tcase_add_test(tcase, a_link_that_died_while_idle_is_replaced_unseen);
    tcase_add_test(tcase, a_half_closed_client_still_gets_its_answer);
    tcase_add_test(tcase, whatever_was_asked_before_a_half_close_is_answered);
    tcase_add_test(tcase, with_keepalive_timeout_0_every_connection_serves_one_request);
}

CHECK_MAIN("connections are kept and reused", add_tests)
