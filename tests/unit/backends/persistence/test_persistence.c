/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens: what is sealed opens again, and nothing else does. */
#include "backends/persistence/persistence.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static unsigned char key[PERSISTENCE_KEY_BYTES];
static struct persistence *app;

static void begin(void)
{
    for (unsigned i = 0; i < sizeof key; i++)
        key[i] = (unsigned char)(i * 7 + 1);
    app = persistence_new(key, "app");
    ck_assert_ptr_nonnull(app);
}

static void end(void)
{
    persistence_free(app);
}

struct token {
    char text[PERSISTENCE_TOKEN_CHARS];
};

static struct token sealed(const struct persistence *by, uint64_t id, uint64_t issued_ms)
{
    struct token token;
    const struct persistence_claim claim = {id, issued_ms};
    ck_assert(persistence_seal(by, &claim, token.text));
    return token;
}

static bool opens(const struct persistence *with, const struct token *token)
{
    struct persistence_claim claim;
    return persistence_open(with, (struct slice){token->text, sizeof token->text}, &claim);
}

static void expect_claim(const struct token *token, uint64_t id, uint64_t issued_ms)
{
    struct persistence_claim claim = {0};
    ck_assert(persistence_open(app, (struct slice){token->text, sizeof token->text}, &claim));
    ck_assert_uint_eq(claim.id, id);
    ck_assert_uint_eq(claim.issued_ms, issued_ms);
}

START_TEST(what_is_sealed_opens_again)
{
    static const uint64_t ids[] = {0, 1, UINT64_MAX, 0x0123456789abcdef};
    static const uint64_t times[] = {0, 1, 1700000000000, 0xffffffffffff};
    for (unsigned i = 0; i < 4; i++)
        for (unsigned k = 0; k < 4; k++) {
            struct token token = sealed(app, ids[i], times[k]);
            for (unsigned at = 0; at < sizeof token.text; at++)
                ck_assert_ptr_nonnull(memchr(alphabet, token.text[at], 64));
            expect_claim(&token, ids[i], times[k]);
        }
}
END_TEST

/* Made once with another program's HMAC and base64: a later lb reads the cookies of this one. */
START_TEST(the_form_of_a_token_never_changes)
{
    uint64_t id = 0;
    ck_assert(persistence_id(app, "rs-1", &id));
    ck_assert_msg(id == UINT64_C(0x96c56bfd6c9a69b0), "%016llx", (unsigned long long)id);
    struct token token = sealed(app, id, 1700000000000);
    ck_assert_msg(
        memcmp(token.text, "AQGLz-VoAJbFa_1smmmwk13osyJLwdP12CKsxYB3HAcB", sizeof token.text) == 0,
        "%.*s", PERSISTENCE_TOKEN_CHARS, token.text);
}
END_TEST

START_TEST(every_bit_counts)
{
    struct token good = sealed(app, 0x1122334455667788, 1700000000000);
    for (unsigned at = 0; at < sizeof good.text; at++) {
        unsigned value = (unsigned)(strchr(alphabet, good.text[at]) - alphabet);
        for (unsigned bit = 0; bit < 6; bit++) {
            struct token forged = good;
            forged.text[at] = alphabet[value ^ 1U << bit];
            ck_assert_msg(!opens(app, &forged), "letter %u, bit %u", at, bit);
        }
    }
    ck_assert(opens(app, &good));
}
END_TEST

START_TEST(no_other_byte_will_do)
{
    struct token good = sealed(app, 1, 1700000000000);
    for (unsigned at = 0; at < sizeof good.text; at++)
        for (unsigned byte = 0; byte < 256; byte++) {
            struct token forged = good;
            forged.text[at] = (char)byte;
            ck_assert(opens(app, &forged) == ((char)byte == good.text[at]));
        }
}
END_TEST

START_TEST(a_token_of_another_length_is_none)
{
    struct persistence_claim claim = {7, 8};
    char text[2 * PERSISTENCE_TOKEN_CHARS];
    struct token good = sealed(app, 1, 1700000000000);
    memcpy(text, good.text, sizeof good.text);
    memcpy(text + sizeof good.text, good.text, sizeof good.text);
    for (size_t length = 0; length <= sizeof text; length++)
        ck_assert(persistence_open(app, (struct slice){text, length}, &claim) ==
                  (length == PERSISTENCE_TOKEN_CHARS));
    ck_assert(!persistence_open(app, (struct slice){NULL, 0}, &claim));
}
END_TEST

START_TEST(what_does_not_open_leaves_the_claim_alone)
{
    struct persistence_claim claim = {7, 8};
    struct token forged = sealed(app, 1, 2);
    forged.text[40] = forged.text[40] == 'A' ? 'B' : 'A';
    ck_assert(!persistence_open(app, (struct slice){forged.text, sizeof forged.text}, &claim));
    ck_assert_uint_eq(claim.id, 7);
    ck_assert_uint_eq(claim.issued_ms, 8);
}
END_TEST

START_TEST(a_token_of_one_pool_is_nothing_for_another)
{
    static const char *const others[] = {"ap", "app2", "App", "", "app "};
    struct token token = sealed(app, 1, 1700000000000);
    for (unsigned i = 0; i < sizeof others / sizeof *others; i++) {
        struct persistence *other = persistence_new(key, others[i]);
        ck_assert(!opens(other, &token));
        persistence_free(other);
    }
}
END_TEST

START_TEST(a_token_of_one_key_is_nothing_for_another)
{
    struct token token = sealed(app, 1, 1700000000000);
    for (unsigned i = 0; i < sizeof key * 8; i++) {
        key[i / 8] ^= (unsigned char)(1U << i % 8);
        struct persistence *other = persistence_new(key, "app");
        ck_assert(!opens(other, &token));
        persistence_free(other);
        key[i / 8] ^= (unsigned char)(1U << i % 8);
    }
}
END_TEST

START_TEST(a_token_is_good_for_whoever_has_key_and_name)
{
    struct persistence *after = persistence_new(key, "app"); /* a restart */
    struct token token = sealed(app, 1, 1700000000000);
    uint64_t before_id = 0, after_id = 1;
    ck_assert(opens(after, &token));
    ck_assert(persistence_id(app, "rs-1", &before_id) && persistence_id(after, "rs-1", &after_id));
    ck_assert_uint_eq(before_id, after_id);
    persistence_free(after);
}
END_TEST

START_TEST(ids_differ_by_backend_and_pool_and_tell_nothing)
{
    struct persistence *other = persistence_new(key, "other");
    uint64_t one, two, others_one;
    ck_assert(persistence_id(app, "rs-1", &one));
    ck_assert(persistence_id(app, "rs-2", &two));
    ck_assert(persistence_id(other, "rs-1", &others_one));
    ck_assert(one != two && one != others_one);
    /* "ap" + "prs-1" is not "app" + "rs-1". */
    struct persistence *shifted = persistence_new(key, "ap");
    uint64_t shifted_one;
    ck_assert(persistence_id(shifted, "prs-1", &shifted_one));
    ck_assert(shifted_one != one);
    persistence_free(shifted);
    persistence_free(other);
}
END_TEST

/* A property: whatever is made of random letters, or of parts of good tokens, is no token. */
START_TEST(nothing_made_of_parts_of_tokens_opens)
{
    uint32_t seed = 2463534242;
    struct token one = sealed(app, 1, 1700000000000);
    struct token two = sealed(app, 2, 1700000009999);
    for (unsigned i = 0; i < 20000; i++) {
        struct token forged = one;
        unsigned from = 0, length = 0;
        for (unsigned k = 0; k < sizeof forged.text; k++) {
            seed ^= seed << 13, seed ^= seed >> 17, seed ^= seed << 5;
            if (i % 2 == 0)
                forged.text[k] = alphabet[seed % 64];
        }
        if (i % 2 == 1) {
            from = seed % PERSISTENCE_TOKEN_CHARS;
            length = 1 + (seed >> 8) % (PERSISTENCE_TOKEN_CHARS - from);
            memcpy(forged.text + from, two.text + from, length);
        }
        bool is_real = memcmp(forged.text, one.text, sizeof one.text) == 0 ||
                       memcmp(forged.text, two.text, sizeof two.text) == 0;
        ck_assert_msg(opens(app, &forged) == is_real, "%.*s", PERSISTENCE_TOKEN_CHARS, forged.text);
    }
}
END_TEST

/* --- several workers --- */

enum { WORKER_COUNT = 4, TOKENS_EACH = 2000 };

static void *seal_and_open(void *arg)
{
    uint64_t own = *(const uint64_t *)arg;
    unsigned *wrong = calloc(1, sizeof *wrong);
    for (uint64_t i = 0; i < TOKENS_EACH; i++) {
        struct token token = {{0}};
        struct persistence_claim claim = {own, i};
        bool fine = persistence_seal(app, &claim, token.text) &&
                    persistence_open(app, (struct slice){token.text, sizeof token.text}, &claim);
        *wrong += !fine || claim.id != own || claim.issued_ms != i;
    }
    return wrong;
}

START_TEST(workers_share_one_key)
{
    pthread_t threads[WORKER_COUNT];
    uint64_t ids[WORKER_COUNT];
    for (unsigned i = 0; i < WORKER_COUNT; i++) {
        ids[i] = i * 1000003;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, seal_and_open, &ids[i]), 0);
    }
    for (unsigned i = 0; i < WORKER_COUNT; i++) {
        void *wrong = NULL;
        pthread_join(threads[i], &wrong);
        ck_assert_uint_eq(*(unsigned *)wrong, 0);
        free(wrong);
    }
}
END_TEST

/* --- ages ---------------------------------------------------------------------------------- */

enum { T0 = 1000000000 };

START_TEST(a_token_is_renewed_after_a_sixteenth_and_over_after_seventeen)
{
    const uint32_t timeout = 300000;
    ck_assert_int_eq(persistence_age(T0, T0, timeout), PERSISTENCE_FRESH);
    ck_assert_int_eq(persistence_age(T0, T0 + timeout / 16, timeout), PERSISTENCE_FRESH);
    ck_assert_int_eq(persistence_age(T0, T0 + timeout / 16 + 1, timeout), PERSISTENCE_DUE);
    ck_assert_int_eq(persistence_age(T0, T0 + timeout + timeout / 16, timeout), PERSISTENCE_DUE);
    ck_assert_int_eq(persistence_age(T0, T0 + timeout + timeout / 16 + 1, timeout),
                     PERSISTENCE_OVER);
    ck_assert_int_eq(persistence_age(0, 0xffffffffffff, timeout), PERSISTENCE_OVER);
}
END_TEST

START_TEST(a_clock_that_runs_behind_ends_no_session)
{
    const uint32_t timeout = 30000;
    ck_assert_int_eq(persistence_age(T0 + 1, T0, timeout), PERSISTENCE_DUE);
    ck_assert_int_eq(persistence_age(T0 + timeout / 16, T0, timeout), PERSISTENCE_DUE);
    ck_assert_int_eq(persistence_age(T0 + timeout / 16 + 1, T0, timeout), PERSISTENCE_OVER);
    ck_assert_int_eq(persistence_age(0xffffffffffff, 0, timeout), PERSISTENCE_OVER);
}
END_TEST

/* A client that asks at random times: never forgotten within the timeout, never remembered longer
 * than 1/16 more. */
START_TEST(the_idle_lifetime_is_exact)
{
    static const uint32_t timeouts[] = {30000, 30001, 30015, 300000, 3600000};
    uint32_t seed = 88172645;
    for (unsigned i = 0; i < 50000; i++) {
        const uint32_t timeout = timeouts[i % 5];
        uint64_t issued = T0, used = T0;
        for (unsigned asks = 0; asks < 3; asks++) {
            seed ^= seed << 13, seed ^= seed >> 17, seed ^= seed << 5;
            uint64_t now = used + seed % (timeout + timeout / 8);
            enum persistence_age age = persistence_age(issued, now, timeout);
            ck_assert(age != PERSISTENCE_OVER || now - used > timeout);
            ck_assert(age == PERSISTENCE_OVER || (now - used) * 16 <= (uint64_t)timeout * 17);
            if (age != PERSISTENCE_FRESH)
                issued = now; /* the answer renews it, or gives a first one */
            used = now;
        }
    }
}
END_TEST

START_TEST(a_browser_keeps_a_cookie_as_long_as_it_is_good)
{
    ck_assert_uint_eq(persistence_kept_s(300000), 319);   /* 318.75 */
    ck_assert_uint_eq(persistence_kept_s(30000), 32);     /* 31.875 */
    ck_assert_uint_eq(persistence_kept_s(3600000), 3825); /* exactly */
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, what_is_sealed_opens_again);
    tcase_add_test(tcase, the_form_of_a_token_never_changes);
    tcase_add_test(tcase, every_bit_counts);
    tcase_add_test(tcase, no_other_byte_will_do);
    tcase_add_test(tcase, a_token_of_another_length_is_none);
    tcase_add_test(tcase, what_does_not_open_leaves_the_claim_alone);
    tcase_add_test(tcase, a_token_of_one_pool_is_nothing_for_another);
    tcase_add_test(tcase, a_token_of_one_key_is_nothing_for_another);
    tcase_add_test(tcase, a_token_is_good_for_whoever_has_key_and_name);
    tcase_add_test(tcase, ids_differ_by_backend_and_pool_and_tell_nothing);
    tcase_add_test(tcase, nothing_made_of_parts_of_tokens_opens);
    tcase_add_test(tcase, workers_share_one_key);
    tcase_add_test(tcase, a_token_is_renewed_after_a_sixteenth_and_over_after_seventeen);
    tcase_add_test(tcase, a_clock_that_runs_behind_ends_no_session);
    tcase_add_test(tcase, the_idle_lifetime_is_exact);
    tcase_add_test(tcase, a_browser_keeps_a_cookie_as_long_as_it_is_good);
}

CHECK_MAIN("persistence", add_tests)
