/* SPDX-License-Identifier: Apache-2.0 */
/* So many in any second, and not one less than may be. */
#include "listeners/registry/signup_limit.h"

#include "tests/support/check_main.h"

static unsigned take_many(struct signup_limit *limit, unsigned wish, int64_t now_ms)
{
    unsigned taken = 0;
    for (unsigned i = 0; i < wish; i++)
        taken += signup_limit_take(limit, now_ms);
    return taken;
}

START_TEST(zero_admits_nobody)
{
    struct signup_limit limit = {0};
    ck_assert(!signup_limit_take(&limit, 0));
    signup_limit_done(&limit);
}
END_TEST

START_TEST(the_next_one_gets_in_when_the_oldest_is_a_second_old)
{
    struct signup_limit limit = {0};
    ck_assert(signup_limit_set(&limit, 15));
    ck_assert(signup_limit_take(&limit, 5000));
    ck_assert_uint_eq(take_many(&limit, 20, 5400), 14);
    ck_assert(!signup_limit_take(&limit, 5999));
    ck_assert(signup_limit_take(&limit, 6000));
    ck_assert(!signup_limit_take(&limit, 6399)); /* those of 5400 are not a second old */
    ck_assert_uint_eq(take_many(&limit, 20, 6400), 14);
    signup_limit_done(&limit);
}
END_TEST

/* Every millisecond of five seconds somebody tries. */
START_TEST(no_second_sees_more_than_there_may_be)
{
    enum { MOST = 15, TRIED_MS = 5000 };
    static bool taken[TRIED_MS];
    struct signup_limit limit = {0};
    ck_assert(signup_limit_set(&limit, MOST));
    for (int ms = 0; ms < TRIED_MS; ms++)
        taken[ms] = signup_limit_take(&limit, 1000000 + ms);
    for (int from = 0; from + SIGNUP_WINDOW_MS <= TRIED_MS; from++) {
        unsigned within = 0;
        for (int ms = from; ms < from + SIGNUP_WINDOW_MS; ms++)
            within += taken[ms];
        ck_assert_uint_eq(within, MOST);
    }
    signup_limit_done(&limit);
}
END_TEST

START_TEST(what_was_refused_does_not_count)
{
    struct signup_limit limit = {0};
    ck_assert(signup_limit_set(&limit, 1));
    ck_assert(signup_limit_take(&limit, 0));
    ck_assert_uint_eq(take_many(&limit, 100, 999), 0);
    ck_assert(signup_limit_take(&limit, 1000));
    signup_limit_done(&limit);
}
END_TEST

START_TEST(a_new_limit_remembers_what_was_taken)
{
    struct signup_limit limit = {0};
    ck_assert(signup_limit_set(&limit, 4));
    for (int ms = 0; ms < 6; ms++)
        signup_limit_take(&limit, ms < 4 ? ms : 1000 + ms); /* 2, 3, 1004, 1005 are left */
    ck_assert(signup_limit_set(&limit, 4));
    ck_assert(signup_limit_set(&limit, 6));
    ck_assert_uint_eq(take_many(&limit, 9, 1006), 4); /* two new ones, and in place of 2 and 3 */
    ck_assert(signup_limit_set(&limit, 2));
    ck_assert_uint_eq(take_many(&limit, 9, 2005), 0);
    ck_assert_uint_eq(take_many(&limit, 9, 2006), 2);
    signup_limit_done(&limit);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, zero_admits_nobody);
    tcase_add_test(tcase, the_next_one_gets_in_when_the_oldest_is_a_second_old);
    tcase_add_test(tcase, no_second_sees_more_than_there_may_be);
    tcase_add_test(tcase, what_was_refused_does_not_count);
    tcase_add_test(tcase, a_new_limit_remembers_what_was_taken);
}

CHECK_MAIN("signup_limit", add_tests)
