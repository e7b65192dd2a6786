/* SPDX-License-Identifier: Apache-2.0 */
/* What every way to ask for health must keep: each test runs for each file in backends/checks/. */
#include "backends/health/check_run.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/check_main.h"
#include "tests/support/made_pool.h"
#include "tests/support/port.h"

static struct loop_context context;
static uv_loop_t loop;
static struct made_pool made;
static struct check_run run;
static bool is_inside; /* a call into the run: nothing may be told meanwhile */
static unsigned result_count;
static unsigned over_count;
static enum check_outcome outcome_told;
static char reason_told[STANDING_REASON_BYTES];

static void on_result(struct check_run *of, enum check_outcome outcome, const char *reason)
{
    ck_assert_ptr_eq(of, &run);
    ck_assert(!is_inside);
    result_count++;
    outcome_told = outcome;
    snprintf(reason_told, sizeof reason_told, "%s", reason);
}

static void on_over(struct check_run *of)
{
    ck_assert_ptr_eq(of, &run);
    ck_assert(!is_inside);
    over_count++;
}

static void begin(void)
{
    uv_loop_init(&loop);
    loop_context_init(&context, &loop);
    made_pool_begin(&made);
    result_count = over_count = 0;
    is_inside = false;
    memset(&run, 0, sizeof run);
}

/* A run that forgets a handle makes uv_loop_close fail, a buffer that stays lent is leaked. */
static void end(void)
{
    backend_tls_context_free(run.tls);
    ck_assert_uint_eq(context.buffers.lent_count, 0);
    loop_context_close(&context);
    uv_run(&loop, UV_RUN_DEFAULT);
    loop_context_done(&context);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    made_pool_end(&made);
}

static void prepare(const struct check *check, unsigned port)
{
    char value[64];
    snprintf(value, sizeof value, "rs-1 127.0.0.1:%u", port);
    made_pool_key(&made, "backend", value);
    made_pool_key(&made, "health_check", check->name);
    if (check->needs_tls)
        made_pool_key(&made, "protocol", "https");
    ck_assert(made_pool_prepare(&made));
    run.check = check;
    run.pool = &made.pool;
    run.backend = &made.pool.backends[0];
    run.address = made.pool.backends[0].address;
    run.context = &context;
    run.on_result = on_result;
    run.on_over = on_over;
    if (check->needs_tls)
        run.tls = backend_tls_context_new(&made.pool, NULL);
}

static void start(void)
{
    is_inside = true;
    check_start(&run);
    is_inside = false;
}

static int listen_on(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {htonl(INADDR_LOOPBACK)},
                                  .sin_port = htons((in_port_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(fd, 8), 0);
    return fd;
}

static void run_until_over(unsigned count)
{
    while (over_count < count)
        uv_run(&loop, UV_RUN_ONCE);
}

START_TEST(it_introduces_itself)
{
    const struct check *check = checks[_i];
    ck_assert_ptr_nonnull(check->connected);
    ck_assert_ptr_nonnull(check->ready);
    ck_assert_uint_gt(strlen(check->name), 0);
    ck_assert_uint_gt(strlen(check->summary), 10);
    ck_assert_ptr_eq(check_find(check->name), check);
}
END_TEST

/* Is the pool fine when an operator asks for this check? */
static bool may_write(const char *name, const char *protocol)
{
    made_pool_key(&made, "backend", "rs-1 127.0.0.1:9");
    made_pool_key(&made, "protocol", protocol);
    made_pool_key(&made, "health_check", name);
    return made_pool_prepare(&made);
}

START_TEST(an_operator_can_write_its_name)
{
    ck_assert(may_write(checks[_i]->name, "https"));
    ck_assert_ptr_eq(made.pool.check, checks[_i]);
}
END_TEST

/* A backend behind TLS may well tell its health in the clear, at a port of its own. */
START_TEST(only_one_that_speaks_tls_needs_a_pool_that_does)
{
    bool is_fine = may_write(checks[_i]->name, "http");
    ck_assert(is_fine == !checks[_i]->needs_tls);
    ck_assert(is_fine || made_pool_has_problem(&made, 4, "needs protocol = https"));
}
END_TEST

START_TEST(off_is_no_check)
{
    ck_assert(may_write("off", "http"));
    ck_assert_ptr_null(made.pool.check);
}
END_TEST

START_TEST(a_slip_of_the_pen_is_named)
{
    ck_assert(!may_write("tpc", "http"));
    ck_assert(made_pool_has_problem(&made, 4, "did you mean tcp?"));
}
END_TEST

START_TEST(a_refusing_backend_fails_once_with_a_reason_told_by_the_loop)
{
    prepare(checks[_i], port_reserve());
    start();
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(result_count, 1);
    ck_assert_uint_eq(over_count, 1);
    ck_assert_int_eq(outcome_told, CHECK_FAILED);
    ck_assert_str_eq(reason_told, "connection refused");
}
END_TEST

START_TEST(a_run_that_is_over_may_be_started_again)
{
    prepare(checks[_i], port_reserve());
    for (unsigned i = 1; i <= 3; i++) {
        start();
        run_until_over(i);
        ck_assert_uint_eq(result_count, i);
    }
}
END_TEST

START_TEST(no_descriptor_left_says_nothing_of_the_backend)
{
    struct rlimit before;
    prepare(checks[_i], port_reserve());
    getrlimit(RLIMIT_NOFILE, &before);
    struct rlimit none = {.rlim_cur = 0, .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    start();
    setrlimit(RLIMIT_NOFILE, &before);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(result_count, 1);
    ck_assert_uint_eq(over_count, 1);
    ck_assert_int_eq(outcome_told, CHECK_NOT_MADE);
    ck_assert_str_eq(reason_told, "too many open files");
}
END_TEST

static void stop(void)
{
    is_inside = true;
    check_stop(&run);
    is_inside = false;
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(over_count, 1);
}

START_TEST(a_run_that_is_stopped_tells_no_result)
{
    unsigned port = port_reserve();
    int fd = listen_on(port);
    prepare(checks[_i], port);
    start();
    stop();
    ck_assert_uint_eq(result_count, 0);
    close(fd);
}
END_TEST

START_TEST(a_run_that_failed_already_can_be_stopped_before_it_tells)
{
    prepare(checks[_i], port_reserve());
    start();
    stop();
    ck_assert_uint_eq(result_count, 0);
}
END_TEST

START_TEST(a_run_that_was_stopped_may_be_started_again)
{
    prepare(checks[_i], port_reserve());
    start();
    stop();
    start();
    run_until_over(2);
    ck_assert_uint_eq(result_count, 1);
    ck_assert_int_eq(outcome_told, CHECK_FAILED);
}
END_TEST

/* The owner's deadline passes while the backend keeps its end of the connection. */
static void stop_at_the_result(struct check_run *of, enum check_outcome outcome, const char *reason)
{
    on_result(of, outcome, reason);
    check_stop(of);
}

START_TEST(a_run_that_has_told_can_be_stopped_inside_its_result)
{
    unsigned port = port_reserve();
    prepare(checks[_i], port);
    run.on_result = stop_at_the_result;
    start();
    run_until_over(1);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(result_count, 1);
    ck_assert_uint_eq(over_count, 1);
}
END_TEST

/* Every check that asks over TCP passes or fails by what comes then; this one needs no more. */
START_TEST(tcp_passes_when_the_backend_accepts)
{
    unsigned port = port_reserve();
    int fd = listen_on(port);
    prepare(check_find("tcp"), port);
    start();
    run_until_over(1);
    ck_assert_int_eq(outcome_told, CHECK_PASSED);
    ck_assert_str_eq(reason_told, "connection accepted");
    close(fd);
}
END_TEST

static int count(void)
{
    int number = 0;
    while (checks[number])
        number++;
    return number;
}

static void add_tests(TCase *tcase)
{
    const TTest *const for_each[] = {
        it_introduces_itself,
        an_operator_can_write_its_name,
        only_one_that_speaks_tls_needs_a_pool_that_does,
        a_refusing_backend_fails_once_with_a_reason_told_by_the_loop,
        a_run_that_is_over_may_be_started_again,
        no_descriptor_left_says_nothing_of_the_backend,
        a_run_that_is_stopped_tells_no_result,
        a_run_that_failed_already_can_be_stopped_before_it_tells,
        a_run_that_was_stopped_may_be_started_again,
        a_run_that_has_told_can_be_stopped_inside_its_result,
    };
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, off_is_no_check);
    tcase_add_test(tcase, a_slip_of_the_pen_is_named);
    tcase_add_test(tcase, tcp_passes_when_the_backend_accepts);
    for (size_t i = 0; i < sizeof for_each / sizeof *for_each; i++)
        tcase_add_loop_test(tcase, for_each[i], 0, count());
}

CHECK_MAIN("every check", add_tests)
