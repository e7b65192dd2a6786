/* SPDX-License-Identifier: Apache-2.0 */
/* The answer of POST /v1/explain as people read it: the decision in the first line, then the way
 * that led there. */
#ifndef LB_COMMANDS_EXPLAIN_VIEW_H
#define LB_COMMANDS_EXPLAIN_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/** What is missing (another version of lb) is left out. Control characters are shown as "?". */
void explain_view_write(const json_t *answer, bool with_colour, FILE *out);

#endif
