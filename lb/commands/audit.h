/* SPDX-License-Identifier: Apache-2.0 */
/* lb audit: who changed what in the registry. */
#ifndef LB_COMMANDS_AUDIT_H
#define LB_COMMANDS_AUDIT_H

#include "lb/commands/arguments.h"

extern const struct argument_option audit_options[];
extern const char audit_details[];

/** `lb audit …`. returns the exit status. */
int command_audit(int argc, char **argv);

#endif
