/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/exchange/request_id.h"

#include <ctype.h>

#include "tests/support/check_main.h"

START_TEST(an_id_is_32_lower_case_hex_digits)
{
    struct request_ids ids = {.prefix = 0x0123456789abcdef, .next = 0xfedcba9876543210};
    char id[REQUEST_ID_LENGTH + 1] = {[REQUEST_ID_LENGTH] = '!'};
    request_id_write(&ids, id);
    ck_assert_mem_eq(id, "0123456789abcdeffedcba9876543210!", sizeof id);
}
END_TEST

START_TEST(ids_of_one_worker_differ_also_where_the_count_wraps)
{
    struct request_ids ids = {.prefix = 7, .next = UINT64_MAX};
    char last[REQUEST_ID_LENGTH];
    char first[REQUEST_ID_LENGTH];
    request_id_write(&ids, last);
    request_id_write(&ids, first);
    ck_assert_mem_eq(last, "0000000000000007ffffffffffffffff", sizeof last);
    ck_assert_mem_eq(first, "00000000000000070000000000000000", sizeof first);
}
END_TEST

START_TEST(two_workers_begin_at_different_places)
{
    struct request_ids one, other;
    request_ids_init(&one);
    request_ids_init(&other);
    ck_assert_uint_ne(one.prefix, other.prefix);
    ck_assert_uint_ne(one.next, other.next);
}
END_TEST

START_TEST(an_own_id_is_fit_to_be_kept_by_the_next_lb)
{
    struct request_ids ids;
    char id[REQUEST_ID_LENGTH];
    request_ids_init(&ids);
    request_id_write(&ids, id);
    ck_assert(request_id_is_fit((struct slice){id, sizeof id}));
}
END_TEST

START_TEST(letters_digits_dots_dashes_and_underscores_are_fit_nothing_else_is)
{
    for (int c = 0; c < 256; c++) {
        char id[3] = {'a', (char)c, 'z'};
        bool fit = c < 128 && (isalnum(c) || c == '.' || c == '_' || c == '-');
        ck_assert_msg(request_id_is_fit((struct slice){id, sizeof id}) == fit, "byte %d", c);
    }
}
END_TEST

START_TEST(an_id_has_1_to_128_characters)
{
    char id[REQUEST_ID_MOST + 1];
    memset(id, 'a', sizeof id);
    ck_assert(!request_id_is_fit((struct slice){id, 0}));
    ck_assert(request_id_is_fit((struct slice){id, 1}));
    ck_assert(request_id_is_fit((struct slice){id, REQUEST_ID_MOST}));
    ck_assert(!request_id_is_fit((struct slice){id, REQUEST_ID_MOST + 1}));
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, an_id_is_32_lower_case_hex_digits);
    tcase_add_test(tcase, ids_of_one_worker_differ_also_where_the_count_wraps);
    tcase_add_test(tcase, two_workers_begin_at_different_places);
    tcase_add_test(tcase, an_own_id_is_fit_to_be_kept_by_the_next_lb);
    tcase_add_test(tcase, letters_digits_dots_dashes_and_underscores_are_fit_nothing_else_is);
    tcase_add_test(tcase, an_id_has_1_to_128_characters);
}

CHECK_MAIN("request_id", add_tests)
