/* SPDX-License-Identifier: Apache-2.0 */
/* The roster: one standing for each identity, for as long as somebody has it. */
#include <stdio.h>

#include "backends/standing.h"
#include "tests/support/check_main.h"

START_TEST(every_verdict_has_a_name)
{
    ck_assert_str_eq(verdict_name(VERDICT_UNKNOWN), "unknown");
    ck_assert_str_eq(verdict_name(VERDICT_UP), "up");
    ck_assert_str_eq(verdict_name(VERDICT_DOWN), "down");
}
END_TEST

START_TEST(backends_of_one_identity_share_a_standing)
{
    struct roster *roster = roster_new();
    struct standing *one = roster_join(roster, "app rs-1");
    struct standing *other = roster_join(roster, "app rs-2");
    ck_assert_ptr_ne(one, other);
    ck_assert_ptr_eq(roster_join(roster, "app rs-1"), one);
    for (unsigned lane = 0; lane < 7; lane++)
        standing_count_answer(one, lane * 3, 100 + lane % 5 * 100);
    roster_leave(roster, one);
    ck_assert_uint_eq(standing_served(one), 7);
    roster_leave(roster, one);
    struct standing *fresh = roster_join(roster, "app rs-1");
    ck_assert_uint_eq(standing_served(fresh), 0);
    roster_leave(roster, fresh);
    roster_leave(roster, other);
    roster_free(roster);
}
END_TEST

START_TEST(slots_are_used_again)
{
    struct roster *roster = roster_new();
    struct standing *one = roster_join(roster, "one");
    unsigned slot = one->slot;
    atomic_store(one->active, 3);
    roster_leave(roster, one);
    struct standing *other = roster_join(roster, "other");
    ck_assert_uint_eq(other->slot, slot);
    ck_assert_uint_eq(atomic_load(other->active), 0);
    ck_assert_uint_eq(roster_slot_count(roster), 1);
    roster_leave(roster, other);
    roster_free(roster);
}
END_TEST

enum { MANY = 5000 };

START_TEST(counts_of_many_backends_lie_side_by_side)
{
    static struct standing *standings[MANY];
    struct roster *roster = roster_new();
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < MANY; i++) {
            char identity[32];
            snprintf(identity, sizeof identity, "b%u", i);
            standings[i] = roster_join(roster, identity);
            ck_assert_uint_eq(standings[i]->references, (unsigned)round + 1);
        }
    }
    ck_assert_ptr_eq(standings[1]->active, standings[0]->active + 1);
    ck_assert_uint_eq(roster_slot_count(roster), MANY);
    for (int round = 0; round < 2; round++)
        for (unsigned i = 0; i < MANY; i++)
            roster_leave(roster, standings[i]);
    roster_free(roster);
}
END_TEST

START_TEST(what_is_down_drained_or_blocked_is_not_available)
{
    struct roster *roster = roster_new();
    struct standing *standing = roster_join(roster, "one");
    ck_assert(standing_is_available(standing));
    atomic_store(&standing->verdict, VERDICT_DOWN);
    ck_assert(!standing_is_available(standing));
    atomic_store(&standing->verdict, VERDICT_UP);
    atomic_store(&standing->is_drained, true);
    ck_assert(!standing_is_available(standing));
    atomic_store(&standing->is_drained, false);
    atomic_store(&standing->is_blocked, true);
    ck_assert(!standing_is_available(standing));
    roster_leave(roster, standing);
    roster_free(roster);
}
END_TEST

static void standing_tests(TCase *tcase)
{
    tcase_add_test(tcase, every_verdict_has_a_name);
    tcase_add_test(tcase, backends_of_one_identity_share_a_standing);
    tcase_add_test(tcase, slots_are_used_again);
    tcase_add_test(tcase, counts_of_many_backends_lie_side_by_side);
    tcase_add_test(tcase, what_is_down_drained_or_blocked_is_not_available);
}

CHECK_MAIN("standing", standing_tests)
