/* SPDX-License-Identifier: Apache-2.0 */
/* The sections of lb status about who comes: whose CAs' clients, who was refused, and
 * who was revoked. */
#ifndef LB_COMMANDS_STATUS_CLIENTS_VIEW_H
#define LB_COMMANDS_STATUS_CLIENTS_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/**
 * Write "client_cas", "refusals" and what status_revocation_view.h has of what GET /v1/status
 * answered; nothing where there are none.
 *
 * all      every one, however many there are; else the first STATUS_VIEW_ROWS of each
 */
void status_clients_view_write(const json_t *status, bool all, bool with_colour, FILE *out);

#endif
