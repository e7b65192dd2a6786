/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/base/http2_nva.h"

#include <ctype.h>

#include "tests/support/check_main.h"

static struct http2_nva nva;
static char room[256];

static void begin(size_t room_bytes)
{
    http2_nva_begin(&nva, room, room_bytes, NGHTTP2_NV_FLAG_NO_COPY_NAME);
}

static struct slice name_of(size_t row)
{
    return (struct slice){(const char *)nva.rows[row].name, nva.rows[row].namelen};
}

static struct slice value_of(size_t row)
{
    return (struct slice){(const char *)nva.rows[row].value, nva.rows[row].valuelen};
}

/* The first name that a decoder finds in what a session sends of the rows. */
static void expect_sent(const char *name)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_session *session;
    nghttp2_hd_inflater *inflater;
    nghttp2_nv field;
    const uint8_t *frames;
    int flags = 0;
    ck_assert_int_eq(nghttp2_session_callbacks_new(&callbacks), 0);
    ck_assert_int_eq(nghttp2_session_client_new(&session, callbacks, NULL), 0);
    ck_assert_int_gt(nghttp2_submit_request(session, NULL, nva.rows, nva.count, NULL, NULL), 0);
    memset(&nva.rows, 0xff, sizeof nva.rows);
    ck_assert_int_eq(nghttp2_session_mem_send(session, &frames), 24); /* the preface */
    ssize_t length = nghttp2_session_mem_send(session, &frames);
    ck_assert_int_gt(length, 9); /* a frame's head */
    ck_assert_int_eq(nghttp2_hd_inflate_new(&inflater), 0);
    while (!(flags & NGHTTP2_HD_INFLATE_EMIT)) {
        ssize_t taken =
            nghttp2_hd_inflate_hd2(inflater, &field, &flags, frames + 9, (size_t)length - 9, 1);
        ck_assert_int_ge(taken, 0);
    }
    ck_assert_str_eq((const char *)field.name, name);
    nghttp2_hd_inflate_del(inflater);
    nghttp2_session_del(session);
    nghttp2_session_callbacks_del(callbacks);
}

START_TEST(names_are_lowered_at_every_length)
{
    static const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ-@[`{_09";
    char expected[sizeof capitals];
    for (size_t i = 0; i < sizeof capitals; i++)
        expected[i] = (char)tolower(capitals[i]);
    for (size_t length = 1; length < sizeof capitals; length++) {
        begin(sizeof room);
        http2_nva_put(&nva, (struct slice){capitals, length}, slice_of("Value"));
        ck_assert(http2_nva_fits(&nva));
        ck_assert(slice_equal(name_of(0), (struct slice){expected, length}));
        ck_assert(slice_is(value_of(0), "Value"));
    }
}
END_TEST

START_TEST(what_is_in_lower_case_stays_where_it_is)
{
    static const char name[] = "x-\xc3\x89[@";
    static const char value[] = "V";
    begin(0);
    http2_nva_put(&nva, slice_of(name), slice_of(value));
    ck_assert(http2_nva_fits(&nva));
    ck_assert_ptr_eq(nva.rows[0].name, name);
    ck_assert_ptr_eq(nva.rows[0].value, value);
    ck_assert_uint_eq(nva.rows[0].flags, NGHTTP2_NV_FLAG_NO_COPY_NAME);
}
END_TEST

START_TEST(what_nghttp2_copies_it_also_lowers)
{
    static const char name[] = "X-Capitals";
    http2_nva_begin(&nva, room, 0, NGHTTP2_NV_FLAG_NONE);
    http2_nva_put(&nva, slice_of(name), slice_of("x"));
    ck_assert(http2_nva_fits(&nva));
    ck_assert_ptr_eq(nva.rows[0].name, name);
    expect_sent("x-capitals");
}
END_TEST

START_TEST(rows_do_not_share_their_words)
{
    begin(sizeof room);
    http2_nva_put_number(&nva, slice_of(":status"), 7, 3);
    http2_nva_put(&nva, slice_of("ETag"), slice_of("x"));
    http2_nva_put_number(&nva, slice_of("content-length"), UINT64_MAX, 1);
    http2_nva_put(&nva, slice_of("Date"), slice_of(""));
    ck_assert_uint_eq(nva.count, 4);
    ck_assert(slice_is(value_of(0), "007"));
    ck_assert(slice_is(name_of(1), "etag"));
    ck_assert(slice_is(value_of(2), "18446744073709551615"));
    ck_assert(slice_is(name_of(3), "date"));
    ck_assert_uint_eq(nva.rows[3].valuelen, 0);
}
END_TEST

START_TEST(what_does_not_fit_is_told)
{
    begin(3);
    http2_nva_put(&nva, slice_of("ETag"), slice_of("x"));
    ck_assert(!http2_nva_fits(&nva));
    begin(2);
    http2_nva_put_number(&nva, slice_of(":status"), 200, 3);
    ck_assert(!http2_nva_fits(&nva));
    begin(4);
    http2_nva_put(&nva, slice_of("ETag"), slice_of("x"));
    ck_assert(http2_nva_fits(&nva));
}
END_TEST

START_TEST(one_row_too_many_is_told)
{
    begin(0);
    for (int i = 0; i < HTTP2_NVA_MOST; i++)
        http2_nva_put(&nva, slice_of("x"), slice_of("y"));
    ck_assert(http2_nva_fits(&nva));
    http2_nva_put(&nva, slice_of("x"), slice_of("y"));
    ck_assert(!http2_nva_fits(&nva));
    ck_assert_uint_eq(nva.count, HTTP2_NVA_MOST);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, names_are_lowered_at_every_length);
    tcase_add_test(tcase, what_is_in_lower_case_stays_where_it_is);
    tcase_add_test(tcase, what_nghttp2_copies_it_also_lowers);
    tcase_add_test(tcase, rows_do_not_share_their_words);
    tcase_add_test(tcase, what_does_not_fit_is_told);
    tcase_add_test(tcase, one_row_too_many_is_told);
}

CHECK_MAIN("http2_nva", add_tests)
