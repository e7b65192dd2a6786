/* SPDX-License-Identifier: Apache-2.0 */
/* lb demo-backend: a small HTTP server that says its name, so that lb can be tried without one's
 * own. */
#ifndef LB_COMMANDS_DEMO_BACKEND_H
#define LB_COMMANDS_DEMO_BACKEND_H

/**
 * `lb demo-backend NAME HOST:PORT`: serve until SIGTERM or SIGINT.
 *
 * Every request is answered 200 with X-Backend: NAME and a body that begins with NAME. One line on
 * stdout says where it listens (port 0: where the system chose).
 *
 * argv     the verb first
 * returns  the exit status: 0 ended by a signal; 1 it could not listen; 2 wrong usage; why is one
 * line on stderr Thread:  main
 */
int command_demo_backend(int argc, char **argv);

#endif
