/* SPDX-License-Identifier: Apache-2.0 */
/* The command line behind a verb. */
#ifndef LB_COMMANDS_ARGUMENTS_H
#define LB_COMMANDS_ARGUMENTS_H

#include <stdbool.h>

#include "lb/commands/admin_credentials.h"

/** Options that several verbs take; a set of bits. */
enum argument {
    ARGUMENT_CONFIG = 1, /* -c FILE, --config FILE */
    ARGUMENT_ADMIN = 2,  /* --admin ADDRESS; with it --admin-cert, --admin-key, --admin-ca FILE */
    ARGUMENT_JSON = 4,
    ARGUMENT_WATCH = 8,
    ARGUMENT_ALL = 16,
    ARGUMENT_WAIT = 32,
    ARGUMENT_ONE_LB = ARGUMENT_CONFIG | ARGUMENT_ADMIN, /* which lb is meant */
};

/** How often an option may be said, and whether its value may be left out. */
enum argument_use { ARGUMENT_ONCE, ARGUMENT_REPEATED, ARGUMENT_VALUE_MAY_LACK };

/** An option of one verb alone: a row of a table that a row without a name closes. */
struct argument_option {
    const char *name;  /* "cn" for --cn */
    const char *value; /* what it takes, as help shows it: "NAME"; NULL: nothing */
    const char *help;  /* what it is for; lines behind the first are indented where they are shown
                        */
    enum argument_use use;
};

/** What a verb takes. */
struct argument_form {
    const char *verb;                      /* for messages: "cert issue" */
    unsigned takes;                        /* a set of enum argument */
    const struct argument_option *options; /* its own; NULL: none */
    int words_most;                        /* beside the options */
};

enum { ARGUMENTS_SAID_MOST = 128 };

/** What was said. */
struct arguments {
    const char *config_file; /* NULL: not said */
    const char *admin;       /* NULL: not said */
    struct admin_credentials credentials;
    unsigned on; /* those of enum argument that take no value */
    int word_count;
    char **words; /* what is no option; lent as argv */
    unsigned said_count;
    struct {
        unsigned option;   /* its row in the form's table */
        const char *value; /* lent as argv; NULL: it takes none, or it was left out */
    } said[ARGUMENTS_SAID_MOST];
};

/**
 * Read the arguments of a verb; argv's order may change.
 *
 * argv        the verb first
 * returns     false after telling on stderr what is wrong: the verb was misused
 * Thread:     main
 */
bool arguments_parse(struct arguments *arguments, const struct argument_form *form, int argc,
                     char **argv);

/** The same for a verb that has no options of its own; argv[0] is its name. */
bool arguments_read(struct arguments *arguments, unsigned takes, int words_most, int argc,
                    char **argv);

/** Was this row of the form's table said? */
bool arguments_has(const struct arguments *arguments, unsigned option);
/** Its value, or NULL: it was not said, or without one. */
const char *arguments_value(const struct arguments *arguments, unsigned option);
/** All values of a repeated option into `values`; returns how many there are, at most `room`. */
unsigned arguments_values(const struct arguments *arguments, unsigned option, const char **values,
                          unsigned room);

/**
 * Read the arguments of a verb that takes nothing but `-c FILE` and needs it.
 *
 * returns  the file; NULL after telling on stderr what is wrong
 */
const char *arguments_config_file(int argc, char **argv);

#endif
