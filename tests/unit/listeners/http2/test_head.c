/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of HTTP/2 requests, from tests/cases/http2/heads.txt, and what a table cannot say. */
#include <stdio.h>
#include <string.h>

#include "tests/fuzz/http2_model.h"
#include "tests/support/check_main.h"
#include "tests/support/http_cases.h"
#include "tests/support/http_facts.h"

enum { STANDARD_MOST = 32768 };

static struct buffer_pool pool;

static void begin_pool(void)
{
    buffer_pool_init(&pool);
}

static void end_pool(void)
{
    ck_assert_uint_eq(pool.lent_count, 0);
    buffer_pool_done(&pool);
}

/* --- Cases of the table ------------------------------------------------------------------------
 */

static const char *const outcome_names[] = {
    [HTTP2_HEAD_FINE] = "fine",           [HTTP2_HEAD_MALFORMED] = "malformed",
    [HTTP2_HEAD_TOO_LARGE] = "too-large", [HTTP2_HEAD_UNKNOWN_PROTOCOL] = "unknown-protocol",
    [HTTP2_HEAD_NO_MEMORY] = "no-memory",
};

static void expect_verdict(const struct text_case *c, const char *verdict)
{
    char expected[CASE_LINE_BYTES];
    http_cases_word(c->expected, expected);
    ck_assert_msg(strcmp(verdict, expected) == 0, "line %u, %s: it is %s, not %s", c->line, c->name,
                  verdict, expected);
}

static void check_head(const struct text_case *c)
{
    static struct model model;
    static struct http_request request;
    struct http2_head head = {0};
    struct buffer *text;
    enum http_fault fault;
    model_read(&model, c->input, c->length);
    model.has_body = http_cases_number(c->with, "body", 0);
    model.most_bytes = http_cases_number(c->with, "most", STANDARD_MOST);
    model_expect(&model);
    http2_head_begin(&head, &pool, model.most_bytes);
    for (unsigned i = 0; i < model.count; i++)
        http2_head_add(&head, model.fields[i].name, model.fields[i].value);
    enum http2_head_outcome outcome = http2_head_end(&head, model.has_body, &text);
    if (outcome != HTTP2_HEAD_FINE) {
        expect_verdict(c, outcome_names[outcome]);
        return;
    }
    enum http_parse parse = http_parse_request(&request, text->data + text->start,
                                               buffer_length(text), model.most_bytes, &fault);
    expect_verdict(c, http_verdict(parse, fault));
    if (parse == HTTP_COMPLETE)
        facts_check(c, http_request_say, &request);
    buffer_give(&pool, &text);
}

START_TEST(every_block_becomes_the_head_that_the_table_says)
{
    ck_assert_uint_gt(http_cases_run("http2/heads.txt", check_head), 90);
}
END_TEST

/* --- What a table cannot say -------------------------------------------------------------------
 */

static struct slice bytes_of(const char *bytes, size_t length)
{
    return (struct slice){bytes, length};
}

static void begin_get(struct http2_head *head, size_t most_bytes)
{
    http2_head_begin(head, &pool, most_bytes);
    http2_head_add(head, slice_of(":method"), slice_of("GET"));
    http2_head_add(head, slice_of(":scheme"), slice_of("https"));
    http2_head_add(head, slice_of(":path"), slice_of("/"));
    http2_head_add(head, slice_of(":authority"), slice_of("a"));
}

static void expect_text(struct http2_head *head, const char *expected)
{
    struct buffer *text;
    ck_assert_int_eq(http2_head_end(head, false, &text), HTTP2_HEAD_FINE);
    ck_assert_uint_eq(buffer_length(text), strlen(expected));
    ck_assert_mem_eq(text->data + text->start, expected, strlen(expected));
    buffer_give(&pool, &text);
}

static bool takes(struct slice name, struct slice value)
{
    struct http2_head head = {0};
    struct buffer *text;
    begin_get(&head, STANDARD_MOST);
    bool added = http2_head_add(&head, name, value);
    enum http2_head_outcome outcome = http2_head_end(&head, false, &text);
    ck_assert_int_eq(outcome, added ? HTTP2_HEAD_FINE : HTTP2_HEAD_MALFORMED);
    buffer_give(&pool, &text);
    return added;
}

START_TEST(a_head_is_written_line_by_line)
{
    struct http2_head head = {0};
    begin_get(&head, STANDARD_MOST);
    ck_assert(http2_head_add(&head, slice_of("user-agent"), slice_of("x")));
    ck_assert(http2_head_add(&head, slice_of("cookie"), slice_of("a=b")));
    ck_assert(http2_head_add(&head, slice_of("accept"), slice_of("")));
    ck_assert(http2_head_add(&head, slice_of("cookie"), slice_of("c=d")));
    ck_assert(!http2_head_is_websocket(&head));
    expect_text(&head, "GET / HTTP/1.1\r\nhost: a\r\nuser-agent: x\r\ncookie: a=b; c=d\r\n"
                       "accept: \r\n\r\n");
    ck_assert_str_eq(http2_head_fault(&head), "");
}
END_TEST

START_TEST(every_byte_of_a_value_is_judged_at_every_place)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        for (size_t at = 0; at < 40; at++) {
            char value[40];
            bool is_edge = at == 0 || at == sizeof value - 1;
            bool is_blank = byte == ' ' || byte == '\t';
            bool fine = is_blank ? !is_edge : byte >= 0x20 && byte != 0x7f;
            memset(value, 'v', sizeof value);
            value[at] = (char)byte;
            ck_assert_msg(takes(slice_of("x"), bytes_of(value, sizeof value)) == fine,
                          "byte %02x at %zu", byte, at);
        }
    }
}
END_TEST

START_TEST(every_byte_of_a_name_is_judged_at_every_place)
{
    static const char allowed[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz";
    for (unsigned byte = 0; byte < 256; byte++) {
        for (size_t at = 0; at < 20; at++) {
            char name[20];
            memset(name, 'n', sizeof name);
            name[at] = (char)byte;
            bool fine = byte > 0 && strchr(allowed, (int)byte);
            ck_assert_msg(takes(bytes_of(name, sizeof name), slice_of("v")) == fine,
                          "byte %02x at %zu", byte, at);
        }
    }
}
END_TEST

static bool takes_pseudo(const char *pseudo, const char *value, size_t length)
{
    static const char *const rest[][2] = {
        {":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {":authority", "a"}};
    struct http2_head head = {0};
    struct buffer *text;
    http2_head_begin(&head, &pool, STANDARD_MOST);
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++) {
        bool is_it = strcmp(rest[i][0], pseudo) == 0;
        http2_head_add(&head, slice_of(rest[i][0]),
                       is_it ? bytes_of(value, length) : slice_of(rest[i][1]));
    }
    bool fine = http2_head_end(&head, false, &text) == HTTP2_HEAD_FINE;
    buffer_give(&pool, &text);
    return fine;
}

START_TEST(no_byte_of_a_pseudo_field_ends_a_word_of_the_request_line)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789"
                                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (unsigned byte = 0; byte < 256; byte++) {
        char text[] = "/a-b";
        bool is_printable = byte > 0x20 && byte < 0x7f && byte != '#';
        text[2] = (char)byte;
        ck_assert_int_eq(takes_pseudo(":path", text, 4), is_printable);
        ck_assert_int_eq(takes_pseudo(":authority", text + 1, 3), is_printable);
        ck_assert_int_eq(takes_pseudo(":method", text + 1, 3),
                         byte > 0 && strchr(token, (int)byte) != NULL);
        ck_assert(!takes_pseudo(":scheme", text + 1, 3));
    }
}
END_TEST

START_TEST(crumbs_join_however_they_are_mixed_with_other_fields)
{
    static char expected[64 * 1024];
    struct http2_head head = {0};
    char value[32];
    size_t length = (size_t)sprintf(expected, "GET / HTTP/1.1\r\nhost: a\r\ncookie: ");
    begin_get(&head, sizeof expected);
    for (unsigned i = 0; i < COOKIE_CRUMBS_MOST; i++) {
        sprintf(value, "name-%u=%u", i, i);
        ck_assert(http2_head_add(&head, slice_of("cookie"), slice_of(value)));
        if (i % 5 == 4 && i / 5 < 100)
            ck_assert(http2_head_add(&head, slice_of("x"), slice_of(value)));
        length += (size_t)sprintf(expected + length, "%s%s", i > 0 ? "; " : "", value);
    }
    length += (size_t)sprintf(expected + length, "\r\n");
    for (unsigned i = 4; i / 5 < 100; i += 5)
        length += (size_t)sprintf(expected + length, "x: name-%u=%u\r\n", i, i);
    sprintf(expected + length, "\r\n");
    expect_text(&head, expected);
}
END_TEST

START_TEST(one_crumb_too_many_is_too_large)
{
    struct http2_head head = {0};
    struct buffer *text;
    begin_get(&head, STANDARD_MOST);
    for (unsigned i = 0; i < COOKIE_CRUMBS_MOST; i++)
        ck_assert(http2_head_add(&head, slice_of("cookie"), slice_of("")));
    ck_assert(!http2_head_add(&head, slice_of("cookie"), slice_of("")));
    ck_assert_int_eq(http2_head_end(&head, false, &text), HTTP2_HEAD_TOO_LARGE);
}
END_TEST

/* The same block with every bound: refused below its size, taken from it on. */
START_TEST(a_head_is_as_large_as_its_text)
{
    static const char whole[] = "GET / HTTP/1.1\r\nhost: a\r\ncookie: a; b; c\r\nx: y\r\n\r\n";
    for (size_t most = 0; most < sizeof whole + 5; most++) {
        struct http2_head head = {0};
        struct buffer *text;
        begin_get(&head, most);
        http2_head_add(&head, slice_of("cookie"), slice_of("a"));
        http2_head_add(&head, slice_of("cookie"), slice_of("b"));
        http2_head_add(&head, slice_of("x"), slice_of("y"));
        http2_head_add(&head, slice_of("cookie"), slice_of("c"));
        enum http2_head_outcome outcome = http2_head_end(&head, false, &text);
        bool fits = most >= sizeof whole - 1;
        ck_assert_int_eq(outcome, fits ? HTTP2_HEAD_FINE : HTTP2_HEAD_TOO_LARGE);
        if (fits)
            ck_assert_mem_eq(text->data + text->start, whole, sizeof whole - 1);
        buffer_give(&pool, &text);
    }
}
END_TEST

START_TEST(a_head_grows_far_beyond_its_first_buffer)
{
    static char value[20000];
    struct http2_head head = {0};
    struct buffer *text;
    memset(value, 'v', sizeof value);
    begin_get(&head, 256 * 1024);
    for (int i = 0; i < 10; i++)
        ck_assert(http2_head_add(&head, slice_of("x-large"), bytes_of(value, sizeof value)));
    ck_assert_int_eq(http2_head_end(&head, true, &text), HTTP2_HEAD_FINE);
    ck_assert_uint_gt(buffer_length(text), 10 * sizeof value);
    ck_assert_mem_eq(text->data + text->start, "GET / HTTP/1.1\r\nhost: a\r\nx-large: vvv", 37);
    buffer_give(&pool, &text);
}
END_TEST

START_TEST(a_refused_block_keeps_its_first_fault_and_holds_nothing)
{
    struct http2_head head = {0};
    struct buffer *text;
    begin_get(&head, STANDARD_MOST);
    ck_assert(http2_head_add(&head, slice_of("cookie"), slice_of("a")));
    ck_assert(http2_head_add(&head, slice_of("x"), slice_of("y")));
    ck_assert(http2_head_add(&head, slice_of("cookie"), slice_of("b")));
    ck_assert_uint_eq(pool.lent_count, 2);
    ck_assert(!http2_head_add(&head, slice_of("connection"), slice_of("close")));
    ck_assert_uint_eq(pool.lent_count, 0);
    const char *why = http2_head_fault(&head);
    ck_assert_str_ne(why, "");
    ck_assert(!http2_head_add(&head, slice_of("X"), slice_of("y")));
    ck_assert(!http2_head_add(&head, slice_of("x"), slice_of("y")));
    ck_assert_int_eq(http2_head_end(&head, false, &text), HTTP2_HEAD_MALFORMED);
    ck_assert_ptr_null(text);
    ck_assert_ptr_eq(http2_head_fault(&head), why);
}
END_TEST

START_TEST(an_unfinished_block_is_forgotten)
{
    struct http2_head head = {0};
    begin_get(&head, STANDARD_MOST);
    http2_head_add(&head, slice_of("cookie"), slice_of("secret"));
    begin_get(&head, STANDARD_MOST);
    http2_head_add(&head, slice_of("x"), slice_of("y"));
    expect_text(&head, "GET / HTTP/1.1\r\nhost: a\r\nx: y\r\n\r\n");
    begin_get(&head, STANDARD_MOST);
    http2_head_add(&head, slice_of("x"), slice_of("y"));
    http2_head_done(&head);
    http2_head_done(&head);
}
END_TEST

START_TEST(each_websocket_has_a_challenge_of_its_own)
{
    static const char *const fields[][2] = {{":method", "CONNECT"}, {":protocol", "websocket"},
                                            {":scheme", "https"},   {":path", "/chat"},
                                            {":authority", "a"},    {"sec-websocket-key", "mine"}};
    char keys[2][WEBSOCKET_KEY_BYTES];
    for (int round = 0; round < 2; round++) {
        struct http2_head head = {0};
        char expected[512];
        http2_head_begin(&head, &pool, STANDARD_MOST);
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
            ck_assert(http2_head_add(&head, slice_of(fields[i][0]), slice_of(fields[i][1])));
        ck_assert(http2_head_is_websocket(&head));
        memcpy(keys[round], head.websocket_key, WEBSOCKET_KEY_BYTES);
        snprintf(expected, sizeof expected,
                 "GET /chat HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
                 "sec-websocket-key: %.*s\r\nsec-websocket-version: 13\r\n\r\n",
                 WEBSOCKET_KEY_BYTES, head.websocket_key);
        expect_text(&head, expected);
    }
    ck_assert_mem_ne(keys[0], keys[1], WEBSOCKET_KEY_BYTES);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin_pool, end_pool);
    tcase_add_test(tcase, every_block_becomes_the_head_that_the_table_says);
    tcase_add_test(tcase, a_head_is_written_line_by_line);
    tcase_add_test(tcase, every_byte_of_a_value_is_judged_at_every_place);
    tcase_add_test(tcase, every_byte_of_a_name_is_judged_at_every_place);
    tcase_add_test(tcase, no_byte_of_a_pseudo_field_ends_a_word_of_the_request_line);
    tcase_add_test(tcase, crumbs_join_however_they_are_mixed_with_other_fields);
    tcase_add_test(tcase, one_crumb_too_many_is_too_large);
    tcase_add_test(tcase, a_head_is_as_large_as_its_text);
    tcase_add_test(tcase, a_head_grows_far_beyond_its_first_buffer);
    tcase_add_test(tcase, a_refused_block_keeps_its_first_fault_and_holds_nothing);
    tcase_add_test(tcase, an_unfinished_block_is_forgotten);
    tcase_add_test(tcase, each_websocket_has_a_challenge_of_its_own);
}

CHECK_MAIN("http2_head", add_tests)
