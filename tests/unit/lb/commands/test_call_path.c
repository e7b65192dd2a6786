/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever somebody types must arrive as one segment, or as one value. */
#include "lb/commands/call_path.h"

#include <string.h>

#include "lb/admin/api_query.h"
#include "lb/admin/api_route.h"
#include "tests/support/check_main.h"

START_TEST(what_needs_no_escape_stays_as_it_is)
{
    struct call_path path = {0};
    call_path_add(&path, "/v1/cas/");
    call_path_part(&path, "Example-Corp._CA~1");
    call_path_query(&path, "ca", "corp");
    call_path_query(&path, "limit", NULL);
    call_path_query(&path, "expiring", "");
    ck_assert_str_eq(path.text, "/v1/cas/Example-Corp._CA~1?ca=corp&expiring=");
    call_path_done(&path);
}
END_TEST

static const char *const odd[] = {
    "a/b", "..", "a b", "a?b=c&d", "100%", "#", "\xc3\xa9", "a+b", "\x01\x7f", "\xff",
};

START_TEST(what_is_odd_is_read_again_as_it_was)
{
    struct call_path path = {0};
    struct api_path read;
    struct api_query query;
    call_path_add(&path, "/v1/cas/");
    call_path_part(&path, odd[_i]);
    call_path_query(&path, "cn", odd[_i]);
    char *mark = strchr(path.text, '?');
    ck_assert_ptr_nonnull(mark);
    ck_assert(api_path_read(&read, (struct slice){path.text, (size_t)(mark - path.text)}));
    ck_assert_uint_eq(read.count, 3);
    ck_assert_str_eq(read.segments[2], odd[_i]);
    ck_assert(api_query_read(&query, mark + 1, NULL));
    ck_assert_str_eq(api_query_value(&query, "cn"), odd[_i]);
    api_query_done(&query);
    api_path_done(&read);
    call_path_done(&path);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, what_needs_no_escape_stays_as_it_is);
    tcase_add_loop_test(tcase, what_is_odd_is_read_again_as_it_was, 0, sizeof odd / sizeof *odd);
}

CHECK_MAIN("call path", add_tests)
