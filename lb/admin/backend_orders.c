/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/backend_orders.h"

#include "lb/admin/admin.h"
#include "lb/admin/api.h"
#include "lb/admin/backend_report.h"
#include "lb/base/log.h"
#include "lb/base/timestamp.h"

struct order {
    const char *event; /* of its log line */
    bool drained;
    bool disabled;
};

static void log_change(const struct api_request *request, const struct order *order,
                       const struct pool *pool, const struct backend *backend)
{
    struct log_line line;
    api_audit(request, &line, order->event);
    log_text(&line, "pool", pool->name);
    log_text(&line, "backend", backend->name);
    log_text(&line, "address", backend->address.text);
    log_number(&line, "active", atomic_load(backend->standing->active));
    log_end(&line);
}

static void obey(struct api_request *request, const struct order *order)
{
    struct admin_host *host = request->api->host;
    struct pool *pool;
    struct backend *backend = backend_report_find(request, &pool);
    if (!backend)
        return;
    struct standing *standing = backend->standing;
    bool was_drained = atomic_exchange(&standing->is_drained, order->drained);
    bool was_disabled = atomic_exchange(&standing->is_disabled, order->disabled);
    bool changed = was_drained != order->drained || was_disabled != order->disabled;
    if (was_drained != order->drained)
        host->publish(host, pool);
    if (changed) {
        standing->ordered_s = timestamp_now_ms() / 1000;
        log_change(request, order, pool, backend);
    }
    backend_report_answer(request, pool, backend, changed);
}

void backend_orders_drain(struct api_request *request)
{
    static const struct order drain = {"backend.drained", true, false};
    obey(request, &drain);
}

void backend_orders_disable(struct api_request *request)
{
    static const struct order disable = {"backend.disabled", true, true};
    obey(request, &disable);
}

void backend_orders_enable(struct api_request *request)
{
    static const struct order enable = {"backend.enabled", false, false};
    obey(request, &enable);
}
