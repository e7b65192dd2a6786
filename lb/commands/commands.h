/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs of the program: one file each in this folder, one row each in the table. A verb gets
 * argv with itself as argv[0] and returns the exit status: 0, 1 (it failed) or 2 (wrong usage).
 */
#ifndef LB_COMMANDS_COMMANDS_H
#define LB_COMMANDS_COMMANDS_H

enum { COMMAND_DONE = 0, COMMAND_FAILED = 1, COMMAND_MISUSED = 2 };

struct argument_option;

struct command {
    const char *name;
    const char *arguments; /* as the overview shows them */
    const char *summary;
    const char *details; /* for its own help: lines that end with a newline; "" */
    int (*run)(int argc, char **argv);
    const struct command
        *parts; /* `lb cert issue`: what it can do, as the table; NULL: one thing */
    const struct argument_option *options; /* for its own help; NULL: they stand in details */
};

/** In the order of the overview; a row without a name at its end. */
extern const struct command commands[];

/** The command of this name, also by `--help`, `-h`, `--version` and `-V`; NULL: there is none. */
const struct command *command_find(const char *name);

/** The name an operator probably meant, or NULL. */
const char *command_nearest(const char *name);

/** A verb's own help, on stdout: `lb help VERB`, and `-h` or `--help` behind every verb. */
void command_explain(const struct command *command);
/** The same of one of its parts, as `lb cert issue -h`. returns the exit status: no such part was
 * told on stderr. */
int command_explain_part(const struct command *command, const char *name);

/**
 * Run what argv names among the parts of the verb argv[0]: `cert` of `lb cert issue`. A part gets
 * argv with itself as argv[0]. Which lb is meant may stand before it: `lb cert -c lb.ini list`.
 */
int command_run_part(int argc, char **argv);

/** Dispatch a whole command line. returns the exit status. Thread: main. */
int commands_main(int argc, char **argv);

/** One line on stderr, "lb VERB: text; see lb help", for wrong usage. verb: "cert issue" for a part
 * of one. returns COMMAND_MISUSED. */
int command_misused(const char *verb, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
