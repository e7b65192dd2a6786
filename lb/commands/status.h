/* SPDX-License-Identifier: Apache-2.0 */
/* lb status: what the running lb does, and who is not well. */
#ifndef LB_COMMANDS_STATUS_H
#define LB_COMMANDS_STATUS_H

/** `lb status`, once or with --watch until it is interrupted. returns the exit status. */
int command_status(int argc, char **argv);

#endif
