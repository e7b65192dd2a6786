/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does the backend accept a TCP connection? It is closed again without a byte; nothing is learned
 * about what the backend would answer.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backends/check.h"
#include "lb/base/list.h"
#include "lb/base/socket.h"

static void report(struct check_run *run)
{
    run->closing = false;
    if (run->on_stopped) {
        check_stopped stopped = run->on_stopped;
        run->on_stopped = NULL;
        stopped(run);
        return;
    }
    run->on_finished(run, run->passed, run->reason);
}

static void on_connection_closed(struct connection *connection)
{
    report(LIST_OWNER(connection, struct check_run, connection));
}

static void on_soon_closed(uv_handle_t *soon)
{
    report(soon->data);
}

/* failure: 0 or an errno. */
static void settle(struct check_run *run, int failure)
{
    run->passed = failure == 0;
    snprintf(run->reason, sizeof run->reason, "%s",
             failure == 0 ? "connection accepted" : strerror(failure));
}

static void on_decided(struct connection *connection, int events)
{
    (void)events; /* whichever it is, the connect is decided */
    struct check_run *run = LIST_OWNER(connection, struct check_run, connection);
    settle(run, socket_connect_result(connection->fd));
    run->closing = true;
    connection_close(connection, on_connection_closed);
}

/* 0, or the errno that made it impossible. */
static int connect_run(struct check_run *run)
{
    int fd = socket_connect(&run->address);
    if (fd < 0)
        return errno ? errno : EIO;
    if (!connection_open(&run->connection, run->context, fd, on_decided, NULL))
        return ENOMEM;
    connection_await_writable(&run->connection);
    return 0;
}

static void start(struct check_run *run)
{
    int failure = connect_run(run);
    if (failure == 0)
        return;
    /* Known at once, told by the loop: a timer that is only closed calls back from there. */
    settle(run, failure);
    run->closing = true;
    uv_timer_init(run->context->loop, &run->soon);
    run->soon.data = run;
    uv_close((uv_handle_t *)&run->soon, on_soon_closed);
}

static void stop(struct check_run *run, check_stopped stopped)
{
    run->on_stopped = stopped;
    if (run->closing)
        return;
    run->closing = true;
    connection_close(&run->connection, on_connection_closed);
}

// clang-format off
const struct check check_tcp = {
    .name    = "tcp",
    .summary = "up when the backend accepts a TCP connection",
    .start   = start,
    .stop    = stop,
};
// clang-format on
