/* SPDX-License-Identifier: Apache-2.0 */
/* lb run: the load balancer itself. */
#ifndef LB_COMMANDS_RUN_H
#define LB_COMMANDS_RUN_H

/** `lb run -c FILE`: serves until SIGTERM or SIGINT. returns the exit status: 0 after a drain, 1
 * when it could not start. */
int command_run(int argc, char **argv);

#endif
