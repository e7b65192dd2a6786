/* SPDX-License-Identifier: Apache-2.0 */
/* lb sign: what the running lb starts when something is to be signed (lb/keys/signer.h). */
#ifndef LB_COMMANDS_SIGN_H
#define LB_COMMANDS_SIGN_H

/** `lb sign`: an order on stdin, its answer on stdout. returns the exit status. */
int command_sign(int argc, char **argv);

#endif
