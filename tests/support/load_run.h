/* SPDX-License-Identifier: Apache-2.0 */
/* One run of the load generator, for the tests of its parts. */
#ifndef LB_TESTS_LOAD_RUN_H
#define LB_TESTS_LOAD_RUN_H

#include <jansson.h>

/* Run it against this port of 127.0.0.1 with these arguments, one blank between two; it must end
 * with this status. The result it printed; the caller owns it. */
json_t *load_run(unsigned port, int status, const char *arguments);

/* What the result says under this name; the test fails where it says nothing. */
double load_run_number(const json_t *result, const char *name);
unsigned long long load_run_count(const json_t *result, const char *name);
const char *load_run_failure(const json_t *result);

#endif
