/* SPDX-License-Identifier: Apache-2.0 */
/* Persistence cookies in real heads, good and hostile, by a clock of the test's. */
#include "lb/exchange/persistence_cookie.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/persistence/persistence.h"
#include "backends/persistence/pool_persistence.h"
#include "tests/support/check_main.h"
#include "tests/support/made_pool.h"
#include "tests/support/text.h"

static const uint64_t now_ms = UINT64_C(1700000000000);
static const unsigned char key[PERSISTENCE_KEY_BYTES] = "a key of thirty-two bytes or so";

static struct made_pool made;
static char good[2][PERSISTENCE_TOKEN_CHARS + 1]; /* tokens of rs-1 and rs-2, issued now */
static struct text head;
static struct http_request request;

static void begin(void)
{
    made_pool_begin(&made);
    made_pool_key(&made, "session_persistence", "cookie");
    made_pool_key(&made, "backend", "rs-1 192.0.2.1:80");
    made_pool_key(&made, "backend", "rs-2 192.0.2.2:80");
    ck_assert(made_pool_prepare(&made));
    ck_assert(pool_persistence_open(&made.pool, key));
    for (unsigned i = 0; i < 2; i++)
        ck_assert(pool_persistence_token(&made.pool, &made.pool.backends[i], now_ms, good[i]));
    text_add_format(&head, "GET / HTTP/1.1\r\nHost: a\r\n");
}

static void end(void)
{
    text_done(&head);
    made_pool_end(&made);
}

/* A Cookie field of the request, in which @1 and @2 are the good tokens. */
static void add_cookie(const char *value)
{
    text_add_format(&head, "Cookie: ");
    for (const char *at = value; *at; at++) {
        if (*at != '@')
            text_add(&head, at, 1);
        else
            text_add_format(&head, "%s", good[*++at - '1']);
    }
    text_add_format(&head, "\r\n");
}

/* The name of the backend that the request's cookies mean; "" for none. */
static const char *meant_at(uint64_t at_ms, bool *ret_is_due)
{
    enum http_fault fault = HTTP_FINE;
    text_add_format(&head, "\r\n");
    enum http_parse parse =
        http_parse_request(&request, head.bytes, head.length, HEAD_MOST_BYTES, &fault);
    ck_assert_msg(parse == HTTP_COMPLETE, "%s", http_fault_text(fault));
    const struct backend *found = persistence_cookie_find(&made.pool, &request, at_ms, ret_is_due);
    return found ? found->name : "";
}

static const char *meant(void)
{
    bool is_due = true;
    const char *name = meant_at(now_ms, &is_due);
    ck_assert(!*name || !is_due);
    return name;
}

struct example {
    const char *cookie;
    const char *meant;
};

START_TEST(the_cookie_is_found_wherever_it_stands)
{
    static const struct example examples[] = {
        {"LBSESSION=@1", "rs-1"},
        {"LBSESSION=@2", "rs-2"},
        {"a=b; LBSESSION=@2", "rs-2"},
        {"a=b; LBSESSION=@2; c=d", "rs-2"},
        {"LBSESSION=@1; c=d", "rs-1"},
        {"LBSESSION=@1;", "rs-1"},
        {";;; ; LBSESSION=@1", "rs-1"},
        {"a=b;LBSESSION=@1;c", "rs-1"},
        {"a=b;\t LBSESSION=@1 \t;c", "rs-1"},
        {"lone; LBSESSION=@1", "rs-1"},
    };
    add_cookie(examples[_i].cookie);
    ck_assert_str_eq(meant(), examples[_i].meant);
}
END_TEST

START_TEST(what_only_looks_like_it_is_passed_over)
{
    static const char *const cookies[] = {
        "",
        "LBSESSION",
        "LBSESSION=",
        "LBSESSION=;",
        "=@1",
        "@1",
        "XLBSESSION=@1",
        "LBSESSIONX=@1",
        "LBSESSION =@1",
        "LBSESSION= @1",
        "lbsession=@1", /* names of cookies are case-sensitive */
        "LBSESSION=\"@1\"",
        "LBSESSION=@1@1",
        "LBSESSION=x@1",
        "LBSESSION=@1x",
        "LBSESSION=@1, LBSESSION=@1",
        "a=LBSESSION=@1",
        "LBSESSION=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "LBSESSION=____________________________________________",
        "LBSESSION=rs-1",
        "LBSESSION=192.0.2.1:80",
    };
    add_cookie(cookies[_i]);
    ck_assert_str_eq(meant(), "");
}
END_TEST

START_TEST(of_several_the_first_good_one_counts)
{
    static const struct example examples[] = {
        {"LBSESSION=@1; LBSESSION=@2", "rs-1"},
        {"LBSESSION=@2; LBSESSION=@1", "rs-2"},
        {"LBSESSION=; LBSESSION=@2; LBSESSION=@1", "rs-2"},
        {"LBSESSION=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA; LBSESSION=@2", "rs-2"},
    };
    add_cookie(examples[_i].cookie);
    ck_assert_str_eq(meant(), examples[_i].meant);
}
END_TEST

START_TEST(several_fields_are_read_in_their_order)
{
    add_cookie("a=b; LBSESSION=nonsense");
    text_add_format(&head, "X-Cookie: LBSESSION=%s\r\n", good[0]);
    add_cookie("LBSESSION=@2");
    add_cookie("LBSESSION=@1");
    ck_assert_str_eq(meant(), "rs-2");
}
END_TEST

START_TEST(a_request_without_cookies_means_nobody)
{
    ck_assert_str_eq(meant(), "");
}
END_TEST

START_TEST(a_part_of_a_token_is_none)
{
    char text[128];
    snprintf(text, sizeof text, "LBSESSION=%.*s", _i, good[0]);
    add_cookie(text);
    ck_assert_str_eq(meant(), "");
}
END_TEST

START_TEST(a_replay_after_the_timeout_is_nothing)
{
    bool is_due = false;
    add_cookie("LBSESSION=@1");
    ck_assert_str_eq(meant_at(now_ms + 300000 / 16 + 1, &is_due), "rs-1");
    ck_assert(is_due);
    ck_assert_ptr_nonnull(persistence_cookie_find(&made.pool, &request, now_ms + 318750, &is_due));
    ck_assert_ptr_null(persistence_cookie_find(&made.pool, &request, now_ms + 318751, &is_due));
    ck_assert_ptr_null(persistence_cookie_find(&made.pool, &request, UINT64_MAX / 2, &is_due));
    ck_assert_ptr_null(persistence_cookie_find(&made.pool, &request, 0, &is_due));
}
END_TEST

START_TEST(eight_kilobytes_of_cookies_hide_nothing_and_break_nothing)
{
    struct text cookie = {0};
    while (cookie.length < 4096)
        text_add_format(&cookie, "name%zu=%0100d; ", cookie.length, 0);
    text_add_format(&cookie, "LBSESSION=@2; big=%04096d", 0);
    add_cookie(cookie.bytes);
    text_done(&cookie);
    ck_assert_str_eq(meant(), "rs-2");
}
END_TEST

START_TEST(one_cookie_of_eight_kilobytes_is_no_token)
{
    struct text cookie = {0};
    text_add_format(&cookie, "LBSESSION=");
    for (unsigned i = 0; i < 186; i++)
        text_add_format(&cookie, "%s", good[0]);
    add_cookie(cookie.bytes);
    text_done(&cookie);
    ck_assert_str_eq(meant(), "");
}
END_TEST

/* forged: how many cookies of the right form stand before the good one. */
static const char *meant_behind(unsigned forged, unsigned fields)
{
    for (unsigned field = 0; field < fields; field++) {
        text_add_format(&head, "Cookie: a=b");
        for (unsigned i = 0; i < forged / fields; i++)
            text_add_format(&head, "; LBSESSION=%044u", i);
        text_add_format(&head, "\r\n");
    }
    add_cookie("LBSESSION=@1");
    return meant();
}

START_TEST(a_few_forged_ones_before_it_do_no_harm)
{
    ck_assert_str_eq(meant_behind(PERSISTENCE_COOKIES_MOST - 2, 2), "rs-1");
}
END_TEST

START_TEST(a_hundred_forged_ones_cost_no_hundred_hashes)
{
    /* What stands behind the first PERSISTENCE_COOKIES_MOST is not looked at. */
    ck_assert_str_eq(meant_behind(PERSISTENCE_COOKIES_MOST, 1 + (unsigned)_i), "");
    end();
    head = (struct text){0};
    begin();
    ck_assert_str_eq(meant_behind(100, 1 + (unsigned)_i), "");
}
END_TEST

START_TEST(a_hundred_cookies_of_other_names_do_not_count)
{
    struct text cookie = {0};
    for (unsigned i = 0; i < 100; i++)
        text_add_format(&cookie, "LBSESSIO%u=%s; LBSESSION=short; ", i, good[1]);
    text_add_format(&cookie, "LBSESSION=@1");
    add_cookie(cookie.bytes);
    text_done(&cookie);
    ck_assert_str_eq(meant(), "rs-1");
}
END_TEST

static uint32_t seed = 123456789;

static unsigned below(unsigned limit)
{
    seed ^= seed << 13, seed ^= seed >> 17, seed ^= seed << 5;
    return seed % limit;
}

static bool means_anybody(const char *bytes, size_t length)
{
    bool is_due = false;
    request.fields[0] = (struct http_field){.known = HTTP_COOKIE, .value = {bytes, length}};
    request.field_count = 1;
    return persistence_cookie_find(&made.pool, &request, now_ms, &is_due) != NULL;
}

/* A property: a field of random pieces means nobody. */
START_TEST(no_random_field_means_a_backend)
{
    static const char *const parts[] = {"LBSESSION", "=", ";", " ", "A", "-", "LBSESSION=", "\t"};
    for (unsigned i = 0; i < 5000; i++) {
        struct text value = {0};
        for (unsigned k = 0; k < 60; k++) {
            if (below(2) == 0)
                text_add_format(&value, "%s", parts[below(8)]);
            else
                text_add(&value, &good[below(2)][below(42)], 1 + below(3));
        }
        ck_assert_msg(!means_anybody(value.bytes, value.length), "%s", value.bytes);
        text_done(&value);
    }
}
END_TEST

/* Another: a cookie with some of its bytes changed means somebody only if it is as it was. */
START_TEST(no_changed_cookie_means_a_backend)
{
    for (unsigned i = 0; i < 20000; i++) {
        char cookie[128], before[128];
        int length = snprintf(cookie, sizeof cookie, "LBSESSION=%s", good[below(2)]);
        memcpy(before, cookie, sizeof before);
        for (unsigned k = below(4); k > 0; k--)
            cookie[below((unsigned)length)] = (char)(33 + below(94));
        bool is_same = memcmp(cookie, before, (size_t)length) == 0;
        ck_assert_msg(means_anybody(cookie, (size_t)length) == is_same, "%s", cookie);
    }
}
END_TEST

/* --- Set-Cookie --- */

START_TEST(the_line_says_what_browsers_need_to_know)
{
    char line[PERSISTENCE_COOKIE_LINE_BYTES], wanted[PERSISTENCE_COOKIE_LINE_BYTES];
    struct slice got =
        persistence_cookie_line(&made.pool, &made.pool.backends[0], _i == 1, now_ms, line);
    snprintf(wanted, sizeof wanted,
             "Set-Cookie: LBSESSION=%s; Path=/; Max-Age=319; HttpOnly; SameSite=Lax%s\r\n", good[0],
             _i == 1 ? "; Secure" : "");
    ck_assert_uint_eq(got.length, strlen(wanted));
    ck_assert_mem_eq(got.at, wanted, got.length);
}
END_TEST

START_TEST(the_longest_name_and_timeout_fit)
{
    char name[65], line[PERSISTENCE_COOKIE_LINE_BYTES];
    memset(name, 'N', 64);
    name[64] = '\0';
    made.options.persistence_cookie = name;
    made.options.session_persistence_timeout = 3600000;
    struct slice got =
        persistence_cookie_line(&made.pool, &made.pool.backends[0], true, now_ms, line);
    ck_assert_uint_gt(got.length, 64);
    ck_assert_mem_eq(got.at + got.length - 10, "; Secure\r\n", 10);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_loop_test(tcase, the_cookie_is_found_wherever_it_stands, 0, 10);
    tcase_add_loop_test(tcase, what_only_looks_like_it_is_passed_over, 0, 21);
    tcase_add_loop_test(tcase, of_several_the_first_good_one_counts, 0, 4);
    tcase_add_test(tcase, several_fields_are_read_in_their_order);
    tcase_add_test(tcase, a_request_without_cookies_means_nobody);
    tcase_add_loop_test(tcase, a_part_of_a_token_is_none, 0, PERSISTENCE_TOKEN_CHARS);
    tcase_add_test(tcase, a_replay_after_the_timeout_is_nothing);
    tcase_add_test(tcase, eight_kilobytes_of_cookies_hide_nothing_and_break_nothing);
    tcase_add_test(tcase, one_cookie_of_eight_kilobytes_is_no_token);
    tcase_add_test(tcase, a_few_forged_ones_before_it_do_no_harm);
    tcase_add_loop_test(tcase, a_hundred_forged_ones_cost_no_hundred_hashes, 0, 2);
    tcase_add_test(tcase, a_hundred_cookies_of_other_names_do_not_count);
    tcase_add_test(tcase, no_random_field_means_a_backend);
    tcase_add_test(tcase, no_changed_cookie_means_a_backend);
    tcase_add_loop_test(tcase, the_line_says_what_browsers_need_to_know, 0, 2);
    tcase_add_test(tcase, the_longest_name_and_timeout_fit);
}

CHECK_MAIN("persistence cookie", add_tests)
