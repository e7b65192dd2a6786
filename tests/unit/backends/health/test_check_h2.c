/* SPDX-License-Identifier: Apache-2.0 */
/* What checks over HTTP/2 ask, and what they make of each kind of answer, frame by frame. */
#include "backends/health/check_h2.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/check_main.h"
#include "tests/support/check_stage.h"
#include "tests/support/text.h"

enum { HEADERS = 1, RST_STREAM = 3, SETTINGS = 4, PING = 6, GOAWAY = 7 };
enum { END_STREAM = 1, END_HEADERS = 4 };

static struct check_stage stage;
static struct text asked; /* "name: value\n" …, then the body */
static bool has_request;  /* all of it */
static struct text said;  /* frames for the check */

static void begin(void)
{
    check_stage_begin(&stage);
    asked = said = (struct text){0};
    has_request = false;
}

static void end(void)
{
    check_stage_end(&stage);
    text_done(&asked);
    text_done(&said);
}

/* ---- the request, as a server that speaks HTTP/2 reads it ---- */

static int note_field(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                      size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags,
                      void *user)
{
    (void)session;
    (void)frame;
    (void)flags;
    (void)user;
    text_add(&asked, (const char *)name, name_length);
    text_add(&asked, ": ", 2);
    text_add(&asked, (const char *)value, value_length);
    text_add(&asked, "\n", 1);
    return 0;
}

static int note_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *bytes,
                     size_t length, void *user)
{
    (void)session;
    (void)flags;
    (void)stream;
    (void)user;
    text_add(&asked, (const char *)bytes, length);
    return 0;
}

static int note_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)session;
    (void)user;
    has_request |= frame->hd.stream_id == 1 && frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    return 0;
}

static nghttp2_session *server(void)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_session *session;
    ck_assert_int_eq(nghttp2_session_callbacks_new(&callbacks), 0);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, note_field);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, note_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, note_frame);
    ck_assert_int_eq(nghttp2_session_server_new(&session, callbacks, NULL), 0);
    nghttp2_session_callbacks_del(callbacks);
    return session;
}

/* Start and take the whole request. */
static void ask(const char *name)
{
    uint8_t piece[512];
    check_stage_start(&stage, name);
    nghttp2_session *session = server();
    while (!has_request) {
        uv_run(&stage.loop, UV_RUN_NOWAIT);
        ssize_t length = recv(stage.peer, piece, sizeof piece, MSG_DONTWAIT);
        if (length > 0)
            ck_assert_int_eq(nghttp2_session_mem_recv(session, piece, (size_t)length), length);
    }
    nghttp2_session_del(session);
}

static void stop(void)
{
    check_stage_stop(&stage);
    ck_assert_uint_eq(stage.result_count, 0);
}

START_TEST(h2_asks_as_http_does)
{
    char wanted[256];
    ask("h2");
    snprintf(wanted, sizeof wanted,
             ":method: HEAD\n:scheme: http\n:authority: 127.0.0.1:%u\n:path: /\n"
             "user-agent: lb-health-check\naccept: */*\n",
             stage.port);
    ck_assert_str_eq(asked.bytes, wanted);
    stop();
}
END_TEST

START_TEST(h2_asks_by_the_keys_that_http_has)
{
    made_pool_key(&stage.made, "health_check_method", "GET");
    made_pool_key(&stage.made, "health_check_path", "/up?deep=1");
    made_pool_key(&stage.made, "health_check_host", "www.example.com");
    ask("h2");
    ck_assert_str_eq(asked.bytes, ":method: GET\n:scheme: http\n:authority: www.example.com\n"
                                  ":path: /up?deep=1\nuser-agent: lb-health-check\naccept: */*\n");
    stop();
}
END_TEST

START_TEST(grpc_asks_about_a_service_and_says_how_long_it_waits)
{
    static const char fields[] =
        ":method: POST\n:scheme: http\n:authority: rs.example.com\n"
        ":path: /grpc.health.v1.Health/Check\nuser-agent: lb-health-check\nte: trailers\n"
        "content-type: application/grpc\ngrpc-timeout: 1500m\n";
    static const char body[] = "\0\0\0\0\x05\x0a\x03"
                               "a.B";
    made_pool_key(&stage.made, "health_check_host", "rs.example.com");
    made_pool_key(&stage.made, "health_check", "grpc");
    made_pool_key(&stage.made, "health_check_service", "a.B");
    made_pool_key(&stage.made, "health_check_timeout", "1500ms");
    ask("grpc");
    ck_assert_uint_eq(asked.length, sizeof fields - 1 + sizeof body - 1);
    ck_assert_mem_eq(asked.bytes, fields, sizeof fields - 1);
    ck_assert_mem_eq(asked.bytes + sizeof fields - 1, body, sizeof body - 1);
    stop();
}
END_TEST

/* ---- answers, frame by frame ---- */

static void frame(unsigned type, unsigned flags, unsigned stream, const char *bytes, size_t length)
{
    const char head[] = {0, (char)(length >> 8), (char)length, (char)type, (char)flags, 0, 0,
                         0, (char)stream};
    text_add(&said, head, sizeof head);
    text_add(&said, bytes, length);
}

/* A field without an index (RFC 7541 6.2.2), short enough for lengths of one byte. */
static void put_field(struct text *block, const char *name, const char *value)
{
    const char name_head[] = {0, (char)strlen(name)};
    const char value_head[] = {(char)strlen(value)};
    text_add(block, name_head, 2);
    text_add(block, name, strlen(name));
    text_add(block, value_head, 1);
    text_add(block, value, strlen(value));
}

/* "name: value\n" … as HEADERS. */
static void head(const char *lines, unsigned flags)
{
    struct text block = {0};
    char name[64], value[128];
    text_add(&block, "", 0);
    for (int used; sscanf(lines, "%63[^\n ] %127[^\n]\n%n", name, value, &used) == 2;
         lines += used) {
        name[strlen(name) - 1] = '\0'; /* the colon behind it */
        put_field(&block, name, value);
    }
    frame(HEADERS, flags | END_HEADERS, 1, block.bytes, block.length);
    text_done(&block);
}

static void settings(void)
{
    frame(SETTINGS, 0, 0, "", 0);
}

static void send_all(void)
{
    ck_assert_int_eq(send(stage.peer, said.bytes, said.length, MSG_NOSIGNAL), (ssize_t)said.length);
}

static void expect_result(enum check_outcome outcome, const char *reason)
{
    check_stage_await_result(&stage);
    ck_assert_str_eq(stage.reason, reason);
    ck_assert_int_eq(stage.outcome, outcome);
    close(stage.peer);
    stage.peer = -1;
    check_stage_await_over(&stage);
    ck_assert_uint_eq(stage.result_count, 1);
}

static void say(void)
{
    send_all();
    shutdown(stage.peer, SHUT_WR);
}

static void good_answer(void)
{
    settings();
    head(":status: 200\ncontent-type: application/grpc\n", 0);
    frame(0, 0, 1, "\0\0\0\0\x02\x08\x01", 7);
    head("grpc-status: 0\n", END_STREAM);
}

START_TEST(an_answer_that_says_serving_passes)
{
    ask("grpc");
    good_answer();
    say();
    expect_result(CHECK_PASSED, "serving");
}
END_TEST

START_TEST(an_answer_that_comes_byte_by_byte_is_the_same)
{
    ask("grpc");
    good_answer();
    for (size_t i = 0; i < said.length; i++) {
        ck_assert_uint_eq(stage.result_count, 0);
        ck_assert_int_eq(send(stage.peer, said.bytes + i, 1, MSG_NOSIGNAL), 1);
        uv_run(&stage.loop, UV_RUN_ONCE);
    }
    expect_result(CHECK_PASSED, "serving");
}
END_TEST

START_TEST(the_backend_is_told_that_the_connection_ends)
{
    uint8_t bytes[512];
    uint8_t last = 0;
    ask("grpc");
    good_answer();
    send_all();
    check_stage_await_result(&stage);
    while (stage.over_count == 0) {
        uv_run(&stage.loop, UV_RUN_NOWAIT);
        ssize_t length = recv(stage.peer, bytes, sizeof bytes, MSG_DONTWAIT);
        for (ssize_t at = 0; length > 0 && at + 9 <= length; at += 9 + bytes[at + 2])
            last = bytes[at + 3];
        if (length == 0)
            shutdown(stage.peer, SHUT_WR);
    }
    ck_assert_uint_eq(last, GOAWAY);
}
END_TEST

START_TEST(what_is_told_of_a_connection_meanwhile_does_not_matter)
{
    ask("grpc");
    settings();
    frame(SETTINGS, 1, 0, "", 0);
    frame(PING, 0, 0, "12345678", 8);
    frame(8, 0, 0, "\0\0\x10\0", 4);
    frame(0xbe, 7, 0, "unknown", 7);
    head(":status: 103\nlink: </a>\ngrpc-status: 5\ncontent-type: text/html\n", 0);
    head(":status: 200\ncontent-type: application/grpc\n", 0);
    frame(0, 0, 1, "\0\0\0", 3);
    frame(0, 0, 1, "\0\x02\x08\x01", 4);
    head("grpc-status: 0\ncontent-type: odd\n", END_STREAM);
    frame(RST_STREAM, 0, 1, "\0\0\0\0", 4);
    frame(GOAWAY, 0, 0, "\0\0\0\1\0\0\0\0", 8);
    say();
    expect_result(CHECK_PASSED, "serving");
}
END_TEST

START_TEST(a_status_in_trailers_alone_is_heard)
{
    ask("grpc");
    settings();
    head(":status: 200\ncontent-type: application/grpc\ngrpc-status: 12\ngrpc-message: no\tsuch\n",
         END_STREAM);
    say();
    expect_result(CHECK_FAILED, "backend has no health service (grpc.health.v1.Health): "
                                "grpc-status 12 (unimplemented): no?such");
}
END_TEST

START_TEST(a_status_in_a_head_that_trailers_follow_does_not_count)
{
    ask("grpc");
    settings();
    head(":status: 200\ncontent-type: application/grpc\ngrpc-status: 0\n", 0);
    frame(0, 0, 1, "\0\0\0\0\x02\x08\x01", 7);
    head("x-other: 1\n", END_STREAM);
    say();
    expect_result(CHECK_FAILED, "answer ended without grpc-status");
}
END_TEST

START_TEST(a_page_is_judged_by_its_head)
{
    ask("grpc");
    settings();
    head(":status: 415\ncontent-type: text/html\n", 0);
    send_all();
    expect_result(CHECK_FAILED, "answer is not gRPC: its status is 415 Unsupported Media Type");
}
END_TEST

START_TEST(codes_decide_for_h2)
{
    made_pool_key(&stage.made, "health_check_codes", _i == 0 ? "1xx-4xx" : "200");
    ask("h2");
    settings();
    head(":status: 404\n", 0);
    send_all();
    if (_i == 0)
        expect_result(CHECK_PASSED, "404 Not Found");
    else
        expect_result(CHECK_FAILED, "404 Not Found is not among 200");
}
END_TEST

/* ---- what is no answer ---- */

static void say_nothing(void)
{
}

static void say_settings(void)
{
    settings();
}

static void cut_head(void)
{
    settings();
    frame(HEADERS, 0, 1, "\x88", 1);
}

static void cut_body(void)
{
    settings();
    head(":status: 200\ncontent-type: application/grpc\n", 0);
}

static void http1(void)
{
    text_add(&said, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", 47);
}

static void noise(void)
{
    text_add(&said, "SSH-2.0-OpenSSH_9.2p1\r\n", 23);
}

static void no_settings(void)
{
    head(":status: 200\n", END_STREAM);
}

static void reset(void)
{
    settings();
    frame(RST_STREAM, 0, 1, "\0\0\0\7", 4);
}

static void goaway(void)
{
    settings();
    frame(GOAWAY, 0, 0,
          "\0\0\0\0\0\0\0\x0b"
          "too_many_pings",
          22);
}

static void upper_case_name(void)
{
    settings();
    head(":status: 200\nContent-Type: application/grpc\n", END_STREAM);
}

static void bad_block(void)
{
    settings();
    frame(HEADERS, END_HEADERS | END_STREAM, 1, "\xff\xff\xff\xff\xff\xff", 6);
}

static void other_stream(void)
{
    settings();
    frame(HEADERS, END_HEADERS | END_STREAM, 3, "\x88", 1);
}

static void push(void)
{
    settings();
    frame(SETTINGS, 1, 0, "", 0);
    frame(5, END_HEADERS, 1, "\0\0\0\2\x82\x86\x84", 7);
}

static void data_before_head(void)
{
    settings();
    frame(0, END_STREAM, 1, "x", 1);
}

static void many_interim(void)
{
    settings();
    for (int i = 0; i <= INTERIM_ANSWERS_MOST; i++)
        head(":status: 103\n", 0);
}

static void many_fields(void)
{
    struct text block = {0};
    settings();
    text_add(&block, "\x88", 1);
    for (int i = 0; i < HEAD_FIELDS_MOST; i++)
        put_field(&block, "a", "b");
    frame(HEADERS, END_HEADERS | END_STREAM, 1, block.bytes, block.length);
    text_done(&block);
}

static void cut_ping(void)
{
    settings();
    frame(PING, 0, 0, "1234567", 7);
}

static const struct {
    void (*speak)(void);
    const char *reason;
} refusals[] = {
    {say_nothing, "connection closed without an answer"},
    {say_settings, "connection closed without an answer"},
    {cut_head, "connection closed without an answer"},
    {cut_body, "connection closed within the answer"},
    {http1, "backend does not speak HTTP/2: it answered in HTTP/1"},
    {noise, "backend does not speak HTTP/2"},
    {no_settings, "backend does not speak HTTP/2"},
    {reset, "backend reset the request: REFUSED_STREAM"},
    {goaway, "backend ended the connection: ENHANCE_YOUR_CALM"},
    {upper_case_name, "answer breaks HTTP/2: Invalid HTTP header field was received"},
    {bad_block, "answer breaks HTTP/2: COMPRESSION_ERROR"},
    {other_stream, "answer breaks HTTP/2: Protocol error"},
    {push, "answer breaks HTTP/2: Protocol error"},
    {data_before_head, "answer breaks HTTP/2: PROTOCOL_ERROR"},
    {many_interim, "too many interim (1xx) answers"},
    {many_fields, "answer has too many fields"},
    {cut_ping, "answer breaks HTTP/2: FRAME_SIZE_ERROR"},
};

START_TEST(what_is_no_answer_is_told_as_what_it_is)
{
    ask("grpc");
    refusals[_i].speak();
    if (said.length > 0)
        send_all();
    shutdown(stage.peer, SHUT_WR);
    expect_result(CHECK_FAILED, refusals[_i].reason);
}
END_TEST

START_TEST(who_talks_without_answering_is_not_listened_to_for_long)
{
    ask("grpc");
    settings();
    for (int i = 0; i < 4096; i++)
        frame(0xbe, 0, 0, "nothing", 7);
    while (stage.result_count == 0) {
        send(stage.peer, said.bytes, said.length, MSG_NOSIGNAL | MSG_DONTWAIT);
        uv_run(&stage.loop, UV_RUN_NOWAIT);
    }
    expect_result(CHECK_FAILED, "backend says much and does not answer");
}
END_TEST

START_TEST(a_run_may_be_stopped_at_any_time_and_started_again)
{
    ask("grpc");
    stop();
    close(stage.peer);
    stage.over_count = 0;
    check_start(&stage.run);
    check_stage_accept(&stage);
    while (stage.run.state != CHECK_ASKING)
        uv_run(&stage.loop, UV_RUN_ONCE);
    good_answer();
    say();
    expect_result(CHECK_PASSED, "serving");
}
END_TEST

/* A reload may give the run another check while its last connection still closes. */
START_TEST(what_a_run_kept_is_freed_whatever_it_checks_next)
{
    ask("grpc");
    check_stop(&stage.run);
    stage.run.check = check_find("tcp");
    check_stage_await_over(&stage);
    ck_assert_ptr_null(stage.run.h2);
}
END_TEST

#define COUNT(table) ((int)(sizeof table / sizeof *table))

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, h2_asks_as_http_does);
    tcase_add_test(tcase, h2_asks_by_the_keys_that_http_has);
    tcase_add_test(tcase, grpc_asks_about_a_service_and_says_how_long_it_waits);
    tcase_add_test(tcase, an_answer_that_says_serving_passes);
    tcase_add_test(tcase, an_answer_that_comes_byte_by_byte_is_the_same);
    tcase_add_test(tcase, the_backend_is_told_that_the_connection_ends);
    tcase_add_test(tcase, what_is_told_of_a_connection_meanwhile_does_not_matter);
    tcase_add_test(tcase, a_status_in_trailers_alone_is_heard);
    tcase_add_test(tcase, a_status_in_a_head_that_trailers_follow_does_not_count);
    tcase_add_test(tcase, a_page_is_judged_by_its_head);
    tcase_add_loop_test(tcase, codes_decide_for_h2, 0, 2);
    tcase_add_loop_test(tcase, what_is_no_answer_is_told_as_what_it_is, 0, COUNT(refusals));
    tcase_add_test(tcase, who_talks_without_answering_is_not_listened_to_for_long);
    tcase_add_test(tcase, a_run_may_be_stopped_at_any_time_and_started_again);
    tcase_add_test(tcase, what_a_run_kept_is_freed_whatever_it_checks_next);
}

CHECK_MAIN("check h2", add_tests)
