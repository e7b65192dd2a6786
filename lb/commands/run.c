/* SPDX-License-Identifier: Apache-2.0 */
/* Loads the config, guards the secrets in memory, opens the log and hands over to the server. */
#include "lb/commands/run.h"

#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "lb/base/log.h"
#include "lb/commands/arguments.h"
#include "lb/commands/check.h"
#include "lb/commands/commands.h"
#include "lb/config.h"
#include "lb/server.h"

/** Private keys live in this process: no core file may hold them, no other process of the user may
 * read them. */
static void guard_secrets(void)
{
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
#if !defined(__SANITIZE_ADDRESS__) /* its leak check traces the process */
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

static int serve(struct config *config)
{
    struct error err;
    if (!log_open(config->options->log, (enum log_level)config->options->log_level, &err)) {
        fprintf(stderr, "lb run: %s\n", err.text);
        config_free(config);
        return COMMAND_FAILED;
    }
    int status = server_run(config);
    log_close();
    return status;
}

int command_run(int argc, char **argv)
{
    struct problems problems = {0};
    const char *file = arguments_config_file(argc, argv);
    if (!file) {
        return COMMAND_MISUSED;
    }
    guard_secrets();
    struct config *config = config_load(file, &problems);
    check_write_problems(&problems, stderr);
    problems_done(&problems);
    int status = config ? serve(config) : COMMAND_FAILED;
    return status;
}
