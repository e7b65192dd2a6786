/* SPDX-License-Identifier: Apache-2.0 */
/* The command line behind a verb. */
#ifndef LB_COMMANDS_ARGUMENTS_H
#define LB_COMMANDS_ARGUMENTS_H

#include <stdbool.h>

#include "lb/commands/admin_credentials.h"

/** Options a verb may take; a set of bits. */
enum argument {
    ARGUMENT_CONFIG = 1, /* -c FILE, --config FILE */
    ARGUMENT_ADMIN = 2,  /* --admin ADDRESS; with it --admin-cert, --admin-key, --admin-ca FILE */
    ARGUMENT_JSON = 4,
    ARGUMENT_WATCH = 8,
    ARGUMENT_ALL = 16,
    ARGUMENT_WAIT = 32,
};

/** What was said. */
struct arguments {
    const char *config_file; /* NULL: not said */
    const char *admin;       /* NULL: not said */
    struct admin_credentials credentials;
    unsigned on;             /* those of enum argument that take no value */
    int word_count;
    char **words; /* what is no option; lent as argv */
};

/**
 * Read the arguments of a verb; argv's order may change.
 *
 * argv        the verb first
 * takes       a set of enum argument
 * words_most  how many words may stand beside the options
 * returns     false after telling on stderr what is wrong: the verb was misused
 * Thread:     main
 */
bool arguments_read(struct arguments *arguments, unsigned takes, int words_most, int argc,
                    char **argv);

/**
 * Read the arguments of a verb that takes nothing but `-c FILE` and needs it.
 *
 * returns  the file; NULL after telling on stderr what is wrong
 */
const char *arguments_config_file(int argc, char **argv);

#endif
