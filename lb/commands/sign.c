/* SPDX-License-Identifier: Apache-2.0 */
/* The process that has the key of the built-in CA, for as long as it takes to sign once. */
#include "lb/commands/sign.h"

#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lb/commands/commands.h"
#include "lb/keys/signer.h"
#include "lb/server/privileges.h"

int command_sign(int argc, char **argv)
{
    struct error err;
    if (argc > 1)
        return command_misused("sign", "\"%s\" is too much: it takes nothing", argv[1]);
    if (isatty(STDIN_FILENO))
        return command_misused("sign", "it is for the running lb; lb cert issue is for people");
    privileges_guard_secrets();
    prctl(PR_SET_NAME, "lb sign");
    if (signer_serve(STDIN_FILENO, STDOUT_FILENO, &err))
        return COMMAND_DONE;
    fprintf(stderr, "lb sign: %s\n", err.text);
    return COMMAND_FAILED;
}
