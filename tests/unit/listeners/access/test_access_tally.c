/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/access/access_tally.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "lb/base/limits.h"
#include "tests/support/check_main.h"

static struct access_tallies *tallies;

static void begin(void)
{
    tallies = access_tallies_new();
    ck_assert_ptr_nonnull(tallies);
}

static void end(void)
{
    access_tallies_free(tallies);
}

START_TEST(a_section_of_the_same_name_goes_on_counting_each_action_by_itself)
{
    struct access_tally *one = access_tallies_of(tallies, "one");
    access_tally_count(one, ACCESS_BLOCK);
    access_tally_count(access_tallies_of(tallies, "two"), ACCESS_BLOCK);
    ck_assert_ptr_eq(access_tallies_of(tallies, "one"), one);
    access_tally_count(access_tallies_of(tallies, "one"), ACCESS_BLOCK);
    access_tally_count(access_tallies_of(tallies, "one"), ACCESS_LOG);
    ck_assert_uint_eq(access_tally_read(one, ACCESS_BLOCK), 2);
    ck_assert_uint_eq(access_tally_read(one, ACCESS_LOG), 1);
    ck_assert_uint_eq(access_tally_read(one, ACCESS_REDIRECT), 0);
}
END_TEST

START_TEST(they_are_met_in_the_order_they_were_asked_for)
{
    ck_assert_ptr_null(access_tallies_first(tallies));
    access_tallies_of(tallies, "one");
    access_tallies_of(tallies, "two");
    access_tallies_of(tallies, "one");
    const struct access_tally *first = access_tallies_first(tallies);
    ck_assert_str_eq(first->name, "one");
    ck_assert_str_eq(first->next->name, "two");
    ck_assert_ptr_null(first->next->next);
}
END_TEST

START_TEST(sections_beyond_the_most_share_one_that_has_no_name)
{
    char name[32];
    for (unsigned i = 0; i < ACCESS_TALLIES_MOST; i++) {
        snprintf(name, sizeof name, "section-%u", i);
        ck_assert_str_eq(access_tallies_of(tallies, name)->name, name);
    }
    struct access_tally *one = access_tallies_of(tallies, "one more");
    ck_assert_str_eq(one->name, "");
    ck_assert_ptr_eq(access_tallies_of(tallies, "and another"), one);
    ck_assert_str_eq(access_tallies_of(tallies, "section-7")->name, "section-7");
    const struct access_tally *last = access_tallies_first(tallies);
    while (last->next)
        last = last->next;
    ck_assert_ptr_eq(last, one);
}
END_TEST

START_TEST(where_nobody_counts_nothing_happens)
{
    ck_assert_ptr_null(access_tallies_of(NULL, "one"));
    access_tally_count(NULL, ACCESS_BLOCK);
}
END_TEST

enum { THREADS = 4, TIMES = 20000 };

static void *count_on(void *arg)
{
    for (unsigned i = 0; i < TIMES; i++)
        access_tally_count(arg, ACCESS_REDIRECT);
    return NULL;
}

START_TEST(no_thread_loses_what_another_counts)
{
    pthread_t threads[THREADS];
    struct access_tally *tally = access_tallies_of(tallies, "one");
    for (unsigned i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, count_on, tally), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(access_tally_read(tally, ACCESS_REDIRECT), THREADS * TIMES);
}
END_TEST

START_TEST(every_action_has_its_name)
{
    ck_assert_str_eq(access_action_name(ACCESS_BLOCK), "block");
    ck_assert_str_eq(access_action_name(ACCESS_LOG), "log");
    ck_assert_str_eq(access_action_name(ACCESS_REDIRECT), "redirect");
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_section_of_the_same_name_goes_on_counting_each_action_by_itself);
    tcase_add_test(tcase, they_are_met_in_the_order_they_were_asked_for);
    tcase_add_test(tcase, sections_beyond_the_most_share_one_that_has_no_name);
    tcase_add_test(tcase, where_nobody_counts_nothing_happens);
    tcase_add_test(tcase, no_thread_loses_what_another_counts);
    tcase_add_test(tcase, every_action_has_its_name);
}

CHECK_MAIN("access tally", add_tests)
