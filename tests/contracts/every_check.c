/* SPDX-License-Identifier: Apache-2.0 */
/* What every way to ask for health must keep: each test runs for each file in backends/checks/. */
#include "backends/check.h"

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
static unsigned finished_count;
static unsigned stopped_count;
static bool was_passed;
static char reason_told[CHECK_REASON_BYTES];

static void on_finished(struct check_run *of, bool passed, const char *reason)
{
    ck_assert_ptr_eq(of, &run);
    finished_count++;
    was_passed = passed;
    snprintf(reason_told, sizeof reason_told, "%s", reason);
}

static void on_stopped(struct check_run *of)
{
    ck_assert_ptr_eq(of, &run);
    stopped_count++;
}

static void begin(void)
{
    uv_loop_init(&loop);
    loop_context_init(&context, &loop);
    made_pool_begin(&made);
    finished_count = stopped_count = 0;
    memset(&run, 0, sizeof run);
}

/* A run that forgets a handle makes uv_loop_close fail. */
static void end(void)
{
    loop_context_close(&context);
    uv_run(&loop, UV_RUN_DEFAULT);
    loop_context_done(&context);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    made_pool_end(&made);
}

static void prepare(unsigned port)
{
    char value[64];
    snprintf(value, sizeof value, "rs-1 127.0.0.1:%u", port);
    made_pool_key(&made, "backend", value);
    ck_assert(made_pool_prepare(&made));
    run.pool = &made.pool;
    run.backend = &made.pool.backends[0];
    run.address = made.pool.backends[0].address;
    run.context = &context;
    run.on_finished = on_finished;
}

static int listen_on(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {htonl(INADDR_LOOPBACK)},
                                  .sin_port = htons((in_port_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(fd, 8), 0);
    return fd;
}

static void run_until_finished(unsigned count)
{
    while (finished_count < count)
        uv_run(&loop, UV_RUN_ONCE);
}

START_TEST(it_introduces_itself)
{
    const struct check *check = checks[_i];
    ck_assert_ptr_nonnull(check->start);
    ck_assert_ptr_nonnull(check->stop);
    ck_assert_uint_gt(strlen(check->name), 0);
    ck_assert_uint_gt(strlen(check->summary), 10);
    ck_assert_ptr_eq(check_find(check->name), check);
}
END_TEST

/* Is the pool fine when an operator asks for this check? */
static bool may_write(const char *name)
{
    made_pool_key(&made, "backend", "rs-1 127.0.0.1:9");
    made_pool_key(&made, "health_check", name);
    return made_pool_prepare(&made);
}

START_TEST(an_operator_can_write_its_name)
{
    ck_assert(may_write(checks[_i]->name));
    ck_assert_ptr_eq(made.pool.check, checks[_i]);
}
END_TEST

START_TEST(off_is_no_check)
{
    ck_assert(may_write("off"));
    ck_assert_ptr_null(made.pool.check);
}
END_TEST

START_TEST(a_slip_of_the_pen_is_named)
{
    ck_assert(!may_write("tpc"));
    ck_assert(made_pool_has_problem(&made, 3, "did you mean tcp?"));
}
END_TEST

START_TEST(a_refusing_backend_fails_once_with_a_reason_told_by_the_loop)
{
    prepare(port_reserve());
    checks[_i]->start(&run);
    ck_assert_uint_eq(finished_count, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(finished_count, 1);
    ck_assert(!was_passed);
    ck_assert_uint_gt(strlen(reason_told), 0);
}
END_TEST

START_TEST(a_run_that_finished_may_be_started_again)
{
    prepare(port_reserve());
    for (unsigned i = 1; i <= 3; i++) {
        checks[_i]->start(&run);
        run_until_finished(i);
    }
}
END_TEST

START_TEST(no_descriptor_left_fails_once_told_by_the_loop)
{
    struct rlimit before;
    prepare(port_reserve());
    getrlimit(RLIMIT_NOFILE, &before);
    struct rlimit none = {.rlim_cur = 0, .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    checks[_i]->start(&run);
    setrlimit(RLIMIT_NOFILE, &before);
    ck_assert_uint_eq(finished_count, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(finished_count, 1);
    ck_assert(!was_passed);
}
END_TEST

static void check_stop(const struct check *check)
{
    check->start(&run);
    check->stop(&run, on_stopped);
    ck_assert_uint_eq(stopped_count, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(stopped_count, 1);
    ck_assert_uint_eq(finished_count, 0);
}

START_TEST(a_run_that_is_stopped_tells_no_result)
{
    unsigned port = port_reserve();
    int fd = listen_on(port);
    prepare(port);
    check_stop(checks[_i]);
    close(fd);
}
END_TEST

START_TEST(a_run_that_failed_already_can_be_stopped_before_it_tells)
{
    prepare(port_reserve());
    check_stop(checks[_i]);
}
END_TEST

START_TEST(a_run_that_was_stopped_may_be_started_again)
{
    prepare(port_reserve());
    check_stop(checks[_i]);
    checks[_i]->start(&run);
    run_until_finished(1);
    ck_assert(!was_passed);
}
END_TEST

/* Every check that asks over TCP passes or fails by what comes then; this one needs no more. */
START_TEST(tcp_passes_when_the_backend_accepts)
{
    unsigned port = port_reserve();
    int fd = listen_on(port);
    prepare(port);
    check_find("tcp")->start(&run);
    run_until_finished(1);
    ck_assert(was_passed);
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
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, off_is_no_check);
    tcase_add_test(tcase, a_slip_of_the_pen_is_named);
    tcase_add_test(tcase, tcp_passes_when_the_backend_accepts);
    tcase_add_loop_test(tcase, it_introduces_itself, 0, count());
    tcase_add_loop_test(tcase, an_operator_can_write_its_name, 0, count());
    tcase_add_loop_test(tcase, a_refusing_backend_fails_once_with_a_reason_told_by_the_loop, 0,
                        count());
    tcase_add_loop_test(tcase, a_run_that_finished_may_be_started_again, 0, count());
    tcase_add_loop_test(tcase, no_descriptor_left_fails_once_told_by_the_loop, 0, count());
    tcase_add_loop_test(tcase, a_run_that_is_stopped_tells_no_result, 0, count());
    tcase_add_loop_test(tcase, a_run_that_failed_already_can_be_stopped_before_it_tells, 0,
                        count());
    tcase_add_loop_test(tcase, a_run_that_was_stopped_may_be_started_again, 0, count());
}

CHECK_MAIN("every check", add_tests)
