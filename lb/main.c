/* SPDX-License-Identifier: Apache-2.0 */
/* lb: every verb of the command line is a file in lb/commands. */
#include <signal.h>

#include "lb/commands/commands.h"

int main(int argc, char **argv)
{
    /* A peer that closes while lb writes is an outcome of that write, never the end of lb. */
    signal(SIGPIPE, SIG_IGN);
    return commands_main(argc, argv);
}
