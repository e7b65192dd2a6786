/* SPDX-License-Identifier: Apache-2.0 */
/* A pool's tokens: they mean the same backend in every pool of that name that has the key. */
#include "backends/persistence/pool_persistence.h"

#include <string.h>

#include "backends/persistence/persistence.h"
#include "tests/support/check_main.h"
#include "tests/support/made_pool.h"

enum { NOW = 1700000000 };
static const uint64_t now_ms = NOW * UINT64_C(1000);
static const unsigned char key[PERSISTENCE_KEY_BYTES] = "a key of thirty-two bytes or so";

static struct made_pool made, other;

static void begin(void)
{
    made_pool_begin(&made);
    made_pool_begin(&other);
}

static void end(void)
{
    made_pool_end(&made);
    made_pool_end(&other);
}

static void prepare(struct made_pool *pool, const char *const *backends)
{
    made_pool_key(pool, "session_persistence", "cookie");
    for (; *backends; backends++)
        made_pool_key(pool, "backend", *backends);
    ck_assert(made_pool_prepare(pool));
    ck_assert(pool_persistence_open(&pool->pool, key));
    ck_assert_ptr_nonnull(pool->pool.persistence);
}

#define PREPARE(pool, ...) prepare(pool, (const char *const[]){__VA_ARGS__, NULL})

struct token {
    char text[PERSISTENCE_TOKEN_CHARS];
};

static struct token token_of(const struct made_pool *from, unsigned backend, uint64_t issued_ms)
{
    struct token token;
    ck_assert(
        pool_persistence_token(&from->pool, &from->pool.backends[backend], issued_ms, token.text));
    return token;
}

/* The name of the backend that a token means; "" for none. */
static const char *meant(const struct made_pool *by, const struct token *token, uint64_t at_ms)
{
    bool is_due = false;
    const struct backend *found = pool_persistence_find(
        &by->pool, (struct slice){token->text, sizeof token->text}, at_ms, &is_due);
    return found ? found->name : "";
}

static bool is_due(const struct token *token, uint64_t at_ms)
{
    bool due = false;
    ck_assert_ptr_nonnull(pool_persistence_find(
        &made.pool, (struct slice){token->text, sizeof token->text}, at_ms, &due));
    return due;
}

START_TEST(a_token_means_its_backend)
{
    PREPARE(&made, "rs-1 192.0.2.1:80", "rs-2 192.0.2.2:80", "rs-3 192.0.2.3:80");
    for (unsigned i = 0; i < 3; i++) {
        struct token token = token_of(&made, i, now_ms);
        ck_assert_str_eq(meant(&made, &token, now_ms), made.pool.backends[i].name);
        /* Nothing of the backend is in it. */
        ck_assert_ptr_null(memmem(token.text, sizeof token.text, "rs-", 3));
    }
}
END_TEST

START_TEST(it_means_the_same_backend_wherever_that_stands_by_now)
{
    PREPARE(&made, "rs-1 192.0.2.1:80", "rs-2 192.0.2.2:80");
    PREPARE(&other, "rs-0 192.0.2.9:80", "rs-2 192.0.2.7:8080 weight=5", "rs-1 192.0.2.1:80");
    struct token first = token_of(&made, 0, now_ms);
    struct token second = token_of(&made, 1, now_ms);
    ck_assert_str_eq(meant(&other, &first, now_ms), "rs-1");
    ck_assert_str_eq(meant(&other, &second, now_ms), "rs-2");
}
END_TEST

START_TEST(a_backend_that_is_gone_is_meant_by_nobody)
{
    PREPARE(&made, "rs-1 192.0.2.1:80", "rs-2 192.0.2.2:80");
    PREPARE(&other, "rs-1 192.0.2.1:80");
    struct token token = token_of(&made, 1, now_ms);
    ck_assert_str_eq(meant(&other, &token, now_ms), "");
}
END_TEST

START_TEST(another_key_makes_all_tokens_nothing)
{
    static const unsigned char other_key[PERSISTENCE_KEY_BYTES] = "another key";
    PREPARE(&made, "rs-1 192.0.2.1:80");
    struct token token = token_of(&made, 0, now_ms);
    pool_persistence_done(&made.pool);
    ck_assert(pool_persistence_open(&made.pool, other_key));
    ck_assert_str_eq(meant(&made, &token, now_ms), "");
}
END_TEST

START_TEST(it_is_good_for_the_pools_own_timeout)
{
    made_pool_key(&made, "session_persistence_timeout", "160s");
    PREPARE(&made, "rs-1 192.0.2.1:80");
    struct token token = token_of(&made, 0, now_ms);
    ck_assert(!is_due(&token, now_ms));
    ck_assert(!is_due(&token, now_ms + 10000));
    ck_assert(is_due(&token, now_ms + 10001));
    ck_assert(is_due(&token, now_ms + 170000));
    ck_assert_str_eq(meant(&made, &token, now_ms + 170001), "");
    ck_assert_str_eq(meant(&made, &token, now_ms * 2), "");
}
END_TEST

START_TEST(every_backend_of_a_large_pool_has_its_own)
{
    enum { COUNT = POOL_BACKENDS_MOST };
    static struct token tokens[COUNT];
    static unsigned weights[COUNT];
    for (unsigned i = 0; i < COUNT; i++)
        weights[i] = 1;
    made_pool_key(&made, "session_persistence", "cookie");
    made_pool_weights(&made, weights, COUNT);
    ck_assert(made_pool_prepare(&made));
    ck_assert(pool_persistence_open(&made.pool, key));
    for (unsigned i = 0; i < COUNT; i++)
        tokens[i] = token_of(&made, i, now_ms);
    for (unsigned i = 0; i < COUNT; i++)
        ck_assert_str_eq(meant(&made, &tokens[i], now_ms), made.pool.backends[i].name);
}
END_TEST

START_TEST(a_pool_that_wants_no_cookies_needs_no_key)
{
    static const char *const kinds[] = {"off", "client-certificate"};
    made_pool_key(&made, "session_persistence", kinds[_i]);
    made_pool_key(&made, "backend", "rs-1 192.0.2.1:80");
    ck_assert(made_pool_prepare(&made));
    ck_assert(!pool_persistence_is_wished(&made.pool));
    ck_assert(pool_persistence_open(&made.pool, key));
    ck_assert_ptr_null(made.pool.persistence);
}
END_TEST

/* ---- problems ---- */

START_TEST(a_name_that_no_cookie_can_have_is_a_problem)
{
    static const char *const names[] = {"LB SESSION", "a=b", "a;b", "\"a\"", "k\xc3\xa4se", "a,b"};
    made_pool_key(&made, "backend", "rs-1 192.0.2.1:80");
    made_pool_key(&made, "session_persistence", "cookie");
    made_pool_key(&made, "persistence_cookie", names[_i]);
    ck_assert(!made_pool_prepare(&made));
    ck_assert(made_pool_has_problem(&made, 4, "cannot be the name of a cookie"));
    ck_assert(made_pool_has_problem(&made, 4, names[_i]));
}
END_TEST

START_TEST(names_that_cookies_can_have_are_fine)
{
    static const char *const names[] = {"LBSESSION", "__Host-lb", "a.b_c-d!#$%&'*+^`|~", "1"};
    made_pool_key(&made, "persistence_cookie", names[_i]);
    PREPARE(&made, "rs-1 192.0.2.1:80");
    ck_assert_uint_eq(made.problems.count, 0);
}
END_TEST

START_TEST(cookie_keys_that_mean_nothing_are_warned_of)
{
    static const char *const kinds[] = {"off", "client-certificate"};
    made_pool_key(&made, "backend", "rs-1 192.0.2.1:80");
    made_pool_key(&made, "session_persistence", kinds[_i]);
    made_pool_key(&made, "persistence_cookie", "MINE");
    made_pool_key(&made, "session_persistence_timeout", "60s");
    ck_assert(made_pool_prepare(&made));
    ck_assert(made_pool_has_problem(&made, 4, "persistence_cookie means nothing in pool app"));
    ck_assert(
        made_pool_has_problem(&made, 5, "session_persistence_timeout means nothing in pool app"));
    ck_assert_uint_eq(made.problems.count, 2);
    ck_assert_uint_eq(made.problems.error_count, 0);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_token_means_its_backend);
    tcase_add_test(tcase, it_means_the_same_backend_wherever_that_stands_by_now);
    tcase_add_test(tcase, a_backend_that_is_gone_is_meant_by_nobody);
    tcase_add_test(tcase, another_key_makes_all_tokens_nothing);
    tcase_add_test(tcase, it_is_good_for_the_pools_own_timeout);
    tcase_add_test(tcase, every_backend_of_a_large_pool_has_its_own);
    tcase_add_loop_test(tcase, a_pool_that_wants_no_cookies_needs_no_key, 0, 2);
    tcase_add_loop_test(tcase, a_name_that_no_cookie_can_have_is_a_problem, 0, 6);
    tcase_add_loop_test(tcase, names_that_cookies_can_have_are_fine, 0, 4);
    tcase_add_loop_test(tcase, cookie_keys_that_mean_nothing_are_warned_of, 0, 2);
}

CHECK_MAIN("pool persistence", add_tests)
