/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/ocsp/ocsp_memory.h"

#include <pthread.h>
#include <string.h>

#include "listeners/ocsp/ocsp_responder.h"
#include "listeners/ocsp/ocsp_url.h"
#include "tests/support/check_main.h"

enum { NOW = 1000000, MOST = 64 };

static const unsigned char *key(unsigned char number)
{
    static unsigned char bytes[OCSP_KEY_BYTES];
    memset(bytes, number, sizeof bytes);
    return bytes;
}

static void remember(struct ocsp *ocsp, enum ocsp_word word, time_t until, time_t now)
{
    const struct ocsp_note note = {.word = word, .until = until};
    ocsp_remember(ocsp, key(1), &note, now);
}

static struct ocsp_note recall(struct ocsp *ocsp)
{
    struct ocsp_note note;
    ck_assert(ocsp_recall(ocsp, key(1), &note));
    return note;
}

START_TEST(what_was_said_is_remembered_under_its_key)
{
    struct ocsp *ocsp = ocsp_new(MOST);
    struct ocsp_note note;
    remember(ocsp, OCSP_WORD_GOOD, NOW + 10, NOW);
    ck_assert_int_eq(recall(ocsp).word, OCSP_WORD_GOOD);
    ck_assert_int_eq(recall(ocsp).until, NOW + 10);
    ck_assert(!ocsp_recall(ocsp, key(2), &note));
    ocsp_forget(ocsp, key(1));
    ck_assert(!ocsp_recall(ocsp, key(1), &note));
    ocsp_free(ocsp);
}
END_TEST

START_TEST(a_failure_takes_the_place_of_no_answer_that_still_counts)
{
    struct ocsp *ocsp = ocsp_new(MOST);
    remember(ocsp, OCSP_WORD_GOOD, NOW + 10, NOW);
    remember(ocsp, OCSP_WORD_NONE, NOW + 20, NOW + 9);
    ck_assert_int_eq(recall(ocsp).word, OCSP_WORD_GOOD);
    remember(ocsp, OCSP_WORD_NONE, NOW + 20, NOW + 10);
    ck_assert_int_eq(recall(ocsp).word, OCSP_WORD_NONE);
    remember(ocsp, OCSP_WORD_GOOD, NOW + 30, NOW + 11);
    ck_assert_int_eq(recall(ocsp).word, OCSP_WORD_GOOD);
    ocsp_free(ocsp);
}
END_TEST

START_TEST(who_was_revoked_stays_so_while_nobody_answers)
{
    struct ocsp *ocsp = ocsp_new(MOST);
    remember(ocsp, OCSP_WORD_REVOKED, NOW + 10, NOW);
    remember(ocsp, OCSP_WORD_NONE, NOW + 30, NOW + 20);
    ck_assert_int_eq(recall(ocsp).word, OCSP_WORD_REVOKED);
    ck_assert_int_eq(recall(ocsp).until, NOW + 30);
    remember(ocsp, OCSP_WORD_GOOD, NOW + 50, NOW + 31); /* a hold that was lifted */
    ck_assert_int_eq(recall(ocsp).word, OCSP_WORD_GOOD);
    ocsp_free(ocsp);
}
END_TEST

START_TEST(a_revocation_makes_copies_worthless)
{
    struct ocsp *ocsp = ocsp_new(MOST);
    unsigned before = ocsp_generation(ocsp);
    remember(ocsp, OCSP_WORD_GOOD, NOW + 10, NOW);
    ck_assert_uint_eq(ocsp_generation(ocsp), before);
    remember(ocsp, OCSP_WORD_REVOKED, NOW + 10, NOW);
    ck_assert_uint_ne(ocsp_generation(ocsp), before);
    ocsp_free(ocsp);
}
END_TEST

START_TEST(it_is_bounded)
{
    struct ocsp *ocsp = ocsp_new(MOST);
    const struct ocsp_note note = {.word = OCSP_WORD_GOOD, .until = NOW + 10};
    for (unsigned i = 0; i < 10 * MOST; i++) {
        unsigned char bytes[OCSP_KEY_BYTES] = {(unsigned char)i, (unsigned char)(i >> 8)};
        ocsp_remember(ocsp, bytes, &note, NOW);
    }
    ck_assert_uint_le(ocsp_count(ocsp), MOST);
    ck_assert_uint_gt(ocsp_count(ocsp), MOST / 2);
    ocsp_free(ocsp);
}
END_TEST

START_TEST(responders_have_numbers_for_good)
{
    struct ocsp *ocsp = ocsp_new(MOST);
    unsigned char asks[OCSP_ASKS_BYTES] = {0};
    for (unsigned i = 0; i < OCSP_NUMBERS_MOST; i++) {
        memcpy(asks, &i, sizeof i);
        ck_assert_uint_eq(ocsp_number(ocsp, asks), i + 1);
    }
    unsigned one = 1, more = OCSP_NUMBERS_MOST;
    memcpy(asks, &one, sizeof one);
    ck_assert_uint_eq(ocsp_number(ocsp, asks), 2);
    memcpy(asks, &more, sizeof more);
    ck_assert_uint_eq(ocsp_number(ocsp, asks), 0);
    ocsp_free(ocsp);
}
END_TEST

START_TEST(a_responder_that_fails_time_and_again_is_left_alone_for_a_while)
{
    struct ocsp *ocsp = ocsp_new(MOST);
    struct ocsp_url url, other;
    ck_assert(ocsp_url_read(&url, "http://127.0.0.1:81/", NULL));
    ck_assert(ocsp_url_read(&other, "http://127.0.0.1:82/", NULL));
    for (unsigned i = 0; i < OCSP_DEAD_AFTER; i++) {
        ck_assert(!ocsp_responder_is_dead(ocsp, &url, NOW));
        ocsp_responder_failed(ocsp, &url, NOW);
    }
    ck_assert(ocsp_responder_is_dead(ocsp, &url, NOW + OCSP_FAILURE_S - 1));
    ck_assert(!ocsp_responder_is_dead(ocsp, &url, NOW + OCSP_FAILURE_S));
    ck_assert(!ocsp_responder_is_dead(ocsp, &other, NOW));
    /* A failure then is the first of a new row. */
    ocsp_responder_failed(ocsp, &url, NOW + OCSP_FAILURE_S);
    ck_assert(!ocsp_responder_is_dead(ocsp, &url, NOW + OCSP_FAILURE_S));
    ocsp_free(ocsp);
}
END_TEST

START_TEST(a_responder_that_answers_is_never_left_alone)
{
    struct ocsp *ocsp = ocsp_new(MOST);
    struct ocsp_url url;
    ck_assert(ocsp_url_read(&url, "http://127.0.0.1:81/", NULL));
    for (unsigned i = 0; i < 3 * OCSP_DEAD_AFTER; i++) {
        if (i % 2)
            ocsp_responder_answered(ocsp, &url);
        else
            ocsp_responder_failed(ocsp, &url, NOW);
        ck_assert(!ocsp_responder_is_dead(ocsp, &url, NOW));
    }
    ocsp_free(ocsp);
}
END_TEST

static void *remember_all(void *argument)
{
    struct ocsp *ocsp = argument;
    for (unsigned i = 0; i < 20000; i++) {
        unsigned char bytes[OCSP_KEY_BYTES] = {(unsigned char)(i * 7), (unsigned char)(i >> 4)};
        struct ocsp_note note = {.word = (enum ocsp_word)(1 + i % 3), .until = NOW + i};
        ocsp_remember(ocsp, bytes, &note, NOW);
        if (ocsp_recall(ocsp, bytes, &note))
            ck_assert(note.word >= OCSP_WORD_GOOD && note.word <= OCSP_WORD_NONE);
        if (i % 5 == 0)
            ocsp_forget(ocsp, bytes);
    }
    return NULL;
}

START_TEST(workers_share_it)
{
    struct ocsp *ocsp = ocsp_new(MOST);
    pthread_t threads[4];
    for (unsigned i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, remember_all, ocsp), 0);
    for (unsigned i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_le(ocsp_count(ocsp), MOST);
    ocsp_free(ocsp);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, what_was_said_is_remembered_under_its_key);
    tcase_add_test(tcase, a_failure_takes_the_place_of_no_answer_that_still_counts);
    tcase_add_test(tcase, who_was_revoked_stays_so_while_nobody_answers);
    tcase_add_test(tcase, a_revocation_makes_copies_worthless);
    tcase_add_test(tcase, it_is_bounded);
    tcase_add_test(tcase, responders_have_numbers_for_good);
    tcase_add_test(tcase, a_responder_that_fails_time_and_again_is_left_alone_for_a_while);
    tcase_add_test(tcase, a_responder_that_answers_is_never_left_alone);
    tcase_add_test(tcase, workers_share_it);
}

CHECK_MAIN("ocsp memory", add_tests)
