/* SPDX-License-Identifier: Apache-2.0 */
/* What is read of a store for one certificate is what the whole view says of it. */
#include "lb/explain/explanation_registry.h"

#include <string.h>

#include "lb/base/error.h"
#include "listeners/registry/view.h"
#include "tests/support/check_main.h"
#include "tests/support/registry_stage.h"
#include "tests/support/text.h"

static struct registry_stage stage;
static struct made *ca, *alice, *bob;

static void open_stage(void)
{
    registry_stage_open(&stage);
    ca = made_ca("CA");
    alice = made_client(ca, "alice");
    bob = made_client(ca, "bob");
    registry_stage_upload(&stage, "fleet", ca);
    registry_stage_register(&stage, alice);
}

static void close_stage(void)
{
    made_free(alice);
    made_free(bob);
    made_free(ca);
    registry_stage_close(&stage);
}

static struct view *read(const struct made *who)
{
    struct error err = {""};
    struct view *view = explanation_view(stage.location, who->certificate, &err);
    ck_assert_msg(view != NULL, "%s", err.text);
    return view;
}

static const struct view_entry *entry_of(const struct view *view, const struct made *who)
{
    unsigned char ca_key[CA_KEY_BYTES], key[CERTIFICATE_KEY_BYTES];
    ck_assert(ca_key_of(ca->certificate, ca_key));
    ck_assert(certificate_key_of(ca_key, who->certificate, key));
    return view_find(view, key);
}

START_TEST(a_certificate_is_as_the_store_has_it_and_its_ca_is_known)
{
    static const enum certificate_status steps[] = {
        CERTIFICATE_ACTIVATED, CERTIFICATE_NOT_ACTIVATED, CERTIFICATE_REVOKED, CERTIFICATE_DELETED};
    for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (i > 0)
            registry_stage_expect(&stage, registry_stage_change(&stage, alice, steps[i]),
                                  CHANGE_MADE, "");
        struct view *view = read(alice);
        const struct view_entry *entry = entry_of(view, alice);
        ck_assert_ptr_nonnull(entry);
        ck_assert_int_eq(view_status(entry), steps[i]);
        ck_assert_int_eq(view_was_revoked(entry), steps[i] == CERTIFICATE_DELETED);
        ck_assert_int_eq(view_ca_of(view, entry), CA_ENABLED);
        view_free(view);
    }
}
END_TEST

START_TEST(of_others_nothing_is_read)
{
    struct view *view = read(bob);
    ck_assert_ptr_null(entry_of(view, bob));
    ck_assert_ptr_null(entry_of(view, alice));
    ck_assert_uint_eq(view_count(view), 0);
    view_free(view);
}
END_TEST

START_TEST(a_store_that_is_not_there_knows_nothing)
{
    struct error err = {""};
    struct text location = {0};
    text_add_format(&location, "sqlite:%s/none.db", stage.folder.path);
    struct view *view = explanation_view(location.bytes, alice->certificate, &err);
    ck_assert_ptr_nonnull(view);
    ck_assert_ptr_null(entry_of(view, alice));
    view_free(view);
    text_done(&location);
}
END_TEST

START_TEST(a_store_that_is_none_is_told)
{
    struct error err = {""};
    struct text location = {0};
    folder_write(&stage.folder, "none.db", "this is no database at all, only some text\n");
    text_add_format(&location, "sqlite:%s/none.db", stage.folder.path);
    ck_assert_ptr_null(explanation_view(location.bytes, alice->certificate, &err));
    ck_assert_msg(strstr(err.text, "none.db"), "%s", err.text);
    text_done(&location);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, open_stage, close_stage);
    tcase_add_test(tcase, a_certificate_is_as_the_store_has_it_and_its_ca_is_known);
    tcase_add_test(tcase, of_others_nothing_is_read);
    tcase_add_test(tcase, a_store_that_is_not_there_knows_nothing);
    tcase_add_test(tcase, a_store_that_is_none_is_told);
}

CHECK_MAIN("explanation_registry", add_tests)
