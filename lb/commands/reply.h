/* SPDX-License-Identifier: Apache-2.0 */
/* How verbs of the registry end once they were answered. */
#ifndef LB_COMMANDS_REPLY_H
#define LB_COMMANDS_REPLY_H

#include <jansson.h>
#include <stdbool.h>

/** Write its "warnings", if it has any, to stderr. */
void reply_tell_warnings(const char *verb, const json_t *answer);

/** Has it told that the running lb goes on without what was changed? */
bool reply_is_not_in_force(const json_t *answer);

/** With ARGUMENT_JSON in `on`: write it to stdout. returns whether it did. */
bool reply_write_json(unsigned on, const json_t *answer);

/**
 * A change of CAs is in force when lb has loaded its config with it. Where that failed, tell so and
 * each error on stderr. returns the exit status
 */
int reply_tell_in_force(const char *verb, const json_t *answer);

#endif
