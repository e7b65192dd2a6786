/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/exchange/retry.h"

#include "tests/support/check_main.h"

static struct attempt an_attempt(enum http_method method)
{
    return (struct attempt){.method = method, .connected = true, .attempts = 1, .retries = 2};
}

START_TEST(a_safe_request_goes_to_another_backend)
{
    struct attempt attempt = an_attempt(HTTP_GET);
    ck_assert_int_eq(retry_decide(&attempt), RETRY_OTHER);
    attempt.late = true;
    ck_assert_int_eq(retry_decide(&attempt), RETRY_OTHER);
}
END_TEST

START_TEST(an_unsafe_request_that_may_have_been_seen_is_never_repeated)
{
    struct attempt attempt = an_attempt(HTTP_POST);
    ck_assert_int_eq(retry_decide(&attempt), RETRY_NONE);
    attempt.was_reused = true;
    ck_assert_int_eq(retry_decide(&attempt), RETRY_NONE);
    attempt = an_attempt(HTTP_PUT);
    ck_assert_int_eq(retry_decide(&attempt), RETRY_NONE);
}
END_TEST

START_TEST(a_request_that_no_backend_saw_may_be_of_any_kind)
{
    struct attempt attempt = an_attempt(HTTP_POST);
    attempt.connected = false;
    ck_assert_int_eq(retry_decide(&attempt), RETRY_OTHER);
}
END_TEST

START_TEST(a_stale_link_is_replaced_for_idempotent_requests)
{
    struct attempt attempt = an_attempt(HTTP_PUT);
    attempt.was_reused = true;
    ck_assert_int_eq(retry_decide(&attempt), RETRY_SAME);
    attempt.late = true; /* silence is no staleness */
    ck_assert_int_eq(retry_decide(&attempt), RETRY_NONE);
}
END_TEST

START_TEST(what_a_closing_link_turned_away_goes_to_the_same_backend_within_bounds)
{
    struct attempt attempt = an_attempt(HTTP_POST);
    attempt.connected = false;
    attempt.is_link_over = true;
    ck_assert_int_eq(retry_decide(&attempt), RETRY_SAME);
    attempt.resent = attempt.retries;
    ck_assert_int_eq(retry_decide(&attempt), RETRY_SAME);
    attempt.resent++;
    ck_assert_int_eq(retry_decide(&attempt), RETRY_OTHER);
    attempt.body_used = true;
    ck_assert_int_eq(retry_decide(&attempt), RETRY_NONE);
}
END_TEST

START_TEST(nothing_is_repeated_once_the_backend_spoke_or_the_body_is_used)
{
    struct attempt attempt = an_attempt(HTTP_GET);
    attempt.heard = true;
    ck_assert_int_eq(retry_decide(&attempt), RETRY_NONE);
    attempt = an_attempt(HTTP_GET);
    attempt.body_used = true;
    ck_assert_int_eq(retry_decide(&attempt), RETRY_NONE);
}
END_TEST

START_TEST(retries_are_counted)
{
    struct attempt attempt = an_attempt(HTTP_GET);
    attempt.attempts = 3;
    ck_assert_int_eq(retry_decide(&attempt), RETRY_NONE);
    attempt.attempts = 1;
    attempt.retries = 0;
    ck_assert_int_eq(retry_decide(&attempt), RETRY_NONE);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_safe_request_goes_to_another_backend);
    tcase_add_test(tcase, an_unsafe_request_that_may_have_been_seen_is_never_repeated);
    tcase_add_test(tcase, a_request_that_no_backend_saw_may_be_of_any_kind);
    tcase_add_test(tcase, a_stale_link_is_replaced_for_idempotent_requests);
    tcase_add_test(tcase, what_a_closing_link_turned_away_goes_to_the_same_backend_within_bounds);
    tcase_add_test(tcase, nothing_is_repeated_once_the_backend_spoke_or_the_body_is_used);
    tcase_add_test(tcase, retries_are_counted);
}

CHECK_MAIN("retry", add_tests)
