/* SPDX-License-Identifier: Apache-2.0 */
/* A command line run inside the test's process: its exit status and what it said where. */
#ifndef LB_TESTS_CAPTURED_H
#define LB_TESTS_CAPTURED_H

struct captured {
    int status;
    char *out; /* stdout */
    char *err; /* stderr */
};

/* Run "lb" with these arguments, the last one NULL. */
void captured_run(struct captured *captured, const char *const *arguments);
void captured_done(struct captured *captured);

#define CAPTURED_RUN(captured, ...) captured_run(captured, (const char *const[]){__VA_ARGS__, NULL})

#endif
