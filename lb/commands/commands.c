/* SPDX-License-Identifier: Apache-2.0 */
/* The table of verbs, and what verbs share. */
#include "lb/commands/commands.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lb/base/nearest.h"
#include "lb/commands/arguments.h"
#include "lb/commands/audit.h"
#include "lb/commands/backend.h"
#include "lb/commands/ca.h"
#include "lb/commands/cert.h"
#include "lb/commands/check.h"
#include "lb/commands/demo_backend.h"
#include "lb/commands/explain.h"
#include "lb/commands/help.h"
#include "lb/commands/registry_backup.h"
#include "lb/commands/reload.h"
#include "lb/commands/run.h"
#include "lb/commands/sign.h"
#include "lb/commands/status.h"
#include "lb/commands/version.h"

#define WHICH_LB                                                                                   \
    "Which lb: -c FILE is its INI file, whose [admin] address says where it listens; nothing "     \
    "else\n"                                                                                       \
    "in the file needs to be right. Left out: lb.ini in this folder, else /etc/lb/lb.ini.\n"       \
    "--admin unix:PATH names the socket itself. Only root and the user lb runs as may ask.\n"      \
    "Over TCP: --admin HOST:PORT --admin-cert FILE --admin-key FILE --admin-ca FILE: what is\n"    \
    "shown, its key, and the CA of lb's own certificate.\n"

static const char run_details[] =
    "SIGTERM or SIGINT drains: no new clients, requests in flight may end within drain_timeout; a\n"
    "second one ends at once. SIGHUP reloads FILE, as lb reload does.\n";

static const char check_details[] =
    "Errors and warnings go to stderr with file and line, all at once. Nothing is started, and no\n"
    "running lb is asked. Exit status 1 when there is an error.\n";

static const char status_details[] =
    "Backends that are out come first, with the reason. Lists are cut after 20 rows.\n\n"
    "  --all      every backend, rule, pool, client CA and revocation list\n"
    "  --watch    again every second, until it is interrupted\n"
    "  --json     everything, for programs; with --watch one line each time\n\n" WHICH_LB;

static const char backend_details[] =
    "  drain      it gets nothing new, and clients that stick to it move to others; requests that "
    "are\n"
    "             there go on, and health checks do, too\n"
    "  disable    the same, and it is not checked any more: for machines that are taken away\n"
    "  enable     it gets requests again, if its checks say it is well\n\n"
    "  --wait     (drain, disable) return when its last request has ended\n\n"
    "It takes effect at once. A backend stays drained or disabled over reloads that keep it "
    "(pool,\n"
    "name and address), not over a restart of lb. Not even all_down = any sends anything "
    "there.\n\n" WHICH_LB;

static const char reload_details[] =
    "The running lb reads its INI file anew and serves as it says, without losing a request; the\n"
    "command returns when it does. A file with an error changes nothing: all problems are told on\n"
    "stderr, and the exit status is 1. -c says which lb to ask; it is the file that lb was "
    "started\n"
    "with that is read.\n\n" WHICH_LB;

#define PLAIN NULL, NULL

// clang-format off
const struct command commands[] = {
    {"run", "-c FILE", "serve clients as FILE says; SIGTERM drains and ends", run_details, command_run, PLAIN},
    {"check", "-c FILE", "tell everything that is wrong with FILE", check_details, command_check, PLAIN},
    {"explain", "[--cert FILE] --url URL [--live] [--json] [-c FILE]", "may this client have this URL, and why (not)?", explain_details, command_explain_client, NULL, explain_options},
    {"status", "[--all] [--watch] [--json] [-c FILE]", "what the running lb does, and which backends are out", status_details, command_status, PLAIN},
    {"backend", "drain|disable|enable POOL/NAME [--wait] [-c FILE]", "take a backend of the running lb out of use, and back", backend_details, command_backend, PLAIN},
    {"ca", "create|upload|list|show|bind|enable|… [-c FILE]", "the CAs whose clients may come, and for which hosts", ca_details, command_ca, ca_parts, NULL},
    {"cert", "issue|register|list|show|revoke|… [-c FILE]", "client certificates, from issuing to revoking", cert_details, command_cert, cert_parts, NULL},
    {"audit", "[--serial SERIAL] [--ca CA] [--limit N] [--json] [-c FILE]", "who changed which certificate or CA, and when", audit_details, command_audit, NULL, audit_options},
    {"registry", "backup FILE [-c FILE]", "a copy of all that is known of CAs and certificates", registry_details, command_registry, registry_parts, NULL},
    {"reload", "[-c FILE]", "the running lb reads its INI file anew", reload_details, command_reload, PLAIN},
    {"help", "[SECTION | KEY | VERB]", "explain a section or a key of the INI file, or a verb", "", command_help, PLAIN},
    {"demo-backend", "NAME HOST:PORT", "a small HTTP server that says its name, to try lb with", "", command_demo_backend, PLAIN},
    {"version", "", "the versions of lb and its libraries", "", command_version, PLAIN},
    {0},
};
/* What lb starts by itself: in no overview, and nobody meant it. */
static const struct command own_commands[] = {
    {"sign", "", "what the running lb starts when there is something to sign", "", command_sign, PLAIN},
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
    for (size_t i = 0; i < sizeof own_commands / sizeof *own_commands; i++)
        if (strcmp(name, own_commands[i].name) == 0)
            return &own_commands[i];
    return NULL;
}

const char *command_nearest(const char *name)
{
    struct nearest nearest = nearest_to(name);
    for (const struct command *command = commands; command->name; command++)
        nearest_offer(&nearest, command->name);
    return nearest.best;
}

/* "cert issue", "cert" and "audit" have more to tell than the overview. */
static bool has_own_page(const char *verb)
{
    const struct command *command = command_find(verb);
    return strchr(verb, ' ') || (command && (command->parts || command->options));
}

int command_misused(const char *verb, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "lb%s%s: ", *verb ? " " : "", verb);
    vfprintf(stderr, format, arguments);
    if (has_own_page(verb))
        fprintf(stderr, "; see lb %s -h\n", verb);
    else
        fputs("; see lb help\n", stderr);
    va_end(arguments);
    return COMMAND_MISUSED;
}

enum { OPTION_COLUMNS = 22 };

/* "  --cn NAME             who it is for", lines of a longer help below one another. */
static void write_option(const struct argument_option *option)
{
    char said[64];
    bool may_lack = option->use == ARGUMENT_VALUE_MAY_LACK;
    snprintf(said, sizeof said, "--%s%s%s%s", option->name, option->value ? " " : "",
             may_lack ? "[" : "", option->value ? option->value : "");
    printf("  %-*s ", OPTION_COLUMNS, may_lack ? strcat(said, "]") : said);
    if (strlen(said) > OPTION_COLUMNS)
        printf("\n  %-*s ", OPTION_COLUMNS, "");
    for (const char *at = option->help; *at; at++)
        if (*at == '\n')
            printf("\n  %-*s ", OPTION_COLUMNS, "");
        else
            putchar(*at);
    putchar('\n');
}

static void explain(const char *whose, const struct command *command)
{
    printf("lb %s%s%s%s%s\n    %s\n", whose, *whose ? " " : "", command->name,
           *command->arguments ? " " : "", command->arguments, command->summary);
    if (command->parts || command->options)
        putchar('\n');
    for (const struct command *part = command->parts; part && part->name; part++)
        printf("  lb %s %s %s\n      %s\n", command->name, part->name, part->arguments,
               part->summary);
    for (const struct argument_option *at = command->options; at && at->name; at++)
        write_option(at);
    if (*command->details)
        printf("\n%s", command->details);
    if (*whose || command->parts || command->options)
        printf("\n%s", WHICH_LB);
}

void command_explain(const struct command *command)
{
    explain("", command);
}

/* --- parts ---------------------------------------------------------------------------------- */

static const struct command *find_part(const struct command *command, const char *name)
{
    for (const struct command *part = command->parts; part && part->name; part++)
        if (strcmp(name, part->name) == 0)
            return part;
    return NULL;
}

static int misuse_part(const struct command *command, const char *word)
{
    struct nearest nearest = nearest_to(word);
    for (const struct command *part = command->parts; part->name; part++)
        nearest_offer(&nearest, part->name);
    if (nearest.best)
        return command_misused(command->name, "there is no \"%s\": did you mean lb %s %s?", word,
                               command->name, nearest.best);
    return command_misused(command->name, "there is no \"%s\"", word);
}

int command_explain_part(const struct command *command, const char *name)
{
    const struct command *part = find_part(command, name);
    if (!part)
        return misuse_part(command, name);
    explain(command->name, part);
    return COMMAND_DONE;
}

static int misuse_no_part(const struct command *command)
{
    char names[128] = "";
    size_t used = 0;
    for (const struct command *part = command->parts; part->name && used < sizeof names; part++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "",
                                 part->name);
    return command_misused(command->name, "say what to do: %s", names);
}

/* How many words an option takes that may stand before the part; 0: it is none of them. */
static int option_width(const char *word)
{
    static const char *const with_value[] = {"-c",           "--config",    "--admin",
                                             "--admin-cert", "--admin-key", "--admin-ca"};
    size_t length = strcspn(word, "=");
    if (strcmp(word, "--json") == 0 || (strncmp(word, "-c", 2) == 0 && word[2] != '\0'))
        return 1;
    for (size_t i = 0; i < sizeof with_value / sizeof *with_value; i++)
        if (strlen(with_value[i]) == length && strncmp(word, with_value[i], length) == 0)
            return word[length] == '=' ? 1 : 2;
    return 0;
}

/* The part comes first, what stood before it follows. */
static void move_to_front(char **argv, int from)
{
    char *part = argv[from];
    memmove(argv + 2, argv + 1, (size_t)(from - 1) * sizeof *argv);
    argv[1] = part;
}

int command_run_part(int argc, char **argv)
{
    const struct command *command = command_find(argv[0]);
    int at = 1;
    for (int width = 1; at < argc && width > 0; at += width)
        width = option_width(argv[at]);
    if (at >= argc)
        return misuse_no_part(command);
    if (argv[at][0] == '-')
        return command_misused(argv[0], "%s: say what to do first: lb %s %s %s …", argv[at],
                               argv[0], command->parts->name, argv[at]);
    const struct command *part = find_part(command, argv[at]);
    if (!part)
        return misuse_part(command, argv[at]);
    move_to_front(argv, at);
    return part->run(argc - 1, argv + 1);
}

/* Wherever it stands: who asks for help does not know the order of things. */
static bool asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0)
            return true;
    return false;
}

int commands_main(int argc, char **argv)
{
    if (argc < 2)
        return command_misused("", "say what to do: run, check, help, …");
    const struct command *command = command_find(argv[1]);
    if (command && asks_for_help(argc - 2, argv + 2)) {
        const struct command *part = find_part(command, argv[2]);
        explain(part ? command->name : "", part ? part : command);
        return COMMAND_DONE;
    }
    if (command)
        return command->run(argc - 1, argv + 1);
    const char *nearest = command_nearest(argv[1]);
    if (nearest)
        return command_misused("", "there is no \"%s\": did you mean lb %s?", argv[1], nearest);
    return command_misused("", "there is no \"%s\"", argv[1]);
}
