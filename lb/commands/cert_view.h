/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates as people read them. */
#ifndef LB_COMMANDS_CERT_VIEW_H
#define LB_COMMANDS_CERT_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/** "certificates" of GET /v1/certificates as a table. */
void cert_view_list(const json_t *answer, int64_t now_s, bool with_colour, FILE *out);

/** What GET /v1/certificates/SERIAL answered: fields, history, who is connected. */
void cert_view_show(const json_t *answer, int64_t now_s, bool with_colour, FILE *out);

/** "changes" of GET /v1/audit, or "history" of a certificate, as a table.
 * with_subject: and whom each was about, with the serial. */
void cert_view_changes(const json_t *changes, bool with_subject, bool with_colour, FILE *out);

#endif
