/* SPDX-License-Identifier: Apache-2.0 */
/* Keys are found again, and only they. */
#include "lb/base/text_map.h"

#include <stdio.h>

#include "tests/support/check_main.h"

enum { KEYS = 1000 };

static struct arena arena;
static struct text_map map;
static int values[KEYS];

static void begin(void)
{
    arena = (struct arena){0};
    text_map_init(&map, KEYS, &arena);
}

static void end(void)
{
    arena_done(&arena);
}

static struct slice key_of(int number)
{
    return slice_of(arena_format(&arena, "key-%d", number));
}

START_TEST(every_key_is_found_and_no_other)
{
    for (int i = 0; i < KEYS; i++) {
        struct slice key = key_of(i);
        ck_assert_ptr_null(text_map_add(&map, text_hash(key), key, &values[i]));
    }
    for (int i = 0; i < 2 * KEYS; i++) {
        struct slice key = key_of(i);
        ck_assert_ptr_eq(text_map_get(&map, text_hash(key), key), i < KEYS ? &values[i] : NULL);
    }
}
END_TEST

START_TEST(what_is_there_stays)
{
    struct slice key = slice_of("www");
    ck_assert_ptr_null(text_map_add(&map, text_hash(key), key, &values[0]));
    ck_assert_ptr_eq(text_map_add(&map, text_hash(key), key, &values[1]), &values[0]);
    ck_assert_ptr_eq(text_map_get(&map, text_hash(key), key), &values[0]);
}
END_TEST

START_TEST(keys_of_one_hash_are_told_apart)
{
    struct slice one = slice_of("one"), two = slice_of("two"), none = slice_of("");
    text_map_add(&map, 7, one, &values[1]);
    text_map_add(&map, 7, two, &values[2]);
    ck_assert_ptr_eq(text_map_get(&map, 7, one), &values[1]);
    ck_assert_ptr_eq(text_map_get(&map, 7, two), &values[2]);
    ck_assert_ptr_null(text_map_get(&map, 7, none));
    text_map_add(&map, 7, none, &values[0]);
    ck_assert_ptr_eq(text_map_get(&map, 7, none), &values[0]);
}
END_TEST

START_TEST(an_empty_map_finds_nothing)
{
    text_map_init(&map, 0, &arena);
    ck_assert_ptr_null(text_map_get(&map, 0, slice_of("")));
}
END_TEST

START_TEST(a_hash_grows_byte_by_byte)
{
    uint64_t hash = TEXT_HASH_START;
    for (const char *at = "/abc/d"; *at; at++)
        hash = text_hash_add(hash, *at);
    ck_assert_uint_eq(hash, text_hash(slice_of("/abc/d")));
    ck_assert_uint_eq(text_hash(slice_of("")), TEXT_HASH_START);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, every_key_is_found_and_no_other);
    tcase_add_test(tcase, what_is_there_stays);
    tcase_add_test(tcase, keys_of_one_hash_are_told_apart);
    tcase_add_test(tcase, an_empty_map_finds_nothing);
    tcase_add_test(tcase, a_hash_grows_byte_by_byte);
}

CHECK_MAIN("text_map", add_tests)
