/* SPDX-License-Identifier: Apache-2.0 */
/* lb --version: of lb itself and of the libraries it runs with. */
#ifndef LB_COMMANDS_VERSION_H
#define LB_COMMANDS_VERSION_H

/** `lb version` or `lb --version`. returns the exit status. */
int command_version(int argc, char **argv);

#endif
