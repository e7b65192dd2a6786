/* SPDX-License-Identifier: Apache-2.0 */
/* An operator asks for a reload, and gets to know how it went. */
#ifndef LB_ADMIN_RELOAD_ORDER_H
#define LB_ADMIN_RELOAD_ORDER_H

#include <stdbool.h>

struct api_request;
struct json_writer;
struct problems;

/**
 * POST /v1/reload: 200 {"reloaded": true, "warnings": […]} once the new config is in force; 422
 * {"reloaded": false, "problems": […]} when everything stays as it was. A problem is {"file",
 * "line" (0: the whole file), "severity": "error" | "warning", "text"}. Thread: control.
 */
void reload_order_post(struct api_request *request);

/** The member "warnings" or "problems" of such an answer. */
void reload_order_write(struct json_writer *writer, bool is_in_force,
                        const struct problems *problems);

#endif
