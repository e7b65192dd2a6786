/* SPDX-License-Identifier: Apache-2.0 */
/* Which form of an answer a client's Accept asks for. */
#include "listeners/answer/accept.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/text.h"

static struct http_request request;

static enum answer_form form_of(const char *fields)
{
    struct text head = {0};
    enum http_fault fault = HTTP_FINE;
    text_add_format(&head, "GET / HTTP/1.1\r\nHost: a.test\r\n%s\r\n", fields);
    ck_assert_int_eq(http_parse_request(&request, head.bytes, head.length, HEAD_MOST_BYTES, &fault),
                     HTTP_COMPLETE);
    enum answer_form form = accept_form(&request);
    text_done(&head);
    return form;
}

/* clang-format off */
static const struct {
    const char *accept;
    enum answer_form form;
} rows[] = {
    /* what programs really send */
    {"*/*", ANSWER_TEXT},
    {"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", ANSWER_HTML},
    {"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7", ANSWER_HTML},
    {"application/json, text/plain, */*", ANSWER_JSON},
    {"application/json", ANSWER_JSON},
    {"image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5", ANSWER_TEXT},
    {"text/css,*/*;q=0.1", ANSWER_TEXT},
    {"application/vnd.api+json", ANSWER_JSON},
    {"application/problem+json", ANSWER_JSON},
    {"application/xhtml+xml", ANSWER_HTML},
    /* weights */
    {"text/html;q=0.5, application/json", ANSWER_JSON},
    {"text/html;q=0.5, application/json;q=0.4", ANSWER_HTML},
    {"application/json;q=0.8, text/html;q=0.9", ANSWER_HTML},
    {"text/html;q=0.101, application/json;q=0.102", ANSWER_JSON},
    {"text/html;q=0", ANSWER_TEXT},
    {"text/html;q=0.000, application/json;q=0.001", ANSWER_JSON},
    {"text/html;q=0, application/json;q=0", ANSWER_TEXT},
    {"text/plain, text/html;q=0.9", ANSWER_TEXT},
    {"text/html, text/plain", ANSWER_HTML},
    {"application/json, text/html", ANSWER_JSON},
    {"text/html, application/json", ANSWER_HTML},
    {"text/html;Q=0.2, application/json;q=0.3", ANSWER_JSON},
    {"text/html;charset=utf-8;q=0.2, application/json;version=\"1,2;q=1\";q=0.3", ANSWER_JSON},
    {"text/html ; q=0.2 ,\tapplication/json\t; q=0.3", ANSWER_JSON},
    {"TEXT/HTML", ANSWER_HTML},
    {"text/html;q=1.000", ANSWER_HTML},
    {"text/html;q=1.", ANSWER_HTML},
    {"text/html;q=0.", ANSWER_TEXT},
    /* what is no weight, or no type, counts for nothing */
    {"text/html;q=1.001", ANSWER_TEXT},
    {"text/html;q=2", ANSWER_TEXT},
    {"text/html;q=-1", ANSWER_TEXT},
    {"text/html;q=0.1234", ANSWER_TEXT},
    {"text/html;q=.5", ANSWER_TEXT},
    {"text/html;q=abc", ANSWER_TEXT},
    {"text/html;q=0,5", ANSWER_TEXT},
    {"text/html;q=0.x", ANSWER_TEXT},
    {"text/*", ANSWER_TEXT},
    {"application/*", ANSWER_TEXT},
    {"text/htmlx", ANSWER_TEXT},
    {"text", ANSWER_TEXT},
    {"+json", ANSWER_TEXT},
    {"\"text/html\"", ANSWER_TEXT},
    {"\"text/html, application/json", ANSWER_TEXT},
    {"x=\"\\\", text/html;\", application/json", ANSWER_JSON},
    {",,, ,text/html,,", ANSWER_HTML},
    {";q=1", ANSWER_TEXT},
    {"", ANSWER_TEXT},
};
/* clang-format on */

START_TEST(the_form_is_the_one_that_is_named_with_the_greatest_weight)
{
    struct text field = {0};
    text_add_format(&field, "Accept: %s\r\n", rows[_i].accept);
    enum answer_form form = form_of(field.bytes);
    ck_assert_msg(form == rows[_i].form, "%s: %d instead of %d", rows[_i].accept, (int)form,
                  (int)rows[_i].form);
    text_done(&field);
}
END_TEST

START_TEST(several_fields_are_one_list_and_other_fields_say_nothing)
{
    ck_assert_int_eq(form_of(""), ANSWER_TEXT);
    ck_assert_int_eq(form_of("accept: text/html;q=0.5\r\nX: y\r\nACCEPT: application/json\r\n"),
                     ANSWER_JSON);
    ck_assert_int_eq(form_of("Accept-Encoding: text/html\r\nX-Accept: text/html\r\n"), ANSWER_TEXT);
}
END_TEST

START_TEST(a_request_of_grpc_is_answered_in_grpc_whatever_it_accepts)
{
    static const char *const types[] = {"application/grpc",           "application/grpc+proto",
                                        "Application/gRPC;x=y",       "application/grpc ; x=y",
                                        "application/grpc-web",       "application/grpc-web+proto",
                                        "text/html;application/grpc", "application/grp"};
    struct text fields = {0};
    text_add_format(&fields, "content-type: %s\r\nAccept: text/html\r\n", types[_i]);
    ck_assert_int_eq(form_of(fields.bytes), _i < 4 ? ANSWER_GRPC : ANSWER_HTML);
    text_done(&fields);
}
END_TEST

START_TEST(no_more_elements_are_looked_at_than_there_is_reason_for)
{
    struct text field = {0};
    text_add_format(&field, "Accept: ");
    for (unsigned i = 0; i + 1 < ACCEPT_ELEMENTS_MOST; i++)
        text_add_format(&field, "a/b,");
    size_t length = field.length;
    text_add_format(&field, "text/html\r\n");
    ck_assert_int_eq(form_of(field.bytes), ANSWER_HTML);
    field.length = length;
    text_add_format(&field, "a/b,text/html\r\n");
    ck_assert_int_eq(form_of(field.bytes), ANSWER_TEXT);
    text_done(&field);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, the_form_is_the_one_that_is_named_with_the_greatest_weight, 0,
                        sizeof rows / sizeof *rows);
    tcase_add_test(tcase, several_fields_are_one_list_and_other_fields_say_nothing);
    tcase_add_loop_test(tcase, a_request_of_grpc_is_answered_in_grpc_whatever_it_accepts, 0, 8);
    tcase_add_test(tcase, no_more_elements_are_looked_at_than_there_is_reason_for);
}

CHECK_MAIN("accept", add_tests)
