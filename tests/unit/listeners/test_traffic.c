/* SPDX-License-Identifier: Apache-2.0 */
/* What workers count of a listener, and what it comes to. */
#include "listeners/traffic.h"

#include <pthread.h>

#include "listeners/tally.h"
#include "tests/support/check_main.h"

static struct tallies *tallies;
static struct tally *web;

static void begin(void)
{
    tallies = tallies_new();
    web = tallies_of(tallies, "web");
}

static void end(void)
{
    tallies_free(tallies);
}

static struct traffic_sum sum_of(const struct tally *tally)
{
    struct traffic_sum sum;
    traffic_add_up(tally, &sum);
    return sum;
}

START_TEST(a_worker_finds_its_own_counts_again)
{
    struct traffic *first = traffic_of(web, 0), *second = traffic_of(web, 7);
    ck_assert_ptr_ne(first, second);
    ck_assert_ptr_eq(traffic_of(web, 0), first);
    ck_assert_ptr_eq(traffic_of(web, 7), second);
    ck_assert_ptr_ne(traffic_of(tallies_of(tallies, "other"), 0), first);
    traffic_count_connection(first);
    traffic_count_connection(second);
    traffic_count_connection(second);
    ck_assert_uint_eq(sum_of(web).connections, 3);
    ck_assert_uint_eq(sum_of(tallies_of(tallies, "other")).connections, 0);
}
END_TEST

START_TEST(each_request_is_in_one_class_and_one_time)
{
    static const struct {
        struct traffic_request request;
        enum traffic_answer answer;
        int bound; /* -1: its time does not count */
    } cases[] = {
        {{200, 1, 2, 0, TRAFFIC_HTTP_2}, TRAFFIC_2XX, 0},
        {{204, 1, 2, 5, TRAFFIC_HTTP_2}, TRAFFIC_2XX, 0},
        {{302, 1, 2, 6, TRAFFIC_HTTP_2}, TRAFFIC_3XX, 1},
        {{404, 1, 2, 10, TRAFFIC_HTTP_2}, TRAFFIC_4XX, 1},
        {{500, 1, 2, 10000, TRAFFIC_HTTP_2}, TRAFFIC_5XX, 10},
        {{599, 1, 2, 10001, TRAFFIC_HTTP_2}, TRAFFIC_5XX, 11},
        {{999, 1, 2, 1 << 30, TRAFFIC_HTTP_2}, TRAFFIC_5XX, 11},
        {{101, 1, 2, 3, TRAFFIC_HTTP_2}, TRAFFIC_1XX, -1},
        {{0, 1, 2, 3, TRAFFIC_HTTP_2}, TRAFFIC_UNANSWERED, -1},
    };
    enum { COUNT = sizeof cases / sizeof *cases };
    struct traffic *traffic = traffic_of(web, 1);
    uint64_t took_ms = 0;
    for (size_t i = 0; i < COUNT; i++) {
        struct traffic_sum before = sum_of(web);
        traffic_count_request(traffic, &cases[i].request);
        struct traffic_sum after = sum_of(web);
        ck_assert_uint_eq(after.answers[cases[i].answer], before.answers[cases[i].answer] + 1);
        for (int k = 0; k <= TRAFFIC_BOUND_COUNT; k++)
            ck_assert_uint_eq(after.took[k], before.took[k] + (k == cases[i].bound));
        took_ms += cases[i].bound >= 0 ? cases[i].request.duration_ms : 0;
        ck_assert_uint_eq(after.took_ms, took_ms);
    }
    ck_assert_uint_eq(sum_of(web).versions[TRAFFIC_HTTP_2], COUNT);
    ck_assert_uint_eq(sum_of(web).request_bytes, COUNT);
    ck_assert_uint_eq(sum_of(web).answer_bytes, 2 * COUNT);
}
END_TEST

START_TEST(handshakes_are_counted_by_how_they_went)
{
    struct traffic *traffic = traffic_of(web, 0);
    for (unsigned i = 0; i < TRAFFIC_HANDSHAKE_COUNT; i++)
        for (unsigned k = 0; k <= i; k++)
            traffic_count_handshake(traffic, (enum traffic_handshake)i);
    for (unsigned i = 0; i < TRAFFIC_HANDSHAKE_COUNT; i++)
        ck_assert_uint_eq(sum_of(web).handshakes[i], i + 1);
}
END_TEST

START_TEST(each_request_is_counted_with_the_version_it_came_in)
{
    struct traffic *traffic = traffic_of(web, 0);
    for (unsigned i = 0; i < TRAFFIC_VERSION_COUNT; i++) {
        const char *name = traffic_version_name((enum traffic_version)i);
        const struct traffic_request request = {.status = 200, .version = traffic_version_of(name)};
        ck_assert_int_eq(request.version, i);
        for (unsigned k = 0; k <= i; k++)
            traffic_count_request(traffic, &request);
    }
    for (unsigned i = 0; i < TRAFFIC_VERSION_COUNT; i++)
        ck_assert_uint_eq(sum_of(web).versions[i], i + 1);
}
END_TEST

START_TEST(what_is_open_is_added_and_taken_away_on_each_worker)
{
    struct traffic *first = traffic_of(web, 0), *second = traffic_of(web, 1);
    traffic_count_http2(first, 1, 0);
    traffic_count_http2(first, 1, 100);
    traffic_count_http2(second, 1, 7);
    traffic_count_http2(first, 0, -99);
    ck_assert_uint_eq(sum_of(web).http2_connections, 3);
    ck_assert_uint_eq(sum_of(web).http2_streams, 8);
    traffic_count_http2(second, -1, -7);
    traffic_count_http2(first, -2, -1);
    ck_assert_uint_eq(sum_of(web).http2_connections, 0);
    ck_assert_uint_eq(sum_of(web).http2_streams, 0);
}
END_TEST

START_TEST(where_nobody_counts_nothing_happens)
{
    const struct traffic_request request = {.status = 200};
    ck_assert_ptr_null(traffic_of(NULL, 0));
    traffic_count_request(NULL, &request);
    traffic_count_connection(NULL);
    traffic_count_handshake(NULL, TRAFFIC_FULL);
    traffic_count_http2(NULL, 1, 1);
    ck_assert_uint_eq(sum_of(NULL).answers[TRAFFIC_2XX], 0);
}
END_TEST

enum { WORKERS = 8, REQUESTS = 20000 };

static void *work(void *arg)
{
    const struct traffic_request request = {.status = 200, .answer_bytes = 3, .duration_ms = 7};
    struct traffic *traffic = traffic_of(web, (unsigned)(size_t)arg);
    for (int i = 0; i < REQUESTS; i++)
        traffic_count_request(traffic, &request);
    return NULL;
}

START_TEST(workers_that_count_at_once_lose_nothing)
{
    pthread_t threads[WORKERS];
    uint64_t seen = 0;
    for (size_t i = 0; i < WORKERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, (void *)i), 0);
    for (int i = 0; i < 100; i++) { /* whoever looks meanwhile sees it only grow */
        uint64_t now = sum_of(web).answers[TRAFFIC_2XX];
        ck_assert_uint_ge(now, seen);
        seen = now;
    }
    for (size_t i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(sum_of(web).answers[TRAFFIC_2XX], WORKERS * REQUESTS);
    ck_assert_uint_eq(sum_of(web).took[1], WORKERS * REQUESTS);
    ck_assert_uint_eq(sum_of(web).answer_bytes, 3 * WORKERS * REQUESTS);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_worker_finds_its_own_counts_again);
    tcase_add_test(tcase, each_request_is_in_one_class_and_one_time);
    tcase_add_test(tcase, handshakes_are_counted_by_how_they_went);
    tcase_add_test(tcase, each_request_is_counted_with_the_version_it_came_in);
    tcase_add_test(tcase, what_is_open_is_added_and_taken_away_on_each_worker);
    tcase_add_test(tcase, where_nobody_counts_nothing_happens);
    tcase_add_test(tcase, workers_that_count_at_once_lose_nothing);
}

CHECK_MAIN("traffic", add_tests)
