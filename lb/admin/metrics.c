/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/metrics.h"

#include <openssl/crypto.h>
#include <string.h>

#include "backends/queue.h"
#include "lb/admin/admin.h"
#include "lb/admin/api.h"
#include "lb/admin/backend_report.h"
#include "lb/admin/metrics_writer.h"
#include "lb/config/config.h"
#include "listeners/registry/registry.h"
#include "listeners/registry/view.h"
#include "listeners/tally.h"

/* --- lb itself ----------------------------------------------------------------------------- */

static void write_build(struct metrics *metrics)
{
    metrics_family(metrics, "lb_build_info", METRIC_GAUGE,
                   "1; the labels say which lb runs, and with which OpenSSL.");
    metrics_sample(metrics);
    metrics_label(metrics, "version", LB_VERSION);
    metrics_label(metrics, "openssl", OpenSSL_version(OPENSSL_VERSION_STRING));
    metrics_value(metrics, 1);
}

static void write_reloads(struct metrics *metrics, const struct admin_facts *facts)
{
    metrics_one(metrics, "lb_config_loaded_seconds", METRIC_GAUGE,
                "When the config in force was loaded, in seconds since 1970.",
                facts->loaded_ms / 1000);
    metrics_one(metrics, "lb_reload_is_failed", METRIC_GAUGE,
                "1: the last reload failed and changed nothing.", facts->reload_failed_ms != 0);
    metrics_family(metrics, "lb_reloads_total", METRIC_COUNTER,
                   "Reloads of the config, asked for or because client CAs have changed.");
    metrics_sample(metrics);
    metrics_label(metrics, "result", "success");
    metrics_value(metrics, (int64_t)facts->reload_count);
    metrics_sample(metrics);
    metrics_label(metrics, "result", "failure");
    metrics_value(metrics, (int64_t)facts->reload_failure_count);
}

static void write_lb(struct metrics *metrics, struct admin_host *host)
{
    struct admin_facts facts = {0};
    host->tell(host, &facts);
    write_build(metrics);
    metrics_one(metrics, "lb_started_seconds", METRIC_GAUGE,
                "When lb was started, in seconds since 1970.", facts.started_ms / 1000);
    metrics_one(metrics, "lb_workers", METRIC_GAUGE, "Threads that serve clients.",
                facts.worker_count);
    write_reloads(metrics, &facts);
}

static void write_clients(struct metrics *metrics, struct admin_host *host)
{
    const struct config *config = host->config(host);
    metrics_family(metrics, "lb_clients", METRIC_GAUGE, "Open connections of clients.");
    for (unsigned i = 0; i < config->listener_count; i++) {
        metrics_sample(metrics);
        metrics_label(metrics, "listener", config->listeners[i].name);
        metrics_value(metrics, host->client_count(host, config->listeners[i].name));
    }
}

/* --- refusals ------------------------------------------------------------------------------ */

static bool is_in_force(const struct config *config, const struct tally *tally)
{
    for (unsigned i = 0; i < config->listener_count; i++)
        if (config->listeners[i].tally == tally)
            return true;
    return false;
}

/* Of listeners in force those that are 0, too: who watches for a rise must have seen the 0. */
static void write_tally(struct metrics *metrics, const struct tally *tally, bool with_zeros)
{
    for (unsigned place = 0; place < TALLY_PLACE_COUNT; place++) {
        for (unsigned refusal = REFUSAL_NONE + 1; refusal < REFUSAL_COUNT; refusal++) {
            uint64_t count = tally_read(tally, (enum tally_place)place, (enum refusal)refusal);
            if (count == 0 &&
                !(with_zeros && tally_can_have((enum tally_place)place, (enum refusal)refusal)))
                continue;
            metrics_sample(metrics);
            metrics_label(metrics, "listener", tally->listener);
            metrics_label(metrics, "where", tally_place_name((enum tally_place)place));
            metrics_label(metrics, "reason", refusal_name((enum refusal)refusal));
            metrics_value(metrics, (int64_t)count);
        }
    }
}

static void write_refusals(struct metrics *metrics, struct admin_host *host)
{
    const struct listener_services *services = host->services(host);
    if (!services->tallies)
        return;
    metrics_family(metrics, "lb_refusals_total", METRIC_COUNTER,
                   "Clients refused before any request (where=handshake), requests refused "
                   "(request), open connections closed (closed), by the reason in the log.");
    for (const struct tally *tally = tallies_first(services->tallies); tally; tally = tally->next)
        write_tally(metrics, tally, is_in_force(host->config(host), tally));
}

/* Of those in force. */
static void write_faults(struct metrics *metrics, const struct config *config)
{
    metrics_family(metrics, "lb_bad_requests_total", METRIC_COUNTER,
                   "Requests at fault whoever sends them: no rule for them, or a wrong form.");
    for (unsigned i = 0; i < config->listener_count; i++) {
        const struct listener *listener = &config->listeners[i];
        for (unsigned fault = 0; listener->tally && fault < TALLY_FAULT_COUNT; fault++) {
            metrics_sample(metrics);
            metrics_label(metrics, "listener", listener->name);
            metrics_label(metrics, "reason", tally_fault_name((enum tally_fault)fault));
            metrics_value(metrics,
                          (int64_t)tally_read_fault(listener->tally, (enum tally_fault)fault));
        }
    }
}

/* --- backends ------------------------------------------------------------------------------ */

static int64_t is_up(const struct standing *standing)
{
    return atomic_load(&standing->verdict) != VERDICT_DOWN;
}

static int64_t is_in_use(const struct standing *standing)
{
    return standing_is_available(standing);
}

static int64_t active(const struct standing *standing)
{
    return atomic_load(standing->active);
}

static int64_t served(const struct standing *standing)
{
    return (int64_t)standing_served(standing);
}

static int64_t failed(const struct standing *standing)
{
    return (int64_t)atomic_load(&standing->failed);
}

static const struct {
    const char *name;
    enum metric_type type;
    const char *help;
    int64_t (*read)(const struct standing *standing);
} backend_families[] = {
    {"lb_backend_up", METRIC_GAUGE, "0: its health checks say that it is down.", is_up},
    {"lb_backend_in_use", METRIC_GAUGE,
     "0: it gets nothing new, because it is down, blocked, drained or disabled.", is_in_use},
    {"lb_backend_active", METRIC_GAUGE, "Requests that it is working on.", active},
    {"lb_backend_served_total", METRIC_COUNTER, "Answers that it has begun.", served},
    {"lb_backend_failed_total", METRIC_COUNTER,
     "Requests that it refused, was late with, or left unfinished.", failed},
};

static void write_backend_family(struct metrics *metrics, const struct config *config,
                                 int64_t (*read)(const struct standing *standing))
{
    for (unsigned i = 0; i < config->pool_count; i++) {
        const struct pool *pool = config->pools[i];
        for (unsigned k = 0; k < pool->backend_count; k++) {
            metrics_sample(metrics);
            metrics_label(metrics, "pool", pool->name);
            metrics_label(metrics, "backend", pool->backends[k].name);
            metrics_value(metrics, read(pool->backends[k].standing));
        }
    }
}

static void write_pools(struct metrics *metrics, const struct config *config)
{
    for (size_t i = 0; i < sizeof backend_families / sizeof *backend_families; i++) {
        metrics_family(metrics, backend_families[i].name, backend_families[i].type,
                       backend_families[i].help);
        write_backend_family(metrics, config, backend_families[i].read);
    }
    metrics_family(metrics, "lb_pool_waiting", METRIC_GAUGE,
                   "Requests that wait for a place at a backend.");
    for (unsigned i = 0; i < config->pool_count; i++) {
        const struct pool *pool = config->pools[i];
        metrics_sample(metrics);
        metrics_label(metrics, "pool", pool->name);
        metrics_value(metrics, pool->queue ? atomic_load(&pool->queue->waiting) : 0);
    }
}

/* --- the registry -------------------------------------------------------------------------- */

static void write_registry(struct metrics *metrics, struct admin_host *host)
{
    const struct registry *registry = host->registry(host);
    const struct view *view = registry ? registry_view(registry) : NULL;
    if (!view)
        return;
    metrics_one(metrics, "lb_registry_certificates", METRIC_GAUGE,
                "Client certificates that the registry knows, but for deleted ones.",
                (int64_t)view_count(view));
    metrics_one(metrics, "lb_registry_bytes", METRIC_GAUGE, "Memory that they take.",
                (int64_t)view_bytes(view));
}

void metrics_get(struct api_request *request)
{
    struct admin_host *host = request->api->host;
    struct json_writer text = {0};
    struct metrics metrics = {.into = &text};
    write_lb(&metrics, host);
    write_clients(&metrics, host);
    metrics_write_traffic(&metrics, host);
    write_refusals(&metrics, host);
    write_faults(&metrics, host->config(host));
    metrics_write_access(&metrics, host);
    metrics_write_certificates(&metrics, host);
    metrics_write_crls(&metrics, host);
    write_pools(&metrics, host->config(host));
    write_registry(&metrics, host);
    request->media_type = METRICS_MEDIA_TYPE;
    api_answer(request, 200, &text);
}
