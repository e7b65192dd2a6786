/* SPDX-License-Identifier: Apache-2.0 */
/* lb backend: takes a backend of the running lb out of use, and back. */
#ifndef LB_COMMANDS_BACKEND_H
#define LB_COMMANDS_BACKEND_H

/** `lb backend drain|disable|enable POOL/NAME`. returns the exit status. */
int command_backend(int argc, char **argv);

#endif
