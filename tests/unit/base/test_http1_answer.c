/* SPDX-License-Identifier: Apache-2.0 */
/* Answer heads, from tests/cases/http/answers.txt. */
#include <stdlib.h>
#include <string.h>

#include "lb/base/http1.h"
#include "tests/support/check_main.h"
#include "tests/support/http_cases.h"
#include "tests/support/http_facts.h"

static void look_up(struct said *said, const void *message, const char *key)
{
    const struct http_answer *answer = message;
    struct slice empty = {"", 0};
    const struct fact facts[] = {
        fact_number("status", answer->status),
        fact_text("reason", answer->reason.at ? answer->reason : empty),
        fact_number("minor", answer->minor),
        fact_text("framing", http_framing_name(answer->framing)),
        fact_number("length", answer->length),
        fact_switch("declared", answer->has_length),
        fact_switch("keep_alive", answer->keep_alive),
        fact_switch("upgrade", answer->is_upgrade),
        fact_number("bytes", answer->bytes),
        fact_number("fields", answer->field_count),
        {.key = NULL},
    };
    if (facts_say(facts, key, said))
        return;
    ck_assert_msg(strcmp(key, "hop") == 0, "nothing is called %s", key);
    said_add_hops(said, answer->fields, answer->field_count);
}

static enum http_method asked(const struct text_case *c)
{
    if (strstr(c->with, "asked=HEAD"))
        return HTTP_HEAD;
    return strstr(c->with, "asked=CONNECT") ? HTTP_CONNECT : HTTP_GET;
}

static enum http_parse parse(const struct text_case *c, const char *bytes, size_t length,
                             struct http_answer *answer, enum http_fault *fault)
{
    size_t most = http_cases_number(c->with, "most", ANSWER_HEAD_BYTES);
    return http_parse_answer(answer, bytes, length, most, asked(c), fault);
}

/* Every beginning is not decided yet, or decided as the whole is; once decided it stays so. */
static void check_answer(const struct text_case *c)
{
    static struct http_answer answer;
    enum http_fault fault;
    char expected[CASE_LINE_BYTES];
    bool decided = false;
    http_cases_word(c->expected, expected);
    for (size_t length = 0; length <= c->length; length++) {
        char *bytes = exact_copy(c->input, length);
        enum http_parse outcome = parse(c, bytes, length, &answer, &fault);
        bool early = outcome == HTTP_PARTIAL && length < c->length && !decided;
        ck_assert_msg(early || strcmp(http_verdict(outcome, fault), expected) == 0,
                      "line %u, %s: the first %zu bytes are %s", c->line, c->name, length,
                      http_verdict(outcome, fault));
        decided = outcome != HTTP_PARTIAL;
        if (outcome == HTTP_COMPLETE) {
            facts_check(c, look_up, &answer);
            ck_assert_uint_le(answer.bytes, length);
        }
        free(bytes);
    }
}

START_TEST(every_answer_has_the_same_verdict_at_every_split_point)
{
    ck_assert_uint_gt(http_cases_run("http/answers.txt", check_answer), 70);
}
END_TEST

START_TEST(an_answer_leaves_nothing_behind_for_the_next_one)
{
    static const char first[] =
        "HTTP/1.1 101 X\r\nConnection: upgrade\r\nContent-Length: 0\r\n\r\n";
    static const char second[] = "HTTP/1.0 200\r\n\r\n";
    static struct http_answer used;
    static struct http_answer fresh;
    enum http_fault fault;
    ck_assert_int_eq(http_parse_answer(&used, first, sizeof first - 1, 1000, HTTP_GET, &fault),
                     HTTP_COMPLETE);
    ck_assert_int_eq(http_parse_answer(&used, second, sizeof second - 1, 1000, HTTP_GET, &fault),
                     HTTP_COMPLETE);
    ck_assert_int_eq(http_parse_answer(&fresh, second, sizeof second - 1, 1000, HTTP_GET, &fault),
                     HTTP_COMPLETE);
    ck_assert_mem_eq(&used, &fresh, offsetof(struct http_answer, fields));
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, every_answer_has_the_same_verdict_at_every_split_point);
    tcase_add_test(tcase, an_answer_leaves_nothing_behind_for_the_next_one);
}

CHECK_MAIN("http1_answer", add_tests)
