/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/http2/h2_allowance.h"

#include "lb/base/limits.h"
#include "tests/support/check_main.h"

enum { NOW_MS = 5000 };

static struct h2_allowance allowance;

/* How many frames it takes at this moment. */
static unsigned spend_all(uint64_t now_ms)
{
    unsigned count = 0;
    while (h2_allowance_spend(&allowance, now_ms))
        count++;
    return count;
}

START_TEST(so_many_frames_come_at_once_and_so_many_in_a_second)
{
    h2_allowance_begin(&allowance, NOW_MS);
    ck_assert_uint_eq(spend_all(NOW_MS), HTTP2_LINK_IDLE_FRAMES_MOST);
    ck_assert_uint_eq(spend_all(NOW_MS + 500), HTTP2_LINK_IDLE_FRAMES_MOST / 2);
    ck_assert_uint_eq(spend_all(NOW_MS + 500), 0);
    ck_assert_uint_eq(spend_all(NOW_MS + 3600 * 1000), HTTP2_LINK_IDLE_FRAMES_MOST);
}
END_TEST

/* false: so many frames are a flood. */
static bool spend(unsigned frames)
{
    bool is_fine = true;
    for (unsigned i = 0; i < frames; i++)
        is_fine = h2_allowance_spend(&allowance, NOW_MS) && is_fine;
    return is_fine;
}

START_TEST(a_busy_link_never_meets_the_bound)
{
    bool is_fine = true;
    h2_allowance_begin(&allowance, NOW_MS);
    for (unsigned request = 0; request < 50000; request++) { /* all within a millisecond */
        h2_allowance_requested(&allowance);
        h2_allowance_sent(&allowance, 20, true);
        is_fine = spend(5) && is_fine; /* reset, two windows, PING, settings */
    }
    for (unsigned piece = 0; piece < 50000; piece++) { /* of one large body */
        h2_allowance_sent(&allowance, 16 * 1024, false);
        is_fine = spend(10) && is_fine;
    }
    ck_assert(is_fine);
}
END_TEST

START_TEST(windows_of_a_byte_get_no_credit)
{
    h2_allowance_begin(&allowance, NOW_MS);
    spend_all(NOW_MS);
    h2_allowance_sent(&allowance, 1, false);
    h2_allowance_sent(&allowance, 0, true);
    ck_assert_uint_eq(spend_all(NOW_MS), 0);
}
END_TEST

START_TEST(small_windows_get_credit_for_being_opened_again)
{
    bool is_fine = true;
    h2_allowance_begin(&allowance, NOW_MS);
    spend_all(NOW_MS);
    for (size_t window = 64; window < 1024; window++) { /* all within a millisecond */
        h2_allowance_sent(&allowance, window, false);
        is_fine = spend(2) && is_fine; /* the stream's and the connection's */
    }
    ck_assert(is_fine);
    ck_assert_uint_eq(spend_all(NOW_MS), 0);
    h2_allowance_sent(&allowance, 63, false);
    ck_assert_uint_eq(spend_all(NOW_MS), 0);
}
END_TEST

START_TEST(credit_is_bounded)
{
    h2_allowance_begin(&allowance, NOW_MS);
    for (unsigned piece = 0; piece < 100000; piece++)
        h2_allowance_sent(&allowance, 16 * 1024, true);
    ck_assert_uint_eq(spend_all(NOW_MS),
                      HTTP2_LINK_IDLE_FRAMES_MOST + HTTP2_LINK_CREDIT_FRAMES_MOST);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, so_many_frames_come_at_once_and_so_many_in_a_second);
    tcase_add_test(tcase, a_busy_link_never_meets_the_bound);
    tcase_add_test(tcase, windows_of_a_byte_get_no_credit);
    tcase_add_test(tcase, small_windows_get_credit_for_being_opened_again);
    tcase_add_test(tcase, credit_is_bounded);
}

CHECK_MAIN("what a backend may send besides", add_tests)
