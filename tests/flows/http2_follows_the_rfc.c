/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What RFC 9113 and RFC 7541 say about each frame, each block and each request, right and wrong:
 * what is wrong ends the stream or the connection with the code that the RFC has for it, and never
 * arrives at a backend. tests/cases/http2 has the cases.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/house.h"
#include "tests/support/http2_script.h"
#include "tests/support/http2_wire.h"
#include "tests/support/http_cases.h"

/* Of the story that runs; http_cases_run hands nothing on. */
static struct house house;
static struct text mismatches;

static void answer_or_wait(struct stub_link *link)
{
    struct stub_request request;
    while (stub_read(link, &request)) {
        if (strstr(request.head.bytes, "/never") != NULL)
            stub_wait_for_end(link);
        else if (strncmp(request.head.bytes, "HEAD ", 5) == 0)
            stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
        else
            stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

static void open_house(void)
{
    house_open(&house, &(struct house_plan){.is_https = true, .serve = answer_or_wait});
}

/* What is true now, as words with blanks around them. */
static void tell_facts(const struct http2_wire *wire, const struct http2_answer *answer,
                       bool is_alive, struct text *facts)
{
    if (answer->status != 0)
        text_add_format(facts, " status=%u", answer->status);
    if (answer->was_reset)
        text_add_format(facts, " reset=%s", http2_script_code(answer->code));
    if (wire->was_sent_away && !is_alive)
        text_add_format(facts, " goaway=%s", http2_script_code(wire->goaway_code));
    text_add_format(facts, is_alive ? " alive " : " closed ");
}

/* One word of what is expected: is one of its alternatives a fact? */
static bool is_fact(const char *word, const char *facts)
{
    while (*word != '\0') {
        char fact[CASE_LINE_BYTES + 2];
        size_t length = strcspn(word, "|");
        snprintf(fact, sizeof fact, " %.*s ", (int)length, word);
        if (strstr(facts, fact) != NULL)
            return true;
        word += length + (word[length] == '|');
    }
    return false;
}

static bool is_about_stream(const char *expected)
{
    return strstr(expected, "status=") != NULL || strstr(expected, "reset=") != NULL;
}

static void check_case(const struct text_case *text_case)
{
    struct http2_wire wire;
    struct text facts = {0};
    char word[CASE_LINE_BYTES];
    uint32_t stream = (uint32_t)http_cases_number(text_case->with, "stream", 1);
    unsigned port = scene_port(&house.scene, "web");
    if (strstr(text_case->with, "bare") != NULL)
        http2_wire_connect(&wire, port, NULL);
    else
        http2_wire_enter(&wire, port, NULL);
    http2_script_say(&wire, text_case->name, text_case->input, text_case->length);
    bool is_alive = http2_wire_ping(&wire);
    if (is_alive && is_about_stream(text_case->expected))
        http2_wire_answer(&wire, stream);
    is_alive = is_alive && http2_wire_ping(&wire);
    tell_facts(&wire, http2_wire_so_far(&wire, stream), is_alive, &facts);
    for (const char *left = text_case->expected; (left = http_cases_word(left, word)) != NULL;)
        if (!is_fact(word, facts.bytes))
            text_add_format(&mismatches, "\nline %u, %s: it is%s(%s), not %s", text_case->line,
                            text_case->name, facts.bytes, wire.goaway_text, word);
    text_done(&facts);
    http2_wire_close(&wire);
}

static void check_table(const char *file)
{
    open_house();
    ck_assert_uint_gt(http_cases_run(file, check_case), 10);
    ck_assert_msg(mismatches.length == 0, "%s:%s", file, mismatches.bytes);
    char *heard = stub_heard(&house.backend);
    ck_assert_ptr_null(strstr(heard, "smuggled"));
    ck_assert_ptr_null(strstr(heard, "evil.example"));
    ck_assert_ptr_null(strstr(heard, "/second"));
    free(heard);
    house_close(&house);
}

START_TEST(frames_are_what_they_may_be)
{
    check_table("http2/frames.txt");
}
END_TEST

START_TEST(blocks_are_decoded_or_end_the_connection)
{
    check_table("http2/hpack.txt");
}
END_TEST

START_TEST(malformed_requests_never_arrive)
{
    check_table("http2/requests.txt");
}
END_TEST

/* 5.1.2: the stream that is too much is refused, or ends the connection. */
START_TEST(more_streams_than_allowed_are_refused)
{
    struct http2_wire wire;
    open_house();
    http2_wire_enter(&wire, scene_port(&house.scene, "web"), NULL);
    ck_assert_uint_ge(wire.streams_most, 100);
    ck_assert_uint_lt(wire.streams_most, 10000);
    for (uint32_t i = 0; i < wire.streams_most; i++)
        http2_wire_ask(&wire, "GET", "/never", NULL);
    ck_assert(http2_wire_ping(&wire));
    uint32_t one_more = http2_wire_ask(&wire, "GET", "/second", NULL);
    const struct http2_answer *answer = http2_wire_answer(&wire, one_more);
    bool is_refused = answer->was_reset && answer->code == NGHTTP2_REFUSED_STREAM;
    bool is_over = wire.was_sent_away && wire.goaway_code == NGHTTP2_PROTOCOL_ERROR;
    ck_assert(is_refused || is_over);
    http2_wire_close(&wire);
    char *heard = stub_heard(&house.backend);
    ck_assert_ptr_null(strstr(heard, "/second"));
    free(heard);
    house_close(&house);
}
END_TEST

/* 6.7: with the same payload. */
START_TEST(a_ping_comes_back_as_it_was)
{
    struct http2_wire wire;
    struct http2_frame frame;
    open_house();
    http2_wire_enter(&wire, scene_port(&house.scene, "web"), NULL);
    http2_wire_frame(&wire, NGHTTP2_PING, 0, 0, "\1\2\3\4\5\6\7\377", 8);
    while (wire.pong_count == 0)
        ck_assert(http2_wire_receive(&wire, &frame));
    ck_assert_int_eq(memcmp(wire.pong, "\1\2\3\4\5\6\7\377", 8), 0);
    http2_wire_close(&wire);
    house_close(&house);
}
END_TEST

/* However the bytes are cut, a request is a request. */
START_TEST(a_request_may_come_byte_by_byte)
{
    static const char request[] = "\0\0\x14\1\5\0\0\0\1\x82\x84\x87\x01\x0fwww.example.com";
    struct http2_wire wire;
    open_house();
    http2_wire_enter(&wire, scene_port(&house.scene, "web"), NULL);
    for (size_t i = 0; i + 1 < sizeof request; i++)
        peer_send(&wire.peer, request + i, 1);
    ck_assert_uint_eq(http2_wire_answer(&wire, 1)->status, 200);
    http2_wire_close(&wire);
    house_close(&house);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, frames_are_what_they_may_be);
    tcase_add_test(tcase, blocks_are_decoded_or_end_the_connection);
    tcase_add_test(tcase, malformed_requests_never_arrive);
    tcase_add_test(tcase, more_streams_than_allowed_are_refused);
    tcase_add_test(tcase, a_ping_comes_back_as_it_was);
    tcase_add_test(tcase, a_request_may_come_byte_by_byte);
}

CHECK_MAIN("HTTP/2 follows the RFC", add_tests)
