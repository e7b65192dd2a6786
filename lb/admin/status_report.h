/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that lb status shows. */
#ifndef LB_ADMIN_STATUS_REPORT_H
#define LB_ADMIN_STATUS_REPORT_H

struct api_request;

/**
 * GET /v1/status[?rules=N]: lb itself, its config, listeners, rules (the first N in the file's
 * order, all of them unless it is said; rule_count tells how many there are) and pools with their
 * backends. Thread: control; a thousand backends and ten thousand rules cost it a few milliseconds.
 */
void status_report_get(struct api_request *request);

#endif
