/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies, trailers and interim answers through lb, in both directions and in every framing. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/house.h"

/* Bytes that differ everywhere, so that a piece that is lost, doubled or moved shows. */
static void add_pattern(struct text *into, size_t length)
{
    unsigned state = 1;
    text_add(into, "", 0);
    for (size_t i = 0; i < length; i++) {
        state = state * 1103515245u + 12345u;
        text_add(into, &(char){(char)(state >> 16)}, 1);
    }
}

/* Sends every request's body back: chunked when it came chunked, its trailers behind it. */
static void answer_with_the_body(struct stub_link *link)
{
    struct stub_request request;
    while (stub_read(link, &request)) {
        struct text answer = {0};
        bool is_chunked = text_field_count(request.head.bytes, "Transfer-Encoding") > 0;
        if (is_chunked)
            text_add_format(&answer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%zx\r\n",
                            request.body.length);
        else
            text_add_format(&answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
                            request.body.length);
        text_add(&answer, request.body.bytes, request.body.length);
        if (is_chunked)
            text_add_format(&answer, "%s0%s\r\n\r\n", request.body.length > 0 ? "\r\n" : "",
                            request.trailers.bytes);
        stub_send(link, answer.bytes, answer.length);
        text_done(&answer);
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

static void expect_back(struct peer *peer, const struct text *body, bool chunked)
{
    struct answer answer;
    ck_assert(peer_read_answer(peer, "POST", &answer));
    ck_assert_uint_eq(answer.status, 200);
    ck_assert_int_eq(answer.is_chunked, chunked);
    ck_assert(answer.is_complete);
    ck_assert_uint_eq(answer.body.length, body->length);
    ck_assert_mem_eq(answer.body.bytes, body->bytes, body->length);
    answer_done(&answer);
}

START_TEST(a_body_of_known_length_comes_back_as_it_went)
{
    static const size_t lengths[] = {0, 1, 1000, 65535, 65536, 300000};
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){.serve = answer_with_the_body});
    house_enter(&house, &peer);
    for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct text body = {0};
        struct text request = {0};
        add_pattern(&body, lengths[i]);
        text_add_format(&request, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n",
                        lengths[i]);
        text_add(&request, body.bytes, body.length);
        ck_assert(peer_send(&peer, request.bytes, request.length));
        expect_back(&peer, &body, false);
        text_done(&body);
        text_done(&request);
    }
    peer_close(&peer);
    house_close(&house);
}
END_TEST

START_TEST(a_chunked_body_comes_back_whatever_its_chunks)
{
    static const size_t chunks[] = {1, 7, 1024, 70000};
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){.serve = answer_with_the_body});
    house_enter(&house, &peer);
    for (unsigned i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        struct text body = {0};
        struct text request = {0};
        add_pattern(&body, i == 0 ? 2000 : 200000);
        text_add_format(&request,
                        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (size_t at = 0; at < body.length; at += chunks[i]) {
            size_t length = body.length - at < chunks[i] ? body.length - at : chunks[i];
            text_add_format(&request, "%zX;name=value\r\n", length);
            text_add(&request, body.bytes + at, length);
            text_add(&request, "\r\n", 2);
        }
        text_add_format(&request, "0\r\n\r\n");
        ck_assert(peer_send(&peer, request.bytes, request.length));
        expect_back(&peer, &body, true);
        text_done(&body);
        text_done(&request);
    }
    peer_close(&peer);
    house_close(&house);
}
END_TEST

START_TEST(trailers_pass_both_ways)
{
    struct house house;
    struct peer peer;
    struct answer answer;
    house_open(&house, &(struct house_plan){.serve = answer_with_the_body});
    house_enter(&house, &peer);
    peer_say(&peer,
             "POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n"
             "2\r\nok\r\n0\r\nX-Sum: 17\r\nX-Also: b\r\n\r\n");
    ck_assert(peer_read_answer(&peer, "POST", &answer));
    ck_assert_str_eq(answer.body.bytes, "ok");
    ck_assert_ptr_nonnull(strstr(answer.trailers, "\r\nX-Sum: 17"));
    ck_assert_ptr_nonnull(strstr(answer.trailers, "\r\nX-Also: b"));
    answer_done(&answer);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

START_TEST(trailers_cannot_say_what_only_a_head_may_say)
{
    struct house house;
    struct peer peer;
    struct answer answer;
    house_open(&house, &(struct house_plan){.serve = answer_with_the_body});
    house_enter(&house, &peer);
    peer_say(&peer, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nHost: evil\r\n"
                    "Connection: x-fine\r\nX-SSL-Client-Verify: SUCCESS\r\n\r\n");
    if (peer_read_answer(&peer, "POST", &answer))
        ck_assert(answer.status == 200 || answer.status == 400);
    answer_done(&answer);
    char *heard = stub_heard(&house.backend);
    ck_assert_ptr_null(strstr(heard, "evil"));
    ck_assert_ptr_null(strstr(heard, "SUCCESS"));
    ck_assert_ptr_null(strcasestr(heard, "Content-Length: 5"));
    free(heard);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

START_TEST(a_client_that_expects_100_gets_it_before_it_sends)
{
    struct house house;
    struct peer peer;
    struct answer answer;
    house_open(&house, &(struct house_plan){.serve = answer_with_the_body});
    house_enter(&house, &peer);
    for (unsigned i = 0; i < 3; i++) {
        peer_say(&peer, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
                        "Expect: 100-continue\r\n\r\n");
        ck_assert(peer_read_answer(&peer, "POST", &answer));
        ck_assert_uint_eq(answer.status, 100);
        answer_done(&answer);
        peer_say(&peer, "hello");
        ck_assert(peer_read_answer(&peer, "POST", &answer));
        ck_assert_uint_eq(answer.status, 200);
        ck_assert_str_eq(answer.body.bytes, "hello");
        answer_done(&answer);
    }
    peer_close(&peer);
    house_close(&house);
}
END_TEST

START_TEST(an_unknown_expectation_is_not_silently_ignored)
{
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){0});
    house_enter(&house, &peer);
    unsigned status = peer_ask(&peer, "GET / HTTP/1.1\r\nHost: a\r\nExpect: a-miracle\r\n\r\n");
    ck_assert_msg(status == 417 || status == 400, "%u", status);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

/* The answer that the path asks for. */
static void answer_as_asked(struct stub_link *link)
{
    struct stub_request request;
    while (stub_read(link, &request)) {
        const char *head = request.head.bytes;
        if (strncmp(head, "HEAD", 4) == 0)
            stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nX-A: b\r\n\r\n");
        else if (strstr(head, " /204 ") != NULL)
            stub_say(link, "HTTP/1.1 204 No Content\r\n\r\n");
        else if (strstr(head, " /304 ") != NULL)
            stub_say(link,
                     "HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\nETag: \"x\"\r\n\r\n");
        else if (strstr(head, " /hints ") != NULL)
            stub_say(link, "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
                           "HTTP/1.1 102 Processing\r\n\r\n"
                           "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        else if (strstr(head, " /strange ") != NULL)
            stub_say(link, "HTTP/1.1 599 Own Words\r\nContent-Length: 0\r\n\r\n");
        else
            stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

START_TEST(head_has_the_length_but_no_body)
{
    struct house house;
    struct peer peer;
    struct answer answer;
    char value[32] = "";
    house_open(&house, &(struct house_plan){.serve = answer_as_asked});
    house_enter(&house, &peer);
    for (unsigned i = 0; i < 3; i++) {
        peer_say(&peer, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
        ck_assert(peer_read_answer(&peer, "HEAD", &answer));
        ck_assert_uint_eq(answer.status, 200);
        ck_assert(text_field(answer.head, "Content-Length", value, sizeof value));
        ck_assert_str_eq(value, "12345");
        answer_done(&answer);
        ck_assert_uint_eq(peer_get(&peer, "a", "/", NULL, 0), 200);
    }
    peer_close(&peer);
    ck_assert_uint_eq(atomic_load(&house.backend.connections), 1);
    house_close(&house);
}
END_TEST

START_TEST(answers_that_have_no_body_keep_the_connection)
{
    struct house house;
    struct peer peer;
    struct answer answer;
    char value[32] = "";
    house_open(&house, &(struct house_plan){.serve = answer_as_asked});
    house_enter(&house, &peer);
    ck_assert_uint_eq(peer_get(&peer, "a", "/204", NULL, 0), 204);
    peer_say(&peer, "GET /304 HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(peer_read_answer(&peer, "GET", &answer));
    ck_assert_uint_eq(answer.status, 304);
    ck_assert(text_field(answer.head, "ETag", value, sizeof value));
    ck_assert_str_eq(value, "\"x\"");
    answer_done(&answer);
    ck_assert_uint_eq(peer_get(&peer, "a", "/strange", NULL, 0), 599);
    ck_assert_uint_eq(peer_get(&peer, "a", "/", NULL, 0), 200);
    peer_close(&peer);
    ck_assert_uint_eq(atomic_load(&house.backend.connections), 1);
    house_close(&house);
}
END_TEST

START_TEST(interim_answers_reach_an_http_1_1_client_before_the_final_one)
{
    struct house house;
    struct peer peer;
    struct answer answer;
    static const unsigned wanted[] = {103, 102, 200};
    house_open(&house, &(struct house_plan){.serve = answer_as_asked});
    house_enter(&house, &peer);
    peer_say(&peer, "GET /hints HTTP/1.1\r\nHost: a\r\n\r\n");
    for (unsigned i = 0; i < 3; i++) {
        ck_assert(peer_read_answer(&peer, "GET", &answer));
        ck_assert_uint_eq(answer.status, wanted[i]);
        answer_done(&answer);
    }
    peer_close(&peer);
    house_close(&house);
}
END_TEST

START_TEST(interim_answers_never_reach_an_http_1_0_client)
{
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){.serve = answer_as_asked});
    house_enter(&house, &peer);
    peer_say(&peer, "GET /hints HTTP/1.0\r\nHost: a\r\n\r\n");
    peer_receive_all(&peer);
    ck_assert_ptr_null(strstr(peer.inbox.bytes, "103"));
    ck_assert_ptr_null(strstr(peer.inbox.bytes, "102"));
    ck_assert_ptr_nonnull(strstr(peer.inbox.bytes, " 200 "));
    peer_close(&peer);
    house_close(&house);
}
END_TEST

START_TEST(a_body_beyond_max_body_gets_413_and_an_endless_one_too)
{
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){.listener = "max_body = 1k\n"});
    house_enter(&house, &peer);
    ck_assert_uint_eq(peer_ask(&peer, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1025\r\n\r\n"),
                      413);
    peer_close(&peer);
    house_enter(&house, &peer);
    struct text request = {0};
    text_add_format(&request, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (unsigned i = 0; i < 2000; i++)
        text_add_format(&request, "1\r\nx\r\n");
    ck_assert_uint_eq(peer_ask(&peer, request.bytes), 413);
    text_done(&request);
    ck_assert(peer_ends_here(&peer));
    peer_close(&peer);
    ck_assert_uint_eq(atomic_load(&house.backend.requests), 0);
    house_close(&house);
}
END_TEST

START_TEST(a_head_beyond_max_head_gets_431_and_the_end)
{
    struct house house;
    struct peer peer;
    struct text request = {0};
    house_open(&house, &(struct house_plan){.listener = "max_head = 4k\n"});
    text_add_format(&request, "GET / HTTP/1.1\r\nHost: a\r\nX-Long: ");
    for (unsigned i = 0; i < 1000; i++)
        text_add_format(&request, "0123456789");
    house_enter(&house, &peer);
    ck_assert_uint_eq(peer_ask(&peer, request.bytes), 431);
    peer_receive_all(&peer);
    peer_close(&peer);
    text_done(&request);
    ck_assert_uint_eq(atomic_load(&house.backend.connections), 0);
    house_close(&house);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_body_of_known_length_comes_back_as_it_went);
    tcase_add_test(tcase, a_chunked_body_comes_back_whatever_its_chunks);
    tcase_add_test(tcase, trailers_pass_both_ways);
    tcase_add_test(tcase, trailers_cannot_say_what_only_a_head_may_say);
    tcase_add_test(tcase, a_client_that_expects_100_gets_it_before_it_sends);
    tcase_add_test(tcase, an_unknown_expectation_is_not_silently_ignored);
    tcase_add_test(tcase, head_has_the_length_but_no_body);
    tcase_add_test(tcase, answers_that_have_no_body_keep_the_connection);
    tcase_add_test(tcase, interim_answers_reach_an_http_1_1_client_before_the_final_one);
    tcase_add_http1_test(tcase, interim_answers_never_reach_an_http_1_0_client);
    tcase_add_test(tcase, a_body_beyond_max_body_gets_413_and_an_endless_one_too);
    tcase_add_http1_test(tcase, a_head_beyond_max_head_gets_431_and_the_end);
}

CHECK_MAIN("bodies pass both ways", add_tests)
