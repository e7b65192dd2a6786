/* SPDX-License-Identifier: Apache-2.0 */
/* Checks when something is short: descriptors, places, an operator's wish to check at all. */
#include "backends/health/health.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
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
static struct made_pool made;
static struct health *health;
static struct folder folder;
static unsigned port;

static struct sockaddr_in address_of_port(void)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_addr = {htonl(INADDR_LOOPBACK)},
                                .sin_port = htons((in_port_t)port)};
}

static void begin(void)
{
    folder_make(&folder);
    ck_assert(log_open(folder_file(&folder, "log"), LOG_LEVEL_INFO, NULL));
    uv_loop_init(&loop);
    loop_context_init(&context, &loop);
    made_pool_begin(&made);
    port = port_reserve();
}

static void start(unsigned backend_count, const char *interval, const char *timeout)
{
    made_pool_key(&made, "health_check", "tcp");
    made_pool_key(&made, "health_check_interval", interval);
    made_pool_key(&made, "health_check_timeout", timeout);
    for (unsigned i = 0; i < backend_count; i++) {
        char value[64];
        snprintf(value, sizeof value, "rs-%u 127.0.0.1:%u", i, port);
        made_pool_key(&made, "backend", value);
    }
    ck_assert(made_pool_prepare(&made));
    struct pool *pool = &made.pool;
    health = health_start(&pool, 1, &context);
    ck_assert_ptr_nonnull(health);
}

static void on_stopped(void *arg)
{
    *(bool *)arg = true;
}

static void end(void)
{
    bool is_stopped = false;
    health_stop(health, on_stopped, &is_stopped);
    while (!is_stopped)
        uv_run(&loop, UV_RUN_ONCE);
    loop_context_close(&context);
    uv_run(&loop, UV_RUN_DEFAULT);
    loop_context_done(&context);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    made_pool_end(&made);
    log_close();
    folder_remove(&folder);
}

static struct standing *standing_of(unsigned backend)
{
    return made.pool.backends[backend].standing;
}

static unsigned count_verdicts(enum verdict verdict)
{
    unsigned count = 0;
    for (unsigned i = 0; i < made.pool.backend_count; i++)
        count += atomic_load(&standing_of(i)->verdict) == verdict;
    return count;
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

static void run_until_asked_again(unsigned times)
{
    for (uint64_t asked_ms = standing_of(0)->asked_ms; times > 0; times--) {
        while (standing_of(0)->asked_ms == asked_ms)
            uv_run(&loop, UV_RUN_ONCE);
        asked_ms = standing_of(0)->asked_ms;
    }
}

START_TEST(without_descriptors_verdicts_stay_and_one_line_says_so)
{
    struct rlimit before;
    int fd = port_listen(port, 64, 0);
    start(1, "100ms", "50ms");
    while (count_verdicts(VERDICT_UP) == 0)
        uv_run(&loop, UV_RUN_ONCE);
    getrlimit(RLIMIT_NOFILE, &before);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max});
    run_until_asked_again(5);
    uint64_t asked_ms = standing_of(0)->asked_ms;
    setrlimit(RLIMIT_NOFILE, &before);
    ck_assert_uint_gt(asked_ms, 0);
    ck_assert_int_eq(atomic_load(&standing_of(0)->verdict), VERDICT_UP);
    ck_assert_str_eq(standing_of(0)->reason, "connection accepted");
    ck_assert_uint_eq(log_count("error health.no-room "), 1);
    ck_assert_uint_eq(log_count("(too many open files): verdicts stay as they are"), 1);
    /* And then it goes on. */
    close(fd);
    while (count_verdicts(VERDICT_DOWN) == 0)
        uv_run(&loop, UV_RUN_ONCE);
}
END_TEST

enum { FILLER_COUNT = 4, MANY = CHECKS_OPEN_MOST + 88 };

static unsigned count_descriptors(void)
{
    unsigned count = 0;
    DIR *folder_of_them = opendir("/proc/self/fd");
    while (readdir(folder_of_them))
        count++;
    closedir(folder_of_them);
    return count;
}

/* With the queue of a listening socket full, Linux drops what asks for a connection. */
static void fill(int *fillers)
{
    struct sockaddr_in address = address_of_port();
    for (unsigned i = 0; i < FILLER_COUNT; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        connect(fillers[i], (struct sockaddr *)&address, sizeof address);
    }
}

START_TEST(more_backends_that_hang_than_places_wait_their_turn)
{
    int fillers[FILLER_COUNT];
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    int fd = port_listen(port, 0, 0);
    fill(fillers);
    unsigned before = count_descriptors();
    start(MANY, "30s", "2s");
    const struct watch_share *share = standing_of(0)->watch->share;
    unsigned most = 0;
    while (count_verdicts(VERDICT_DOWN) < MANY) {
        uv_run(&loop, UV_RUN_ONCE);
        most = share->asking_count > most ? share->asking_count : most;
        ck_assert_uint_le(share->asking_count, CHECKS_OPEN_MOST);
        ck_assert_uint_le(count_descriptors(), before + CHECKS_OPEN_MOST);
    }
    ck_assert_uint_eq(most, CHECKS_OPEN_MOST);
    ck_assert_str_eq(standing_of(MANY - 1)->reason, "no connection within 2s");
    while (share->asking_count > 0)
        uv_run(&loop, UV_RUN_ONCE);
    for (unsigned i = 0; i < FILLER_COUNT; i++)
        close(fillers[i]);
    close(fd);
}
END_TEST

START_TEST(ending_forgets_those_that_wait)
{
    int fillers[FILLER_COUNT];
    int fd = port_listen(port, 0, 0);
    fill(fillers);
    start(MANY, "300s", "60s");
    const struct watch_share *share = standing_of(0)->watch->share;
    while (list_is_empty(&share->queue))
        uv_run(&loop, UV_RUN_ONCE);
    for (unsigned i = 0; i < FILLER_COUNT; i++)
        close(fillers[i]);
    close(fd);
    ck_assert_uint_eq(count_verdicts(VERDICT_UNKNOWN), MANY); /* the rest is the end's */
}
END_TEST

START_TEST(a_disabled_backend_is_not_asked_and_keeps_its_verdict)
{
    int fd = port_listen(port, 64, 0);
    start(1, "100ms", "50ms");
    while (count_verdicts(VERDICT_UP) == 0)
        uv_run(&loop, UV_RUN_ONCE);
    atomic_store(&standing_of(0)->is_disabled, true);
    uint64_t asked_ms = standing_of(0)->asked_ms;
    const struct watch *watch = standing_of(0)->watch;
    for (uint64_t until_ms = watch->due_ms + 500; watch->due_ms < until_ms;)
        uv_run(&loop, UV_RUN_ONCE);
    ck_assert_uint_eq(standing_of(0)->asked_ms, asked_ms);
    ck_assert_int_eq(atomic_load(&standing_of(0)->verdict), VERDICT_UP);
    atomic_store(&standing_of(0)->is_disabled, false);
    run_until_asked_again(1);
    close(fd);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, without_descriptors_verdicts_stay_and_one_line_says_so);
    tcase_add_test(tcase, more_backends_that_hang_than_places_wait_their_turn);
    tcase_add_test(tcase, ending_forgets_those_that_wait);
    tcase_add_test(tcase, a_disabled_backend_is_not_asked_and_keeps_its_verdict);
}

CHECK_MAIN("health shortage", add_tests)
