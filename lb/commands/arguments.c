/* SPDX-License-Identifier: Apache-2.0 */
/* getopt's `struct option` and that of lb/base/option.h cannot meet in one file; this one is
 * getopt's. */
#include "lb/commands/arguments.h"

#include <getopt.h>
#include <stddef.h>

#include "lb/commands/commands.h"

static const struct option longs[] = {
    {"config", required_argument, NULL, 'c'},
    {NULL, 0, NULL, 0},
};

const char *arguments_config_file(int argc, char **argv)
{
    const char *file = NULL;
    int letter;
    optind = 0; /* starts anew, so that a process may read several command lines */
    while ((letter = getopt_long(argc, argv, ":c:", longs, NULL)) != -1) {
        const char *wrong = argv[optind > 0 ? optind - 1 : 0];
        if (letter == ':') {
            command_misused(argv[0], "%s needs a file, as in -c lb.ini", wrong);
            return NULL;
        }
        if (letter != 'c') {
            command_misused(argv[0], "unknown option %s: it takes -c FILE", wrong);
            return NULL;
        }
        if (file) {
            command_misused(argv[0], "-c is given twice: one file is enough");
            return NULL;
        }
        file = optarg;
    }
    if (optind < argc) {
        command_misused(argv[0], "\"%s\" is too much: it takes -c FILE", argv[optind]);
        return NULL;
    }
    if (!file)
        command_misused(argv[0], "say which file: -c FILE");
    return file;
}
