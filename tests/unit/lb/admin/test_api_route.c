/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/api_route.h"

#include <string.h>

#include "tests/support/check_main.h"

static const struct api_route routes[] = {
    {HTTP_GET, "/v1/things", 0, NULL, NULL},
    {HTTP_POST, "/v1/things", 100, NULL, NULL},
    {HTTP_GET, "/v1/things/{}/{}", 0, NULL, NULL},
    {HTTP_DELETE, "/v1/things/{}/{}", 0, NULL, NULL},
    {HTTP_POST, "/v1/things/{}/{}/do", 0, NULL, NULL},
    {0},
};

static struct api_path path;
static const char *parts[API_PARTS_MOST];
static char allow[64];

static const struct api_route *find(enum http_method method, const char *text)
{
    api_path_done(&path);
    if (!api_path_read(&path, slice_of(text)))
        return NULL;
    return api_route_find(routes, method, &path, parts, allow, sizeof allow);
}

static void end(void)
{
    api_path_done(&path);
}

START_TEST(method_and_path_choose)
{
    ck_assert_ptr_eq(find(HTTP_GET, "/v1/things"), &routes[0]);
    ck_assert_ptr_eq(find(HTTP_HEAD, "/v1/things"), &routes[0]);
    ck_assert_ptr_eq(find(HTTP_POST, "/v1/things"), &routes[1]);
    ck_assert_ptr_eq(find(HTTP_DELETE, "/v1/things/a/b"), &routes[3]);
}
END_TEST

START_TEST(open_segments_are_parts_and_decoded)
{
    ck_assert_ptr_eq(find(HTTP_POST, "/v1/things/app/rs-1/do"), &routes[4]);
    ck_assert_str_eq(parts[0], "app");
    ck_assert_str_eq(parts[1], "rs-1");
    ck_assert_ptr_eq(find(HTTP_GET, "/v1/things/a%2Fb/%c3%BC%20c"), &routes[2]);
    ck_assert_str_eq(parts[0], "a/b");
    ck_assert_str_eq(parts[1], "ü c");
}
END_TEST

START_TEST(another_method_is_told_those_there_are)
{
    ck_assert_ptr_null(find(HTTP_DELETE, "/v1/things"));
    ck_assert_str_eq(allow, "GET, HEAD, POST");
    ck_assert_ptr_null(find(HTTP_GET, "/v1/things/a/b/do"));
    ck_assert_str_eq(allow, "POST");
}
END_TEST

static const char *const nothing[] = {
    "/",
    "/v1",
    "/v1/",
    "/v1/things/",
    "/v1/things/a",
    "//v1",
    "/v1/things//b",
    "/v1/things/a/",
    "/v2/things",
    "/V1/things",
    "/v1/thing",
    "/v1/thingss",
    "/v1/things/a/b/",
    "/v1/things/a/b/c",
    "/{}/things",
};

START_TEST(what_is_no_route_is_nothing)
{
    ck_assert_ptr_null(find(HTTP_GET, nothing[_i]));
    ck_assert_str_eq(allow, "");
}
END_TEST

static const char *const unreadable[] = {
    "", "*", "v1", "/%", "/%1", "/%zz", "/a%00b", "/1/2/3/4/5/6/7/8/9",
};

START_TEST(what_cannot_be_read_is_refused)
{
    ck_assert(!api_path_read(&path, slice_of(unreadable[_i])));
}
END_TEST

START_TEST(every_route_of_the_api_is_found_by_its_own_path)
{
    for (const struct api_route *route = api_routes; route->path; route++) {
        ck_assert(route->handle != NULL);
        api_path_done(&path);
        ck_assert(api_path_read(&path, slice_of(route->path)));
        ck_assert_ptr_eq(
            api_route_find(api_routes, route->method, &path, parts, allow, sizeof allow), route);
    }
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, NULL, end);
    tcase_add_test(tcase, method_and_path_choose);
    tcase_add_test(tcase, open_segments_are_parts_and_decoded);
    tcase_add_test(tcase, another_method_is_told_those_there_are);
    tcase_add_loop_test(tcase, what_is_no_route_is_nothing, 0, sizeof nothing / sizeof *nothing);
    tcase_add_loop_test(tcase, what_cannot_be_read_is_refused, 0,
                        sizeof unreadable / sizeof *unreadable);
    tcase_add_test(tcase, every_route_of_the_api_is_found_by_its_own_path);
}

CHECK_MAIN("api route", add_tests)
