/* SPDX-License-Identifier: Apache-2.0 */
/* Loads the file as `lb run` would, and then lets go of it. */
#include "lb/commands/check.h"

#include "lb/commands/arguments.h"
#include "lb/commands/commands.h"
#include "lb/config.h"

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

int command_check(int argc, char **argv)
{
    struct problems problems = {0};
    const char *file = arguments_config_file(argc, argv);
    if (!file)
        return COMMAND_MISUSED;
    struct config *config = config_load(file, &problems);
    check_write_problems(&problems, stderr);
    if (config) {
        printf("%s is fine: ", file);
        write_count(config->listener_count, "listener", ", ");
        write_count(config->rule_count, "rule", ", ");
        write_count(config->pool_count, "pool", "\n");
    }
    int status = config ? COMMAND_DONE : COMMAND_FAILED;
    config_free(config);
    problems_done(&problems);
    return status;
}
