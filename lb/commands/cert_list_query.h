/* SPDX-License-Identifier: Apache-2.0 */
/* What lb cert list is asked for, as the query of a call. */
#ifndef LB_COMMANDS_CERT_LIST_QUERY_H
#define LB_COMMANDS_CERT_LIST_QUERY_H

#include <stdbool.h>

#include "lb/commands/arguments.h"
#include "lb/commands/call_path.h"

/** Rows of cert_list_options that its caller reads itself. */
enum { CERT_LIST_LIMIT, CERT_LIST_AFTER, CERT_LIST_ALL };

/** false: an option is wrong; it was told on stderr. */
bool cert_list_check(const char *verb, const struct arguments *arguments);

/** Add every filter and the order; of the page, only limit. */
void cert_list_query(struct call_path *path, const struct arguments *arguments);

enum { QUERY_TIME_BYTES = 40 };
/**
 * A day, or a time, as calls take it.
 *
 * is_end   it ends a span: a day is in it as a whole
 * Fails:   it is neither.
 */
bool cert_list_time(const char *text, bool is_end, char into[QUERY_TIME_BYTES]);

#endif
