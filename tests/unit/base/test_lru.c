/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded, newest kept longest, counted values, many threads. */
#include "lb/base/lru.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"

enum { KEY_BYTES = 32, THREADS = 4, ROUNDS = 20000 };

struct thing {
    atomic_uint references;
    atomic_uint *alive;
    unsigned number;
};

static void thing_ref(void *value)
{
    struct thing *thing = value;
    atomic_fetch_add(&thing->references, 1);
}

static void thing_unref(void *value)
{
    struct thing *thing = value;
    if (atomic_fetch_sub(&thing->references, 1) != 1)
        return;
    atomic_fetch_sub(thing->alive, 1);
    free(thing);
}

static const struct lru_values things = {thing_ref, thing_unref};

static struct thing *thing_new(unsigned number, atomic_uint *alive)
{
    struct thing *thing = malloc(sizeof *thing);
    ck_assert_ptr_nonnull(thing);
    atomic_init(&thing->references, 1);
    thing->number = number;
    thing->alive = alive;
    atomic_fetch_add(alive, 1);
    return thing;
}

/* All of one shard, so that the order of leaving is exact. */
static void make_key(unsigned char key[KEY_BYTES], unsigned number)
{
    memset(key, 0, KEY_BYTES);
    memcpy(key + 1, &number, sizeof number);
}

static void put(struct lru *lru, unsigned number, atomic_uint *alive)
{
    unsigned char key[KEY_BYTES];
    make_key(key, number);
    struct thing *thing = thing_new(number, alive);
    lru_put(lru, key, thing);
    thing_unref(thing);
}

/* The number behind a key; UINT32_MAX: none. */
static unsigned get(struct lru *lru, unsigned number)
{
    unsigned char key[KEY_BYTES];
    make_key(key, number);
    struct thing *thing = lru_get(lru, key);
    unsigned result = thing ? thing->number : UINT32_MAX;
    if (thing)
        thing_unref(thing);
    return result;
}

START_TEST(what_was_put_is_found_until_it_is_removed)
{
    atomic_uint alive = 0;
    unsigned char key[KEY_BYTES];
    struct lru *lru = lru_new(1600, KEY_BYTES, &things);
    ck_assert_uint_eq(get(lru, 7), UINT32_MAX);
    put(lru, 7, &alive);
    ck_assert_uint_eq(get(lru, 7), 7);
    ck_assert_uint_eq(get(lru, 8), UINT32_MAX);
    make_key(key, 7);
    lru_remove(lru, key);
    lru_remove(lru, key);
    ck_assert_uint_eq(get(lru, 7), UINT32_MAX);
    ck_assert_uint_eq(lru_count(lru), 0);
    ck_assert_uint_eq(alive, 0);
    lru_free(lru);
}
END_TEST

START_TEST(the_one_not_asked_for_longest_goes_first)
{
    atomic_uint alive = 0;
    struct lru *lru = lru_new(16 * 3, KEY_BYTES, &things);
    put(lru, 1, &alive);
    put(lru, 2, &alive);
    put(lru, 3, &alive);
    ck_assert_uint_eq(get(lru, 1), 1);
    put(lru, 4, &alive);
    ck_assert_uint_eq(get(lru, 2), UINT32_MAX);
    ck_assert_uint_eq(get(lru, 1), 1);
    ck_assert_uint_eq(get(lru, 3), 3);
    ck_assert_uint_eq(get(lru, 4), 4);
    ck_assert_uint_eq(alive, 3);
    lru_free(lru);
    ck_assert_uint_eq(alive, 0);
}
END_TEST

START_TEST(a_second_value_takes_the_place_of_the_first)
{
    atomic_uint alive = 0;
    unsigned char key[KEY_BYTES];
    struct lru *lru = lru_new(160, KEY_BYTES, &things);
    put(lru, 5, &alive);
    make_key(key, 5);
    struct thing *other = thing_new(50, &alive);
    lru_put(lru, key, other);
    thing_unref(other);
    ck_assert_uint_eq(get(lru, 5), 50);
    ck_assert_uint_eq(lru_count(lru), 1);
    ck_assert_uint_eq(alive, 1);
    lru_free(lru);
}
END_TEST

START_TEST(thousands_are_found_after_growing)
{
    atomic_uint alive = 0;
    struct lru *lru = lru_new(16 * 5000, KEY_BYTES, &things);
    for (unsigned i = 0; i < 6000; i++)
        put(lru, i, &alive);
    ck_assert_uint_eq(lru_count(lru), 5000);
    for (unsigned i = 0; i < 6000; i++)
        ck_assert_uint_eq(get(lru, i), i < 1000 ? UINT32_MAX : i);
    lru_free(lru);
    ck_assert_uint_eq(alive, 0);
}
END_TEST

START_TEST(a_bound_of_nothing_keeps_nothing)
{
    atomic_uint alive = 0;
    struct lru *lru = lru_new(0, KEY_BYTES, &things);
    put(lru, 1, &alive);
    ck_assert_uint_eq(get(lru, 1), UINT32_MAX);
    ck_assert_uint_eq(alive, 0);
    lru_free(lru);
    lru_free(NULL);
}
END_TEST

START_TEST(a_value_that_is_held_outlives_its_removal)
{
    atomic_uint alive = 0;
    unsigned char key[KEY_BYTES];
    struct lru *lru = lru_new(16, KEY_BYTES, &things);
    put(lru, 1, &alive);
    make_key(key, 1);
    struct thing *held = lru_get(lru, key);
    put(lru, 2, &alive);
    lru_free(lru);
    ck_assert_uint_eq(held->number, 1);
    thing_unref(held);
    ck_assert_uint_eq(alive, 0);
}
END_TEST

struct crowd {
    struct lru *lru;
    atomic_uint alive;
    atomic_uint wrong;
};

static void *push_and_pull(void *argument)
{
    struct crowd *crowd = argument;
    unsigned random = (unsigned)(uintptr_t)&random;
    for (int i = 0; i < ROUNDS; i++) {
        unsigned char key[KEY_BYTES] = {0};
        random = random * 1103515245u + 12345u;
        unsigned number = (random >> 8) % 64;
        key[0] = (unsigned char)number;
        key[1] = (unsigned char)number;
        struct thing *thing = lru_get(crowd->lru, key);
        if (thing) {
            if (thing->number != number)
                atomic_fetch_add(&crowd->wrong, 1);
            thing_unref(thing);
        } else {
            thing = malloc(sizeof *thing);
            if (!thing)
                abort();
            atomic_init(&thing->references, 1);
            thing->number = number;
            thing->alive = &crowd->alive;
            atomic_fetch_add(&crowd->alive, 1);
            lru_put(crowd->lru, key, thing);
            thing_unref(thing);
        }
        if (random % 7 == 0)
            lru_remove(crowd->lru, key);
    }
    return NULL;
}

START_TEST(many_threads_may_use_it_at_once)
{
    struct crowd crowd = {.lru = lru_new(32, KEY_BYTES, &things)};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, push_and_pull, &crowd), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(crowd.wrong, 0);
    ck_assert_uint_le(lru_count(crowd.lru), 32);
    ck_assert_uint_eq(crowd.alive, lru_count(crowd.lru));
    lru_free(crowd.lru);
    ck_assert_uint_eq(crowd.alive, 0);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, what_was_put_is_found_until_it_is_removed);
    tcase_add_test(tcase, the_one_not_asked_for_longest_goes_first);
    tcase_add_test(tcase, a_second_value_takes_the_place_of_the_first);
    tcase_add_test(tcase, thousands_are_found_after_growing);
    tcase_add_test(tcase, a_bound_of_nothing_keeps_nothing);
    tcase_add_test(tcase, a_value_that_is_held_outlives_its_removal);
    tcase_add_test(tcase, many_threads_may_use_it_at_once);
}

CHECK_MAIN("lru", add_tests)
