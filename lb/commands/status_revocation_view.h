/* SPDX-License-Identifier: Apache-2.0 */
/* The section of lb status about revoked clients: which lists are in force, and what OCSP
 * responders said. */
#ifndef LB_COMMANDS_STATUS_REVOCATION_VIEW_H
#define LB_COMMANDS_STATUS_REVOCATION_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/**
 * Write "crls" and "ocsp" of what GET /v1/status answered, one line a list, trouble first; nothing
 * where there are none.
 *
 * all      every list, however many there are; else the first STATUS_VIEW_ROWS
 */
void status_revocation_view_write(const json_t *status, bool all, bool with_colour, FILE *out);

#endif
