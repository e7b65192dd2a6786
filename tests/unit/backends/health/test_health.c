/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts: the counting as a table, and real checks of sockets that this test listens on. */
#include "backends/health/health.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lb/base/log.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"
#include "tests/support/made_pool.h"
#include "tests/support/port.h"

/* ---- counting ---- */

/* Results as + and -, verdicts after each as ? u d; healthy_threshold 2, unhealthy_threshold 3. */
static const struct {
    enum verdict first;
    const char *results;
    const char *verdicts;
} counts[] = {
    {VERDICT_UNKNOWN, "+", "u"},       {VERDICT_UNKNOWN, "-", "d"},
    {VERDICT_UNKNOWN, "+---", "uuud"}, {VERDICT_UNKNOWN, "+--+--+---", "uuuuuuuuud"},
    {VERDICT_UNKNOWN, "-++", "ddu"},   {VERDICT_UNKNOWN, "-+-+-++", "ddddddu"},
    {VERDICT_UP, "--", "uu"},          {VERDICT_UP, "------++", "uudddddu"},
    {VERDICT_DOWN, "+", "d"},          {VERDICT_DOWN, "++---++", "duuuddu"},
};

static char letter_of(enum verdict verdict)
{
    return verdict == VERDICT_UNKNOWN ? '?' : verdict_name(verdict)[0];
}

START_TEST(thresholds_count_results_in_a_row)
{
    struct health_count count = {0};
    enum verdict verdict = counts[_i].first;
    for (size_t i = 0; counts[_i].results[i]; i++) {
        verdict = health_count_result(&count, verdict, counts[_i].results[i] == '+', 2, 3);
        ck_assert_msg(letter_of(verdict) == counts[_i].verdicts[i], "%s: %c after %zu results",
                      counts[_i].results, letter_of(verdict), i + 1);
    }
}
END_TEST

START_TEST(very_many_results_do_not_overflow)
{
    struct health_count count = {.passed_in_row = 0};
    enum verdict verdict = VERDICT_UP;
    for (unsigned i = 0; i < 1000; i++)
        verdict = health_count_result(&count, verdict, true, 10, 10);
    ck_assert_uint_le(count.passed_in_row, 10);
    for (unsigned i = 0; i < 10; i++)
        verdict = health_count_result(&count, verdict, false, 10, 10);
    ck_assert_int_eq(verdict, VERDICT_DOWN);
}
END_TEST

/* ---- real checks ---- */

static struct loop_context context;
static uv_loop_t loop;
static struct made_pool made;
static struct pool *pools[1];
static struct health *health;
static struct folder folder;
static bool is_stopped;

static void add_backend(unsigned index, unsigned port, unsigned weight)
{
    char value[64];
    snprintf(value, sizeof value, "rs-%u 127.0.0.1:%u weight=%u", index, port, weight);
    made_pool_key(&made, "backend", value);
}

static void begin(void)
{
    folder_make(&folder);
    ck_assert(log_open(folder_file(&folder, "log"), LOG_LEVEL_INFO, NULL));
    uv_loop_init(&loop);
    loop_context_init(&context, &loop);
    made_pool_begin(&made);
    made_pool_key(&made, "health_check_interval", "100ms");
    made_pool_key(&made, "health_check_timeout", "50ms");
    health = NULL;
    is_stopped = false;
}

static void start(void)
{
    if (!made.options.health_check)
        made_pool_key(&made, "health_check", "tcp");
    ck_assert(made_pool_prepare(&made));
    pools[0] = &made.pool;
    health = health_start(pools, 1, &context);
    ck_assert_ptr_nonnull(health);
}

static void on_stopped(void *arg)
{
    *(bool *)arg = true;
}

static void stop(void)
{
    if (!health)
        return;
    health_stop(health, on_stopped, &is_stopped);
    ck_assert(!is_stopped);
    health = NULL;
    while (!is_stopped)
        uv_run(&loop, UV_RUN_ONCE);
}

/* Everything must be closed by then: uv_loop_close says so. */
static void end(void)
{
    stop();
    loop_context_close(&context);
    uv_run(&loop, UV_RUN_DEFAULT);
    loop_context_done(&context);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    made_pool_end(&made);
    log_close();
    folder_remove(&folder);
}

static enum verdict verdict_of(unsigned backend)
{
    return atomic_load(&made.pool.backends[backend].standing->verdict);
}

static void run_until_verdict(unsigned backend, enum verdict verdict)
{
    while (verdict_of(backend) != verdict)
        uv_run(&loop, UV_RUN_ONCE);
}

static bool log_has(const char *words)
{
    char *log = folder_read(&folder, "log");
    bool has = strstr(log, words) != NULL;
    free(log);
    return has;
}

START_TEST(the_first_check_that_passes_is_enough_for_up)
{
    unsigned port = port_reserve();
    int fd = port_listen(port, 16, SOCK_NONBLOCK);
    add_backend(1, port, 10);
    start();
    ck_assert_int_eq(verdict_of(0), VERDICT_UNKNOWN);
    run_until_verdict(0, VERDICT_UP);
    close(fd);
}
END_TEST

START_TEST(the_first_check_that_fails_is_enough_for_down)
{
    unsigned port = port_reserve();
    int fd = port_listen(port, 16, SOCK_NONBLOCK);
    add_backend(1, port, 10);
    add_backend(2, port_reserve(), 10);
    start();
    run_until_verdict(0, VERDICT_UP);
    run_until_verdict(1, VERDICT_DOWN);
    /* and the workers are told: its turns are gone */
    ck_assert_uint_eq(made.pool.sequence->turn_count, 1);
    ck_assert_uint_eq(made.pool.sequence->turns[0], 0);
    close(fd);
}
END_TEST

START_TEST(a_backend_that_dies_is_down_and_one_that_returns_is_up)
{
    unsigned port = port_reserve();
    int fd = port_listen(port, 16, SOCK_NONBLOCK);
    add_backend(1, port, 10);
    made_pool_key(&made, "unhealthy_threshold", "2");
    made_pool_key(&made, "healthy_threshold", "2");
    start();
    run_until_verdict(0, VERDICT_UP);
    close(fd);
    run_until_verdict(0, VERDICT_DOWN);
    fd = port_listen(port, 16, SOCK_NONBLOCK);
    run_until_verdict(0, VERDICT_UP);
    close(fd);
}
END_TEST

/* Its slow start begins then; when lb starts, nobody would be there to take the rest. */
START_TEST(only_who_was_down_becomes_up_at_a_time)
{
    unsigned port = port_reserve();
    int fd = port_listen(port, 16, SOCK_NONBLOCK);
    add_backend(1, port, 10);
    made_pool_key(&made, "unhealthy_threshold", "1");
    made_pool_key(&made, "healthy_threshold", "1");
    start();
    const struct standing *standing = made.pool.backends[0].standing;
    run_until_verdict(0, VERDICT_UP);
    ck_assert_uint_eq(standing->up_ms, 0);
    close(fd);
    run_until_verdict(0, VERDICT_DOWN);
    ck_assert_uint_eq(standing->up_ms, 0);
    fd = port_listen(port, 16, SOCK_NONBLOCK);
    run_until_verdict(0, VERDICT_UP);
    ck_assert_uint_ge(standing->up_ms, standing->asked_ms);
    close(fd);
}
END_TEST

START_TEST(a_standing_tells_the_last_result_and_how_old_the_verdict_is)
{
    unsigned port = port_reserve();
    int fd = port_listen(port, 16, SOCK_NONBLOCK);
    int64_t before_s = time(NULL);
    add_backend(1, port, 10);
    made_pool_key(&made, "unhealthy_threshold", "10");
    start();
    const struct standing *standing = made.pool.backends[0].standing;
    ck_assert_str_eq(standing->reason, "");
    ck_assert_int_eq(standing->since_s, 0);
    run_until_verdict(0, VERDICT_UP);
    ck_assert_str_eq(standing->reason, "connection accepted");
    ck_assert_int_ge(standing->since_s, before_s);
    int64_t since_s = standing->since_s;
    close(fd);
    while (standing->count.failed_in_row == 0)
        uv_run(&loop, UV_RUN_ONCE);
    /* The verdict is the same: so is its age. */
    ck_assert_str_eq(standing->reason, "connection refused");
    ck_assert_int_eq(standing->since_s, since_s);
    ck_assert_int_eq(verdict_of(0), VERDICT_UP);
}
END_TEST

START_TEST(weight_0_is_checked_too)
{
    add_backend(1, port_reserve(), 0);
    start();
    run_until_verdict(0, VERDICT_DOWN);
}
END_TEST

START_TEST(health_check_port_is_asked_instead_of_the_backends_own)
{
    unsigned port = port_reserve();
    int fd = port_listen(port, 16, SOCK_NONBLOCK);
    char text[16];
    snprintf(text, sizeof text, "%u", port);
    made_pool_key(&made, "health_check_port", text);
    add_backend(1, port_reserve(), 10);
    start();
    run_until_verdict(0, VERDICT_UP);
    close(fd);
}
END_TEST

enum { FILLER_COUNT = 4 };

/* With the queue of a listening socket full, Linux drops what asks for a connection. */
static int listen_full(unsigned port, int *fillers)
{
    int fd = port_listen(port, 0, SOCK_NONBLOCK);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {htonl(INADDR_LOOPBACK)},
                                  .sin_port = htons((in_port_t)port)};
    for (unsigned i = 0; i < FILLER_COUNT; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        connect(fillers[i], (struct sockaddr *)&address, sizeof address);
    }
    return fd;
}

static void close_full(int fd, const int *fillers)
{
    for (unsigned i = 0; i < FILLER_COUNT; i++)
        close(fillers[i]);
    close(fd);
}

START_TEST(a_backend_that_does_not_accept_in_time_is_down)
{
    int fillers[FILLER_COUNT];
    unsigned port = port_reserve();
    int fd = listen_full(port, fillers);
    add_backend(1, port, 10);
    start();
    run_until_verdict(0, VERDICT_DOWN);
    close_full(fd, fillers);
}
END_TEST

static uint64_t stopped_clock_ms(struct deadlines *deadlines)
{
    (void)deadlines;
    return 1;
}

START_TEST(stopping_in_the_middle_of_a_check_changes_no_verdict)
{
    int fillers[FILLER_COUNT];
    unsigned port = port_reserve();
    int fd = listen_full(port, fillers);
    add_backend(1, port, 10);
    start();
    context.deadlines.now_ms = stopped_clock_ms;               /* the check is never late */
    while (list_is_empty(&context.deadlines.lists[0].waiting)) /* until the check is asking */
        uv_run(&loop, UV_RUN_ONCE);
    stop();
    ck_assert_int_eq(verdict_of(0), VERDICT_UNKNOWN);
    close_full(fd, fillers);
}
END_TEST

START_TEST(with_health_check_off_nobody_is_asked)
{
    made_pool_key(&made, "health_check", "off");
    add_backend(1, port_reserve(), 10);
    start();
    ck_assert(!uv_loop_alive(&loop));
    ck_assert_int_eq(verdict_of(0), VERDICT_UNKNOWN);
}
END_TEST

START_TEST(each_change_of_verdict_is_one_line_with_its_reason)
{
    unsigned port = port_reserve();
    int fd = port_listen(port, 16, SOCK_NONBLOCK);
    add_backend(1, port, 10);
    add_backend(2, port_reserve(), 10);
    start();
    run_until_verdict(0, VERDICT_UP);
    run_until_verdict(1, VERDICT_DOWN);
    stop();
    log_close();
    char words[200];
    snprintf(words, sizeof words,
             "info backend.up pool=app backend=rs-1 address=127.0.0.1:%u "
             "reason=\"connection accepted\" took_ms=",
             port);
    ck_assert(log_has(words));
    ck_assert(log_has("warn backend.down pool=app backend=rs-2 address=127.0.0.1:"));
    ck_assert(log_has("reason=\"connection refused\" took_ms="));
    close(fd);
}
END_TEST

static void add_staged_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, the_first_check_that_passes_is_enough_for_up);
    tcase_add_test(tcase, the_first_check_that_fails_is_enough_for_down);
    tcase_add_test(tcase, a_backend_that_dies_is_down_and_one_that_returns_is_up);
    tcase_add_test(tcase, only_who_was_down_becomes_up_at_a_time);
    tcase_add_test(tcase, a_standing_tells_the_last_result_and_how_old_the_verdict_is);
    tcase_add_test(tcase, weight_0_is_checked_too);
    tcase_add_test(tcase, health_check_port_is_asked_instead_of_the_backends_own);
    tcase_add_test(tcase, a_backend_that_does_not_accept_in_time_is_down);
    tcase_add_test(tcase, stopping_in_the_middle_of_a_check_changes_no_verdict);
    tcase_add_test(tcase, with_health_check_off_nobody_is_asked);
    tcase_add_test(tcase, each_change_of_verdict_is_one_line_with_its_reason);
}

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, thresholds_count_results_in_a_row, 0,
                        sizeof counts / sizeof counts[0]);
    tcase_add_test(tcase, very_many_results_do_not_overflow);
}

int main(void)
{
    int counting = check_run("health counting", add_tests, CHECK_TIMEOUT_S);
    int checking = check_run("health", add_staged_tests, CHECK_TIMEOUT_S);
    return counting == EXIT_SUCCESS ? checking : counting;
}
