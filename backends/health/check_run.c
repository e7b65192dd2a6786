/* SPDX-License-Identifier: Apache-2.0 */
/* See check_run.h. */
#include "backends/health/check_run.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lb/base/list.h"
#include "lb/base/socket.h"

/* The log's other reasons begin with a small letter, too. */
static void set_failure(struct check_run *run, int failure)
{
    run->outcome = socket_is_shortage(failure) ? CHECK_NOT_MADE : CHECK_FAILED;
    snprintf(run->reason, sizeof run->reason, "%s", strerror(failure));
    run->reason[0] = (char)tolower((unsigned char)run->reason[0]);
}

static void be_over(struct check_run *run)
{
    run->state = CHECK_IDLE;
    run->on_over(run);
}

static void on_connection_closed(struct connection *connection)
{
    struct check_run *run = LIST_OWNER(connection, struct check_run, connection);
    buffer_give(&run->context->buffers, &run->heard);
    if (run->release)
        run->release(run);
    run->release = NULL;
    be_over(run);
}

/* The result is known: what was said is told to the end, silence is just closed. */
static void end(struct check_run *run)
{
    run->state = CHECK_ENDING;
    if (run->connection.sent_bytes > 0)
        connection_linger(&run->connection, on_connection_closed);
    else
        connection_close(&run->connection, on_connection_closed);
    run->on_result(run, run->outcome, run->reason);
}

void check_finish(struct check_run *run, enum check_outcome outcome, const char *format, ...)
{
    va_list list;
    assert(run->state == CHECK_CONNECTING || run->state == CHECK_ASKING);
    run->outcome = outcome;
    va_start(list, format);
    vsnprintf(run->reason, sizeof run->reason, format, list);
    va_end(list);
    end(run);
}

/* Of a run without TLS, the user may be of an earlier one. */
static bool showed_nothing(const struct check_run *run)
{
    return run->connection.ssl && run->tls_user.showed_nothing;
}

void check_fail(struct check_run *run)
{
    const struct connection *connection = &run->connection;
    bool is_ours = socket_is_shortage(connection->failure);
    char reason[STANDING_REASON_BYTES];
    if (connection->tls_failed && !is_ours)
        backend_tls_explain(connection, run->tls_name, reason, sizeof reason);
    else
        snprintf(reason, sizeof reason, "%s%s", connection_failure(connection),
                 showed_nothing(run) ? " (" BACKEND_TLS_SHOWED_NOTHING ")" : "");
    check_finish(run, is_ours ? CHECK_NOT_MADE : CHECK_FAILED, "%s", reason);
}

static void cut(struct check_run *run, const char *within)
{
    check_finish(run, CHECK_FAILED, "connection closed %s%s%s", within ? "within " : "",
                 within ? within : "without an answer",
                 !within && showed_nothing(run) ? " (" BACKEND_TLS_SHOWED_NOTHING ")" : "");
}

bool check_flush(struct check_run *run, int events)
{
    bool is_dead = events & CONNECTION_WRITABLE &&
                   connection_flush(&run->connection) == IO_FAILED &&
                   !(events & CONNECTION_READABLE);
    if (is_dead)
        check_fail(run);
    return !is_dead;
}

size_t check_read(struct check_run *run, size_t room, const char *within)
{
    size_t got = 0;
    switch (connection_read(&run->connection, run->context->plain, room, &got)) {
    case IO_DONE:
        return got;
    case IO_AGAIN:
        break;
    case IO_END:
        cut(run, within);
        break;
    case IO_FAILED:
        check_fail(run);
        break;
    }
    return 0;
}

const char *check_host(const struct check_run *run)
{
    return run->pool->check_host ? run->pool->check_host : run->address.text;
}

static void on_ready(struct connection *connection, int events)
{
    struct check_run *run = LIST_OWNER(connection, struct check_run, connection);
    if (run->state == CHECK_ASKING) {
        run->check->ready(run, events);
        return;
    }
    int failure = socket_connect_result(connection->fd);
    if (failure == 0) {
        run->state = CHECK_ASKING;
        run->check->connected(run);
        return;
    }
    set_failure(run, failure);
    end(run);
}

/* 0, or the errno that made it impossible. */
static int connect_run(struct check_run *run)
{
    int fd = socket_connect(&run->address);
    if (fd < 0)
        return errno ? errno : EIO;
    if (!connection_open(&run->connection, run->context, fd, on_ready, NULL))
        return ENOMEM;
    connection_await_writable(&run->connection);
    return 0;
}

static void on_soon_closed(uv_handle_t *soon)
{
    struct check_run *run = soon->data;
    if (!run->is_stopped)
        run->on_result(run, run->outcome, run->reason);
    be_over(run);
}

void check_start(struct check_run *run)
{
    assert(run->state == CHECK_IDLE);
    run->is_stopped = false;
    run->interim_count = 0;
    run->state = CHECK_CONNECTING;
    int failure = connect_run(run);
    if (failure == 0)
        return;
    /* Known at once, told by the loop: a timer that is only closed calls back from there. */
    set_failure(run, failure);
    run->state = CHECK_TELLING;
    uv_timer_init(run->context->loop, &run->soon);
    run->soon.data = run;
    uv_close((uv_handle_t *)&run->soon, on_soon_closed);
}

void check_stop(struct check_run *run)
{
    assert(run->state != CHECK_IDLE);
    run->is_stopped = true;
    if (run->state == CHECK_TELLING)
        return;
    run->state = CHECK_ENDING;
    connection_close(&run->connection, on_connection_closed);
}
