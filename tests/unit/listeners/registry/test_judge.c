/* SPDX-License-Identifier: Apache-2.0 */
/* Whom the registry lets pass: every status under every client_registration. */
#include "listeners/registry/judge.h"

#include <pthread.h>
#include <string.h>

#include "listeners/identity.h"
#include "listeners/registry/view.h"
#include "tests/support/check_main.h"

/* One client, verified over two CAs by one set, and by another CA of another set. */
struct cast {
    struct view *view;
    struct ca_record near, far, other;
    unsigned char keys[2][CA_KEY_BYTES];
    unsigned char other_keys[1][CA_KEY_BYTES];
    struct ca_set_result results[2];
    struct identity identity;
};

static void cast_open(struct cast *cast)
{
    memset(cast, 0, sizeof *cast);
    cast->view = view_new();
    memset(cast->near.key, 1, CA_KEY_BYTES);
    memset(cast->far.key, 2, CA_KEY_BYTES);
    memset(cast->other.key, 3, CA_KEY_BYTES);
    memcpy(cast->keys[0], cast->near.key, CA_KEY_BYTES);
    memcpy(cast->keys[1], cast->far.key, CA_KEY_BYTES);
    memcpy(cast->other_keys[0], cast->other.key, CA_KEY_BYTES);
    cast->results[0] = (struct ca_set_result){.ca_count = 2, .ca_keys = cast->keys};
    cast->results[1] =
        (struct ca_set_result){.refusal = REFUSAL_UNTRUSTED, .ca_keys = cast->other_keys};
    cast->identity =
        (struct identity){.result_count = 2, .results = cast->results, .has_key = true};
    memset(cast->identity.key, 9, sizeof cast->identity.key);
    memset(cast->identity.tbs, 8, sizeof cast->identity.tbs);
}

static void cast_close(struct cast *cast)
{
    view_free(cast->view);
}

static void put_cas(struct cast *cast, int near, int far) /* -1: not registered; else enabled */
{
    struct ca_record cas[2];
    size_t count = 0;
    cast->near.is_enabled = near > 0;
    cast->far.is_enabled = far > 0;
    if (near >= 0)
        cas[count++] = cast->near;
    if (far >= 0)
        cas[count++] = cast->far;
    ck_assert(view_put_cas(cast->view, cas, count));
}

static void put(struct cast *cast, enum certificate_status status, bool was_revoked,
                unsigned char tbs)
{
    struct certificate_row row = {
        .status = status, .was_revoked = was_revoked, .client_id = "device"};
    memset(row.key, 9, sizeof row.key);
    memset(row.tbs, tbs, sizeof row.tbs);
    ca_id_of(cast->far.key, row.ca);
    ck_assert(view_put(cast->view, &row));
}

static struct registry_judgement judge(struct cast *cast, enum client_registration registration)
{
    return registry_judge(cast->view, registration, &cast->identity, &cast->results[0]);
}

/* What off, manual and auto say; the last may be that it must sign up. */
static void expect(struct cast *cast, enum refusal off, enum refusal manual, enum refusal by_auto,
                   bool must_sign_up)
{
    ck_assert_int_eq(judge(cast, REGISTRATION_OFF).refusal, off);
    ck_assert(!judge(cast, REGISTRATION_OFF).must_sign_up);
    ck_assert_int_eq(judge(cast, REGISTRATION_MANUAL).refusal, manual);
    ck_assert(!judge(cast, REGISTRATION_MANUAL).must_sign_up);
    ck_assert_int_eq(judge(cast, REGISTRATION_AUTO).refusal, by_auto);
    ck_assert_int_eq(judge(cast, REGISTRATION_AUTO).must_sign_up, must_sign_up);
}

static void expect_all(struct cast *cast, enum refusal refusal)
{
    expect(cast, refusal, refusal, refusal, false);
    ck_assert_int_eq(registry_objection(cast->view, &cast->identity), refusal);
}

START_TEST(without_a_registry_only_rules_that_ask_none_admit)
{
    struct cast cast;
    cast_open(&cast);
    view_free(cast.view);
    cast.view = NULL;
    expect(&cast, REFUSAL_NONE, REFUSAL_NOT_REGISTERED, REFUSAL_NOT_REGISTERED, false);
    ck_assert_int_eq(registry_objection(NULL, &cast.identity), REFUSAL_NONE);
    cast_close(&cast);
}
END_TEST

START_TEST(who_is_unknown_signs_up_only_under_a_registered_ca_that_is_enabled)
{
    struct cast cast;
    cast_open(&cast);
    expect(&cast, REFUSAL_NONE, REFUSAL_NOT_REGISTERED, REFUSAL_NOT_REGISTERED, false);
    put_cas(&cast, -1, 1);
    expect(&cast, REFUSAL_NONE, REFUSAL_NOT_REGISTERED, REFUSAL_NONE, true);
    put_cas(&cast, 1, -1);
    expect(&cast, REFUSAL_NONE, REFUSAL_NOT_REGISTERED, REFUSAL_NONE, true);
    ck_assert_int_eq(registry_objection(cast.view, &cast.identity), REFUSAL_NONE);
    cast_close(&cast);
}
END_TEST

START_TEST(a_disabled_ca_anywhere_in_the_chain_refuses_everywhere)
{
    struct cast cast;
    cast_open(&cast);
    put_cas(&cast, 0, 1);
    expect_all(&cast, REFUSAL_CA_DISABLED);
    put_cas(&cast, 1, 0);
    expect_all(&cast, REFUSAL_CA_DISABLED);
    put(&cast, CERTIFICATE_ACTIVATED, false, 8);
    expect_all(&cast, REFUSAL_CA_DISABLED);
    put_cas(&cast, 1, 1);
    expect_all(&cast, REFUSAL_NONE);
    cast_close(&cast);
}
END_TEST

START_TEST(another_ones_disabled_ca_is_no_objection)
{
    struct cast cast;
    cast_open(&cast);
    ck_assert(view_put_cas(cast.view, &cast.other, 1));
    ck_assert(view_has_disabled_ca(cast.view));
    expect(&cast, REFUSAL_NONE, REFUSAL_NOT_REGISTERED, REFUSAL_NOT_REGISTERED, false);
    ck_assert_int_eq(registry_objection(cast.view, &cast.identity), REFUSAL_NONE);
    cast_close(&cast);
}
END_TEST

/* The CA it was registered under need not be in the chain that this rule's CAs verified. */
START_TEST(the_ca_that_it_was_registered_under_counts_too)
{
    struct cast cast;
    cast_open(&cast);
    cast.results[0].ca_count = 1;
    put_cas(&cast, -1, 0);
    put(&cast, CERTIFICATE_ACTIVATED, false, 8);
    expect_all(&cast, REFUSAL_CA_DISABLED);
    cast_close(&cast);
}
END_TEST

START_TEST(a_client_with_another_way_over_enabled_cas_is_not_objected_to)
{
    struct cast cast;
    cast_open(&cast);
    cast.results[1].refusal = REFUSAL_NONE;
    cast.results[1].ca_count = 1;
    put_cas(&cast, 0, -1);
    ck_assert_int_eq(judge(&cast, REGISTRATION_OFF).refusal, REFUSAL_CA_DISABLED);
    ck_assert_int_eq(registry_objection(cast.view, &cast.identity), REFUSAL_NONE);
    cast_close(&cast);
}
END_TEST

START_TEST(the_status_decides)
{
    static const struct {
        enum certificate_status status;
        bool was_revoked;
        enum refusal refusal;
    } cases[] = {
        {CERTIFICATE_ACTIVATED, false, REFUSAL_NONE},
        {CERTIFICATE_NOT_ACTIVATED, false, REFUSAL_NOT_ACTIVATED},
        {CERTIFICATE_REGISTERED, false, REFUSAL_NOT_ACTIVATED},
        {CERTIFICATE_REVOKED, false, REFUSAL_REVOKED},
        {CERTIFICATE_DELETED, false, REFUSAL_NOT_REGISTERED},
        {CERTIFICATE_DELETED, true, REFUSAL_REVOKED},
    };
    struct cast cast;
    cast_open(&cast);
    put_cas(&cast, 1, 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put(&cast, cases[i].status, cases[i].was_revoked, 8);
        expect_all(&cast, cases[i].refusal);
    }
    cast_close(&cast);
}
END_TEST

START_TEST(another_certificate_of_the_same_key_is_not_registered)
{
    struct cast cast;
    cast_open(&cast);
    put_cas(&cast, 1, 1);
    for (int status = 0; status < CERTIFICATE_STATUS_COUNT; status++) {
        put(&cast, (enum certificate_status)status, false, 7);
        expect_all(&cast, REFUSAL_NOT_REGISTERED);
    }
    cast_close(&cast);
}
END_TEST

START_TEST(certificates_of_a_deleted_ca_pass_only_where_registration_is_not_asked_for)
{
    struct cast cast;
    cast_open(&cast);
    put_cas(&cast, 1, 1);
    put(&cast, CERTIFICATE_ACTIVATED, false, 8);
    put_cas(&cast, 1, -1);
    expect(&cast, REFUSAL_NONE, REFUSAL_NOT_REGISTERED, REFUSAL_NOT_REGISTERED, false);
    ck_assert_int_eq(registry_objection(cast.view, &cast.identity), REFUSAL_NONE);
    put(&cast, CERTIFICATE_REVOKED, false, 8);
    expect_all(&cast, REFUSAL_REVOKED);
    cast_close(&cast);
}
END_TEST

START_TEST(who_cannot_be_identified_does_not_pass)
{
    struct cast cast;
    cast_open(&cast);
    cast.identity.has_key = false;
    expect(&cast, REFUSAL_NOT_REGISTERED, REFUSAL_NOT_REGISTERED, REFUSAL_NOT_REGISTERED, false);
    cast_close(&cast);
}
END_TEST

START_TEST(what_is_found_is_kept_with_the_identity)
{
    struct cast cast;
    cast_open(&cast);
    put_cas(&cast, 1, 1);
    judge(&cast, REGISTRATION_OFF);
    ck_assert_ptr_null(atomic_load(&cast.identity.known));
    put(&cast, CERTIFICATE_ACTIVATED, false, 8);
    judge(&cast, REGISTRATION_OFF);
    ck_assert_ptr_eq(atomic_load(&cast.identity.known), view_find(cast.view, cast.identity.key));
    put(&cast, CERTIFICATE_REVOKED, false, 8);
    expect_all(&cast, REFUSAL_REVOKED);
    cast_close(&cast);
}
END_TEST

START_TEST(an_entry_that_was_superseded_is_looked_up_anew)
{
    struct cast cast;
    cast_open(&cast);
    put_cas(&cast, 1, 1);
    put(&cast, CERTIFICATE_DELETED, false, 7); /* of another certificate of its key */
    expect_all(&cast, REFUSAL_NOT_REGISTERED);
    put(&cast, CERTIFICATE_ACTIVATED, false, 8);
    expect_all(&cast, REFUSAL_NONE);
    put(&cast, CERTIFICATE_ACTIVATED, false, 6);
    expect_all(&cast, REFUSAL_NOT_REGISTERED);
    cast_close(&cast);
}
END_TEST

START_TEST(to_be_judged_is_to_be_seen_unless_the_certificate_is_another)
{
    struct cast cast;
    cast_open(&cast);
    put_cas(&cast, 1, 1);
    put(&cast, CERTIFICATE_ACTIVATED, false, 7);
    const struct view_entry *other = view_find(cast.view, cast.identity.key);
    judge(&cast, REGISTRATION_OFF);
    ck_assert_uint_eq(view_last_seen_s(other), 0);
    put(&cast, CERTIFICATE_ACTIVATED, false, 8);
    const struct view_entry *entry = view_find(cast.view, cast.identity.key);
    registry_objection(cast.view, &cast.identity);
    ck_assert_uint_eq(view_last_seen_s(entry), 0); /* it did nothing */
    uint32_t before = (uint32_t)time(NULL);
    judge(&cast, REGISTRATION_OFF);
    ck_assert_uint_ge(view_last_seen_s(entry), before - 1);
    ck_assert_uint_le(view_last_seen_s(entry), (uint32_t)time(NULL));
    cast_close(&cast);
}
END_TEST

/* Judging beside a writer */

enum { THREADS = 3, ROUNDS = 400 };

struct crowd {
    struct cast cast;
    atomic_bool is_over;
};

/* Whatever is just being changed, nobody passes with a certificate that was never ACTIVATED. */
static void *judge_all(void *argument)
{
    struct crowd *crowd = argument;
    while (!atomic_load(&crowd->is_over))
        if (judge(&crowd->cast, REGISTRATION_MANUAL).refusal == REFUSAL_NONE)
            abort();
    return NULL;
}

START_TEST(threads_judge_one_identity_while_its_entry_is_superseded)
{
    struct crowd crowd = {0};
    pthread_t threads[THREADS];
    cast_open(&crowd.cast);
    put_cas(&crowd.cast, 1, 1);
    put(&crowd.cast, CERTIFICATE_REGISTERED, false, 8);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, judge_all, &crowd), 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        put(&crowd.cast, CERTIFICATE_ACTIVATED, false, 7);
        put(&crowd.cast, CERTIFICATE_DELETED, true, 7);
        put(&crowd.cast, CERTIFICATE_REGISTERED, false, 8);
    }
    atomic_store(&crowd.is_over, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    put(&crowd.cast, CERTIFICATE_ACTIVATED, false, 8);
    expect_all(&crowd.cast, REFUSAL_NONE);
    cast_close(&crowd.cast);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, without_a_registry_only_rules_that_ask_none_admit);
    tcase_add_test(tcase, who_is_unknown_signs_up_only_under_a_registered_ca_that_is_enabled);
    tcase_add_test(tcase, a_disabled_ca_anywhere_in_the_chain_refuses_everywhere);
    tcase_add_test(tcase, another_ones_disabled_ca_is_no_objection);
    tcase_add_test(tcase, the_ca_that_it_was_registered_under_counts_too);
    tcase_add_test(tcase, a_client_with_another_way_over_enabled_cas_is_not_objected_to);
    tcase_add_test(tcase, the_status_decides);
    tcase_add_test(tcase, another_certificate_of_the_same_key_is_not_registered);
    tcase_add_test(tcase,
                   certificates_of_a_deleted_ca_pass_only_where_registration_is_not_asked_for);
    tcase_add_test(tcase, who_cannot_be_identified_does_not_pass);
    tcase_add_test(tcase, what_is_found_is_kept_with_the_identity);
    tcase_add_test(tcase, an_entry_that_was_superseded_is_looked_up_anew);
    tcase_add_test(tcase, to_be_judged_is_to_be_seen_unless_the_certificate_is_another);
    tcase_add_test(tcase, threads_judge_one_identity_while_its_entry_is_superseded);
}

CHECK_MAIN("judge", add_tests)
