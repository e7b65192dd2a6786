/* SPDX-License-Identifier: Apache-2.0 */
/* What the API says of a backend. */
#ifndef LB_ADMIN_BACKEND_REPORT_H
#define LB_ADMIN_BACKEND_REPORT_H

#include "backends/pool.h"
#include "lb/admin/json_writer.h"

struct api_request;

/** What it is for those who want to send something there: "disabled", "drained", "blocked", else
 * its verdict. Static. */
const char *backend_report_state(const struct standing *standing);

/** Write its members into an object that is open. Thread: control. */
void backend_report_write(struct json_writer *writer, const struct pool *pool,
                          const struct backend *backend);

/** GET /v1/backends/{pool}/{backend}: {"pool": …, "backend": {…}}. */
void backend_report_get(struct api_request *request);

/**
 * The backend that a request's path names.
 *
 * returns  NULL: there is none, and the request was refused with the nearest name: it is gone
 */
struct backend *backend_report_find(struct api_request *request, struct pool **ret_pool);

/** Answer with the backend as it is now. changed: whether it was just changed; -1: nobody tried. */
void backend_report_answer(struct api_request *request, const struct pool *pool,
                           const struct backend *backend, int changed);

#endif
