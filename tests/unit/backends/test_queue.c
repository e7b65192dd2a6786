/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a place: first come first served, nobody forgotten, nobody beyond a limit. */
#include "backends/queue.h"

#include <pthread.h>
#include <stdio.h>

#include "backends/choice.h"
#include "tests/support/check_main.h"
#include "tests/support/made_pool.h"

static struct made_pool made;
static struct pool_view view;
static uv_loop_t loop;
static struct queue_desk desk;

static void begin(void)
{
    made_pool_begin(&made);
    view = (struct pool_view){0};
    uv_loop_init(&loop);
    ck_assert(queue_desk_open(&desk, &loop));
}

static void end(void)
{
    queue_desk_close(&desk);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    pool_view_done(&made.pool, &view);
    made_pool_end(&made);
}

/* Backends b0, b1, … with so many places each; 0: a backend without a limit. */
static void prepare(const unsigned *places, unsigned count)
{
    char value[96];
    for (unsigned i = 0; i < count; i++) {
        snprintf(value, sizeof value, "b%u 192.0.2.1:%u max_connections=%u", i, 1 + i, places[i]);
        made_pool_key(&made, "backend", value);
    }
    ck_assert(made_pool_prepare(&made));
}

#define PREPARE(...)                                                                               \
    prepare((const unsigned[]){__VA_ARGS__},                                                       \
            sizeof(const unsigned[]){__VA_ARGS__} / sizeof(unsigned))

/* --- guests: those who come and perhaps wait ------------------------------------------------ */

enum { NOT_CALLED = -100 };

struct guest {
    struct waiter waiter; /* first */
    struct choice choice;
    int found;
    unsigned order; /* of being called: 1 is the first */
};

static unsigned called_count;

static void on_called(struct waiter *waiter, int found)
{
    struct guest *guest = (struct guest *)(void *)waiter;
    ck_assert_int_eq(guest->found, NOT_CALLED);
    guest->found = found;
    guest->order = ++called_count;
}

static int come_to(struct guest *guest, struct pool *pool, struct pool_view *pool_view)
{
    guest->waiter.desk = &desk;
    guest->waiter.on_called = on_called;
    guest->found = NOT_CALLED;
    int found = pool_take(pool, pool_view, &guest->choice);
    return found == POOL_FULL ? queue_join(pool, pool_view, &guest->choice, &guest->waiter) : found;
}

static int come(struct guest *guest)
{
    return come_to(guest, &made.pool, &view);
}

static void turn(void)
{
    uv_run(&loop, UV_RUN_NOWAIT);
}

static unsigned active_of(unsigned backend)
{
    return atomic_load(made.pool.backends[backend].standing->active);
}

static unsigned waiting(void)
{
    return atomic_load(&made.pool.queue->waiting);
}

/* --- one worker ---------------------------------------------------------------------------- */

START_TEST(who_waits_gets_the_places_of_those_who_leave_in_order_of_arrival)
{
    struct guest guests[5] = {0};
    PREPARE(1, 1);
    called_count = 0;
    ck_assert_int_ge(come(&guests[0]), 0);
    ck_assert_int_ge(come(&guests[1]), 0);
    for (unsigned i = 2; i < 5; i++)
        ck_assert_int_eq(come(&guests[i]), QUEUE_WAITS);
    ck_assert_uint_eq(waiting(), 3);
    turn();
    ck_assert_uint_eq(called_count, 0);
    pool_leave(&made.pool, 1);
    pool_leave(&made.pool, 0);
    ck_assert_uint_eq(active_of(0), 1); /* the places are taken before anyone is called */
    ck_assert_uint_eq(active_of(1), 1);
    ck_assert_uint_eq(called_count, 0); /* and never inside a call */
    turn();
    ck_assert_uint_eq(guests[2].order, 1);
    ck_assert_int_eq(guests[2].found, 1);
    ck_assert_uint_eq(guests[3].order, 2);
    ck_assert_int_eq(guests[3].found, 0);
    ck_assert_int_eq(guests[4].found, NOT_CALLED);
    pool_leave(&made.pool, 0);
    turn();
    ck_assert_int_eq(guests[4].found, 0);
    ck_assert_uint_eq(waiting(), 0);
}
END_TEST

START_TEST(nobody_goes_ahead_of_those_who_wait)
{
    struct guest first = {0}, second = {0}, third = {0};
    PREPARE(1);
    ck_assert_int_eq(come(&first), 0);
    ck_assert_int_eq(come(&second), QUEUE_WAITS);
    struct choice hasty = {0};
    ck_assert_int_eq(pool_take(&made.pool, &view, &hasty), POOL_FULL);
    pool_leave(&made.pool, 0);
    ck_assert_int_eq(come(&third), QUEUE_WAITS);
    turn();
    ck_assert_int_eq(second.found, 0);
    ck_assert_int_eq(third.found, NOT_CALLED);
    queue_leave(&third.waiter);
}
END_TEST

START_TEST(a_place_that_became_free_before_joining_is_found_at_once)
{
    struct choice choice = {0};
    struct guest guest = {.waiter = {.desk = &desk, .on_called = on_called}};
    PREPARE(1);
    ck_assert_int_eq(pool_take(&made.pool, &view, &choice), 0);
    ck_assert_int_eq(pool_take(&made.pool, &view, &guest.choice), POOL_FULL);
    pool_leave(&made.pool, 0);
    ck_assert_int_eq(queue_join(&made.pool, &view, &guest.choice, &guest.waiter), 0);
    ck_assert_uint_eq(waiting(), 0);
}
END_TEST

START_TEST(who_gives_up_is_not_called)
{
    struct guest first = {0}, second = {0}, third = {0};
    PREPARE(1);
    come(&first);
    come(&second);
    come(&third);
    queue_leave(&second.waiter);
    queue_leave(&second.waiter); /* away already */
    ck_assert_uint_eq(waiting(), 1);
    pool_leave(&made.pool, 0);
    turn();
    ck_assert_int_eq(second.found, NOT_CALLED);
    ck_assert_int_eq(third.found, 0);
}
END_TEST

START_TEST(a_place_found_for_one_who_gives_up_goes_to_the_next)
{
    struct guest first = {0}, second = {0}, third = {0};
    PREPARE(1);
    come(&first);
    come(&second);
    come(&third);
    pool_leave(&made.pool, 0);   /* the second has it, but does not know yet */
    queue_leave(&second.waiter); /* … and goes */
    turn();
    ck_assert_int_eq(second.found, NOT_CALLED);
    ck_assert_int_eq(third.found, 0);
    ck_assert_uint_eq(active_of(0), 1);
    pool_leave(&made.pool, 0);
    ck_assert_uint_eq(active_of(0), 0);
}
END_TEST

START_TEST(no_more_than_max_queue_wait)
{
    struct guest guests[4] = {0};
    made_pool_key(&made, "max_queue", "2");
    PREPARE(1);
    come(&guests[0]);
    ck_assert_int_eq(come(&guests[1]), QUEUE_WAITS);
    ck_assert_int_eq(come(&guests[2]), QUEUE_WAITS);
    ck_assert_int_eq(come(&guests[3]), POOL_FULL);
    ck_assert_uint_eq(waiting(), 2);
    queue_leave(&guests[1].waiter);
    ck_assert_int_eq(come(&guests[3]), QUEUE_WAITS);
    queue_leave(&guests[2].waiter);
    queue_leave(&guests[3].waiter);
}
END_TEST

START_TEST(with_max_queue_0_nobody_waits)
{
    struct guest first = {0}, second = {0};
    made_pool_key(&made, "max_queue", "0");
    PREPARE(1);
    come(&first);
    ck_assert_int_eq(come(&second), POOL_FULL);
    ck_assert_uint_eq(waiting(), 0);
}
END_TEST

/* --- waiting for a certain backend, or for any but some ------------------------------------- */

START_TEST(who_is_bound_waits_for_its_backend_and_holds_up_nobody)
{
    struct guest guests[4] = {0};
    PREPARE(1, 2);
    guests[0].choice.wanted = guests[1].choice.wanted = &made.pool.backends[0];
    ck_assert_int_eq(come(&guests[0]), 0);
    ck_assert_int_eq(come(&guests[1]), QUEUE_WAITS);
    ck_assert_int_eq(come(&guests[2]), 1);
    ck_assert_int_eq(come(&guests[3]), 1);
    pool_leave(&made.pool, 1);
    turn();
    ck_assert_int_eq(guests[1].found, NOT_CALLED);
    pool_leave(&made.pool, 0);
    turn();
    ck_assert_int_eq(guests[1].found, 0);
}
END_TEST

START_TEST(bound_or_not_who_came_first_is_served_first)
{
    struct guest guests[6] = {0};
    PREPARE(1);
    called_count = 0;
    ck_assert_int_eq(come(&guests[0]), 0);
    for (unsigned i = 1; i < 6; i++) {
        guests[i].choice.wanted = i % 2 ? &made.pool.backends[0] : NULL;
        ck_assert_int_eq(come(&guests[i]), QUEUE_WAITS);
    }
    for (unsigned i = 1; i < 6; i++) {
        pool_leave(&made.pool, 0);
        turn();
        ck_assert_uint_eq(guests[i].order, i);
        ck_assert_int_eq(guests[i].found, 0);
    }
    ck_assert_uint_eq(atomic_load(&made.pool.backends[0].standing->bound_count), 0);
}
END_TEST

START_TEST(who_has_tried_a_backend_waits_for_another)
{
    struct guest guests[4] = {0};
    PREPARE(1, 1);
    come(&guests[0]);
    come(&guests[1]);
    choice_add_tried(&guests[2].choice, 0);
    ck_assert_int_eq(come(&guests[2]), QUEUE_WAITS);
    ck_assert_int_eq(come(&guests[3]), QUEUE_WAITS);
    pool_leave(&made.pool, 0);
    turn();
    ck_assert_int_eq(guests[2].found, NOT_CALLED);
    ck_assert_int_eq(guests[3].found, 0);
    pool_leave(&made.pool, 1);
    turn();
    ck_assert_int_eq(guests[2].found, 1);
}
END_TEST

/* --- verdicts ------------------------------------------------------------------------------ */

START_TEST(a_backend_that_comes_back_takes_those_who_wait)
{
    struct guest guests[4] = {0};
    PREPARE(1, 2);
    made_pool_judge(&made, 1, VERDICT_DOWN);
    come(&guests[0]);
    for (unsigned i = 1; i < 4; i++)
        ck_assert_int_eq(come(&guests[i]), QUEUE_WAITS);
    made_pool_judge(&made, 1, VERDICT_UP);
    turn();
    ck_assert_int_eq(guests[1].found, 1);
    ck_assert_int_eq(guests[2].found, 1);
    ck_assert_int_eq(guests[3].found, NOT_CALLED);
    queue_leave(&guests[3].waiter);
}
END_TEST

START_TEST(a_drained_backend_takes_nobody_until_the_drain_ends)
{
    struct guest first = {0}, second = {0};
    struct standing *standing;
    PREPARE(1, 0);
    made_pool_judge(&made, 1, VERDICT_DOWN);
    standing = made.pool.backends[0].standing;
    come(&first);
    come(&second);
    atomic_store(&standing->is_drained, true);
    pool_publish(&made.pool, 0); /* the other one is down, but better than none */
    turn();
    ck_assert_int_eq(second.found, 1);
    second = (struct guest){0};
    pool_leave(&made.pool, 0);
    atomic_store(&standing->is_drained, false);
    pool_publish(&made.pool, 0);
    ck_assert_int_eq(come(&second), 0);
}
END_TEST

START_TEST(who_waits_for_a_backend_that_goes_down_may_choose_again)
{
    struct guest guests[3] = {0};
    PREPARE(1, 1);
    guests[2].choice.wanted = &made.pool.backends[0];
    come(&guests[0]);
    come(&guests[1]);
    ck_assert_int_eq(come(&guests[2]), QUEUE_WAITS);
    made_pool_judge(&made, 0, VERDICT_DOWN);
    turn();
    ck_assert_int_eq(guests[2].found, QUEUE_AGAIN);
    ck_assert_int_eq(come(&guests[2]), QUEUE_WAITS);
    pool_leave(&made.pool, 0);
    turn();
    ck_assert_int_eq(guests[2].found, NOT_CALLED);
    pool_leave(&made.pool, 1);
    turn();
    ck_assert_int_eq(guests[2].found, 1);
}
END_TEST

START_TEST(when_nobody_is_left_those_who_wait_are_told)
{
    struct guest guests[3] = {0};
    made_pool_key(&made, "all_down", "503");
    PREPARE(1, 1);
    come(&guests[0]);
    come(&guests[1]);
    ck_assert_int_eq(come(&guests[2]), QUEUE_WAITS);
    made_pool_judge(&made, 0, VERDICT_DOWN);
    turn();
    ck_assert_int_eq(guests[2].found, NOT_CALLED);
    made_pool_judge(&made, 1, VERDICT_DOWN);
    turn();
    ck_assert_int_eq(guests[2].found, POOL_NONE);
    ck_assert_uint_eq(waiting(), 0);
}
END_TEST

START_TEST(who_has_tried_everybody_does_not_wait_behind_others)
{
    struct guest guests[2] = {0};
    struct choice failed = {0};
    struct waiter late = {.desk = &desk, .on_called = on_called};
    PREPARE(1);
    ck_assert_int_eq(come(&guests[0]), 0);
    ck_assert_int_eq(come(&guests[1]), QUEUE_WAITS);
    choice_add_tried(&failed, 0);
    ck_assert_int_eq(pool_take(&made.pool, &view, &failed), POOL_NONE);
    ck_assert_int_eq(queue_join(&made.pool, &view, &failed, &late), POOL_NONE);
    ck_assert_uint_eq(waiting(), 1);
    queue_leave(&guests[1].waiter);
}
END_TEST

START_TEST(who_waits_for_the_last_untried_one_is_told_when_it_goes_down)
{
    struct guest guests[4] = {0};
    PREPARE(1, 1);
    come(&guests[0]);
    come(&guests[1]);
    choice_add_tried(&guests[2].choice, 0);
    ck_assert_int_eq(come(&guests[2]), QUEUE_WAITS);
    ck_assert_int_eq(come(&guests[3]), QUEUE_WAITS);
    made_pool_judge(&made, 1, VERDICT_DOWN);
    turn();
    ck_assert_int_eq(guests[2].found, POOL_NONE);
    ck_assert_int_eq(guests[3].found, NOT_CALLED);
    queue_leave(&guests[3].waiter);
    ck_assert_uint_eq(waiting(), 0);
}
END_TEST

/* --- reload -------------------------------------------------------------------------------- */

START_TEST(pools_of_two_configs_share_places_and_queue)
{
    struct guest guests[5] = {0};
    struct pool after = {0};
    struct pool_view after_view = {0};
    PREPARE(1, 1);
    ck_assert(pool_prepare(&after, "app", 1, &made.options, &made.arena, "lb.ini", &made.problems));
    ck_assert(pool_open(&after, made.roster, &made.pool));
    ck_assert_ptr_eq(after.queue, made.pool.queue);
    called_count = 0;
    ck_assert_int_ge(come_to(&guests[0], &made.pool, &view), 0);
    ck_assert_int_ge(come_to(&guests[1], &after, &after_view), 0);
    ck_assert_int_eq(come_to(&guests[2], &made.pool, &view), QUEUE_WAITS);
    ck_assert_int_eq(come_to(&guests[3], &after, &after_view), QUEUE_WAITS);
    ck_assert_int_eq(come_to(&guests[4], &made.pool, &view), QUEUE_WAITS);
    pool_leave(&after, 0);
    pool_leave(&made.pool, 1);
    pool_leave(&after, 0);
    turn();
    for (unsigned i = 2; i < 5; i++) {
        ck_assert_int_ge(guests[i].found, 0);
        ck_assert_uint_eq(guests[i].order, i - 1);
    }
    pool_view_done(&after, &after_view);
    pool_done(&after);
}
END_TEST

START_TEST(a_limit_that_a_reload_lifts_is_lifted_for_those_who_wait)
{
    struct guest guests[3] = {0};
    struct made_pool after;
    struct pool_view after_view = {0};
    PREPARE(1);
    made_pool_begin(&after);
    made_pool_key(&after, "backend", "b0 192.0.2.1:1 max_connections=5");
    ck_assert(pool_prepare(&after.pool, "app", 1, &after.options, &after.arena, "lb.ini",
                           &after.problems));
    ck_assert(pool_open(&after.pool, made.roster, &made.pool));
    ck_assert_int_eq(come(&guests[0]), 0);
    ck_assert_int_eq(come(&guests[1]), QUEUE_WAITS);
    ck_assert_int_eq(come_to(&guests[2], &after.pool, &after_view), QUEUE_WAITS);
    queue_leave(&guests[2].waiter);
    pool_enforce(&after.pool);
    ck_assert_int_eq(come_to(&guests[2], &after.pool, &after_view), 0);
    ck_assert_int_eq(pool_take(&made.pool, &view, &(struct choice){0}), POOL_FULL);
    pool_leave(&made.pool, 0); /* whichever pool it is left by */
    turn();
    ck_assert_int_eq(guests[1].found, 0);
    ck_assert_uint_eq(active_of(0), 2);
    pool_view_done(&after.pool, &after_view);
    made_pool_end(&after);
}
END_TEST

/* --- many workers -------------------------------------------------------------------------- */

enum { WORKERS = 4, CUSTOMERS = 12 };

struct shop {
    pthread_t thread;
    uv_loop_t loop;
    uv_idle_t idle;
    struct queue_desk desk;
    struct pool_view view;
    unsigned number, customer_count, rounds;
    unsigned state; /* of its pseudo-random numbers */
    unsigned open_count;
    unsigned waited, served;
    struct customer {
        struct waiter waiter; /* first */
        struct choice choice;
        struct shop *shop;
        unsigned rounds_left;
        unsigned patience; /* turns until it leaves its place, or the queue; 0: not there */
        int backend;       /* whose place it has; -1: it waits */
        unsigned came;     /* the customers of a shop that want any backend wait in this order */
    } customers[CUSTOMERS];
    unsigned came, called;
};

static unsigned limits[3];

static unsigned next_number(struct shop *shop)
{
    shop->state = shop->state * 1103515245u + 12345u;
    return shop->state >> 16;
}

static void settle(struct customer *customer, int found)
{
    ck_assert_int_ge(found, 0);
    ck_assert_uint_le(active_of((unsigned)found), limits[found]);
    customer->backend = found;
    customer->patience = 1 + next_number(customer->shop) % 3;
    customer->shop->served++;
}

static void on_customer_called(struct waiter *waiter, int found)
{
    struct customer *customer = (struct customer *)(void *)waiter;
    if (!customer->choice.wanted) {
        ck_assert_uint_gt(customer->came, customer->shop->called);
        customer->shop->called = customer->came;
    }
    settle(customer, found);
}

static void enter(struct customer *customer)
{
    struct shop *shop = customer->shop;
    unsigned dice = next_number(shop) % 8;
    customer->rounds_left--;
    customer->choice = (struct choice){0};
    customer->choice.wanted = dice < made.pool.backend_count ? &made.pool.backends[dice] : NULL;
    customer->waiter = (struct waiter){.desk = &shop->desk, .on_called = on_customer_called};
    int found = pool_take(&made.pool, &shop->view, &customer->choice);
    if (found == POOL_FULL) {
        customer->backend = -1;
        customer->came = ++shop->came;
        found = queue_join(&made.pool, &shop->view, &customer->choice, &customer->waiter);
    }
    if (found != QUEUE_WAITS) {
        settle(customer, found);
        return;
    }
    shop->waited++;
    bool gives_up = dice == 7 && shop->customer_count > 1;
    customer->patience = gives_up ? 1 + next_number(shop) % 4 : UINT32_MAX;
}

static void spend_time(struct customer *customer)
{
    if (customer->patience == 0 && customer->rounds_left > 0) {
        enter(customer);
        return;
    }
    if (customer->patience == 0 || --customer->patience > 0)
        return;
    if (customer->backend >= 0)
        pool_leave(&made.pool, (unsigned)customer->backend);
    else
        queue_leave(&customer->waiter);
    customer->shop->open_count -= customer->rounds_left == 0;
}

static void on_idle(uv_idle_t *idle)
{
    struct shop *shop = idle->data;
    for (unsigned i = 0; i < shop->customer_count; i++)
        spend_time(&shop->customers[i]);
    if (shop->open_count > 0)
        return;
    uv_close((uv_handle_t *)idle, NULL);
    queue_desk_close(&shop->desk);
}

static void *keep_shop(void *arg)
{
    struct shop *shop = arg;
    uv_loop_init(&shop->loop);
    ck_assert(queue_desk_open(&shop->desk, &shop->loop));
    uv_idle_init(&shop->loop, &shop->idle);
    shop->idle.data = shop;
    shop->state = shop->number + 1;
    shop->open_count = shop->customer_count;
    for (unsigned i = 0; i < shop->customer_count; i++)
        shop->customers[i] = (struct customer){.shop = shop, .rounds_left = shop->rounds};
    uv_idle_start(&shop->idle, on_idle);
    uv_run(&shop->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&shop->loop), 0);
    pool_view_done(&made.pool, &shop->view);
    return NULL;
}

/* Returns how many were served. */
static unsigned keep_shops(unsigned count, unsigned customers, unsigned rounds)
{
    static struct shop shops[WORKERS];
    unsigned served = 0, waited = 0;
    for (unsigned i = 0; i < made.pool.backend_count; i++)
        limits[i] = made.pool.backends[i].max_connections;
    for (unsigned i = 0; i < count; i++) {
        shops[i] = (struct shop){.number = i, .customer_count = customers, .rounds = rounds};
        ck_assert_int_eq(pthread_create(&shops[i].thread, NULL, keep_shop, &shops[i]), 0);
    }
    for (unsigned i = 0; i < count; i++) {
        pthread_join(shops[i].thread, NULL);
        served += shops[i].served;
        waited += shops[i].waited;
    }
    ck_assert_uint_gt(waited, 100);
    ck_assert_uint_eq(waiting(), 0);
    for (unsigned i = 0; i < made.pool.backend_count; i++) {
        ck_assert_uint_eq(active_of(i), 0);
        ck_assert_uint_eq(atomic_load(&made.pool.backends[i].standing->bound_count), 0);
    }
    return served;
}

START_TEST(over_all_workers_limits_hold_and_everyone_is_served)
{
    PREPARE(3, 1, 2);
    ck_assert_uint_gt(keep_shops(WORKERS, CUSTOMERS, 150), WORKERS * CUSTOMERS * 150 / 2);
}
END_TEST

/* One place, two who want it in turns: if one who waits were forgotten once, both would wait for
 * ever. */
START_TEST(nobody_who_waits_is_forgotten)
{
    PREPARE(1);
    ck_assert_uint_eq(keep_shops(2, 1, 20000), 2 * 20000);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, who_waits_gets_the_places_of_those_who_leave_in_order_of_arrival);
    tcase_add_test(tcase, nobody_goes_ahead_of_those_who_wait);
    tcase_add_test(tcase, a_place_that_became_free_before_joining_is_found_at_once);
    tcase_add_test(tcase, who_gives_up_is_not_called);
    tcase_add_test(tcase, a_place_found_for_one_who_gives_up_goes_to_the_next);
    tcase_add_test(tcase, no_more_than_max_queue_wait);
    tcase_add_test(tcase, with_max_queue_0_nobody_waits);
    tcase_add_test(tcase, who_is_bound_waits_for_its_backend_and_holds_up_nobody);
    tcase_add_test(tcase, bound_or_not_who_came_first_is_served_first);
    tcase_add_test(tcase, who_has_tried_a_backend_waits_for_another);
    tcase_add_test(tcase, a_backend_that_comes_back_takes_those_who_wait);
    tcase_add_test(tcase, a_drained_backend_takes_nobody_until_the_drain_ends);
    tcase_add_test(tcase, who_waits_for_a_backend_that_goes_down_may_choose_again);
    tcase_add_test(tcase, when_nobody_is_left_those_who_wait_are_told);
    tcase_add_test(tcase, who_has_tried_everybody_does_not_wait_behind_others);
    tcase_add_test(tcase, who_waits_for_the_last_untried_one_is_told_when_it_goes_down);
    tcase_add_test(tcase, pools_of_two_configs_share_places_and_queue);
    tcase_add_test(tcase, a_limit_that_a_reload_lifts_is_lifted_for_those_who_wait);
    tcase_add_test(tcase, over_all_workers_limits_hold_and_everyone_is_served);
    tcase_add_test(tcase, nobody_who_waits_is_forgotten);
}

CHECK_MAIN("queue", add_tests)
