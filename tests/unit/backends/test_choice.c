/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing and taking in one step: limits, wishes, exact counts. */
#include "backends/choice.h"

#include <pthread.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/made_pool.h"

static struct made_pool made;
static struct pool_view view;

static void begin(void)
{
    made_pool_begin(&made);
    view = (struct pool_view){0};
}

static void end(void)
{
    pool_view_done(&made.pool, &view);
    made_pool_end(&made);
}

static void prepare(const char *balance, const unsigned *weights, unsigned count)
{
    made_pool_key(&made, "balance", balance);
    made_pool_weights(&made, weights, count);
    ck_assert(made_pool_prepare(&made));
}

#define WEIGHTS(...)                                                                               \
    (const unsigned[]){__VA_ARGS__}, sizeof(const unsigned[]){__VA_ARGS__} / sizeof(unsigned)

/* Backends b0, b1, … each with the settings given. */
static void prepare_with(const char *balance, const char *const *settings, unsigned count)
{
    char value[128];
    made_pool_key(&made, "balance", balance);
    for (unsigned i = 0; i < count; i++) {
        snprintf(value, sizeof value, "b%u 192.0.2.1:%u %s", i, 1 + i, settings[i]);
        made_pool_key(&made, "backend", value);
    }
    ck_assert(made_pool_prepare(&made));
}

#define SETTINGS(...)                                                                              \
    (const char *const[]){__VA_ARGS__}, sizeof(const char *const[]){__VA_ARGS__} / sizeof(char *)

static unsigned active_of(unsigned backend)
{
    return atomic_load(made.pool.backends[backend].standing->active);
}

static int take(struct choice *choice)
{
    return pool_take(&made.pool, &view, choice);
}

static int take_any(void)
{
    struct choice choice = {0};
    return take(&choice);
}

/* --- least connections --------------------------------------------------------------------- */

START_TEST(the_least_busy_for_its_weight_is_taken)
{
    prepare("least-connections", WEIGHTS(20, 10, 10));
    atomic_store(made.pool.backends[0].standing->active, 5);
    atomic_store(made.pool.backends[1].standing->active, 3);
    atomic_store(made.pool.backends[2].standing->active, 4);
    ck_assert_int_eq(take_any(), 0); /* 5/20 < 3/10 */
    ck_assert_int_ne(take_any(), 2); /* 6/20 = 3/10 */
    atomic_store(made.pool.backends[2].standing->active, 1);
    ck_assert_int_eq(take_any(), 2);
}
END_TEST

START_TEST(held_exchanges_divide_by_weight)
{
    prepare("least-connections", WEIGHTS(5, 1, 3, 1));
    for (unsigned i = 0; i < 70; i++)
        ck_assert_int_ge(take_any(), 0);
    ck_assert_uint_eq(active_of(0), 35);
    ck_assert_uint_eq(active_of(1), 7);
    ck_assert_uint_eq(active_of(2), 21);
    ck_assert_uint_eq(active_of(3), 7);
}
END_TEST

START_TEST(equally_busy_ones_take_turns_by_weight)
{
    unsigned had[3] = {0};
    prepare("least-connections", WEIGHTS(5, 1, 1));
    for (unsigned i = 0; i < 70; i++) {
        int taken = take_any();
        had[taken]++;
        pool_leave(&made.pool, (unsigned)taken);
    }
    ck_assert_uint_eq(had[0], 50);
    ck_assert_uint_eq(had[1], 10);
    ck_assert_uint_eq(had[2], 10);
}
END_TEST

START_TEST(equally_busy_ones_far_apart_in_the_turns_are_found)
{
    static unsigned weights[400];
    for (unsigned i = 0; i < 400; i++)
        weights[i] = 1;
    prepare("least-connections", weights, 400);
    for (unsigned i = 0; i < 400; i++)
        atomic_store(made.pool.backends[i].standing->active, i == 3 || i == 390 ? 0 : 9);
    int one = take_any();
    int other = take_any();
    ck_assert_int_eq(one + other, 393);
    ck_assert_int_ne(one, other);
}
END_TEST

enum { THREAD_COUNT = 4, HELD_EACH = 7, ROUNDS = 1500 };

static const unsigned exact_weights[] = {7, 1, 4, 2}; /* 14 places: two for each of 4 times 7 */
static pthread_barrier_t together;

static void check_exactly_divided(void)
{
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_eq(active_of(i), 2 * exact_weights[i]);
}

/* The fewer are held, the less can a wrong choice be made up for by later ones. */
static void *hold_a_few(void *arg)
{
    struct pool_view own = {0};
    int held[HELD_EACH];
    for (unsigned round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&together);
        for (unsigned i = 0; i < HELD_EACH; i++) {
            struct choice choice = {0};
            held[i] = pool_take(&made.pool, &own, &choice);
            ck_assert_int_ge(held[i], 0);
        }
        pthread_barrier_wait(&together);
        if (arg)
            check_exactly_divided();
        pthread_barrier_wait(&together);
        for (unsigned i = 0; i < HELD_EACH; i++)
            pool_leave(&made.pool, (unsigned)held[i]);
    }
    pool_view_done(&made.pool, &own);
    return NULL;
}

START_TEST(held_exchanges_of_all_workers_divide_exactly)
{
    pthread_t threads[THREAD_COUNT];
    prepare("least-connections", exact_weights, 4);
    pthread_barrier_init(&together, NULL, THREAD_COUNT);
    for (unsigned i = 0; i < THREAD_COUNT; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, hold_a_few, i == 0 ? &made : NULL), 0);
    for (unsigned i = 0; i < THREAD_COUNT; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&together);
}
END_TEST

/* --- limits -------------------------------------------------------------------------------- */

START_TEST(a_full_backend_shifts_nobody_elses_turn)
{
    prepare_with("round-robin", SETTINGS("max_connections=1", "", ""));
    ck_assert_int_eq(take_any(), 0);
    ck_assert_int_eq(take_any(), 1);
    ck_assert_int_eq(take_any(), 2);
    ck_assert_int_ne(take_any(), 0); /* in the place of 0 */
    ck_assert_int_eq(take_any(), 1);
    ck_assert_int_eq(take_any(), 2);
    pool_leave(&made.pool, 0);
    ck_assert_int_eq(take_any(), 0);
}
END_TEST

START_TEST(the_last_free_place_among_many_full_ones_is_found)
{
    static const char *settings[300];
    for (unsigned i = 0; i < 300; i++)
        settings[i] = "weight=100 max_connections=1";
    settings[123] = "weight=1 max_connections=2";
    prepare_with("round-robin", settings, 300);
    for (unsigned i = 0; i < 301; i++)
        ck_assert_int_ge(take_any(), 0);
    ck_assert_int_eq(take_any(), POOL_FULL);
    pool_leave(&made.pool, 123);
    ck_assert_int_eq(take_any(), 123);
}
END_TEST

/* --- wishes -------------------------------------------------------------------------------- */

START_TEST(the_wanted_backend_is_taken)
{
    prepare("round-robin", WEIGHTS(1, 1, 1));
    for (unsigned i = 0; i < 5; i++) {
        struct choice choice = {.wanted = &made.pool.backends[1]};
        ck_assert_int_eq(take(&choice), 1);
    }
    ck_assert_int_eq(take_any(), 0); /* a wish takes no turn */
}
END_TEST

START_TEST(a_wanted_backend_that_is_full_is_waited_for)
{
    prepare_with("round-robin", SETTINGS("max_connections=1", ""));
    struct choice choice = {.wanted = &made.pool.backends[0]};
    ck_assert_int_eq(take(&choice), 0);
    ck_assert_int_eq(take(&choice), POOL_FULL);
}
END_TEST

START_TEST(a_wanted_backend_that_failed_or_is_out_is_not_taken)
{
    prepare("round-robin", WEIGHTS(1, 1, 0));
    struct choice tried = {.wanted = &made.pool.backends[1]};
    choice_add_tried(&tried, 1);
    ck_assert_int_eq(take(&tried), 0);
    struct choice weightless = {.wanted = &made.pool.backends[2]};
    ck_assert_int_ne(take(&weightless), 2);
    made_pool_judge(&made, 1, VERDICT_DOWN);
    struct choice down = {.wanted = &made.pool.backends[1]};
    ck_assert_int_eq(take(&down), 0);
}
END_TEST

static struct choice choice_of_certificate(const char *digest)
{
    return (struct choice){.key = choice_key_of(digest, strlen(digest)), .is_bound = true};
}

START_TEST(a_certificate_is_bound_to_one_backend_whatever_the_balancer)
{
    made_pool_key(&made, "session_persistence", "client-certificate");
    prepare("round-robin", WEIGHTS(1, 1, 1, 1));
    struct choice choice = choice_of_certificate("a5f0");
    int bound = take(&choice);
    for (unsigned i = 0; i < 8; i++) {
        struct choice again = choice_of_certificate("a5f0");
        ck_assert_int_eq(take(&again), bound);
    }
    made_pool_judge(&made, (unsigned)bound, VERDICT_DOWN);
    int other = take(&choice);
    ck_assert_int_ne(other, bound);
    struct choice moved = choice_of_certificate("a5f0");
    ck_assert_int_eq(take(&moved), other);
    made_pool_judge(&made, (unsigned)bound, VERDICT_UP);
    struct choice back = choice_of_certificate("a5f0");
    ck_assert_int_eq(take(&back), bound);
}
END_TEST

START_TEST(who_shows_no_certificate_is_balanced_as_usual)
{
    made_pool_key(&made, "session_persistence", "client-certificate");
    prepare("round-robin", WEIGHTS(1, 1));
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(take_any(), i % 2);
}
END_TEST

START_TEST(a_certificate_whose_backend_failed_goes_to_another)
{
    made_pool_key(&made, "session_persistence", "client-certificate");
    prepare("round-robin", WEIGHTS(1, 1, 1));
    struct choice choice = choice_of_certificate("77");
    unsigned seen = 0;
    for (unsigned i = 0; i < 3; i++) {
        int taken = take(&choice);
        ck_assert_int_ge(taken, 0);
        seen |= 1u << taken;
        choice_add_tried(&choice, (unsigned)taken);
    }
    ck_assert_uint_eq(seen, 7);
    ck_assert_int_eq(take(&choice), POOL_NONE);
}
END_TEST

/* --- the last resort ----------------------------------------------------------------------- */

/* Two failed this request, the third is blocked. */
static struct choice choice_with_a_blocked_one_left(const char *all_down)
{
    struct choice choice = {0};
    made_pool_key(&made, "all_down", all_down);
    prepare("round-robin", WEIGHTS(1, 1, 1));
    atomic_store(&made.pool.backends[1].standing->is_blocked, true);
    pool_publish(&made.pool, 0);
    for (unsigned i = 0; i < 2; i++) {
        int taken = take(&choice);
        ck_assert_int_ge(taken, 0);
        ck_assert_int_ne(taken, 1);
        choice_add_tried(&choice, (unsigned)taken);
    }
    return choice;
}

START_TEST(a_retry_for_which_nobody_else_is_left_gets_a_blocked_one)
{
    struct choice choice = choice_with_a_blocked_one_left("any");
    ck_assert_int_eq(take(&choice), 1);
    ck_assert_uint_eq(active_of(1), 1);
    choice_add_tried(&choice, 1);
    ck_assert_int_eq(take(&choice), POOL_NONE);
}
END_TEST

START_TEST(with_all_down_503_a_blocked_one_is_left_alone)
{
    struct choice choice = choice_with_a_blocked_one_left("503");
    ck_assert_int_eq(take(&choice), POOL_NONE);
}
END_TEST

START_TEST(who_is_down_or_drained_is_no_last_resort)
{
    struct choice choice = choice_with_a_blocked_one_left("any");
    made_pool_judge(&made, 1, VERDICT_DOWN);
    ck_assert_int_eq(take(&choice), POOL_NONE);
    made_pool_judge(&made, 1, VERDICT_UP);
    atomic_store(&made.pool.backends[1].standing->is_drained, true);
    ck_assert_int_eq(take(&choice), POOL_NONE);
    ck_assert_uint_eq(active_of(1), 0);
}
END_TEST

/* --- failures in a row --------------------------------------------------------------------- */

static unsigned rings;

static void ring(struct pool_bell *bell)
{
    (void)bell;
    rings++;
}

START_TEST(the_bell_rings_once_when_failures_in_a_row_are_enough)
{
    static struct pool_bell bell = {.ring = ring};
    prepare("round-robin", WEIGHTS(1, 1));
    const struct backend *backend = &made.pool.backends[0];
    made.pool.bell = &bell;
    rings = 0;
    pool_note_failure(&made.pool, backend);
    pool_note_failure(&made.pool, backend);
    pool_note_answer(backend);
    pool_note_failure(&made.pool, backend);
    pool_note_failure(&made.pool, backend);
    ck_assert_uint_eq(rings, 0);
    ck_assert(!atomic_load(&backend->standing->is_blocked));
    pool_note_failure(&made.pool, backend);
    ck_assert_uint_eq(rings, 1);
    ck_assert(atomic_load(&backend->standing->is_blocked));
    ck_assert(atomic_load(&made.pool.wants_attention));
    pool_note_failure(&made.pool, backend);
    ck_assert_uint_eq(rings, 1);
    ck_assert(!atomic_load(&made.pool.backends[1].standing->is_blocked));
}
END_TEST

START_TEST(where_nobody_listens_or_wishes_it_nobody_is_blocked)
{
    static struct pool_bell bell = {.ring = ring};
    made_pool_key(&made, "passive_failures", _i == 0 ? "3" : "0");
    prepare("round-robin", WEIGHTS(1));
    made.pool.bell = _i == 0 ? NULL : &bell;
    for (unsigned i = 0; i < 10; i++)
        pool_note_failure(&made.pool, &made.pool.backends[0]);
    ck_assert(!atomic_load(&made.pool.backends[0].standing->is_blocked));
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, the_least_busy_for_its_weight_is_taken);
    tcase_add_test(tcase, held_exchanges_divide_by_weight);
    tcase_add_test(tcase, equally_busy_ones_take_turns_by_weight);
    tcase_add_test(tcase, equally_busy_ones_far_apart_in_the_turns_are_found);
    tcase_add_test(tcase, held_exchanges_of_all_workers_divide_exactly);
    tcase_add_test(tcase, a_full_backend_shifts_nobody_elses_turn);
    tcase_add_test(tcase, the_last_free_place_among_many_full_ones_is_found);
    tcase_add_test(tcase, the_wanted_backend_is_taken);
    tcase_add_test(tcase, a_wanted_backend_that_is_full_is_waited_for);
    tcase_add_test(tcase, a_wanted_backend_that_failed_or_is_out_is_not_taken);
    tcase_add_test(tcase, a_certificate_is_bound_to_one_backend_whatever_the_balancer);
    tcase_add_test(tcase, who_shows_no_certificate_is_balanced_as_usual);
    tcase_add_test(tcase, a_certificate_whose_backend_failed_goes_to_another);
    tcase_add_test(tcase, a_retry_for_which_nobody_else_is_left_gets_a_blocked_one);
    tcase_add_test(tcase, with_all_down_503_a_blocked_one_is_left_alone);
    tcase_add_test(tcase, who_is_down_or_drained_is_no_last_resort);
    tcase_add_test(tcase, the_bell_rings_once_when_failures_in_a_row_are_enough);
    tcase_add_loop_test(tcase, where_nobody_listens_or_wishes_it_nobody_is_blocked, 0, 2);
}

CHECK_MAIN("choice", add_tests)
