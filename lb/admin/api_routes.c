/* SPDX-License-Identifier: Apache-2.0 */
/* The whole API: what is new gets a row here and a file that handles it. */
#include <stddef.h>

#include "lb/admin/api_route.h"
#include "lb/admin/backend_orders.h"
#include "lb/admin/backend_report.h"
#include "lb/admin/explain_call.h"
#include "lb/admin/metrics.h"
#include "lb/admin/registry/registry_api.h"
#include "lb/admin/registry/registry_call.h"
#include "lb/admin/reload_order.h"
#include "lb/admin/status_report.h"
#include "lb/explain/explanation_question.h"

const char *const api_keys_of_handler[] = {NULL};

static const char *const status_keys[] = {"rules", NULL};

// clang-format off
const struct api_route api_routes[] = {
    {HTTP_GET,  "/metrics",                   0, metrics_get, NULL},
    {HTTP_GET,  "/v1/status",                 0, status_report_get, status_keys},
    {HTTP_GET,  "/v1/backends/{}/{}",         0, backend_report_get, NULL},
    {HTTP_POST, "/v1/backends/{}/{}/drain",   0, backend_orders_drain, NULL},
    {HTTP_POST, "/v1/backends/{}/{}/disable", 0, backend_orders_disable, NULL},
    {HTTP_POST, "/v1/backends/{}/{}/enable",  0, backend_orders_enable, NULL},
    {HTTP_POST, "/v1/reload",                 0, reload_order_post, NULL},
    {HTTP_POST, "/v1/explain",                QUESTION_BODY_BYTES, explain_call_post, NULL},
#define CALL(method, path, body_bytes, lane, steps) {method, path, body_bytes, registry_api_handle, api_keys_of_handler},
#include "lb/admin/registry/registry_calls.def"
#undef CALL
    {0},
};
// clang-format on
