/* SPDX-License-Identifier: Apache-2.0 */
/* What an operator may write behind `backend =`. */
#include "backends/backend.h"

#include <string.h>

#include "lb/base/arena.h"
#include "tests/support/check_main.h"

static struct arena arena;
static struct backend backend;
static struct problems problems;

static void release(void)
{
    problems_done(&problems);
    arena_done(&arena);
}

static bool parse(const char *text)
{
    release();
    problems = (struct problems){0};
    arena = (struct arena){0};
    memset(&backend, 0, sizeof backend);
    return backend_parse(&backend, text, &arena, "lb.ini", 7, &problems);
}

START_TEST(a_name_and_an_address_are_enough)
{
    ck_assert(parse("rs-1 127.0.0.1:8081"));
    ck_assert_str_eq(backend.name, "rs-1");
    ck_assert_str_eq(backend.address.text, "127.0.0.1:8081");
    ck_assert_uint_eq(backend.weight, 10);
    ck_assert_ptr_null(backend.standing);
}
END_TEST

START_TEST(a_weight_from_0_to_100_is_taken)
{
    ck_assert(parse("rs-1 127.0.0.1:8081 weight=0"));
    ck_assert_uint_eq(backend.weight, 0);
    ck_assert(parse("rs-1 127.0.0.1:8081 weight=100"));
    ck_assert_uint_eq(backend.weight, 100);
}
END_TEST

START_TEST(a_limit_and_a_slow_start_are_taken_in_any_order)
{
    ck_assert(parse("rs-1 127.0.0.1:8081 slow_start=30s max_connections=200 weight=3"));
    ck_assert_uint_eq(backend.weight, 3);
    ck_assert_uint_eq(backend.max_connections, 200);
    ck_assert_uint_eq(backend.slow_start_ms, 30000);
    ck_assert(parse("rs-1 127.0.0.1:8081 max_connections=0 slow_start=0"));
    ck_assert_uint_eq(backend.weight, 10);
    ck_assert_uint_eq(backend.max_connections, 0);
    ck_assert_uint_eq(backend.slow_start_ms, 0);
}
END_TEST

START_TEST(blanks_and_tabs_between_words_do_not_matter)
{
    ck_assert(parse("  rs_2.a \t [::1]:80   weight=7  "));
    ck_assert_str_eq(backend.name, "rs_2.a");
    ck_assert_str_eq(backend.address.text, "[::1]:80");
    ck_assert_uint_eq(backend.weight, 7);
}
END_TEST

static const struct {
    const char *text;
    const char *words; /* in the error */
} bad[] = {
    {"", "needs a name and an address"},
    {"rs-1", "needs a name and an address"},
    {"127.0.0.1:8081", "needs a name and an address"},
    {"rs/1 127.0.0.1:8081", "\"rs/1\" is no name"},
    {"rs\x1b 127.0.0.1:8081", "is no name"},
    {"a234567890123456789012345678901234567890123456789012345678901234 127.0.0.1:8081",
     "is no name"},
    {"rs-1 127.0.0.1", "no port"},
    {"rs-1 127.0.0.1:0", "port 0"},
    {"rs-1 127.0.0.1:99999", "no port"},
    {"rs-1 127.0.0.1:8081 weight=101", "weight=101 is no weight: a whole number from 0 to 100"},
    {"rs-1 127.0.0.1:8081 weight=-1", "is no weight"},
    {"rs-1 127.0.0.1:8081 weight=", "is no weight"},
    {"rs-1 127.0.0.1:8081 weight=1.5", "is no weight"},
    {"rs-1 127.0.0.1:8081 weight=1 weight=2", "given twice"},
    {"rs-1 127.0.0.1:8081 max_connections=1 weight=2 max_connections=2",
     "max_connections is given twice"},
    {"rs-1 127.0.0.1:8081 max_connections=-1", "max_connections=-1 is no number of requests"},
    {"rs-1 127.0.0.1:8081 max_connections=1000001", "0 (no limit) to 1000000"},
    {"rs-1 127.0.0.1:8081 slow_start=30", "slow_start=30 is no time to start in"},
    {"rs-1 127.0.0.1:8081 slow_start=2h", "0 to 1h, such as 30s"},
    {"rs-1 127.0.0.1:8081 wieght=1", "unknown setting \"wieght=1\" for a backend: did you mean "
                                     "weight=?"},
    {"rs-1 127.0.0.1:8081 weight", "unknown setting \"weight\" for a backend: did you mean "
                                   "weight=?"},
    {"rs-1 127.0.0.1:8081 10", "unknown setting \"10\" for a backend: there are weight=N, "
                               "max_connections=N and slow_start=DURATION"},
};

START_TEST(what_is_wrong_is_said)
{
    ck_assert_msg(!parse(bad[_i].text), "accepted: %s", bad[_i].text);
    ck_assert_uint_eq(problems.count, 1);
    const struct problem *problem = &problems.items[0];
    ck_assert_msg(strstr(problem->text, bad[_i].words) != NULL, "%s: %s", bad[_i].text,
                  problem->text);
    ck_assert_uint_eq(problem->line, 7);
    ck_assert_str_eq(problem->file, "lb.ini");
}
END_TEST

START_TEST(all_that_is_wrong_is_said_at_once)
{
    ck_assert(!parse("rs/1 127.0.0.1:0 weight=x fast=1 slow_start=x"));
    ck_assert_uint_eq(problems.count, 5);
    ck_assert(!parse("rs-1 127.0.0.1:80 max_connections=x max_connections=y"));
    ck_assert_uint_eq(problems.count, 2);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, NULL, release);
    tcase_add_test(tcase, a_name_and_an_address_are_enough);
    tcase_add_test(tcase, a_weight_from_0_to_100_is_taken);
    tcase_add_test(tcase, a_limit_and_a_slow_start_are_taken_in_any_order);
    tcase_add_test(tcase, blanks_and_tabs_between_words_do_not_matter);
    tcase_add_loop_test(tcase, what_is_wrong_is_said, 0, sizeof bad / sizeof bad[0]);
    tcase_add_test(tcase, all_that_is_wrong_is_said_at_once);
}

CHECK_MAIN("backend", add_tests)
