/* SPDX-License-Identifier: Apache-2.0 */
/* CAs as people read them. */
#ifndef LB_COMMANDS_CA_VIEW_H
#define LB_COMMANDS_CA_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/** What GET /v1/cas answered, as a table. */
void ca_view_list(const json_t *answer, int64_t now_s, bool with_colour, FILE *out);

/** All that is known of one CA. */
void ca_view_show(const json_t *ca, int64_t now_s, FILE *out);

/** "www.example.com, *.example.org"; "no host" */
void ca_view_hosts(const json_t *ca, FILE *out);

#endif
