/* SPDX-License-Identifier: Apache-2.0 */
/* What http and https checks ask over their connection, and how they judge the answer. */
#ifndef LB_BACKENDS_HEALTH_CHECK_HTTP_H
#define LB_BACKENDS_HEALTH_CHECK_HTTP_H

#include "backends/health/check_run.h"
#include "lb/base/http1.h"

/** Send the request: health_check_method, _path and check_host, else the backend's address. */
void check_http_ask(struct check_run *run);

/**
 * Send on and read what there is; the final answer's head ends the check: it passes if its status
 * is among health_check_codes. 101 is final, other 1xx are waited behind, within bounds.
 *
 * events  as struct check's ready
 */
void check_http_hear(struct check_run *run, int events);

/** HTTP_HEAD or HTTP_GET, as health_check_method says. */
enum http_method check_http_method(const struct pool *pool);

/** Finish the check by the status of a final answer: it passes if that is among
 * health_check_codes. */
void check_http_judge(struct check_run *run, unsigned status);

#endif
