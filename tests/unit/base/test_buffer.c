/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <string.h>

#include "lb/base/buffer.h"
#include "tests/support/check_main.h"

enum { LARGEST_BYTES = BUFFER_LEAST_BYTES << (BUFFER_CLASS_COUNT - 1) };

START_TEST(a_buffer_is_the_smallest_power_of_two_that_holds_it)
{
    static const size_t wishes[][2] = {{0, 1024},      {1, 1024},       {1024, 1024},
                                       {1025, 2048},   {4096, 4096},    {4097, 8192},
                                       {65536, 65536}, {65537, 131072}, {524288, 524288}};
    struct buffer_pool pool;
    buffer_pool_init(&pool);
    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
        struct buffer *buffer = buffer_take(&pool, wishes[i][0]);
        ck_assert_uint_eq(buffer->capacity, wishes[i][1]);
        ck_assert_uint_eq(buffer_length(buffer), 0);
        ck_assert_uint_eq(buffer_room(buffer), buffer->capacity);
        memset(buffer->data, 'x', buffer->capacity);
        buffer_give(&pool, &buffer);
        ck_assert_ptr_null(buffer);
    }
    ck_assert_uint_eq(pool.lent_count, 0);
    buffer_pool_done(&pool);
}
END_TEST

START_TEST(what_is_given_back_is_lent_again)
{
    struct buffer_pool pool;
    buffer_pool_init(&pool);
    struct buffer *first = buffer_take(&pool, 5000);
    struct buffer *same = first;
    first->start = first->end = 77;
    buffer_give(&pool, &first);
    struct buffer *second = buffer_take(&pool, 8000);
    ck_assert_ptr_eq(second, same);
    ck_assert_uint_eq(second->end, 0);
    ck_assert_uint_eq(pool.lent_count, 1);
    buffer_give(&pool, &second);
    buffer_give(&pool, &second); /* nothing to give is fine */
    ck_assert_uint_eq(pool.lent_count, 0);
    buffer_pool_done(&pool);
}
END_TEST

START_TEST(a_pool_keeps_no_more_than_its_bound)
{
    enum { COUNT = 2 * BUFFER_KEPT_BYTES / BUFFER_LEAST_BYTES };
    static struct buffer *lent[COUNT];
    struct buffer_pool pool;
    buffer_pool_init(&pool);
    for (int i = 0; i < COUNT; i++)
        lent[i] = buffer_take(&pool, 1);
    ck_assert_uint_eq(pool.lent_count, COUNT);
    for (int i = 0; i < COUNT; i++)
        buffer_give(&pool, &lent[i]);
    ck_assert_uint_eq(pool.free_bytes[0], BUFFER_KEPT_BYTES);
    struct buffer *huge = buffer_take(&pool, LARGEST_BYTES + 1);
    ck_assert_uint_eq(huge->capacity, LARGEST_BYTES + 1);
    buffer_give(&pool, &huge);
    for (int i = 1; i < BUFFER_CLASS_COUNT; i++)
        ck_assert_uint_eq(pool.free_bytes[i], 0);
    buffer_pool_done(&pool);
}
END_TEST

START_TEST(a_size_that_cannot_be_is_refused)
{
    struct buffer_pool pool;
    buffer_pool_init(&pool);
    ck_assert_ptr_null(buffer_take(&pool, SIZE_MAX));
    ck_assert_uint_eq(pool.lent_count, 0);
    buffer_pool_done(&pool);
}
END_TEST

static unsigned char byte_at(size_t position)
{
    return (unsigned char)(position * 31 + position / 251);
}

/* A producer and a consumer of uneven pieces: what comes out is what went in. */
START_TEST(appending_grows_and_moves_without_losing_a_byte)
{
    enum { MOST = 200000 };
    struct buffer_pool pool;
    buffer_pool_init(&pool);
    struct buffer *buffer = NULL;
    size_t produced = 0;
    size_t consumed = 0;
    for (size_t round = 1; round < 400; round++) {
        unsigned char piece[1500];
        size_t length = round * 37 % sizeof piece;
        for (size_t i = 0; i < length; i++)
            piece[i] = byte_at(produced + i);
        ck_assert(buffer_append(&pool, &buffer, piece, length, MOST));
        produced += length;
        size_t eaten = round * 23 % 1000;
        for (; eaten > 0 && buffer_length(buffer) > 0; eaten--) {
            ck_assert_uint_eq((unsigned char)buffer->data[buffer->start++], byte_at(consumed));
            consumed++;
        }
    }
    ck_assert_uint_eq(buffer_length(buffer), produced - consumed);
    ck_assert_uint_eq(pool.lent_count, 1);
    buffer_give(&pool, &buffer);
    buffer_pool_done(&pool);
}
END_TEST

START_TEST(going_over_the_bound_appends_nothing)
{
    struct buffer_pool pool;
    buffer_pool_init(&pool);
    struct buffer *buffer = NULL;
    ck_assert(!buffer_append(&pool, &buffer, "abcdef", 6, 5));
    ck_assert_ptr_null(buffer);
    ck_assert(buffer_append(&pool, &buffer, "abcde", 5, 5));
    ck_assert(!buffer_append(&pool, &buffer, "f", 1, 5));
    ck_assert_uint_eq(buffer_length(buffer), 5);
    buffer->start += 2; /* room by the bound is counted in unread bytes */
    ck_assert(buffer_append(&pool, &buffer, "fg", 2, 5));
    ck_assert_mem_eq(buffer->data + buffer->start, "cdefg", 5);
    buffer_give(&pool, &buffer);
    buffer_pool_done(&pool);
}
END_TEST

START_TEST(reserved_room_is_there_behind_the_unread_bytes)
{
    struct buffer_pool pool;
    buffer_pool_init(&pool);
    struct buffer *buffer = NULL;
    ck_assert(buffer_append(&pool, &buffer, "0123456789", 10, SIZE_MAX));
    buffer->start = 6;
    ck_assert(buffer_reserve(&pool, &buffer, BUFFER_GROWING_BYTES - 4, SIZE_MAX));
    ck_assert_uint_eq(buffer->capacity, BUFFER_GROWING_BYTES); /* moved, not grown */
    ck_assert(buffer_reserve(&pool, &buffer, 100000, SIZE_MAX));
    ck_assert_uint_ge(buffer_room(buffer), 100000);
    ck_assert_mem_eq(buffer->data + buffer->start, "6789", 4);
    ck_assert_uint_eq(pool.lent_count, 1);
    buffer_give(&pool, &buffer);
    buffer_pool_done(&pool);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_buffer_is_the_smallest_power_of_two_that_holds_it);
    tcase_add_test(tcase, what_is_given_back_is_lent_again);
    tcase_add_test(tcase, a_pool_keeps_no_more_than_its_bound);
    tcase_add_test(tcase, a_size_that_cannot_be_is_refused);
    tcase_add_test(tcase, appending_grows_and_moves_without_losing_a_byte);
    tcase_add_test(tcase, going_over_the_bound_appends_nothing);
    tcase_add_test(tcase, reserved_room_is_there_behind_the_unread_bytes);
}

CHECK_MAIN("buffer", add_tests)
