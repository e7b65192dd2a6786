/* SPDX-License-Identifier: Apache-2.0 */
/* lb cert: client certificates. */
#ifndef LB_COMMANDS_CERT_H
#define LB_COMMANDS_CERT_H

#include "lb/commands/commands.h"

extern const struct command cert_parts[];
extern const char cert_details[];

/** `lb cert WHAT …`. returns the exit status. */
int command_cert(int argc, char **argv);

#endif
