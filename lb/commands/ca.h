/* SPDX-License-Identifier: Apache-2.0 */
/* lb ca: the CAs whose clients may come. */
#ifndef LB_COMMANDS_CA_H
#define LB_COMMANDS_CA_H

#include "lb/commands/commands.h"

extern const struct command ca_parts[];
extern const char ca_details[];

/** `lb ca WHAT …`. returns the exit status. */
int command_ca(int argc, char **argv);

#endif
