/* SPDX-License-Identifier: Apache-2.0 */
/* lb reload: the running lb reads its INI file anew. */
#ifndef LB_COMMANDS_RELOAD_H
#define LB_COMMANDS_RELOAD_H

/** `lb reload`: returns when the new config is in force, or with every problem on stderr. returns
 * the exit status. */
int command_reload(int argc, char **argv);

#endif
