/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/http2/http2_memory.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/support/check_main.h"

static struct http2_memory memory;
static nghttp2_mem calls;

static void open_memory(void)
{
    calls = http2_memory_open(&memory);
    ck_assert_ptr_nonnull(memory.pages);
}

static void close_memory(void)
{
    http2_memory_close(&memory);
}

static bool is_of_pages(const void *bytes)
{
    return (uintptr_t)bytes - (uintptr_t)memory.pages < HTTP2_MEMORY_BYTES;
}

static void *get(size_t length)
{
    return calls.malloc(length, &memory);
}

START_TEST(large_ones_are_laid_out_one_behind_the_other)
{
    char *one = get(3001), *other = calls.realloc(NULL, 16394, &memory);
    ck_assert(is_of_pages(one) && is_of_pages(other));
    ck_assert_uint_eq((uintptr_t)other % _Alignof(max_align_t), 0);
    ck_assert(other >= one + 3001);
    memset(one, 1, 3001);
    memset(other, 2, 16394);
    ck_assert_int_eq(one[3000], 1);
    ck_assert_int_eq(other[0], 2);
}
END_TEST

START_TEST(what_is_zeroed_is_zero)
{
    char *bytes = calls.calloc(64, 64, &memory);
    ck_assert(is_of_pages(bytes));
    for (unsigned i = 0; i < 4096; i++)
        ck_assert_int_eq(bytes[i], 0);
    char *small = calls.calloc(3, 5, &memory);
    ck_assert(!is_of_pages(small));
    ck_assert_mem_eq(small, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 15);
    calls.free(small, &memory);
}
END_TEST

static bool is_resident(const void *page)
{
    unsigned char resident = 0;
    ck_assert_int_eq(sysconf(_SC_PAGESIZE), HTTP2_MEMORY_TABLE_BYTES);
    ck_assert_int_eq(mincore((void *)(uintptr_t)page, HTTP2_MEMORY_TABLE_BYTES, &resident), 0);
    return resident & 1;
}

START_TEST(a_table_that_is_empty_goes_back_while_it_rests)
{
    char *session = get(3000), *table = calls.calloc(256, 16, &memory);
    memset(session, 1, 3000);
    table[100] = 1;
    table[100] = 0;
    ck_assert(is_resident(table));
    http2_memory_rest(&memory);
    ck_assert(!is_resident(table));
    for (unsigned i = 0; i < HTTP2_MEMORY_TABLE_BYTES; i++)
        ck_assert_int_eq(table[i], 0);
    for (unsigned i = 0; i < 3000; i++)
        ck_assert_int_eq(session[i], 1);
    table[4095] = 2; /* the next stream */
    ck_assert_int_eq(table[4095], 2);
}
END_TEST

START_TEST(a_table_with_something_in_it_stays)
{
    char *table = calls.calloc(256, 16, &memory), *other = calls.calloc(256, 16, &memory);
    ck_assert(is_of_pages(table) && is_of_pages(other) && table != other);
    table[0] = 3;
    http2_memory_rest(&memory);
    ck_assert_int_eq(table[0], 3);
    table[0] = 0;
    table[4095] = 4;
    other[0] = 5;
    http2_memory_rest(&memory);
    ck_assert_int_eq(table[4095], 4);
    ck_assert_int_eq(other[0], 5);
}
END_TEST

START_TEST(who_has_no_table_rests_all_the_same)
{
    struct http2_memory none = {0};
    http2_memory_rest(&memory);
    http2_memory_rest(&none);
    char *bytes = get(2000);
    memset(bytes, 1, 2000);
    http2_memory_rest(&memory);
    ck_assert_int_eq(bytes[0], 1);
    ck_assert_int_eq(bytes[1999], 1);
}
END_TEST

START_TEST(small_ones_and_what_does_not_fit_are_from_malloc)
{
    void *small = get(100), *large = get(HTTP2_MEMORY_BYTES - HTTP2_MEMORY_TABLE_BYTES - 1000),
         *more = get(2000);
    ck_assert(!is_of_pages(small) && is_of_pages(large) && !is_of_pages(more));
    calls.free(small, &memory);
    calls.free(large, &memory);
    calls.free(more, &memory);
    calls.free(NULL, &memory);
}
END_TEST

START_TEST(what_grows_takes_its_bytes_along)
{
    char *bytes = get(2000);
    memset(bytes, 7, 2000);
    char *grown = calls.realloc(bytes, 60000, &memory);
    ck_assert(is_of_pages(bytes) && !is_of_pages(grown));
    for (unsigned i = 0; i < 2000; i++)
        ck_assert_int_eq(grown[i], 7);
    grown = calls.realloc(grown, 70000, &memory);
    ck_assert_int_eq(grown[1999], 7);
    calls.free(grown, &memory);
}
END_TEST

START_TEST(without_pages_everything_is_from_malloc)
{
    struct http2_memory none = {0};
    char *bytes = calls.realloc(calls.malloc(2000, &none), 3000, &none);
    char *zeroed = calls.calloc(2, 2000, &none);
    memset(bytes, 1, 3000);
    ck_assert_int_eq(zeroed[3999], 0);
    calls.free(bytes, &none);
    calls.free(zeroed, &none);
    http2_memory_close(&none);
}
END_TEST

/* The reason for it all: of a session that has sent its settings only its own page is resident. */
START_TEST(a_session_lives_in_the_pages_and_leaves_most_of_them_untouched)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_session *session;
    const uint8_t *bytes;
    unsigned char resident[HTTP2_MEMORY_BYTES / 4096] = {0};
    unsigned pages = 0;
    ck_assert_int_eq(sysconf(_SC_PAGESIZE), 4096);
    ck_assert_int_eq(nghttp2_session_callbacks_new(&callbacks), 0);
    ck_assert_int_eq(nghttp2_session_server_new3(&session, callbacks, NULL, NULL, &calls), 0);
    ck_assert_int_eq(nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, NULL, 0), 0);
    ck_assert_int_gt(nghttp2_session_mem_send(session, &bytes), 0);
    ck_assert(is_of_pages(session) && is_of_pages(bytes));
    ck_assert_int_eq(mincore(memory.pages, HTTP2_MEMORY_BYTES, resident), 0);
    for (unsigned i = 0; i < sizeof resident; i++)
        pages += resident[i] & 1;
    ck_assert_uint_gt(pages, 0);
    ck_assert_uint_le(pages, 2);
    nghttp2_session_del(session);
    nghttp2_session_callbacks_del(callbacks);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, open_memory, close_memory);
    tcase_add_test(tcase, large_ones_are_laid_out_one_behind_the_other);
    tcase_add_test(tcase, what_is_zeroed_is_zero);
    tcase_add_test(tcase, a_table_that_is_empty_goes_back_while_it_rests);
    tcase_add_test(tcase, a_table_with_something_in_it_stays);
    tcase_add_test(tcase, who_has_no_table_rests_all_the_same);
    tcase_add_test(tcase, small_ones_and_what_does_not_fit_are_from_malloc);
    tcase_add_test(tcase, what_grows_takes_its_bytes_along);
    tcase_add_test(tcase, without_pages_everything_is_from_malloc);
    tcase_add_test(tcase, a_session_lives_in_the_pages_and_leaves_most_of_them_untouched);
}

CHECK_MAIN("http2_memory", add_tests)
