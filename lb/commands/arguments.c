/* SPDX-License-Identifier: Apache-2.0 */
/* getopt's `struct option` and that of lb/base/option.h cannot meet in one file; this one is
 * getopt's. */
#include "lb/commands/arguments.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>

#include "lb/commands/commands.h"

// clang-format off
static const struct {
    enum argument argument;
    struct option option;
    const char *shown;
} known[] = {
    {ARGUMENT_CONFIG, {"config", required_argument, NULL, ARGUMENT_CONFIG}, "-c FILE"},
    {ARGUMENT_ADMIN,  {"admin",  required_argument, NULL, ARGUMENT_ADMIN},  "--admin ADDRESS"},
    {ARGUMENT_JSON,   {"json",   no_argument,       NULL, ARGUMENT_JSON},   "--json"},
    {ARGUMENT_WATCH,  {"watch",  no_argument,       NULL, ARGUMENT_WATCH},  "--watch"},
    {ARGUMENT_ALL,    {"all",    no_argument,       NULL, ARGUMENT_ALL},    "--all"},
    {ARGUMENT_WAIT,   {"wait",   no_argument,       NULL, ARGUMENT_WAIT},   "--wait"},
};
// clang-format on

/* What --admin may need besides; shown by `lb help`. */
enum { LETTER_CERTIFICATE = 1000, LETTER_KEY, LETTER_CA };
static const struct option credentials[] = {
    {"admin-cert", required_argument, NULL, LETTER_CERTIFICATE},
    {"admin-key", required_argument, NULL, LETTER_KEY},
    {"admin-ca", required_argument, NULL, LETTER_CA},
};
enum { CREDENTIAL_COUNT = sizeof credentials / sizeof *credentials };

enum { KNOWN_COUNT = sizeof known / sizeof *known, SHOWN_BYTES = 128 };

/* "-c FILE, --json": what a verb takes. */
static const char *show(unsigned takes, char shown[SHOWN_BYTES])
{
    size_t used = 0;
    for (size_t i = 0; i < KNOWN_COUNT; i++)
        if (takes & known[i].argument)
            used += (size_t)snprintf(shown + used, SHOWN_BYTES - used, "%s%s", used ? ", " : "",
                                     known[i].shown);
    return shown;
}

static bool take_value(const char *verb, const char **value, const char *option, const char *noun)
{
    if (*value) {
        command_misused(verb, "%s is given twice: one %s is enough", option, noun);
        return false;
    }
    *value = optarg;
    return true;
}

static bool take(struct arguments *arguments, const char *verb, int letter)
{
    switch (letter) {
    case ARGUMENT_CONFIG:
        return take_value(verb, &arguments->config_file, "-c", "file");
    case ARGUMENT_ADMIN:
        return take_value(verb, &arguments->admin, "--admin", "address");
    case LETTER_CERTIFICATE:
        return take_value(verb, &arguments->credentials.certificate, "--admin-cert", "file");
    case LETTER_KEY:
        return take_value(verb, &arguments->credentials.key, "--admin-key", "file");
    case LETTER_CA:
        return take_value(verb, &arguments->credentials.ca, "--admin-ca", "file");
    default:
        arguments->on |= (unsigned)letter;
        return true;
    }
}

/* getopt's ':' and '?'. */
static bool refuse(int letter, unsigned takes, char **argv)
{
    char shown[SHOWN_BYTES];
    const char *wrong = argv[optind > 0 ? optind - 1 : 0];
    if (letter == ':' && optopt == ARGUMENT_ADMIN)
        command_misused(argv[0], "%s needs an address, as in --admin unix:var/admin.sock", wrong);
    else if (letter == ':')
        command_misused(argv[0], "%s needs a file, as in -c lb.ini", wrong);
    else
        command_misused(argv[0], "unknown option %s: it takes %s", wrong, show(takes, shown));
    return false;
}

bool arguments_read(struct arguments *arguments, unsigned takes, int words_most, int argc,
                    char **argv)
{
    struct option longs[KNOWN_COUNT + CREDENTIAL_COUNT + 1] = {0};
    char shown[SHOWN_BYTES];
    size_t count = 0;
    int letter;
    for (size_t i = 0; i < KNOWN_COUNT; i++)
        if (takes & known[i].argument)
            longs[count++] = known[i].option;
    for (size_t i = 0; i < CREDENTIAL_COUNT && takes & ARGUMENT_ADMIN; i++)
        longs[count++] = credentials[i];
    *arguments = (struct arguments){0};
    optind = 0; /* starts anew, so that a process may read several command lines */
    while ((letter = getopt_long(argc, argv, ":c:", longs, NULL)) != -1) {
        if (letter == 'c')
            letter = ARGUMENT_CONFIG;
        if (letter == ':' || letter == '?')
            return refuse(letter, takes, argv);
        if (!take(arguments, argv[0], letter))
            return false;
    }
    arguments->word_count = argc - optind;
    arguments->words = argv + optind;
    if (arguments->word_count <= words_most)
        return true;
    command_misused(argv[0], "\"%s\" is too much: it takes %s", arguments->words[words_most],
                    show(takes, shown));
    return false;
}

const char *arguments_config_file(int argc, char **argv)
{
    struct arguments arguments;
    if (!arguments_read(&arguments, ARGUMENT_CONFIG, 0, argc, argv))
        return NULL;
    if (!arguments.config_file)
        command_misused(argv[0], "say which file: -c FILE");
    return arguments.config_file;
}
