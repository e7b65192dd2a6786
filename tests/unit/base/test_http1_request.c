/* SPDX-License-Identifier: Apache-2.0 */
/* Request heads, from tests/cases/http/requests.txt. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/http1.h"
#include "tests/support/check_main.h"
#include "tests/support/http_cases.h"
#include "tests/support/http_facts.h"

enum { STANDARD_MOST = 32768 };

/* --- Cases of the table ------------------------------------------------------------------------
 */

static enum http_parse parse(const struct text_case *c, const char *bytes, size_t length,
                             struct http_request *request, enum http_fault *fault)
{
    size_t most = http_cases_number(c->with, "most", STANDARD_MOST);
    return http_parse_request(request, bytes, length, most, fault);
}

/* A beginning is either not decided yet, or decided as the whole is. */
static void check_beginning(const struct text_case *c, size_t length, const char *expected,
                            size_t head_bytes)
{
    static struct http_request request;
    enum http_fault fault;
    char *bytes = exact_copy(c->input, length);
    enum http_parse outcome = parse(c, bytes, length, &request, &fault);
    const char *got = http_verdict(outcome, fault);
    ck_assert_msg(strcmp(got, expected) == 0 || (outcome == HTTP_PARTIAL && length < c->length),
                  "line %u, %s: the first %zu bytes are %s, the whole is %s", c->line, c->name,
                  length, got, expected);
    if (head_bytes > 0)
        ck_assert_msg((outcome == HTTP_COMPLETE) == (length >= head_bytes),
                      "line %u, %s: %zu bytes of %zu are %s", c->line, c->name, length, head_bytes,
                      got);
    if (outcome == HTTP_COMPLETE)
        facts_check(c, http_request_say, &request);
    free(bytes);
}

static void check_request(const struct text_case *c)
{
    static struct http_request request;
    enum http_fault fault;
    char expected[CASE_LINE_BYTES];
    http_cases_word(c->expected, expected);
    bool complete = parse(c, c->input, c->length, &request, &fault) == HTTP_COMPLETE;
    size_t head_bytes = complete ? request.bytes : 0;
    bool decided = false;
    for (size_t length = 0; length <= c->length; length++) {
        check_beginning(c, length, expected, head_bytes);
        bool now = parse(c, c->input, length, &request, &fault) != HTTP_PARTIAL;
        ck_assert_msg(now || !decided, "line %u, %s: undecided again at %zu bytes", c->line,
                      c->name, length);
        decided = now;
    }
}

START_TEST(every_request_has_the_same_verdict_at_every_split_point)
{
    ck_assert_uint_gt(http_cases_run("http/requests.txt", check_request), 150);
}
END_TEST

/* --- What a table cannot say
 * ---------------------------------------------------------------------- */

static enum http_fault fault_of(const char *bytes, size_t length)
{
    static struct http_request request;
    enum http_fault fault;
    enum http_parse outcome = http_parse_request(&request, bytes, length, STANDARD_MOST, &fault);
    ck_assert_int_eq(outcome == HTTP_INVALID, fault != HTTP_FINE);
    return fault;
}

START_TEST(every_byte_in_a_value_is_judged_alike_at_every_offset_of_a_word)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        bool fine = byte == '\t' || (byte >= 0x20 && byte != 0x7f);
        for (int offset = 0; offset < 17; offset++) {
            char head[128];
            int length = snprintf(head, sizeof head,
                                  "GET / HTTP/1.1\r\nHost: a\r\nX: %.*s%cyyyyyyyyyyyyyyyy\r\n\r\n",
                                  offset, "xxxxxxxxxxxxxxxxx", (int)byte);
            enum http_fault fault = fault_of(head, (size_t)length);
            enum http_fault expected =
                byte == '\r' || byte == '\n' ? HTTP_BAD_LINE_END : HTTP_BAD_FIELD;
            ck_assert_msg(fault == (fine ? HTTP_FINE : expected), "byte %02x at %d: %s", byte,
                          offset, http_fault_name(fault));
        }
    }
}
END_TEST

START_TEST(only_token_bytes_make_a_name)
{
    static const char allowed[] = "!#$%&'*+-.^_`|~0123456789"
                                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (unsigned byte = 0; byte < 256; byte++) {
        char head[64];
        int length =
            snprintf(head, sizeof head, "GET / HTTP/1.1\r\nHost: a\r\nX%cY: b\r\n\r\n", (int)byte);
        bool fine = (byte > 0 && strchr(allowed, (int)byte)) || byte == ':';
        ck_assert_msg((fault_of(head, (size_t)length) == HTTP_FINE) == fine, "byte %02x", byte);
    }
}
END_TEST

START_TEST(only_printable_bytes_make_a_target)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        char head[64];
        int length =
            snprintf(head, sizeof head, "GET /a%cb HTTP/1.1\r\nHost: a\r\n\r\n", (int)byte);
        bool fine = byte > 0x20 && byte < 0x7f && byte != '#';
        ck_assert_msg((fault_of(head, (size_t)length) == HTTP_FINE) == fine, "byte %02x", byte);
    }
}
END_TEST

START_TEST(a_request_leaves_nothing_behind_for_the_next_one)
{
    static const char first[] = "POST http://b:9/q?r HTTP/1.1\r\nHost: b:9\r\nContent-Length: 7\r\n"
                                "Expect: 100-continue\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
    static const char second[] = "GET / HTTP/1.0\r\n\r\n";
    static struct http_request used;
    static struct http_request fresh;
    enum http_fault fault;
    ck_assert_int_eq(http_parse_request(&used, first, sizeof first - 1, STANDARD_MOST, &fault),
                     HTTP_COMPLETE);
    ck_assert_int_eq(http_parse_request(&used, second, sizeof second - 1, STANDARD_MOST, &fault),
                     HTTP_COMPLETE);
    ck_assert_int_eq(http_parse_request(&fresh, second, sizeof second - 1, STANDARD_MOST, &fault),
                     HTTP_COMPLETE);
    ck_assert_mem_eq(&used, &fresh, offsetof(struct http_request, fields));
}
END_TEST

START_TEST(no_bytes_at_all_are_a_beginning)
{
    static struct http_request request;
    enum http_fault fault;
    ck_assert_int_eq(http_parse_request(&request, NULL, 0, STANDARD_MOST, &fault), HTTP_PARTIAL);
    ck_assert_int_eq(fault, HTTP_FINE);
}
END_TEST

START_TEST(slices_point_into_the_bytes_given)
{
    static const char head[] = "GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n";
    struct http_request request;
    enum http_fault fault;
    http_parse_request(&request, head, sizeof head - 1, STANDARD_MOST, &fault);
    ck_assert_ptr_eq(request.target.at, head + 4);
    ck_assert_ptr_eq(request.query.at, head + 7);
    ck_assert_ptr_eq(request.host.at, head + 25);
    ck_assert_ptr_eq(request.fields[0].name.at, head + 19);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, every_request_has_the_same_verdict_at_every_split_point);
    tcase_add_test(tcase, every_byte_in_a_value_is_judged_alike_at_every_offset_of_a_word);
    tcase_add_test(tcase, only_token_bytes_make_a_name);
    tcase_add_test(tcase, only_printable_bytes_make_a_target);
    tcase_add_test(tcase, a_request_leaves_nothing_behind_for_the_next_one);
    tcase_add_test(tcase, no_bytes_at_all_are_a_beginning);
    tcase_add_test(tcase, slices_point_into_the_bytes_given);
}

CHECK_MAIN("http1_request", add_tests)
