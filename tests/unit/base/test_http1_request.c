/* SPDX-License-Identifier: Apache-2.0 */
/* Request heads, from tests/cases/http/requests.txt. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/http1.h"
#include "tests/support/check_main.h"
#include "tests/support/http_cases.h"
#include "tests/support/http_faults.h"

enum { STANDARD_MOST = 32768 };

/* --- What a table may ask about a request
 * --------------------------------------------------------- */

static const char *const framings[] = {
    [HTTP_NO_BODY] = "none",
    [HTTP_LENGTH] = "length",
    [HTTP_CHUNKED] = "chunked",
    [HTTP_UNTIL_CLOSE] = "close",
};

struct answer_text {
    char text[CASE_LINE_BYTES];
    size_t length;
};

static void say(struct answer_text *into, struct slice text)
{
    ck_assert_uint_lt(into->length + text.length, sizeof into->text);
    memcpy(into->text + into->length, text.at, text.length);
    into->length += text.length;
}

static void say_number(struct answer_text *into, unsigned long long number)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%llu", number);
    say(into, slice_of(digits));
}

static void say_switch(struct answer_text *into, bool on)
{
    say(into, slice_of(on ? "yes" : "no"));
}

static void say_hop_by_hop(struct answer_text *into, const struct http_request *request)
{
    for (unsigned i = 0; i < request->field_count; i++) {
        if (!request->fields[i].hop_by_hop)
            continue;
        if (into->length > 0)
            say(into, slice_of(","));
        say(into, request->fields[i].name);
    }
}

static void say_value(struct answer_text *into, const struct http_request *request,
                      const char *name)
{
    for (unsigned i = 0; i < request->field_count; i++) {
        if (slice_is(request->fields[i].name, name)) {
            say(into, request->fields[i].value);
            return;
        }
    }
    ck_abort_msg("there is no field %s", name);
}

static void say_text_or_none(struct answer_text *into, struct slice text)
{
    say(into, text.at ? text : slice_of("none"));
}

static void look_up(struct answer_text *into, const struct http_request *request, const char *key)
{
    const struct {
        const char *key;
        struct slice text;
    } texts[] = {
        {"method", request->method_text},  {"target", request->target},
        {"path", request->path},           {"host", request->host},
        {"authority", request->authority}, {"framing", slice_of(framings[request->framing])},
    };
    const struct {
        const char *key;
        unsigned long long number;
    } numbers[] = {
        {"port", request->port},   {"minor", request->minor},        {"length", request->length},
        {"bytes", request->bytes}, {"fields", request->field_count},
    };
    const struct {
        const char *key;
        bool on;
    } switches[] = {
        {"keep_alive", request->keep_alive},
        {"continue", request->expects_continue},
        {"known_method", request->method != HTTP_OTHER_METHOD},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (strcmp(key, texts[i].key) == 0) {
            if (texts[i].text.length > 0)
                say(into, texts[i].text);
            return;
        }
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (strcmp(key, numbers[i].key) == 0) {
            say_number(into, numbers[i].number);
            return;
        }
    }
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++) {
        if (strcmp(key, switches[i].key) == 0) {
            say_switch(into, switches[i].on);
            return;
        }
    }
    if (strcmp(key, "query") == 0)
        say_text_or_none(into, request->query);
    else if (strcmp(key, "upgrade") == 0)
        say_text_or_none(into, request->wants_upgrade ? request->upgrade : (struct slice){NULL, 0});
    else if (strcmp(key, "hop") == 0)
        say_hop_by_hop(into, request);
    else if (strncmp(key, "value.", 6) == 0)
        say_value(into, request, key + 6);
    else
        ck_abort_msg("nothing is called %s", key);
}

/* --- Checking a case
 * ------------------------------------------------------------------------------ */

static void check_words(const struct text_case *c, const struct http_request *request)
{
    char word[CASE_LINE_BYTES];
    char expected[CASE_LINE_BYTES];
    const char *words = http_cases_word(c->expected, word);
    while ((words = http_cases_word(words, word))) {
        struct answer_text got = {.length = 0};
        char *value = strchr(word, '=');
        ck_assert_msg(value != NULL, "line %u: %s is not KEY=VALUE", c->line, word);
        *value++ = '\0';
        look_up(&got, request, word);
        size_t length = http_cases_decode(value, expected, sizeof expected);
        ck_assert_msg(got.length == length && memcmp(got.text, expected, length) == 0,
                      "line %u, %s: %s is \"%.*s\", not \"%s\"", c->line, c->name, word,
                      (int)got.length, got.text, value);
    }
}

static const char *verdict(enum http_parse parse, enum http_fault fault)
{
    switch (parse) {
    case HTTP_COMPLETE:
        return "fine";
    case HTTP_PARTIAL:
        return "partial";
    case HTTP_INVALID:
        return http_fault_name(fault);
    }
    return "";
}

/* A beginning is either not decided yet, or decided as the whole is. */
static void check_beginning(const struct text_case *c, size_t length, const char *expected,
                            size_t head_bytes)
{
    static struct http_request request;
    enum http_fault fault;
    char *bytes = exact_copy(c->input, length);
    enum http_parse parse = http_parse_request(
        &request, bytes, length, http_cases_number(c->with, "most", STANDARD_MOST), &fault);
    const char *got = verdict(parse, fault);
    ck_assert_msg(strcmp(got, expected) == 0 || (parse == HTTP_PARTIAL && length < c->length),
                  "line %u, %s: the first %zu bytes are %s, the whole is %s", c->line, c->name,
                  length, got, expected);
    if (head_bytes > 0)
        ck_assert_msg((parse == HTTP_COMPLETE) == (length >= head_bytes),
                      "line %u, %s: %zu bytes of %zu are %s", c->line, c->name, length, head_bytes,
                      got);
    if (parse == HTTP_COMPLETE)
        check_words(c, &request);
    free(bytes);
}

static size_t head_bytes_of(const struct text_case *c)
{
    static struct http_request request;
    enum http_fault fault;
    enum http_parse parse = http_parse_request(
        &request, c->input, c->length, http_cases_number(c->with, "most", STANDARD_MOST), &fault);
    return parse == HTTP_COMPLETE ? request.bytes : 0;
}

static void check_request(const struct text_case *c)
{
    char expected[CASE_LINE_BYTES];
    http_cases_word(c->expected, expected);
    size_t head_bytes = head_bytes_of(c);
    for (size_t length = c->length + 1; length-- > 0;)
        check_beginning(c, length, expected, head_bytes);
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
    enum http_parse parse = http_parse_request(&request, bytes, length, STANDARD_MOST, &fault);
    ck_assert_int_eq(parse == HTTP_INVALID, fault != HTTP_FINE);
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
    tcase_add_test(tcase, slices_point_into_the_bytes_given);
}

CHECK_MAIN("http1_request", add_tests)
