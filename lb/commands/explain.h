/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LB_COMMANDS_EXPLAIN_H
#define LB_COMMANDS_EXPLAIN_H

#include "lb/commands/arguments.h"

/** Besides those of commands.h: what scripts want to tell apart. */
enum { EXPLAIN_REFUSED = 3, EXPLAIN_UNDECIDED = 4 };

extern const struct argument_option explain_options[];
extern const char explain_details[];

/** `lb explain`: what would become of a client's request, and why. */
int command_explain_client(int argc, char **argv);

#endif
