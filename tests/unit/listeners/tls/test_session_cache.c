/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions kept and handed out as copies; whole handshakes of several workers on one cache. */
#include "listeners/tls/session_cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "lb/base/error.h"
#include "listeners/tls/session.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/tls_stage.h"

static SSL_SESSION *new_session(unsigned char number, size_t length)
{
    unsigned char id[SSL_MAX_SSL_SESSION_ID_LENGTH];
    SSL_SESSION *session = SSL_SESSION_new();
    memset(id, number, sizeof id);
    ck_assert_int_eq(SSL_SESSION_set1_id(session, id, (unsigned)length), 1);
    SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION);
    return session;
}

static void put(struct session_cache *cache, unsigned char number, time_t ends)
{
    unsigned char context[SESSION_CONTEXT_BYTES] = {number};
    SSL_SESSION *session = new_session(number, 32);
    ck_assert(session_tie(session, context, 1000, ends, NULL));
    session_cache_put(cache, session);
    SSL_SESSION_free(session);
}

static SSL_SESSION *get(struct session_cache *cache, unsigned char number, time_t now)
{
    unsigned char id[SSL_MAX_SSL_SESSION_ID_LENGTH];
    memset(id, number, sizeof id);
    return session_cache_get(cache, id, sizeof id, now);
}

START_TEST(a_session_is_found_with_what_it_is_tied_to)
{
    struct session_cache *cache = session_cache_new(1000, 300);
    put(cache, 7, 1300);
    SSL_SESSION *session = get(cache, 7, 1299);
    ck_assert_ptr_nonnull(session);
    ck_assert_int_eq(session_of(session)->context[0], 7);
    ck_assert_int_eq(session_of(session)->first_handshake, 1000);
    ck_assert_int_eq(session_of(session)->ends, 1300);
    ck_assert_ptr_null(get(cache, 8, 1299));
    SSL_SESSION_free(session);
    session_cache_unref(cache);
    session_cache_unref(NULL);
}
END_TEST

START_TEST(every_answer_is_a_copy_of_its_own)
{
    struct session_cache *cache = session_cache_new(1000, 300);
    put(cache, 7, 1300);
    SSL_SESSION *one = get(cache, 7, 1000);
    SSL_SESSION *two = get(cache, 7, 1000);
    ck_assert_ptr_ne(one, two);
    SSL_SESSION_set_timeout(one, 12345);
    ck_assert_int_ne(SSL_SESSION_get_timeout(two), 12345);
    SSL_SESSION *three = get(cache, 7, 1000);
    ck_assert_int_ne(SSL_SESSION_get_timeout(three), 12345);
    ck_assert_ptr_eq(session_of(one), session_of(three)); /* what is tied to it is shared */
    SSL_SESSION_free(one);
    SSL_SESSION_free(two);
    session_cache_unref(cache);
    ck_assert_int_eq(session_of(three)->first_handshake, 1000);
    SSL_SESSION_free(three);
}
END_TEST

START_TEST(a_session_at_its_end_is_forgotten)
{
    struct session_cache *cache = session_cache_new(1000, 300);
    put(cache, 7, 1300);
    ck_assert_uint_eq(session_cache_count(cache), 1);
    ck_assert_ptr_null(get(cache, 7, 1300));
    ck_assert_uint_eq(session_cache_count(cache), 0);
    session_cache_unref(cache);
}
END_TEST

START_TEST(sessions_are_removed_by_id_and_odd_ids_harm_nothing)
{
    struct session_cache *cache = session_cache_new(1000, 300);
    unsigned char id[SSL_MAX_SSL_SESSION_ID_LENGTH];
    memset(id, 7, sizeof id);
    put(cache, 7, 1300);
    session_cache_remove(cache, id, 31);
    session_cache_remove(cache, id, 0);
    ck_assert_uint_eq(session_cache_count(cache), 1);
    ck_assert_ptr_null(session_cache_get(cache, id, 0, 1000));
    ck_assert_ptr_null(session_cache_get(cache, id, 31, 1000));
    session_cache_remove(cache, id, sizeof id);
    session_cache_remove(cache, id, sizeof id);
    ck_assert_uint_eq(session_cache_count(cache), 0);
    session_cache_unref(cache);
}
END_TEST

START_TEST(what_is_not_tied_or_has_no_whole_id_is_not_kept)
{
    struct session_cache *cache = session_cache_new(1000, 300);
    const unsigned char context[SESSION_CONTEXT_BYTES] = {0};
    SSL_SESSION *loose = new_session(1, 32);
    session_cache_put(cache, loose);
    SSL_SESSION *brief = new_session(2, 8);
    ck_assert(session_tie(brief, context, 1000, 1300, NULL));
    session_cache_put(cache, brief);
    ck_assert_uint_eq(session_cache_count(cache), 0);
    SSL_SESSION_free(loose);
    SSL_SESSION_free(brief);
    session_cache_unref(cache);
}
END_TEST

START_TEST(no_room_or_no_lifetime_keeps_none)
{
    struct session_cache *none = session_cache_new(0, 300);
    struct session_cache *brief = session_cache_new(1000, 0);
    put(none, 1, 1300);
    put(brief, 1, 1300);
    ck_assert_uint_eq(session_cache_count(none), 0);
    ck_assert_uint_eq(session_cache_count(brief), 0);
    ck_assert_uint_eq(session_cache_lifetime_s(none), 0);
    ck_assert_uint_eq(session_cache_lifetime_s(brief), 0);
    session_cache_unref(none);
    session_cache_unref(brief);
}
END_TEST

START_TEST(a_second_tie_takes_the_place_of_the_first)
{
    const unsigned char context[SESSION_CONTEXT_BYTES] = {0};
    SSL_SESSION *session = new_session(1, 32);
    ck_assert_ptr_null(session_of(session));
    ck_assert(session_tie(session, context, 1, 2, NULL));
    ck_assert(session_tie(session, context, 3, 4, NULL));
    ck_assert_int_eq(session_of(session)->first_handshake, 3);
    SSL_SESSION_free(session);
}
END_TEST

/* Two workers, one cache, one cache of chains: full and resumed handshakes at once. */

enum { ROUNDS = 60 };

struct crew {
    struct stage *stage;
    const struct made *client;
    bool second;
    SSL_SESSION *first; /* both workers also meet this one */
    atomic_uint resumed;
    atomic_uint failed;
};

static void *work(void *argument)
{
    struct crew *crew = argument;
    struct wish wish = {.certificate = crew->client, .second_worker = crew->second};
    SSL_SESSION *session = NULL;
    for (int i = 0; i < ROUNDS; i++) {
        struct meeting meeting;
        wish.version = i % 2 ? TLS1_2_VERSION : TLS1_3_VERSION;
        wish.session = i % 5 == 0 ? crew->first : session;
        if (wish.session)
            wish.version = SSL_SESSION_get_protocol_version(wish.session);
        meet(crew->stage, &wish, &meeting);
        if (!meeting.let_in)
            atomic_fetch_add(&crew->failed, 1);
        else if (meeting.resumed)
            atomic_fetch_add(&crew->resumed, 1);
        SSL_SESSION_free(session);
        session = i % 10 == 9 ? NULL : meeting.session;
        if (session)
            meeting.session = NULL;
        part(&meeting);
    }
    SSL_SESSION_free(session);
    return NULL;
}

START_TEST(workers_share_sessions_and_chains_without_harm)
{
    struct stage stage;
    stage_open(&stage);
    struct made *ca = made_ca("Client CA");
    struct made *client = made_client(ca, "client");
    stage_rule(&stage, "", AUTH_REQUIRE, stage_ca_set(&stage, ca, NULL), REFUSE_ALERT);
    stage_start(&stage);
    SSL_SESSION *session =
        meet_for_session(&stage, &(struct wish){.certificate = client, .version = TLS1_2_VERSION});
    struct crew crews[2] = {{.stage = &stage, .client = client, .first = session},
                            {.stage = &stage, .client = client, .first = session, .second = true}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &crews[i]), 0);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_uint_eq(crews[i].failed, 0);
        ck_assert_uint_gt(crews[i].resumed, ROUNDS / 2);
    }
    SSL_SESSION_free(session);
    made_free(client);
    made_free(ca);
    stage_close(&stage);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_session_is_found_with_what_it_is_tied_to);
    tcase_add_test(tcase, every_answer_is_a_copy_of_its_own);
    tcase_add_test(tcase, a_session_at_its_end_is_forgotten);
    tcase_add_test(tcase, sessions_are_removed_by_id_and_odd_ids_harm_nothing);
    tcase_add_test(tcase, what_is_not_tied_or_has_no_whole_id_is_not_kept);
    tcase_add_test(tcase, no_room_or_no_lifetime_keeps_none);
    tcase_add_test(tcase, a_second_tie_takes_the_place_of_the_first);
    tcase_add_test(tcase, workers_share_sessions_and_chains_without_harm);
}

CHECK_MAIN("session_cache", add_tests)
