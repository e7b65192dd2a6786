/* SPDX-License-Identifier: Apache-2.0 */
/* getopt's `struct option` and that of lb/base/option.h cannot meet in one file; this one is
 * getopt's. */
#include "lb/commands/arguments.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>

#include "lb/base/nearest.h"
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

enum {
    CREDENTIAL_COUNT = sizeof credentials / sizeof *credentials,
    KNOWN_COUNT = sizeof known / sizeof *known,
    OWN_MOST = 40, /* options of one verb */
    LONGS_MOST = KNOWN_COUNT + CREDENTIAL_COUNT + OWN_MOST + 1,
    OWN_FIRST = 256, /* what getopt returns for the first of them: above letters and known bits */
    SHOWN_BYTES = 128,
};

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

static unsigned own_count(const struct argument_form *form)
{
    unsigned count = 0;
    while (form->options && form->options[count].name && count < OWN_MOST)
        count++;
    return count;
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

/* A value that may lack is the next word, unless that is an option, too. */
static const char *optional_value(const struct argument_option *option, int argc, char **argv)
{
    if (optarg || option->use != ARGUMENT_VALUE_MAY_LACK || optind >= argc ||
        argv[optind][0] == '-')
        return optarg;
    return argv[optind++];
}

static bool take_own(struct arguments *arguments, const struct argument_form *form, unsigned index,
                     int argc, char **argv)
{
    const struct argument_option *option = &form->options[index];
    if (option->use != ARGUMENT_REPEATED && arguments_has(arguments, index)) {
        command_misused(form->verb, "--%s is given twice", option->name);
        return false;
    }
    if (arguments->said_count == ARGUMENTS_SAID_MOST) {
        command_misused(form->verb, "these are more than %d options", ARGUMENTS_SAID_MOST);
        return false;
    }
    arguments->said[arguments->said_count].option = index;
    arguments->said[arguments->said_count++].value = optional_value(option, argc, argv);
    return true;
}

static bool take(struct arguments *arguments, const struct argument_form *form, int letter,
                 int argc, char **argv)
{
    if (letter >= OWN_FIRST && letter < OWN_FIRST + OWN_MOST)
        return take_own(arguments, form, (unsigned)(letter - OWN_FIRST), argc, argv);
    switch (letter) {
    case ARGUMENT_CONFIG:
        return take_value(form->verb, &arguments->config_file, "-c", "file");
    case ARGUMENT_ADMIN:
        return take_value(form->verb, &arguments->admin, "--admin", "address");
    case LETTER_CERTIFICATE:
        return take_value(form->verb, &arguments->credentials.certificate, "--admin-cert", "file");
    case LETTER_KEY:
        return take_value(form->verb, &arguments->credentials.key, "--admin-key", "file");
    case LETTER_CA:
        return take_value(form->verb, &arguments->credentials.ca, "--admin-ca", "file");
    default:
        arguments->on |= (unsigned)letter;
        return true;
    }
}

static const char *nearest_option(const struct argument_form *form, const char *wrong)
{
    char word[64];
    size_t length = 0;
    while (*wrong == '-')
        wrong++;
    while (wrong[length] && wrong[length] != '=' && length + 1 < sizeof word)
        length++;
    snprintf(word, sizeof word, "%.*s", (int)length, wrong);
    struct nearest nearest = nearest_to(word);
    for (unsigned i = 0; i < own_count(form); i++)
        nearest_offer(&nearest, form->options[i].name);
    for (size_t i = 0; i < KNOWN_COUNT; i++)
        if (form->takes & known[i].argument)
            nearest_offer(&nearest, known[i].option.name);
    return length > 1 && nearest.best ? nearest.best : NULL;
}

static void refuse_unknown(const struct argument_form *form, const char *wrong)
{
    char shown[SHOWN_BYTES];
    const char *nearest = form->options ? nearest_option(form, wrong) : NULL;
    if (nearest)
        command_misused(form->verb, "unknown option %s: did you mean --%s?", wrong, nearest);
    else if (form->options)
        command_misused(form->verb, "unknown option %s", wrong);
    else
        command_misused(form->verb, "unknown option %s: it takes %s", wrong,
                        show(form->takes, shown));
}

/* getopt's ':' and '?'. */
static bool refuse(int letter, const struct argument_form *form, char **argv)
{
    const char *wrong = argv[optind > 0 ? optind - 1 : 0];
    if (letter != ':')
        refuse_unknown(form, wrong);
    else if (optopt >= OWN_FIRST && optopt < OWN_FIRST + OWN_MOST)
        command_misused(form->verb, "%s needs its %s", wrong,
                        form->options[optopt - OWN_FIRST].value);
    else if (optopt == ARGUMENT_ADMIN)
        command_misused(form->verb, "%s needs an address, as in --admin unix:var/admin.sock",
                        wrong);
    else
        command_misused(form->verb, "%s needs a file, as in -c lb.ini", wrong);
    return false;
}

static int kind_of(const struct argument_option *option)
{
    if (!option->value)
        return no_argument;
    return option->use == ARGUMENT_VALUE_MAY_LACK ? optional_argument : required_argument;
}

static void list_options(struct option longs[LONGS_MOST], const struct argument_form *form)
{

    size_t count = 0;
    for (size_t i = 0; i < KNOWN_COUNT; i++)
        if (form->takes & known[i].argument)
            longs[count++] = known[i].option;
    for (size_t i = 0; i < CREDENTIAL_COUNT && form->takes & ARGUMENT_ADMIN; i++)
        longs[count++] = credentials[i];
    for (unsigned i = 0; i < own_count(form); i++)
        longs[count++] = (struct option){form->options[i].name, kind_of(&form->options[i]), NULL,
                                         OWN_FIRST + (int)i};
}

static bool has_few_words(const struct arguments *arguments, const struct argument_form *form)
{
    char shown[SHOWN_BYTES];
    if (arguments->word_count <= form->words_most)
        return true;
    const char *word = arguments->words[form->words_most];
    if (form->options)
        command_misused(form->verb, "\"%s\" is too much", word);
    else
        command_misused(form->verb, "\"%s\" is too much: it takes %s", word,
                        show(form->takes, shown));
    return false;
}

bool arguments_parse(struct arguments *arguments, const struct argument_form *form, int argc,
                     char **argv)
{
    struct option longs[LONGS_MOST] = {0};
    const char *letters = form->takes & ARGUMENT_CONFIG ? ":c:" : ":";
    int letter;
    list_options(longs, form);
    *arguments = (struct arguments){0};
    optind = 0; /* starts anew, so that a process may read several command lines */
    while ((letter = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        if (letter == 'c')
            letter = ARGUMENT_CONFIG;
        if (letter == ':' || letter == '?')
            return refuse(letter, form, argv);
        if (!take(arguments, form, letter, argc, argv))
            return false;
    }
    arguments->word_count = argc - optind;
    arguments->words = argv + optind;
    return has_few_words(arguments, form);
}

bool arguments_read(struct arguments *arguments, unsigned takes, int words_most, int argc,
                    char **argv)
{
    const struct argument_form form = {.verb = argv[0], .takes = takes, .words_most = words_most};
    return arguments_parse(arguments, &form, argc, argv);
}

bool arguments_has(const struct arguments *arguments, unsigned option)
{
    for (unsigned i = 0; i < arguments->said_count; i++)
        if (arguments->said[i].option == option)
            return true;
    return false;
}

const char *arguments_value(const struct arguments *arguments, unsigned option)
{
    const char *value = NULL;
    arguments_values(arguments, option, &value, 1);
    return value;
}

unsigned arguments_values(const struct arguments *arguments, unsigned option, const char **values,
                          unsigned room)
{
    unsigned count = 0;
    for (unsigned i = 0; i < arguments->said_count && count < room; i++)
        if (arguments->said[i].option == option)
            values[count++] = arguments->said[i].value;
    return count;
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
