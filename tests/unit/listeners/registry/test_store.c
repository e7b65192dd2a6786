/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/registry/store.h"

#include <string.h>

#include "tests/support/check_main.h"

START_TEST(a_location_says_the_store_and_the_place)
{
    struct error err;
    const char *place = NULL;
    const struct store *store = store_find("sqlite:var/registry.db", &place, &err);
    ck_assert_ptr_nonnull(store);
    ck_assert_str_eq(store->name, "sqlite");
    ck_assert_str_eq(place, "var/registry.db");
}
END_TEST

START_TEST(what_is_no_location_is_told_what_would_be)
{
    static const char *const wrong[] = {"",          "sqlite",    ":/path",
                                        "SQLITE:/p", "oracle:/p", "sqlit:/p"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct error err = {""};
        const char *place = NULL;
        ck_assert_ptr_null(store_find(wrong[i], &place, &err));
        ck_assert_ptr_nonnull(strstr(err.text, wrong[i]));
        ck_assert_ptr_nonnull(strstr(err.text, "sqlite:PATH"));
    }
}
END_TEST

START_TEST(a_store_without_a_place_is_told_so)
{
    struct error err = {""};
    const char *place = NULL;
    ck_assert_ptr_null(store_find("sqlite:", &place, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "sqlite:PATH"));
}
END_TEST

START_TEST(no_store_gives_no_ledger)
{
    struct error err = {""};
    struct ledger *ledger = NULL;
    ck_assert_int_eq(ledger_open(&ledger, "oracle:/x", STORE_MAKE, &err), STORE_FAILED);
    ck_assert_ptr_null(ledger);
    ledger_close(ledger);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_location_says_the_store_and_the_place);
    tcase_add_test(tcase, what_is_no_location_is_told_what_would_be);
    tcase_add_test(tcase, a_store_without_a_place_is_told_so);
    tcase_add_test(tcase, no_store_gives_no_ledger);
}

CHECK_MAIN("store", add_tests)
