/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The standard health protocol of gRPC (grpc.health.v1.Health/Check) as bytes: its question, and
 * what an answer to it means. Pure; no state, no I/O.
 *
 *   message = compressed(1) length(4) HealthCheckRequest | HealthCheckResponse
 *   HealthCheckRequest  { string service = 1; }
 *   HealthCheckResponse { enum status = 1; }    UNKNOWN 0, SERVING 1, NOT_SERVING 2,
 *                                               SERVICE_UNKNOWN 3
 */
#ifndef LB_BACKENDS_HEALTH_GRPC_HEALTH_H
#define LB_BACKENDS_HEALTH_GRPC_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/health/check_answer.h"

#define GRPC_HEALTH_PATH "/grpc.health.v1.Health/Check"

enum {
    /* A name of a service, as health_check_service takes it. */
    GRPC_SERVICE_BYTES = 199,
    /* Prefix, tag, a length of up to two bytes, name. */
    GRPC_QUESTION_BYTES = 5 + 1 + 2 + GRPC_SERVICE_BYTES,
};

/**
 * Write the body of the request.
 *
 * service  whose health is asked about; "": that of the server as a whole. At most
 *          GRPC_SERVICE_BYTES long, valid UTF-8
 * returns  how many bytes of `into` it is
 */
size_t grpc_health_ask(const char *service, uint8_t into[GRPC_QUESTION_BYTES]);

/**
 * Is what answered serving? The answer must be whole, of status 200 and application/grpc, with
 * grpc-status 0 and one uncompressed message of at most CHECK_BODY_BYTES, prefix included, that is
 * well-formed and says SERVING; anything else is down.
 *
 * reason, room  in words why or why not, cut there: "serving", "not serving", "grpc-status 12
 *               (unimplemented): …"
 * Thread:       any.
 */
bool grpc_health_judge(const struct check_answer *answer, char *reason, size_t room);

#endif
