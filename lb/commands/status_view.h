/* SPDX-License-Identifier: Apache-2.0 */
/* The pages of lb status, for people: who is not well stands first. */
#ifndef LB_COMMANDS_STATUS_VIEW_H
#define LB_COMMANDS_STATUS_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Longer lists are cut, and say so, unless all is asked for. */
enum { STATUS_VIEW_ROWS = 20 };

/**
 * Write what GET /v1/status answered. Members that are missing (another version of lb) are shown as
 * "-" or 0.
 *
 * all      every backend and every rule, however many there are
 */
void status_view_write(const json_t *status, bool all, bool with_colour, FILE *out);

#endif
