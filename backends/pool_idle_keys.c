/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/pool_idle_keys.h"

#include <string.h>

#include "backends/pool.h"
#include "lb/base/error.h"

/* A key that may have been set. */
struct key {
    const char *name;
    unsigned line; /* 0: it was not */
};

/* Whose keys they are, where problems are told, and why these keys mean nothing. */
struct warning {
    const struct pool *pool;
    const char *file;
    struct problems *problems;
    const char *why; /* behind "pool NAME " */
};

static void warn(const struct warning *warning, const struct key *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (keys[i].line > 0)
            problems_warn(warning->problems, warning->file, keys[i].line,
                          "%s has no effect: pool %s %s", keys[i].name, warning->pool->name,
                          warning->why);
}

static void warn_of_queue(struct warning *warning)
{
    const struct pool_options *options = warning->pool->options;
    const struct key keys[] = {
        {"queue_timeout", options->queue_timeout_line},
        {"max_queue", options->max_queue_line},
    };
    if (!warning->pool->is_limited) {
        warning->why = "has no backend with max_connections, so that nobody waits";
        warn(warning, keys, 2);
    } else if (options->max_queue == 0) {
        warning->why = "lets nobody wait (max_queue = 0)";
        warn(warning, keys, 1);
    }
}

/* What a check asks for, and does not ask for if it is of another kind. */
static void warn_of_request(struct warning *warning, const char *check)
{
    const struct pool_options *options = warning->pool->options;
    const struct key http[] = {
        {"health_check_method", options->health_check_method_line},
        {"health_check_path", options->health_check_path_line},
        {"health_check_codes", options->health_check_codes_line},
    };
    const struct key host = {"health_check_host", options->health_check_host_line};
    const struct key service = {"health_check_service", options->health_check_service_line};
    bool asks_nothing = strcmp(check, "off") == 0 || strcmp(check, "tcp") == 0;
    bool is_grpc = strcmp(check, "grpc") == 0;
    if (is_grpc)
        warning->why = "asks about a service (health_check = grpc): http and https ask for that";
    if (asks_nothing || is_grpc)
        warn(warning, http, sizeof http / sizeof *http);
    if (asks_nothing)
        warn(warning, &host, 1);
    if (!asks_nothing)
        warning->why = "does not ask about a service: health_check = grpc does";
    if (!is_grpc)
        warn(warning, &service, 1);
}

static void warn_of_checks(struct warning *warning)
{
    const struct pool_options *options = warning->pool->options;
    const char *check = options->health_check ? options->health_check : "";
    const struct key every[] = {
        {"health_check_port", options->health_check_port_line},
        {"health_check_interval", options->health_check_interval_line},
        {"health_check_timeout", options->health_check_timeout_line},
        {"healthy_threshold", options->healthy_threshold_line},
        {"unhealthy_threshold", options->unhealthy_threshold_line},
    };
    bool is_off = strcmp(check, "off") == 0;
    warning->why = is_off ? "checks no backend (health_check = off)"
                          : "only opens connections (health_check = tcp): http and https ask";
    warn_of_request(warning, check);
    if (is_off)
        warn(warning, every, sizeof every / sizeof *every);
}

static void warn_of_block(struct warning *warning)
{
    const struct pool_options *options = warning->pool->options;
    const struct key block = {"passive_block", options->passive_block_line};
    if (options->passive_failures > 0)
        return;
    warning->why = "never leaves a backend out for that (passive_failures = 0)";
    warn(warning, &block, 1);
}

void pool_idle_keys_warn(const struct pool *pool, const char *file, struct problems *problems)
{
    struct warning warning = {pool, file, problems, NULL};
    warn_of_queue(&warning);
    warn_of_checks(&warning);
    warn_of_block(&warning);
}
