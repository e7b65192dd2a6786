/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/api_query.h"

#include <stdio.h>
#include <string.h>

#include "lb/base/error.h"
#include "tests/support/check_main.h"

static struct api_query query;
static struct error err;

static bool read_text(const char *text)
{
    api_query_done(&query);
    err.text[0] = '\0';
    return api_query_read(&query, text, &err);
}

static void end(void)
{
    api_query_done(&query);
}

START_TEST(values_are_decoded)
{
    ck_assert(read_text("cn=a%20b%26c%3D%c3%bc&ou=x=y&empty=&bare&&plus=a+b"));
    ck_assert_uint_eq(query.count, 5);
    ck_assert_str_eq(api_query_value(&query, "cn"), "a b&c=ü");
    ck_assert_str_eq(api_query_value(&query, "ou"), "x=y");
    ck_assert_str_eq(api_query_value(&query, "empty"), "");
    ck_assert_str_eq(api_query_value(&query, "plus"), "a+b");
    ck_assert(api_query_has(&query, "bare"));
    ck_assert_ptr_null(api_query_value(&query, "bare"));
    ck_assert(!api_query_has(&query, "c"));
    ck_assert_ptr_null(api_query_value(&query, "c"));
}
END_TEST

START_TEST(keys_are_decoded_too)
{
    ck_assert(read_text("%63n=1"));
    ck_assert_str_eq(api_query_value(&query, "cn"), "1");
}
END_TEST

START_TEST(no_query_has_nothing)
{
    ck_assert(read_text(""));
    ck_assert_uint_eq(query.count, 0);
}
END_TEST

static const struct {
    const char *text;
    const char *told;
} bad[] = {
    {"a=%", "%25"},         {"a=%1", "%25"}, {"a=%zz", "%25"},
    {"a=%00", "%25"},       {"%=1", "%25"},  {"limit=1&limit=2", "limit is said twice"},
    {"a=1&%61=2", "twice"},
};

START_TEST(what_cannot_be_read_is_told)
{
    ck_assert(!read_text(bad[_i].text));
    ck_assert_msg(strstr(err.text, bad[_i].told) != NULL, "%s", err.text);
}
END_TEST

START_TEST(keys_are_bounded)
{
    char text[1024];
    int used = 0;
    for (int i = 0; i < API_QUERY_PAIRS_MOST; i++)
        used += snprintf(text + used, sizeof text - (size_t)used, "k%d=1&", i);
    ck_assert(read_text(text));
    snprintf(text + used, sizeof text - (size_t)used, "more");
    ck_assert(!read_text(text));
    ck_assert_msg(strstr(err.text, "more than 32 keys") != NULL, "%s", err.text);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, NULL, end);
    tcase_add_test(tcase, values_are_decoded);
    tcase_add_test(tcase, keys_are_decoded_too);
    tcase_add_test(tcase, no_query_has_nothing);
    tcase_add_loop_test(tcase, what_cannot_be_read_is_told, 0, sizeof bad / sizeof *bad);
    tcase_add_test(tcase, keys_are_bounded);
}

CHECK_MAIN("api query", add_tests)
