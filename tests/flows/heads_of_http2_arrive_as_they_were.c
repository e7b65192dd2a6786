/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every block of tests/cases/http2/heads.txt, sent to lb: what is fine arrives at the backend as
 * the very request that the table says, on its own and whole; what is not is answered, or reset,
 * and the backend never hears of it.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/http2_model.h"
#include "tests/support/check_main.h"
#include "tests/support/house.h"
#include "tests/support/http2_wire.h"
#include "tests/support/http_cases.h"
#include "tests/support/http_facts.h"

enum { SHARDS = 4, HEAD_MOST = 1024 * 1024 };

/* Of the story that runs; http_cases_run hands nothing on. */
static struct house house;
static unsigned shard;
static unsigned turn;

/* Every request's own head is its answer. */
static void answer_with_head(struct stub_link *link)
{
    struct stub_request request;
    while (stub_read(link, &request)) {
        struct text answer = {0};
        text_add_format(&answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
                        request.head.length);
        text_add(&answer, request.head.bytes, request.head.length);
        stub_send(link, answer.bytes, answer.length);
        text_done(&answer);
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

/* --- Sending -----------------------------------------------------------------------------------
 */

/* As long as the block says; else a few bytes. */
static size_t body_length(const struct model *model)
{
    struct slice told = model_value(model, "content-length");
    char digits[24];
    if (!told.at || told.length >= sizeof digits)
        return 4;
    memcpy(digits, told.at, told.length);
    digits[told.length] = '\0';
    return strtoul(digits, NULL, 10);
}

static const struct http2_answer *ask(struct http2_wire *wire, const struct text_case *c)
{
    static struct model model;
    struct text block = {0};
    char body[16];
    bool has_body = http_cases_number(c->with, "body", 0);
    model_read(&model, c->input, c->length);
    for (unsigned i = 0; i < model.count; i++) {
        struct model_field field = model.fields[i];
        http2_block_add(&block, field.name.at, field.name.length, field.value.at,
                        field.value.length);
    }
    wire->latest = 1;
    http2_wire_block(wire, wire->latest, has_body ? 0 : NGHTTP2_FLAG_END_STREAM, &block);
    text_done(&block);
    memset(body, 'b', sizeof body);
    ck_assert_uint_le(body_length(&model), sizeof body);
    if (has_body)
        http2_wire_data(wire, wire->latest, body, body_length(&model), true);
    return http2_wire_answer(wire, wire->latest);
}

/* --- What is fine ------------------------------------------------------------------------------
 */

/* What lb adds, and what is about one side only, is told otherwise behind lb. */
static bool is_told_alike(const char *word)
{
    static const char *const keys[] = {
        "method=", "target=", "authority=", "framing=", "length=", "upgrade=", "value."};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strncmp(word, keys[i], strlen(keys[i])) == 0)
            return true;
    }
    return false;
}

static void check_arrived(const struct text_case *c, const struct http2_answer *answer)
{
    static struct text_case told;
    static struct http_request request;
    enum http_fault fault;
    char word[CASE_LINE_BYTES];
    const char *head = answer->body.bytes;
    size_t length = answer->body.length;
    if (memmem(c->input, c->length, ":protocol", 9) != NULL) {
        ck_assert_uint_eq(answer->status, 502); /* this backend opens none; it was asked to */
        return;
    }
    ck_assert_msg(answer->status == 200, "line %u, %s: %u", c->line, c->name, answer->status);
    enum http_parse parse = http_parse_request(&request, head, length, HEAD_MOST, &fault);
    if (parse == HTTP_INVALID && fault == HTTP_TOO_MANY_FIELDS)
        return; /* with those that lb adds */
    ck_assert_msg(parse == HTTP_COMPLETE && request.bytes == length, "line %u, %s: %s", c->line,
                  c->name, head);
    told.line = c->line;
    strcpy(told.name, c->name);
    strcpy(told.expected, "fine");
    const char *words = http_cases_word(c->expected, word);
    while ((words = http_cases_word(words, word))) {
        if (is_told_alike(word)) {
            strcat(told.expected, " ");
            strcat(told.expected, word);
        }
    }
    facts_check(&told, http_request_say, &request);
}

/* --- What is not -------------------------------------------------------------------------------
 */

static unsigned status_of(const char *verdict)
{
    if (strcmp(verdict, "malformed") == 0)
        return 400;
    if (strcmp(verdict, "too-large") == 0)
        return 431;
    if (strcmp(verdict, "unknown-protocol") == 0)
        return 501;
    for (int fault = HTTP_FINE + 1; fault <= HTTP_TRAILER_TOO_LARGE; fault++) {
        if (strcmp(verdict, http_fault_name((enum http_fault)fault)) == 0)
            return http_fault_status((enum http_fault)fault);
    }
    ck_abort_msg("nothing is called %s", verdict);
    return 0;
}

static void check_refused(const struct text_case *c, const struct http2_answer *answer,
                          const char *verdict)
{
    unsigned status = status_of(verdict);
    bool is_reset = answer->status == 0 && answer->was_reset &&
                    answer->code == NGHTTP2_PROTOCOL_ERROR && status == 400;
    ck_assert_msg(answer->status == status || is_reset, "line %u, %s: %u instead of %u", c->line,
                  c->name, answer->status, status);
}

/* --- Both --------------------------------------------------------------------------------------
 */

static void check_case(const struct text_case *c)
{
    struct http2_wire wire;
    char verdict[CASE_LINE_BYTES];
    bool is_of_shard = turn++ % SHARDS == shard;
    if (!is_of_shard || http_cases_number(c->with, "most", 0) > 0)
        return; /* max_head is what it is here */
    unsigned before = atomic_load(&house.backend.requests);
    http_cases_word(c->expected, verdict);
    bool is_fine = strcmp(verdict, "fine") == 0;
    bool is_proxied = is_fine && strstr(c->expected, "method=CONNECT") == NULL;
    http2_wire_enter(&wire, scene_port(&house.scene, "web"), NULL);
    const struct http2_answer *answer = ask(&wire, c);
    if (is_proxied)
        check_arrived(c, answer);
    else if (!is_fine)
        check_refused(c, answer, verdict);
    else
        ck_assert_uint_ge(answer->status, 400);
    ck_assert_msg(http2_wire_get(&wire, "/next") == 200, "line %u, %s: the connection is over",
                  c->line, c->name);
    http2_wire_close(&wire);
    unsigned served = atomic_load(&house.backend.requests) - before;
    ck_assert_msg(served == is_proxied + 1U, "line %u, %s: %u requests arrived", c->line, c->name,
                  served);
}

START_TEST(what_is_fine_arrives_as_it_was_and_nothing_else_does)
{
    shard = (unsigned)_i;
    house_open(&house, &(struct house_plan){.is_https = true, .serve = answer_with_head});
    ck_assert_uint_gt(http_cases_run("http2/heads.txt", check_case), 90);
    house_close(&house);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, what_is_fine_arrives_as_it_was_and_nothing_else_does, 0, SHARDS);
}

CHECK_MAIN("heads of HTTP/2 arrive as they were", add_tests)
