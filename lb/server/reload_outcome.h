/* SPDX-License-Identifier: Apache-2.0 */
/* How a reload went, for the log and for those who ask later. For reload.c only. */
#ifndef LB_SERVER_RELOAD_OUTCOME_H
#define LB_SERVER_RELOAD_OUTCOME_H

#include <stdbool.h>

struct server;

/** Log its problems and its outcome, and keep what went wrong. Thread: control. */
void reload_outcome_note(struct server *server, bool reloaded);

#endif
