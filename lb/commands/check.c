/* SPDX-License-Identifier: Apache-2.0 */
/* Loads the file as `lb run` would, becomes the same user, looks whether it could write and reread
 * its files, and lets go of it. */
#include "lb/commands/check.h"

#include <unistd.h>

#include "lb/commands/arguments.h"
#include "lb/commands/commands.h"
#include "lb/config/config_cas.h"
#include "lb/config/config_files.h"
#include "lb/config/places.h"
#include "listeners/registry/registry_options.h"

void check_write_problems(const struct problems *problems, FILE *out)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->items[i];
        fputs(problem->file, out);
        if (problem->line > 0)
            fprintf(out, ":%u", problem->line);
        fprintf(out, ": %s: %s\n", problem->warning ? "warning" : "error", problem->text);
    }
}

static void write_count(unsigned count, const char *noun, const char *between)
{
    printf("%u %s%s%s", count, noun, count == 1 ? "" : "s", between);
}

/* As whom we are by now. */
static void check_key(struct config *config, struct problems *problems)
{
    const struct config_loading loading = {.file = config->file, .store = config->registry->store};
    struct error err = {""};
    if (!config_cas_try_key(config, &loading, &err))
        problems_add(problems, config->file, config->registry->ca_passphrase_file_line,
                     "the built-in CA cannot issue certificates: %s", err.text);
}

/* Root asks what the user of the config may do by becoming that user. Who is neither cannot know.
 */
static void check_places(struct config *config, struct problems *problems)
{
    struct places places;
    const char *user = config->options->user;
    struct account account;
    struct error err;
    places_find(&places, config);
    if (user && account_find(user, &account, NULL) && !account_is_ours(&account)) {
        if (geteuid() != 0)
            return;
        places_foresee_handover(&places);
        if (!privileges_drop(&account, &err)) {
            problems_add(problems, config->file, config->options->user_line, "%s", err.text);
            return;
        }
        config_files_check(config, &account, problems);
    }
    places_check(&places, config, problems);
    check_key(config, problems);
}

static void say_fine(const struct config *config)
{
    printf("%s is fine: ", config->file);
    write_count(config->listener_count, "listener", ", ");
    write_count(config->rule_count, "rule", ", ");
    write_count(config->pool_count, "pool", "\n");
    if (config->is_builtin_due)
        printf("lb run makes the built-in CA in %s\n", config->options->state_dir);
}

int command_check(int argc, char **argv)
{
    struct problems problems = {0};
    const char *file = arguments_config_file(argc, argv);
    if (!file)
        return COMMAND_MISUSED;
    struct config *config = config_load(file, &problems);
    if (config)
        check_places(config, &problems);
    problems_sort(&problems);
    check_write_problems(&problems, stderr);
    bool is_fine = problems.error_count == 0;
    if (is_fine)
        say_fine(config);
    config_free(config);
    problems_done(&problems);
    return is_fine ? COMMAND_DONE : COMMAND_FAILED;
}
