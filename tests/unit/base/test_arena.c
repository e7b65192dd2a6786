/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lb/base/arena.h"
#include "tests/support/check_main.h"

/* Sizes around every border: nothing, one, the alignment, a quarter of a chunk, a chunk, more. */
static const size_t sizes[] = {0, 1, 15, 16, 17, 100, 4095, 4096, 4097, 16384, 16385, 1000000};
enum { SIZE_COUNT = sizeof sizes / sizeof sizes[0], ROUNDS = 20 };

static bool is_filled(const unsigned char *bytes, size_t length, unsigned char with)
{
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != with)
            return false;
    }
    return true;
}

START_TEST(memory_is_zeroed_aligned_and_nobody_elses)
{
    struct arena arena = {0};
    unsigned char *given[ROUNDS * SIZE_COUNT];
    for (size_t i = 0; i < ROUNDS * SIZE_COUNT; i++) {
        size_t bytes = sizes[i % SIZE_COUNT];
        given[i] = arena_alloc(&arena, bytes);
        ck_assert_uint_eq((uintptr_t)given[i] % _Alignof(max_align_t), 0);
        ck_assert(is_filled(given[i], bytes, 0));
        memset(given[i], (int)(i % 255) + 1, bytes);
    }
    for (size_t i = 0; i < ROUNDS * SIZE_COUNT; i++)
        ck_assert(is_filled(given[i], sizes[i % SIZE_COUNT], (unsigned char)(i % 255 + 1)));
    arena_done(&arena);
    ck_assert_ptr_null(arena.chunks);
}
END_TEST

START_TEST(copies_and_formatted_text_live_in_the_arena)
{
    struct arena arena = {0};
    char text[] = "listener web";
    char *copy = arena_copy(&arena, text);
    char *part = arena_copy_bytes(&arena, text, 8);
    char *empty = arena_copy_bytes(&arena, NULL, 0);
    char *formatted = arena_format(&arena, "%s:%05d", text, 42);
    memset(text, 'x', sizeof text - 1);
    ck_assert_str_eq(copy, "listener web");
    ck_assert_str_eq(part, "listener");
    ck_assert_str_eq(empty, "");
    ck_assert_str_eq(formatted, "listener web:00042");
    arena_done(&arena);
}
END_TEST

START_TEST(an_empty_arena_can_be_done_twice)
{
    struct arena arena = {0};
    arena_done(&arena);
    arena_done(&arena);
    ck_assert_ptr_null(arena.chunks);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, memory_is_zeroed_aligned_and_nobody_elses);
    tcase_add_test(tcase, copies_and_formatted_text_live_in_the_arena);
    tcase_add_test(tcase, an_empty_arena_can_be_done_twice);
}

CHECK_MAIN("arena", add_tests)
