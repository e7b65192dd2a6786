/* SPDX-License-Identifier: Apache-2.0 */
/* lb help: the verbs, and everything the INI file may say, straight from the option tables. */
#ifndef LB_COMMANDS_HELP_H
#define LB_COMMANDS_HELP_H

/**
 * `lb help`, `lb help SECTION` (a commented sample) or `lb help KEY` (in every section that has
 * it). A word that is nothing: the nearest known one on stderr. returns the exit status.
 */
int command_help(int argc, char **argv);

#endif
