/* SPDX-License-Identifier: Apache-2.0 */
/* The benchmark's programs, for their tests. */
#ifndef LB_TESTS_BENCH_TOOL_H
#define LB_TESTS_BENCH_TOOL_H

/* FOLDER/NAME, FOLDER from the environment variable LB_BENCH; the caller frees it. */
char *bench_tool(const char *name);

#endif
