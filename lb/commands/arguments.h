/* SPDX-License-Identifier: Apache-2.0 */
/* The command line behind a verb. */
#ifndef LB_COMMANDS_ARGUMENTS_H
#define LB_COMMANDS_ARGUMENTS_H

/**
 * Read the arguments of a verb that takes nothing but `-c FILE` (or `--config FILE`).
 *
 * argv     the verb first
 * returns  the file; NULL after telling on stderr what is wrong: the verb was misused
 * Thread:  main
 */
const char *arguments_config_file(int argc, char **argv);

#endif
