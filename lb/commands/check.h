/* SPDX-License-Identifier: Apache-2.0 */
/* lb check: everything that is wrong with a file, and everything that is odd. */
#ifndef LB_COMMANDS_CHECK_H
#define LB_COMMANDS_CHECK_H

#include <stdio.h>

#include "lb/base/error.h"

/** `lb check -c FILE`: problems on stderr, on success one line on stdout. returns the exit status.
 */
int command_check(int argc, char **argv);

/** Write problems, one a line: "FILE:LINE: error: TEXT" or "FILE:LINE: warning: TEXT". */
void check_write_problems(const struct problems *problems, FILE *out);

#endif
