/* SPDX-License-Identifier: Apache-2.0 */
/* The pages of lb help. */
#include "lb/commands/help.h"

#include <stdio.h>
#include <string.h>

#include "backends/backend.h"
#include "backends/balancer.h"
#include "backends/health/check.h"
#include "lb/base/nearest.h"
#include "lb/base/option.h"
#include "lb/commands/commands.h"
#include "lb/config/config.h"

enum { USAGE_COLUMNS = 32 };

static void write_overview(void)
{
    puts("lb is an HTTPS load balancer that knows its clients by their certificates.\n");
    for (const struct command *command = commands; command->name; command++) {
        char usage[80];
        int length = snprintf(usage, sizeof usage, "lb %s %s", command->name, command->arguments);
        if (length > USAGE_COLUMNS) /* too long to stand beside its summary */
            printf("  %s\n  %-*s %s\n", usage, USAGE_COLUMNS, "", command->summary);
        else
            printf("  %-*s %s\n", USAGE_COLUMNS, usage, command->summary);
    }
    puts("\nThe INI file has these sections; `lb help SECTION` lists the keys of one, `lb help "
         "KEY`\n"
         "explains a key:\n");
    for (const struct option_table *const *table = option_tables; *table; table++) {
        char header[64];
        snprintf(header, sizeof header, "[%s%s]", (*table)->section,
                 (*table)->named ? " NAME" : "");
        printf("  %-32s %s\n", header, (*table)->summary);
    }
    puts("\nExit status: 0 done, 1 failed, 2 wrong usage; of lb explain also 3: the client is "
         "refused,\n4: it depends on what could not be asked.");
}

/* What a key's values are when a folder lists them. */

static void write_balancers(void)
{
    for (const struct balancer *const *at = balancers; *at; at++)
        printf("    %-20s %s\n", (*at)->name, (*at)->summary);
}

static void write_checks(void)
{
    printf("    %-20s %s\n", "off", "backends count as up until one refuses a request");
    for (const struct check *const *at = checks; *at; at++)
        printf("    %-20s %s\n", (*at)->name, (*at)->summary);
}

static bool write_key(const char *word)
{
    bool is_known = false;
    for (const struct option_table *const *table = option_tables; *table; table++) {
        const struct option *option = option_find(*table, word);
        if (!option)
            continue;
        if (is_known)
            puts("");
        option_write_help(*table, option, stdout);
        if (strcmp(word, "balance") == 0)
            write_balancers();
        if (strcmp(word, "health_check") == 0)
            write_checks();
        is_known = true;
    }
    return is_known;
}

/* What stands behind a backend's address is no key of its own. */
static bool write_setting(const char *word)
{
    const char *setting;
    for (unsigned i = 0; (setting = backend_setting(i)); i++) {
        if (strcmp(setting, word) != 0)
            continue;
        printf("%s is a setting of a backend:\n\n", word);
        return write_key("backend");
    }
    return false;
}

static bool is_section(const char *word)
{
    for (const struct option_table *const *table = option_tables; *table; table++)
        if (strcmp((*table)->section, word) == 0)
            return true;
    return false;
}

static bool write_section(const char *word)
{
    for (const struct option_table *const *table = option_tables; *table; table++) {
        if (strcmp((*table)->section, word) != 0)
            continue;
        option_write_sample(*table, stdout);
        return true;
    }
    return false;
}

/* The nearest of all sections, keys and settings, or NULL. */
static const char *nearest_word(const char *word)
{
    struct nearest nearest = nearest_to(word);
    const char *setting;
    for (unsigned i = 0; (setting = backend_setting(i)); i++)
        nearest_offer(&nearest, setting);
    for (const struct option_table *const *table = option_tables; *table; table++) {
        nearest_offer(&nearest, (*table)->section);
        for (const struct option *row = (*table)->options; row->key; row++)
            nearest_offer(&nearest, row->key);
    }
    return nearest.best;
}

/* All that the word stands for: `backend` is a verb and a key, `listener` a section and a key. */
static bool write_word(const char *word)
{
    const struct command *command = command_find(word);
    if (command)
        command_explain(command);
    if (command && is_section(word))
        puts("");
    bool is_known = write_section(word) || command;
    if (is_known &&
        (option_find(&rule_option_table, word) || option_find(&pool_option_table, word)))
        puts("");
    return write_key(word) || write_setting(word) || is_known;
}

/* lb help cert issue, as lb cert issue -h. */
static int explain_part(int argc, char **argv)
{
    const struct command *command = command_find(argv[1]);
    if (!command || !command->parts)
        return command_misused("help", "\"%s\" is too much: it takes one word", argv[2]);
    if (argc > 3)
        return command_misused("help", "\"%s\" is too much: it takes a verb and its part", argv[3]);
    return command_explain_part(command, argv[2]);
}

int command_help(int argc, char **argv)
{
    if (argc > 2)
        return explain_part(argc, argv);
    if (argc < 2) {
        write_overview();
        return COMMAND_DONE;
    }
    const char *word = argv[1];
    if (write_word(word))
        return COMMAND_DONE;
    const char *meant = nearest_word(word);
    if (meant)
        fprintf(stderr, "lb help: there is no section or key \"%s\": did you mean %s?\n", word,
                meant);
    else
        fprintf(stderr, "lb help: there is no section or key \"%s\"; lb help lists them\n", word);
    return COMMAND_FAILED;
}
