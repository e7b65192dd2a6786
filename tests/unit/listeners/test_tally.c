/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/tally.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "lb/base/limits.h"
#include "tests/support/check_main.h"

static struct tallies *tallies;

static void begin(void)
{
    tallies = tallies_new();
    ck_assert_ptr_nonnull(tallies);
}

static void end(void)
{
    tallies_free(tallies);
}

START_TEST(a_listener_of_the_same_name_goes_on_counting)
{
    struct tally *web = tallies_of(tallies, "web");
    tally_count(web, TALLY_REQUEST, REFUSAL_EXPIRED);
    tally_count(tallies_of(tallies, "api"), TALLY_REQUEST, REFUSAL_EXPIRED);
    ck_assert_ptr_eq(tallies_of(tallies, "web"), web);
    tally_count(tallies_of(tallies, "web"), TALLY_REQUEST, REFUSAL_EXPIRED);
    ck_assert_uint_eq(tally_read(web, TALLY_REQUEST, REFUSAL_EXPIRED), 2);
    ck_assert_uint_eq(tally_read(web, TALLY_HANDSHAKE, REFUSAL_EXPIRED), 0);
    ck_assert_uint_eq(tally_read(web, TALLY_REQUEST, REFUSAL_MISSING), 0);
}
END_TEST

START_TEST(they_are_met_in_the_order_they_were_asked_for)
{
    ck_assert_ptr_null(tallies_first(tallies));
    tallies_of(tallies, "web");
    tallies_of(tallies, "api");
    tallies_of(tallies, "web");
    const struct tally *first = tallies_first(tallies);
    ck_assert_str_eq(first->listener, "web");
    ck_assert_str_eq(first->next->listener, "api");
    ck_assert_ptr_null(first->next->next);
}
END_TEST

/* Whatever else may be: these two of each place are sure. */
START_TEST(what_cannot_happen_at_a_place_is_known)
{
    ck_assert(!tally_can_have(TALLY_HANDSHAKE, REFUSAL_BLOCKED));
    ck_assert(!tally_can_have(TALLY_HANDSHAKE, REFUSAL_HOST_MISMATCH));
    ck_assert(!tally_can_have(TALLY_REQUEST, REFUSAL_MAX_CLIENTS));
    ck_assert(!tally_can_have(TALLY_REQUEST, REFUSAL_UNKNOWN_NAME));
    ck_assert(!tally_can_have(TALLY_CLOSED, REFUSAL_MISSING));
    ck_assert(!tally_can_have(TALLY_CLOSED, REFUSAL_OCSP_REVOKED));
    ck_assert(tally_can_have(TALLY_HANDSHAKE, REFUSAL_NOT_ALLOWED));
    ck_assert(tally_can_have(TALLY_REQUEST, REFUSAL_SIGNUP_LIMIT));
    ck_assert(tally_can_have(TALLY_CLOSED, REFUSAL_CRL_REVOKED));
    for (unsigned refusal = REFUSAL_NONE + 1; refusal < REFUSAL_COUNT; refusal++)
        ck_assert_msg(tally_can_have(TALLY_HANDSHAKE, (enum refusal)refusal) ||
                          tally_can_have(TALLY_REQUEST, (enum refusal)refusal),
                      "%s happens nowhere", refusal_name((enum refusal)refusal));
}
END_TEST

START_TEST(listeners_beyond_the_most_share_one_that_has_no_name)
{
    char name[32];
    for (unsigned i = 0; i < TALLIES_MOST; i++) {
        snprintf(name, sizeof name, "listener-%u", i);
        ck_assert_str_eq(tallies_of(tallies, name)->listener, name);
    }
    struct tally *one = tallies_of(tallies, "one more");
    ck_assert_str_eq(one->listener, "");
    ck_assert_ptr_eq(tallies_of(tallies, "and another"), one);
    ck_assert_str_eq(tallies_of(tallies, "listener-7")->listener, "listener-7");
    unsigned count = 0;
    const struct tally *last = NULL;
    for (const struct tally *tally = tallies_first(tallies); tally; tally = tally->next, count++)
        last = tally;
    ck_assert_uint_eq(count, TALLIES_MOST + 1);
    ck_assert_ptr_eq(last, one);
}
END_TEST

START_TEST(where_nobody_counts_nothing_happens)
{
    tally_count(NULL, TALLY_CLOSED, REFUSAL_REVOKED);
    ck_assert_ptr_null(tallies_of(NULL, "web"));
    tallies_free(NULL);
}
END_TEST

enum { THREADS = 4, TIMES = 10000 };

static void *count_many(void *arg)
{
    for (unsigned i = 0; i < TIMES; i++)
        tally_count(arg, TALLY_CLOSED, REFUSAL_REVOKED);
    return NULL;
}

START_TEST(none_is_lost_when_many_threads_count)
{
    pthread_t threads[THREADS];
    struct tally *web = tallies_of(tallies, "web");
    for (unsigned i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, count_many, web), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(tally_read(web, TALLY_CLOSED, REFUSAL_REVOKED), THREADS * TIMES);
}
END_TEST

START_TEST(every_place_has_a_name_of_its_own)
{
    for (unsigned i = 0; i < TALLY_PLACE_COUNT; i++)
        for (unsigned k = 0; k < i; k++)
            ck_assert_str_ne(tally_place_name((enum tally_place)i),
                             tally_place_name((enum tally_place)k));
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_listener_of_the_same_name_goes_on_counting);
    tcase_add_test(tcase, they_are_met_in_the_order_they_were_asked_for);
    tcase_add_test(tcase, what_cannot_happen_at_a_place_is_known);
    tcase_add_test(tcase, listeners_beyond_the_most_share_one_that_has_no_name);
    tcase_add_test(tcase, where_nobody_counts_nothing_happens);
    tcase_add_test(tcase, none_is_lost_when_many_threads_count);
    tcase_add_test(tcase, every_place_has_a_name_of_its_own);
}

CHECK_MAIN("tally", add_tests)
