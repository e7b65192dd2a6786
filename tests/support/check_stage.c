/* SPDX-License-Identifier: Apache-2.0 */
/* See check_stage.h. */
#include "tests/support/check_stage.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lb/base/list.h"
#include "tests/support/port.h"

static struct check_stage *stage_of(struct check_run *run)
{
    return LIST_OWNER(run, struct check_stage, run);
}

static void on_result(struct check_run *run, enum check_outcome outcome, const char *reason)
{
    struct check_stage *stage = stage_of(run);
    stage->result_count++;
    stage->outcome = outcome;
    snprintf(stage->reason, sizeof stage->reason, "%s", reason);
}

static void on_over(struct check_run *run)
{
    stage_of(run)->over_count++;
}

void check_stage_begin(struct check_stage *stage)
{
    memset(stage, 0, sizeof *stage);
    stage->port = port_reserve();
    stage->listener = port_listen(stage->port, 8, 0);
    stage->peer = -1;
    uv_loop_init(&stage->loop);
    loop_context_init(&stage->context, &stage->loop);
    made_pool_begin(&stage->made);
}

void check_stage_end(struct check_stage *stage)
{
    close(stage->listener);
    if (stage->peer >= 0)
        close(stage->peer);
    ck_assert_ptr_null(stage->run.h2);
    ck_assert_uint_eq(stage->context.buffers.lent_count, 0);
    loop_context_close(&stage->context);
    uv_run(&stage->loop, UV_RUN_DEFAULT);
    loop_context_done(&stage->context);
    ck_assert_int_eq(uv_loop_close(&stage->loop), 0);
    made_pool_end(&stage->made);
}

void check_stage_start(struct check_stage *stage, const char *name)
{
    struct check_run *run = &stage->run;
    char value[64];
    snprintf(value, sizeof value, "rs-1 127.0.0.1:%u", stage->port);
    made_pool_key(&stage->made, "backend", value);
    ck_assert(made_pool_prepare(&stage->made));
    run->check = check_find(name);
    run->pool = &stage->made.pool;
    run->backend = &stage->made.pool.backends[0];
    run->address = stage->made.pool.backends[0].address;
    run->context = &stage->context;
    run->on_result = on_result;
    run->on_over = on_over;
    check_start(run);
    check_stage_accept(stage);
}

void check_stage_accept(struct check_stage *stage)
{
    stage->peer = accept4(stage->listener, NULL, NULL, SOCK_CLOEXEC);
    ck_assert_int_ge(stage->peer, 0);
}

void check_stage_await_result(struct check_stage *stage)
{
    while (stage->result_count == 0)
        uv_run(&stage->loop, UV_RUN_ONCE);
}

void check_stage_await_over(struct check_stage *stage)
{
    while (stage->over_count == 0)
        uv_run(&stage->loop, UV_RUN_ONCE);
}

void check_stage_stop(struct check_stage *stage)
{
    check_stop(&stage->run);
    check_stage_await_over(stage);
}
