/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/http2/h2_fields.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/text.h"

/* "name: value\n…" of a text that ends where its bytes do, so that a sanitizer sees a byte too
 * many. NULL: refused. The caller frees it. */
static char *fields_of(const char *head, const char *scheme)
{
    struct http2_nva nva;
    struct text said = {0};
    char *copy = malloc(strlen(head) + 1);
    const struct slice text = {memcpy(copy + 1, head, strlen(head)), strlen(head)};
    http2_nva_begin(&nva, NULL, 0, NGHTTP2_NV_FLAG_NONE);
    bool is_fine =
        scheme ? h2_fields_put_head(&nva, text, scheme) : h2_fields_put_lines(&nva, text);
    text_add(&said, "", 0);
    for (size_t i = 0; is_fine && i < nva.count; i++)
        text_add_format(&said, "%.*s: %.*s\n", (int)nva.rows[i].namelen,
                        (const char *)nva.rows[i].name, (int)nva.rows[i].valuelen,
                        (const char *)nva.rows[i].value);
    free(copy);
    if (is_fine)
        return said.bytes;
    text_done(&said);
    return NULL;
}

static void expect(const char *head, const char *wanted)
{
    char *said = fields_of(head, "http");
    ck_assert_ptr_nonnull(said);
    ck_assert_str_eq(said, wanted);
    free(said);
}

START_TEST(the_request_line_and_host_become_pseudo_fields_in_front)
{
    expect("GET /a?b=c HTTP/1.1\r\nHost: Example.com:8080\r\nAccept: */*\r\n\r\n",
           ":method: GET\n:scheme: http\n:authority: Example.com:8080\n:path: /a?b=c\n"
           "Accept: */*\n");
    expect("OPTIONS * HTTP/1.1\r\nX-Early: 1\r\nHost: a\r\n\r\n",
           ":method: OPTIONS\n:scheme: http\n:authority: a\n:path: *\nX-Early: 1\n");
    char *said = fields_of("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "https");
    ck_assert_str_eq(said, ":method: GET\n:scheme: https\n:authority: a\n:path: /\n");
    free(said);
}
END_TEST

START_TEST(names_and_values_stay_as_they_were)
{
    expect("GET / HTTP/1.1\r\nHost: a\r\nX-MIXED_Case: Va Lue: 1\r\nEmpty: \r\nNone:\r\n\r\n",
           ":method: GET\n:scheme: http\n:authority: a\n:path: /\n"
           "X-MIXED_Case: Va Lue: 1\nEmpty: \nNone: \n");
}
END_TEST

START_TEST(fields_of_the_connection_stay_behind)
{
    expect("POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
           "Keep-Alive: 5\r\nProxy-Connection: x\r\nTransfer-Encoding: chunked\r\n"
           "HTTP2-Settings: x\r\nTE: gzip\r\nContent-Length: 3\r\n\r\n",
           ":method: POST\n:scheme: http\n:authority: a\n:path: /\nContent-Length: 3\n");
    expect("POST / HTTP/1.1\r\nHost: a\r\nConnection: TE\r\nTE: trailers\r\n\r\n",
           ":method: POST\n:scheme: http\n:authority: a\n:path: /\nTE: trailers\n");
}
END_TEST

START_TEST(trailers_are_lines_alone)
{
    char *said = fields_of("Grpc-Status: 0\r\nX-Sum: 42\r\n", NULL);
    ck_assert_str_eq(said, "Grpc-Status: 0\nX-Sum: 42\n");
    free(said);
    said = fields_of("", NULL);
    ck_assert_str_eq(said, "");
    free(said);
}
END_TEST

START_TEST(what_is_no_head_is_refused)
{
    static const char *const heads[] = {
        "",
        "\r\n",
        "GET\r\n\r\n",
        "GET HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\n: no name\r\n\r\n",
    };
    for (unsigned i = 0; i < sizeof heads / sizeof *heads; i++)
        ck_assert_msg(fields_of(heads[i], "http") == NULL, "\"%s\"", heads[i]);
}
END_TEST

START_TEST(more_fields_than_there_is_room_for_are_refused)
{
    struct text head = {0};
    text_add_format(&head, "GET / HTTP/1.1\r\nHost: a\r\n");
    for (unsigned i = 4; i < HTTP2_NVA_MOST; i++)
        text_add_format(&head, "x-%u: y\r\n", i);
    text_add_format(&head, "\r\n");
    char *said = fields_of(head.bytes, "http");
    ck_assert_ptr_nonnull(said);
    ck_assert_uint_eq(text_count(said, "\n"), HTTP2_NVA_MOST);
    free(said);
    head.bytes[head.length - 2] = '\0';
    struct text more = {0};
    text_add_format(&more, "%sx-more: y\r\n\r\n", head.bytes);
    ck_assert_ptr_null(fields_of(more.bytes, "http"));
    text_done(&more);
    text_done(&head);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, the_request_line_and_host_become_pseudo_fields_in_front);
    tcase_add_test(tcase, names_and_values_stay_as_they_were);
    tcase_add_test(tcase, fields_of_the_connection_stay_behind);
    tcase_add_test(tcase, trailers_are_lines_alone);
    tcase_add_test(tcase, what_is_no_head_is_refused);
    tcase_add_test(tcase, more_fields_than_there_is_room_for_are_refused);
}

CHECK_MAIN("fields towards backends", add_tests)
