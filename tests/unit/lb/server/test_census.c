/* SPDX-License-Identifier: Apache-2.0 */
/* Counting who shows a certificate: on one loop step by step, and over threads of their own. */
#include "lb/server/census.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listeners/client.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"

enum { CROWD = 10000, TAKERS = 3 };

/* One worker, as far as a census sees it. */
struct office {
    uv_loop_t loop;
    struct loop_context context;
    struct clients clients;
    struct census_taker taker;
    uv_async_t wake;
    struct client *crowd;
    unsigned count;
    uv_thread_t thread;
    atomic_bool is_to_end;
};

/* What came of it. */
struct outcome {
    unsigned told_count;
    bool has_census;
    unsigned client_count;
    unsigned row_count;
    struct census_client first;
    struct census_client last;
};

static struct listener web = {.name = "web"};
static struct listener other = {.name = "other"};
static struct door doors[] = {{.listener = &web}, {.listener = &other}};
static struct identity alice = {.has_key = true, .key = {1}};
static struct identity bob = {.has_key = true, .key = {2}};
static struct identity stranger; /* nobody has verified it */
static struct office offices[TAKERS];
static uv_loop_t control;
static uv_async_t told;
static struct census_desk desk;
static struct outcome outcome;

/* --- offices ------------------------------------------------------------------------------- */

static void end_office(struct office *office)
{
    census_taker_close(&office->taker);
    uv_close((uv_handle_t *)&office->wake, NULL);
    loop_context_close(&office->context);
}

static void on_wake(uv_async_t *wake)
{
    struct office *office = wake->data;
    census_taker_advance(&office->taker);
    if (atomic_load(&office->is_to_end) && !uv_is_closing((uv_handle_t *)wake))
        end_office(office);
}

static void open_office(struct office *office)
{
    memset(office, 0, sizeof *office);
    uv_loop_init(&office->loop);
    loop_context_init(&office->context, &office->loop);
    clients_init(&office->clients, &office->context, NULL, NULL);
    uv_async_init(&office->loop, &office->wake, on_wake);
    office->wake.data = office;
    census_taker_init(&office->taker, &office->clients, &office->wake);
    office->crowd = calloc(CROWD, sizeof *office->crowd);
}

static void close_office(struct office *office)
{
    if (!uv_is_closing((uv_handle_t *)&office->wake))
        end_office(office);
    uv_run(&office->loop, UV_RUN_DEFAULT);
    loop_context_done(&office->context);
    ck_assert_int_eq(uv_loop_close(&office->loop), 0);
    ck_assert(list_is_empty(&office->clients.walks));
    census_taker_done(&office->taker);
    free(office->crowd);
}

static struct client *come(struct office *office, struct identity *identity)
{
    struct client *client = &office->crowd[office->count++];
    *client = (struct client){
        .clients = &office->clients,
        .state = CLIENT_SERVING,
        .door = &doors[0],
        .since_ms = 1234,
        .requests = 5,
        .peer_port = 678,
        .peer_host = "192.0.2.9",
    };
    client->handshake.identity = identity;
    clients_add(client);
    return client;
}

/* --- control ------------------------------------------------------------------------------- */

static void on_told(uv_async_t *async)
{
    (void)async;
    census_desk_deliver(&desk);
}

static void on_counted(void *arg, const struct census *census)
{
    struct outcome *into = arg;
    into->told_count++;
    into->has_census = census != NULL;
    into->client_count = census->client_count;
    into->row_count = census->row_count;
    if (census->row_count == 0)
        return;
    into->first = census->rows[0];
    into->last = census->rows[census->row_count - 1];
}

static void ask(const struct identity *identity, struct outcome *into)
{
    struct census_taker *takers[TAKERS];
    *into = (struct outcome){0};
    for (unsigned i = 0; i < TAKERS; i++)
        takers[i] = &offices[i].taker;
    census_begin(&desk, takers, TAKERS, identity->key, on_counted, into);
}

static void turn_all(void)
{
    for (unsigned i = 0; i < TAKERS; i++)
        uv_run(&offices[i].loop, UV_RUN_NOWAIT);
    uv_run(&control, UV_RUN_NOWAIT);
}

static void await_outcome(void)
{
    long long until_ms = eventually_now_ms() + EVENTUALLY_MS;
    while (outcome.told_count == 0) {
        turn_all();
        ck_assert(eventually_now_ms() < until_ms);
    }
}

static void begin(void)
{
    uv_loop_init(&control);
    uv_async_init(&control, &told, on_told);
    census_desk_init(&desk, &told);
    for (unsigned i = 0; i < TAKERS; i++)
        open_office(&offices[i]);
}

static void end(void)
{
    for (unsigned i = 0; i < TAKERS; i++)
        close_office(&offices[i]);
    uv_close((uv_handle_t *)&told, NULL);
    uv_run(&control, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&control), 0);
    census_desk_done(&desk);
}

START_TEST(the_clients_of_all_workers_are_told)
{
    come(&offices[0], &alice);
    come(&offices[0], &bob);
    come(&offices[0], NULL);
    come(&offices[2], &stranger);
    come(&offices[2], &alice)->door = &doors[1];
    ask(&alice, &outcome);
    ck_assert_uint_eq(outcome.told_count, 0);
    await_outcome();
    ck_assert(outcome.has_census);
    ck_assert_uint_eq(outcome.client_count, 2);
    ck_assert_uint_eq(outcome.row_count, 2);
    ck_assert_str_eq(outcome.first.address, "192.0.2.9");
    ck_assert_uint_eq(outcome.first.port, 678);
    ck_assert_str_eq(outcome.first.listener, "web");
    ck_assert_str_eq(outcome.first.sni, "");
    ck_assert_int_eq(outcome.first.since_ms, 1234);
    ck_assert_uint_eq(outcome.first.requests, 5);
    ck_assert_str_eq(outcome.last.listener, "other");
}
END_TEST

START_TEST(nobody_is_a_census_too)
{
    ask(&alice, &outcome);
    await_outcome();
    ck_assert(outcome.has_census);
    ck_assert_uint_eq(outcome.client_count, 0);
}
END_TEST

START_TEST(without_workers_it_is_told_by_the_loop)
{
    outcome = (struct outcome){0};
    census_begin(&desk, NULL, 0, alice.key, on_counted, &outcome);
    ck_assert_uint_eq(outcome.told_count, 0);
    await_outcome();
    ck_assert_uint_eq(outcome.client_count, 0);
}
END_TEST

START_TEST(who_is_not_served_is_not_counted)
{
    come(&offices[0], &alice)->state = CLIENT_HANDSHAKE;
    come(&offices[0], &alice)->state = CLIENT_ENDING;
    come(&offices[0], &alice);
    ask(&alice, &outcome);
    await_outcome();
    ck_assert_uint_eq(outcome.client_count, 1);
}
END_TEST

START_TEST(the_count_is_exact_where_rows_are_not)
{
    for (unsigned i = 0; i < CROWD; i++)
        for (unsigned k = 0; k < TAKERS; k++)
            come(&offices[k], i % 2 ? &alice : &bob);
    ask(&alice, &outcome);
    await_outcome();
    ck_assert_uint_eq(outcome.client_count, TAKERS * CROWD / 2);
    ck_assert_uint_eq(outcome.row_count, CENSUS_ROWS_MOST);
    ck_assert_str_eq(outcome.last.address, "192.0.2.9");
}
END_TEST

START_TEST(a_large_crowd_is_walked_in_slices)
{
    for (unsigned i = 0; i < CROWD; i++)
        come(&offices[0], &alice);
    ask(&alice, &outcome);
    uv_run(&offices[0].loop, UV_RUN_NOWAIT);
    ck_assert_ptr_nonnull(offices[0].taker.visit);
    clients_forget(LIST_OWNER(offices[0].taker.walk.next, struct client, node));
    await_outcome();
    ck_assert_uint_eq(outcome.client_count, CROWD - 1);
}
END_TEST

START_TEST(several_questions_are_answered_each)
{
    struct outcome bobs;
    for (unsigned i = 0; i < CROWD; i++)
        come(&offices[1], i % 4 ? &alice : &bob);
    ask(&bob, &bobs);
    ask(&alice, &outcome);
    await_outcome();
    while (bobs.told_count == 0)
        turn_all();
    ck_assert_uint_eq(bobs.client_count, CROWD / 4);
    ck_assert_uint_eq(outcome.client_count, CROWD - CROWD / 4);
}
END_TEST

START_TEST(a_worker_that_ends_tells_what_it_knows)
{
    for (unsigned i = 0; i < CROWD; i++)
        come(&offices[0], &alice);
    come(&offices[1], &alice);
    ask(&alice, &outcome);
    uv_run(&offices[0].loop, UV_RUN_NOWAIT);
    end_office(&offices[0]); /* in the middle of its walk */
    end_office(&offices[2]); /* before it was asked */
    await_outcome();
    ck_assert_uint_eq(outcome.told_count, 1);
    ck_assert_uint_gt(outcome.client_count, 1);
    ck_assert_uint_lt(outcome.client_count, CROWD);
    ask(&alice, &outcome);
    await_outcome();
    ck_assert_uint_eq(outcome.client_count, 1);
}
END_TEST

static void run(void *arg)
{
    struct office *office = arg;
    uv_run(&office->loop, UV_RUN_DEFAULT);
}

/* Workers end while they are asked, too. */
START_TEST(threads_count_for_themselves)
{
    enum { QUESTIONS = 50 };
    static struct outcome outcomes[QUESTIONS];
    unsigned told_count = 0;
    for (unsigned i = 0; i < TAKERS; i++) {
        for (unsigned k = 0; k < CROWD; k++)
            come(&offices[i], k % 10 ? &bob : &alice);
        uv_thread_create(&offices[i].thread, run, &offices[i]);
    }
    for (unsigned i = 0; i < QUESTIONS; i++)
        ask(&alice, &outcomes[i]);
    long long until_ms = eventually_now_ms() + EVENTUALLY_MS;
    while (outcomes[0].told_count == 0) {
        uv_run(&control, UV_RUN_NOWAIT);
        ck_assert(eventually_now_ms() < until_ms);
    }
    ck_assert_uint_eq(outcomes[0].client_count, TAKERS * CROWD / 10);
    for (unsigned i = 0; i < TAKERS; i++) {
        atomic_store(&offices[i].is_to_end, true);
        uv_async_send(&offices[i].wake);
    }
    for (unsigned i = 0; i < TAKERS; i++)
        uv_thread_join(&offices[i].thread);
    while (uv_run(&control, UV_RUN_NOWAIT) && !list_is_empty(&desk.done)) {
    }
    for (unsigned i = 0; i < QUESTIONS; i++)
        told_count += outcomes[i].told_count == 1;
    ck_assert_uint_eq(told_count, QUESTIONS);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, the_clients_of_all_workers_are_told);
    tcase_add_test(tcase, nobody_is_a_census_too);
    tcase_add_test(tcase, without_workers_it_is_told_by_the_loop);
    tcase_add_test(tcase, who_is_not_served_is_not_counted);
    tcase_add_test(tcase, the_count_is_exact_where_rows_are_not);
    tcase_add_test(tcase, a_large_crowd_is_walked_in_slices);
    tcase_add_test(tcase, several_questions_are_answered_each);
    tcase_add_test(tcase, a_worker_that_ends_tells_what_it_knows);
    tcase_add_test(tcase, threads_count_for_themselves);
}

CHECK_MAIN("census", add_tests)
