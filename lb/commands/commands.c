/* SPDX-License-Identifier: Apache-2.0 */
/* The table of verbs, and what verbs share. */
#include "lb/commands/commands.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lb/base/nearest.h"
#include "lb/commands/check.h"
#include "lb/commands/demo_backend.h"
#include "lb/commands/help.h"
#include "lb/commands/run.h"
#include "lb/commands/version.h"

// clang-format off
const struct command commands[] = {
    {"run", "-c FILE", "serve clients as FILE says; SIGTERM drains and ends", command_run},
    {"check", "-c FILE", "tell everything that is wrong with FILE", command_check},
    {"help", "[SECTION | KEY]", "explain a section or a key of the INI file", command_help},
    {"demo-backend", "NAME HOST:PORT", "a small HTTP server that says its name, to try lb with", command_demo_backend},
    {"version", "", "the versions of lb and its libraries", command_version},
    {NULL, NULL, NULL, NULL},
};
static const struct {
    const char *other;
    const char *name;
} aliases[] = {
    {"--help", "help"}, {"-h", "help"}, {"--version", "version"}, {"-V", "version"},
};
// clang-format on

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (strcmp(name, aliases[i].other) == 0)
            name = aliases[i].name;
    for (const struct command *command = commands; command->name; command++)
        if (strcmp(name, command->name) == 0)
            return command;
    return NULL;
}

const char *command_nearest(const char *name)
{
    struct nearest nearest = nearest_to(name);
    for (const struct command *command = commands; command->name; command++)
        nearest_offer(&nearest, command->name);
    return nearest.best;
}

int command_misused(const char *verb, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "lb%s%s: ", *verb ? " " : "", verb);
    vfprintf(stderr, format, arguments);
    fputs("; see lb help\n", stderr);
    va_end(arguments);
    return COMMAND_MISUSED;
}

int commands_main(int argc, char **argv)
{
    if (argc < 2)
        return command_misused("", "say what to do: run, check, help, …");
    const struct command *command = command_find(argv[1]);
    if (command)
        return command->run(argc - 1, argv + 1);
    const char *nearest = command_nearest(argv[1]);
    if (nearest)
        return command_misused("", "there is no \"%s\": did you mean lb %s?", argv[1], nearest);
    return command_misused("", "there is no \"%s\"", argv[1]);
}
