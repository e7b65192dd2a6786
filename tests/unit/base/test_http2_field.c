/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of HTTP/2; every byte of them is tried in listeners/http2/test_head.c. */
#include "lb/base/http2_field.h"

#include "tests/support/check_main.h"

static struct http_chunks trailers;

static void begin(void)
{
    trailers = (struct http_chunks){0};
}

static void end(void)
{
    http_chunks_done(&trailers);
}

static bool is_fine(const char *name, const char *value)
{
    enum http_name known;
    return http2_field_judge(slice_of(name), slice_of(value), &known) == NULL;
}

START_TEST(fields_of_one_connection_are_refused)
{
    ck_assert(!is_fine("connection", "close"));
    ck_assert(!is_fine("keep-alive", ""));
    ck_assert(!is_fine("proxy-connection", "x"));
    ck_assert(!is_fine("transfer-encoding", "chunked"));
    ck_assert(!is_fine("upgrade", "h2c"));
    ck_assert(!is_fine("te", "gzip"));
    ck_assert(is_fine("te", "trailers"));
    ck_assert(is_fine("connections", "x"));
    ck_assert(is_fine("x-upgrade", "x"));
}
END_TEST

START_TEST(the_names_that_lb_acts_on_are_told)
{
    enum http_name known = HTTP_OTHER_FIELD;
    ck_assert_ptr_null(http2_field_judge(slice_of("cookie"), slice_of(""), &known));
    ck_assert_int_eq(known, HTTP_COOKIE);
    ck_assert_ptr_null(http2_field_judge(slice_of("x-own"), slice_of(""), &known));
    ck_assert_int_eq(known, HTTP_OTHER_FIELD);
}
END_TEST

static const char *add(const char *name, const char *value)
{
    return http2_trailer_add(&trailers, slice_of(name), slice_of(value));
}

START_TEST(trailers_are_kept_but_for_those_that_come_too_late)
{
    struct http_field fields[HEAD_FIELDS_MOST];
    ck_assert_ptr_null(add("grpc-status", "0"));
    ck_assert_ptr_null(add("content-type", "text/plain"));
    ck_assert_ptr_null(add("set-cookie", "a=b"));
    ck_assert_ptr_null(add("grpc-message", ""));
    ck_assert_uint_eq(http_chunks_trailers(&trailers, fields, HEAD_FIELDS_MOST), 2);
    ck_assert(slice_is(fields[0].name, "grpc-status"));
    ck_assert(slice_is(fields[0].value, "0"));
    ck_assert(slice_is(fields[1].name, "grpc-message"));
    ck_assert_uint_eq(fields[1].value.length, 0);
}
END_TEST

START_TEST(trailers_that_could_only_be_an_attack_are_refused)
{
    static const char *const names[] = {
        ":status", "host",       "content-length",    "content_length",
        "te",      "trailer",    "transfer-encoding", "expect",
        "X-Upper", "connection", "http2-settings"};
    ck_assert_ptr_null(add("x", "y"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        trailers.fault = HTTP_FINE;
        ck_assert_msg(add(names[i], "trailers") != NULL, "%s", names[i]);
        ck_assert_int_eq(trailers.fault, HTTP_BAD_TRAILER);
    }
    ck_assert_ptr_nonnull(add("x", "y\r\nz: w"));
    ck_assert_uint_eq(trailers.trailer_count, 1);
    ck_assert_uint_eq(trailers.trailer_length, 6);
}
END_TEST

START_TEST(trailers_are_bounded)
{
    static char value[TRAILER_BYTES];
    struct http_field fields[HEAD_FIELDS_MOST];
    memset(value, 'v', sizeof value);
    struct slice largest = {value, TRAILER_BYTES - 5};
    ck_assert_ptr_null(http2_trailer_add(&trailers, slice_of("x"), largest));
    ck_assert_ptr_nonnull(add("y", ""));
    ck_assert_int_eq(trailers.fault, HTTP_TRAILER_TOO_LARGE);
    ck_assert_uint_eq(http_chunks_trailers(&trailers, fields, HEAD_FIELDS_MOST), 1);
    http_chunks_done(&trailers);
    for (int i = 0; i < HEAD_FIELDS_MOST; i++)
        ck_assert_ptr_null(add("x", "y"));
    ck_assert_ptr_nonnull(add("x", "y"));
    ck_assert_int_eq(trailers.fault, HTTP_TRAILER_TOO_LARGE);
    ck_assert_uint_eq(http_chunks_trailers(&trailers, fields, HEAD_FIELDS_MOST), HEAD_FIELDS_MOST);
}
END_TEST

START_TEST(a_status_has_three_digits)
{
    static const char *const others[] = {"", "20", "2000", "2x0", " 20", "+20", "-12", "20\xb0"};
    ck_assert_uint_eq(http2_field_status(slice_of("200")), 200);
    ck_assert_uint_eq(http2_field_status(slice_of("099")), 99);
    ck_assert_uint_eq(http2_field_status(slice_of("999")), 999);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_msg(http2_field_status(slice_of(others[i])) == 0, "%s", others[i]);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, fields_of_one_connection_are_refused);
    tcase_add_test(tcase, the_names_that_lb_acts_on_are_told);
    tcase_add_test(tcase, trailers_are_kept_but_for_those_that_come_too_late);
    tcase_add_test(tcase, trailers_that_could_only_be_an_attack_are_refused);
    tcase_add_test(tcase, trailers_are_bounded);
    tcase_add_test(tcase, a_status_has_three_digits);
}

CHECK_MAIN("http2_field", add_tests)
