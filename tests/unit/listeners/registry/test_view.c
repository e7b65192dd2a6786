/* SPDX-License-Identifier: Apache-2.0 */
/* The registry in memory: what is found, what it takes, and that readers need no lock. */
#include "listeners/registry/view.h"

#include <openssl/sha.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/check_main.h"

static const char ca_id[] = "0123456789abcdef";

static void digest(const char *what, unsigned number, unsigned char ret[32])
{
    char text[64];
    snprintf(text, sizeof text, "%s %u", what, number);
    SHA256((const unsigned char *)text, strlen(text), ret);
}

/* tbs: which certificate of that key. */
static struct certificate_row row_of(unsigned number, unsigned tbs, enum certificate_status status)
{
    struct certificate_row row = {.status = status, .client_id = ""};
    digest("key", number, row.key);
    digest("tbs", tbs, row.tbs);
    memcpy(row.ca, ca_id, sizeof ca_id);
    return row;
}

static void put(struct view *view, unsigned number, unsigned tbs, enum certificate_status status)
{
    struct certificate_row row = row_of(number, tbs, status);
    ck_assert(view_put(view, &row));
}

static struct view_entry *find(const struct view *view, unsigned number)
{
    unsigned char key[CERTIFICATE_KEY_BYTES];
    digest("key", number, key);
    return view_find(view, key);
}

static bool has_tbs(const struct view_entry *entry, unsigned tbs)
{
    unsigned char bytes[TBS_BYTES];
    digest("tbs", tbs, bytes);
    return view_has_tbs(entry, bytes);
}

START_TEST(what_was_put_is_found_and_nothing_else)
{
    enum { MANY = 20000 }; /* several growths */
    struct view *view = view_new();
    ck_assert_ptr_null(find(view, 0));
    for (unsigned i = 0; i < MANY; i++)
        put(view, i, i, CERTIFICATE_ACTIVATED);
    ck_assert_uint_eq(view_count(view), MANY);
    for (unsigned i = 0; i < MANY; i++) {
        const struct view_entry *entry = find(view, i);
        ck_assert_ptr_nonnull(entry);
        ck_assert(has_tbs(entry, i));
        ck_assert(!has_tbs(entry, i + 1));
        ck_assert_ptr_null(find(view, MANY + i));
    }
    view_free(view);
    view_free(NULL);
}
END_TEST

START_TEST(an_entry_stays_where_it_is_while_the_view_grows)
{
    struct view *view = view_new();
    put(view, 0, 0, CERTIFICATE_ACTIVATED);
    struct view_entry *first = find(view, 0);
    for (unsigned i = 1; i < 5000; i++)
        put(view, i, i, CERTIFICATE_ACTIVATED);
    put(view, 0, 0, CERTIFICATE_REVOKED);
    ck_assert_ptr_eq(find(view, 0), first);
    ck_assert_int_eq(view_status(first), CERTIFICATE_REVOKED);
    view_free(view);
}
END_TEST

START_TEST(a_certificate_shows_its_newest_status)
{
    struct view *view = view_new();
    for (int status = 0; status < CERTIFICATE_STATUS_COUNT; status++) {
        put(view, 7, 7, (enum certificate_status)status);
        ck_assert_int_eq(view_status(find(view, 7)), status);
        ck_assert(!view_was_revoked(find(view, 7)));
        ck_assert_uint_eq(view_count(view), status == CERTIFICATE_DELETED ? 0 : 1);
    }
    struct certificate_row tombstone = row_of(7, 7, CERTIFICATE_DELETED);
    tombstone.was_revoked = true;
    ck_assert(view_put(view, &tombstone));
    ck_assert_int_eq(view_status(find(view, 7)), CERTIFICATE_DELETED);
    ck_assert(view_was_revoked(find(view, 7)));
    view_free(view);
}
END_TEST

START_TEST(another_certificate_of_the_same_key_gets_an_entry_of_its_own)
{
    struct view *view = view_new();
    put(view, 1, 10, CERTIFICATE_DELETED);
    struct view_entry *old = find(view, 1);
    put(view, 1, 11, CERTIFICATE_ACTIVATED);
    struct view_entry *new = find(view, 1);
    ck_assert_ptr_ne(old, new);
    ck_assert_int_eq(view_status(old), CERTIFICATE_DELETED);
    ck_assert(has_tbs(old, 10));
    ck_assert_int_eq(view_status(new), CERTIFICATE_ACTIVATED);
    ck_assert(has_tbs(new, 11));
    ck_assert_uint_eq(view_count(view), 1);
    /* Tables that are made later know the new one only. */
    for (unsigned i = 2; i < 5000; i++)
        put(view, i, i, CERTIFICATE_ACTIVATED);
    ck_assert_ptr_eq(find(view, 1), new);
    view_free(view);
}
END_TEST

START_TEST(the_same_certificate_lifted_keeps_its_entry)
{
    struct view *view = view_new();
    put(view, 1, 10, CERTIFICATE_DELETED);
    const struct view_entry *entry = find(view, 1);
    put(view, 1, 10, CERTIFICATE_ACTIVATED);
    ck_assert_ptr_eq(find(view, 1), entry);
    ck_assert_int_eq(view_status(entry), CERTIFICATE_ACTIVATED);
    view_free(view);
}
END_TEST

START_TEST(client_ids_come_change_and_go)
{
    struct view *view = view_new();
    struct certificate_row row = row_of(1, 1, CERTIFICATE_ACTIVATED);
    ck_assert(view_put(view, &row));
    struct view_entry *entry = find(view, 1);
    ck_assert_ptr_null(view_client_id(entry));
    char text[] = "device-1";
    row.client_id = text;
    ck_assert(view_put(view, &row));
    text[0] = 'X'; /* it is lent for the call */
    const char *first = view_client_id(entry);
    ck_assert_str_eq(first, "device-1");
    row.client_id = "device-1";
    ck_assert(view_put(view, &row));
    ck_assert_ptr_eq(view_client_id(entry), first);
    row.client_id = "device-2";
    ck_assert(view_put(view, &row));
    ck_assert_str_eq(view_client_id(entry), "device-2");
    ck_assert_str_eq(first, "device-1"); /* somebody may still read it */
    row.client_id = "";
    ck_assert(view_put(view, &row));
    ck_assert_ptr_null(view_client_id(entry));
    view_free(view);
}
END_TEST

START_TEST(a_client_id_may_be_longer_than_a_block_of_texts)
{
    static char text[20001];
    struct view *view = view_new();
    struct certificate_row row = row_of(1, 1, CERTIFICATE_ACTIVATED);
    memset(text, 'x', sizeof text - 1);
    row.client_id = text;
    ck_assert(view_put(view, &row));
    ck_assert_str_eq(view_client_id(find(view, 1)), text);
    row = row_of(2, 2, CERTIFICATE_ACTIVATED);
    row.client_id = "short";
    ck_assert(view_put(view, &row));
    ck_assert_str_eq(view_client_id(find(view, 2)), "short");
    view_free(view);
}
END_TEST

START_TEST(who_was_seen_last_is_known)
{
    struct view *view = view_new();
    put(view, 1, 1, CERTIFICATE_ACTIVATED);
    struct view_entry *entry = find(view, 1);
    ck_assert_uint_eq(view_last_seen_s(entry), 0);
    view_note_seen(entry, 1700000000);
    put(view, 1, 1, CERTIFICATE_REVOKED);
    ck_assert_uint_eq(view_last_seen_s(entry), 1700000000);
    view_free(view);
}
END_TEST

/* What is worse than before */

START_TEST(only_what_lets_somebody_pass_less_is_worse)
{
    static const struct {
        int before; /* -1: unknown */
        enum certificate_status after;
        bool is_worse;
    } cases[] = {
        {-1, CERTIFICATE_ACTIVATED, false},
        {-1, CERTIFICATE_NOT_ACTIVATED, true},
        {-1, CERTIFICATE_REGISTERED, true},
        {-1, CERTIFICATE_REVOKED, true},
        {-1, CERTIFICATE_DELETED, true},
        {CERTIFICATE_ACTIVATED, CERTIFICATE_ACTIVATED, false},
        {CERTIFICATE_ACTIVATED, CERTIFICATE_NOT_ACTIVATED, true},
        {CERTIFICATE_ACTIVATED, CERTIFICATE_REVOKED, true},
        {CERTIFICATE_NOT_ACTIVATED, CERTIFICATE_ACTIVATED, false},
        {CERTIFICATE_REGISTERED, CERTIFICATE_ACTIVATED, false},
        {CERTIFICATE_NOT_ACTIVATED, CERTIFICATE_DELETED, false},
        {CERTIFICATE_DELETED, CERTIFICATE_ACTIVATED, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct view *view = view_new();
        if (cases[i].before >= 0)
            put(view, 1, 1, (enum certificate_status)cases[i].before);
        uint64_t worse = view_worse(view);
        put(view, 1, 1, cases[i].after);
        ck_assert_msg((view_worse(view) != worse) == cases[i].is_worse, "case %zu", i);
        view_free(view);
    }
    struct view *view = view_new();
    put(view, 1, 1, CERTIFICATE_ACTIVATED);
    uint64_t worse = view_worse(view);
    put(view, 1, 2, CERTIFICATE_ACTIVATED);
    ck_assert_uint_ne(view_worse(view), worse);
    view_free(view);
}
END_TEST

/* CAs */

static struct ca_record ca_of(unsigned number, bool is_enabled)
{
    struct ca_record ca = {.is_enabled = is_enabled};
    digest("ca", number, ca.key);
    return ca;
}

static enum ca_standing standing(const struct view *view, unsigned number)
{
    unsigned char key[CA_KEY_BYTES];
    digest("ca", number, key);
    return view_ca(view, key);
}

START_TEST(a_ca_is_enabled_disabled_or_gone)
{
    struct view *view = view_new();
    ck_assert_int_eq(standing(view, 1), CA_UNKNOWN);
    ck_assert(!view_has_disabled_ca(view));
    ck_assert(view_put_cas(view, NULL, 0));
    struct ca_record cas[] = {ca_of(1, true), ca_of(2, false)};
    ck_assert(view_put_cas(view, cas, 2));
    ck_assert_int_eq(standing(view, 1), CA_ENABLED);
    ck_assert_int_eq(standing(view, 2), CA_DISABLED);
    ck_assert_int_eq(standing(view, 3), CA_UNKNOWN);
    ck_assert(view_has_disabled_ca(view));
    ck_assert(view_put_cas(view, cas, 1));
    ck_assert_int_eq(standing(view, 2), CA_UNKNOWN);
    ck_assert(!view_has_disabled_ca(view));
    ck_assert(view_put_cas(view, NULL, 0));
    ck_assert_int_eq(standing(view, 1), CA_UNKNOWN);
    ck_assert(view_put_cas(view, cas, 2));
    ck_assert_int_eq(standing(view, 1), CA_ENABLED);
    view_free(view);
}
END_TEST

START_TEST(a_ca_that_is_disabled_or_gone_is_worse)
{
    struct view *view = view_new();
    struct ca_record cas[] = {ca_of(1, true), ca_of(2, true)};
    ck_assert(view_put_cas(view, cas, 2));
    uint64_t worse = view_worse(view);
    ck_assert(view_put_cas(view, cas, 2));
    ck_assert_uint_eq(view_worse(view), worse);
    cas[0].is_enabled = false;
    ck_assert(view_put_cas(view, cas, 2));
    ck_assert_uint_eq(view_worse(view), worse + 1);
    ck_assert(view_put_cas(view, cas, 1));
    ck_assert_uint_eq(view_worse(view), worse + 2);
    cas[0].is_enabled = true;
    ck_assert(view_put_cas(view, cas, 1));
    ck_assert_uint_eq(view_worse(view), worse + 2);
    view_free(view);
}
END_TEST

START_TEST(a_certificate_finds_its_ca_whichever_came_first)
{
    struct view *view = view_new();
    struct ca_record ca = ca_of(1, false);
    struct certificate_row row = row_of(1, 1, CERTIFICATE_ACTIVATED);
    ca_id_of(ca.key, row.ca);
    ck_assert(view_put(view, &row));
    const struct view_entry *entry = find(view, 1);
    ck_assert_int_eq(view_ca_of(view, entry), CA_UNKNOWN);
    ck_assert_int_eq(standing(view, 1), CA_UNKNOWN);
    ck_assert(view_put_cas(view, &ca, 1));
    ck_assert_int_eq(view_ca_of(view, entry), CA_DISABLED);
    ck_assert_int_eq(standing(view, 1), CA_DISABLED);
    row = row_of(2, 2, CERTIFICATE_ACTIVATED);
    memcpy(row.ca, "no such id", 11);
    ck_assert(view_put(view, &row));
    ck_assert_int_eq(view_ca_of(view, find(view, 2)), CA_UNKNOWN);
    view_free(view);
}
END_TEST

START_TEST(cas_whose_ids_are_equal_are_told_apart)
{
    struct view *view = view_new();
    struct ca_record cas[] = {ca_of(1, true), ca_of(1, false)};
    cas[1].key[CA_KEY_BYTES - 1] ^= 1;
    for (int again = 0; again < 3; again++) {
        ck_assert(view_put_cas(view, cas, 2));
        ck_assert_int_eq(view_ca(view, cas[0].key), CA_ENABLED);
        ck_assert_int_eq(view_ca(view, cas[1].key), CA_DISABLED);
    }
    size_t bytes = view_bytes(view);
    ck_assert(view_put_cas(view, cas, 2));
    ck_assert_uint_eq(view_bytes(view), bytes);
    view_free(view);
}
END_TEST

START_TEST(many_cas_are_no_trouble)
{
    enum { MANY = 1000 };
    static struct ca_record cas[MANY];
    struct view *view = view_new();
    for (unsigned i = 0; i < MANY; i++)
        cas[i] = ca_of(i, i % 2 == 0);
    ck_assert(view_put_cas(view, cas, MANY));
    for (unsigned i = 0; i < MANY; i++)
        ck_assert_int_eq(standing(view, i), i % 2 == 0 ? CA_ENABLED : CA_DISABLED);
    view_free(view);
}
END_TEST

/* Memory */

/* The worst is just after a growth: 4/5 of a power of two, and one. */
START_TEST(a_certificate_with_a_client_id_takes_at_most_a_hundred_bytes)
{
    static const unsigned counts[] = {26215, 52429, 104858, 150000};
    struct view *view = view_new();
    char client_id[13];
    unsigned next = 0;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        for (; next < counts[i]; next++) {
            struct certificate_row row = row_of(next, next, CERTIFICATE_ACTIVATED);
            snprintf(client_id, sizeof client_id, "device-%05u", next % 100000);
            row.client_id = client_id;
            ck_assert(view_put(view, &row));
        }
        ck_assert_uint_le(view_bytes(view), (size_t)100 * next);
        ck_assert_uint_ge(view_bytes(view), (size_t)80 * next); /* it counts everything */
    }
    view_free(view);
}
END_TEST

/* Readers beside the writer */

enum { READERS = 3, STEADY = 500, ADDED = 6000 };

struct crowd {
    struct view *view;
    atomic_uint added;  /* entries beyond the steady ones that must be found */
    atomic_bool lifted; /* the steady ones have other certificates now */
    atomic_bool is_over;
};

static void check_steady(const struct crowd *crowd, unsigned number)
{
    bool lifted = atomic_load(&crowd->lifted);
    const struct view_entry *entry = find(crowd->view, number);
    if (!entry || (!has_tbs(entry, number) && !has_tbs(entry, number + 1000000)))
        abort();
    if (lifted && (!has_tbs(entry, number + 1000000) || !view_client_id(entry)))
        abort();
}

/* Who finds an entry DELETED that he held finds the one that superseded it. */
static void check_held(const struct crowd *crowd, struct view_entry *const *held, unsigned number)
{
    if (view_status(held[number]) != CERTIFICATE_DELETED)
        return;
    const struct view_entry *entry = find(crowd->view, number);
    if (entry == held[number] || !has_tbs(entry, number + 1000000) ||
        view_status(entry) != CERTIFICATE_ACTIVATED || strcmp(view_client_id(entry), "new") != 0)
        abort();
}

static void *read_all(void *argument)
{
    struct crowd *crowd = argument;
    struct view_entry *held[STEADY];
    for (unsigned i = 0; i < STEADY; i++)
        held[i] = find(crowd->view, i);
    for (unsigned i = 0; !atomic_load(&crowd->is_over); i++) {
        unsigned added = atomic_load(&crowd->added);
        check_steady(crowd, i % STEADY);
        check_held(crowd, held, i % STEADY);
        if (added > 0 && !find(crowd->view, STEADY + i % added))
            abort();
        view_note_seen(find(crowd->view, i % STEADY), i);
        unsigned char ca[CA_KEY_BYTES];
        digest("ca", i % 3, ca);
        if (view_ca(crowd->view, ca) == CA_DISABLED && i % 3 == 0)
            abort();
    }
    return NULL;
}

static void change_all(struct crowd *crowd)
{
    for (unsigned i = 0; i < ADDED; i++) {
        put(crowd->view, STEADY + i, i, CERTIFICATE_ACTIVATED);
        atomic_store(&crowd->added, i + 1);
        if (i % STEADY != 0)
            continue;
        struct ca_record cas[] = {ca_of(0, true), ca_of(1, i % 1000 == 0), ca_of(i, false)};
        ck_assert(view_put_cas(crowd->view, cas, i == 0 ? 2 : 3));
    }
    for (unsigned i = 0; i < STEADY; i++) {
        struct certificate_row row = row_of(i, i + 1000000, CERTIFICATE_ACTIVATED);
        row.client_id = "new";
        ck_assert(view_put(crowd->view, &row));
    }
    atomic_store(&crowd->lifted, true);
}

START_TEST(readers_need_no_lock_while_the_view_grows_and_changes)
{
    struct crowd crowd = {.view = view_new()};
    pthread_t readers[READERS];
    for (unsigned i = 0; i < STEADY; i++)
        put(crowd.view, i, i, CERTIFICATE_ACTIVATED);
    for (int i = 0; i < READERS; i++)
        ck_assert_int_eq(pthread_create(&readers[i], NULL, read_all, &crowd), 0);
    change_all(&crowd);
    atomic_store(&crowd.is_over, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    for (unsigned i = 0; i < STEADY; i++)
        check_steady(&crowd, i);
    ck_assert_uint_eq(view_count(crowd.view), STEADY + ADDED);
    view_free(crowd.view);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, what_was_put_is_found_and_nothing_else);
    tcase_add_test(tcase, an_entry_stays_where_it_is_while_the_view_grows);
    tcase_add_test(tcase, a_certificate_shows_its_newest_status);
    tcase_add_test(tcase, another_certificate_of_the_same_key_gets_an_entry_of_its_own);
    tcase_add_test(tcase, the_same_certificate_lifted_keeps_its_entry);
    tcase_add_test(tcase, client_ids_come_change_and_go);
    tcase_add_test(tcase, a_client_id_may_be_longer_than_a_block_of_texts);
    tcase_add_test(tcase, who_was_seen_last_is_known);
    tcase_add_test(tcase, only_what_lets_somebody_pass_less_is_worse);
    tcase_add_test(tcase, a_ca_is_enabled_disabled_or_gone);
    tcase_add_test(tcase, a_ca_that_is_disabled_or_gone_is_worse);
    tcase_add_test(tcase, a_certificate_finds_its_ca_whichever_came_first);
    tcase_add_test(tcase, cas_whose_ids_are_equal_are_told_apart);
    tcase_add_test(tcase, many_cas_are_no_trouble);
    tcase_add_test(tcase, a_certificate_with_a_client_id_takes_at_most_a_hundred_bytes);
    tcase_add_test(tcase, readers_need_no_lock_while_the_view_grows_and_changes);
}

CHECK_MAIN("view", add_tests)
