/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/backend_report.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "lb/admin/admin.h"
#include "lb/admin/api.h"
#include "lb/base/nearest.h"
#include "lb/config/config.h"

const char *backend_report_state(const struct standing *standing)
{
    if (atomic_load(&standing->is_disabled))
        return "disabled";
    if (atomic_load(&standing->is_drained))
        return "drained";
    enum verdict verdict = atomic_load(&standing->verdict);
    if (verdict != VERDICT_DOWN && atomic_load(&standing->is_blocked))
        return "blocked";
    return verdict_name(verdict);
}

static bool is_left_out(const struct standing *standing)
{
    return atomic_load(&standing->verdict) != VERDICT_DOWN && atomic_load(&standing->is_blocked);
}

/* Of its state. What the last check of a backend said is no reason for an operator's order. */
static void write_reason(struct json_writer *writer, const struct standing *standing)
{
    char reason[64];
    bool is_down = atomic_load(&standing->verdict) == VERDICT_DOWN;
    bool is_ordered =
        atomic_load(&standing->is_disabled) || (atomic_load(&standing->is_drained) && !is_down);
    if (is_ordered) {
        writer_text(writer, "reason", NULL);
    } else if (is_left_out(standing)) {
        snprintf(reason, sizeof reason, "%u exchanges in a row failed",
                 atomic_load(&standing->blocked_after));
        writer_text(writer, "reason", reason);
    } else {
        writer_text(writer, "reason", standing->reason[0] ? standing->reason : NULL);
    }
}

/* Wall clock: since when its state is what it is; 0: nobody knows. */
static int64_t since_s(const struct standing *standing)
{
    if (atomic_load(&standing->is_drained))
        return standing->ordered_s;
    bool is_down = atomic_load(&standing->verdict) == VERDICT_DOWN;
    return atomic_load(&standing->is_blocked) && !is_down ? 0 : standing->since_s;
}

/* Until its block ends; 0: it is not blocked, or for no time that is known yet. */
static int64_t blocked_ms(const struct standing *standing)
{
    uint64_t now_ms = uv_hrtime() / 1000000; /* the base of every loop's time */
    if (!is_left_out(standing) || standing->blocked_until_ms <= now_ms)
        return 0;
    return (int64_t)(standing->blocked_until_ms - now_ms);
}

void backend_report_write(struct json_writer *writer, const struct pool *pool,
                          const struct backend *backend)
{
    const struct standing *standing = backend->standing;
    writer_text(writer, "name", backend->name);
    writer_text(writer, "address", backend->address.text);
    writer_number(writer, "weight", backend->weight);
    writer_number(writer, "share", pool->sequence->shares[backend->index]);
    writer_number(writer, "max_connections", backend->max_connections);
    writer_text(writer, "state", backend_report_state(standing));
    writer_text(writer, "verdict", verdict_name(atomic_load(&standing->verdict)));
    write_reason(writer, standing);
    writer_number(writer, "blocked_ms", blocked_ms(standing));
    writer_time(writer, "since", since_s(standing) * 1000);
    writer_number(writer, "check_ms", (int64_t)standing->took_ms);
    writer_number(writer, "active", atomic_load(standing->active));
    writer_number(writer, "served", (int64_t)standing_served(standing));
    writer_number(writer, "failed", (int64_t)atomic_load(&standing->failed));
    writer_number(writer, "failures_in_row", atomic_load(&standing->failures_in_row));
}

/* "there is no pool ap: did you mean app?" */
static void refuse_pool(struct api_request *request, const struct config *config, const char *name)
{
    struct nearest nearest = nearest_to(name);
    for (unsigned i = 0; i < config->pool_count; i++)
        nearest_offer(&nearest, config->pools[i]->name);
    if (nearest.best)
        api_refuse(request, 404, "no-such-pool", "there is no pool %s: did you mean %s?", name,
                   nearest.best);
    else
        api_refuse(request, 404, "no-such-pool", "there is no pool %s; lb status lists them", name);
}

static void refuse_backend(struct api_request *request, const struct pool *pool, const char *name)
{
    struct nearest nearest = nearest_to(name);
    for (unsigned i = 0; i < pool->backend_count; i++)
        nearest_offer(&nearest, pool->backends[i].name);
    if (nearest.best)
        api_refuse(request, 404, "no-such-backend",
                   "pool %s has no backend %s: did you mean %s/%s?", pool->name, name, pool->name,
                   nearest.best);
    else
        api_refuse(request, 404, "no-such-backend",
                   "pool %s has no backend %s; lb status lists them", pool->name, name);
}

static struct pool *find_pool(const struct config *config, const char *name)
{
    for (unsigned i = 0; i < config->pool_count; i++)
        if (strcmp(config->pools[i]->name, name) == 0)
            return config->pools[i];
    return NULL;
}

struct backend *backend_report_find(struct api_request *request, struct pool **ret_pool)
{
    const struct config *config = request->api->host->config(request->api->host);
    struct pool *pool = find_pool(config, request->parts[0]);
    if (!pool) {
        refuse_pool(request, config, request->parts[0]);
        return NULL;
    }
    for (unsigned i = 0; i < pool->backend_count; i++) {
        if (strcmp(pool->backends[i].name, request->parts[1]) != 0)
            continue;
        *ret_pool = pool;
        return &pool->backends[i];
    }
    refuse_backend(request, pool, request->parts[1]);
    return NULL;
}

void backend_report_answer(struct api_request *request, const struct pool *pool,
                           const struct backend *backend, int changed)
{
    struct json_writer writer = {0};
    writer_object(&writer, NULL);
    writer_text(&writer, "pool", pool->name);
    if (changed >= 0)
        writer_flag(&writer, "changed", changed > 0);
    writer_object(&writer, "backend");
    backend_report_write(&writer, pool, backend);
    writer_end(&writer);
    writer_end(&writer);
    api_answer(request, 200, &writer);
}

void backend_report_get(struct api_request *request)
{
    struct pool *pool;
    const struct backend *backend = backend_report_find(request, &pool);
    if (backend)
        backend_report_answer(request, pool, backend, -1);
}
