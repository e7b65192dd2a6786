/* SPDX-License-Identifier: Apache-2.0 */
/* How verbs of the registry end once they were answered. */
#ifndef LB_COMMANDS_REPLY_H
#define LB_COMMANDS_REPLY_H

#include <jansson.h>
#include <stdbool.h>

/** With ARGUMENT_JSON in `on`: write it to stdout. returns whether it did. */
bool reply_write_json(unsigned on, const json_t *answer);

/**
 * A change of CAs is in force when lb has loaded its config with it. Where that failed, tell why on
 * stderr. returns the exit status
 */
int reply_tell_in_force(const char *verb, const json_t *answer);

#endif
