/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does the backend accept a TCP connection? It is closed again without a byte; nothing is learned
 * about what the backend would answer.
 */
#include "backends/health/check_run.h"

static void connected(struct check_run *run)
{
    check_finish(run, CHECK_PASSED, "connection accepted");
}

static void ready(struct check_run *run, int events)
{
    (void)run; /* never called: the result was known when the connection stood */
    (void)events;
}

// clang-format off
const struct check check_tcp = {
    .name      = "tcp",
    .summary   = "up when the backend accepts a TCP connection",
    .connected = connected,
    .ready     = ready,
};
// clang-format on
