/* SPDX-License-Identifier: Apache-2.0 */
/* lb registry: a copy of all that is known of CAs and certificates. */
#ifndef LB_COMMANDS_REGISTRY_BACKUP_H
#define LB_COMMANDS_REGISTRY_BACKUP_H

#include "lb/commands/commands.h"

extern const struct command registry_parts[];
extern const char registry_details[];

/** `lb registry backup FILE`. returns the exit status. */
int command_registry(int argc, char **argv);

#endif
