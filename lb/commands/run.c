/* SPDX-License-Identifier: Apache-2.0 */
/* Guards the secrets in memory, loads the config, becomes the user it names, opens the log and
 * hands over to the server. */
#include "lb/commands/run.h"

#include <stdio.h>
#include <string.h>

#include "lb/base/log.h"
#include "lb/commands/arguments.h"
#include "lb/commands/check.h"
#include "lb/commands/commands.h"
#include "lb/config/config_files.h"
#include "lb/config/places.h"
#include "lb/config/problem_log.h"
#include "lb/keys/signer.h"
#include "lb/server/held_signals.h"
#include "lb/server/server.h"

/** found: what a reload will not be able to read. */
static bool become_user(const struct config *config, struct problems *found, struct error *err)
{
    struct account account;
    const char *user = config->options->user;
    if (!user)
        return true;
    if (!account_find(user, &account, err))
        return false;
    if (account_is_ours(&account))
        return true;
    struct places places;
    places_find(&places, config);
    places_hand_over(&places, &account);
    if (!privileges_drop(&account, err))
        return false;
    config_files_check(config, &account, found);
    return true;
}

/* problems: of the config, and of what is found while lb starts. */
static int serve(struct config *config, struct problems *problems)
{
    const struct lb_options *options = config->options;
    struct error err;
    if (!become_user(config, problems, &err) ||
        !log_open(options->log, (enum log_level)options->log_level, &err)) {
        fprintf(stderr, "lb run: %s\n", err.text);
        config_free(config);
        return COMMAND_FAILED;
    }
    for (size_t i = 0; i < problems->count; i++)
        problem_log(&problems->items[i]);
    problems_done(problems);
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
    held_signals_hold();
    privileges_guard_secrets();
    const struct config_loading loading = {.file = file, .signer = signer_own_program};
    struct config *config = config_load_as(&loading, &problems);
    problems_sort(&problems);
    /* Whoever starts lb by hand sees them, wherever the log goes; where it goes here, once. */
    if (!config || strcmp(config->options->log, "stderr") != 0)
        check_write_problems(&problems, stderr);
    int status = config ? serve(config, &problems) : COMMAND_FAILED;
    problems_done(&problems);
    return status;
}
