/* SPDX-License-Identifier: Apache-2.0 */
/* What a CA is called when nobody says. */
#include "lb/commands/ca_upload.h"

#include "tests/support/certificates.h"
#include "tests/support/check_main.h"

static const struct {
    const char *common_name;
    const char *name; /* NULL: none can be made */
} names[] = {
    {"corp", "corp"},
    {"Example Corp. CA", "Example-Corp.-CA"},
    {"  a  //  b  ", "a-b"},
    {"M\xc3\xbcller CA", "M-ller-CA"},
    {"\xe5\x85\xac\xe5\x8f\xb8", NULL},
    {"builtin", NULL},
    {"Builtin ", NULL},
    {"", NULL},
    {"0123456789012345678901234567890123456789012345678901234567890123456789",
     "0123456789012345678901234567890123456789012345678901234567890123"},
};

START_TEST(a_name_is_made_of_the_common_name)
{
    char name[CA_NAME_BYTES + 1];
    bool good = ca_name_from(names[_i].common_name, name);
    ck_assert(good == (names[_i].name != NULL));
    if (good)
        ck_assert_str_eq(name, names[_i].name);
}
END_TEST

START_TEST(the_lowest_of_a_chain_is_meant_in_any_order)
{
    struct made *root = made_ca("root"), *middle = made_intermediate(root, "middle");
    STACK_OF(X509) *both = sk_X509_new_null();
    sk_X509_push(both, root->certificate);
    ck_assert_ptr_eq(ca_lowest(both), root->certificate);
    sk_X509_push(both, middle->certificate);
    ck_assert_ptr_eq(ca_lowest(both), middle->certificate);
    sk_X509_shift(both);
    sk_X509_push(both, root->certificate);
    ck_assert_ptr_eq(ca_lowest(both), middle->certificate);
    sk_X509_free(both);
    made_free(middle);
    made_free(root);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, a_name_is_made_of_the_common_name, 0, sizeof names / sizeof *names);
    tcase_add_test(tcase, the_lowest_of_a_chain_is_meant_in_any_order);
}

CHECK_MAIN("ca upload", add_tests)
