/* SPDX-License-Identifier: Apache-2.0 */
/* What an http check asks, byte by byte, and what it makes of each kind of answer. */
#include "backends/health/check_http.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/check_main.h"
#include "tests/support/check_stage.h"
#include "tests/support/text.h"

static struct check_stage stage;
static struct text heard;

static void begin(void)
{
    check_stage_begin(&stage);
    heard = (struct text){0};
}

static void end(void)
{
    check_stage_end(&stage);
    text_done(&heard);
}

/* Start and take the whole request. */
static void ask(void)
{
    char piece[512];
    check_stage_start(&stage, "http");
    text_add(&heard, "", 0);
    while (!strstr(heard.bytes, "\r\n\r\n")) {
        uv_run(&stage.loop, UV_RUN_NOWAIT);
        ssize_t length = recv(stage.peer, piece, sizeof piece, MSG_DONTWAIT);
        if (length > 0)
            text_add(&heard, piece, (size_t)length);
    }
}

static void answer(const char *bytes, size_t length)
{
    ck_assert_int_eq(send(stage.peer, bytes, length, MSG_NOSIGNAL), (ssize_t)length);
}

static void say(const char *text)
{
    answer(text, strlen(text));
}

/* ---- the request ---- */

START_TEST(unset_it_is_head_of_the_root_of_the_backends_address)
{
    char wanted[256];
    ask();
    snprintf(wanted, sizeof wanted,
             "HEAD / HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: lb-health-check\r\n"
             "Accept: */*\r\nConnection: close\r\n\r\n",
             stage.port);
    ck_assert_str_eq(heard.bytes, wanted);
    check_stage_stop(&stage);
}
END_TEST

START_TEST(method_path_and_host_are_asked_for_as_written)
{
    made_pool_key(&stage.made, "health_check_method", "GET");
    made_pool_key(&stage.made, "health_check_path", "/up?deep=1");
    made_pool_key(&stage.made, "health_check_host", "www.example.com");
    ask();
    ck_assert_ptr_eq(strstr(heard.bytes, "GET /up?deep=1 HTTP/1.1\r\nHost: www.example.com\r\n"),
                     heard.bytes);
    check_stage_stop(&stage);
}
END_TEST

START_TEST(the_longest_path_and_host_are_asked_for_whole)
{
    char path[1001], host[254], wanted[2048];
    snprintf(path, sizeof path, "/%0999d", 0);
    snprintf(host, sizeof host, "%0253d", 0);
    made_pool_key(&stage.made, "health_check_path", path);
    made_pool_key(&stage.made, "health_check_host", host);
    ask();
    snprintf(wanted, sizeof wanted,
             "HEAD %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: lb-health-check\r\n"
             "Accept: */*\r\nConnection: close\r\n\r\n",
             path, host);
    ck_assert_str_eq(heard.bytes, wanted);
    check_stage_stop(&stage);
}
END_TEST

/* ---- the answer ---- */

#define CLOSED "\x01" /* the backend closes */

static const struct {
    const char *answer;
    enum check_outcome outcome;
    const char *reason;
} answers[] = {
    {"HTTP/1.1 200 OK\r\n\r\n", CHECK_PASSED, "200 OK"},
    {"HTTP/1.0 200 OK\r\n\r\n", CHECK_PASSED, "200 OK"},
    {"HTTP/1.1 200 Something else\r\nContent-Length: 7\r\n\r\n", CHECK_PASSED, "200 OK"},
    {"HTTP/1.1 499\r\n\r\n", CHECK_PASSED, "499"},
    /* A backend that does not know HEAD is up, unless codes say otherwise. */
    {"HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\nContent-Length: 0\r\n\r\n", CHECK_PASSED,
     "405 Method Not Allowed"},
    {"HTTP/1.1 501 Not Implemented\r\n\r\n", CHECK_FAILED,
     "501 Not Implemented is not among 1xx-4xx"},
    {"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", CHECK_FAILED,
     "500 Internal Server Error is not among 1xx-4xx"},
    {"HTTP/1.1 503 Full\r\n\r\n", CHECK_FAILED, "503 Service Unavailable is not among 1xx-4xx"},
    {"HTTP/1.1 999 Odd\r\n\r\n", CHECK_FAILED, "999 is not among 1xx-4xx"},
    /* Interim answers are not the answer; 101 is. */
    {"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 503 Full\r\n\r\n", CHECK_FAILED,
     "503 Service Unavailable is not among 1xx-4xx"},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", CHECK_PASSED,
     "204 No Content"},
    {"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", CHECK_PASSED,
     "101 Switching Protocols"},
    {"HTTP/1.1 100 Continue\r\n\r\n" CLOSED, CHECK_FAILED, "connection closed without an answer"},
    {CLOSED, CHECK_FAILED, "connection closed without an answer"},
    {"HTTP/1.1 200 OK\r\nContent-" CLOSED, CHECK_FAILED,
     "connection closed within the answer's head"},
    {"SSH-2.0-OpenSSH_9.2p1\r\n", CHECK_FAILED,
     "answer is not HTTP: the status line is not HTTP/1.1 SP three digits SP reason"},
    {"HTTP/1.1 20 OK\r\n\r\n", CHECK_FAILED,
     "answer is not HTTP: the status line is not HTTP/1.1 SP three digits SP reason"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", CHECK_FAILED,
     "answer is not HTTP: Content-Length and Transfer-Encoding together"},
};

START_TEST(an_answer_is_judged_by_its_status)
{
    const char *text = answers[_i].answer;
    size_t length = strcspn(text, CLOSED);
    ask();
    answer(text, length);
    if (text[length])
        shutdown(stage.peer, SHUT_WR);
    check_stage_await_result(&stage);
    ck_assert_str_eq(stage.reason, answers[_i].reason);
    ck_assert_int_eq(stage.outcome, answers[_i].outcome);
    close(stage.peer);
    stage.peer = -1;
    check_stage_await_over(&stage);
    ck_assert_uint_eq(stage.result_count, 1);
}
END_TEST

/* SETTINGS, as a server begins HTTP/2 (RFC 9113 3.4), with one setting. */
static const char http2[] = "\0\0\6\4\0\0\0\0\0\0\3\0\0\0\144";

START_TEST(a_backend_that_speaks_http2_is_told_apart)
{
    if (_i == 1)
        made_pool_key(&stage.made, "protocol", "h2");
    ask();
    answer(http2, sizeof http2 - 1);
    check_stage_await_result(&stage);
    ck_assert_int_eq(stage.outcome, CHECK_FAILED);
    ck_assert_str_eq(stage.reason,
                     _i == 1 ? "answer is not HTTP/1.1 but HTTP/2: is it health_check = h2?"
                             : "answer is not HTTP/1.1 but HTTP/2: is it protocol = h2?");
    check_stage_await_over(&stage);
}
END_TEST

START_TEST(an_answer_that_comes_byte_by_byte_is_the_same)
{
    static const char text[] = "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 302 Found\r\nA: b\r\n\r\n";
    ask();
    for (size_t i = 0; i < sizeof text - 1; i++) {
        ck_assert_uint_eq(stage.result_count, 0);
        answer(text + i, 1);
        uv_run(&stage.loop, UV_RUN_ONCE);
    }
    check_stage_await_result(&stage);
    ck_assert_str_eq(stage.reason, "302 Found");
    shutdown(stage.peer, SHUT_WR);
    check_stage_await_over(&stage);
}
END_TEST

START_TEST(codes_decide_and_are_told_as_written)
{
    made_pool_key(&stage.made, "health_check_codes", "200 3xx");
    ask();
    say("HTTP/1.1 404 Not Found\r\n\r\n");
    check_stage_await_result(&stage);
    ck_assert_int_eq(stage.outcome, CHECK_FAILED);
    ck_assert_str_eq(stage.reason, "404 Not Found is not among 200 3xx");
    check_stage_stop(&stage);
}
END_TEST

START_TEST(a_5xx_passes_where_it_is_wished)
{
    made_pool_key(&stage.made, "health_check_codes", "5xx");
    ask();
    say("HTTP/1.1 503 Full\r\n\r\n");
    check_stage_await_result(&stage);
    ck_assert_int_eq(stage.outcome, CHECK_PASSED);
    check_stage_stop(&stage);
}
END_TEST

START_TEST(a_reset_is_told_in_its_own_words)
{
    ask();
    struct linger linger = {.l_onoff = 1};
    setsockopt(stage.peer, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(stage.peer);
    stage.peer = -1;
    check_stage_await_over(&stage);
    ck_assert_int_eq(stage.outcome, CHECK_FAILED);
    ck_assert_str_eq(stage.reason, "connection reset by peer");
}
END_TEST

START_TEST(a_head_without_end_is_bounded)
{
    static char line[1024 + 2];
    memset(line, 'a', 1024);
    line[1] = ':';
    memcpy(line + 1024, "\r\n", 2);
    ask();
    say("HTTP/1.1 200 OK\r\n");
    while (stage.result_count == 0) {
        send(stage.peer, line, sizeof line, MSG_NOSIGNAL | MSG_DONTWAIT);
        uv_run(&stage.loop, UV_RUN_NOWAIT);
    }
    ck_assert_int_eq(stage.outcome, CHECK_FAILED);
    ck_assert_str_eq(stage.reason, "answer is not HTTP: its head is larger than 64 KiB");
    check_stage_stop(&stage);
}
END_TEST

START_TEST(interim_answers_without_end_are_bounded)
{
    ask();
    for (unsigned i = 0; i <= INTERIM_ANSWERS_MOST; i++)
        say("HTTP/1.1 102 Processing\r\n\r\n");
    check_stage_await_result(&stage);
    ck_assert_int_eq(stage.outcome, CHECK_FAILED);
    ck_assert_str_eq(stage.reason, "more than 16 interim (1xx) answers");
    check_stage_stop(&stage);
}
END_TEST

/* ---- the end ---- */

/* A body that is not asked for by name is read, not reset: the backend ends as with any client. */
START_TEST(a_body_of_get_is_taken_until_the_backend_is_done)
{
    static char body[256 * 1024];
    size_t sent = 0;
    char byte;
    made_pool_key(&stage.made, "health_check_method", "GET");
    ask();
    say("HTTP/1.1 200 OK\r\nContent-Length: 262144\r\n\r\n");
    while (sent < sizeof body) {
        ssize_t length =
            send(stage.peer, body + sent, sizeof body - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        sent += length > 0 ? (size_t)length : 0;
        uv_run(&stage.loop, UV_RUN_NOWAIT);
    }
    ck_assert_int_eq(stage.outcome, CHECK_PASSED);
    ck_assert_uint_eq(stage.over_count, 0);
    /* The check has ended its direction in order. */
    ck_assert_int_eq(recv(stage.peer, &byte, 1, 0), 0);
    shutdown(stage.peer, SHUT_WR);
    check_stage_await_over(&stage);
    ck_assert_uint_eq(stage.result_count, 1);
}
END_TEST

START_TEST(a_backend_that_never_closes_is_left_when_time_is_over)
{
    ask();
    say("HTTP/1.1 200 OK\r\n\r\n");
    check_stage_await_result(&stage);
    ck_assert_uint_eq(stage.over_count, 0);
    check_stop(&stage.run);
    ck_assert_uint_eq(stage.over_count, 0);
    check_stage_await_over(&stage);
    ck_assert_uint_eq(stage.result_count, 1);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, unset_it_is_head_of_the_root_of_the_backends_address);
    tcase_add_test(tcase, method_path_and_host_are_asked_for_as_written);
    tcase_add_test(tcase, the_longest_path_and_host_are_asked_for_whole);
    tcase_add_loop_test(tcase, an_answer_is_judged_by_its_status, 0,
                        sizeof answers / sizeof *answers);
    tcase_add_loop_test(tcase, a_backend_that_speaks_http2_is_told_apart, 0, 2);
    tcase_add_test(tcase, an_answer_that_comes_byte_by_byte_is_the_same);
    tcase_add_test(tcase, codes_decide_and_are_told_as_written);
    tcase_add_test(tcase, a_5xx_passes_where_it_is_wished);
    tcase_add_test(tcase, a_reset_is_told_in_its_own_words);
    tcase_add_test(tcase, a_head_without_end_is_bounded);
    tcase_add_test(tcase, interim_answers_without_end_are_bounded);
    tcase_add_test(tcase, a_body_of_get_is_taken_until_the_backend_is_done);
    tcase_add_test(tcase, a_backend_that_never_closes_is_left_when_time_is_over);
}

CHECK_MAIN("check http", add_tests)
