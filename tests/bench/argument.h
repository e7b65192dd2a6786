/* SPDX-License-Identifier: Apache-2.0 */
/* Command-line values of the benchmark's programs: checked, or the program ends with the reason. */
#ifndef LB_BENCH_ARGUMENT_H
#define LB_BENCH_ARGUMENT_H

#include <netinet/in.h>

/** A whole number from `least` to `most`; otherwise says what would be right and exits with 2. */
unsigned long argument_number(const char *name, const char *text, unsigned long least,
                              unsigned long most);

/**
 * HOST:PORT as a socket address. Only 127.0.0.0/8 is taken: these programs make load, and load must
 * not leave the machine. Anything else exits with 2.
 */
struct sockaddr_in argument_address(const char *name, const char *text);

#endif
