/* SPDX-License-Identifier: Apache-2.0 */
/* Checks from config to config: what a reload must neither lose, hurry, delay nor interrupt. */
#include "backends/health/health.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/health/watch.h"
#include "lb/base/log.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"
#include "tests/support/made_pool.h"
#include "tests/support/port.h"
#include "tests/support/text.h"

static struct loop_context context;
static uv_loop_t loop;
static struct roster *roster;
static struct made_pool configs[2]; /* each with one pool "app"; they follow one another */
static struct health *health;
static struct folder folder;
static unsigned ports[2];
static int listeners[2];

static void begin(void)
{
    folder_make(&folder);
    ck_assert(log_open(folder_file(&folder, "log"), LOG_LEVEL_INFO, NULL));
    uv_loop_init(&loop);
    loop_context_init(&context, &loop);
    roster = roster_new();
    health = NULL;
    for (unsigned i = 0; i < 2; i++) {
        made_pool_begin(&configs[i]);
        ports[i] = port_reserve();
        listeners[i] = port_listen(ports[i], 64, SOCK_NONBLOCK);
    }
}

static void on_stopped(void *arg)
{
    *(bool *)arg = true;
}

/* Everything must be closed by then: uv_loop_close says so. */
static void end(void)
{
    bool is_stopped = false;
    if (health)
        health_stop(health, on_stopped, &is_stopped);
    while (health && !is_stopped)
        uv_run(&loop, UV_RUN_ONCE);
    loop_context_close(&context);
    uv_run(&loop, UV_RUN_DEFAULT);
    loop_context_done(&context);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    for (unsigned i = 0; i < 2; i++) {
        made_pool_end(&configs[i]);
        close(listeners[i]);
    }
    roster_free(roster);
    log_close();
    folder_remove(&folder);
}

static void key(unsigned config, const char *name, const char *value)
{
    made_pool_key(&configs[config], name, value);
}

static void add_backend(unsigned config, unsigned number)
{
    char value[64];
    snprintf(value, sizeof value, "rs-%u 127.0.0.1:%u", number, ports[number]);
    key(config, "backend", value);
}

/* Both configs alike, with backend rs-0. */
static void write_both(const char *check, const char *interval, const char *timeout)
{
    for (unsigned i = 0; i < 2; i++) {
        add_backend(i, 0);
        key(i, "health_check", check);
        key(i, "health_check_interval", interval);
        key(i, "health_check_timeout", timeout);
    }
}

static struct pool *open_config(unsigned config)
{
    struct made_pool *made = &configs[config];
    if (made->pool.roster)
        return &made->pool;
    ck_assert(pool_prepare(&made->pool, "app", 1, &made->options, &made->arena, "lb.ini",
                           &made->problems));
    ck_assert(pool_open(&made->pool, roster, NULL));
    return &made->pool;
}

static void start(unsigned config)
{
    struct pool *pool = open_config(config);
    health = health_start(&pool, 1, &context);
    ck_assert_ptr_nonnull(health);
}

static void replace(unsigned config)
{
    struct pool *pool = open_config(config);
    ck_assert(health_replace(health, &pool, 1, NULL));
}

/* The sanitizer says if somebody looks at it again. */
static void forget(unsigned config)
{
    made_pool_end(&configs[config]);
    made_pool_begin(&configs[config]);
}

static struct standing *standing_of(unsigned config, unsigned backend)
{
    return configs[config].pool.backends[backend].standing;
}

static void run_until_verdict(const struct standing *standing, enum verdict verdict)
{
    while (atomic_load(&standing->verdict) != verdict)
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

/* The backend's end of the next check; -1: none is there. */
static int accept_check(unsigned number)
{
    return accept4(listeners[number], NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static int await_check(unsigned number)
{
    int fd = accept_check(number);
    for (; fd < 0; fd = accept_check(number))
        uv_run(&loop, UV_RUN_ONCE);
    return fd;
}

static void await_request(int fd, const char *words)
{
    struct text heard = {0};
    char piece[512];
    text_add(&heard, "", 0);
    while (!strstr(heard.bytes, "\r\n\r\n")) {
        uv_run(&loop, UV_RUN_NOWAIT);
        ssize_t length = recv(fd, piece, sizeof piece, 0);
        if (length > 0)
            text_add(&heard, piece, (size_t)length);
    }
    ck_assert_msg(strstr(heard.bytes, words), "%s", heard.bytes);
    text_done(&heard);
}

static void say(int fd, const char *text)
{
    ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static const char good[] = "HTTP/1.1 200 OK\r\n\r\n";
static const char bad[] = "HTTP/1.1 503 Full\r\n\r\n";

/* ---- what stays ---- */

START_TEST(a_verdict_goes_on_where_it_was)
{
    write_both("tcp", "100ms", "50ms");
    start(0);
    run_until_verdict(standing_of(0, 0), VERDICT_UP);
    replace(1);
    forget(0);
    ck_assert_int_eq(atomic_load(&standing_of(1, 0)->verdict), VERDICT_UP);
    close(listeners[0]);
    run_until_verdict(standing_of(1, 0), VERDICT_DOWN);
    ck_assert_uint_eq(configs[1].pool.sequence->eligible_count, 1); /* all_down = any */
    listeners[0] = port_listen(ports[0], 64, SOCK_NONBLOCK);
    run_until_verdict(standing_of(1, 0), VERDICT_UP);
    ck_assert_uint_eq(log_count("backend.up"), 2);
    ck_assert_uint_eq(log_count("backend.down"), 1);
}
END_TEST

START_TEST(bad_results_before_and_after_a_reload_add_up)
{
    write_both("http", "100ms", "50ms");
    start(0);
    int fd = await_check(0);
    say(fd, good);
    run_until_verdict(standing_of(0, 0), VERDICT_UP);
    close(fd);
    for (unsigned bad_count = 1; bad_count <= 3; bad_count++) {
        ck_assert_int_eq(atomic_load(&standing_of(0, 0)->verdict), VERDICT_UP);
        fd = await_check(0);
        say(fd, bad);
        while (standing_of(0, 0)->count.failed_in_row < bad_count)
            uv_run(&loop, UV_RUN_ONCE);
        close(fd);
        replace(bad_count % 2);
    }
    ck_assert_int_eq(atomic_load(&standing_of(1, 0)->verdict), VERDICT_DOWN);
}
END_TEST

START_TEST(the_next_check_comes_when_it_would_have_come)
{
    write_both("tcp", "5s", "2s");
    start(0);
    run_until_verdict(standing_of(0, 0), VERDICT_UP);
    uint64_t due_ms = standing_of(0, 0)->watch->due_ms;
    replace(1);
    ck_assert_uint_eq(standing_of(1, 0)->watch->due_ms, due_ms);
}
END_TEST

START_TEST(who_was_asked_3_s_ago_is_asked_again_in_2_s_even_by_another_health)
{
    write_both("tcp", "5s", "2s");
    struct pool *pool = open_config(0);
    uv_update_time(&loop);
    standing_of(0, 0)->asked_ms = uv_now(&loop) - 3000;
    health = health_start(&pool, 1, &context);
    const struct watch *watch = standing_of(0, 0)->watch;
    ck_assert_uint_eq(watch->due_ms, standing_of(0, 0)->asked_ms + 5000);
    ck_assert_uint_eq(watch->then_ms, watch->due_ms + 5000);
}
END_TEST

START_TEST(another_interval_counts_from_the_last_check)
{
    write_both("tcp", "5s", "2s");
    start(0);
    run_until_verdict(standing_of(0, 0), VERDICT_UP);
    forget(1);
    add_backend(1, 0);
    key(1, "health_check", "tcp");
    key(1, "health_check_interval", "60s");
    replace(1);
    const struct standing *standing = standing_of(1, 0);
    ck_assert_uint_eq(standing->watch->due_ms, standing->asked_ms + 60000);
}
END_TEST

/* A reload in each turn of the loop: no check is lost, and none comes too often. */
START_TEST(reloads_without_end_starve_no_check)
{
    write_both("tcp", "100ms", "50ms");
    start(0);
    uint64_t asked_ms = 0, due_ms = standing_of(0, 0)->watch->due_ms;
    for (unsigned asked_count = 0, turn = 1; asked_count < 6; turn++) {
        uv_run(&loop, UV_RUN_ONCE);
        asked_count += standing_of(0, 0)->asked_ms != asked_ms;
        asked_ms = standing_of(0, 0)->asked_ms;
        replace(turn % 2);
        uint64_t then_due_ms = standing_of(0, 0)->watch->due_ms;
        ck_assert(then_due_ms == due_ms || then_due_ms >= due_ms + 100);
        due_ms = then_due_ms;
    }
    ck_assert_int_eq(atomic_load(&standing_of(0, 0)->verdict), VERDICT_UP);
}
END_TEST

/* ---- a check that is under way ---- */

START_TEST(a_check_under_way_is_not_interrupted)
{
    write_both("http", "20s", "10s");
    start(0);
    int fd = await_check(0);
    await_request(fd, "HEAD / HTTP/1.1\r\n");
    replace(1);
    forget(0);
    say(fd, good);
    run_until_verdict(standing_of(1, 0), VERDICT_UP);
    ck_assert_int_eq(accept_check(0), -1);
    close(fd);
}
END_TEST

START_TEST(a_check_that_would_ask_for_something_else_is_begun_anew_at_once)
{
    write_both("http", "20s", "10s");
    key(1, "health_check_path", "/new");
    start(0);
    int fd = await_check(0);
    await_request(fd, "HEAD / HTTP/1.1\r\n");
    replace(1);
    forget(0);
    int again = await_check(0);
    await_request(again, "HEAD /new HTTP/1.1\r\n");
    say(again, good);
    run_until_verdict(standing_of(1, 0), VERDICT_UP);
    close(fd);
    close(again);
}
END_TEST

START_TEST(a_check_that_would_ask_about_another_service_is_begun_anew_at_once)
{
    write_both("grpc", "20s", "10s");
    key(1, "health_check_service", "a.B");
    start(0);
    int fd = await_check(0);
    await_request(fd, "PRI * HTTP/2.0\r\n");
    replace(1);
    forget(0);
    int again = await_check(0);
    await_request(again, "PRI * HTTP/2.0\r\n");
    say(again, "HTTP/1.1 400 Bad Request\r\n\r\n");
    run_until_verdict(standing_of(1, 0), VERDICT_DOWN);
    close(fd);
    close(again);
}
END_TEST

START_TEST(a_backend_that_leaves_in_the_middle_of_its_check_is_forgotten)
{
    add_backend(0, 0);
    key(0, "health_check", "http");
    add_backend(1, 1);
    key(1, "health_check", "http");
    start(0);
    int fd = await_check(0);
    await_request(fd, "HEAD / ");
    replace(1);
    forget(0);
    int other = await_check(1);
    say(other, good);
    run_until_verdict(standing_of(1, 0), VERDICT_UP);
    ck_assert_uint_eq(log_count("backend=rs-0"), 0);
    close(fd);
    close(other);
}
END_TEST

/* ---- what changes ---- */

START_TEST(a_new_backend_is_asked_within_the_first_second_and_the_others_wait)
{
    write_both("tcp", "60s", "2s");
    add_backend(1, 1);
    start(0);
    run_until_verdict(standing_of(0, 0), VERDICT_UP);
    uint64_t asked_ms = standing_of(0, 0)->asked_ms;
    replace(1);
    uint64_t due_ms = standing_of(1, 1)->watch->due_ms;
    ck_assert_uint_le(due_ms, uv_now(&loop) + 1000);
    run_until_verdict(standing_of(1, 1), VERDICT_UP);
    ck_assert_uint_eq(standing_of(1, 0)->asked_ms, asked_ms);
}
END_TEST

START_TEST(who_is_not_checked_any_more_counts_as_up)
{
    write_both("tcp", "100ms", "50ms");
    add_backend(0, 1);
    add_backend(1, 1);
    close(listeners[0]);
    start(0);
    run_until_verdict(standing_of(0, 0), VERDICT_DOWN);
    run_until_verdict(standing_of(0, 1), VERDICT_UP);
    forget(1);
    add_backend(1, 0);
    add_backend(1, 1);
    key(1, "health_check", "off");
    replace(1);
    ck_assert_int_eq(atomic_load(&standing_of(1, 0)->verdict), VERDICT_UNKNOWN);
    ck_assert_int_eq(standing_of(1, 0)->since_s, 0);
    ck_assert_str_eq(standing_of(1, 0)->reason, "");
    ck_assert_ptr_null(standing_of(1, 0)->watch);
    ck_assert_uint_eq(configs[1].pool.sequence->eligible_count, 2);
    listeners[0] = port_listen(ports[0], 64, SOCK_NONBLOCK);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_verdict_goes_on_where_it_was);
    tcase_add_test(tcase, bad_results_before_and_after_a_reload_add_up);
    tcase_add_test(tcase, the_next_check_comes_when_it_would_have_come);
    tcase_add_test(tcase, who_was_asked_3_s_ago_is_asked_again_in_2_s_even_by_another_health);
    tcase_add_test(tcase, another_interval_counts_from_the_last_check);
    tcase_add_test(tcase, reloads_without_end_starve_no_check);
    tcase_add_test(tcase, a_check_under_way_is_not_interrupted);
    tcase_add_test(tcase, a_check_that_would_ask_for_something_else_is_begun_anew_at_once);
    tcase_add_test(tcase, a_check_that_would_ask_about_another_service_is_begun_anew_at_once);
    tcase_add_test(tcase, a_backend_that_leaves_in_the_middle_of_its_check_is_forgotten);
    tcase_add_test(tcase, a_new_backend_is_asked_within_the_first_second_and_the_others_wait);
    tcase_add_test(tcase, who_is_not_checked_any_more_counts_as_up);
}

CHECK_MAIN("health replace", add_tests)
