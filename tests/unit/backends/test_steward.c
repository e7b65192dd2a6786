/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of backends that fail requests, and slow starts: what is published, when, and logged. */
#include "backends/steward.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "backends/sequence.h"
#include "lb/base/log.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"
#include "tests/support/made_pool.h"
#include "tests/support/text.h"

static uv_loop_t loop;
static uv_timer_t alive; /* the steward keeps no loop alive */
static struct steward steward;
static struct roster *roster;
static struct made_pool configs[2];
static struct folder folder;
static bool is_closed;

static void on_alive(uv_timer_t *timer)
{
    (void)timer;
}

static void begin(void)
{
    folder_make(&folder);
    ck_assert(log_open(folder_file(&folder, "log"), LOG_LEVEL_INFO, NULL));
    uv_loop_init(&loop);
    uv_timer_init(&loop, &alive);
    uv_timer_start(&alive, on_alive, 10, 10);
    ck_assert(steward_open(&steward, &loop));
    roster = roster_new();
    for (unsigned i = 0; i < 2; i++)
        made_pool_begin(&configs[i]);
    is_closed = false;
}

static void on_closed(struct steward *of)
{
    ck_assert_ptr_eq(of, &steward);
    is_closed = true;
}

static void end(void)
{
    steward_close(&steward, on_closed);
    ck_assert(!is_closed);
    uv_close((uv_handle_t *)&alive, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert(is_closed);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    for (unsigned i = 0; i < 2; i++)
        made_pool_end(&configs[i]);
    roster_free(roster);
    log_close();
    folder_remove(&folder);
}

static struct pool *pool_of(unsigned config)
{
    return &configs[config].pool;
}

/* Two backends; keys and values in pairs, closed by NULL. */
static void open_config_after(unsigned config, const char *const *keys, const struct pool *before)
{
    struct made_pool *made = &configs[config];
    for (; *keys; keys += 2)
        made_pool_key(made, keys[0], keys[1]);
    if (made->options.backend.count == 0) {
        made_pool_key(made, "backend", "rs-1 127.0.0.1:9");
        made_pool_key(made, "backend", "rs-2 127.0.0.1:10");
    }
    ck_assert(pool_prepare(&made->pool, "app", 1, &made->options, &made->arena, "lb.ini",
                           &made->problems));
    ck_assert(pool_open(&made->pool, roster, before));
}

static void open_config(unsigned config, const char *const *keys)
{
    open_config_after(config, keys, NULL);
}

#define OPEN(config, ...) open_config(config, (const char *const[]){__VA_ARGS__, NULL, NULL})

static void serve(unsigned config)
{
    struct pool *pool = pool_of(config);
    steward_serve(&steward, steward_room(1), &pool, 1);
}

static struct standing *first_of(unsigned config)
{
    return pool_of(config)->backends[0].standing;
}

/* What a worker does as long as everything fails. */
static void *block(void *argument)
{
    struct pool *pool = argument;
    const struct backend *backend = &pool->backends[0];
    do
        pool_note_failure(pool, backend);
    while (!atomic_load(&backend->standing->is_blocked));
    return NULL;
}

static void block_from_a_worker(unsigned config)
{
    pthread_t worker;
    ck_assert_int_eq(pthread_create(&worker, NULL, block, pool_of(config)), 0);
    pthread_join(worker, NULL);
}

static unsigned eligible(unsigned config)
{
    return pool_of(config)->sequence->eligible_count;
}

static void run_until_eligible(unsigned config, unsigned count)
{
    while (eligible(config) != count)
        uv_run(&loop, UV_RUN_ONCE);
}

static unsigned log_count(const char *words)
{
    log_close();
    char *log = folder_read(&folder, "log");
    unsigned count = text_count(log, words);
    free(log);
    ck_assert(log_open(folder_file(&folder, "log"), LOG_LEVEL_INFO, NULL));
    return count;
}

/* ---- blocks ---- */

START_TEST(a_blocked_backend_is_left_out_for_passive_block)
{
    OPEN(0, "passive_block", "150ms");
    serve(0);
    block_from_a_worker(0);
    run_until_eligible(0, 1);
    uint64_t until_ms = first_of(0)->blocked_until_ms;
    ck_assert_uint_gt(until_ms, uv_now(&loop));
    ck_assert_uint_le(until_ms, uv_now(&loop) + 150);
    ck_assert(!atomic_load(&pool_of(0)->wants_attention));
    run_until_eligible(0, 2);
    ck_assert_uint_ge(uv_now(&loop), until_ms);
    ck_assert(!atomic_load(&first_of(0)->is_blocked));
    ck_assert_uint_eq(first_of(0)->blocked_until_ms, 0);
    ck_assert_uint_eq(log_count("warn backend.blocked pool=app backend=rs-1 address=127.0.0.1:9 "
                                "reason=\"3 exchanges in a row failed\" for=150ms"),
                      1);
    ck_assert_uint_eq(log_count("info backend.unblocked pool=app backend=rs-1"), 1);
}
END_TEST

START_TEST(one_more_failure_blocks_a_backend_that_comes_back)
{
    OPEN(0, "passive_block", "100ms", "passive_failures", "5");
    serve(0);
    block_from_a_worker(0);
    run_until_eligible(0, 1);
    run_until_eligible(0, 2);
    ck_assert_uint_eq(atomic_load(&first_of(0)->failures_in_row), 5);
    block_from_a_worker(0);
    run_until_eligible(0, 1);
    ck_assert_uint_eq(log_count("reason=\"5 exchanges in a row failed\""), 1);
    ck_assert_uint_eq(log_count("reason=\"6 exchanges in a row failed\""), 1);
}
END_TEST

START_TEST(an_answer_after_the_block_is_proof_enough)
{
    OPEN(0, "passive_block", "100ms");
    serve(0);
    block_from_a_worker(0);
    run_until_eligible(0, 1);
    run_until_eligible(0, 2);
    pool_note_answer(&pool_of(0)->backends[0]);
    pool_note_failure(pool_of(0), &pool_of(0)->backends[0]);
    ck_assert(!atomic_load(&first_of(0)->is_blocked));
    block_from_a_worker(0);
    run_until_eligible(0, 1);
    ck_assert_uint_eq(log_count("reason=\"3 exchanges in a row failed\""), 2);
}
END_TEST

START_TEST(a_pool_whose_backends_are_all_down_says_so_once_and_when_it_is_over)
{
    static const char *const ways[] = {"any", "503"};
    static const char *const lines[] = {
        "warn pool.all-down pool=app then=\"all backends that are not drained are tried\"",
        "warn pool.down pool=app then=\"requests get 503\""};
    OPEN(0, "all_down", ways[_i], "backend", "rs-1 127.0.0.1:9");
    serve(0);
    ck_assert_uint_eq(log_count(" pool."), 0);
    atomic_store(&first_of(0)->verdict, VERDICT_DOWN);
    steward_publish(&steward, pool_of(0));
    steward_publish(&steward, pool_of(0));
    ck_assert_uint_eq(log_count(lines[_i]), 1);
    atomic_store(&first_of(0)->verdict, VERDICT_UP);
    steward_publish(&steward, pool_of(0));
    steward_publish(&steward, pool_of(0));
    ck_assert_uint_eq(log_count("info pool.up pool=app"), 1);
    ck_assert_uint_eq(log_count(" pool."), 2);
}
END_TEST

START_TEST(a_reload_tells_nothing_of_a_pool_that_is_down_as_before)
{
    OPEN(0, "backend", "rs-1 127.0.0.1:9");
    serve(0);
    atomic_store(&first_of(0)->verdict, VERDICT_DOWN);
    steward_publish(&steward, pool_of(0));
    open_config_after(1, (const char *const[]){"backend", "rs-1 127.0.0.1:9", NULL}, pool_of(0));
    serve(1);
    ck_assert_int_eq(pool_of(1)->state, POOL_ALL_DOWN);
    ck_assert_uint_eq(log_count(" pool."), 1);
}
END_TEST

START_TEST(a_block_outlives_its_config)
{
    OPEN(0, "passive_block", "300ms");
    OPEN(1, "passive_block", "10s");
    serve(0);
    block_from_a_worker(0);
    run_until_eligible(0, 1);
    uint64_t until_ms = first_of(0)->blocked_until_ms;
    serve(1);
    ck_assert_uint_eq(eligible(1), 1);
    ck_assert_uint_eq(first_of(1)->blocked_until_ms, until_ms);
    made_pool_end(&configs[0]);
    made_pool_begin(&configs[0]);
    run_until_eligible(1, 2);
    ck_assert_uint_eq(log_count("backend.blocked"), 1);
    ck_assert_uint_eq(log_count("backend.unblocked"), 1);
}
END_TEST

/* Requests that began under the former config still fail there. */
START_TEST(a_pool_of_the_former_config_rings_for_the_present_one)
{
    OPEN(0, "passive_block", "100ms");
    OPEN(1, "passive_block", "100ms");
    serve(0);
    serve(1);
    block_from_a_worker(0);
    run_until_eligible(1, 1);
    ck_assert_uint_eq(eligible(0), 2);
    run_until_eligible(1, 2);
}
END_TEST

START_TEST(a_config_without_blocks_lifts_those_that_are)
{
    OPEN(0, "passive_block", "1h");
    OPEN(1, "passive_failures", "0");
    serve(0);
    block_from_a_worker(0);
    run_until_eligible(0, 1);
    serve(1);
    ck_assert_uint_eq(eligible(1), 2);
    ck_assert(!atomic_load(&first_of(1)->is_blocked));
    ck_assert_uint_eq(atomic_load(&first_of(1)->failures_in_row), 0);
}
END_TEST

START_TEST(the_steward_keeps_no_loop_alive)
{
    OPEN(0, "passive_block", "1h");
    serve(0);
    block_from_a_worker(0);
    run_until_eligible(0, 1);
    uv_unref((uv_handle_t *)&alive);
    ck_assert(!uv_loop_alive(&loop));
}
END_TEST

/* ---- slow start ---- */

static unsigned share(unsigned backend)
{
    return pool_of(0)->sequence->shares[backend];
}

START_TEST(a_backend_that_starts_slowly_gets_its_share_step_by_step)
{
    OPEN(0, "backend", "rs-1 127.0.0.1:9 slow_start=1s", "backend", "rs-2 127.0.0.1:10");
    serve(0);
    ck_assert_uint_eq(share(0), SHARE_WHOLE);
    uv_update_time(&loop);
    first_of(0)->up_ms = uv_now(&loop);
    steward_publish(&steward, pool_of(0));
    unsigned generation = pool_of(0)->generation;
    unsigned before = share(0);
    ck_assert_uint_eq(before, SHARE_AT_FIRST);
    while (share(0) < SHARE_WHOLE) {
        uv_run(&loop, UV_RUN_ONCE);
        ck_assert_uint_ge(share(0), before);
        ck_assert_uint_eq(share(1), SHARE_WHOLE);
        before = share(0);
    }
    unsigned steps = pool_of(0)->generation - generation;
    ck_assert_uint_ge(steps, 1);
    ck_assert_uint_le(steps, 1000 / SHARE_STEP_MS + 1);
    ck_assert_uint_ge(uv_now(&loop), first_of(0)->up_ms + 1000);
    ck_assert_uint_eq(steward.due_ms, 0);
}
END_TEST

START_TEST(a_slow_start_goes_on_with_another_config)
{
    OPEN(0, "backend", "rs-1 127.0.0.1:9 slow_start=500ms", "backend", "rs-2 127.0.0.1:10");
    OPEN(1, "backend", "rs-1 127.0.0.1:9 slow_start=500ms");
    serve(0);
    uv_update_time(&loop);
    first_of(0)->up_ms = uv_now(&loop);
    steward_publish(&steward, pool_of(0));
    serve(1);
    ck_assert_uint_lt(pool_of(1)->sequence->shares[0], SHARE_WHOLE);
    while (pool_of(1)->sequence->shares[0] < SHARE_WHOLE)
        uv_run(&loop, UV_RUN_ONCE);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_blocked_backend_is_left_out_for_passive_block);
    tcase_add_test(tcase, one_more_failure_blocks_a_backend_that_comes_back);
    tcase_add_test(tcase, an_answer_after_the_block_is_proof_enough);
    tcase_add_loop_test(tcase, a_pool_whose_backends_are_all_down_says_so_once_and_when_it_is_over,
                        0, 2);
    tcase_add_test(tcase, a_reload_tells_nothing_of_a_pool_that_is_down_as_before);
    tcase_add_test(tcase, a_block_outlives_its_config);
    tcase_add_test(tcase, a_pool_of_the_former_config_rings_for_the_present_one);
    tcase_add_test(tcase, a_config_without_blocks_lifts_those_that_are);
    tcase_add_test(tcase, the_steward_keeps_no_loop_alive);
    tcase_add_test(tcase, a_backend_that_starts_slowly_gets_its_share_step_by_step);
    tcase_add_test(tcase, a_slow_start_goes_on_with_another_config);
}

CHECK_MAIN("steward", add_tests)
