/* SPDX-License-Identifier: Apache-2.0 */
/* The running program: starts workers and health checks, waits for signals, drains and ends. */
#ifndef LB_SERVER_SERVER_H
#define LB_SERVER_SERVER_H

#include "lb/config/config.h"

/**
 * Run until told to stop: SIGTERM or SIGINT drains (at most drain_timeout), a second one ends at
 * once.
 *
 * config   taken, also when it fails
 * returns  0 after a drain; 1 when something could not be started (one log line says what)
 * Thread:  main; it becomes the control thread.
 */
int server_run(struct config *config);

#endif
