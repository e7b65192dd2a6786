/* SPDX-License-Identifier: Apache-2.0 */
/* What a demo backend's pages say, and that nothing of a request becomes markup. */
#include "lb/commands/demo_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"

static struct buffer_pool pool;
static struct buffer *page;
static struct http_request request;

static void begin(void)
{
    buffer_pool_init(&pool);
    page = NULL;
}

static void end(void)
{
    buffer_give(&pool, &page);
    buffer_pool_done(&pool);
}

/* The page that a head gets, closed by a NUL. */
static const char *page_of(const char *head, bool html)
{
    enum http_fault fault = HTTP_FINE;
    ck_assert_int_eq(http_parse_request(&request, head, strlen(head), DEMO_HEAD_BYTES, &fault),
                     HTTP_COMPLETE);
    ck_assert(demo_page_write(&pool, &page, "rs-1", &request, html));
    ck_assert(buffer_append(&pool, &page, "", 1, DEMO_PAGE_BYTES + 1));
    return page->data + page->start;
}

START_TEST(text_begins_with_the_name_and_says_what_was_asked)
{
    ck_assert_str_eq(page_of("POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", false),
                     "rs-1\nPOST /a?b=c\n");
}
END_TEST

START_TEST(text_tells_what_lb_said_about_the_client)
{
    ck_assert_str_eq(page_of("GET / HTTP/1.1\r\n"
                             "Host: x\r\n"
                             "x-forwarded-for: 192.0.2.7\r\n"
                             "Accept: */*\r\n"
                             "X-SSL-Client-Verify: SUCCESS\r\n"
                             "X-SSL-Client-S-DN: CN=alice,O=lb\r\n"
                             "X-SSL-Client-Cert: long\r\nX-CERT-SUBJECT-DN: CN=alice,O=lb\r\n"
                             "Client-Cert: :bG9uZw==:\r\n\r\n",
                             false),
                     "rs-1\n"
                     "GET /\n"
                     "x-forwarded-for: 192.0.2.7\n"
                     "X-SSL-Client-Verify: SUCCESS\n"
                     "X-SSL-Client-S-DN: CN=alice,O=lb\n"
                     "X-CERT-SUBJECT-DN: CN=alice,O=lb\nClient-Cert: :bG9uZw==:\n");
}
END_TEST

START_TEST(a_page_shows_every_field)
{
    const char *text =
        page_of("GET /path HTTP/1.1\r\nHost: www.example.com\r\nX-One: 1\r\n\r\n", true);
    ck_assert_ptr_nonnull(strstr(text, "<h1>rs-1</h1>"));
    ck_assert_ptr_nonnull(strstr(text, "<code>GET /path</code>"));
    ck_assert_ptr_nonnull(strstr(text, "<tr><th>Host</th><td>www.example.com</td></tr>"));
    ck_assert_ptr_nonnull(strstr(text, "<tr><th>X-One</th><td>1</td></tr>"));
    ck_assert_ptr_nonnull(strstr(text, "</html>\n"));
}
END_TEST

START_TEST(a_page_keeps_browsers_from_asking_for_an_icon)
{
    ck_assert_ptr_nonnull(strstr(page_of("GET / HTTP/1.1\r\nHost: x\r\n\r\n", true),
                                 "<link rel=\"icon\" href=\"data:,\">"));
}
END_TEST

START_TEST(nothing_of_a_request_becomes_markup)
{
    const char *text = page_of("GET /'a'&b HTTP/1.1\r\n"
                               "Host: x\r\n"
                               "X-Bad: <script>alert(\"1\")</script>\r\n\r\n",
                               true);
    ck_assert_ptr_null(strstr(text, "<script"));
    ck_assert_ptr_nonnull(strstr(text, "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;"));
    ck_assert_ptr_nonnull(strstr(text, "GET /&#39;a&#39;&amp;b"));
}
END_TEST

START_TEST(the_largest_head_that_only_needs_escapes_still_fits)
{
    static char head[DEMO_HEAD_BYTES + 1];
    int length = snprintf(head, sizeof head, "GET / HTTP/1.1\r\nHost: x\r\nX-Bad: ");
    memset(head + length, '"', sizeof head - 5 - (size_t)length);
    memcpy(head + sizeof head - 5, "\r\n\r\n", 5);
    ck_assert_ptr_nonnull(strstr(page_of(head, true), "</html>\n"));
}
END_TEST

static const struct {
    const char *accept;
    bool html;
} accepts[] = {
    {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true},
    {"*/*", false},
    {"text/plain", false},
    {"", false},
};

START_TEST(who_accepts_html_gets_html)
{
    char head[256];
    enum http_fault fault = HTTP_FINE;
    snprintf(head, sizeof head, "GET / HTTP/1.1\r\nHost: x\r\nAccept: %s\r\n\r\n",
             accepts[_i].accept);
    ck_assert_int_eq(http_parse_request(&request, head, strlen(head), DEMO_HEAD_BYTES, &fault),
                     HTTP_COMPLETE);
    ck_assert_int_eq(demo_page_wants_html(&request), accepts[_i].html);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, text_begins_with_the_name_and_says_what_was_asked);
    tcase_add_test(tcase, text_tells_what_lb_said_about_the_client);
    tcase_add_test(tcase, a_page_shows_every_field);
    tcase_add_test(tcase, a_page_keeps_browsers_from_asking_for_an_icon);
    tcase_add_test(tcase, nothing_of_a_request_becomes_markup);
    tcase_add_test(tcase, the_largest_head_that_only_needs_escapes_still_fits);
    tcase_add_loop_test(tcase, who_accepts_html_gets_html, 0, sizeof accepts / sizeof accepts[0]);
}

CHECK_MAIN("demo page", add_tests)
