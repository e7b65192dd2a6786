/* SPDX-License-Identifier: Apache-2.0 */
/* Does the backend say by the standard health protocol of gRPC that it serves? */
#include <stdio.h>

#include "backends/health/check_h2.h"
#include "backends/health/grpc_health.h"

_Static_assert((size_t)GRPC_QUESTION_BYTES <= CHECK_H2_BODY_BYTES,
               "the longest name of a service fits");

/* Servers know from grpc-timeout how long somebody waits. */
static void compose(const struct check_run *run, struct check_h2_request *request)
{
    const struct pool_options *options = run->pool->options;
    const char *service = options->health_check_service;
    snprintf(request->made, sizeof request->made, "%um", options->health_check_timeout);
    request->method = "POST";
    request->path = GRPC_HEALTH_PATH;
    request->fields[0] = (struct check_h2_field){"te", "trailers"};
    request->fields[1] = (struct check_h2_field){"content-type", "application/grpc"};
    request->fields[2] = (struct check_h2_field){"grpc-timeout", request->made};
    request->field_count = 3;
    request->body_length = grpc_health_ask(service ? service : "", request->body);
}

static void judge(struct check_run *run, const struct check_answer *answer)
{
    char reason[STANDING_REASON_BYTES];
    bool is_serving = grpc_health_judge(answer, reason, sizeof reason);
    check_finish(run, is_serving ? CHECK_PASSED : CHECK_FAILED, "%s", reason);
}

static void connected(struct check_run *run)
{
    static const struct check_h2_kind kind = {compose, judge, true};
    check_h2_connected(run, &kind, run->tls != NULL);
}

// clang-format off
const struct check check_grpc = {
    .name        = "grpc",
    .summary     = "up when the backend says so by gRPC's health protocol (grpc.health.v1.Health), over TLS where links are",
    .http        = 2,
    .follows_tls = true,
    .connected   = connected,
    .ready       = check_h2_ready,
};
// clang-format on
